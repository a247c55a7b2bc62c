"""Savings over REST; the movements of the money are in ``earn.py``.

No codes are documented for this chapter. Missing and malformed parameters are answered as on the trading paths (50028,
50021), missing money with 50020, amounts out of a product's bounds with 60005 and 60009. A request number makes a call
safe to repeat: the same call is answered with ``true`` and has no effect, a different one with 61004.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal

from ...kernel.accounts import ZERO
from ...kernel.calls import Call, Refusal
from ...kernel.clock import DAY_MS
from ...kernel.coins import USUAL
from ...kernel.contracts import plain
from ...kernel.encoding import Json
from ...spot.earn import COIN_IDS, PRODUCTS, Entry, Event, Holding, Product, Renewal, Saver
from ...spot.market import SpotMarket
from ..amounts import read_amount, read_count
from ..wire import Chapter

routes: Chapter[SpotMarket] = Chapter()

PAGE_MAX = 100
REQUEST_NO_LENGTH = 20

_EVENTS: dict[str, Event] = {"subscribe": "subscribe", "redeem": "redeem", "interest": "interest"}
_RENEWALS: dict[str, Renewal] = {
    "OFF": "OFF", "REINVEST_FLEXIBLE": "REINVEST_FLEXIBLE", "REINVEST_FIXED": "REINVEST_FIXED"
}  # fmt: skip


# -- reading parameters ----------------------------------------------------------------------------


def _saver(spot: SpotMarket, call: Call) -> Saver:
    """Return the caller's savings, up to date."""
    spot.earn.settle()
    return spot.earn.saver(call.owner)


def _page(call: Call, rows: Iterable[Json]) -> Json:
    page = read_count(call, "currentPage", None, 10**9, 50021)
    size = read_count(call, "sizePage", None, PAGE_MAX, 50021)
    found = list(rows)
    return {"total": len(found), "list": found[(page - 1) * size : page * size]}


def _coin(call: Call) -> str | None:
    coin = call.text("coinName")
    if coin is not None and coin not in USUAL:
        raise Refusal(51000, "Unknown currency")
    return coin


def _product(call: Call, *, fixed: bool) -> Product:
    product = PRODUCTS.get(call.need("productId"))
    if product is None or bool(product.days) != fixed:
        raise Refusal(50021, "Invalid parameter productId")
    return product


def _holding(call: Call, saver: Saver, *, fixed: bool) -> Holding:
    held = saver.holdings.get(call.need("earnId"))
    if held is None or bool(held.product.days) != fixed:
        raise Refusal(50021, "Invalid parameter earnId")
    return held


def _holdings(call: Call, saver: Saver, *, fixed: bool) -> list[Holding]:
    """Return the requested savings of one kind."""
    coin, product_id = _coin(call), call.text("productId")
    return [
        held
        for held in saver.holdings.values()
        if bool(held.product.days) == fixed
        and coin in (None, held.product.coin)
        and product_id in (None, held.product.product_id)
    ]


def _amount(call: Call) -> Decimal:
    return read_amount(call, missing=50028, invalid=50021, zero=61000, places=60006)


def _renewal(call: Call) -> Renewal:
    renewal = _RENEWALS.get(call.need("autoSubscribe"))
    if renewal is None:
        raise Refusal(50021, "Invalid parameter autoSubscribe")
    return renewal


def _switch(call: Call) -> bool:
    action = call.need("autoSubscribe")
    if action not in ("open", "close"):
        raise Refusal(50021, "Invalid parameter autoSubscribe")
    return action == "open"


class _Request:
    """A call with a request number, which says if the call was made before, and records it."""

    def __init__(self, call: Call, saver: Saver, what: str) -> None:
        number = call.need("requestNo")
        if not (number.isascii() and number.isdigit() and len(number) == REQUEST_NO_LENGTH):
            raise Refusal(50021, "Invalid parameter requestNo: exactly 20 digits")
        self.number = number
        self._saver = saver
        members = {name: call.text(name) for name in sorted(call.params)}
        self._contents = what + json.dumps(members)
        before = saver.requests.get(number)
        self.repeated = before == self._contents
        if before is not None and not self.repeated:
            raise Refusal(61004, "requestNo is duplicated")

    def done(self) -> bool:
        """Record that the call has been carried out."""
        self._saver.requests[self.number] = self._contents
        return True


def _check_bounds(saver: Saver, product: Product, amount: Decimal) -> None:
    if amount < product.least:
        raise Refusal(60005, "The amount is below the minimum")
    if saver.in_product(product) + amount > product.most:
        raise Refusal(60009, "The amount is above the limit")
    if amount > saver.owner.spot.available(product.coin):
        raise Refusal(50020, "Balance not enough")


# -- all savings -----------------------------------------------------------------------------------


