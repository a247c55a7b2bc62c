"""Isolated margin over REST; accounts, loans and interest are in ``sim/spot/margin.py``."""

from __future__ import annotations

from decimal import Decimal

from ...kernel.accounts import ZERO
from ...kernel.calls import Call, Refusal
from ...kernel.contracts import plain
from ...kernel.encoding import Json
from ...kernel.pairs import Pair, PairMarket, money
from ...spot.margin import DAILY_RATE, KEEP_RATE, LEVERAGE, LIQUIDATE_RATE, MIN_LOAN, Margin, MarginAccount
from ...spot.market import SpotMarket
from ..amounts import pay, read_amount, read_count
from ..wire import Chapter
from .trading import pair_market, read_form

routes: Chapter[SpotMarket] = Chapter()


RECORDS_DEFAULT = 50
RECORDS_MAX = 100


def _account(spot: SpotMarket, call: Call) -> MarginAccount:
    return spot.margin.account(call.owner, pair_market(spot, call.need("symbol")))


def _opened(spot: SpotMarket, call: Call) -> MarginAccount:
    held = _account(spot, call)
    if not held.opened:
        raise Refusal(51001, "The margin account has not been opened")
    return held


def _currency(call: Call, pair: Pair) -> str:
    currency = call.need("currency")
    if currency not in (pair.base, pair.quote):
        raise Refusal(51000, "Unknown currency")
    return currency


def _amount(call: Call) -> Decimal:
    return read_amount(call, missing=50028, invalid=50021, zero=50021, places=50021)


def _markets(spot: SpotMarket, call: Call) -> list[PairMarket]:
    names = call.text("symbol")
    if names is None:
        return list(spot.markets.values())
    return [pair_market(spot, name.strip()) for name in names.split(",")]


@routes.get("/spot/v1/margin/isolated/account", auth="keyed", limit=(12, 2, "key"))
def accounts(spot: SpotMarket, call: Call) -> Json:
    """Return the caller's account on one pair or on all."""
    held = [spot.margin.account(call.owner, market) for market in _markets(spot, call)]
    return {"symbols": [_account_row(spot, item) for item in held]}


def _account_row(spot: SpotMarket, held: MarginAccount) -> Json:
    pair, debts, price = held.market.pair, held.debts(), held.liquidation_price()
    rate = held.assets() / debts if debts else None
    return {
        "symbol": pair.symbol,
        "risk_rate": None if rate is None else f"{rate:.2f}",
        "risk_level": "1" if rate is None or rate >= KEEP_RATE else "2" if rate >= Decimal("1.25") else "3",
        "buy_enabled": True,
        "sell_enabled": True,
        "liquidate_price": None if price is None else money(price),
        "liquidate_rate": plain(LIQUIDATE_RATE),
        "base": _asset_row(spot, held, pair.base),
        "quote": _asset_row(spot, held, pair.quote),
    }


def _asset_row(spot: SpotMarket, held: MarginAccount, currency: str) -> Json:
    wallet, unpaid = held.wallet, list(held.unpaid(currency))
    net = wallet.total(currency) - held.owed(currency)
    in_btc = net * (spot.price(currency) or ZERO) / (spot.price("BTC") or 1)
    return {
        "currency": currency,
        "borrow_enabled": True,
        "borrowed": money(sum((loan.amount for loan in unpaid), ZERO)),
        "borrow_unpaid": money(sum((loan.principal for loan in unpaid), ZERO)),
        "interest_unpaid": money(sum((loan.interest for loan in unpaid), ZERO)),
        "available": money(wallet.available(currency)),
        "frozen": money(wallet.frozen(currency)),
        "net_asset": money(net),
        "net_assetBTC": money(in_btc),
        "total_asset": money(wallet.total(currency)),
    }


@routes.get("/spot/v1/margin/isolated/pairs", auth="keyed", limit=(2, 2, "key"))
def borrowing_rates(spot: SpotMarket, call: Call) -> Json:
    """Return the cost of loans, and the amounts that the caller may borrow."""
    margin = spot.margin
    held = [margin.account(call.owner, market) for market in _markets(spot, call)]
    return {
        "symbols": [
            {
                "symbol": item.market.pair.symbol,
                "max_leverage": str(LEVERAGE),
                "symbol_enabled": True,
                "base": _terms(margin, item, item.market.pair.base),
                "quote": _terms(margin, item, item.market.pair.quote),
            }
            for item in held
        ]
    }


def _terms(margin: Margin, held: MarginAccount, currency: str) -> Json:
    return {
        "currency": currency,
        "daily_interest": money(DAILY_RATE),
        "hourly_interest": money(DAILY_RATE / 24),
        "max_borrow_amount": money(margin.max_loan(currency)),
        "min_borrow_amount": money(MIN_LOAN),
        "borrowable_amount": money(margin.borrowable(held, currency)),
    }


