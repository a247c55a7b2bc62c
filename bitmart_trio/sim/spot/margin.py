"""Isolated margin: an account a pair and user, loans with hourly interest, orders on the same books as everybody's.

Interest is charged for the first hour when a loan is taken out and then at the start of every further one. It is a
debt until it is repaid; repayments go to the oldest loan first, interest before principal. When what is in the account
falls to `LIQUIDATE_RATE` times what is owed, its orders are cancelled, and debts are paid from what is there and, at
the last price, from the other currency; the lender bears what is still missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import TYPE_CHECKING

import attrs

from ..bitmart import models as rules
from ..bitmart.spot.trading import pair_market, read_form
from ..bitmart.wire import Call, Json, Refusal, Routes
from ..kernel.accounts import ZERO, Account, Wallet
from ..kernel.pairs import MONEY, Pair, PairMarket, money
from ..treasury import pay, plain, read_amount, read_count
from .orders import SpotOrder

if TYPE_CHECKING:
    from ..exchange import Exchange

routes: Routes = Routes()

LEVERAGE = 5
DAILY_RATE = Decimal("0.00055")
LIQUIDATE_RATE = Decimal("1.1")
KEEP_RATE = Decimal(2)
"""What must be left over what is owed, times so much, when money is taken out."""
MAX_LOANS = {"USDT": Decimal(50_000), "BTC": Decimal(2), "ETH": Decimal(30), "BMX": Decimal(100_000)}
MIN_LOAN = MONEY
HOUR_MS = 3_600_000
RECORDS_DEFAULT = 50
RECORDS_MAX = 100


@attrs.define(eq=False)
class Loan:
    """One loan."""

    loan_id: str
    currency: str
    amount: Decimal
    taken_ms: int
    """By the steady clock: interest knows no skew."""
    shown_ms: int
    principal: Decimal
    """Still owed."""
    interest: Decimal = ZERO
    """Still owed."""
    charged: Decimal = ZERO
    """All the interest so far."""
    hours: int = 0
    """For how many hours interest has been charged."""

    @property
    def owed(self) -> Decimal:
        """Principal and interest still owed."""
        return self.principal + self.interest

    def charge(self, now_ms: int) -> None:
        """Charge the hours that have begun since the last time."""
        begun = (now_ms - self.taken_ms) // HOUR_MS + 1
        if begun > self.hours and self.principal:
            added = (begun - self.hours) * (self.principal * DAILY_RATE / 24).quantize(MONEY, ROUND_DOWN)
            self.interest += added
            self.charged += added
        self.hours = max(begun, self.hours)

    def repay(self, amount: Decimal) -> tuple[Decimal, Decimal]:
        """Take up to ``amount``: interest first; what went to principal and what to interest."""
        interest = min(amount, self.interest)
        principal = min(amount - interest, self.principal)
        self.interest -= interest
        self.principal -= principal
        return principal, interest


@attrs.frozen
class Repayment:
    """One repayment."""

    repay_id: str
    currency: str
    principal: Decimal
    interest: Decimal
    shown_ms: int


@attrs.define(eq=False)
class MarginAccount:
    """One user's isolated account on one pair."""

    account_id: str
    market: PairMarket
    wallet: Wallet = attrs.Factory(Wallet)
    loans: list[Loan] = attrs.Factory(list[Loan])
    """Every loan ever, oldest first."""
    repayments: list[Repayment] = attrs.Factory(list[Repayment])
    opened: bool = False
    """Whether anything was ever moved in."""

    def unpaid(self, currency: str) -> Iterator[Loan]:
        """The loans that are still owed, oldest first."""
        return (loan for loan in self.loans if loan.currency == currency and loan.owed)

    def owed(self, currency: str) -> Decimal:
        """Principal and interest owed."""
        return sum((loan.owed for loan in self.unpaid(currency)), ZERO)

    def assets(self) -> Decimal:
        """What is there, in the quote currency."""
        pair = self.market.pair
        return self.wallet.total(pair.base) * self.market.last + self.wallet.total(pair.quote)

    def debts(self) -> Decimal:
        """What is owed, in the quote currency."""
        pair = self.market.pair
        return self.owed(pair.base) * self.market.last + self.owed(pair.quote)

    def liquidation_price(self) -> Decimal | None:
        """The price at which the account would be liquidated; None without a debt, and where no price does it."""
        pair, rate = self.market.pair, LIQUIDATE_RATE
        gap = self.wallet.total(pair.base) - rate * self.owed(pair.base)
        if not self.debts() or not gap:
            return None
        price = (rate * self.owed(pair.quote) - self.wallet.total(pair.quote)) / gap
        return price if price > 0 else rules.ISOLATED_LIQUIDATION.value


