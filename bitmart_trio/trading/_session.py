"""Implement what spot and futures sessions share: opening in order, leftovers of a crash, handles, leaving.

The order of opening matters: the journal first (one writer), then the order stream (no push may be missed), then what
the last run left, and only then the user's code. Leaving goes the other way round.
"""

from __future__ import annotations

import itertools
import logging
import math
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import Final, Literal, TypeAlias, TypeVar

import trio

from .._scopes import finish, open_nursery, opener, protected, start, start_soon
from ..errors import BitMartError, InvalidRequest, JournalError
from ..models._numbers import excerpt
from ..models.rules import FuturesRules, SpotRules
from ._adapter import MarketAdapter, is_transient
from ._echo import Kept
from ._engine import Engine
from ._evidence import OrderRecord, Sent
from ._guard import ExitGuard, ExitReport, OnExit, PositionCloser, announce
from ._handle import Order
from ._ids import OrderIds
from ._journal import DISK, FileJournal, Journal, MemoryJournal, no_room, pending
from ._order import Intent, OrderState, OrderStatus
from ._placing import Placer
from ._tracked import Claim, Tracked

log = logging.getLogger(__name__)

S = TypeVar("S", bound="Session")

AnyJournal: TypeAlias = str | os.PathLike[str] | Journal | None
"""A path, any `Journal`, or None to remember nothing beyond the session."""

Leftovers: TypeAlias = Literal["cancel", "adopt", "leave"]
"""The treatment of orders that an earlier run with the same journal left open."""

RulesMode: TypeAlias = Literal["check", "round"] | None
"""The use of the market's rules before orders are sent: check them, or round amounts to the grid first."""

_RELEASE: Final = 2.0
"""Seconds, at least, that ending a session's guards may take after its exit."""


