"""Adapt the spot market to a session, and open one (`open_spot_session`)."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any, Final

import attrs
import trio

from .._io.subscription import Subscription
from .._scopes import DECIMALS, opener, protected
from ..client import Client
from ..config import Market
from ..errors import BitMartError, InvalidRequest, OrderNotFound, TransportError
from ..models._absent import absent
from ..models._enums import OrderSide
from ..models._numbers import EXACT, total
from ..models.spot_streams import SpotOrderUpdate
from ..models.spot_trading import SpotFill, SpotOrder, SpotOrderState, SpotOrderType, SpotStpMode
from ..rest import spot_trading as rows
from ._engine import Engine
from ._evidence import OrderReport, Source
from ._guard import OnExit
from ._handle import Order
from ._order import Intent, OrderFill, OrderState, amount
from ._session import AnyJournal, Leftovers, RulesMode, Session, as_journal, opened
from ._shared import ROOM_MS, Lately, SharedRead
from ._together import Cancels

log = logging.getLogger(__name__)

_STATES: Final = {
    SpotOrderState.NEW: OrderState.OPEN,
    SpotOrderState.PARTIALLY_FILLED: OrderState.OPEN,
    SpotOrderState.FILLED: OrderState.FILLED,
    SpotOrderState.CANCELED: OrderState.CANCELLED,
    SpotOrderState.PARTIALLY_CANCELED: OrderState.CANCELLED,
    SpotOrderState.FAILED: OrderState.REJECTED,
}
_LIST: Final = 200
_FURTHEST_MS: Final = 7 * 86_400_000
"""How far back one list of trades is read for orders that end together: what the exchange searches without a range."""
_MANY: Final = 3
"""Orders of a pair that are looked for at once: from here on one list costs less."""
_DEARER: Final = Decimal("1.05")
"""The factor by which the next lot may cost more than a market buy's average price."""


class SpotAdapter:
    """See `MarketAdapter`."""

    market: Market = "spot"
    forgets: bool = True

    def __init__(self, client: Client) -> None:
        self._client = client
        self._spot = client.spot
        self._server_time = 0, 0.0
        """The exchange's time when last read, and Trio's time then."""
        self._trades = Lately(self._traded, self._now, _FURTHEST_MS)
        self._cancels: dict[str, Cancels] = {}
        self._ended: dict[str, SharedRead[dict[str, SpotOrder]]] = {}
        self._looking: defaultdict[str, list[Intent]] = defaultdict(list)
        """What is looked for at the moment, by symbol."""

    async def now(self) -> int:
        """See `MarketAdapter`."""
        server_time = (await self._spot.system.latency()).server_time
        self._server_time = server_time, trio.current_time()
        return server_time

    def _now(self) -> int:
        return self._server_time[0] + int((trio.current_time() - self._server_time[1]) * 1000)

    async def _traded(self, symbol: str, since: int, until: int) -> list[SpotFill] | None:
        return await self._spot.trading.trades(symbol, start_time=since, end_time=until)

    async def place(self, intent: Intent) -> str:
        """See `MarketAdapter`."""
        reply = await self._spot.call(
            rows.submit_order,
            symbol=intent.symbol,
            side=intent.side,
            type=intent.type,
            size=intent.size,
            price=intent.price,
            notional=intent.notional,
            client_order_id=intent.client_order_id,
            **intent.extras,
        )
        return reply.data.order_id

    async def cancel(self, intent: Intent, order_id: str | None) -> None:
        """See `MarketAdapter`."""
        trading, symbol = self._spot.trading, intent.symbol
        if order_id is None:
            await trading.cancel_order(symbol, client_order_id=intent.client_order_id)
            return
        if symbol not in self._cancels:

            async def many(order_ids: list[str]) -> list[str]:
                return (await trading.cancel_orders(symbol, order_ids=order_ids)).success_ids

            self._cancels[symbol] = Cancels(
                many, lambda order_id: trading.cancel_order(symbol, order_id=order_id), str(rows.cancel_orders)
            )
        await self._cancels[symbol](order_id)

    async def look_up(self, intent: Intent, order_id: str | None) -> OrderReport | None:
        """Look for an order; see `MarketAdapter`. Both look-ups cover open and finished orders."""
        trading = self._spot.trading
        await trio.lowlevel.checkpoint()
        try:
            if order_id is None:
                row = await trading.order_by_client_id(intent.client_order_id)
            else:
                row = await self._among_others(intent, order_id) or await trading.order(order_id)
        except OrderNotFound:
            return None
        report = _listed(row)
        if _spends(row) and report.state in (OrderState.FILLED, OrderState.CANCELLED):
            return await self._spent(report, row)
        return report

    async def _among_others(self, intent: Intent, order_id: str) -> SpotOrder | None:
        """An order in the list of those that are over, where many are looked for at once; None if it is not there.

        Being in the list proves as much as a look-up of the order. Being absent from it proves nothing.
        """
        symbol = intent.symbol
        self._looking[symbol].append(intent)
        try:
            await trio.lowlevel.checkpoint()  # lets other look-ups of this moment join
            if len(self._looking[symbol]) < _MANY:
                return None
            if symbol not in self._ended:
                self._ended[symbol] = SharedRead(lambda: self._over(symbol))
            return (await self._ended[symbol]()).get(order_id)
        finally:
            self._looking[symbol].remove(intent)

    async def _over(self, symbol: str) -> dict[str, SpotOrder]:
        now = self._now()
        since = min((each.at for each in self._looking[symbol] if each.at is not None), default=now)
        try:
            rows = await self._spot.trading.order_history(
                symbol, start_time=since - ROOM_MS, end_time=now + ROOM_MS, limit=_LIST
            )
        except BitMartError as error:
            log.debug("the orders of %s that are over are looked up one by one (%s)", symbol, error)
            return {}  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        return {row.order_id: row for row in rows if "order_id" not in absent(row)}

    async def _spent(self, report: OrderReport, row: SpotOrder) -> OrderReport:
        """Return how a market buy ended: it is filled if its remaining money buys no lot.

        The exchange ends nearly all of them as partially_canceled, completely filled or not (seen 2023-09-25).
        """
        try:
            lot = (await self._spot.rules(row.symbol)).step
        except TransportError:
            raise
        except BitMartError as error:
            log.warning("the lot of %s is not known (%s): %s keeps its reported state", row.symbol, error, row.order_id)
            return report  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        left = EXACT.subtract(row.notional or row.filled_notional, row.filled_notional)
        next_lot = EXACT.multiply(EXACT.multiply(lot, report.average_price or left), _DEARER)
        whole = row.filled_size > 0 and left < next_lot
        if report.state is OrderState.FILLED:
            return attrs.evolve(report, fits=whole)
        return attrs.evolve(report, state=OrderState.FILLED if whole else OrderState.CANCELLED)

    async def open_orders(self, symbols: Iterable[str]) -> list[OrderReport]:
        """See `MarketAdapter`."""
        names = list(symbols)
        listed = await self._spot.trading.open_orders(names[0] if len(names) == 1 else None, limit=_LIST)
        return [_listed(row) for row in listed]

    async def fills(self, intent: Intent, order_id: str, known: Decimal) -> list[OrderFill]:
        """See `MarketAdapter`."""
        rows = await self._trades.since(intent.symbol, intent.at)
        found = [row for row in rows or () if row.order_id == order_id]
        if rows is None or total(row.size for row in found) < known:
            found = await self._spot.trading.order_trades(order_id)
        return [_fill(row) for row in sorted(found, key=lambda row: row.create_time)]

    async def named(self, intent: Intent, order_id: str) -> str | None:
        """See `MarketAdapter`."""
        return (await self._spot.trading.order(order_id)).client_order_id

    def pushes(self) -> AbstractAsyncContextManager[Subscription[Any]]:
        """See `MarketAdapter`."""
        return self._client.streams.spot.user_orders(gaps="mark")

    def read(self, item: object) -> OrderReport | None:
        """See `MarketAdapter`."""
        return _pushed(item) if isinstance(item, SpotOrderUpdate) else None


