"""Call the affiliate chapter: trades, fees and commission of invited users. Needs the contract-agent permission."""

from __future__ import annotations

from .._bitmart.rows import Endpoint, Envelope
from .._core.endpoint import Auth, Kind, Ordered, Param, Quota
from ..models.futures_affiliate import (
    AffiliateApiRebate,
    AffiliateCustomerInfo,
    AffiliateFundsRecordPage,
    AffiliateFundsType,
    AffiliateInviteCheck,
    AffiliateInvitedUserPage,
    AffiliateRebatePage,
    AffiliateTradePage,
    AffiliateUserRebate,
)
from ..models.futures_position import ContractMargin
from ._base import Chapter, TimeS

_QUOTA = Quota(24, by="key")
_CID = Param("cid", Kind.INT, required=True)
_PAGE = Param("page", Kind.INT, required=True, least=1)
_PAGE_SIZE = Param("page_size", Kind.INT, wire="size", required=True, least=1)
_PAGE_SIZE_50 = Param("page_size", Kind.INT, wire="size", required=True, least=1, most=50)
_PERIOD = (Param("start_time", Kind.SECONDS, required=True), Param("end_time", Kind.SECONDS, required=True))
_IN_ORDER = (Ordered("start_time", "end_time"),)

rebates: Endpoint[AffiliateRebatePage] = Endpoint(
    "GET",
    "/contract/private/affiliate/rebate-list",
    Auth.KEYED,
    _QUOTA,
    returns=AffiliateRebatePage,
    params=(
        _PAGE,
        _PAGE_SIZE,
        Param("currency", required=True),
        Param("user_id", Kind.INT),
        Param("rebate_start_time", Kind.SECONDS),
        Param("rebate_end_time", Kind.SECONDS),
        Param("register_start_time", Kind.SECONDS),
        Param("register_end_time", Kind.SECONDS),
    ),
    rules=(Ordered("rebate_start_time", "rebate_end_time"), Ordered("register_start_time", "register_end_time")),
    envelope=Envelope.AFFILIATE,
)
trades: Endpoint[AffiliateTradePage] = Endpoint(
    "GET",
    "/contract/private/affiliate/trade-list",
    Auth.KEYED,
    _QUOTA,
    returns=AffiliateTradePage,
    params=(
        Param("user_id", Kind.INT, required=True),
        Param("type", Kind.INT, choices=ContractMargin, required=True),
        _PAGE,
        _PAGE_SIZE,
        Param("start_time", Kind.SECONDS),
        Param("end_time", Kind.SECONDS),
    ),
    rules=_IN_ORDER,
    envelope=Envelope.AFFILIATE,
)
user_rebate: Endpoint[AffiliateUserRebate] = Endpoint(
    "GET",
    "/contract/private/affiliate/rebate-user",
    Auth.KEYED,
    _QUOTA,
    returns=AffiliateUserRebate,
    params=(_CID, *_PERIOD),
    rules=_IN_ORDER,
    envelope=Envelope.AFFILIATE,
)
api_rebate: Endpoint[AffiliateApiRebate] = Endpoint(
    "GET",
    "/contract/private/affiliate/rebate-api",
    Auth.KEYED,
    _QUOTA,
    returns=AffiliateApiRebate,
    params=(_CID, *_PERIOD),
    rules=_IN_ORDER,
    envelope=Envelope.AFFILIATE,
)
invite_check: Endpoint[AffiliateInviteCheck] = Endpoint(
    "GET",
    "/contract/private/affiliate/invite-check",
    Auth.KEYED,
    _QUOTA,
    returns=AffiliateInviteCheck,
    params=(_CID,),
    envelope=Envelope.AFFILIATE,
)
# The capital U is real.
invited_users: Endpoint[AffiliateInvitedUserPage] = Endpoint(
    "GET",
    "/contract/private/affiliate/rebate-inviteUser",
    Auth.KEYED,
    _QUOTA,
    returns=AffiliateInvitedUserPage,
    params=(*_PERIOD, _PAGE, _PAGE_SIZE_50, Param("cid", Kind.INT)),
    rules=_IN_ORDER,
    envelope=Envelope.AFFILIATE,
)
# Known without an envelope; the affiliate envelope is accepted as well.
funds_records: Endpoint[AffiliateFundsRecordPage] = Endpoint(
    "GET",
    "/contract/private/affiliate/deposit-withdrawal-list",
    Auth.KEYED,
    returns=AffiliateFundsRecordPage,
    params=(_PAGE, _PAGE_SIZE_50, _CID, *_PERIOD, Param("type", Kind.INT, choices=AffiliateFundsType)),
    rules=_IN_ORDER,
    envelope=Envelope.AFFILIATE,
)
# userId here, user_id and cid elsewhere: all as the exchange has it.
customer_info: Endpoint[AffiliateCustomerInfo] = Endpoint(
    "GET",
    "/contract/private/affiliate/aff-customer-info",
    Auth.KEYED,
    returns=AffiliateCustomerInfo,
    params=(Param("user_id", Kind.INT, wire="userId", required=True),),
    envelope=Envelope.AFFILIATE,
)


