"""REST chapter: an affiliate's users, their trades and rebates."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ...futures.affiliate import DAY_S, Deal, Invited
from ...futures.market import FuturesMarket
from ...kernel.accounts import ZERO
from ...kernel.calls import Call, Refusal
from ...kernel.contracts import plain
from ...kernel.encoding import Json
from ..wire import Chapter
from . import params

routes: Chapter[FuturesMarket] = Chapter()


SPAN_S = 60 * DAY_S
SIZE_MAX = 50
COINS = ("USDT", "BTC", "ETH")


def _users(futures: FuturesMarket, call: Call) -> dict[int, Invited]:
    if call.owner.parent is not None:
        raise Refusal(30019, "The account is not an affiliate", http=200)
    return futures.affiliates.users(call.owner)


def _one(futures: FuturesMarket, call: Call, name: str = "cid") -> Invited:
    params.needed(call, name)
    user = _users(futures, call).get(call.integer(name, 0, code=40011))
    if user is None:
        raise Refusal(40011, "The user was not invited by this account")
    return user


def _period(call: Call) -> tuple[int, int]:
    params.needed(call, "start_time")
    params.needed(call, "end_time")
    start, end = call.integer("start_time", 0, code=40039), call.integer("end_time", 0, code=40039)
    if end < start or end - start > SPAN_S:
        raise Refusal(40039, "The range may span at most 60 days")
    return start, end


def _bounds(call: Call, prefix: str) -> tuple[int, int]:
    start = call.integer(f"{prefix}start_time", 0, code=40039)
    end = call.integer(f"{prefix}end_time", call.now_ms // 1000, code=40039)
    if end < start:
        raise Refusal(40039, "Invalid time range")
    return start, end


def _paging(call: Call) -> tuple[int, int]:
    return params.whole(call, "page", None, range(1, 10**6)), params.whole(call, "size", None, range(1, SIZE_MAX + 1))


def _sheet(rows: list[Json], page: int, size: int, name: str = "list") -> dict[str, Json]:
    return {"total": len(rows), "size": size, "page": page, name: rows[(page - 1) * size : page * size]}


def _number(amount: Decimal) -> float | int:
    """Return an amount as a JSON number, as only this chapter does."""
    rounded = amount.quantize(Decimal("1E-8"))
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def _text(amount: Decimal) -> str:
    return plain(amount.quantize(Decimal("1E-8")))


@routes.get("/contract/private/affiliate/rebate-list", auth="keyed", limit=(24, 2, "key"), envelope="affiliate")
def rebates(futures: FuturesMarket, call: Call) -> Json:
    """Return the rebates from each user in one currency, and the sums of all currencies."""
    currency, (page, size) = params.needed(call, "currency"), _paging(call)
    if currency not in COINS:
        raise Refusal(40011, "Invalid parameter currency")
    start, end = _bounds(call, "rebate_")
    first, last = _bounds(call, "register_")
    one = call.text("user_id")
    sums: dict[str, Decimal] = dict.fromkeys(COINS, ZERO)
    rows: list[Json] = []
    for user in _users(futures, call).values():
        if not first <= user.registered_s <= last or one not in (None, str(user.cid)):
            continue
        brought: dict[str, Decimal] = dict.fromkeys(COINS, ZERO)
        for deal in user.between(start, end):
            brought[deal.contract.settle] += user.of_fee(deal.fee)
        for coin, amount in brought.items():
            sums[coin] += amount
        if brought[currency]:
            rows.append(
                {
                    "rebate_coin": currency,
                    "trade_user_id": user.cid,
                    "total_rebate_amount": _number(brought[currency]),
                    "user_type": int(user.direct),
                }
            )
    sheet = _sheet(rows, page, size, "rebate_detail_page_data")
    return sheet | {f"{coin.lower()}_rebate_sum": _number(amount) for coin, amount in sums.items()}


@routes.get("/contract/private/affiliate/trade-list", auth="keyed", limit=(24, 2, "key"), envelope="affiliate")
def trades(futures: FuturesMarket, call: Call) -> Json:
    """Return the trades of one user on USDT-margined (1) or coin-margined (2) contracts, newest first."""
    user, (page, size) = _one(futures, call, "user_id"), _paging(call)
    inverse = params.whole(call, "type", None, (1, 2)) == 2
    start, end = _bounds(call, "")
    rows: list[Json] = [
        {
            "leverage": deal.leverage,
            "symbol": deal.contract.symbol,
            "create_time": deal.time_ms,
            "open_type": deal.open_type,
            "fee": _number(deal.fee),
            "deal_price": _number(deal.price),
            "realised_profit": _number(deal.profit),
            "way": deal.side,
            "deal_vol": _number(deal.size),
            "select_copy_trade": 2,
            "user_type": int(user.direct),
            "user_id": user.cid,
            "category": deal.category,
        }
        for deal in reversed(user.between(start, end))
        if deal.contract.inverse == inverse
    ]
    return _sheet(rows, page, size)


@routes.get("/contract/private/affiliate/rebate-user", auth="keyed", limit=(24, 2, "key"), envelope="affiliate")
def user_rebate(futures: FuturesMarket, call: Call) -> Json:
    """Return one user's volume, fees and rebate, in a period and in total; in USDT, the rate in percent."""
    user, (start, end) = _one(futures, call), _period(call)
    deals = user.between(start, end)
    return {
        "trading_vol_total": _text(_volume(user.deals)),
        "trading_fee": _text(_fees(deals)),
        "back_rate": f"{user.rate:.8f}",
        "trading_vol": _text(_volume(deals)),
        "rebate": _text(user.rebate(deals)),
        "trading_fee_total": _text(_fees(user.deals)),
        "rebate_total": _text(user.rebate(user.deals)),
        "cid": user.cid,
    }