@protected
class Session:
    """The common base of `SpotSession` and `FuturesSession`.

    Args:
        engine: runs it.
        rules: by symbol; empty if orders are not checked.
        rounds: round amounts to the market's grid first.
    """

    def __init__(self, engine: Engine, rules: dict[str, SpotRules] | dict[str, FuturesRules], rounds: bool) -> None:
        self._engine = engine
        self._placer = Placer(engine)
        self._rules = rules
        self._rounds = rounds
        self._report: ExitReport | None = None
        self._leftovers: tuple[OrderStatus, ...] = ()

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the symbols that the session trades."""
        return self._engine.symbols

    @property
    def orders(self) -> Sequence[Order]:
        """Return the session's orders that are not over, oldest first."""
        return [self._handle(each) for each in self._engine.orders.values() if not each.record.closed]

    @property
    def report(self) -> ExitReport | None:
        """Return the report of the session's exit; None before that."""
        return self._report

    @property
    def leftovers(self) -> tuple[OrderStatus, ...]:
        """Return the orders that an earlier run left in the journal, as they were when this session began."""
        return self._leftovers

    @property
    def prefix(self) -> str:
        """Return the prefix of this session's client order ids."""
        return self._engine.ids.prefix

    @property
    def client_ids_kept(self) -> bool | None:
        """Return True if the exchange shows client order ids as sent; None until an accepted order was checked.

        If it does not, orders are known by the exchange's ids only, and one whose request is cut off stays unknown: it
        cannot be proven absent.
        """
        return {Kept.UNCHECKED: None, Kept.AS_SENT: True, Kept.CHANGED: False}[self._engine.echo.kept]

    async def cancel_all(self) -> list[OrderStatus]:
        """Cancel all orders of this session, and wait until their ends are confirmed.

        Returns:
            The status of each at its end.

        Raises:
            ApiError: see ``Order.cancel``; raised once all others are over, several as a group. Cancelling this call
                leaves some orders open and some not.
        """
        ended: list[OrderStatus] = []
        refused: list[Exception] = []
        engine = self._engine
        engine.recalls += 1  # an order that is being replaced gets no successor
        await trio.lowlevel.checkpoint()

        async def one(tracked: Tracked) -> None:
            tracked.recall()
            await trio.lowlevel.checkpoint()
            try:
                ended.append(await engine.cancel(tracked))
            except (BitMartError, trio.ClosedResourceError) as error:
                refused.append(error)

        async with open_nursery() as nursery:
            for tracked in list(engine.orders.values()):
                if not tracked.record.closed:
                    start_soon(nursery, one, tracked)
        if len(refused) == 1:
            raise refused[0]
        if refused:
            raise ExceptionGroup(f"{len(refused)} orders could not be cancelled", refused)
        return ended

    async def reconcile(self) -> None:
        """Read all open orders of the session now, without waiting for the slow interval.

        Raises:
            ApiError, TransportError: the open orders could not be read.
        """
        await self._engine.reconcile()

    # ----------------------------------------------------------------------------------------------------------------
    # For the two markets
    # ----------------------------------------------------------------------------------------------------------------

    def _symbol(self, symbol: str | None) -> str:
        symbols = self._engine.symbols
        if symbol is None and len(symbols) == 1:
            return symbols[0]
        if symbol not in symbols:
            raise InvalidRequest(
                f"this session trades {', '.join(symbols)}, not {excerpt(symbol, 100)}", argument="symbol"
            )
        return symbol

    def _fitted(self, intent: Intent) -> Intent:
        """Return the intent, checked against the rules; `InvalidRequest` names what breaks them."""
        rules = self._rules.get(intent.symbol)
        if rules is None:
            return intent
        side = {"1": "buy", "2": "buy", "3": "sell", "4": "sell"}.get(intent.side, intent.side)
        price, size = intent.price, intent.size
        if self._rounds:
            price = None if price is None else rules.round_price(price, side=side)
            size = None if size is None else rules.round_size(size)
        order = {"type": intent.type, "side": side, "price": price, "size": size, "notional": intent.notional}
        broken = rules.check({**order, "leverage": intent.extras.get("leverage")})
        if broken:
            reasons = "; ".join(each.reason for each in broken)
            raise InvalidRequest(reasons, argument=broken[0].argument if len(broken) == 1 else None)
        return replaced(intent, price=price, size=size)

    async def _submit(
        self, intent: Intent, *, resend: int, wait: bool, last_look: Callable[[], None] | None = None
    ) -> Order:
        # Checkpoint here: once there is an order, a cancellation must abandon it.
        await trio.lowlevel.checkpoint()
        if self._engine.closing or self._engine.work is None:
            raise trio.ClosedResourceError("the session was left")
        intent = replaced(self._fitted(intent), client_order_id=self._engine.ids.next(), at=self._engine.clock())
        if last_look is not None:
            last_look()
        tracked = self._engine.adopt(intent, resend=resend)
        order = self._handle(tracked)
        self._placer.send(tracked)
        if not wait:
            return order
        decided = False
        try:
            await tracked.until(lambda: tracked.record.decided)
            decided = True
        finally:
            if not decided:
                self._placer.abandon(tracked)
        # No checkpoint from here on: a cancellation would leave an order without a handle.
        if tracked.record.state is OrderState.REJECTED and tracked.record.error is not None:
            raise tracked.record.error
        return order

    def _handle(self, tracked: Tracked) -> Order:
        return Order(self._engine, tracked, self._submit_instead)

    async def _submit_instead(self, intent: Intent, last_look: Callable[[], None]) -> Order:
        return await self._submit(intent, resend=0, wait=True, last_look=last_look)

    async def _settle_leftovers(self, left: Iterable[Intent], mode: Leftovers) -> None:
        """Settle the orders that an earlier run left: find each, and cancel, adopt or leave it."""
        await trio.lowlevel.checkpoint()
        engine, found = self._engine, list[Tracked]()
        stamp = None
        for intent in left:
            if stamp is None:
                # A dead process signs nothing, so none of its requests has a later timestamp.
                stamp = await engine.adapter.now()
            tracked = engine.adopt(intent)
            tracked.before = None
            # Nor an earlier one than was recorded: its clock may have been ahead, or set back since.
            sent = Sent(max(stamp, intent.at or 0), trio.current_time())
            engine.update(tracked, partial(OrderRecord.lose, sent=sent, error=None))
            found.append(tracked)

        async def settle(tracked: Tracked) -> None:
            await trio.lowlevel.checkpoint()
            try:
                await engine.look(tracked)
            except BitMartError as error:
                if not is_transient(error):
                    raise
                log.info("%s of an earlier run could not be looked up yet: %s", tracked.record.intent, error)
            if not tracked.record.decided:
                # Perhaps still in flight: it is watched until it can no longer arrive, while the session runs.
                if mode == "leave":
                    tracked.claim = Claim.SPARED
                    engine.start(self._placer.watch, tracked)
                else:
                    tracked.claim = Claim.ABANDONED if mode == "cancel" else Claim.HELD
                    engine.start(self._placer.settle, tracked)
            elif mode == "cancel":
                await engine.cancel(tracked)
            elif mode == "leave":
                engine.release(tracked)

        async with open_nursery() as nursery:
            for tracked in found:
                start_soon(nursery, settle, tracked)
        self._leftovers = tuple(tracked.record.status() for tracked in found)
        if found:
            log.info("the journal had %d orders without an end: %s", len(found), self._leftovers)


