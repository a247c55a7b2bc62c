"""Futures orders and the account's own fills. Orders that wait for a price are in ``futures_plan_orders.py``.

The exchange reads a cancel call without an id as "cancel everything on the symbol". Here the cancel methods insist on
an id, and cancelling everything has methods of its own.
"""

from __future__ import annotations

from .._bitmart.rows import Endpoint
from .._core.endpoint import AtLeastOne, Auth, Kind, Param, Quota, When
from ..models._futures_enums import FuturesAccountType, FuturesOrderSide, FuturesSideWord, OpenType
from ..models.futures_trading import (
    CancelAllAfterResult,
    FuturesFill,
    FuturesOrder,
    FuturesOrderIds,
    FuturesOrderMode,
    FuturesOrderPlaced,
    FuturesOrderType,
    FuturesStpMode,
    OrderStateFilter,
    PlanOrder,
    PlanTypeFilter,
    PriceType,
)
from ._base import Amount, TimeS
from ._futures_params import (
    ACCOUNT,
    AN_ID,
    BY_EITHER_ID,
    CLIENT_ORDER_ID,
    IN_ORDER,
    LIMIT,
    MODE,
    NEW_CLIENT_ORDER_ID,
    ONE_ID,
    ORDER_ID,
    PRESETS,
    PRESETS_OPEN,
    SIDE,
    SINCE_UNTIL,
    SIZE,
    SUBMITTED,
    SYMBOL,
)

# The plan orders' rows belong to this chapter too, so they are re-exported here.
# ruff: noqa: PLC0414
from .futures_plan_orders import FuturesPlanOrders
from .futures_plan_orders import cancel_all_plan_orders as cancel_all_plan_orders
from .futures_plan_orders import cancel_all_trailing_orders as cancel_all_trailing_orders
from .futures_plan_orders import cancel_plan_order as cancel_plan_order
from .futures_plan_orders import cancel_trailing_order as cancel_trailing_order
from .futures_plan_orders import modify_plan_order as modify_plan_order
from .futures_plan_orders import modify_preset_plan_order as modify_preset_plan_order
from .futures_plan_orders import modify_tp_sl_order as modify_tp_sl_order
from .futures_plan_orders import submit_plan_order as submit_plan_order
from .futures_plan_orders import submit_tp_sl_order as submit_tp_sl_order
from .futures_plan_orders import submit_trailing_order as submit_trailing_order

