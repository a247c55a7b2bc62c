"""Savings on the spot host: flexible and fixed-term. Added by the exchange in 2026-04 and 2026-06."""

from __future__ import annotations

from .._bitmart.rows import Endpoint
from .._core.endpoint import Auth, Kind, Ordered, Param
from ..models.earn import (
    AutoSavingsStatus,
    AutoSubscribeAction,
    EarnHolding,
    FixedAutoSubscribe,
    FixedSavingsHoldingPage,
    FixedSavingsProductPage,
    FixedSavingsRecordPage,
    FlexibleAutoSubscribeStatus,
    FlexibleSavingsHoldingPage,
    FlexibleSavingsProductPage,
    FlexibleSavingsRecordPage,
    SavingsRecordType,
)
from ._base import Amount, Chapter, TimeMs

_COIN_NAME = Param("coin_name", wire="coinName")
_PRODUCT_ID = Param("product_id", wire="productId")
_PRODUCT_ID_REQUIRED = Param("product_id", wire="productId", required=True)
_EARN_ID = Param("earn_id", wire="earnId", required=True)
_AMOUNT = Param("amount", Kind.DECIMAL, positive=True, required=True)
_REQUEST_NO = Param("request_no", wire="requestNo", pattern="[0-9]{20}", required=True)
_PAGE = (
    Param("page", Kind.INT, wire="currentPage", least=1, required=True),
    Param("page_size", Kind.INT, wire="sizePage", least=1, most=100, required=True),
)
_AT_MATURITY = Param("auto_subscribe", wire="autoSubscribe", choices=FixedAutoSubscribe, required=True)
_SWITCH = Param("auto_subscribe", wire="autoSubscribe", choices=AutoSubscribeAction, required=True)
_RECORD_PARAMS = (
    Param("type", choices=SavingsRecordType, required=True),
    Param("start_time", Kind.MILLIS, wire="startTime"),
    Param("end_time", Kind.MILLIS, wire="endTime"),
    _COIN_NAME,
    *_PAGE,
)

