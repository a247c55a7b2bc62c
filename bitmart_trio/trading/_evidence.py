"""What is known of one order, decided from evidence alone: no IO, no clock of its own, no task.

Evidence comes from many sides, late, twice, out of order, and out of date: each list, look-up, history and push of the
exchange may lag behind its books by a time of its own, and show one member newer than another. So what is *known* and
what was *said* are kept apart, and these are the rules:

- **Executed size only grows.** It is the largest of what any side reports: the order's own figure, the sum of the fills
  that were pushed, the sum of the trades that were read.
- **An acceptance is never withdrawn by a look-up that finds nothing.** A miss is evidence of the look-up.
- **An end is final, its size is not.** The exchange never reopens an order, so an open state after an end is old. But
  "filled" beside a size that is not the whole, or "cancelled" beside a size that the word does not fit, is a
  contradiction: the order is not over until the sides agree.
- **A size is confirmed** when it is the whole size of the order, or when the trades and a look-up, both read after the
  end, and the push of the end name the same, and the word fits it. Without that push, or against it, or where it says
  "filled" of less than the whole, the first two must agree when they are asked for a while (`shows_within`) after the
  end became known: three sides can be old together.
- **Absence is proven, never seen.** A request can be accepted until a minute past its timestamp. So the exchange's
  clock *and* our monotonic one must be past that minute, and a look-up counts only when it was begun later still, once
  what was accepted in the last moment must show (`visible_after`). One reading of the exchange's clock proves nothing:
  of the last three, the earliest counts. What was proven absent or refused and turns up all the same is open again,
  and said to be a contradiction.

The states and what takes one to another (`TRANSITIONS`; what is not in it changes nothing):

| known | means | public state |
| --- | --- | --- |
| WRITTEN | an intent; no answer yet | pending |
| LOST | sent and cut off: it may exist | unknown |
| LIVE | the exchange has it, or had it | open |
| ENDED | over by some side's word; the executed size is not confirmed | that word; open where the size contradicts it |
| SETTLED | over, and the executed size is confirmed | filled, cancelled or triggered |
| ABSENT | refused by a documented code, never sent, or proven absent | rejected |
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

import attrs

from .._scopes import DECIMALS
from ..errors import OrderNotPlaced
from ..models._numbers import EXACT, total
from ._order import ZERO, Accepted, Intent, OrderFill, OrderState, OrderStatus, Outcome, Rejected, Unknown

HORIZON: Final = 60.0
"""Seconds. A signed request is refused (30007) once the exchange's clock is more than this past its timestamp. Both
markets document a minute; where a shorter recvWindow rules, a minute is still enough.
"""

FORGOTTEN_AFTER: Final = 1200.0
"""Seconds after which spot forgets orders that were cancelled unfilled, as it documents; contracts are never forgotten.
"""


class Known(Enum):
    """How much is known of an order; see the table above."""

    WRITTEN = auto()
    LOST = auto()
    LIVE = auto()
    ENDED = auto()
    SETTLED = auto()
    ABSENT = auto()


class Fact(Enum):
    """What a piece of evidence comes to."""

    CUT_OFF = auto()
    """Sent, and the answer is missing."""
    HAD = auto()
    """The exchange has or had it: an acceptance, an open state, a cancel that found it."""
    NOT_HAD = auto()
    """A refusal by a documented code, a request that never left, a proof of absence, or a failure that it reports."""
    OVER = auto()
    """Some side says that it is over."""
    AGREED = auto()
    """The executed size of an order that is over is confirmed."""
    GREW = auto()
    """More was executed than was known."""
    FAILED = auto()
    """The exchange says that it took the order in and then did not accept it."""
    FORGOTTEN = auto()
    """Spot no longer knows an order that filled nothing, long after it was last shown."""


TRANSITIONS: Final = MappingProxyType(
    {
        (Known.WRITTEN, Fact.CUT_OFF): Known.LOST,
        (Known.WRITTEN, Fact.HAD): Known.LIVE,
        (Known.WRITTEN, Fact.NOT_HAD): Known.ABSENT,
        (Known.WRITTEN, Fact.OVER): Known.ENDED,
        (Known.LOST, Fact.HAD): Known.LIVE,
        (Known.LOST, Fact.NOT_HAD): Known.ABSENT,
        (Known.LOST, Fact.OVER): Known.ENDED,
        (Known.LIVE, Fact.OVER): Known.ENDED,
        (Known.ENDED, Fact.AGREED): Known.SETTLED,
        (Known.SETTLED, Fact.GREW): Known.ENDED,
        (Known.WRITTEN, Fact.FAILED): Known.ABSENT,
        (Known.LOST, Fact.FAILED): Known.ABSENT,
        (Known.LIVE, Fact.FAILED): Known.ABSENT,
        (Known.LIVE, Fact.FORGOTTEN): Known.SETTLED,
        # The contradictions: it was said not to exist.
        (Known.ABSENT, Fact.HAD): Known.LIVE,
        (Known.ABSENT, Fact.OVER): Known.ENDED,
    }
)


class Source(Enum):
    """Who says something of an order."""

    PUSH = auto()
    LOOK_UP = auto()
    """A query for it, or a list with it."""
    TRADES = auto()


class CancelReply(Enum):
    """What the exchange answered to our cancels of an order; the strongest counts."""

    NONE = 0
    """None was answered."""
    MISSED = 1
    """Nothing there to cancel, each time."""
    POSSIBLE = 2
    """One was cut off: it may have ended the order."""
    TAKEN = 3
    """One was accepted: the order was open then."""


@attrs.frozen(kw_only=True)
class Sighting:
    """One message about an order, of either market, brought to one shape."""

    client_order_id: str | None
    order_id: str
    state: OrderState
    source: Source = Source.LOOK_UP
    filled_size: Decimal = ZERO
    average_price: Decimal | None = None
    fill: OrderFill | None = None
    """The fill that a push names."""
    fits: bool = True
    """False where the state's word and the size beside it contradict each other, or leave open how it ended."""