@routes.get("/newearn/cloud/v1/earn", auth="keyed")
def holdings(spot: SpotMarket, call: Call) -> Json:
    """Return all savings per coin; the previous day's profit is the interest paid since midnight."""
    saver = _saver(spot, call)
    midnight = call.now_ms // DAY_MS * DAY_MS
    coins = dict.fromkeys(
        [held.product.coin for held in saver.holdings.values()] + [entry.product.coin for entry in saver.entries]
    )
    interest = [entry for entry in saver.entries if entry.event == "interest"]
    return [
        {
            "coinName": coin,
            "totalUserSum": _sum(held.amount for held in saver.holdings.values() if held.product.coin == coin),
            "totalProfit": _sum(entry.amount for entry in interest if entry.product.coin == coin),
            "previousProfit": _sum(
                entry.amount for entry in interest if entry.product.coin == coin and entry.time_ms >= midnight
            ),
        }
        for coin in coins
    ]


def _sum(amounts: Iterable[Decimal]) -> str:
    return plain(sum(amounts, ZERO))


def _rates(product: Product) -> dict[str, Json]:
    tiers: list[Json] = [
        {"minPurchaseAmount": plain(tier.floor), "maxPurchaseAmount": plain(tier.cap), "apy": plain(tier.apy)}
        for tier in product.tiers
    ]
    return {"additionalApy": "0", "hasTierRate": bool(product.tiers), "tierRate": tiers}


def _products(call: Call, *, fixed: bool) -> Json:
    coin = _coin(call)
    return _page(
        call,
        [
            {
                "productId": product.product_id,
                "coinName": product.coin,
                "productTag": "",
                **({"lockDay": product.days} if fixed else {}),
                "apy": plain(product.apy),
                "minPurchaseAmount": plain(product.least),
                "maxPurchaseAmount": plain(product.most),
                **({"additionalApy": "0"} if fixed else _rates(product)),
            }
            for product in PRODUCTS.values()
            if bool(product.days) == fixed and coin in (None, product.coin)
        ],
    )


def _record_rows(spot: SpotMarket, call: Call, *, fixed: bool) -> Iterable[Json]:
    saver, event, coin = _saver(spot, call), _EVENTS.get(call.need("type")), _coin(call)
    if event is None:
        raise Refusal(50021, "Invalid parameter type")
    start, end = call.integer("startTime", 0), call.integer("endTime", call.now_ms)
    if end < start:
        raise Refusal(52004, "The end time lies before the start time")
    return [
        _record_row(entry)
        for entry in reversed(saver.entries)
        if entry.event == event
        and bool(entry.product.days) == fixed
        and coin in (None, entry.product.coin)
        and start <= entry.time_ms <= end
    ]


def _record_row(entry: Entry) -> Json:
    row: dict[str, Json] = {
        "type": entry.event,
        "recordId": entry.record_id,
        "productId": entry.product.product_id,
        "coinName": entry.product.coin,
        "amount": plain(entry.amount),
        "productTag": "",
        "time": entry.time_ms,
        "subscribeType": entry.how,
        "requestNo": entry.request_no,
        "status": "SUCCESS",
    }
    return row | {"lockDay": entry.product.days} if entry.product.days else row


# -- flexible --------------------------------------------------------------------------------------


@routes.get("/newearn/cloud/v1/saving/product", auth="keyed")
def flexible_products(spot: SpotMarket, call: Call) -> Json:
    """Return the flexible savings products."""
    return _products(call, fixed=False)


@routes.post("/newearn/cloud/v1/saving/subscribe")
def subscribe_flexible(spot: SpotMarket, call: Call) -> Json:
    """Put money into a flexible product."""
    saver, product, amount = _saver(spot, call), _product(call, fixed=False), _amount(call)
    request = _Request(call, saver, "subscribe")
    if not request.repeated:
        _check_bounds(saver, product, amount)
        spot.earn.subscribe_flexible(saver, product, amount, request.number)
    return request.done()


@routes.post("/newearn/cloud/v1/saving/redeem")
def redeem_flexible(spot: SpotMarket, call: Call) -> Json:
    """Take money out of a flexible holding."""
    saver, amount = _saver(spot, call), _amount(call)
    request = _Request(call, saver, "redeem")
    if not request.repeated:
        held = _holding(call, saver, fixed=False)
        if amount > held.amount:
            raise Refusal(50020, "Balance not enough")
        spot.earn.redeem_flexible(saver, held, amount, request.number)
    return request.done()


@routes.get("/newearn/cloud/v1/saving/earn", auth="keyed")
def flexible_holdings(spot: SpotMarket, call: Call) -> Json:
    """Return the flexible holdings; the amount's name is ours, since the only source of this answer has none."""
    saver = _saver(spot, call)
    return _page(
        call,
        [
            {
                "earnId": held.earn_id,
                "productId": held.product.product_id,
                "coinId": COIN_IDS[held.product.coin],
                "coinName": held.product.coin,
                "amount": plain(held.amount),
                "productTag": "",
                "apy": plain(held.product.apy),
                "totalProfit": plain(held.profit),
                "autoSubscribe": held.product.product_id in saver.automatic,
                **_rates(held.product),
            }
            for held in _holdings(call, saver, fixed=False)
        ],
    )


