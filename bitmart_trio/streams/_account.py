"""Keep live views of an account: its holdings and orders, live or known to be stale.

The router itself feeds a view, push by push, so a slow reader cannot break it. ``_bitmart/account.py`` orders pushes
and replies that cross. This module does what needs time and a connection, in one task that

* reads everything once the topics are acknowledged, after each gap, on request, and at an interval if asked to;
* reads again, a moment after a push, the lists that the push has made uncertain;
* retries failed reads with growing pauses; a read that can never succeed ends the view.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Hashable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Generic, Literal, NamedTuple, Protocol, TypeVar, cast

import attrs
import trio

from .._bitmart.account import AccountLedger, Change, Kind
from .._io.connections import Connections
from .._scopes import open_nursery, opener, protected, start_soon
from ..errors import (
    AbsentMember,
    AccountNotLive,
    BitMartError,
    ClockOutOfSync,
    ExchangeFault,
    InvalidRequest,
    MalformedReply,
    RateLimited,
    ServiceUnavailable,
    TransportError,
)
from ..models._absent import partial
from ..models.account_views import (
    AccountOrder,
    AccountPosition,
    AccountState,
    AccountStatistics,
    Balance,
    BalanceChanged,
    ChangesMissed,
    OrderChanged,
    PositionChanged,
    Resynced,
)
from ..models.stream_events import Gap

O = TypeVar("O", bound=AccountOrder)  # noqa: E741
C = TypeVar("C")
R = TypeVar("R")
M = TypeVar("M")

VERIFY_AFTER: Final = 1.0
"""The default number of seconds after which a push is verified over REST."""

CHANGES: Final = 1024
"""The default number of changes that wait for a reader."""

_TRANSIENT: Final = (
    TransportError, RateLimited, ServiceUnavailable, ExchangeFault, ClockOutOfSync, AbsentMember,
)  # fmt: skip
"""Errors that a later read may not meet, including a reply that lacks what the view needs."""
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0


class OrderList(NamedTuple, Generic[O]):
    """The open orders, as read."""

    pages: Sequence[Sequence[O]]
    """The replies that held them. An order can be in several."""
    truncated: bool
    """True if the exchange may have more."""


class AccountAdapter(Protocol[O]):
    """One market's REST calls and pushes about an account."""

    kinds: Sequence[Kind]
    topics: Sequence[str]

    def push(self, ledger: AccountLedger[O], item: object, now: float) -> Iterable[Change[O]]:
        """Apply an item of one of the topics."""
        ...

    def time(self) -> int | None:
        """Return the exchange's time in milliseconds, if pushed balances have a time to compare it with."""
        ...

    async def orders(self, known: Collection[O]) -> OrderList[O]:
        """Read the open orders."""
        ...

    async def order(self, known: O) -> O | None:
        """Look up one order, open or not; return None if the exchange does not know it."""
        ...

    async def balances(self) -> list[tuple[str, Balance]]:
        """Read the account's balances."""
        ...

    async def positions(self) -> list[AccountPosition]:
        """Read the open positions."""
        ...


def as_far_as_listed(model: type[M], row: R, members: Mapping[str, Callable[[R], object]]) -> M:
    """Return an object of a view with the members of a row; the row's absent members are absent.

    Args:
        model: the object's class.
        row: an entry of a list.
        members: members of the model, each with the function that reads it from the row.
    """
    values: dict[str, object] = {}
    lacks: dict[str, str | None] = {}
    source = ""
    for name, read in members.items():
        try:
            values[name] = read(row)
        except AbsentMember as error:
            lacks[name], source = error.raw, error.source
    return partial(model, values, lacks, source)


