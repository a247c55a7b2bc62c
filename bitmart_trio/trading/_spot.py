"""The spot market as a session sees it, and `open_spot_session`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from typing import Any, Final

import trio

from .._io.subscription import Subscription
from ..client import Client
from ..config import Market
from ..errors import InvalidRequest, OrderNotFound
from ..models._enums import OrderSide
from ..models.spot_streams import SpotOrderUpdate
from ..models.spot_trading import SpotFill, SpotOrder, SpotOrderState, SpotOrderType, SpotStpMode
from ..rest import spot_trading as rows
from ._engine import Engine
from ._guard import OnExit
from ._handle import Order
from ._order import Intent, OrderFill, OrderState, Sighting, amount
from ._session import AnyJournal, Leftovers, RulesMode, Session, as_journal, opened

_STATES: Final = {
    SpotOrderState.NEW: OrderState.OPEN,
    SpotOrderState.PARTIALLY_FILLED: OrderState.OPEN,
    SpotOrderState.FILLED: OrderState.FILLED,
    SpotOrderState.CANCELED: OrderState.CANCELLED,
    SpotOrderState.PARTIALLY_CANCELED: OrderState.CANCELLED,
    SpotOrderState.FAILED: OrderState.REJECTED,
}
_NUMBERS: Final = {
    "4": OrderState.OPEN,
    "5": OrderState.OPEN,
    "6": OrderState.FILLED,
    "8": OrderState.CANCELLED,
    "12": OrderState.CANCELLED,
}
"""The older numbers of the states, for pushes without the word."""
_LIST: Final = 200


class SpotVenue:
    """See `Venue`."""

    market: Market = "spot"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._spot = client.spot

    async def now(self) -> int:
        """See `Venue`."""
        return (await self._spot.system.latency()).server_time

    async def place(self, intent: Intent) -> str:
        """See `Venue`."""
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
        """See `Venue`."""
        await self._spot.trading.cancel_order(intent.symbol, client_order_id=intent.client_order_id)

    async def look_up(self, intent: Intent, order_id: str | None) -> Sighting | None:
        """See `Venue`. The look-up by client order id covers open and finished orders."""
        await trio.lowlevel.checkpoint()
        try:
            return _listed(await self._spot.trading.order_by_client_id(intent.client_order_id))
        except OrderNotFound:
            return None

    async def open_orders(self, symbols: Iterable[str]) -> list[Sighting]:
        """See `Venue`."""
        names = list(symbols)
        listed = await self._spot.trading.open_orders(names[0] if len(names) == 1 else None, limit=_LIST)
        return [_listed(row) for row in listed]

    async def fills(self, intent: Intent, order_id: str) -> list[OrderFill]:
        """See `Venue`."""
        found = await self._spot.trading.order_trades(order_id)
        return [_fill(row) for row in sorted(found, key=lambda row: row.create_time)]

    def pushes(self) -> AbstractAsyncContextManager[Subscription[Any]]:
        """See `Venue`."""
        return self._client.streams.spot.user_orders(gaps="mark")

    def read(self, item: object) -> Sighting | None:
        """See `Venue`."""
        return _pushed(item) if isinstance(item, SpotOrderUpdate) else None


def _average(size: Decimal, notional: Decimal) -> Decimal | None:
    return notional / size if size else None


def _listed(row: SpotOrder) -> Sighting:
    return Sighting(
        client_order_id=row.client_order_id,
        order_id=row.order_id,
        state=_STATES.get(row.state, OrderState.OPEN),
        filled_size=row.filled_size,
        average_price=row.price_avg or _average(row.filled_size, row.filled_notional),
    )


def _pushed(item: SpotOrderUpdate) -> Sighting:
    state = _NUMBERS.get(item.state or "", OrderState.OPEN)
    fill = None
    if item.trade_id and item.last_fill_size and item.last_fill_price:
        fill = OrderFill(
            item.trade_id, item.last_fill_price, item.last_fill_size, item.fee, item.fee_currency, item.last_fill_time
        )
    return Sighting(
        client_order_id=item.client_order_id,
        order_id=item.order_id,
        state=state if item.order_state is None else _STATES.get(item.order_state, state),
        filled_size=item.filled_size,
        average_price=_average(item.filled_size, item.filled_notional),
        fill=fill,
    )


def _fill(row: SpotFill) -> OrderFill:
    return OrderFill(row.trade_id, row.price, row.size, row.fee, row.fee_coin_name, row.create_time)


class SpotSession(Session):
    """Spot orders that survive cancellation. Made by `open_spot_session`."""

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
        """Submit one order, under a client order id that is chosen for you and in the journal before it is sent.

        Returns once the exchange is known to have it. When the answer is cut off, it waits until the order is found or
        proven absent, which may take 65 seconds: bound it with ``trio.move_on_after`` if you cannot wait.

        Cancelled, it gives up an order that has not been sent, and takes back one that has, in the background: the
        order will not stay open, and the session's exit makes sure of it.

        Args:
            side: buy or sell.
            type: limit, limit_maker and ioc need size and price; a market buy needs notional, a market sell size.
            size: base currency.
            price: quote currency.
            notional: quote currency to spend.
            symbol: may be left out when the session trades one.
            stp_mode: self-trade prevention.
            resend: how often to send it again when it is proven never to have arrived.
            wait: False returns the handle at once, before the answer; see ``Order.wait_accepted``.

        Raises:
            InvalidRequest: arguments that do not go together, or that break the market's rules.
            ApiError: the exchange refused it.
            OrderNotPlaced: it is certain not to exist, and may be submitted again.
            JournalError: it could not be written down, so it was not sent.
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


@asynccontextmanager
async def open_spot_session(
    client: Client,
    *symbols: str,
    journal: AnyJournal = None,
    on_exit: OnExit = "cancel",
    leftovers: Leftovers | None = None,
    deadline: float = 75.0,
    reconcile: float = 30.0,
    rules: RulesMode = None,
) -> AsyncGenerator[SpotSession]:
    """Trade on spot so that no order is doubled, forgotten or left open unknowingly, wherever the bot is cancelled.

    Leaving the block by any door cancels this session's own open orders and confirms each; see ``session.report``. An
    error that leaves the block is never replaced. An exit that cannot be confirmed raises `ExitUnconfirmed`, beside a
    cancellation in a group, or as a note on any other error.

    Args:
        client: with credentials that may trade.
        symbols: such as BTC_USDT; one or more.
        journal: where intents are written before they are sent. One writer at a time; use one per bot.
        on_exit: ``"cancel"``, or ``"leave"`` to leave open orders to the next run with the same journal.
        leftovers: what becomes of orders that an earlier run left open; by default ``"adopt"`` (they are in
            ``session.orders``) when ``on_exit`` is ``"leave"``, else ``"cancel"``.
        deadline: seconds that leaving may take. Orders whose request was cut off need up to 65 to be proven absent; all
            others a round trip or two.
        reconcile: seconds between two looks at the open orders, besides the pushes and their holes.
        rules: ``"check"`` holds each order against the pair's tick, step and bounds before it is sent, ``"round"``
            brings it onto the grid first.

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
        SpotVenue(client),
        symbols,
        make,
        journal=as_journal(journal),
        on_exit=on_exit,
        leftovers=leftovers,
        deadline=deadline,
        reconcile=reconcile,
    ) as session:
        yield session