order: Endpoint[FuturesOrder] = Endpoint(
    "GET",
    "/contract/private/order",
    Auth.KEYED,
    Quota(50, by="key"),
    returns=FuturesOrder,
    params=(SYMBOL, Param("order_id", required=True), ACCOUNT),
)
order_history: Endpoint[list[FuturesOrder]] = Endpoint(
    "GET",
    "/contract/private/order-history",
    Auth.KEYED,
    Quota(6, by="key"),
    returns=list[FuturesOrder],
    params=(*BY_EITHER_ID, ACCOUNT, *SINCE_UNTIL),
    rules=IN_ORDER,
)
open_orders: Endpoint[list[FuturesOrder]] = Endpoint(
    "GET",
    "/contract/private/get-open-orders",
    Auth.KEYED,
    Quota(50, by="key"),
    returns=list[FuturesOrder],
    params=(
        Param("symbol"),
        Param("type", choices=(*SUBMITTED, FuturesOrderType.TRAILING)),
        Param("order_state", choices=OrderStateFilter),
        LIMIT,
    ),
)
plan_orders: Endpoint[list[PlanOrder]] = Endpoint(
    "GET",
    "/contract/private/current-plan-order",
    Auth.KEYED,
    Quota(50, by="key"),
    returns=list[PlanOrder],
    params=(Param("symbol"), Param("type", choices=SUBMITTED), LIMIT, Param("plan_type", choices=PlanTypeFilter)),
)
trades: Endpoint[list[FuturesFill]] = Endpoint(
    "GET",
    "/contract/private/trades",
    Auth.KEYED,
    Quota(6, by="key"),
    returns=list[FuturesFill],
    params=(Param("symbol"), ACCOUNT, *SINCE_UNTIL, ORDER_ID, CLIENT_ORDER_ID),
    rules=IN_ORDER,
)
submit_order: Endpoint[FuturesOrderPlaced] = Endpoint(
    "POST",
    "/contract/private/submit-order",
    Auth.SIGNED,
    Quota(24, by="key"),
    returns=FuturesOrderPlaced,
    params=(
        SYMBOL,
        SIDE,
        SIZE,
        Param("type", choices=SUBMITTED),
        Param("price", Kind.DECIMAL, positive=True),
        MODE,
        Param("leverage", Kind.DECIMAL, positive=True),
        Param("open_type", choices=OpenType),
        NEW_CLIENT_ORDER_ID,
        *PRESETS,
        Param("stp_mode", Kind.INT, choices=FuturesStpMode),
    ),
    rules=(
        When((("type", (None, "limit")),), needs=("price",)),
        When((("type", ("market",)),), refuses=("price",)),
        When((("type", ("market",)), ("mode", (FuturesOrderMode.MAKER_ONLY,))), refuses=("mode",)),
        PRESETS_OPEN,
    ),
)
modify_limit_order: Endpoint[FuturesOrderIds] = Endpoint(
    "POST",
    "/contract/private/modify-limit-order",
    Auth.SIGNED,
    Quota(24, by="uid"),
    returns=FuturesOrderIds,
    params=(
        SYMBOL,
        Param("order_id", number=True),  # text in every other call
        Param("client_order_id", max_length=32),
        Param("price", Kind.DECIMAL, positive=True),
        Param("size", Kind.INT, least=1),
    ),
    rules=(AN_ID, AtLeastOne(("price", "size"))),
)
cancel_order: Endpoint[None] = Endpoint(
    "POST",
    "/contract/private/cancel-order",
    Auth.SIGNED,
    Quota(40, by="key"),
    returns=type(None),
    params=BY_EITHER_ID,
    rules=ONE_ID,
    urgent=True,
)
cancel_all_orders: Endpoint[None] = Endpoint(
    "POST",
    "/contract/private/cancel-orders",
    Auth.SIGNED,
    Quota(2, by="key"),
    returns=type(None),
    params=(SYMBOL,),
    urgent=True,
)
cancel_all_after: Endpoint[CancelAllAfterResult] = Endpoint(
    "POST",
    "/contract/private/cancel-all-after",
    Auth.SIGNED,
    Quota(4, by="uid"),
    returns=CancelAllAfterResult,
    params=(SYMBOL, Param("timeout", Kind.INT, required=True, least=5, zero=True)),
    urgent=True,
)