class _Changes:
    """The unread changes: one entry per order, currency and position, so that the size is bounded.

    Above the bound all are dropped and reported as missed: the reader must then read the view itself.
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise InvalidRequest(f"buffer must be at least 1, not {size!r}", argument="buffer")
        self.readers: trio.lowlevel.ParkingLot = trio.lowlevel.ParkingLot()
        self.merged: int = 0
        self.dropped: int = 0
        self._size = size
        self._items: dict[Hashable, Any] = {}
        self._missed = 0

    def put(self, change: object) -> None:
        match change:
            case OrderChanged() | BalanceChanged() | PositionChanged():
                key = _subject(change)
                old = self._items.get(key)
                if old is not None:
                    self.merged += 1
                    change = attrs.evolve(change, previous=old.previous, merged=old.merged + change.merged)
                elif len(self._items) >= self._size:
                    self._throw_away()
                self._items[key] = change
            case _:
                # After all changes that it covers.
                self._items.pop("resynced", None)
                self._items["resynced"] = change
        self.readers.unpark_all()

    def _throw_away(self) -> None:
        lost = sum(getattr(item, "merged", 0) for item in self._items.values())
        self._missed += lost
        self.dropped += lost
        self._items.clear()

    def __bool__(self) -> bool:
        return bool(self._items or self._missed)

    def take(self) -> object:
        if self._missed:
            missed, self._missed = self._missed, 0
            return ChangesMissed(dropped=missed)
        return self._items.pop(next(iter(self._items)))


def _subject(change: OrderChanged[Any] | BalanceChanged | PositionChanged) -> Hashable:
    match change:
        case OrderChanged():
            return "order", change.order.order_id
        case BalanceChanged():
            return "balance", change.currency
        case PositionChanged():
            return "position", change.position.symbol, change.position.side


@protected
class AccountSink(Generic[O]):
    """The sink of an account view: the ledger, its state, and its waiters. See the head of this file.

    Args:
        connections: holds the topics.
        adapter: translates for the market.
        verify_after: seconds from a push to the read that verifies it.
        reconcile: seconds between two complete reads; None reads only for a reason.
        buffer: changes that wait for a reader.
        max_age: seconds since the newest complete read above which the view is stale; None has no such bound.
    """

    def __init__(
        self,
        connections: Connections,
        adapter: AccountAdapter[O],
        *,
        verify_after: float,
        reconcile: float | None,
        buffer: int,
        max_age: float | None = None,
    ) -> None:
        for name, seconds in (("verify_after", verify_after), ("reconcile", reconcile), ("max_age", max_age)):
            if seconds is not None and not seconds > 0:
                raise InvalidRequest(f"{name} must be above 0 seconds, not {seconds!r}", argument=name)
        self.topics: dict[str, None] = {}
        self.ledger: AccountLedger[O] = AccountLedger(adapter.kinds)
        self.changes: _Changes = _Changes(buffer)
        self.turns: trio.lowlevel.ParkingLot = trio.lowlevel.ParkingLot()
        """Tasks that wait for another state of the view."""
        self.error: Exception | None = None
        self.closed: bool = False
        self._connections = connections
        self._adapter = adapter
        self._verify_after = verify_after
        # Early enough for another try if the first one fails.
        self._reconcile = reconcile if max_age is None else min(reconcile or max_age, max_age / 2)
        self._max_age = max_age
        self._confirmed: float | None = None
        """The time when the newest complete read began."""
        self._doubted: set[str] = set()
        """The topics that are silent now."""
        self._reading = trio.CancelScope()
        self._stirred = trio.Event()
        self._doubtful_since: float | None = None
        self._urgent = False
        self._reason: str | None = "opened"
        self._was_live = False
        self._gaps = 0
        self._reads = 0
        self._failed = 0
        self._resyncs = 0
        self._truncated = False
        self._last_push: float | None = None
        self._last_read: float | None = None
        self._last_error: Exception | None = None

    # ---- the router's side -------------------------------------------------------------------------------------------

    def put(self, item: object, key: Hashable, now: float) -> None:
        """Apply a push to the view."""
        if self.closed or self.error is not None:
            return
        self._last_push = now
        try:
            self._tell(self._adapter.push(self.ledger, item, now))
        except AbsentMember as error:
            # The change is not completely known: it is read, as after a gap.
            self._distrust(error, f"a push lacks {error.model}.{error.member}")
        except MalformedReply as error:
            self._distrust(error, str(error))
        self._note_doubt(now)

    def _distrust(self, error: BitMartError, reason: str) -> None:
        self._last_error, self._reason = error, reason
        self.ledger.invalidate()
        self._stir()

    def lost(self, topic: str, gap: Gap | None) -> None:
        """Handle the loss of the connection."""
        self._doubted.discard(topic)
        self.ledger.invalidate()
        self._stir()

    def gap(self, gap: Gap, connection: int | None) -> None:
        """Handle a reconnect that acknowledged the topic."""
        self._gaps += 1
        self._doubted.discard(gap.topic)
        self._reason = gap.reason
        self.ledger.invalidate()
        self._stir()

    def doubt(self, topic: str) -> None:
        """Handle a silent topic, or a suspended machine: everything is read once the topic is known to live."""
        self._doubted.add(topic)
        self._reason = self._reason or f"{topic} was silent"
        self.ledger.invalidate()
        self._stir()

    def renewed(self, topic: str) -> None:
        """Handle the new acknowledgement of a silent topic: pushes follow, and the missed part is read."""
        if topic in self._doubted:
            self._doubted.remove(topic)
            self._stir()

    def end(self, error: Exception) -> None:
        """Handle the end of the pushes."""
        if self.error is None and not self.closed:
            self.error = error
            self._reading.cancel()
            self._connections.forget(self)
            self._stir()
            self.changes.readers.unpark_all()

    def close(self) -> None:
        """Close the account view."""
        self.closed = True
        self._stir()
        self.changes.readers.unpark_all()

    # ---- what is known ----------------------------------------------------------------------------------------------

    @property
    def state(self) -> AccountState:
        """Return the state of the view."""
        if self._following and self.ledger.in_sync and not self._too_old:
            return AccountState.LIVE
        return AccountState.STALE if self._was_live else AccountState.SYNCING

    @property
    def settled(self) -> bool:
        """Return True if the view is live and a read has confirmed the last push."""
        return self.state is AccountState.LIVE and not self.ledger.due()

    @property
    def _following(self) -> bool:
        """Return True if every topic is subscribed."""
        return (
            self.error is None
            and not self.closed
            and not self._doubted
            and len(self.topics) == len(self._adapter.topics)
            and all(self._connections.holds(topic) for topic in self.topics)
        )

    @property
    def age(self) -> float | None:
        """Return the seconds since the newest complete read began; None before the first."""
        return None if self._confirmed is None else trio.current_time() - self._confirmed

    @property
    def _too_old(self) -> bool:
        if self._max_age is None or self._confirmed is None:
            return False
        return trio.current_time() >= self._confirmed + self._max_age

    def right(self) -> AccountLedger[O]:
        """Return the ledger, if it may be read.

        Raises:
            AccountNotLive: the view has a ``max_age`` and is not live.
        """
        if self._max_age is not None and not self.closed and (state := self.state) is not AccountState.LIVE:
            age = "" if self.age is None else f", its newest complete read is {self.age:.1f} s old"
            raise AccountNotLive(
                f"the account view is {state.value}{age}; wait_live() waits until it is live", state=state.value
            ) from self.error
        return self.ledger

    def raise_if_over(self) -> None:
        """Raise the error that ended the view, if any."""
        if self.closed:
            raise trio.ClosedResourceError("this account view is closed")
        if self.error is not None:
            raise self.error.with_traceback(None)

    def statistics(self) -> AccountStatistics:
        """See `AccountStatistics`."""
        return AccountStatistics(
            pushes=self.ledger.pushes,
            outdated=self.ledger.outdated,
            reads=self._reads,
            failed_reads=self._failed,
            corrections=self.ledger.corrections,
            resyncs=self._resyncs,
            gaps=self._gaps,
            merged=self.changes.merged,
            dropped=self.changes.dropped,
            truncated=self._truncated,
            last_push=self._last_push,
            last_read=self._last_read,
            last_error=self._last_error,
        )

    def ask(self, reason: str) -> int:
        """Request a complete read; return the argument of `AccountLedger.read_since`."""
        self.ledger.doubt()
        self._urgent = True
        self._reason = self._reason or reason
        self._stir()
        return self.ledger.begin()

    # ---- the task ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Read whatever is due, until cancelled or the view has ended."""
        pause = _FIRST_PAUSE
        with self._reading:
            while True:
                await self._wait_for_work()
                try:
                    await self._read_due()
                except _TRANSIENT as error:
                    self._failed += 1
                    self._last_error = error
                    await trio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
                except BitMartError as error:
                    self.end(error)
                else:
                    pause = _FIRST_PAUSE

    async def watch_age(self) -> None:
        """Wake tasks that wait for another state when the view becomes too old, until cancelled."""
        await trio.lowlevel.checkpoint()
        while self._max_age is not None:
            if self._confirmed is not None and not self._too_old:
                await trio.sleep_until(self._confirmed + self._max_age)
                continue
            self.turns.unpark_all()
            await self.turns.park()

    async def _wait_for_work(self) -> None:
        await trio.lowlevel.checkpoint()
        while (when := self._next_read()) > trio.current_time():
            self._stirred = trio.Event()
            with trio.move_on_at(when):
                await self._stirred.wait()

    def _next_read(self) -> float:
        if not self._following:
            return float("inf")
        if self._urgent or not self.ledger.in_sync:
            return 0.0
        times = [float("inf")]
        if self._doubtful_since is not None:
            times.append(self._doubtful_since + self._verify_after)
        if self._reconcile is not None and self._last_read is not None:
            times.append(self._last_read + self._reconcile)
        return min(times)

    async def _read_due(self) -> None:
        await trio.lowlevel.checkpoint()
        now = trio.current_time()
        if self._reconcile is not None and self._last_read is not None and now >= self._last_read + self._reconcile:
            self.ask("reconcile")
        reason = self._reason
        self._urgent = False
        self._doubtful_since = None
        try:
            for kind in self.ledger.due():
                await self._read(kind)
            if self.ledger.unclear is not None:
                raise MalformedReply(self.ledger.unclear)
        finally:
            self._note_doubt(now)
        if reason is not None and self.ledger.in_sync:
            if self._reason is reason:
                self._reason = None
            self._resyncs += 1
            self._last_read = trio.current_time()
            self._confirmed = now
            self._was_live = True
            self._tell([Resynced(reason=reason, time=self._last_read)])
        self._stir()

    async def _read(self, kind: Kind) -> None:
        ledger, adapter = self.ledger, self._adapter
        begun, asked = ledger.begin(), adapter.time()
        if kind == "balances":
            self._tell(ledger.read_balances(begun, await adapter.balances(), asked))
        elif kind == "positions":
            self._tell(ledger.read_positions(begun, await adapter.positions()))
        else:
            found = await adapter.orders(ledger.orders.values())
            self._truncated = found.truncated
            changes, missing = ledger.read_orders(begun, found.pages, trio.current_time())
            self._tell(changes)
            for order in missing:
                answer = await adapter.order(order)
                now = trio.current_time()
                self._tell(ledger.found(begun, order.order_id, answer, now, cut_off=found.truncated))
        self._reads += 1
        ledger.done(kind, begun)

    def _note_doubt(self, now: float) -> None:
        if self._doubtful_since is None and self.ledger.due():
            self._doubtful_since = now
            self._stir()

    def _tell(self, changes: Iterable[object]) -> None:
        for change in changes:
            self.changes.put(change)

    def _stir(self) -> None:
        self._stirred.set()
        self.turns.unpark_all()