class ExchangeClock:
    """The exchange's time by its last readings; one reading that is ahead moves nothing.

    Attributes:
        readings: how far the exchange's clock (ms) was ahead of ours (s) at each.
    """

    def __init__(self) -> None:
        self.readings: deque[float] = deque(maxlen=3)

    def take(self, exchange_ms: int, now: float) -> None:
        """Take a reading."""
        self.readings.append(exchange_ms - now * 1000)

    def at(self, now: float) -> float:
        """The earliest time (ms) that the exchange's clock can show at this moment, by these readings."""
        return min(self.readings, default=float("-inf")) + now * 1000


@attrs.frozen
class Sent:
    """A request whose end is not known."""

    stamp: int
    """The exchange's time (ms) that it was signed with."""
    at: float
    """Our monotonic time when it was signed, or when it can have been signed last."""

    def absent_from(self, clock: ExchangeClock, visible_after: float, now: float) -> float:
        """Seconds until a look-up that finds nothing proves absence: 0 or less if one that begins now does."""
        wait = max(HORIZON, visible_after)
        by_theirs = self.stamp / 1000 + wait - clock.at(now) / 1000 if clock.readings else wait
        return max(by_theirs, self.at + wait - now)


class Executed:
    """How much of an order was executed, by each side that says so.

    Attributes:
        fills: by trade id, oldest first.
        average_price: of what was executed.
        ends: the size beside the end of the order and when it was asked for, by who named it last.
    """

    def __init__(self) -> None:
        self.fills: dict[str, OrderFill] = {}
        self.average_price: Decimal | None = None
        self.ends: dict[Source, tuple[Decimal, float]] = {}
        self._reported = ZERO
        self._pushed: dict[str, Decimal] = {}
        self._traded = ZERO

    @property
    def size(self) -> Decimal:
        """The most that any side says."""
        return max(self._reported, total(self._pushed.values()), self._traded)

    @property
    def known(self) -> Decimal:
        """How much of it is known fill by fill."""
        return total(fill.size for fill in self.fills.values())

    def see(self, sighting: Sighting, asked: float, *, over: bool) -> None:
        """Take what a push or a look-up says."""
        if sighting.fill is not None:
            self._pushed.setdefault(sighting.fill.trade_id, sighting.fill.size)
            self.fills.setdefault(sighting.fill.trade_id, sighting.fill)
        if sighting.filled_size > self._reported:
            self._reported = sighting.filled_size
            self.average_price = sighting.average_price or self.average_price
        if over:
            self.ends[sighting.source] = sighting.filled_size, asked

    def read(self, fills: list[OrderFill], asked: float, *, over: bool) -> None:
        """Take the trades of the order, all that the exchange showed."""
        found = {fill.trade_id: fill for fill in fills}
        traded = total(fill.size for fill in found.values())
        if over:
            self.ends[Source.TRADES] = traded, asked
        if traded > self.size or self.average_price is None:
            paid = total(EXACT.multiply(fill.size, fill.price) for fill in found.values())
            self.average_price = DECIMALS.divide(paid, traded) if traded else self.average_price
        self._traded = max(self._traded, traded)
        self._merge(found)

    def _merge(self, found: dict[str, OrderFill]) -> None:
        if not self.fills or self.fills.keys() & found.keys():
            self.fills.update({name: fill for name, fill in found.items() if name not in self.fills})
        elif total(fill.size for fill in found.values()) == self.size:
            # Pushes and lists name the fills differently. A list that has not got them all says nothing, then; of a
            # whole one, those are new that no push named: nothing may count twice, or be given twice.
            missing = dict(found)
            for pushed in self.fills.values():
                twins = [
                    name for name, fill in missing.items() if (fill.price, fill.size) == (pushed.price, pushed.size)
                ]
                missing.pop(twins[0] if twins else "", None)
            if len(found) == len(missing) + len(self.fills):
                self.fills.update(missing)
            else:
                self.fills = found

    def agreed(self, shown_from: float, *, at_once: bool) -> bool:
        """Whether the sides agree on it.

        Args:
            shown_from: when all that happened before the end must show, by our monotonic time.
            at_once: whether the push of the end may confirm it before that.
        """
        size = self.size
        found = [self.ends.get(source, (None, 0.0)) for source in (Source.TRADES, Source.LOOK_UP)]
        if any(named != size for named, _ in found):
            return False
        pushed, _ = self.ends.get(Source.PUSH, (None, 0.0))
        return (at_once and pushed == size) or min(asked for _, asked in found) >= shown_from


