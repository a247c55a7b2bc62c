"""For tests of programs that use this library: sweeps of cancellations and interrupts, one order of events, fixtures.

In use::

    def test_my_bot_can_be_cancelled_anywhere() -> None:
        sweep(body, around=exchange_and_client, invariants=[no_open_orders])

The fixtures are in ``plugin``, which pytest finds by itself; nothing else here needs pytest. Everything loads when it
is first named, since pytest loads this package at every start.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ._census import Kind
    from ._interrupt import InterruptReport, interrupt_sweep, interrupt_sweep_here
    from ._schedule import NotDeterministic, deterministic
    from ._shot import Counted, Moment, Place
    from ._sweep import SweepFailure, SweepReport, sweep, sweep_here
else:
    _HOMES: Final = {
        "._census": ("Kind",),
        "._interrupt": ("InterruptReport", "interrupt_sweep", "interrupt_sweep_here"),
        "._schedule": ("NotDeterministic", "deterministic"),
        "._shot": ("Counted", "Moment", "Place"),
        "._sweep": ("SweepFailure", "SweepReport", "sweep", "sweep_here"),
    }
    _HOME: Final = {name: home for home, names in _HOMES.items() for name in names}

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOME[name], __name__), name)
        globals()[name] = value
        return value


__all__ = [
    "Counted",
    "InterruptReport",
    "Kind",
    "Moment",
    "NotDeterministic",
    "Place",
    "SweepFailure",
    "SweepReport",
    "deterministic",
    "interrupt_sweep",
    "interrupt_sweep_here",
    "sweep",
    "sweep_here",
]