@protected
class AccountView(Generic[O, C]):
    """The base of `SpotAccountView` and `FuturesAccountView`.

    ``async for change in account`` yields changes, from the first read on. A closed order leaves `orders` and is
    yielded with its final state. A slow reader gets all changes of one order, currency or position as a single one
    (``merged`` is their number) and, if even these are too many for ``buffer``, a `ChangesMissed` instead; the view
    itself misses nothing. Several tasks that iterate share the changes between them.
    """

    __slots__ = ("_sink",)

    def __init__(self, sink: AccountSink[O]) -> None:
        self._sink = sink

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'closed' if self._sink.closed else self.state.value}>"

    @property
    def state(self) -> AccountState:
        """Return the state of the view.

        ``SYNCING`` until the first read, then ``LIVE``, and ``STALE`` from a lost connection until the next complete
        read. The view can be read in any state, unless it was opened with ``max_age``.
        """
        return self._sink.state

    @property
    def age(self) -> float | None:
        """Return the seconds since the newest complete read over REST began; None before the first.

        Pushes keep the view up to date in between, but do not count here, since none covers the whole view.
        """
        return self._sink.age

    @property
    def settled(self) -> bool:
        """Return True if the view is live and a read has confirmed all pushes."""
        return self._sink.settled

    @property
    def balances(self) -> Mapping[str, Balance]:
        """Return the balances by currency, as a live, read-only mapping of currencies that the exchange has named."""
        return MappingProxyType(self._sink.right().balances)

    @property
    def orders(self) -> Mapping[str, O]:
        """Return the open orders by order id, as a live, read-only mapping."""
        return MappingProxyType(self._sink.right().orders)

    @property
    def unidentified(self) -> Sequence[O]:
        """Return open orders that the last read listed without a unique id: blank, or that of another order.

        While there are any, the view is not live, and reads again.
        """
        return self._sink.ledger.unidentified

    def order_by_client_id(self, client_order_id: str) -> O | None:
        """Return the open order with this client order id; None if there is none."""
        ledger = self._sink.right()
        order_id = ledger.client_ids.get(client_order_id)
        return None if order_id is None else ledger.orders[order_id]

    def statistics(self) -> AccountStatistics:
        """Return the counts of pushes, reads and corrections."""
        return self._sink.statistics()

    async def wait_live(self) -> None:
        """Wait until the view is live.

        Raises:
            trio.ClosedResourceError: the view or its client was closed.
            ConnectionLost, AuthenticationError, SubscriptionRefused: the pushes have ended for good.
            ApiError: the exchange permanently refuses the reads.
        """
        await self._wait("live")

    async def wait_settled(self) -> None:
        """Wait until the view is live and a read has confirmed the last push; raises like `wait_live`.

        This may take as long as the account trades without a pause.
        """
        await self._wait("settled")

    async def wait_stale(self) -> None:
        """Wait until the view is not live; return at once if it is not."""
        await trio.lowlevel.checkpoint()
        while self.state is AccountState.LIVE:
            await self._sink.turns.park()

    async def _wait(self, what: Literal["live", "settled"]) -> None:
        await trio.lowlevel.checkpoint()
        while True:
            self._sink.raise_if_over()
            if self.settled if what == "settled" else self.state is AccountState.LIVE:
                return
            await self._sink.turns.park()

    async def refresh(self) -> None:
        """Read everything over REST now, and return once the view is live with it; raises like `wait_live`.

        This finds changes that no push reported.
        """
        await trio.lowlevel.checkpoint()
        self._sink.raise_if_over()
        asked = self._sink.ask("refresh")
        while not (self._sink.ledger.read_since(asked) and self.state is AccountState.LIVE):
            await self._sink.turns.park()
            self._sink.raise_if_over()

    def __aiter__(self) -> AccountView[O, C]:
        return self

    async def __anext__(self) -> C:
        await trio.lowlevel.checkpoint()
        changes = self._sink.changes
        while not changes:
            self._sink.raise_if_over()
            await changes.readers.park()
        return cast("C", changes.take())


@opener
async def follow_account(
    connections: Connections,
    adapter: AccountAdapter[O],
    *,
    verify_after: float,
    reconcile: float | None,
    buffer: int | None,
    max_age: float | None = None,
) -> AsyncGenerator[AccountSink[O]]:
    """Keep an account's view while inside; enter once the exchange has acknowledged every topic."""
    sink = AccountSink(
        connections,
        adapter,
        verify_after=verify_after,
        reconcile=reconcile,
        buffer=CHANGES if buffer is None else buffer,
        max_age=max_age,
    )
    try:
        first, *others = adapter.topics
        await connections.follow(sink, first)
        await connections.add(sink, others)
        async with open_nursery() as nursery:
            start_soon(nursery, sink.run)
            start_soon(nursery, sink.watch_age)
            try:
                yield sink
            finally:
                sink.close()
                nursery.cancel_scope.cancel()
    finally:
        sink.close()
        connections.forget(sink)
