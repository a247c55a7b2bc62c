"""Model latency inside an exchange: on an order's way to the book, and on the way out of a push or a reply.

open_exchange(models=Models(latency=Jittered(20, 80)))

An order is accepted at once: it has an id, its money is held, and the reply says so. It joins the book only after its
latency, and events before that do not affect it. The messages of an account for one symbol arrive in the order in which
they were sent; two accounts may overtake each other.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias

import attrs

from ..kernel.agenda import Agenda
from .words import ModelError, milliseconds, pick

Way: TypeAlias = Literal["order", "push", "reply"]
"""The paths with a latency: an order, change or cancellation from acceptance to the book; a push from its event to the
socket; a reply from its event to the connection."""


Enter: TypeAlias = "Callable[[str, str, Callable[[], object]], None]"
"""A function that schedules an account's action (the account is the first text) on a symbol's book (the second)."""


class LatencyModel(Protocol):
    """Draws the latency of each message."""

    def ms(self, way: Way, dice: random.Random) -> int:
        """Return whole milliseconds; 0 for at once."""
        ...


@attrs.frozen
class Instant:
    """Every path has a latency of zero."""

    def ms(self, way: Way, dice: random.Random) -> int:
        """Return 0 milliseconds for everything."""
        return 0


def _a_time(model: object, field: attrs.Attribute[int], value: int) -> None:
    if value < 0:
        raise ValueError(f"{field.name} is a number of milliseconds, 0 or more: {value}")


@attrs.frozen
class Fixed:
    """Every path has the same latency."""

    milliseconds: int = attrs.field(validator=_a_time)
    """The latency, such as 50: an order joins the book 50 ms after acceptance, and its fill is pushed 50 ms later."""

    def ms(self, way: Way, dice: random.Random) -> int:
        """Return the same latency each time."""
        return self.milliseconds


@attrs.frozen
class Jittered:
    """Every message draws a latency between two bounds, so that pushes and replies come in either order."""

    least: int = attrs.field(validator=_a_time)
    """The lower bound in milliseconds."""
    most: int
    """The upper bound in milliseconds, not below the lower one."""

    def __attrs_post_init__(self) -> None:
        """Refuse bounds that leave no value."""
        if self.most < self.least:
            raise ValueError(f"at most {self.most} ms is less than at least {self.least} ms")

    def ms(self, way: Way, dice: random.Random) -> int:
        """Return any latency within the bounds, equally likely."""
        return dice.randint(self.least, self.most)


@attrs.frozen(kw_only=True)
class Ways:
    """A latency model for each path: ``Ways(order=Jittered(5, 40), push=Fixed(100))``."""

    order: LatencyModel = attrs.Factory(Instant)
    """The latency from acceptance to the book."""
    push: LatencyModel = attrs.Factory(Instant)
    """The latency from the event of a push to the socket."""
    reply: LatencyModel = attrs.Factory(Instant)
    """The latency from the event of a reply to the connection."""

    def ms(self, way: Way, dice: random.Random) -> int:
        """Return the latency of the path."""
        models: dict[Way, LatencyModel] = {"order": self.order, "push": self.push, "reply": self.reply}
        return models[way].ms(way, dice)


class Delays:
    """A latency model at work, which delays orders and pushes.

    Args:
        model: draws the latencies.
        agenda: schedules what happens later.
        dice: the random stream of the model.
    """

    def __init__(self, model: LatencyModel, agenda: Agenda, dice: random.Random) -> None:
        self._model = model
        self._agenda = agenda
        self._dice = dice

    @property
    def instant(self) -> bool:
        """Return True if every latency is zero."""
        return isinstance(self._model, Instant)

    def to_books(self, look: Callable[[str], object]) -> Enter:
        """Return the function that brings orders, changes and cancellations to the books of one market.

        Args:
            look: brings the book of a symbol up to date before an arrival.
        """

        def enter(account_id: str, symbol: str, deed: Callable[[], object]) -> None:
            def arrive() -> None:
                look(symbol)
                deed()

            # At once, or after the account's earlier messages for the symbol.
            self._agenda.after(self._model.ms("order", self._dice), ("order", account_id, symbol), arrive)

        return enter

    def push(self, topic: str, account_id: str | None, deed: Callable[[], object]) -> None:
        """Send a push of a topic: at once, or after the earlier ones."""
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
    """Return the latency model that a word of the command line names: ``none``, ``fixed:50ms``, ``jitter:20ms-80ms``.

    Raises:
        ModelError: the text names none of these.
    """
    words: dict[str, LatencyModel] = {"none": Instant()}
    return pick(
        "latencies",
        text,
        words,
        {"fixed:50ms": lambda rest: Fixed(milliseconds(rest)), "jitter:20ms-80ms": _jittered},
    )