class FuturesAffiliate(Chapter):
    """The methods of ``client.futures.affiliate``."""

    __slots__ = ()

    async def rebates(
        self,
        *,
        page: int,
        page_size: int,
        currency: str,
        user_id: int | None = None,
        rebate_start_time: TimeS | None = None,
        rebate_end_time: TimeS | None = None,
        register_start_time: TimeS | None = None,
        register_end_time: TimeS | None = None,
    ) -> AffiliateRebatePage:
        """List the commission earned, with totals.

        GET /contract/private/affiliate/rebate-list, key, 24 calls in 2 s by key.

        Args:
            page: from 1.
            page_size: entries per page.
            currency: such as USDT.
            user_id: only this user.
            rebate_start_time: commission from then on, in seconds.
            rebate_end_time: commission until then, in seconds.
            register_start_time: users who registered from then on, in seconds.
            register_end_time: users who registered until then, in seconds.

        Raises:
            PermissionDenied: the key does not belong to an affiliate (30012, 30019).

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Futures Rebate List (KEYED)")
        """
        return await self._call(
            rebates,
            page=page,
            page_size=page_size,
            currency=currency,
            user_id=user_id,
            rebate_start_time=rebate_start_time,
            rebate_end_time=rebate_end_time,
            register_start_time=register_start_time,
            register_end_time=register_end_time,
        )

    async def trades(
        self,
        user_id: int,
        *,
        type: ContractMargin | int,
        page: int,
        page_size: int,
        start_time: TimeS | None = None,
        end_time: TimeS | None = None,
    ) -> AffiliateTradePage:
        """List the trades of one user.

        GET /contract/private/affiliate/trade-list, key, 24 calls in 2 s by key.

        Args:
            user_id: the user.
            type: 1 USDT-margined, 2 coin-margined contracts.
            page: from 1.
            page_size: entries per page.
            start_time: in seconds.
            end_time: in seconds.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Futures Trade List (KEYED)")
        """
        return await self._call(
            trades, user_id=user_id, type=type, page=page, page_size=page_size, start_time=start_time, end_time=end_time
        )

    async def user_rebate(self, cid: int, *, start_time: TimeS, end_time: TimeS) -> AffiliateUserRebate:
        """Read volume, fees and commission of one user, in a period and in total.

        GET /contract/private/affiliate/rebate-user, key, 24 calls in 2 s by key.

        Args:
            cid: the user, invited directly or indirectly, or a sub-agent.
            start_time: in seconds.
            end_time: in seconds, at most 60 days later.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get User Rebate Data (KEYED)")
        """
        return await self._call(user_rebate, cid=cid, start_time=start_time, end_time=end_time)

    async def api_rebate(self, cid: int, *, start_time: TimeS, end_time: TimeS) -> AffiliateApiRebate:
        """Read fees and commission of one user's trading over the API.

        GET /contract/private/affiliate/rebate-api, key, 24 calls in 2 s by key.

        Args:
            cid: the user, invited directly or indirectly, or a sub-agent.
            start_time: in seconds.
            end_time: in seconds, at most 60 days later.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get API Rebate Data (KEYED)")
        """
        return await self._call(api_rebate, cid=cid, start_time=start_time, end_time=end_time)

    async def invite_check(self, cid: int) -> AffiliateInviteCheck:
        """Check if a user was invited by the caller.

        GET /contract/private/affiliate/invite-check, key, 24 calls in 2 s by key.

        Args:
            cid: the user.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Check If It Is An Invited User (KEYED)")
        """
        return await self._call(invite_check, cid=cid)

    async def invited_users(
        self, *, start_time: TimeS, end_time: TimeS, page: int, page_size: int, cid: int | None = None
    ) -> AffiliateInvitedUserPage:
        """List the invited users, with volume, fees and commission.

        GET /contract/private/affiliate/rebate-inviteUser, key, 24 calls in 2 s by key.

        Args:
            start_time: in seconds.
            end_time: in seconds, at most 60 days later.
            page: from 1.
            page_size: 1 to 50 entries per page.
            cid: only this user.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "The Referral Commission Information Of The
        Invited Users (KEYED)")
        """
        return await self._call(
            invited_users, start_time=start_time, end_time=end_time, page=page, page_size=page_size, cid=cid
        )

    async def funds_records(
        self,
        cid: int,
        *,
        start_time: TimeS,
        end_time: TimeS,
        page: int,
        page_size: int,
        type: AffiliateFundsType | int | None = None,
    ) -> AffiliateFundsRecordPage:
        """List deposits and withdrawals of one user.

        GET /contract/private/affiliate/deposit-withdrawal-list, key, no documented quota. Since 2026-04-07; known from
        the official SDKs.

        Args:
            cid: the user.
            start_time: in seconds.
            end_time: in seconds, at most 60 days later.
            page: from 1.
            page_size: 1 to 50 entries per page.
            type: 1 deposits, 2 withdrawals; both if left out.
        """
        return await self._call(
            funds_records, page=page, page_size=page_size, cid=cid, start_time=start_time, end_time=end_time, type=type
        )

    async def customer_info(self, user_id: int) -> AffiliateCustomerInfo:
        """Read the value of a user's futures account.

        GET /contract/private/affiliate/aff-customer-info, key, no documented quota. Known from the official SDKs.

        Args:
            user_id: the user.
        """
        return await self._call(customer_info, user_id=user_id)
