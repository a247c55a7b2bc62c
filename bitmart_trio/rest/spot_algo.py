"""Spot algo orders: plan (trigger), take-profit and stop-loss orders. Added to the official SDKs in 2026-06."""

from __future__ import annotations

from .._bitmart.rows import Endpoint
from .._core.endpoint import Auth, Kind, Ordered, Param, Quota, When
from .._core.request import RECV_WINDOW
from ..models._enums import OrderSide
from ..models.spot_trading import AlgoOrder, AlgoOrderType, AlgoTriggerType, CancelResult, OrderPlaced, QueryState
from ._base import Amount, Chapter, TimeMs
from ._spot_orders import CLIENT_ORDER_ID, NOTIONAL, PRICE, QUERY_STATE, SIDE, SIZE, SYMBOL

_TYPE = Param("type", choices=AlgoOrderType, required=True)

_LIST_PARAMS = (
    Param("symbol"),
    Param("order_mode", wire="orderMode", choices=AlgoOrderType),
    Param("start_time", Kind.MILLIS, wire="startTime"),
    Param("end_time", Kind.MILLIS, wire="endTime"),
    Param("limit", Kind.INT, least=1, most=200),
    RECV_WINDOW,
)

# Placement and cancellation are spelled in snake case, the queries in camel case. The quotas are a third-party SDK's.
submit_order: Endpoint[OrderPlaced] = Endpoint(
    "POST",
    "/spot/v4/algo/submit_order",
    Auth.SIGNED,
    Quota(10, by="key"),
    returns=OrderPlaced,
    params=(
        SYMBOL,
        SIDE,
        _TYPE,
        Param("trigger_price", Kind.DECIMAL, positive=True),
        Param("trigger_type", choices=AlgoTriggerType),
        PRICE,
        SIZE,
        NOTIONAL,
        CLIENT_ORDER_ID,
    ),
    # These are minimum needs: how the exchange treats superfluous amounts is not documented.
    rules=(
        When((("trigger_type", ("limit",)),), needs=("price", "size")),
        When((("trigger_type", ("market",)), ("side", ("buy",))), needs=("notional",)),
        When((("trigger_type", ("market",)), ("side", ("sell",))), needs=("size",)),
    ),
)
cancel_order: Endpoint[CancelResult] = Endpoint(
    "POST",
    "/spot/v4/algo/cancel_order",
    Auth.SIGNED,
    Quota(10, by="key"),
    returns=CancelResult,
    params=(SYMBOL, Param("order_id", required=True), _TYPE),
    urgent=True,
)
cancel_all_orders: Endpoint[None] = Endpoint(
    "POST",
    "/spot/v4/algo/cancel_all",
    Auth.SIGNED,
    Quota(5, by="key"),
    returns=type(None),
    params=(_TYPE, Param("symbol")),
    urgent=True,
)
order: Endpoint[AlgoOrder] = Endpoint(
    "POST",
    "/spot/v4/query/algo/order",
    Auth.SIGNED,
    Quota(40, by="key"),
    returns=AlgoOrder,
    params=(Param("order_id", wire="orderId", required=True), QUERY_STATE, RECV_WINDOW),
    reads=True,
)
order_by_client_id: Endpoint[AlgoOrder] = Endpoint(
    "POST",
    "/spot/v4/query/algo/client-order",
    Auth.SIGNED,
    Quota(40, by="key"),
    returns=AlgoOrder,
    params=(Param("client_order_id", wire="clientOrderId", required=True), QUERY_STATE, RECV_WINDOW),
    reads=True,
)
open_orders: Endpoint[list[AlgoOrder]] = Endpoint(
    "POST",
    "/spot/v4/query/algo/open-orders",
    Auth.SIGNED,
    Quota(20, by="key"),
    returns=list[AlgoOrder],
    params=_LIST_PARAMS,
    rules=(Ordered("start_time", "end_time", or_equal=True),),
    reads=True,
)
order_history: Endpoint[list[AlgoOrder]] = Endpoint(
    "POST",
    "/spot/v4/query/algo/history-orders",
    Auth.SIGNED,
    Quota(20, by="key"),
    returns=list[AlgoOrder],
    params=_LIST_PARAMS,
    rules=(Ordered("start_time", "end_time", or_equal=True),),
    reads=True,
)


