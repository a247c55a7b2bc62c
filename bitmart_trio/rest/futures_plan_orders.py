"""Call futures orders that wait for a price: plan, take-profit and stop-loss, trailing.

The exchange reads a cancel call without an id as "cancel everything on the symbol". Here the cancel methods require an
id, and separate methods cancel everything.
"""

from __future__ import annotations

from decimal import Decimal

from .._bitmart.rows import Endpoint
from .._core.endpoint import Auth, Kind, Param, Quota, When
from ..models._futures_enums import FuturesOrderSide, FuturesSideWord, OpenType
from ..models.futures_trading import (
    FuturesOrderId,
    FuturesOrderIds,
    FuturesOrderMode,
    FuturesOrderType,
    PlanCategory,
    PlanOrderType,
    PriceType,
    PriceWay,
)
from ._base import Amount, Chapter
from ._futures_params import (
    AN_ID,
    BY_EITHER_ID,
    EXECUTIVE_PRICE,
    LEVERAGE,
    LIMIT_HAS_PRICE,
    MARKET_HAS_NONE,
    MODE,
    NEW_CLIENT_ORDER_ID,
    ONE_ID,
    OPEN_TYPE,
    PRESETS,
    PRESETS_OPEN,
    PRICE_TYPE,
    SIDE,
    SIZE,
    SUBMITTED,
    SYMBOL,
    TRIGGER_PRICE,
    WATCHED,
)

