"""Model latency inside an exchange: an order's way to the book, a push's and a reply's way out.

open_exchange(models=Models(latency=Jittered(20, 80)))

An order is accepted at once: it has an id, its money is held, and the reply says so. It joins the book when its time
has come, and what happens until then happens without it. What an account sends for one symbol arrives in the order in
which it was sent; two accounts may overtake each other.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias

import attrs

from ..kernel.agenda import Agenda
from .words import ModelError, milliseconds, pick

Way: TypeAlias = Literal["order", "push", "reply"]
"""The ways that take time: an order, change or cancellation from acceptance to the book; a push from its event to the
socket; a reply from what it reports to the connection."""


Enter: TypeAlias = "Callable[[str, str, Callable[[], object]], None]"
"""Lets something of an account (the first text) reach the book of a symbol (the second)."""


class LatencyModel(Protocol):
    """Draws how long each way takes."""

    def ms(self, way: Way, dice: random.Random) -> int:
        """Whole milliseconds; 0 for at once."""
        ...


@attrs.frozen
class Instant:
    """Nothing takes any time."""

    def ms(self, way: Way, dice: random.Random) -> int:
        """Return 0 milliseconds for everything."""
        return 0


def _a_time(model: object, field: attrs.Attribute[int], value: int) -> None:
    if value < 0:
        raise ValueError(f"{field.name} is a number of milliseconds, 0 or more: {value}")


@attrs.frozen
class Fixed:
    """Every way takes the same time."""

    milliseconds: int = attrs.field(validator=_a_time)
    """Such as 50: an order is in the book 50 ms after its acceptance, and its fill is pushed 50 ms after that."""

    def ms(self, way: Way, dice: random.Random) -> int:
        """The same each time."""
        return self.milliseconds


@attrs.frozen
class Jittered:
    """Every way takes a time of its own between two bounds, so that pushes and replies come in either order."""

    least: int = attrs.field(validator=_a_time)
    """Milliseconds."""
    most: int
    """Milliseconds, not below the least."""

    def __attrs_post_init__(self) -> None:
        """Refuse bounds that leave nothing."""
        if self.most < self.least:
            raise ValueError(f"at most {self.most} ms is less than at least {self.least} ms")

    def ms(self, way: Way, dice: random.Random) -> int:
        """Any of them, equally likely."""
        return dice.randint(self.least, self.most)


@attrs.frozen(kw_only=True)
class Ways:
    """A latency model for each way: ``Ways(order=Jittered(5, 40), push=Fixed(100))``."""

    order: LatencyModel = attrs.Factory(Instant)
    """From acceptance to the book."""
    push: LatencyModel = attrs.Factory(Instant)
    """From what a push reports to the socket."""
    reply: LatencyModel = attrs.Factory(Instant)
    """From what a reply reports to the connection."""

    def ms(self, way: Way, dice: random.Random) -> int:
        """That of the way."""
        models: dict[Way, LatencyModel] = {"order": self.order, "push": self.push, "reply": self.reply}
        return models[way].ms(way, dice)


class Delays:
    """A latency model at work: sends orders and pushes on their ways.

    Args:
        model: How long each way takes.
        agenda: What happens later.
        dice: What the model draws from.
    """

    def __init__(self, model: LatencyModel, agenda: Agenda, dice: random.Random) -> None:
        self._model = model
        self._agenda = agenda
        self._dice = dice

    @property
    def instant(self) -> bool:
        """Return True if no way takes any time."""
        return isinstance(self._model, Instant)

    def to_books(self, look: Callable[[str], object]) -> Enter:
        """The way of orders, changes and cancellations to the books of one market.

        Args:
            look: Brings the book of a symbol up to date before something arrives there.
        """

        def enter(account_id: str, symbol: str, deed: Callable[[], object]) -> None:
            def arrive() -> None:
                look(symbol)
                deed()

            # At once, or behind what the account has sent there before.
            self._agenda.after(self._model.ms("order", self._dice), ("order", account_id, symbol), arrive)

        return enter

    def push(self, topic: str, account_id: str | None, deed: Callable[[], object]) -> None:
        """Let a push of a topic leave: at once, or behind the ones before."""
        self._agenda.after(self._model.ms("push", self._dice), ("push", account_id or "", topic), deed)

    def reply_seconds(self) -> float:
        """Return the seconds that the next reply waits."""
        return self._model.ms("reply", self._dice) / 1000


def _jittered(text: str) -> Jittered:
    least, _, most = text.partition("-")
    try:
        return Jittered(milliseconds(least), milliseconds(most))
    except ModelError:
        raise
    except ValueError as error:
        raise ModelError(str(error)) from None


def parse_latency(text: str) -> LatencyModel:
    """A latency model by a word of the command line: ``none``, ``fixed:50ms``, ``jitter:20ms-80ms``.

    Raises:
        ModelError: It is none of these.
    """
    words: dict[str, LatencyModel] = {"none": Instant()}
    return pick(
        "latencies",
        text,
        words,
        {"fixed:50ms": lambda rest: Fixed(milliseconds(rest)), "jitter:20ms-80ms": _jittered},
    )