class OrderRecord:
    """All that is known of one order of the session.

    Args:
        intent: what was meant.
        shows_within: seconds that what the exchange did may take to show.

    Attributes:
        intent: what was meant.
        order_id: the exchange's id; None before it is known.
        known: see the module.
        word: how it ended, by those who said so; open before.
        executed: how much.
        error: why it was rejected, or what cut it off.
        sent: of an unknown one.
        cancels: what was answered to ours.
        shown_at: our monotonic time when the exchange last showed it, or accepted it.
        ended_at: our monotonic time when it was first said to be over.
        contradiction: that it was said not to exist, and does; None when all is well.
    """

    def __init__(self, intent: Intent, shows_within: float = 30.0) -> None:
        self.intent: Intent = intent
        self.order_id: str | None = None
        self.known: Known = Known.WRITTEN
        self.word: OrderState = OrderState.OPEN
        self.executed: Executed = Executed()
        self.error: Exception | None = None
        self.sent: Sent | None = None
        self.cancels: CancelReply = CancelReply.NONE
        self.shown_at: float | None = None
        self.ended_at: float | None = None
        self.contradiction: str | None = None
        self._shows_within = shows_within
        self._fits = False

    # What follows from it

    @property
    def state(self) -> OrderState:
        """How far it is, for the user."""
        match self.known:
            case Known.WRITTEN:
                return OrderState.PENDING
            case Known.LOST:
                return OrderState.UNKNOWN
            case Known.ABSENT:
                return OrderState.REJECTED
            case Known.ENDED if not self._consistent():
                return OrderState.OPEN
            case _:
                return self.word

    @property
    def decided(self) -> bool:
        """Whether it is known to exist or to have existed, or not to."""
        return self.known not in (Known.WRITTEN, Known.LOST)

    @property
    def closed(self) -> bool:
        """Whether it is over, and nothing contradicts that."""
        return self.known in (Known.SETTLED, Known.ABSENT) or (self.known is Known.ENDED and self._consistent())

    @property
    def settled(self) -> bool:
        """Whether it is over and its executed size is confirmed."""
        return self.known in (Known.SETTLED, Known.ABSENT)

    @property
    def end_was_pushed(self) -> bool:
        """Whether a push has named the end and the size beside it."""
        return Source.PUSH in self.executed.ends

    @property
    def whole(self) -> bool:
        """Whether it is over and each of its fills is known."""
        return self.closed and self.executed.known >= self.executed.size

    @property
    def filled_size(self) -> Decimal:
        """What was executed, as far as any side says."""
        return self.executed.size

    def _consistent(self) -> bool:
        fits = self._fits or (self.word is OrderState.CANCELLED and self.cancels is CancelReply.TAKEN)
        return fits and not (self.word is OrderState.FILLED and self._short())

    def _short(self) -> bool:
        size = self.intent.size
        return self.intent.kind == "order" and size is not None and self.executed.size < size

    # Evidence

    def _take(self, fact: Fact) -> bool:
        """Go on by the table; whether it changed anything."""
        before = self.known
        self.known = TRANSITIONS.get((before, fact), before)
        if before is Known.ABSENT and self.known is not before:
            self.contradiction = f"{self.intent.client_order_id} was found not to exist ({self.error}), and does"
            self.error = None
        return self.known is not before

    def accept(self, order_id: str, now: float) -> None:
        """The exchange's reply to the request."""
        self.order_id = self.order_id or order_id
        self.shown_at = now
        self._take(Fact.HAD)

    def lose(self, sent: Sent | None, error: Exception | None) -> None:
        """The request was cut off."""
        if not self.decided:
            self._take(Fact.CUT_OFF)
            self.sent, self.error = sent, error

    def reject(self, error: Exception) -> None:
        """It never became an order."""
        self._end_by(Fact.NOT_HAD, error)

    def _end_by(self, fact: Fact, error: Exception) -> None:
        if self._take(fact):
            self.error = error

    def cancelled(self, reply: CancelReply) -> None:
        """The exchange's answer to a cancel of ours."""
        self.cancels = max(self.cancels, reply, key=lambda each: each.value)
        if reply is CancelReply.TAKEN:
            self._take(Fact.HAD)

    def existed(self) -> None:
        """A cancel of ours was answered that the order is over already."""
        self._take(Fact.HAD)

    def see(self, sighting: Sighting, now: float, asked: float | None = None) -> None:
        """Take what a push or a look-up says; ``asked`` is when the look-up began."""
        before = self.executed.size
        self.order_id = self.order_id or sighting.order_id
        self.shown_at = now
        over = sighting.state in (OrderState.FILLED, OrderState.CANCELLED, OrderState.TRIGGERED)
        self.executed.see(sighting, now if asked is None else asked, over=over)
        if sighting.state is OrderState.REJECTED and not self.executed.size:
            self._end_by(Fact.FAILED, _failed(self.intent))
            return
        if over:
            self.ended_at = now if self.ended_at is None else self.ended_at
            self._fits = self._fits or sighting.fits
            # Once the size is confirmed, only more of it changes the word.
            if self.word is not OrderState.FILLED and (self.known is not Known.SETTLED or self.executed.size > before):
                self.word = sighting.state
            self._take(Fact.OVER)
        else:
            self._take(Fact.HAD)
        self._follow_up(before)

    def read(self, fills: list[OrderFill], asked: float) -> None:
        """Take the trades of the order, asked for at this time."""
        before = self.executed.size
        self.executed.read(
            fills,
            asked,
            over=self.ended_at is not None and asked >= self.ended_at and self.known in (Known.ENDED, Known.SETTLED),
        )
        self._follow_up(before)

    def _follow_up(self, before: Decimal) -> None:
        """What the new size means."""
        if self.executed.size > before:
            self._take(Fact.GREW)
        size = self.intent.size
        if self.known is not Known.ENDED:
            return
        if self.intent.kind == "tp_sl":  # executes nothing itself
            self._take(Fact.AGREED)
        elif size is not None and self.executed.size >= size:
            self.word = OrderState.FILLED
            self._take(Fact.AGREED)
        elif self.ended_at is not None and self.executed.agreed(
            self.ended_at + self._shows_within, at_once=self._consistent()
        ):
            if self.word is OrderState.FILLED and self._short():
                self.word = OrderState.CANCELLED
            self._take(Fact.AGREED)

    def forget(self) -> None:
        """Spot no longer knows an order that it had accepted, and that filled nothing: it was cancelled long ago."""
        if self.known is Known.LIVE and not self.executed.size:
            self.word = OrderState.CANCELLED
            self._take(Fact.FORGOTTEN)

    # For others

    def outcome(self) -> Outcome:
        """What became of the intent."""
        if self.known is Known.ABSENT and self.error is not None:
            return Rejected(self.error)
        if self.decided:
            return Accepted(self.order_id or "")
        return Unknown(self.error)

    def status(self) -> OrderStatus:
        """As it is now."""
        intent = self.intent
        return OrderStatus(
            client_order_id=intent.client_order_id,
            order_id=self.order_id,
            symbol=intent.symbol,
            side=intent.side,
            type=intent.type,
            price=intent.price,
            size=intent.size,
            notional=intent.notional,
            state=self.state,
            filled_size=self.filled_size,
            average_price=self.executed.average_price,
        )

    def end_entry(self) -> dict[str, object]:
        """For the journal, when it is over."""
        return {
            "what": "end",
            "id": self.intent.client_order_id,
            "state": self.state.value,
            "filled": format(self.filled_size, "f"),
        }


def _failed(intent: Intent) -> OrderNotPlaced:
    return OrderNotPlaced("the exchange took it in and then did not accept it", client_order_id=intent.client_order_id)