class FuturesTrading(FuturesPlanOrders):
    """The methods of ``client.futures.trading``."""

    __slots__ = ()

    async def order(
        self, symbol: str, order_id: str, *, account: FuturesAccountType | str | None = None
    ) -> FuturesOrder:
        """Look up one order by the exchange's id. `order_history` also finds client order ids.

        GET /contract/private/order, key, 50 calls in 2 s by key.

        Args:
            symbol: such as BTCUSDT.
            order_id: the exchange's id.
            account: the ordinary futures account if left out.

        Raises:
            OrderNotFound: the order does not exist (40035, 40037).

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Order Detail (KEYED)")
        """
        return await self._call(order, symbol=symbol, order_id=order_id, account=account)

    async def order_history(
        self,
        symbol: str,
        *,
        order_id: str | None = None,
        client_order_id: str | None = None,
        account: FuturesAccountType | str | None = None,
        start_time: TimeS | None = None,
        end_time: TimeS | None = None,
    ) -> list[FuturesOrder]:
        """List the finished orders of a contract, or look one up by either id.

        GET /contract/private/order-history, key, 6 calls in 2 s by key.

        Args:
            symbol: such as BTCUSDT.
            order_id: only this order.
            client_order_id: only this order.
            account: the ordinary futures account if left out.
            start_time: in seconds; the last 7 days if both are left out.
            end_time: in seconds, after ``start_time`` and at most 90 days later.

        Returns:
            At most 200 orders. What is beyond is dropped without a sign; ask for shorter times.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Order History (KEYED)")
        """
        return await self._call(
            order_history,
            symbol=symbol,
            order_id=order_id,
            client_order_id=client_order_id,
            account=account,
            start_time=start_time,
            end_time=end_time,
        )

    async def open_orders(
        self,
        symbol: str | None = None,
        *,
        type: FuturesOrderType | str | None = None,
        order_state: OrderStateFilter | str | None = None,
        limit: int | None = None,
    ) -> list[FuturesOrder]:
        """List the live ordinary and trailing orders. `plan_orders` has the others.

        GET /contract/private/get-open-orders, key, 50 calls in 2 s by key.

        Args:
            symbol: only this contract.
            type: only limit, market or trailing orders.
            order_state: all, or only partially filled ones.
            limit: 1 to 100; 100 if left out. There are no pages.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get All Open Orders (KEYED)")
        """
        return await self._call(open_orders, symbol=symbol, type=type, order_state=order_state, limit=limit)

    async def plan_orders(
        self,
        symbol: str | None = None,
        *,
        type: FuturesOrderType | str | None = None,
        limit: int | None = None,
        plan_type: PlanTypeFilter | str | None = None,
    ) -> list[PlanOrder]:
        """List the waiting plan, take-profit and stop-loss orders.

        GET /contract/private/current-plan-order, key, 50 calls in 2 s by key.

        Args:
            symbol: only this contract.
            type: only those that send limit, or market, orders.
            limit: 1 to 100; 100 if left out. There are no pages.
            plan_type: only plan orders, or only take-profit and stop-loss orders.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get All Current Plan Orders (KEYED)")
        """
        return await self._call(plan_orders, symbol=symbol, type=type, limit=limit, plan_type=plan_type)

    async def trades(
        self,
        symbol: str | None = None,
        *,
        account: FuturesAccountType | str | None = None,
        start_time: TimeS | None = None,
        end_time: TimeS | None = None,
        order_id: str | None = None,
        client_order_id: str | None = None,
    ) -> list[FuturesFill]:
        """List the account's own fills.

        GET /contract/private/trades, key, 6 calls in 2 s by key.

        Args:
            symbol: only this contract.
            account: the ordinary futures account if left out.
            start_time: in seconds; the last 7 days if both are left out.
            end_time: in seconds, after ``start_time`` and at most 90 days later.
            order_id: only this order's.
            client_order_id: only this order's.

        Returns:
            At most 200 fills. What is beyond is dropped without a sign; ask for shorter times.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Order Trade (KEYED)")
        """
        return await self._call(
            trades,
            symbol=symbol,
            account=account,
            start_time=start_time,
            end_time=end_time,
            order_id=order_id,
            client_order_id=client_order_id,
        )

    async def submit_order(
        self,
        *,
        symbol: str,
        side: FuturesOrderSide | FuturesSideWord | int,
        size: int,
        type: FuturesOrderType | str | None = None,
        price: Amount | None = None,
        mode: FuturesOrderMode | int | None = None,
        leverage: Amount | None = None,
        open_type: OpenType | str | None = None,
        client_order_id: str | None = None,
        preset_take_profit_price_type: PriceType | int | None = None,
        preset_stop_loss_price_type: PriceType | int | None = None,
        preset_take_profit_price: Amount | None = None,
        preset_stop_loss_price: Amount | None = None,
        stp_mode: FuturesStpMode | int | None = None,
        recv_window: int | None = None,
    ) -> FuturesOrderPlaced:
        """Submit one limit or market order.

        POST /contract/private/submit-order, signed, 24 calls in 2 s by key. Cancelling while it waits leaves the
        outcome unknown: look the client order id up in `open_orders` and `order_history`.

        Args:
            symbol: such as BTCUSDT.
            side: 1 or "buy_open_long", 2 or "buy_close_short", 3 or "sell_close_long", 4 or "sell_open_short"; in
                one-way mode 1 buys, 2 buys to reduce, 3 sells to reduce, 4 sells.
            size: contracts, at least 1.
            type: limit (if left out) or market.
            price: quote currency; for limit orders, a multiple of the contract's ``price_precision``.
            mode: how long it stays open; good till cancelled if left out, maker-only for limit orders alone.
            leverage: give it with the opening sides; the closing ones ignore it.
            open_type: margin mode; likewise. Both must match an existing position.
            client_order_id: up to 32 letters and digits, unlike those of your other orders.
            preset_take_profit_price_type: the price that triggers it; the last price if left out. Presets are for
                opening sides.
            preset_stop_loss_price_type: likewise.
            preset_take_profit_price: attach a take-profit.
            preset_stop_loss_price: attach a stop-loss.
            stp_mode: the action if it meets your own order; the resting one is cancelled if left out.
            recv_window: milliseconds the request stays valid.

        Returns:
            The order's id. It was accepted, not yet filled.

        Raises:
            InsufficientBalance: not enough margin (40027, 42000).
            InvalidOrder: price or size break the contract's rules (40043, 40044).
            DuplicateRequest: the client order id was used before (40050).
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Submit Order (SIGNED)")
        """
        return await self._call(
            submit_order,
            symbol=symbol,
            side=side,
            size=size,
            type=type,
            price=price,
            mode=mode,
            leverage=leverage,
            open_type=open_type,
            client_order_id=client_order_id,
            preset_take_profit_price_type=preset_take_profit_price_type,
            preset_stop_loss_price_type=preset_stop_loss_price_type,
            preset_take_profit_price=preset_take_profit_price,
            preset_stop_loss_price=preset_stop_loss_price,
            stp_mode=stp_mode,
            recv_window=recv_window,
        )

    async def modify_limit_order(
        self,
        symbol: str,
        *,
        order_id: str | None = None,
        client_order_id: str | None = None,
        price: Amount | None = None,
        size: int | None = None,
        recv_window: int | None = None,
    ) -> FuturesOrderIds:
        """Change price or size of a live limit order.

        POST /contract/private/modify-limit-order, signed, 24 calls in 2 s by account.

        Args:
            symbol: such as BTCUSDT.
            order_id: the exchange's id; this or the client order id.
            client_order_id: the caller's id.
            price: the new one, quote currency; this, the size or both.
            size: the new one, contracts.
            recv_window: milliseconds the request stays valid.

        Raises:
            OrderNotFound: the order does not exist (40035, 40037).
            OrderClosed: it cannot be changed any more (40036).

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Modify Limit Order (SIGNED)")
        """
        return await self._call(
            modify_limit_order,
            symbol=symbol,
            order_id=order_id,
            client_order_id=client_order_id,
            price=price,
            size=size,
            recv_window=recv_window,
        )

    async def cancel_order(
        self,
        symbol: str,
        order_id: str | None = None,
        *,
        client_order_id: str | None = None,
        recv_window: int | None = None,
    ) -> None:
        """Cancel one order. `cancel_all_orders` cancels all of a contract.

        POST /contract/private/cancel-order, signed, 40 calls in 2 s by key. A call without an id is refused here, since
        the exchange would cancel everything on the symbol.

        Args:
            symbol: such as BTCUSDT.
            order_id: the exchange's id; give this or the client order id, not both.
            client_order_id: the caller's id.
            recv_window: milliseconds the request stays valid.

        Returns:
            Nothing; accepted, not yet done. The order stream, or `order`, tells when it is cancelled.

        Raises:
            OrderNotFound: the order does not exist (40035, 40037).
            OrderClosed: filled or cancelled before (40036).

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Cancel Order (SIGNED)")
        """
        return await self._call(
            cancel_order, symbol=symbol, order_id=order_id, client_order_id=client_order_id, recv_window=recv_window
        )

    async def cancel_all_orders(self, symbol: str, *, recv_window: int | None = None) -> None:
        """Cancel every open ordinary order of one contract.

        POST /contract/private/cancel-orders, signed, 2 calls in 2 s by key. There is no form for all contracts.

        Args:
            symbol: such as BTCUSDT.
            recv_window: milliseconds the request stays valid.

        Returns:
            Nothing; accepted, not yet done.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Cancel All Orders (SIGNED)")
        """
        return await self._call(cancel_all_orders, symbol=symbol, recv_window=recv_window)

    async def cancel_all_after(
        self,
        symbol: str,
        timeout: int,  # noqa: ASYNC109  the exchange's setting, not a deadline of this call
        *,
        recv_window: int | None = None,
    ) -> CancelAllAfterResult:
        """Arm, renew or switch off the timer after which the exchange cancels a contract's ordinary orders.

        POST /contract/private/cancel-all-after, signed, 4 calls in 2 s by account, all contracts together. Plan,
        take-profit, stop-loss and trailing orders are taken not to be covered, positions are not touched. The timer may
        go on firing: switch it off at the end. ``trading.dead_mans_switch`` does all that.

        Args:
            symbol: such as BTCUSDT; each contract has a timer of its own.
            timeout: seconds, at least 5; 0 switches the timer off.
            recv_window: milliseconds the request stays valid.

        Returns:
            The time when it fires. ``result`` must be True.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Timed Cancel All Orders (SIGNED)")
        """
        return await self._call(cancel_all_after, symbol=symbol, timeout=timeout, recv_window=recv_window)
