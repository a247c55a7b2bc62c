"""Spot trading: placing, cancelling and querying orders, and the account's fills."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .._bitmart.rows import Endpoint, Envelope
from .._core.endpoint import Auth, Entry, ExactlyOne, Kind, Ordered, Param, Quota
from .._core.request import RECV_WINDOW
from ..models._enums import OrderSide
from ..models.spot_trading import (
    BatchOrderIds,
    BatchOrderParam,
    BatchOrderParamV2,
    BatchOrderResultV2,
    CancelBatchResult,
    CancelResult,
    OrderPlaced,
    QueryState,
    SpotFill,
    SpotOrder,
    SpotOrderMode,
    SpotOrderType,
    SpotStpMode,
)
from ._base import Amount, Chapter, TimeMs
from ._spot_orders import (
    CLIENT_ORDER_ID,
    CLIENT_ORDER_ID_CAMEL,
    NOTIONAL,
    ORDER_RULES,
    PRICE,
    QUERY_STATE,
    SIDE,
    SIZE,
    STP_MODE,
    SYMBOL,
    TYPE,
)

_LIST_PARAMS = (
    Param("symbol"),
    Param("order_mode", wire="orderMode", choices=SpotOrderMode),
    Param("start_time", Kind.MILLIS, wire="startTime"),
    Param("end_time", Kind.MILLIS, wire="endTime"),
    Param("limit", Kind.INT, least=1, most=200),
    RECV_WINDOW,
)

submit_order: Endpoint[OrderPlaced] = Endpoint(
    "POST",
    "/spot/v2/submit_order",
    Auth.SIGNED,
    Quota(40, by="uid"),
    returns=OrderPlaced,
    params=(SYMBOL, SIDE, TYPE, SIZE, PRICE, NOTIONAL, CLIENT_ORDER_ID, STP_MODE),
    rules=ORDER_RULES,
)
cancel_order: Endpoint[CancelResult] = Endpoint(
    "POST",
    "/spot/v3/cancel_order",
    Auth.SIGNED,
    Quota(40, by="uid"),
    returns=CancelResult,
    params=(SYMBOL, Param("order_id"), Param("client_order_id")),
    rules=(ExactlyOne(("order_id", "client_order_id")),),
    urgent=True,
)
submit_orders: Endpoint[BatchOrderIds] = Endpoint(
    "POST",
    "/spot/v4/batch_orders",
    Auth.SIGNED,
    Quota(40, by="uid"),
    returns=BatchOrderIds,
    params=(
        SYMBOL,
        Param(
            "orders",
            Kind.ENTRIES,
            wire="orderParams",
            required=True,
            least=1,
            most=10,
            entry=Entry((SIDE, TYPE, SIZE, PRICE, NOTIONAL, CLIENT_ORDER_ID_CAMEL, STP_MODE), ORDER_RULES),
        ),
        RECV_WINDOW,
    ),
    envelope=Envelope.NESTED,
)
cancel_orders: Endpoint[CancelBatchResult] = Endpoint(
    "POST",
    "/spot/v4/cancel_orders",
    Auth.SIGNED,
    Quota(40, by="uid"),
    returns=CancelBatchResult,
    params=(
        SYMBOL,
        Param("order_ids", Kind.TEXTS, wire="orderIds", least=1, most=10),
        Param("client_order_ids", Kind.TEXTS, wire="clientOrderIds", least=1, most=10),
        RECV_WINDOW,
    ),
    rules=(ExactlyOne(("order_ids", "client_order_ids")),),
    urgent=True,
)
cancel_all_orders: Endpoint[None] = Endpoint(
    "POST",
    "/spot/v4/cancel_all",
    Auth.SIGNED,
    Quota(1, per=3.0, by="uid"),
    returns=type(None),
    params=(Param("symbol"), Param("side", choices=OrderSide)),
    urgent=True,
)
order: Endpoint[SpotOrder] = Endpoint(
    "POST",
    "/spot/v4/query/order",
    Auth.SIGNED,
    Quota(50, by="key"),
    returns=SpotOrder,
    params=(Param("order_id", wire="orderId", required=True), QUERY_STATE, RECV_WINDOW),
    reads=True,
)
order_by_client_id: Endpoint[SpotOrder] = Endpoint(
    "POST",
    "/spot/v4/query/client-order",
    Auth.SIGNED,
    Quota(50, by="key"),
    returns=SpotOrder,
    params=(Param("client_order_id", wire="clientOrderId", required=True), QUERY_STATE, RECV_WINDOW),
    reads=True,
)
open_orders: Endpoint[list[SpotOrder]] = Endpoint(
    "POST",
    "/spot/v4/query/open-orders",
    Auth.SIGNED,
    Quota(12, by="key"),
    returns=list[SpotOrder],
    params=_LIST_PARAMS,
    rules=(Ordered("start_time", "end_time", or_equal=True),),
    reads=True,
)
order_history: Endpoint[list[SpotOrder]] = Endpoint(
    "POST",
    "/spot/v4/query/history-orders",
    Auth.SIGNED,
    Quota(12, by="key"),
    returns=list[SpotOrder],
    params=_LIST_PARAMS,
    rules=(Ordered("start_time", "end_time", or_equal=True),),
    reads=True,
)
trades: Endpoint[list[SpotFill]] = Endpoint(
    "POST",
    "/spot/v4/query/trades",
    Auth.SIGNED,
    Quota(12, by="key"),
    returns=list[SpotFill],
    params=_LIST_PARAMS,
    rules=(Ordered("start_time", "end_time", or_equal=True),),
    reads=True,
)
order_trades: Endpoint[list[SpotFill]] = Endpoint(
    "POST",
    "/spot/v4/query/order-trades",
    Auth.SIGNED,
    Quota(12, by="key"),
    returns=list[SpotFill],
    params=(Param("order_id", wire="orderId", required=True), RECV_WINDOW),
    reads=True,
)

# Retired on 2024-06-28 and gone since the change log of 2025-01-01: they answer 30031.
submit_orders_v2: Endpoint[list[BatchOrderResultV2]] = Endpoint(
    "POST",
    "/spot/v2/batch_orders",
    Auth.SIGNED,
    returns=list[BatchOrderResultV2],
    params=(
        Param(
            "order_params",
            Kind.ENTRIES,
            required=True,
            least=1,
            most=10,
            entry=Entry((SYMBOL, SIDE, TYPE, SIZE, PRICE, NOTIONAL, CLIENT_ORDER_ID), ORDER_RULES),
        ),
    ),
    at=("responses",),
    replaced_by="submit_orders",
)
cancel_orders_v1: Endpoint[None] = Endpoint(
    "POST",
    "/spot/v1/cancel_orders",
    Auth.SIGNED,
    returns=type(None),
    params=(Param("symbol"), Param("side", choices=OrderSide)),
    urgent=True,
    replaced_by="cancel_all_orders",
)


class SpotTrading(Chapter):
    """The methods of ``client.spot.trading``."""

    __slots__ = ()

    async def submit_order(
        self,
        symbol: str,
        *,
        side: OrderSide | str,
        type: SpotOrderType | str,
        size: Amount | None = None,
        price: Amount | None = None,
        notional: Amount | None = None,
        client_order_id: str | None = None,
        stp_mode: SpotStpMode | str | None = None,
        recv_window: int | None = None,
    ) -> OrderPlaced:
        """Submit one spot order.

        POST /spot/v2/submit_order, signed (permission to trade), 40 calls in 2 s by account. Cancelling while it waits
        leaves the outcome unknown: look the client order id up with `order_by_client_id`.

        Args:
            symbol: such as BTC_USDT.
            side: buy or sell.
            type: limit, limit_maker and ioc need size and price; a market buy needs notional, a market sell size.
            size: base currency, a multiple of the pair's ``quote_increment``.
            price: quote currency; digits beyond ``price_max_precision`` are cut off by the exchange without an error.
            notional: quote currency to spend.
            client_order_id: 1 to 32 letters and digits, unique.
            stp_mode: self-trade prevention; none if left out.
            recv_window: milliseconds; this endpoint does not send it.

        Returns:
            The order id. The system may still cancel the order at once; a limit_maker that would take vanishes without
                an error.

        Raises:
            InvalidRequest: arguments that do not go together; nothing was sent.
            InsufficientBalance: not enough funds (50020).
            InvalidOrder: size, price or value breaks the pair's rules (51011, 51012: too small).
            DuplicateRequest: the client order id was used before (50042).
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "New Order")
        """
        return await self._call(
            submit_order,
            symbol=symbol,
            side=side,
            type=type,
            size=size,
            price=price,
            notional=notional,
            client_order_id=client_order_id,
            stp_mode=stp_mode,
            recv_window=recv_window,
        )

    async def cancel_order(
        self,
        symbol: str,
        order_id: str | None = None,
        *,
        client_order_id: str | None = None,
        recv_window: int | None = None,
    ) -> CancelResult:
        """Cancel one open order.

        POST /spot/v3/cancel_order, signed (permission to trade), 40 calls in 2 s by account.

        Args:
            symbol: such as BTC_USDT.
            order_id: the exchange's id; give this or ``client_order_id``, not both.
            client_order_id: the caller's id.
            recv_window: milliseconds; this endpoint does not send it.

        Returns:
            True if it was cancelled; False if it was already filled or cancelled.

        Raises:
            InvalidRequest: both ids or none; nothing was sent.
            OrderNotFound: no such order.
            OrderClosed: already filled or cancelled.
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Cancel Order")
        """
        return await self._call(
            cancel_order, symbol=symbol, order_id=order_id, client_order_id=client_order_id, recv_window=recv_window
        )

    async def submit_orders(
        self,
        symbol: str,
        orders: Iterable[BatchOrderParam | Mapping[str, object]],
        *,
        recv_window: int | None = None,
    ) -> BatchOrderIds:
        """Submit up to ten orders on one pair.

        POST /spot/v4/batch_orders, signed (permission to trade), 40 calls in 2 s by account.

        Args:
            symbol: such as BTC_USDT.
            orders: 1 to 10, as `BatchOrderParam` or mappings with its names; each by the rules of `submit_order`.
            recv_window: milliseconds the request stays valid, up to 60000.

        Returns:
            The order ids. The reply to a partly refused batch is not documented; give every order a client order id.

        Raises:
            InvalidRequest: an entry whose arguments do not go together, named by its index; nothing was sent.
            ApiError: the inner code of the reply was not 0.
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "New Batch Order")
        """
        return await self._call(submit_orders, symbol=symbol, orders=orders, recv_window=recv_window)

    async def cancel_orders(
        self,
        symbol: str,
        *,
        order_ids: Iterable[str] | None = None,
        client_order_ids: Iterable[str] | None = None,
        recv_window: int | None = None,
    ) -> CancelBatchResult:
        """Cancel up to ten orders of one pair.

        POST /spot/v4/cancel_orders, signed (permission to trade), 40 calls in 2 s by account.

        Args:
            symbol: such as BTC_USDT.
            order_ids: the exchange's ids, 1 to 10; give these or ``client_order_ids``, not both.
            client_order_ids: the caller's ids, 1 to 10.
            recv_window: milliseconds the request stays valid, up to 60000.

        Returns:
            The orders that were cancelled and those that were not; a partial failure raises no error.

        Raises:
            InvalidRequest: both lists or none, or too many; nothing was sent.
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Cancel Batch Order")
        """
        return await self._call(
            cancel_orders,
            symbol=symbol,
            order_ids=order_ids,
            client_order_ids=client_order_ids,
            recv_window=recv_window,
        )

    async def cancel_all_orders(
        self, symbol: str | None = None, *, side: OrderSide | str | None = None, recv_window: int | None = None
    ) -> None:
        """Cancel every open order of the account, or those of one pair or side.

        POST /spot/v4/cancel_all, signed (permission to trade), 1 call in 3 s by account.

        Args:
            symbol: all pairs if left out.
            side: both sides if left out.
            recv_window: milliseconds; this endpoint does not send it.

        Raises:
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Cancel All Order")
        """
        await self._call(cancel_all_orders, symbol=symbol, side=side, recv_window=recv_window)

    async def order(
        self, order_id: str, *, query_state: QueryState | str | None = None, recv_window: int | None = None
    ) -> SpotOrder:
        """Look up one order by the exchange's id.

        POST /spot/v4/query/order, signed, 50 calls in 2 s by key. It only reads.

        Args:
            order_id: the exchange's id.
            query_state: among open or finished orders; both, which is slower, if left out.
            recv_window: milliseconds the request stays valid, up to 60000.

        Raises:
            OrderNotFound: no such order (50005). One that was cancelled unfilled is forgotten after 20 minutes.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Query Order By Id")
        """
        return await self._call(order, order_id=order_id, query_state=query_state, recv_window=recv_window)

    async def order_by_client_id(
        self, client_order_id: str, *, query_state: QueryState | str | None = None, recv_window: int | None = None
    ) -> SpotOrder:
        """Look up one order by the caller's id.

        POST /spot/v4/query/client-order, signed, 50 calls in 2 s by key. It only reads.

        Args:
            client_order_id: the id the order was placed with.
            query_state: among open or finished orders; both, which is slower, if left out.
            recv_window: milliseconds the request stays valid, up to 60000.

        Raises:
            OrderNotFound: no such order (50005). One that was cancelled unfilled is forgotten after 20 minutes.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Query Order By clientOrderId")
        """
        return await self._call(
            order_by_client_id, client_order_id=client_order_id, query_state=query_state, recv_window=recv_window
        )

    async def open_orders(
        self,
        symbol: str | None = None,
        *,
        order_mode: SpotOrderMode | str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        limit: int | None = None,
        recv_window: int | None = None,
    ) -> list[SpotOrder]:
        """List the account's open orders.

        POST /spot/v4/query/open-orders, signed, 12 calls in 2 s by key. It only reads.

        Args:
            symbol: all pairs if left out.
            order_mode: spot or isolated margin; both if left out.
            start_time: in milliseconds; without a range only the last 7 days are searched.
            end_time: in milliseconds, not before ``start_time``.
            limit: 1 to 200; 200 if left out.
            recv_window: milliseconds the request stays valid, up to 60000.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Current Open Orders")
        """
        return await self._call(
            open_orders,
            symbol=symbol,
            order_mode=order_mode,
            start_time=start_time,
            end_time=end_time,
            limit=limit,
            recv_window=recv_window,
        )

    async def order_history(
        self,
        symbol: str | None = None,
        *,
        order_mode: SpotOrderMode | str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        limit: int | None = None,
        recv_window: int | None = None,
    ) -> list[SpotOrder]:
        """List the account's finished orders.

        POST /spot/v4/query/history-orders, signed, 12 calls in 2 s by key. It only reads. There is no cursor: step
        ``end_time`` back to the oldest ``create_time`` while full pages come, and drop repeats by order id.

        Args:
            symbol: all pairs if left out.
            order_mode: spot or isolated margin; both if left out.
            start_time: in milliseconds; without a range only the last 7 days are searched.
            end_time: in milliseconds, not before ``start_time``.
            limit: 1 to 200; 200 if left out.
            recv_window: milliseconds the request stays valid, up to 60000.

        Returns:
            Without orders that were cancelled unfilled more than 20 minutes ago.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Account Orders")
        """
        return await self._call(
            order_history,
            symbol=symbol,
            order_mode=order_mode,
            start_time=start_time,
            end_time=end_time,
            limit=limit,
            recv_window=recv_window,
        )

    async def trades(
        self,
        symbol: str | None = None,
        *,
        order_mode: SpotOrderMode | str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        limit: int | None = None,
        recv_window: int | None = None,
    ) -> list[SpotFill]:
        """List the account's fills.

        POST /spot/v4/query/trades, signed, 12 calls in 2 s by key. It only reads. Paged like `order_history`, by trade
        id.

        Args:
            symbol: all pairs if left out.
            order_mode: spot or isolated margin; both if left out.
            start_time: in milliseconds; without a range only the last 7 days are searched.
            end_time: in milliseconds, not before ``start_time``.
            limit: 1 to 200; 200 if left out.
            recv_window: milliseconds the request stays valid, up to 60000.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Account Trade List")
        """
        return await self._call(
            trades,
            symbol=symbol,
            order_mode=order_mode,
            start_time=start_time,
            end_time=end_time,
            limit=limit,
            recv_window=recv_window,
        )

    async def order_trades(self, order_id: str, *, recv_window: int | None = None) -> list[SpotFill]:
        """List the fills of one order.

        POST /spot/v4/query/order-trades, signed, 12 calls in 2 s by key. It only reads.

        Args:
            order_id: the exchange's id.
            recv_window: milliseconds the request stays valid, up to 60000.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Order Trade List")
        """
        return await self._call(order_trades, order_id=order_id, recv_window=recv_window)

    async def submit_orders_v2(
        self, order_params: Iterable[BatchOrderParamV2 | Mapping[str, object]], *, recv_window: int | None = None
    ) -> list[BatchOrderResultV2]:
        """Submit a batch across pairs by the retired version 2; warns and sends. Use `submit_orders`.

        POST /spot/v2/batch_orders, signed (permission to trade).

        Args:
            order_params: 1 to 10 orders, each naming its pair.
            recv_window: milliseconds; this endpoint does not send it.

        Returns:
            One result per order, each with its own code.

        Raises:
            EndpointRemoved: the exchange has answered so since 2025 (30031).
        """
        return await self._call(submit_orders_v2, order_params=order_params, recv_window=recv_window)

    async def cancel_orders_v1(
        self, symbol: str | None = None, *, side: OrderSide | str | None = None, recv_window: int | None = None
    ) -> None:
        """Cancel all orders on one side of a pair by the retired version 1; warns and sends. Use `cancel_all_orders`.

        POST /spot/v1/cancel_orders, signed (permission to trade).

        Args:
            symbol: such as BTC_USDT; the old documentation demanded it.
            side: both sides if left out.
            recv_window: milliseconds; this endpoint does not send it.

        Raises:
            EndpointRemoved: the exchange has answered so since 2025 (30031).
        """
        await self._call(cancel_orders_v1, symbol=symbol, side=side, recv_window=recv_window)
