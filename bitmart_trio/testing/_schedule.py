"""Deterministic scheduling: one seed gives one order of events.

Tasks that are ready at the same moment run in a random order, which Trio draws each time. That exposes wrong
assumptions, but a failure that depends on the order cannot be repeated. Trio can draw from a seed instead, but has no
public name for that. Only this file uses the private names, and a test fails when a new version of Trio changes them.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Final

_HOME: Final = "trio._core._run"
_SWITCH: Final = "_ALLOW_DETERMINISTIC_SCHEDULING"
_CHANCE: Final = "_r"


class NotDeterministic(RuntimeWarning):
    """This version of Trio does not support deterministic scheduling in the way that the library knows."""


@contextmanager
def deterministic(seed: int) -> Generator[None]:
    """Run everything inside the block in an order that depends only on the seed.

    In use::

        with deterministic(7):
            trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))

    Put it around ``trio.run``. Trio's scheduler and the functions of Python's ``random`` (jitter draws from them) start
    from the seed; after the block they continue from their earlier state. The seed covers what Trio schedules in one
    process. Real sockets, threads, the real clock and the order of a ``set`` (see ``PYTHONHASHSEED``) remain arbitrary,
    and a module that is first imported inside the block may draw numbers too. Do not use it in two threads at once.

    Args:
        seed: any integer; decides the order.

    Warns:
        NotDeterministic: this version of Trio has changed; the block runs in an arbitrary order.
    """
    # Import this first, or the first run would draw other numbers than later ones: rich, which httpx imports, draws.
    import_module("bitmart_trio.sim")
    home = import_module(_HOME)
    chance: object = getattr(home, _CHANCE, None)
    switch: object = getattr(home, _SWITCH, None)
    before = random.getstate()
    if not isinstance(chance, random.Random) or not isinstance(switch, bool):
        warnings.warn(
            f"this Trio has no {_HOME}.{_SWITCH} and {_CHANCE}: tasks run in an arbitrary order, and seed {seed} "
            "repeats only what does not depend on it",
            NotDeterministic,
            stacklevel=3,
        )
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(before)
        return
    trios = chance.getstate()
    setattr(home, _SWITCH, True)
    chance.seed(seed)
    random.seed(seed)
    try:
        yield
    finally:
        setattr(home, _SWITCH, switch)
        chance.setstate(trios)
        random.setstate(before)