holdings: Endpoint[list[EarnHolding]] = Endpoint("GET", "/newearn/cloud/v1/earn", Auth.KEYED, returns=list[EarnHolding])
flexible_products: Endpoint[FlexibleSavingsProductPage] = Endpoint(
    "GET",
    "/newearn/cloud/v1/saving/product",
    Auth.KEYED,
    returns=FlexibleSavingsProductPage,
    params=(_COIN_NAME, *_PAGE),
)
subscribe_flexible: Endpoint[bool] = Endpoint(
    "POST",
    "/newearn/cloud/v1/saving/subscribe",
    Auth.SIGNED,
    returns=bool,
    params=(_PRODUCT_ID_REQUIRED, _AMOUNT, _REQUEST_NO),
)
redeem_flexible: Endpoint[bool] = Endpoint(
    "POST",
    "/newearn/cloud/v1/saving/redeem",
    Auth.SIGNED,
    returns=bool,
    params=(_EARN_ID, _AMOUNT, _REQUEST_NO),
)
flexible_holdings: Endpoint[FlexibleSavingsHoldingPage] = Endpoint(
    "GET",
    "/newearn/cloud/v1/saving/earn",
    Auth.KEYED,
    returns=FlexibleSavingsHoldingPage,
    params=(_COIN_NAME, _PRODUCT_ID, *_PAGE),
)
flexible_records: Endpoint[FlexibleSavingsRecordPage] = Endpoint(
    "GET",
    "/newearn/cloud/v1/saving/record",
    Auth.KEYED,
    returns=FlexibleSavingsRecordPage,
    params=_RECORD_PARAMS,
    rules=(Ordered("start_time", "end_time", or_equal=True),),
)
fixed_products: Endpoint[FixedSavingsProductPage] = Endpoint(
    "GET",
    "/newearn/cloud/v1/saving/fixed/product",
    Auth.KEYED,
    returns=FixedSavingsProductPage,
    params=(_COIN_NAME, *_PAGE),
)
subscribe_fixed: Endpoint[bool] = Endpoint(
    "POST",
    "/newearn/cloud/v1/saving/fixed/subscribe",
    Auth.SIGNED,
    returns=bool,
    params=(_PRODUCT_ID_REQUIRED, _AMOUNT, _REQUEST_NO, _AT_MATURITY),
)
fixed_holdings: Endpoint[FixedSavingsHoldingPage] = Endpoint(
    "GET",
    "/newearn/cloud/v1/saving/fixed/earn",
    Auth.KEYED,
    returns=FixedSavingsHoldingPage,
    params=(_COIN_NAME, _PRODUCT_ID, *_PAGE),
)
fixed_records: Endpoint[FixedSavingsRecordPage] = Endpoint(
    "GET",
    "/newearn/cloud/v1/saving/fixed/record",
    Auth.KEYED,
    returns=FixedSavingsRecordPage,
    params=_RECORD_PARAMS,
    rules=(Ordered("start_time", "end_time", or_equal=True),),
)
redeem_fixed: Endpoint[bool] = Endpoint(
    "POST",
    "/newearn/cloud/v1/saving/fixed/redeem",
    Auth.SIGNED,
    returns=bool,
    params=(_EARN_ID, _REQUEST_NO),
)
set_fixed_auto_renewal: Endpoint[bool] = Endpoint(
    "POST",
    "/newearn/cloud/v1/saving/fixed/subscribe/operate",
    Auth.SIGNED,
    returns=bool,
    params=(_EARN_ID, _AT_MATURITY),
)
set_auto_savings: Endpoint[bool] = Endpoint(
    "POST",
    "/newearn/cloud/v1/saving/subscribe/batch/operate",
    Auth.SIGNED,
    returns=bool,
    params=(_SWITCH,),
)
auto_savings_status: Endpoint[AutoSavingsStatus] = Endpoint(
    "GET", "/newearn/cloud/v1/saving/subscribe/batch", Auth.KEYED, returns=AutoSavingsStatus
)
set_flexible_auto_subscribe: Endpoint[bool] = Endpoint(
    "POST",
    "/newearn/cloud/v1/saving/subscribe/operate",
    Auth.SIGNED,
    returns=bool,
    params=(_PRODUCT_ID_REQUIRED, _SWITCH),
)
flexible_auto_subscribe_status: Endpoint[FlexibleAutoSubscribeStatus] = Endpoint(
    "GET",
    "/newearn/cloud/v1/saving/subscribe/status",
    Auth.KEYED,
    returns=FlexibleAutoSubscribeStatus,
    params=(_PRODUCT_ID_REQUIRED,),
)