def replaced(
    intent: Intent,
    *,
    price: Decimal | Literal["same"] | None = "same",
    size: Decimal | Literal["same"] | None = "same",
    client_order_id: str | None = None,
    at: int | None = None,
) -> Intent:
    """Return an intent with other amounts, another id or another time."""
    return Intent(
        client_order_id=intent.client_order_id if client_order_id is None else client_order_id,
        market=intent.market,
        symbol=intent.symbol,
        kind=intent.kind,
        side=intent.side,
        type=intent.type,
        price=intent.price if price == "same" else price,
        size=intent.size if size == "same" else size,
        notional=intent.notional,
        extras=intent.extras,
        whole=intent.whole,
        at=intent.at if at is None else at,
    )


def as_journal(journal: AnyJournal) -> Journal:
    """Return the journal that was asked for."""
    if journal is None:
        return MemoryJournal()
    disk = DISK.get()
    if isinstance(journal, FileJournal):
        return journal if disk is None else disk(journal.path)
    return (FileJournal if disk is None else disk)(journal) if isinstance(journal, str | os.PathLike) else journal


@opener
async def opened(
    adapter: MarketAdapter,
    symbols: tuple[str, ...],
    make: Callable[[Engine], Awaitable[S]],
    *,
    journal: Journal,
    on_exit: OnExit,
    leftovers: Leftovers | None,
    deadline: float,
    reconcile: float,
    visible_after: float,
    guards: Sequence[Callable[..., Awaitable[None]]] = (),
    positions: Callable[[Engine], PositionCloser] | None = None,
    left: Callable[[ExitReport], Awaitable[None]] | None = None,
) -> AsyncGenerator[S]:
    """Run a session of either market.

    Args:
        adapter: translates for the market.
        symbols: see the openers, as for journal, on_exit, leftovers, deadline, reconcile and visible_after.
        journal: not yet open.
        on_exit: what to do with open orders.
        leftovers: what to do with those of an earlier run.
        deadline: seconds that leaving may take.
        reconcile: seconds of the slow interval.
        visible_after: seconds after which a look-up that finds nothing counts.
        make: makes the session of an engine; it reads over REST before anything runs.
        guards: tasks beside the session's own, which live until its exit is done.
        positions: closes the positions that the session opened.
        left: called last, in the shield, with the report.
    """
    if not symbols:
        raise InvalidRequest("name at least one symbol", argument="symbols")
    entries = await journal.open()
    try:
        mine, others = await pending(entries, adapter.market, symbols)
        ids = OrderIds(await adapter.now())
        engine = Engine(adapter, journal, ids, symbols, reconcile, visible_after=visible_after, keep=others)
        session = await make(engine)
        # Before any entry of this session: finished entries of an earlier session are not needed.
        try:
            if journal.length > len(mine) + len(others):
                await journal.compact(lambda: itertools.chain(others, (each.entry() for each in mine.values())))
        except JournalError as error:
            if not no_room(error):
                raise
            log.error("%s: leftovers are settled, but no order can be placed until the disk has room", error)  # noqa: TRY400
        mode: Leftovers = leftovers or ("adopt" if on_exit == "leave" else "cancel")
        async with open_nursery() as nursery:
            await start(nursery, engine.run, guards)
            leaving: BaseException | None = None
            try:
                await session._settle_leftovers(mine.values(), mode)  # pyright: ignore[reportPrivateUsage]
                yield session
            except BaseException as error:
                leaving = error
                raise
            finally:
                closer = None if positions is None or on_exit != "close" else positions(engine)
                guard = ExitGuard(engine, session._placer, on_exit, deadline, closer)  # pyright: ignore[reportPrivateUsage]
                try:
                    await _leave(session, guard, deadline, left)  # noqa: ASYNC102  it shields itself, and keeps to a deadline
                except BaseException as interrupt:  # Ctrl-C
                    leaving = interrupt
                    raise
                finally:
                    # The session's tasks are shielded, so the nursery would wait for them for ever.
                    engine.stop()
                    if session.report is not None:
                        announce(session.report, leaving)
    finally:
        try:
            await finish(math.inf, journal.close)  # noqa: ASYNC102  it shields itself
        except JournalError as error:
            # Only ends of orders can be lost now, which costs look-ups at the next start: no reason to replace an
            # error.
            log.error("the journal could not be closed properly: %s", error)  # noqa: TRY400


async def _leave(
    session: Session, guard: ExitGuard, deadline: float, left: Callable[[ExitReport], Awaitable[None]] | None
) -> None:
    """Run the exit to its end; it has its own deadline."""

    async def leave() -> None:  # noqa: ASYNC910  a cancellation must not keep it from its work
        report = await guard.leave()
        session._report = report  # pyright: ignore[reportPrivateUsage]
        if left is not None:
            with trio.move_on_after(max(_RELEASE, deadline - report.seconds), shield=True):
                await left(report)

    await finish(math.inf, leave)
