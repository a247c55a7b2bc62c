"""Decide what is known of one order from evidence alone: no IO, no clock, no task.

Evidence comes from many sources, late, twice, out of order and out of date: each list, look-up, history and push of the
exchange may lag behind its books by a different time, and show one member newer than another. So what is *known* and
what was *reported* are kept apart, by these rules:

- **Executed size only grows.** It is the largest of the order's own figure, the sum of the fills that were pushed, and
  the sum of the trades that were read.
- **An acceptance is never withdrawn by a look-up that finds nothing.** A miss is evidence about the look-up.
- **An end is final, its size is not.** The exchange never reopens an order, so an open state after an end is old. But
  "filled" beside less than the whole size, or "cancelled" beside a size that the state does not fit, is a
  contradiction: the order is not over until the sources agree.
- **A size is confirmed** when it is the whole size of the order, or when the trades and a look-up, both read after the
  end, and the push of the end give the same size, and the reported state fits it. Without that push, or against it, or
  if it says "filled" of less than the whole, the first two must agree when queried some time (`shows_within`) after the
  end became known: three sources can be old together.
- **Absence is proven, never observed.** A request can be accepted until a minute past its timestamp. So the exchange's
  clock *and* our monotonic one must be past that minute, and a look-up counts only if it began later still, once even
  an order accepted in the last moment must show (`visible_after`). One reading of the exchange's clock proves nothing:
  of the last three, the earliest counts. An order that was proven absent or refused and still turns up is open again,
  and reported as a contradiction.

The states (`TRANSITIONS` says which fact leads from one to another; any other fact changes nothing):

| known | means | public state |
| --- | --- | --- |
| WRITTEN | an intent; no answer yet | pending |
| LOST | sent and cut off: it may exist | unknown |
| LIVE | the exchange has it, or had it | open |
| ENDED | over by some report; the executed size is not confirmed | as reported; open if the size contradicts it |
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
markets document a minute; if a shorter recvWindow applies, a minute is still enough.
"""

FORGOTTEN_AFTER: Final = 1200.0
"""Seconds after which spot forgets orders that were cancelled unfilled, as documented; futures orders are kept.
"""


class Known(Enum):
    """The states of knowledge of an order; see the table above."""

    WRITTEN = auto()
    LOST = auto()
    LIVE = auto()
    ENDED = auto()
    SETTLED = auto()
    ABSENT = auto()


class Fact(Enum):
    """The fact that a piece of evidence establishes."""

    CUT_OFF = auto()
    """The order was sent and the answer is missing."""
    HAD = auto()
    """The exchange has or had it: an acceptance, an open state, a cancel that found it."""
    NOT_HAD = auto()
    """A refusal by a documented code, a request never sent, a proof of absence, or a failure reported later."""
    OVER = auto()
    """Some source reports the order over."""
    AGREED = auto()
    """The executed size of an order that is over is confirmed."""
    GREW = auto()
    """More is executed than was known."""
    FAILED = auto()
    """The exchange reports that it received the order and then did not accept it."""
    FORGOTTEN = auto()
    """Spot no longer knows an unfilled order, long after it last showed it."""


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
        # The contradictions: the order was reported absent.
        (Known.ABSENT, Fact.HAD): Known.LIVE,
        (Known.ABSENT, Fact.OVER): Known.ENDED,
    }
)


class Source(Enum):
    """The source of a report on an order."""

    PUSH = auto()
    LOOK_UP = auto()
    """A query for the order, or a list that holds it."""
    TRADES = auto()


class CancelReply(Enum):
    """The exchange's answer to our cancels of an order; the strongest counts."""

    NONE = 0
    """No cancel was answered."""
    MISSED = 1
    """Each answer said that there is nothing to cancel."""
    POSSIBLE = 2
    """One cancel was cut off: it may have ended the order."""
    TAKEN = 3
    """One cancel was accepted: the order was open then."""


@attrs.frozen(kw_only=True)
class OrderReport:
    """One message about an order, in one shape for both markets."""

    client_order_id: str | None
    order_id: str
    state: OrderState
    source: Source = Source.LOOK_UP
    filled_size: Decimal = ZERO
    average_price: Decimal | None = None
    fill: OrderFill | None = None
    """The fill that a push reports."""
    fits: bool = True
    """False if the reported state and size contradict each other, or do not say how the order ended."""