submit_plan_order: Endpoint[FuturesOrderId] = Endpoint(
    "POST",
    "/contract/private/submit-plan-order",
    Auth.SIGNED,
    Quota(24, by="uid"),
    returns=FuturesOrderId,
    params=(
        SYMBOL,
        SIDE,
        Param(
            "type",
            choices=(PlanOrderType.LIMIT, PlanOrderType.MARKET, PlanOrderType.TAKE_PROFIT, PlanOrderType.STOP_LOSS),
        ),
        LEVERAGE,
        OPEN_TYPE,
        MODE,
        SIZE,
        TRIGGER_PRICE,
        EXECUTIVE_PRICE,
        Param("price_way", Kind.INT, choices=PriceWay, required=True),
        PRICE_TYPE,
        Param("plan_category", Kind.INT, choices=PlanCategory),
        *PRESETS,
    ),
    rules=(LIMIT_HAS_PRICE, MARKET_HAS_NONE, PRESETS_OPEN),
)
modify_plan_order: Endpoint[FuturesOrderId] = Endpoint(
    "POST",
    "/contract/private/modify-plan-order",
    Auth.SIGNED,
    Quota(24, by="uid"),
    returns=FuturesOrderId,
    # The documentation calls order_id optional; since 2024-11-28 it is the only way to identify the order.
    params=(
        SYMBOL,
        Param("order_id", required=True),
        TRIGGER_PRICE,
        EXECUTIVE_PRICE,
        PRICE_TYPE,
        Param("type", choices=SUBMITTED, required=True),
    ),
    rules=(LIMIT_HAS_PRICE, MARKET_HAS_NONE),
)
modify_preset_plan_order: Endpoint[FuturesOrderId] = Endpoint(
    "POST",
    "/contract/private/modify-preset-plan-order",
    Auth.SIGNED,
    Quota(24, by="uid"),
    returns=FuturesOrderId,
    params=(SYMBOL, Param("order_id", required=True), *PRESETS),
)
cancel_plan_order: Endpoint[None] = Endpoint(
    "POST",
    "/contract/private/cancel-plan-order",
    Auth.SIGNED,
    Quota(40, by="uid"),
    returns=type(None),
    params=BY_EITHER_ID,
    rules=ONE_ID,
    urgent=True,
)
cancel_all_plan_orders: Endpoint[None] = Endpoint(
    "POST",
    "/contract/private/cancel-plan-order",
    Auth.SIGNED,
    Quota(40, by="uid"),
    returns=type(None),
    params=(SYMBOL,),
    urgent=True,
)
submit_tp_sl_order: Endpoint[FuturesOrderIds] = Endpoint(
    "POST",
    "/contract/private/submit-tp-sl-order",
    Auth.SIGNED,
    Quota(24, by="uid"),
    returns=FuturesOrderIds,
    params=(
        SYMBOL,
        Param("type", choices=(PlanOrderType.TAKE_PROFIT, PlanOrderType.STOP_LOSS), required=True),
        Param(
            "side",
            Kind.INT,
            choices=(FuturesOrderSide.BUY_CLOSE_SHORT, FuturesOrderSide.SELL_CLOSE_LONG),
            required=True,
        ),
        Param("size", Kind.INT, least=1),
        TRIGGER_PRICE,
        Param("executive_price", Kind.DECIMAL, least=0, required=True),
        PRICE_TYPE,
        Param("plan_category", Kind.INT, choices=PlanCategory),
        NEW_CLIENT_ORDER_ID,
        Param("category", choices=SUBMITTED),
    ),
)
modify_tp_sl_order: Endpoint[FuturesOrderId] = Endpoint(
    "POST",
    "/contract/private/modify-tp-sl-order",
    Auth.SIGNED,
    Quota(24, by="uid"),
    returns=FuturesOrderId,
    params=(
        *BY_EITHER_ID,
        TRIGGER_PRICE,
        EXECUTIVE_PRICE,
        PRICE_TYPE,
        Param("plan_category", Kind.INT, choices=PlanCategory),
        Param("category", choices=SUBMITTED),
    ),
    rules=(AN_ID, When((("plan_category", (PlanCategory.TP_SL,)),), needs=("executive_price", "category"))),
)
submit_trailing_order: Endpoint[FuturesOrderId] = Endpoint(
    "POST",
    "/contract/private/submit-trail-order",
    Auth.SIGNED,
    Quota(24, by="uid"),
    returns=FuturesOrderId,
    params=(
        SYMBOL,
        SIDE,
        LEVERAGE,
        OPEN_TYPE,
        SIZE,
        Param("activation_price", Kind.DECIMAL, positive=True, required=True),
        Param("callback_rate", Kind.DECIMAL, least=Decimal("0.1"), most=5, required=True),
        Param("activation_price_type", Kind.INT, choices=WATCHED, required=True),
    ),
)
cancel_trailing_order: Endpoint[None] = Endpoint(
    "POST",
    "/contract/private/cancel-trail-order",
    Auth.SIGNED,
    Quota(24, by="uid"),
    returns=type(None),
    params=(SYMBOL, Param("order_id", required=True)),
    urgent=True,
)
cancel_all_trailing_orders: Endpoint[None] = Endpoint(
    "POST",
    "/contract/private/cancel-trail-order",
    Auth.SIGNED,
    Quota(24, by="uid"),
    returns=type(None),
    params=(SYMBOL,),
    urgent=True,
)