class Margin:
    """All margin accounts."""

    def __init__(self, exchange: Exchange) -> None:
        self.accounts: dict[tuple[str, str], MarginAccount] = {}
        self._exchange = exchange
        self._owing: dict[tuple[str, str], MarginAccount] = {}

    def account(self, owner: Account, market: PairMarket) -> MarginAccount:
        """A user's account on a pair, with interest up to date; made when first asked for."""
        key = (owner.account_id, market.pair.symbol)
        found = self.accounts.get(key)
        if found is None:
            found = self.accounts[key] = MarginAccount(owner.account_id, market)
        self._charge(found)
        return found

    def borrowable(self, held: MarginAccount, currency: str) -> Decimal:
        """How much more can be borrowed now."""
        debts = held.debts()
        room = (held.assets() - debts) * (LEVERAGE - 1) - debts
        if currency == held.market.pair.base:
            room /= held.market.last
        room = min(room, self.max_loan(currency) - held.owed(currency))
        return max(room, ZERO).quantize(MONEY, ROUND_DOWN)

    def max_loan(self, currency: str) -> Decimal:
        """What one account may owe of a currency: of the less usual ones, 10,000 US dollars' worth at the opening."""
        found = MAX_LOANS.get(currency)
        return 10_000 / self._exchange.flow.first(currency) if found is None else found

    def borrow(self, held: MarginAccount, currency: str, amount: Decimal) -> Loan:
        """Take out a loan."""
        exchange = self._exchange
        exchange.accounts.lender.debit(currency, amount)
        held.wallet.credit(currency, amount)
        now = exchange.clock.steady_ms()
        loan = Loan(exchange.new_id(), currency, amount, now, exchange.now_ms(), amount)
        loan.charge(now)
        held.loans.append(loan)
        self._owing[held.account_id, held.market.pair.symbol] = held
        return loan

    def settle(self, held: MarginAccount, currency: str, amount: Decimal) -> Repayment:
        """Count money that has reached the lender against the loans."""
        principal = interest = ZERO
        for loan in list(held.unpaid(currency)):
            parts = loan.repay(amount - principal - interest)
            principal += parts[0]
            interest += parts[1]
        repayment = Repayment(self._exchange.new_id(), currency, principal, interest, self._exchange.now_ms())
        held.repayments.append(repayment)
        if not any(loan.owed for loan in held.loans):
            self._owing.pop((held.account_id, held.market.pair.symbol), None)
        return repayment

    def orders(self, held: MarginAccount) -> list[SpotOrder]:
        """The open margin orders of an account."""
        return [
            order
            for order in self._exchange.spot.engine.open_orders(held.account_id)
            if order.mode == "iso_margin" and order.form.market is held.market
        ]

    def tick(self) -> None:
        """Charge interest and liquidate what is under water; only accounts that owe are looked at."""
        for held in list(self._owing.values()):
            self._charge(held)
            if held.assets() <= LIQUIDATE_RATE * held.debts():
                self._liquidate(held)

    def _charge(self, held: MarginAccount) -> None:
        now = self._exchange.clock.steady_ms()
        for loan in held.loans:
            if loan.principal:
                loan.charge(now)

    def _liquidate(self, held: MarginAccount) -> None:
        for order in self.orders(held):
            self._exchange.spot.engine.cancel(order, "system")
        pair, last, own = held.market.pair, held.market.last, self._exchange.accounts
        for currency in (pair.base, pair.quote):
            self._repay(held, currency, min(held.owed(currency), held.wallet.available(currency)))
        for currency, other, price in ((pair.base, pair.quote, last), (pair.quote, pair.base, 1 / last)):
            missing, there = held.owed(currency), held.wallet.available(other)
            if missing and there:
                cost = min((missing * price).quantize(MONEY, ROUND_UP), there)
                bought = min((cost / price).quantize(MONEY, ROUND_DOWN), missing) if cost == there else missing
                held.wallet.debit(other, cost)
                own.house.credit(other, cost)
                own.house.debit(currency, bought)
                held.wallet.credit(currency, bought)
                self._repay(held, currency, bought)
        for loan in held.loans:
            loan.principal = loan.interest = ZERO
        self._owing.pop((held.account_id, pair.symbol), None)
        self._exchange.log.write("margin_liquidated", account=held.account_id, symbol=pair.symbol, price=last)

    def _repay(self, held: MarginAccount, currency: str, amount: Decimal) -> None:
        if amount:
            held.wallet.debit(currency, amount)
            self._exchange.accounts.lender.credit(currency, amount)
            self.settle(held, currency, amount)


# -- reading parameters ----------------------------------------------------------------------------


def _account(exchange: Exchange, call: Call) -> MarginAccount:
    return exchange.spot.margin.account(call.owner, pair_market(exchange, call.need("symbol")))