class ExchangeClock:
    """The exchange's time by its last readings; one reading that is ahead moves nothing.

    Attributes:
        readings: the lead of the exchange's clock (ms) over ours (s) at each reading.
    """

    def __init__(self) -> None:
        self.readings: deque[float] = deque(maxlen=3)

    def take(self, exchange_ms: int, now: float) -> None:
        """Add one reading of the exchange's clock."""
        self.readings.append(exchange_ms - now * 1000)

    def at(self, now: float) -> float:
        """Return the earliest time (ms) that the exchange's clock can show now, by these readings."""
        return min(self.readings, default=float("-inf")) + now * 1000


@attrs.frozen
class Sent:
    """A request whose outcome is not known."""

    stamp: int
    """The exchange's time (ms) that it was signed with."""
    at: float
    """Our monotonic time when it was signed, or the latest at which it can have been."""

    def absent_from(self, clock: ExchangeClock, visible_after: float, now: float) -> float:
        """Return the seconds until a look-up that finds nothing proves absence; 0 or less if one may begin now."""
        wait = max(HORIZON, visible_after)
        by_theirs = self.stamp / 1000 + wait - clock.at(now) / 1000 if clock.readings else wait
        return max(by_theirs, self.at + wait - now)


class Executed:
    """The executed size of an order, by each source that reports it.

    Attributes:
        fills: by trade id, oldest first.
        average_price: of what was executed.
        ends: by source, the size last reported with the order's end, and when it was queried.
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
        """Return the largest size that any source reports."""
        return max(self._reported, total(self._pushed.values()), self._traded)

    @property
    def known(self) -> Decimal:
        """Return the size that is known fill by fill."""
        return total(fill.size for fill in self.fills.values())

    def see(self, report: OrderReport, asked: float, *, over: bool) -> None:
        """Add the report of a push or a look-up."""
        if report.fill is not None:
            self._pushed.setdefault(report.fill.trade_id, report.fill.size)
            self.fills.setdefault(report.fill.trade_id, report.fill)
        if report.filled_size > self._reported:
            self._reported = report.filled_size
            self.average_price = report.average_price or self.average_price
        if over:
            self.ends[report.source] = report.filled_size, asked

    def read(self, fills: list[OrderFill], asked: float, *, over: bool) -> None:
        """Add the order's trades, as the exchange lists them."""
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
            # Pushes and lists may give one fill different ids. Then an incomplete list says nothing; in a complete one
            # those are new that no push had: nothing may count twice, or be emitted twice.
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
        """Return True if the sources agree on the executed size.

        Args:
            shown_from: our monotonic time from which everything before the end must show.
            at_once: True if the push of the end may confirm it before that.
        """
        size = self.size
        found = [self.ends.get(source, (None, 0.0)) for source in (Source.TRADES, Source.LOOK_UP)]
        if any(named != size for named, _ in found):
            return False
        pushed, _ = self.ends.get(Source.PUSH, (None, 0.0))
        return (at_once and pushed == size) or min(asked for _, asked in found) >= shown_from


