"""One seed, one order of events: Trio's scheduler, made to repeat itself.

Tasks that are ready at the same moment run in an order that Trio draws anew each time. That finds wrong assumptions,
and makes a failure that depends on the order impossible to repeat. Trio can draw from a seed instead, but has no public
name for it; this file alone knows the private ones, and a test says when a new Trio has other ones.
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
    """This version of Trio cannot be made to repeat itself, or not in the way that we know."""


@contextmanager
def deterministic(seed: int) -> Generator[None]:
    """Let everything inside the block run in an order that depends on nothing but the seed.

    In use::

        with deterministic(7):
            trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))

    Put it around ``trio.run``. Trio's scheduler and the functions of Python's ``random`` (jitter draws from them) start
    from the seed, and continue as if nothing had happened after the block. It covers one process and what Trio
    schedules: real sockets, threads, the real clock and the order of ``set`` (see ``PYTHONHASHSEED``) remain as
    arbitrary as they are; a module that is first imported inside the block may draw numbers too. Not for two threads at
    once.

    Args:
        seed: which order; any integer.

    Warns:
        NotDeterministic: Trio has changed. The block runs, in an arbitrary order.
    """
    # Loaded by the first run and not by the second, it would make them differ: rich, which httpx loads, draws numbers.
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