class SpotAlgo(Chapter):
    """The methods of ``client.spot.algo``."""

    __slots__ = ()

    async def submit_order(
        self,
        symbol: str,
        *,
        side: OrderSide | str,
        type: AlgoOrderType | str,
        trigger_price: Amount | None = None,
        trigger_type: AlgoTriggerType | str | None = None,
        price: Amount | None = None,
        size: Amount | None = None,
        notional: Amount | None = None,
        client_order_id: str | None = None,
        recv_window: int | None = None,
    ) -> OrderPlaced:
        """Submit a plan order, or a one-way take-profit or stop-loss order.

        POST /spot/v4/algo/submit_order, signed (permission to trade), 10 calls in 2 s by key. Cancelling while it waits
        leaves the outcome unknown: look the client order id up with `order_by_client_id`.

        Args:
            symbol: such as BTC_USDT.
            side: buy or sell.
            type: the trigger.
            trigger_price: quote currency; a take-profit wants ``price`` along with it.
            trigger_type: the order it sends: limit (price and size) or market (notional to buy, size to sell).
            price: quote currency, of the order it sends.
            size: base currency.
            notional: quote currency to spend, for a market buy.
            client_order_id: 1 to 32 letters and digits, unique.
            recv_window: milliseconds; this endpoint does not send it.

        Raises:
            InvalidRequest: an amount that the triggered order needs is missing; nothing was sent.
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "New Algo Order")
        """
        return await self._call(
            submit_order,
            symbol=symbol,
            side=side,
            type=type,
            trigger_price=trigger_price,
            trigger_type=trigger_type,
            price=price,
            size=size,
            notional=notional,
            client_order_id=client_order_id,
            recv_window=recv_window,
        )

    async def cancel_order(
        self, symbol: str, order_id: str, *, type: AlgoOrderType | str, recv_window: int | None = None
    ) -> CancelResult:
        """Cancel one algo order.

        POST /spot/v4/algo/cancel_order, signed (permission to trade), 10 calls in 2 s by key.

        Args:
            symbol: such as BTC_USDT.
            order_id: the exchange's id; the caller's is not taken here.
            type: the order's type.
            recv_window: milliseconds; this endpoint does not send it.

        Raises:
            OrderNotFound: no such order.
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Cancel Algo Order")
        """
        return await self._call(cancel_order, symbol=symbol, order_id=order_id, type=type, recv_window=recv_window)

    async def cancel_all_orders(
        self, type: AlgoOrderType | str, *, symbol: str | None = None, recv_window: int | None = None
    ) -> None:
        """Cancel all algo orders of one type.

        POST /spot/v4/algo/cancel_all, signed (permission to trade), 5 calls in 2 s by key.

        Args:
            type: which orders.
            symbol: all pairs if left out.
            recv_window: milliseconds; this endpoint does not send it.

        Raises:
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Cancel All Algo Orders")
        """
        await self._call(cancel_all_orders, type=type, symbol=symbol, recv_window=recv_window)

    async def order(
        self, order_id: str, *, query_state: QueryState | str | None = None, recv_window: int | None = None
    ) -> AlgoOrder:
        """Look up one algo order by the exchange's id.

        POST /spot/v4/query/algo/order, signed, 40 calls in 2 s by key. It only reads.

        Args:
            order_id: the exchange's id.
            query_state: among open or finished orders; both, which is slower, if left out.
            recv_window: milliseconds the request stays valid, up to 60000.

        Raises:
            OrderNotFound: no such order.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Query Algo Order By Id")
        """
        return await self._call(order, order_id=order_id, query_state=query_state, recv_window=recv_window)

    async def order_by_client_id(
        self, client_order_id: str, *, query_state: QueryState | str | None = None, recv_window: int | None = None
    ) -> AlgoOrder:
        """Look up one algo order by the caller's id.

        POST /spot/v4/query/algo/client-order, signed, 40 calls in 2 s by key. It only reads.

        Args:
            client_order_id: the id the order was placed with.
            query_state: among open or finished orders; both, which is slower, if left out.
            recv_window: milliseconds the request stays valid, up to 60000.

        Raises:
            OrderNotFound: no such order.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Query Algo Order By clientOrderId")
        """
        return await self._call(
            order_by_client_id, client_order_id=client_order_id, query_state=query_state, recv_window=recv_window
        )

    async def open_orders(
        self,
        symbol: str | None = None,
        *,
        order_mode: AlgoOrderType | str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        limit: int | None = None,
        recv_window: int | None = None,
    ) -> list[AlgoOrder]:
        """List algo orders that wait for their trigger.

        POST /spot/v4/query/algo/open-orders, signed, 20 calls in 2 s by key. It only reads.

        Args:
            symbol: all pairs if left out.
            order_mode: the type of the orders; both if left out.
            start_time: in milliseconds.
            end_time: in milliseconds, not before ``start_time``.
            limit: 1 to 200; 200 if left out.
            recv_window: milliseconds the request stays valid, up to 60000.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Current Open Algo Orders")
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
        order_mode: AlgoOrderType | str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        limit: int | None = None,
        recv_window: int | None = None,
    ) -> list[AlgoOrder]:
        """List finished algo orders.

        POST /spot/v4/query/algo/history-orders, signed, 20 calls in 2 s by key. It only reads. There is no cursor: step
        ``end_time`` back to the oldest ``create_time`` while full pages come, and drop repeats by order id.

        Args:
            symbol: all pairs if left out.
            order_mode: the type of the orders; both if left out.
            start_time: in milliseconds.
            end_time: in milliseconds, not before ``start_time``.
            limit: 1 to 200; 200 if left out.
            recv_window: milliseconds the request stays valid, up to 60000.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Algo Order History")
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
