"""For tests of programs that use this library: certificates, sweeps of cancellations and interrupts, fixtures.

In use::

    def test_my_bot_can_be_cancelled_anywhere() -> None:
        sweep(body, around=exchange_and_client, invariants=[no_open_orders])

The fixtures are in ``plugin``, which pytest finds by itself; nothing else here needs pytest. Each name is loaded on
first use, since pytest imports this package at every start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._census import Kind as Kind
    from ._certify._certificate import Certificate as Certificate
    from ._certify._certificate import FamilyCount as FamilyCount
    from ._certify._certify import Progress as Progress
    from ._certify._certify import certify as certify
    from ._certify._day import Day as Day
    from ._certify._day import Deed as Deed
    from ._certify._outcome import Finding as Finding
    from ._certify._outcome import Outcome as Outcome
    from ._certify._play import Played as Played
    from ._certify._shrink import Smallest as Smallest
    from ._certify._terms import Terms as Terms
    from ._certify._witness import Call as Call
    from ._certify._witness import Happening as Happening
    from ._certify._witness import Truth as Truth
    from ._certify._witness import Witness as Witness
    from ._interrupt import InterruptReport as InterruptReport
    from ._interrupt import interrupt_sweep as interrupt_sweep
    from ._interrupt import interrupt_sweep_here as interrupt_sweep_here
    from ._schedule import NotDeterministic as NotDeterministic
    from ._schedule import deterministic as deterministic
    from ._shot import Counted as Counted
    from ._shot import Moment as Moment
    from ._shot import Place as Place
    from ._sweep import SweepFailure as SweepFailure
    from ._sweep import SweepReport as SweepReport
    from ._sweep import sweep as sweep
    from ._sweep import sweep_here as sweep_here
else:
    from .._lazy import lazy

    __getattr__, __dir__, __all__ = lazy()
