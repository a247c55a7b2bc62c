"""What events of the simulated exchange cost, each by itself: a tick, a match, a push.

The methods that carry them out are timed in CPU time of their thread. What one of them spends in another is counted
there, not here: a tick is what is left of it without its matches and pushes. Processor time says little about wall time
on a busy machine, but another program on the same core makes it longer too: measure on an idle one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final

from bitmart_trio.sim.exchange import Exchange
from bitmart_trio.sim.faces.websocket import Connection
from bitmart_trio.sim.futures.engine import Engine as FuturesEngine
from bitmart_trio.sim.spot.orders import Engine as SpotEngine

HOT: Final[tuple[tuple[str, type, str], ...]] = (
    ("tick", Exchange, "tick"),
    ("match", SpotEngine, "_trade"),
    ("match", FuturesEngine, "_trade"),
    ("push", Connection, "push"),
)
"""What is timed: the event, and the method that carries it out."""
MEANING: Final = {
    "tick": "every market lives on by a tenth of a second, or what --tick says",
    "match": "a taker trades with one resting order",
    "push": "one frame for one connection",
}


class Costs:
    """Time and number of each event."""

    def __init__(self) -> None:
        self.nanoseconds: dict[str, int] = {event: 0 for event, _, _ in HOT}
        self.count: dict[str, int] = dict.fromkeys(self.nanoseconds, 0)
        self._inner: list[int] = []
        """What the events that are under way have spent in others, the outermost first."""

    def microseconds(self) -> dict[str, float]:
        """The mean of each event that has happened."""
        return {
            event: spent / self.count[event] / 1000 for event, spent in self.nanoseconds.items() if self.count[event]
        }

    def lines(self) -> list[str]:
        """A heading and one line an event, for people."""
        rows = [
            f"  {event:5} {mean:10,.1f} us, {self.count[event]:,} times: {MEANING[event]}"
            for event, mean in self.microseconds().items()
        ]
        return ["CPU time of one event of the exchange, without the events inside it:", *rows]

    def timed(self, event: str, method: Callable[..., Any]) -> Callable[..., Any]:
        """The same method, with a watch."""

        @wraps(method)
        def run(*args: Any, **options: Any) -> Any:
            self._inner.append(0)
            began = time.thread_time_ns()
            try:
                return method(*args, **options)
            finally:
                spent = time.thread_time_ns() - began
                self.nanoseconds[event] += spent - self._inner.pop()
                self.count[event] += 1
                if self._inner:
                    self._inner[-1] += spent

        return run


@contextmanager
def measured() -> Generator[Costs]:
    """Time the events of every exchange of this process while the block runs."""
    costs, before = Costs(), [(owner, name, getattr(owner, name)) for _, owner, name in HOT]
    for (event, owner, name), (_, _, method) in zip(HOT, before, strict=True):
        setattr(owner, name, costs.timed(event, method))
    try:
        yield costs
    finally:
        for owner, name, method in before:
            setattr(owner, name, method)