@routes.get("/newearn/cloud/v1/saving/record", auth="keyed")
def flexible_records(spot: SpotMarket, call: Call) -> Json:
    """Return the history of flexible savings, newest first."""
    return _page(call, _record_rows(spot, call, fixed=False))


# -- fixed-term ------------------------------------------------------------------------------------


@routes.get("/newearn/cloud/v1/saving/fixed/product", auth="keyed")
def fixed_products(spot: SpotMarket, call: Call) -> Json:
    """Return the fixed-term savings products."""
    return _products(call, fixed=True)


@routes.post("/newearn/cloud/v1/saving/fixed/subscribe")
def subscribe_fixed(spot: SpotMarket, call: Call) -> Json:
    """Put money away for a term."""
    saver, product, amount = _saver(spot, call), _product(call, fixed=True), _amount(call)
    renewal, request = _renewal(call), _Request(call, saver, "subscribe fixed")
    if not request.repeated:
        _check_bounds(saver, product, amount)
        spot.earn.subscribe_fixed(saver, product, amount, renewal, request.number)
    return request.done()


@routes.get("/newearn/cloud/v1/saving/fixed/earn", auth="keyed")
def fixed_holdings(spot: SpotMarket, call: Call) -> Json:
    """Return the account's fixed-term holdings."""
    saver = _saver(spot, call)
    return _page(
        call,
        [
            {
                "earnId": held.earn_id,
                "productId": held.product.product_id,
                "coinId": COIN_IDS[held.product.coin],
                "coinName": held.product.coin,
                "amount": plain(held.amount),
                "estimatedInterest": plain(held.term_interest),
                "expiredDate": spot.earn.shown_ms(held.expires_ms),
                "productTag": "",
                "apy": plain(held.product.apy),
                "lockDay": held.product.days,
                "totalProfit": plain(held.profit),
                "subscribeType": held.renewal,
                "additionalApy": "0",
            }
            for held in _holdings(call, saver, fixed=True)
        ],
    )


@routes.get("/newearn/cloud/v1/saving/fixed/record", auth="keyed")
def fixed_records(spot: SpotMarket, call: Call) -> Json:
    """Return the history of fixed-term savings, newest first."""
    return _page(call, _record_rows(spot, call, fixed=True))


@routes.post("/newearn/cloud/v1/saving/fixed/redeem")
def redeem_fixed(spot: SpotMarket, call: Call) -> Json:
    """End a term early."""
    saver = _saver(spot, call)
    request = _Request(call, saver, "redeem fixed")
    if not request.repeated:
        spot.earn.redeem_fixed(saver, _holding(call, saver, fixed=True), request.number)
    return request.done()


@routes.post("/newearn/cloud/v1/saving/fixed/subscribe/operate")
def set_fixed_auto_renewal(spot: SpotMarket, call: Call) -> Json:
    """Choose what happens to a holding at maturity."""
    saver = _saver(spot, call)
    renewal = _renewal(call)
    _holding(call, saver, fixed=True).renewal = renewal
    return True


# -- automatic subscription ------------------------------------------------------------------------


@routes.post("/newearn/cloud/v1/saving/subscribe/batch/operate")
def set_auto_savings(spot: SpotMarket, call: Call) -> Json:
    """Switch all flexible products on or off."""
    saver, on = _saver(spot, call), _switch(call)
    saver.automatic = {product.product_id for product in PRODUCTS.values() if on and not product.days}
    return True


@routes.get("/newearn/cloud/v1/saving/subscribe/batch", auth="keyed")
def auto_savings_status(spot: SpotMarket, call: Call) -> Json:
    """Return the automatic subscription of all flexible products."""
    flexible = {product.product_id for product in PRODUCTS.values() if not product.days}
    return {"batchSubscribeStatus": "ON" if flexible <= _saver(spot, call).automatic else "OFF"}


@routes.post("/newearn/cloud/v1/saving/subscribe/operate")
def set_flexible_auto_subscribe(spot: SpotMarket, call: Call) -> Json:
    """Switch one flexible product on or off."""
    saver, product, on = _saver(spot, call), _product(call, fixed=False), _switch(call)
    (saver.automatic.add if on else saver.automatic.discard)(product.product_id)
    return True


@routes.get("/newearn/cloud/v1/saving/subscribe/status", auth="keyed")
def flexible_auto_subscribe_status(spot: SpotMarket, call: Call) -> Json:
    """Return the automatic subscription of one flexible product."""
    product = _product(call, fixed=False)
    return {"subscribeStatus": "ON" if product.product_id in _saver(spot, call).automatic else "OFF"}