class FuturesPlanOrders(Chapter):
    """The methods of ``client.futures.trading`` for orders that wait for a price."""

    __slots__ = ()

    async def submit_plan_order(
        self,
        *,
        symbol: str,
        side: FuturesOrderSide | FuturesSideWord | int,
        leverage: Amount,
        open_type: OpenType | str,
        size: int,
        trigger_price: Amount,
        price_way: PriceWay | int,
        price_type: PriceType | int,
        type: PlanOrderType | str | None = None,
        mode: FuturesOrderMode | int | None = None,
        executive_price: Amount | None = None,
        plan_category: PlanCategory | int | None = None,
        preset_take_profit_price_type: PriceType | int | None = None,
        preset_stop_loss_price_type: PriceType | int | None = None,
        preset_take_profit_price: Amount | None = None,
        preset_stop_loss_price: Amount | None = None,
        recv_window: int | None = None,
    ) -> FuturesOrderId:
        """Submit an order that the exchange sends when a price is reached.

        POST /contract/private/submit-plan-order, signed, 24 calls in 2 s by account. It takes no client order id: if
        the outcome is unknown, check `plan_orders`. To close a position, `submit_tp_sl_order` is the newer way.

        Args:
            symbol: such as BTCUSDT.
            side: see `submit_order`.
            leverage: within the contract's bounds.
            open_type: margin mode.
            size: contracts, at least 1.
            trigger_price: the price that triggers it, quote currency.
            price_way: 1 triggers on the way up, 2 on the way down.
            price_type: 1 watches the last price, 2 the mark price.
            type: limit (if left out), market, take_profit or stop_loss.
            mode: mode of the order that it sends; good till cancelled if left out.
            executive_price: price of the order that it sends; for type limit, not for market.
            plan_category: for take-profit and stop-loss: part of the position or all of it.
            preset_take_profit_price_type: the price that triggers it; the last price if left out. Presets are for
                opening sides.
            preset_stop_loss_price_type: likewise.
            preset_take_profit_price: attach a take-profit.
            preset_stop_loss_price: attach a stop-loss.
            recv_window: milliseconds the request stays valid.

        Raises:
            TooManyOrders: too many plan orders are waiting (40028).
            RequestRefused: the trigger price is too far from the market (40031), or another argument is wrong.
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Submit Plan Order (SIGNED)")
        """
        return await self._call(
            submit_plan_order,
            symbol=symbol,
            side=side,
            type=type,
            leverage=leverage,
            open_type=open_type,
            mode=mode,
            size=size,
            trigger_price=trigger_price,
            executive_price=executive_price,
            price_way=price_way,
            price_type=price_type,
            plan_category=plan_category,
            preset_take_profit_price_type=preset_take_profit_price_type,
            preset_stop_loss_price_type=preset_stop_loss_price_type,
            preset_take_profit_price=preset_take_profit_price,
            preset_stop_loss_price=preset_stop_loss_price,
            recv_window=recv_window,
        )

    async def modify_plan_order(
        self,
        symbol: str,
        order_id: str,
        *,
        trigger_price: Amount,
        price_type: PriceType | int,
        type: FuturesOrderType | str,
        executive_price: Amount | None = None,
        recv_window: int | None = None,
    ) -> FuturesOrderId:
        """Change the prices of a waiting plan order.

        POST /contract/private/modify-plan-order, signed, 24 calls in 2 s by account.

        Args:
            symbol: such as BTCUSDT.
            order_id: the exchange's id; client order ids are not accepted since 2024-11-28.
            trigger_price: the new one.
            price_type: 1 watches the last price, 2 the mark price.
            type: limit or market, for the order that it sends.
            executive_price: the new price of that order; for type limit, not for market.
            recv_window: milliseconds the request stays valid.

        Raises:
            OrderNotFound: the order does not exist (40035, 40037).
            OrderClosed: the order can no longer be changed (40036).

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Modify Plan Order (SIGNED)")
        """
        return await self._call(
            modify_plan_order,
            symbol=symbol,
            order_id=order_id,
            trigger_price=trigger_price,
            executive_price=executive_price,
            price_type=price_type,
            type=type,
            recv_window=recv_window,
        )

    async def modify_preset_plan_order(
        self,
        symbol: str,
        order_id: str,
        *,
        preset_take_profit_price_type: PriceType | int | None = None,
        preset_stop_loss_price_type: PriceType | int | None = None,
        preset_take_profit_price: Amount | None = None,
        preset_stop_loss_price: Amount | None = None,
        recv_window: int | None = None,
    ) -> FuturesOrderId:
        """Change the take-profit and stop-loss attached to an order.

        POST /contract/private/modify-preset-plan-order, signed, 24 calls in 2 s by account.

        Args:
            symbol: such as BTCUSDT.
            order_id: the exchange's id.
            preset_take_profit_price_type: the price that triggers it; the last price if left out.
            preset_stop_loss_price_type: likewise.
            preset_take_profit_price: the new take-profit.
            preset_stop_loss_price: the new stop-loss.
            recv_window: milliseconds the request stays valid.

        Raises:
            OrderNotFound: the order does not exist (40035, 40037).

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Modify Preset Plan Order (SIGNED)")
        """
        return await self._call(
            modify_preset_plan_order,
            symbol=symbol,
            order_id=order_id,
            preset_take_profit_price_type=preset_take_profit_price_type,
            preset_stop_loss_price_type=preset_stop_loss_price_type,
            preset_take_profit_price=preset_take_profit_price,
            preset_stop_loss_price=preset_stop_loss_price,
            recv_window=recv_window,
        )

    async def cancel_plan_order(
        self,
        symbol: str,
        order_id: str | None = None,
        *,
        client_order_id: str | None = None,
        recv_window: int | None = None,
    ) -> None:
        """Cancel one plan, take-profit or stop-loss order. `cancel_all_plan_orders` cancels all of a contract.

        POST /contract/private/cancel-plan-order, signed, 40 calls in 2 s by account. A call without an id is refused
        here, since the exchange would cancel everything on the symbol.

        Args:
            symbol: such as BTCUSDT.
            order_id: the exchange's id; give this or the client order id, not both.
            client_order_id: the caller's id, of a take-profit or stop-loss order.
            recv_window: milliseconds the request stays valid.

        Raises:
            OrderNotFound: the order does not exist (40035, 40037).
            OrderClosed: the order was already triggered or cancelled (40036).

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Cancel Plan Order (SIGNED)")
        """
        return await self._call(
            cancel_plan_order,
            symbol=symbol,
            order_id=order_id,
            client_order_id=client_order_id,
            recv_window=recv_window,
        )

    async def cancel_all_plan_orders(self, symbol: str, *, recv_window: int | None = None) -> None:
        """Cancel every plan, take-profit and stop-loss order of one contract.

        POST /contract/private/cancel-plan-order without an id, signed, 40 calls in 2 s by account, together with
        `cancel_plan_order`.

        Args:
            symbol: such as BTCUSDT.
            recv_window: milliseconds the request stays valid.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Cancel Plan Order (SIGNED)")
        """
        return await self._call(cancel_all_plan_orders, symbol=symbol, recv_window=recv_window)

    async def submit_tp_sl_order(
        self,
        *,
        symbol: str,
        type: PlanOrderType | str,
        side: FuturesOrderSide | FuturesSideWord | int,
        trigger_price: Amount,
        executive_price: Amount,
        price_type: PriceType | int,
        size: int | None = None,
        plan_category: PlanCategory | int | None = None,
        client_order_id: str | None = None,
        category: FuturesOrderType | str | None = None,
        recv_window: int | None = None,
    ) -> FuturesOrderIds:
        """Attach a take-profit or a stop-loss to an open position; for both, call twice.

        POST /contract/private/submit-tp-sl-order, signed, 24 calls in 2 s by account. Cancelling while it waits leaves
        the outcome unknown: look the client order id up in `plan_orders`.

        Args:
            symbol: such as BTCUSDT.
            type: take_profit or stop_loss.
            side: 2 or "buy_close_short", 3 or "sell_close_long".
            trigger_price: fires it. For a long, a take-profit lies above and a stop-loss below the current price.
            executive_price: price of the order that is sent; 0 for a market order.
            price_type: 1 watches the last price, 2 the mark price.
            size: contracts, with plan category 1; the position's size if left out.
            plan_category: 1 part of the position, 2 all of it (if left out).
            client_order_id: up to 32 letters and digits, unlike those of your other orders.
            category: limit or market, the order that is sent; market if left out with plan category 2.
            recv_window: milliseconds the request stays valid.

        Raises:
            PositionRefused: there is no position to close (40020, 40021).
            DuplicateRequest: the client order id was used before (40050).
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Submit TP or SL Order (SIGNED)")
        """
        return await self._call(
            submit_tp_sl_order,
            symbol=symbol,
            type=type,
            side=side,
            size=size,
            trigger_price=trigger_price,
            executive_price=executive_price,
            price_type=price_type,
            plan_category=plan_category,
            client_order_id=client_order_id,
            category=category,
            recv_window=recv_window,
        )

    async def modify_tp_sl_order(
        self,
        *,
        symbol: str,
        trigger_price: Amount,
        price_type: PriceType | int,
        order_id: str | None = None,
        client_order_id: str | None = None,
        executive_price: Amount | None = None,
        plan_category: PlanCategory | int | None = None,
        category: FuturesOrderType | str | None = None,
        recv_window: int | None = None,
    ) -> FuturesOrderId:
        """Change a waiting take-profit or stop-loss order.

        POST /contract/private/modify-tp-sl-order, signed, 24 calls in 2 s by account.

        Args:
            symbol: such as BTCUSDT.
            trigger_price: the new one.
            price_type: 1 watches the last price, 2 the mark price.
            order_id: the exchange's id; this or the client order id.
            client_order_id: the caller's id.
            executive_price: the new price of the order that is sent; needed with plan category 1.
            plan_category: 1 part of the position, 2 all of it.
            category: limit or market, the order that is sent; needed with plan category 1.
            recv_window: milliseconds the request stays valid.

        Raises:
            OrderNotFound: the order does not exist (40035, 40037).
            OrderClosed: the order can no longer be changed (40036).

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Modify TP/SL Order (SIGNED)")
        """
        return await self._call(
            modify_tp_sl_order,
            symbol=symbol,
            order_id=order_id,
            client_order_id=client_order_id,
            trigger_price=trigger_price,
            executive_price=executive_price,
            price_type=price_type,
            plan_category=plan_category,
            category=category,
            recv_window=recv_window,
        )

    async def submit_trailing_order(
        self,
        *,
        symbol: str,
        side: FuturesOrderSide | FuturesSideWord | int,
        leverage: Amount,
        open_type: OpenType | str,
        size: int,
        activation_price: Amount,
        callback_rate: Amount,
        activation_price_type: PriceType | int,
        recv_window: int | None = None,
    ) -> FuturesOrderId:
        """Submit a trailing order, which follows the price and becomes a market order when it turns.

        POST /contract/private/submit-trail-order, signed, 24 calls in 2 s by account. It takes no client order id: when
        the outcome is unknown, compare with `open_orders`.

        Args:
            symbol: such as BTCUSDT.
            side: see `submit_order`.
            leverage: within the contract's bounds.
            open_type: margin mode.
            size: contracts, at least 1.
            activation_price: the price at which trailing begins.
            callback_rate: how far back from the extreme, 0.1 to 5 percent (1 is 1 %).
            activation_price_type: 1 watches the last price, 2 the mark price.
            recv_window: milliseconds the request stays valid.

        Raises:
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Submit Trail Order (SIGNED)")
        """
        return await self._call(
            submit_trailing_order,
            symbol=symbol,
            side=side,
            leverage=leverage,
            open_type=open_type,
            size=size,
            activation_price=activation_price,
            callback_rate=callback_rate,
            activation_price_type=activation_price_type,
            recv_window=recv_window,
        )

    async def cancel_trailing_order(self, symbol: str, order_id: str, *, recv_window: int | None = None) -> None:
        """Cancel one trailing order. `cancel_all_trailing_orders` cancels all of a contract.

        POST /contract/private/cancel-trail-order, signed, 24 calls in 2 s by account.

        Args:
            symbol: such as BTCUSDT.
            order_id: the exchange's id.
            recv_window: milliseconds the request stays valid.

        Raises:
            OrderNotFound: the order does not exist (40035, 40037).
            OrderClosed: the order was already triggered or cancelled (40036).

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Cancel Trail Order (SIGNED)")
        """
        return await self._call(cancel_trailing_order, symbol=symbol, order_id=order_id, recv_window=recv_window)

    async def cancel_all_trailing_orders(self, symbol: str, *, recv_window: int | None = None) -> None:
        """Cancel every trailing order of one contract.

        POST /contract/private/cancel-trail-order without an id, signed, 24 calls in 2 s by account. No source spells
        this form out; the other cancel calls behave so. Look at `open_orders` afterwards.

        Args:
            symbol: such as BTCUSDT.
            recv_window: milliseconds the request stays valid.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Cancel Trail Order (SIGNED)")
        """
        return await self._call(cancel_all_trailing_orders, symbol=symbol, recv_window=recv_window)