class OrderRecord:
    """Everything that is known of one order of a session.

    Args:
        intent: the order as it was submitted.
        shows_within: seconds until an action of the exchange must show.

    Attributes:
        intent: the order as it was submitted.
        order_id: the exchange's id; None before it is known.
        known: the state of knowledge; see the module.
        word: the reported final state; open before the end.
        executed: the executed size.
        error: the reason why it was rejected, or cut off.
        sent: the request of an order whose outcome is unknown.
        cancels: the exchange's answer to our cancels.
        shown_at: our monotonic time when the exchange last showed it, or accepted it.
        ended_at: our monotonic time when it was first reported over.
        contradiction: a text if it exists although it was reported absent, else None.
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

    # Conclusions

    @property
    def state(self) -> OrderState:
        """Return the state that the user sees."""
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
        """Return True once the order is known to exist or to have existed, or is known not to."""
        return self.known not in (Known.WRITTEN, Known.LOST)

    @property
    def closed(self) -> bool:
        """Return True if the order is over and nothing contradicts that."""
        return self.known in (Known.SETTLED, Known.ABSENT) or (self.known is Known.ENDED and self._consistent())

    @property
    def settled(self) -> bool:
        """Return True if the order is over and its executed size is confirmed."""
        return self.known in (Known.SETTLED, Known.ABSENT)

    @property
    def end_was_pushed(self) -> bool:
        """Return True if a push has reported the end with a size."""
        return Source.PUSH in self.executed.ends

    @property
    def whole(self) -> bool:
        """Return True if the order is over and each of its fills is known."""
        return self.closed and self.executed.known >= self.executed.size

    @property
    def filled_size(self) -> Decimal:
        """Return the executed size, as far as any source reports it."""
        return self.executed.size

    def _consistent(self) -> bool:
        fits = self._fits or (self.word is OrderState.CANCELLED and self.cancels is CancelReply.TAKEN)
        return fits and not (self.word is OrderState.FILLED and self._short())

    def _short(self) -> bool:
        size = self.intent.size
        return self.intent.kind == "order" and size is not None and self.executed.size < size

    # Evidence

    def _take(self, fact: Fact) -> bool:
        """Apply a fact by the table; return True if it changed the state."""
        before = self.known
        self.known = TRANSITIONS.get((before, fact), before)
        if before is Known.ABSENT and self.known is not before:
            self.contradiction = f"{self.intent.client_order_id} exists although it was reported absent ({self.error})"
            self.error = None
        return self.known is not before

    def accept(self, order_id: str, now: float) -> None:
        """Record that the exchange accepted the request."""
        self.order_id = self.order_id or order_id
        self.shown_at = now
        self._take(Fact.HAD)

    def lose(self, sent: Sent | None, error: Exception | None) -> None:
        """Record that the request was cut off."""
        if not self.decided:
            self._take(Fact.CUT_OFF)
            self.sent, self.error = sent, error

    def reject(self, error: Exception) -> None:
        """Record that the request never became an order."""
        self._end_by(Fact.NOT_HAD, error)

    def _end_by(self, fact: Fact, error: Exception) -> None:
        if self._take(fact):
            self.error = error

    def cancelled(self, reply: CancelReply) -> None:
        """Record the exchange's answer to a cancel of ours."""
        self.cancels = max(self.cancels, reply, key=lambda each: each.value)
        if reply is CancelReply.TAKEN:
            self._take(Fact.HAD)

    def existed(self) -> None:
        """Record that a cancel was refused because the order is over already."""
        self._take(Fact.HAD)

    def see(self, report: OrderReport, now: float, asked: float | None = None) -> None:
        """Take what a push or a look-up says; ``asked`` is when the look-up began."""
        before = self.executed.size
        self.order_id = self.order_id or report.order_id
        self.shown_at = now
        over = report.state in (OrderState.FILLED, OrderState.CANCELLED, OrderState.TRIGGERED)
        self.executed.see(report, now if asked is None else asked, over=over)
        if report.state is OrderState.REJECTED and not self.executed.size:
            self._end_by(Fact.FAILED, _failed(self.intent))
            return
        if over:
            self.ended_at = now if self.ended_at is None else self.ended_at
            self._fits = self._fits or report.fits
            # Once the size is confirmed, only a larger one changes the state.
            if self.word is not OrderState.FILLED and (self.known is not Known.SETTLED or self.executed.size > before):
                self.word = report.state
            self._take(Fact.OVER)
        else:
            self._take(Fact.HAD)
        self._follow_up(before)

    def read(self, fills: list[OrderFill], asked: float) -> None:
        """Add the order's trades, queried at this time."""
        before = self.executed.size
        self.executed.read(
            fills,
            asked,
            over=self.ended_at is not None and asked >= self.ended_at and self.known in (Known.ENDED, Known.SETTLED),
        )
        self._follow_up(before)

    def _follow_up(self, before: Decimal) -> None:
        """Conclude what the new size implies."""
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
        """Record that spot no longer knows an unfilled order that it had accepted: it was cancelled long ago."""
        if self.known is Known.LIVE and not self.executed.size:
            self.word = OrderState.CANCELLED
            self._take(Fact.FORGOTTEN)

    # For others

    def outcome(self) -> Outcome:
        """Return the outcome of the intent."""
        if self.known is Known.ABSENT and self.error is not None:
            return Rejected(self.error)
        if self.decided:
            return Accepted(self.order_id or "")
        return Unknown(self.error)

    def status(self) -> OrderStatus:
        """Return the order's status at this moment."""
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
        """Return the journal entry of an order that is over."""
        return {
            "what": "end",
            "id": self.intent.client_order_id,
            "state": self.state.value,
            "filled": format(self.filled_size, "f"),
        }


def _failed(intent: Intent) -> OrderNotPlaced:
    return OrderNotPlaced("the exchange received it and then did not accept it", client_order_id=intent.client_order_id)