def _volume(deals: Iterable[Deal]) -> Decimal:
    return sum((deal.volume for deal in deals), ZERO)


def _fees(deals: Iterable[Deal]) -> Decimal:
    return sum((deal.in_usdt(deal.fee) for deal in deals), ZERO)


@routes.get("/contract/private/affiliate/rebate-api", auth="keyed", limit=(24, 2, "key"), envelope="affiliate")
def api_rebate(futures: FuturesMarket, call: Call) -> Json:
    """Return the part that came over the API."""
    user, (start, end) = _one(futures, call), _period(call)
    deals = [deal for deal in user.between(start, end) if deal.by_api]
    return {"api_trading_fee_total": _text(_fees(deals)), "api_rebate_total": _text(user.rebate(deals))}


@routes.get("/contract/private/affiliate/invite-check", auth="keyed", limit=(24, 2, "key"), envelope="affiliate")
def invite_check(futures: FuturesMarket, call: Call) -> Json:
    """Return True if the caller invited the user."""
    params.needed(call, "cid")
    return {"isInviteUser": call.integer("cid", 0, code=40011) in _users(futures, call)}


@routes.get("/contract/private/affiliate/rebate-inviteUser", auth="keyed", limit=(24, 2, "key"), envelope="affiliate")
def invited_users(futures: FuturesMarket, call: Call) -> Json:
    """Return the users with their volumes and rebates in a period."""
    (start, end), (page, size) = _period(call), _paging(call)
    cid = call.text("cid")
    rows: list[Json] = [
        {
            "rebateTotal": _text(user.rebate(deals := user.between(start, end))),
            "tradingVolTotal": _text(_volume(deals)),
            "cashbackRate": "0",
            "tradingFeeTotal": _text(_fees(deals)),
            "backRate": plain(user.rate),
            "cid": user.cid,
            "status": int(bool(deals)),
            "accountAssetTotal": _text(user.assets()),
        }
        for user in _users(futures, call).values()
        if cid in (None, str(user.cid))
    ]
    return _sheet(rows, page, size)


@routes.get("/contract/private/affiliate/deposit-withdrawal-list", auth="keyed", envelope="bare")
def funds_records(futures: FuturesMarket, call: Call) -> Json:
    """Return deposits (1) and withdrawals (2) of one user, newest first; the answer has no envelope."""
    user, (start, end), (page, size) = _one(futures, call), _period(call), _paging(call)
    kind = params.whole(call, "type", 0, (0, 1, 2))
    parent = int(call.owner.account_id) if call.owner.account_id.isdecimal() else 0
    rows: list[Json] = [
        {
            "dateTime": item.time_s,
            "cid": user.cid,
            "remark": "",
            "parentCid": parent,
            "userType": int(user.direct),
            "type": item.kind,
            "method": 1,
            "amount": plain(item.amount),
            "coin": "USDT",
        }
        for item in reversed(user.payments)
        if start <= item.time_s <= end and kind in (0, item.kind)
    ]
    return _sheet(rows, page, size)


@routes.get("/contract/private/affiliate/aff-customer-info", auth="keyed", envelope="affiliate")
def customer_info(futures: FuturesMarket, call: Call) -> Json:
    """Return the assets of one user; equity is the same, since none of these users has a position."""
    assets = _text(_one(futures, call, "userId").assets())
    return {"futuresAccountAssetTotalUsdt": assets, "futuresAccountRightUsdt": assets}