def _window(call: Call) -> tuple[int, int, int]:
    start = call.integer("start_time", 0)
    end = call.integer("end_time", call.now_ms)
    if end < start:
        raise Refusal(52004, "The end time lies before the start time")
    return start, end, read_count(call, "N", RECORDS_DEFAULT, RECORDS_MAX, 50021)


@routes.get("/spot/v1/margin/isolated/borrow_record", auth="keyed", limit=(150, 2, "key"))
def borrow_records(spot: SpotMarket, call: Call) -> Json:
    """Return the loans of a pair, newest first."""
    held, loan_id, (start, end, count) = _account(spot, call), call.text("borrow_id"), _window(call)
    rows: list[Json] = [
        {
            "borrow_id": loan.loan_id,
            "symbol": held.market.pair.symbol,
            "currency": loan.currency,
            "borrow_amount": money(loan.amount),
            "daily_interest": money(DAILY_RATE),
            "hourly_interest": money(DAILY_RATE / 24),
            "interest_amount": money(loan.charged),
            "create_time": loan.shown_ms // 1000,
        }
        for loan in reversed(held.loans)
        if loan_id in (None, loan.loan_id) and start <= loan.shown_ms <= end
    ]
    return {"records": rows[:count]}


@routes.get("/spot/v1/margin/isolated/repay_record", auth="keyed", limit=(150, 2, "key"))
def repay_records(spot: SpotMarket, call: Call) -> Json:
    """Return the repayments of a pair, newest first, including those of a liquidation."""
    held, repay_id, (start, end, count) = _account(spot, call), call.text("repay_id"), _window(call)
    currency = call.text("currency")
    rows: list[Json] = [
        {
            "repay_id": item.repay_id,
            "repay_time": item.shown_ms // 1000,
            "symbol": held.market.pair.symbol,
            "currency": item.currency,
            "repaid_amount": plain(item.principal + item.interest),
            "repaid_principal": plain(item.principal),
            "repaid_interest": plain(item.interest),
        }
        for item in reversed(held.repayments)
        if repay_id in (None, item.repay_id) and currency in (None, item.currency) and start <= item.shown_ms <= end
    ]
    return {"records": rows[:count]}


@routes.post("/spot/v1/margin/isolated/transfer", limit=(2, 2, "key"))
def submit_transfer(spot: SpotMarket, call: Call) -> Json:
    """Move money between the spot wallet and the margin account."""
    held = _account(spot, call)
    currency, amount, wallet = _currency(call, held.market.pair), _amount(call), call.owner.spot
    match call.need("side"):
        case "in":
            pay(wallet, held.wallet, currency, amount, 50020)
            held.opened = True
        case "out":
            if amount > held.wallet.available(currency):
                raise Refusal(50020, "Balance not enough")
            value = amount * held.market.last if currency == held.market.pair.base else amount
            if held.debts() and held.assets() - value < KEEP_RATE * held.debts():
                raise Refusal(60058, "The transfer would exceed the margin-call risk", http=403)
            pay(held.wallet, wallet, currency, amount, 50020)
        case _:
            raise Refusal(50021, "Invalid parameter side")
    spot.balance_moved(call.owner, currency, "ACCOUNT_TRANSFER")
    return {"transfer_id": spot.margin.new_id()}


@routes.post("/spot/v1/margin/isolated/borrow", limit=(2, 2, "key"))
def borrow(spot: SpotMarket, call: Call) -> Json:
    """Take out a loan."""
    held = _opened(spot, call)
    currency, amount = _currency(call, held.market.pair), _amount(call)
    if amount > spot.margin.borrowable(held, currency):
        raise Refusal(51004, "More than can be borrowed")
    return {"borrow_id": spot.margin.borrow(held, currency, amount).loan_id}


@routes.post("/spot/v1/margin/isolated/repay", limit=(2, 2, "key"))
def repay(spot: SpotMarket, call: Call) -> Json:
    """Repay a loan, interest first."""
    held = _opened(spot, call)
    currency, amount = _currency(call, held.market.pair), _amount(call)
    if amount > held.owed(currency):
        raise Refusal(51006, "More than is owed")
    pay(held.wallet, spot.margin.lender, currency, amount, 50020)
    return {"repay_id": spot.margin.settle(held, currency, amount).repay_id}


@routes.post("/spot/v1/margin/submit_order", limit=(20, 1, "uid"))
def submit_order(spot: SpotMarket, call: Call) -> Json:
    """Place an order paid from the margin account, without automatic borrowing. The id is a number here."""
    held = _opened(spot, call)
    form = read_form(spot, call, held.market, "clientOrderId", set())
    order = spot.engine.submit(call.owner.account_id, held.wallet, form, "iso_margin")
    return {"order_id": int(order.order_id)}