class SpotEarn(Chapter):
    """The methods of ``client.spot.earn``.

    A ``request_no`` of exactly 20 digits makes a subscription or redemption idempotent: keep the number of one whose
    outcome is unknown and send it again.
    """

    __slots__ = ()

    async def holdings(self) -> list[EarnHolding]:
        """Read all savings by coin, flexible and fixed-term together.

        GET /newearn/cloud/v1/earn, keyed.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Earn")
        """
        return await self._call(holdings)

    async def flexible_products(
        self, coin_name: str | None = None, *, page: int = 1, page_size: int = 100
    ) -> FlexibleSavingsProductPage:
        """List the flexible savings products.

        GET /newearn/cloud/v1/saving/product, keyed.

        Args:
            coin_name: such as USDT; all if left out.
            page: from 1.
            page_size: 1 to 100.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Earn")
        """
        return await self._call(flexible_products, coin_name=coin_name, page=page, page_size=page_size)

    async def subscribe_flexible(
        self, product_id: str, amount: Amount, *, request_no: str, recv_window: int | None = None
    ) -> bool:
        """Subscribe to a flexible product.

        POST /newearn/cloud/v1/saving/subscribe, signed (permission for finance).

        Args:
            product_id: of `flexible_products`.
            amount: in the product's coin.
            request_no: exactly 20 digits, unique.
            recv_window: milliseconds; this endpoint does not send it.

        Returns:
            True if it was done.

        Raises:
            OutcomeUnknown: the connection failed after sending; repeat it with the same ``request_no``.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Earn")
        """
        return await self._call(
            subscribe_flexible, product_id=product_id, amount=amount, request_no=request_no, recv_window=recv_window
        )

    async def redeem_flexible(
        self, earn_id: str, amount: Amount, *, request_no: str, recv_window: int | None = None
    ) -> bool:
        """Redeem a flexible holding, in part or whole.

        POST /newearn/cloud/v1/saving/redeem, signed (permission for finance).

        Args:
            earn_id: of `flexible_holdings`.
            amount: in the holding's coin.
            request_no: exactly 20 digits, unique.
            recv_window: milliseconds; this endpoint does not send it.

        Returns:
            True if it was done.

        Raises:
            OutcomeUnknown: the connection failed after sending; repeat it with the same ``request_no``.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Earn")
        """
        return await self._call(
            redeem_flexible, earn_id=earn_id, amount=amount, request_no=request_no, recv_window=recv_window
        )

    async def flexible_holdings(
        self,
        coin_name: str | None = None,
        *,
        product_id: str | None = None,
        page: int = 1,
        page_size: int = 100,
    ) -> FlexibleSavingsHoldingPage:
        """List the account's flexible holdings.

        GET /newearn/cloud/v1/saving/earn, keyed.

        Args:
            coin_name: such as USDT; all if left out.
            product_id: of this product only.
            page: from 1.
            page_size: 1 to 100.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Earn")
        """
        return await self._call(
            flexible_holdings, coin_name=coin_name, product_id=product_id, page=page, page_size=page_size
        )

    async def flexible_records(
        self,
        type: SavingsRecordType | str,
        *,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        coin_name: str | None = None,
        page: int = 1,
        page_size: int = 100,
    ) -> FlexibleSavingsRecordPage:
        """List subscriptions, redemptions or interest payments of flexible savings.

        GET /newearn/cloud/v1/saving/record, keyed.

        Args:
            type: one of the three triggers.
            start_time: in milliseconds.
            end_time: in milliseconds.
            coin_name: such as USDT; all if left out.
            page: from 1.
            page_size: 1 to 100.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Earn")
        """
        return await self._call(
            flexible_records,
            type=type,
            start_time=start_time,
            end_time=end_time,
            coin_name=coin_name,
            page=page,
            page_size=page_size,
        )

    async def fixed_products(
        self, coin_name: str | None = None, *, page: int = 1, page_size: int = 100
    ) -> FixedSavingsProductPage:
        """List the fixed-term savings products.

        GET /newearn/cloud/v1/saving/fixed/product, keyed.

        Args:
            coin_name: such as USDT; all if left out.
            page: from 1.
            page_size: 1 to 100.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Earn")
        """
        return await self._call(fixed_products, coin_name=coin_name, page=page, page_size=page_size)

    async def subscribe_fixed(
        self,
        product_id: str,
        amount: Amount,
        *,
        request_no: str,
        auto_subscribe: FixedAutoSubscribe | str,
        recv_window: int | None = None,
    ) -> bool:
        """Subscribe to a fixed-term product.

        POST /newearn/cloud/v1/saving/fixed/subscribe, signed (permission for finance).

        Args:
            product_id: of `fixed_products`.
            amount: in the product's coin.
            request_no: exactly 20 digits, unique.
            auto_subscribe: the action at maturity.
            recv_window: milliseconds; this endpoint does not send it.

        Returns:
            True if it was done.

        Raises:
            OutcomeUnknown: the connection failed after sending; repeat it with the same ``request_no``.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Earn")
        """
        return await self._call(
            subscribe_fixed,
            product_id=product_id,
            amount=amount,
            request_no=request_no,
            auto_subscribe=auto_subscribe,
            recv_window=recv_window,
        )

    async def fixed_holdings(
        self,
        coin_name: str | None = None,
        *,
        product_id: str | None = None,
        page: int = 1,
        page_size: int = 100,
    ) -> FixedSavingsHoldingPage:
        """List the account's fixed-term holdings.

        GET /newearn/cloud/v1/saving/fixed/earn, keyed.

        Args:
            coin_name: such as USDT; all if left out.
            product_id: of this product only.
            page: from 1.
            page_size: 1 to 100.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Earn")
        """
        return await self._call(
            fixed_holdings, coin_name=coin_name, product_id=product_id, page=page, page_size=page_size
        )

    async def fixed_records(
        self,
        type: SavingsRecordType | str,
        *,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        coin_name: str | None = None,
        page: int = 1,
        page_size: int = 100,
    ) -> FixedSavingsRecordPage:
        """List subscriptions, redemptions or interest payments of fixed-term savings.

        GET /newearn/cloud/v1/saving/fixed/record, keyed.

        Args:
            type: one of the three triggers.
            start_time: in milliseconds.
            end_time: in milliseconds.
            coin_name: such as USDT; all if left out.
            page: from 1.
            page_size: 1 to 100.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Earn")
        """
        return await self._call(
            fixed_records,
            type=type,
            start_time=start_time,
            end_time=end_time,
            coin_name=coin_name,
            page=page,
            page_size=page_size,
        )

    async def redeem_fixed(self, earn_id: str, *, request_no: str, recv_window: int | None = None) -> bool:
        """Redeem a fixed-term holding before it matures.

        POST /newearn/cloud/v1/saving/fixed/redeem, signed (permission for finance).

        Args:
            earn_id: of `fixed_holdings`.
            request_no: exactly 20 digits, unique.
            recv_window: milliseconds; this endpoint does not send it.

        Returns:
            True if it was done.

        Raises:
            OutcomeUnknown: the connection failed after sending; repeat it with the same ``request_no``.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Earn")
        """
        return await self._call(redeem_fixed, earn_id=earn_id, request_no=request_no, recv_window=recv_window)

    async def set_fixed_auto_renewal(
        self, earn_id: str, auto_subscribe: FixedAutoSubscribe | str, *, recv_window: int | None = None
    ) -> bool:
        """Change the action for a fixed-term holding at maturity.

        POST /newearn/cloud/v1/saving/fixed/subscribe/operate, signed (permission for finance).

        Args:
            earn_id: of `fixed_holdings`.
            auto_subscribe: the action at maturity.
            recv_window: milliseconds; this endpoint does not send it.

        Returns:
            True if it was done.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Earn")
        """
        return await self._call(
            set_fixed_auto_renewal, earn_id=earn_id, auto_subscribe=auto_subscribe, recv_window=recv_window
        )

    async def set_auto_savings(
        self, auto_subscribe: AutoSubscribeAction | str, *, recv_window: int | None = None
    ) -> bool:
        """Switch automatic subscription on or off for all flexible products.

        POST /newearn/cloud/v1/saving/subscribe/batch/operate, signed (permission for finance).

        Args:
            auto_subscribe: open switches it on, close off.
            recv_window: milliseconds; this endpoint does not send it.

        Returns:
            True if it was done.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Earn")
        """
        return await self._call(set_auto_savings, auto_subscribe=auto_subscribe, recv_window=recv_window)

    async def auto_savings_status(self) -> AutoSavingsStatus:
        """Read whether automatic subscription is on for all flexible products.

        GET /newearn/cloud/v1/saving/subscribe/batch, keyed.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Earn")
        """
        return await self._call(auto_savings_status)

    async def set_flexible_auto_subscribe(
        self, product_id: str, auto_subscribe: AutoSubscribeAction | str, *, recv_window: int | None = None
    ) -> bool:
        """Switch automatic subscription on or off for one flexible product.

        POST /newearn/cloud/v1/saving/subscribe/operate, signed (permission for finance).

        Args:
            product_id: of `flexible_products`.
            auto_subscribe: open switches it on, close off.
            recv_window: milliseconds; this endpoint does not send it.

        Returns:
            True if it was done.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Earn")
        """
        return await self._call(
            set_flexible_auto_subscribe, product_id=product_id, auto_subscribe=auto_subscribe, recv_window=recv_window
        )

    async def flexible_auto_subscribe_status(self, product_id: str) -> FlexibleAutoSubscribeStatus:
        """Read the automatic subscription of one flexible product.

        GET /newearn/cloud/v1/saving/subscribe/status, keyed.

        Args:
            product_id: of `flexible_products`.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Earn")
        """
        return await self._call(flexible_auto_subscribe_status, product_id=product_id)
