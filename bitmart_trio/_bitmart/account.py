"""An account as a ledger: what was read over REST, with the pushes on top of it, in whatever order the two arrive.

No socket, no clock. When a push and a reply cross in flight, neither shows which is older, so:

* Each read is begun (`begin`) before it is sent. Records that a push changed after that keep the state of the push; the
  reply decides all others.
* A push that is provably older than the ledger changes nothing. Orders prove it themselves: closed is final, filled
  sizes only grow, then the time of the last update decides. Positions have a time of update, spot balances a time of
  the event; this time is compared with those of earlier pushes, and for spot balances also with the time when the last
  read was sent. Futures balances have no time at all.
* Where a push differs from the ledger about a balance or a position, whether or not it is applied, a read that begins
  after it decides: clocks can be wrong, and a push can be in flight for longer than a read. `due` returns the lists to
  read. The same holds for the balances after every change of an order, since spot pushes no balance when an order is
  placed or cancelled.
* An order that is missing from a list of open orders, although no push about it came since the list was requested, is
  looked up individually: so its final state is known, and a truncated list closes nothing.
* Ids are trusted until something contradicts them (``identity.py``). While a list contains an order that cannot be
  identified, or a look-up answers with another order, nothing is in sync, and no order is closed because it is missing.
* After a gap in the pushes nothing counts as read any more.

So once the exchange falls quiet, the last read began after the last push: then the ledger matches the exchange. A
change that no push reported (lost on an unbroken connection) is found only by another read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

import attrs

from ..errors import MalformedReply
from ..models._absent import absent
from ..models._futures_enums import PositionSide
from ..models.account_views import (
    AccountOrder,
    AccountPosition,
    Balance,
    BalanceChanged,
    OrderChanged,
    PositionChanged,
)
from .identity import contradict, identify, same_terms, sort_out

O = TypeVar("O", bound=AccountOrder)  # noqa: E741

K = TypeVar("K")
V = TypeVar("V")

Kind: TypeAlias = Literal["orders", "balances", "positions"]
"""One list that can be requested from the exchange."""

PositionKey: TypeAlias = tuple[str, PositionSide]

Change: TypeAlias = OrderChanged[O] | BalanceChanged | PositionChanged

CLOSED_KEPT: Final = 4096
"""Closed orders that are remembered, so that neither a late push nor a late list opens them again."""

PATIENCE: Final = 30.0
"""Seconds for which an order reported as open is kept, although no list and no look-up finds it."""

SLACK_MS: Final = 1000
"""The time by which a push must precede a read to count as older, since clocks may differ."""

_SAME_PRICE: Final = Decimal("1E-6")
_ZERO: Final = Decimal(0)
_TERMS: Final = ("price", "size")


class Listed(NamedTuple, Generic[O]):
    """The changes from a list of open orders, and the orders that it should have held."""

    changes: list[Change[O]]
    missing: list[O]


class AccountLedger(Generic[O]):
    """See the head of this file.

    Args:
        kinds: the lists that this account has.
    """

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self.orders: dict[str, O] = {}
        """The open orders by id."""
        self.client_ids: dict[str, str] = {}
        """Client order id -> order id, of the open orders."""
        self.balances: dict[str, Balance] = {}
        self.positions: dict[PositionKey, AccountPosition] = {}
        """The open ones."""
        self.unidentified: Sequence[O] = ()
        """Open orders in the last list that could not be identified."""
        self.pushes: int = 0
        self.outdated: int = 0
        self.corrections: int = 0
        self._kinds: tuple[Kind, ...] = tuple(kinds)
        self._sequence = 0
        self._hole = 0
        self._marked = dict.fromkeys(self._kinds, 0)
        self._read = dict.fromkeys(self._kinds, -1)
        self._touched: dict[object, int] = {}
        self._closed: dict[str, O] = {}
        self._doubted: set[str] = set()
        self._seen: dict[str, float] = {}
        """When each order was last reported as open."""
        self._mistaken: set[str] = set()
        """Orders whose look-up has answered with another order, or with one that cannot be identified."""
        self._balance_times: dict[str, int] = {}
        self._balances_asked: int | None = None
        self._position_times: dict[PositionKey, int] = {}

    # ---- what must be read ------------------------------------------------------------------------------------------

    def begin(self) -> int:
        """A read is about to be sent: what it must be given back with."""
        return self._sequence

    def due(self) -> list[Kind]:
        """The lists that something has happened to since they were last asked for."""
        return [kind for kind in self._kinds if self._marked[kind] > self._read[kind]]

    @property
    def in_sync(self) -> bool:
        """Return True if every list was requested after the last gap and all its orders are identified."""
        return self.read_since(self._hole) and not self.unidentified and not self._mistaken

    def invalidate(self) -> None:
        """Pushes were missed: all must be read anew."""
        self._sequence += 1
        self._hole = self._sequence
        self.doubt()

    def doubt(self) -> None:
        """All shall be read anew, though nothing is known to be missing."""
        for kind in self._kinds:
            self._again(kind)

    def done(self, kind: Kind, begun: int) -> None:
        """A list was read and taken in."""
        self._read[kind] = max(self._read[kind], begun)

    def read_since(self, sequence: int) -> bool:
        """Return True if every list was requested after the event that `begin` numbered."""
        return all(read >= sequence for read in self._read.values())

    def _mark(self, kind: Kind) -> None:
        if kind in self._marked:
            self._marked[kind] = self._sequence

    def _again(self, kind: Kind) -> None:
        """What is being read must be read once more."""
        self._sequence += 1
        self._mark(kind)

    def _correct(self, kind: Kind) -> None:
        """A read has found something different from what was held, unless it is the first one."""
        self.corrections += self._read[kind] >= 0

    def _touch(self, key: object) -> None:
        self.pushes += 1
        self._sequence += 1
        self._touched[key] = self._sequence

    def _untouched_since(self, key: object, begun: int) -> bool:
        return self._touched.get(key, -1) <= begun

    # ---- pushes -----------------------------------------------------------------------------------------------------

    def push_order(self, order: O, now: float = 0.0) -> list[Change[O]]:
        """Take an order as it was pushed.

        Args:
            order: the state of the order.
            now: the time of a monotonic clock, in seconds.

        Raises:
            MalformedReply: the order cannot be identified. Then everything must be read again.
        """
        order = self._named(order)
        self._touch(order.order_id)
        known = self.orders.get(order.order_id)
        if order.order_id in self._closed:
            self._touched.pop(order.order_id, None)
            self.outdated += 1
            return []
        self._mark("balances")
        self._mark("positions")
        self._seen[order.order_id] = now
        if known is None:
            if any(_twins(order, each) for each in self.orders.values()):
                self._mark("orders")  # two orders, or one order that a list has shown under the id of another
            return self._set_order(order, None)
        order = _completed(order, known)
        verdict = _is_newer(order, known)
        if verdict is False:
            self.outdated += 1
            self._mark("orders")
            return []
        if verdict is None:
            if same_terms(order, known):
                return []
            self._mark("orders")
        return self._set_order(order, known)

    def _named(self, pushed: O) -> O:
        """Return what was pushed, under the id of its order."""
        known = self.orders.get(pushed.order_id) or self._closed.get(pushed.order_id)
        if pushed.order_id and (known is None or not contradict(pushed, known)):
            return pushed
        named = identify(pushed, [*self.orders.values(), *self._closed.values()])
        if named is None:
            raise MalformedReply(f"a push of an order on {pushed.symbol} has no id, or that of another order")
        return named

    def push_balance(self, currency: str, balance: Balance, time: int | None) -> list[Change[O]]:
        """Take a balance as it was pushed.

        Args:
            currency: the currency.
            balance: the whole balance.
            time: the time of the change, in milliseconds; None where the exchange does not give it.

        Raises:
            MalformedReply: no currency is named.
        """
        if not currency:
            raise MalformedReply("a push of a balance names no currency")
        known = self.balances.get(currency)
        last = self._balance_times.get(currency, 0)
        self.pushes += 1
        if time is not None:
            self._balance_times[currency] = max(time, last)
        if balance == known:
            return []
        self._sequence += 1
        self._mark("balances")
        if time is not None and (
            time < last or (self._balances_asked is not None and time < self._balances_asked - SLACK_MS)
        ):
            self.outdated += 1
            return []
        self._touched["balance", currency] = self._sequence
        self.balances[currency] = balance
        return [BalanceChanged(currency=currency, balance=balance, previous=known)]

    def push_position(self, position: AccountPosition) -> list[Change[O]]:
        """Take a position as it was pushed; a closed one has size 0.

        Raises:
            MalformedReply: no contract is named.
        """
        if not position.symbol:
            raise MalformedReply("a push of a position names no contract")
        key = (position.symbol, position.side)
        known = self.positions.get(key)
        self.pushes += 1
        time = position.update_time or 0
        last = self._position_times.get(key, 0)
        self._position_times[key] = max(time, last)
        if known is None and not position.size:
            return []
        if known is not None and _same_position(position, known):
            # The exchange repeats the same position every few seconds.
            return self._refresh_position(known, position) if time >= last else []
        self._sequence += 1
        self._mark("positions")
        if time < last:
            self.outdated += 1
            return []
        self._touched[key] = self._sequence
        return self._set_position(position, known)

    # ---- reads ------------------------------------------------------------------------------------------------------

    def read_orders(self, begun: int, pages: Sequence[Sequence[O]], now: float = 0.0) -> Listed[O]:
        """Take a list of the open orders, in the replies that it came in.

        The read is complete once all ``missing`` orders were passed to `found`, unless orders are `unidentified` then.
        """
        changes: list[Change[O]] = []
        rows, unidentified = sort_out(pages, self.orders, self._closed)
        self.unidentified = tuple(unidentified)
        for row in rows.values():
            changes += self._take_row(begun, row)
        self._doubted -= rows.keys()
        self._seen |= dict.fromkeys(rows.keys() & self.orders.keys(), now)
        self._mistaken -= rows.keys()
        if self.unidentified:
            self._again("orders")
            return Listed(changes, [])  # any order that seems to be missing may be one of the unidentified
        lacking = [order for order_id, order in self.orders.items() if order_id not in rows]
        missing = [order for order in lacking if self._untouched_since(order.order_id, begun)]
        if len(missing) < len(lacking):
            self._again("orders")
        return Listed(changes, missing)

    def found(
        self, begun: int, order_id: str, order: O | None, now: float = 0.0, *, cut_off: bool = False
    ) -> list[Change[O]]:
        """Take what a look-up says of an order that a list did not hold; None when the exchange does not know it.

        An order is dropped as unknown only the second time, and `PATIENCE` after it was last reported as open: a
        replica of the exchange may be behind. If the order is reported as open again later, it returns.

        Args:
            begun: the number that `begin` returned when the list was requested.
            order_id: the order looked up.
            order: the answer.
            now: the time of a monotonic clock, in seconds.
            cut_off: True if the list may lack open orders.
        """
        known = self.orders.get(order_id)
        if known is None or not self._untouched_since(order_id, begun):
            self._mistaken.discard(order_id)
            return []
        if order is not None:
            named = order if order.order_id == order_id and not contradict(order, known) else identify(order, [known])
            if named is None:
                self._mistaken.add(order_id)
                self._again("orders")
                return []
            self._mistaken.discard(order_id)
            self._doubted.discard(order_id)
            if named.is_open and not cut_off:
                self._again("orders")  # the list and the look-up contradict each other
            return self._take_row(begun, named)
        self._mistaken.discard(order_id)
        if order_id not in self._doubted or now < self._seen.get(order_id, 0.0) + PATIENCE:
            self._doubted.add(order_id)
            self._again("orders")
            return []
        self._correct("orders")
        self._drop_order(known)
        return [OrderChanged(order=known, previous=known, closed=True)]

    @property
    def unclear(self) -> str | None:
        """Return the orders that the last list and its look-ups could not identify, for a message; None for none."""
        if self.unidentified:
            symbols = ", ".join(sorted({getattr(each, "symbol", "?") for each in self.unidentified}))
            return f"{len(self.unidentified)} open orders ({symbols}) have no id, or the id of another order"
        if self._mistaken:
            return f"the look-up of order {min(self._mistaken)} answers with another order"
        return None

    def read_balances(self, begun: int, rows: Iterable[tuple[str, Balance]], asked: int | None) -> list[Change[O]]:
        """Take a list of all balances; what it does not name is zero.

        Args:
            begun: the number that `begin` returned.
            rows: currency and balance.
            asked: the exchange's time in milliseconds when the read was sent, as well as it is known; None where pushes
                have no time.

        Raises:
            MalformedReply: a row does not name its currency.
        """
        listed = _each_once("balances", rows)
        self._balances_asked = asked
        zeros = {currency: Balance(_ZERO, _ZERO) for currency in self.balances if currency not in listed}
        changes: list[Change[O]] = []
        for currency, balance in {**listed, **zeros}.items():
            known = self.balances.get(currency)
            if balance != known and self._untouched_since(("balance", currency), begun):
                self._correct("balances")
                self.balances[currency] = balance
                changes.append(BalanceChanged(currency=currency, balance=balance, previous=known))
        return changes

    def read_positions(self, begun: int, rows: Iterable[AccountPosition]) -> list[Change[O]]:
        """Take a list of the open positions.

        Raises:
            MalformedReply: a row does not identify its position.
        """
        changes: list[Change[O]] = []
        listed = _each_once("positions", ((_key(row), row) for row in rows if row.size))
        for key, row in listed.items():
            if not self._untouched_since(key, begun):
                continue
            known = self.positions.get(key)
            if known is not None and _same_position(row, known):
                changes += self._refresh_position(known, row)
            else:
                self._correct("positions")
                changes += self._set_position(row, known)
        for key, known in list(self.positions.items()):
            if key not in listed and self._untouched_since(key, begun):
                self._correct("positions")
                changes += self._set_position(attrs.evolve(known, size=_ZERO), known)
        return changes

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _take_row(self, begun: int, row: O) -> list[Change[O]]:
        known = self.orders.get(row.order_id)
        if row.order_id in self._closed or (known is None and not row.is_open):
            return []
        if known is not None:
            row = _completed(row, known)
            verdict = _is_newer(row, known)
            if verdict is False or (verdict is None and same_terms(row, known) and not absent(known)):
                return []
            if verdict is None and not self._untouched_since(row.order_id, begun):
                self._again("orders")
                return []
        self._correct("orders")
        return self._set_order(row, known)

    def _set_order(self, order: O, known: O | None) -> list[Change[O]]:
        if order.is_open:
            self.orders[order.order_id] = order
            client_id = _client_id(order)
            if client_id is not None:
                self.client_ids[client_id] = order.order_id
        else:
            self._forget_order(order)
        return [OrderChanged(order=order, previous=known, closed=not order.is_open)]

    def _forget_order(self, order: O) -> None:
        self._drop_order(order)
        self._closed[order.order_id] = order
        if len(self._closed) > CLOSED_KEPT:
            del self._closed[next(iter(self._closed))]

    def _drop_order(self, order: O) -> None:
        self.orders.pop(order.order_id, None)
        client_id = _client_id(order)
        if client_id is not None and self.client_ids.get(client_id) == order.order_id:
            del self.client_ids[client_id]
        self._touched.pop(order.order_id, None)
        self._doubted.discard(order.order_id)
        self._mistaken.discard(order.order_id)
        self._seen.pop(order.order_id, None)

    def _set_position(self, position: AccountPosition, known: AccountPosition | None) -> list[Change[O]]:
        key = (position.symbol, position.side)
        if position.size:
            self.positions[key] = position
        else:
            self.positions.pop(key, None)
        return [PositionChanged(position=position, previous=known)]

    def _refresh_position(self, known: AccountPosition, fresh: AccountPosition) -> list[Change[O]]:
        """Of a position that is otherwise the same, take what moves with the market."""
        moving = {name: getattr(fresh, name) for name in ("liquidation_price", "update_time") if hasattr(fresh, name)}
        if moving.get("update_time") is None:
            moving.pop("update_time", None)
        newer = attrs.evolve(known, **moving)
        if newer == known:
            return []
        return self._set_position(newer, known)


def _key(position: AccountPosition) -> PositionKey | None:
    """Return which position it is; None where no contract is named."""
    return (position.symbol, position.side) if position.symbol else None


def _each_once(what: str, rows: Iterable[tuple[K | None, V]]) -> dict[K, V]:
    """Return rows by what they are of; one that is blank, or in two different rows, says nothing of either."""
    listed: dict[K, V] = {}
    for key, row in rows:
        if not key or listed.setdefault(key, row) != row:
            raise MalformedReply(f"the list of {what} has a row that does not say what it is of: {row!r}")
    return listed


def _is_newer(new: AccountOrder, old: AccountOrder) -> bool | None:
    """Return True if one state of an open order is newer than another; None if that cannot be decided."""
    if not new.is_open:
        return True
    filled, before = getattr(new, "filled_size", None), getattr(old, "filled_size", None)
    if filled is not None and before is not None and filled != before:
        return bool(filled > before)
    time, then = getattr(new, "update_time", None), getattr(old, "update_time", None)
    if time is not None and then is not None and time != then:
        return bool(time > then)
    return None


def _client_id(order: AccountOrder) -> str | None:
    return getattr(order, "client_order_id", None)


def _twins(one: AccountOrder, other: AccountOrder) -> bool:
    """Whether two orders have everything but their ids in common."""
    made = getattr(one, "create_time", None)
    same_time = made is not None and made == getattr(other, "create_time", None)
    return same_time and same_terms(one, other) and not contradict(one, other)


def _completed(row: O, known: O) -> O:
    """Return a record with what it lacks taken from what is known of the same order, whose terms do not go away."""
    lacking = {name for name in absent(row) if name not in absent(known)}
    lacking |= {name for name in _TERMS if getattr(row, name, 0) is None and getattr(known, name, None) is not None}
    return attrs.evolve(row, **{name: getattr(known, name) for name in lacking}) if lacking else row


def _same_position(new: AccountPosition, old: AccountPosition) -> bool:
    """Whether nothing was traded; replies and pushes may round the entry price differently."""
    if new.size != old.size or getattr(new, "margin_mode", None) != getattr(old, "margin_mode", None):
        return False
    entry, before = getattr(new, "entry_price", None), getattr(old, "entry_price", None)
    if entry is None or before is None:
        return entry is before
    return bool(abs(entry - before) <= _SAME_PRICE * abs(before))