def _average(size: Decimal, notional: Decimal) -> Decimal | None:
    return DECIMALS.divide(notional, size) if size else None


def _spends(order: SpotOrder | SpotOrderUpdate) -> bool:
    """Return True for a market buy, which has money to spend instead of a size to fill."""
    return order.type == SpotOrderType.MARKET and order.side == OrderSide.BUY


def _fits(state: SpotOrderState | None, filled: Decimal) -> bool:
    """Return True if the size fits the state: cancelled unfilled and cancelled in part are two states."""
    if state == SpotOrderState.CANCELED:
        return not filled
    return state != SpotOrderState.PARTIALLY_CANCELED or filled > 0


def _listed(row: SpotOrder) -> OrderReport:
    return OrderReport(
        client_order_id=row.client_order_id,
        order_id=row.order_id,
        state=_STATES.get(row.state, OrderState.OPEN),
        filled_size=row.filled_size,
        average_price=row.price_avg or _average(row.filled_size, row.filled_notional),
        fits=_fits(row.state, row.filled_size),
    )


def _pushed(item: SpotOrderUpdate) -> OrderReport:
    fill = None
    if item.trade_id and item.last_fill_size and item.last_fill_price:
        fill = OrderFill(
            item.trade_id, item.last_fill_price, item.last_fill_size, item.fee, item.fee_currency, item.last_fill_time
        )
    return OrderReport(
        client_order_id=item.client_order_id,
        order_id=item.order_id,
        state=_STATES.get(item.current_state, OrderState.OPEN),
        source=Source.PUSH,
        filled_size=item.filled_size,
        average_price=_average(item.filled_size, item.filled_notional),
        fill=fill,
        # Only a look-up can say how a market buy ended: that takes the lot size.
        fits=_fits(item.order_state, item.filled_size) and not _spends(item),
    )


def _fill(row: SpotFill) -> OrderFill:
    return OrderFill(row.trade_id, row.price, row.size, row.fee, row.fee_coin_name, row.create_time)