def _opened(exchange: Exchange, call: Call) -> MarginAccount:
    held = _account(exchange, call)
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


def _markets(exchange: Exchange, call: Call) -> list[PairMarket]:
    names = call.text("symbol")
    if names is None:
        return list(exchange.spot.markets.values())
    return [pair_market(exchange, name.strip()) for name in names.split(",")]


# -- reading ---------------------------------------------------------------------------------------


@routes.get("/spot/v1/margin/isolated/account", auth="keyed", limit=(12, 2, "key"))
def accounts(exchange: Exchange, call: Call) -> Json:
    """The caller's account on one pair or on all."""
    held = [exchange.spot.margin.account(call.owner, market) for market in _markets(exchange, call)]
    return {"symbols": [_account_row(exchange, item) for item in held]}


def _account_row(exchange: Exchange, held: MarginAccount) -> Json:
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
        "base": _asset_row(exchange, held, pair.base),
        "quote": _asset_row(exchange, held, pair.quote),
    }


def _asset_row(exchange: Exchange, held: MarginAccount, currency: str) -> Json:
    wallet, unpaid = held.wallet, list(held.unpaid(currency))
    net = wallet.total(currency) - held.owed(currency)
    in_btc = net * (exchange.spot.price(currency) or ZERO) / (exchange.spot.price("BTC") or 1)
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
def borrowing_rates(exchange: Exchange, call: Call) -> Json:
    """What loans cost and how much the caller may borrow."""
    margin = exchange.spot.margin
    held = [margin.account(call.owner, market) for market in _markets(exchange, call)]
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
def borrow_records(exchange: Exchange, call: Call) -> Json:
    """The loans of a pair, newest first."""
    held, loan_id, (start, end, count) = _account(exchange, call), call.text("borrow_id"), _window(call)
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
def repay_records(exchange: Exchange, call: Call) -> Json:
    """The repayments of a pair, newest first; those of a liquidation too."""
    held, repay_id, (start, end, count) = _account(exchange, call), call.text("repay_id"), _window(call)
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


# -- moving, borrowing, trading --------------------------------------------------------------------


@routes.post("/spot/v1/margin/isolated/transfer", limit=(2, 2, "key"))
def submit_transfer(exchange: Exchange, call: Call) -> Json:
    """Move money between the spot wallet and the margin account."""
    held = _account(exchange, call)
    currency, amount, spot = _currency(call, held.market.pair), _amount(call), call.owner.spot
    match call.need("side"):
        case "in":
            pay(spot, held.wallet, currency, amount, 50020)
            held.opened = True
        case "out":
            if amount > held.wallet.available(currency):
                raise Refusal(50020, "Balance not enough")
            value = amount * held.market.last if currency == held.market.pair.base else amount
            if held.debts() and held.assets() - value < KEEP_RATE * held.debts():
                raise Refusal(60058, "The transfer would exceed the margin-call risk", http=403)
            pay(held.wallet, spot, currency, amount, 50020)
        case _:
            raise Refusal(50021, "Invalid parameter side")
    exchange.spot.funding.told(call.owner, currency, "ACCOUNT_TRANSFER")
    return {"transfer_id": exchange.new_id()}


@routes.post("/spot/v1/margin/isolated/borrow", limit=(2, 2, "key"))
def borrow(exchange: Exchange, call: Call) -> Json:
    """Take out a loan."""
    held = _opened(exchange, call)
    currency, amount = _currency(call, held.market.pair), _amount(call)
    if amount > exchange.spot.margin.borrowable(held, currency):
        raise Refusal(51004, "More than can be borrowed")
    return {"borrow_id": exchange.spot.margin.borrow(held, currency, amount).loan_id}


@routes.post("/spot/v1/margin/isolated/repay", limit=(2, 2, "key"))
def repay(exchange: Exchange, call: Call) -> Json:
    """Pay back what was borrowed, interest first."""
    held = _opened(exchange, call)
    currency, amount = _currency(call, held.market.pair), _amount(call)
    if amount > held.owed(currency):
        raise Refusal(51006, "More than is owed")
    pay(held.wallet, exchange.accounts.lender, currency, amount, 50020)
    return {"repay_id": exchange.spot.margin.settle(held, currency, amount).repay_id}


@routes.post("/spot/v1/margin/submit_order", limit=(20, 1, "uid"))
def submit_order(exchange: Exchange, call: Call) -> Json:
    """Place an order paid from the margin account; it borrows nothing by itself. The id is a number here."""
    held = _opened(exchange, call)
    form = read_form(exchange, call, held.market, "clientOrderId", set())
    order = exchange.spot.engine.submit(call.owner.account_id, held.wallet, form, "iso_margin")
    return {"order_id": int(order.order_id)}