@protected
class SpotSession(Session):
    """A session of spot orders that survive cancellation. Made by `open_spot_session`."""

    async def submit(
        self,
        *,
        side: OrderSide | str,
        type: SpotOrderType | str,
        size: Decimal | int | str | None = None,
        price: Decimal | int | str | None = None,
        notional: Decimal | int | str | None = None,
        symbol: str | None = None,
        stp_mode: SpotStpMode | str | None = None,
        resend: int = 0,
        wait: bool = True,
    ) -> Order:
        """Submit one order under a new client order id, which is in the journal before the order is sent.

        Return once the exchange is known to have the order. If the answer is cut off, wait until the order is found or
        proven absent, which may take ``visible_after`` (90 s): bound it with ``trio.move_on_after`` if you cannot wait.

        If cancelled, an order that has not been sent is given up, and one that has is cancelled in the background: it
        does not stay open, and the session's exit makes sure of it.

        Args:
            side: buy or sell.
            type: limit, limit_maker and ioc need size and price; a market buy needs notional, a market sell size.
            size: base currency.
            price: quote currency.
            notional: quote currency to spend.
            symbol: may be left out when the session trades one.
            stp_mode: self-trade prevention.
            resend: how often to send it again once it is proven never to have arrived.
            wait: False returns the handle at once, before the answer; see ``Order.wait_accepted``.

        Raises:
            InvalidRequest: arguments that do not go together, or that break the market's rules.
            ApiError: the exchange refused the order.
            OrderNotPlaced: the order is proven not to exist, and may be submitted again. Also raised if the exchange
                refuses the id as used and has no order under it: the next submit takes a new id.
            JournalError: the order could not be recorded, so it was not sent.
            trio.ClosedResourceError: the session was left.
        """
        extras: dict[str, object] = {} if stp_mode is None else {"stp_mode": stp_mode}
        intent = Intent(
            client_order_id="",
            market="spot",
            symbol=self._symbol(symbol),
            side=str(getattr(side, "value", side)),
            type=str(getattr(type, "value", type)),
            price=amount(price, "price"),
            size=amount(size, "size"),
            notional=amount(notional, "notional"),
            extras=extras,
        )
        return await self._submit(intent, resend=resend, wait=wait)


@opener
async def open_spot_session(
    client: Client,
    *symbols: str,
    journal: AnyJournal = None,
    on_exit: OnExit = "cancel",
    leftovers: Leftovers | None = None,
    deadline: float = 100.0,
    reconcile: float = 30.0,
    visible_after: float = 90.0,
    rules: RulesMode = None,
) -> AsyncGenerator[SpotSession]:
    """Trade on spot so that no order is doubled, forgotten or left open unknowingly, wherever the bot is cancelled.

    Leaving the block in any way cancels this session's own open orders and confirms each; see ``session.report``. An
    error that leaves the block is never replaced. An exit that cannot be confirmed raises `ExitUnconfirmed`, also if
    the block is cancelled; on any other error it becomes a note.

    Args:
        client: with credentials that may trade.
        symbols: such as BTC_USDT; one or more.
        journal: where intents are written before they are sent. It takes one writer at a time; use one per bot.
        on_exit: ``"cancel"``, or ``"leave"`` to leave open orders to the next run with the same journal.
        leftovers: what to do with orders that an earlier run left open; by default ``"adopt"`` (they are in
            ``session.orders``) when ``on_exit`` is ``"leave"``, else ``"cancel"``.
        deadline: seconds that leaving may take. Orders whose request was cut off need up to ``visible_after`` to be
            proven absent; all others a round trip or two. Orders without proof by then are reported as unconfirmed.
        reconcile: seconds between two readings of the open orders, besides the pushes and their gaps.
        visible_after: seconds from a request's timestamp after which an order that look-ups do not find counts as
            missing: it can be accepted for the first 60, and must show in the rest. This is the one assumption that a
            session makes about the exchange; raise it, and ``deadline`` with it, if look-ups are known to lag.
        rules: ``"check"`` checks each order against the pair's tick, step and bounds before it is sent; ``"round"``
            rounds it to the grid first.

    Raises:
        JournalLocked: another session uses the journal; JournalError: it is damaged.
        AuthenticationError, SubscriptionRefused, ConnectionLost: the private stream could not be opened.
        InvalidRequest: no symbol, or ``on_exit="close"``, which is for futures.
    """
    if on_exit == "close":
        raise InvalidRequest("spot has no positions to close: use on_exit='cancel'", argument="on_exit")

    async def make(engine: Engine) -> SpotSession:
        await trio.lowlevel.checkpoint()
        found = {symbol: await client.spot.rules(symbol) for symbol in symbols if rules is not None}
        return SpotSession(engine, found, rules == "round")

    async with opened(
        SpotAdapter(client),
        symbols,
        make,
        journal=as_journal(journal),
        on_exit=on_exit,
        leftovers=leftovers,
        deadline=deadline,
        reconcile=reconcile,
        visible_after=visible_after,
    ) as session:
        yield session
