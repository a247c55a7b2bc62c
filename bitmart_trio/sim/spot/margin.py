"""Isolated margin: one account per pair and user, loans with hourly interest, and orders on the ordinary books.

Interest is charged for the first hour when a loan is taken out, and then at the start of each further hour. Interest is
a debt until it is repaid; repayments go to the oldest loan first, interest before principal. When the assets of an
account fall to `LIQUIDATE_RATE` times its debts, its orders are cancelled, and the debts are paid from its assets and,
at the last price, from the other currency; the lender bears the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import ROUND_DOWN, ROUND_UP, Decimal

import attrs

from ..kernel.accounts import ZERO, Account, Wallet
from ..kernel.clock import Clock
from ..kernel.eventlog import EventLog
from ..kernel.pairs import MONEY, PairMarket
from .orders import Engine, SpotOrder

LEVERAGE = 5
DAILY_RATE = Decimal("0.00055")
LIQUIDATE_RATE = Decimal("1.1")
KEEP_RATE = Decimal(2)
"""The assets that must remain when money is taken out, as a multiple of the debts."""
MAX_LOANS = {"USDT": Decimal(50_000), "BTC": Decimal(2), "ETH": Decimal(30), "BMX": Decimal(100_000)}
MIN_LOAN = MONEY
HOUR_MS = 3_600_000


@attrs.define(eq=False)
class Loan:
    """A loan of a margin account."""

    loan_id: str
    currency: str
    amount: Decimal
    taken_ms: int
    """The time of the loan, by the steady clock: interest ignores the skew."""
    shown_ms: int
    principal: Decimal
    """The principal still owed."""
    interest: Decimal = ZERO
    """The interest still owed."""
    charged: Decimal = ZERO
    """The sum of all interest so far."""
    hours: int = 0
    """The number of hours for which interest has been charged."""

    @property
    def owed(self) -> Decimal:
        """Return the principal and interest still owed."""
        return self.principal + self.interest

    def charge(self, now_ms: int) -> None:
        """Charge interest for the hours that have begun since the last call."""
        begun = (now_ms - self.taken_ms) // HOUR_MS + 1
        if begun > self.hours and self.principal:
            added = (begun - self.hours) * (self.principal * DAILY_RATE / 24).quantize(MONEY, ROUND_DOWN)
            self.interest += added
            self.charged += added
        self.hours = max(begun, self.hours)

    def repay(self, amount: Decimal) -> tuple[Decimal, Decimal]:
        """Repay up to ``amount``, interest first; return the parts for principal and interest."""
        interest = min(amount, self.interest)
        principal = min(amount - interest, self.principal)
        self.interest -= interest
        self.principal -= principal
        return principal, interest


@attrs.frozen
class Repayment:
    """A repayment of a loan."""

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
    """True if money was ever moved into the account."""

    def unpaid(self, currency: str) -> Iterator[Loan]:
        """Return the loans that are still owed, oldest first."""
        return (loan for loan in self.loans if loan.currency == currency and loan.owed)

    def owed(self, currency: str) -> Decimal:
        """Return the principal and interest owed."""
        return sum((loan.owed for loan in self.unpaid(currency)), ZERO)

    def assets(self) -> Decimal:
        """Return the assets, in the quote currency."""
        pair = self.market.pair
        return self.wallet.total(pair.base) * self.market.last + self.wallet.total(pair.quote)

    def debts(self) -> Decimal:
        """Return the debts, in the quote currency."""
        pair = self.market.pair
        return self.owed(pair.base) * self.market.last + self.owed(pair.quote)

    def liquidation_price(self) -> Decimal | None:
        """Return the price at which the account would be liquidated; None without a debt, or if no price does it."""
        pair, rate = self.market.pair, LIQUIDATE_RATE
        gap = self.wallet.total(pair.base) - rate * self.owed(pair.base)
        if not self.debts() or not gap:
            return None
        price = (rate * self.owed(pair.quote) - self.wallet.total(pair.quote)) / gap
        return price if price > 0 else None


class Margin:
    """The margin accounts of an exchange.

    Args:
        lender: the wallet that loans come from and repayments go to.
        house: the wallet that trades in a liquidation.
        first: returns the price of a coin before the opening.
    """

    def __init__(
        self,
        engine: Engine,
        lender: Wallet,
        house: Wallet,
        clock: Clock,
        log: EventLog,
        new_id: Callable[[], str],
        first: Callable[[str], Decimal],
    ) -> None:
        self.accounts: dict[tuple[str, str], MarginAccount] = {}
        self.lender = lender
        self._engine = engine
        self._house = house
        self._clock = clock
        self._log = log
        self.new_id = new_id
        self._first = first
        self._owing: dict[tuple[str, str], MarginAccount] = {}

    def account(self, owner: Account, market: PairMarket) -> MarginAccount:
        """Return a user's account on a pair, with interest up to date; created on first use."""
        key = (owner.account_id, market.pair.symbol)
        found = self.accounts.get(key)
        if found is None:
            found = self.accounts[key] = MarginAccount(owner.account_id, market)
        self._charge(found)
        return found

    def borrowable(self, held: MarginAccount, currency: str) -> Decimal:
        """Return the amount that can still be borrowed now."""
        debts = held.debts()
        room = (held.assets() - debts) * (LEVERAGE - 1) - debts
        if currency == held.market.pair.base:
            room /= held.market.last
        room = min(room, self.max_loan(currency) - held.owed(currency))
        return max(room, ZERO).quantize(MONEY, ROUND_DOWN)

    def max_loan(self, currency: str) -> Decimal:
        """Return an account's maximum debt in a currency: for unusual ones, 10,000 US dollars' worth at the opening."""
        found = MAX_LOANS.get(currency)
        return 10_000 / self._first(currency) if found is None else found

    def borrow(self, held: MarginAccount, currency: str, amount: Decimal) -> Loan:
        """Take out a loan."""
        self.lender.debit(currency, amount)
        held.wallet.credit(currency, amount)
        now = self._clock.steady_ms()
        loan = Loan(self.new_id(), currency, amount, now, self._clock.now_ms(), amount)
        loan.charge(now)
        held.loans.append(loan)
        self._owing[held.account_id, held.market.pair.symbol] = held
        return loan

    def settle(self, held: MarginAccount, currency: str, amount: Decimal) -> Repayment:
        """Apply money that has reached the lender to the loans."""
        principal = interest = ZERO
        for loan in list(held.unpaid(currency)):
            parts = loan.repay(amount - principal - interest)
            principal += parts[0]
            interest += parts[1]
        repayment = Repayment(self.new_id(), currency, principal, interest, self._clock.now_ms())
        held.repayments.append(repayment)
        if not any(loan.owed for loan in held.loans):
            self._owing.pop((held.account_id, held.market.pair.symbol), None)
        return repayment

    def orders(self, held: MarginAccount) -> list[SpotOrder]:
        """Return the open margin orders of an account."""
        return [
            order
            for order in self._engine.open_orders(held.account_id)
            if order.mode == "iso_margin" and order.form.market is held.market
        ]

    def tick(self) -> None:
        """Charge interest, and liquidate accounts whose assets are too low; accounts without debts are skipped."""
        for held in list(self._owing.values()):
            self._charge(held)
            if held.assets() <= LIQUIDATE_RATE * held.debts():
                self._liquidate(held)

    def _charge(self, held: MarginAccount) -> None:
        now = self._clock.steady_ms()
        for loan in held.loans:
            if loan.principal:
                loan.charge(now)

    def _liquidate(self, held: MarginAccount) -> None:
        for order in self.orders(held):
            self._engine.cancel(order, "system")
        pair, last, house = held.market.pair, held.market.last, self._house
        for currency in (pair.base, pair.quote):
            self._repay(held, currency, min(held.owed(currency), held.wallet.available(currency)))
        for currency, other, price in ((pair.base, pair.quote, last), (pair.quote, pair.base, 1 / last)):
            missing, there = held.owed(currency), held.wallet.available(other)
            if missing and there:
                cost = min((missing * price).quantize(MONEY, ROUND_UP), there)
                bought = min((cost / price).quantize(MONEY, ROUND_DOWN), missing) if cost == there else missing
                held.wallet.debit(other, cost)
                house.credit(other, cost)
                house.debit(currency, bought)
                held.wallet.credit(currency, bought)
                self._repay(held, currency, bought)
        for loan in held.loans:
            loan.principal = loan.interest = ZERO
        self._owing.pop((held.account_id, pair.symbol), None)
        self._log.write("margin_liquidated", account=held.account_id, symbol=pair.symbol, price=last)

    def _repay(self, held: MarginAccount, currency: str, amount: Decimal) -> None:
        if amount:
            held.wallet.debit(currency, amount)
            self.lender.credit(currency, amount)
            self.settle(held, currency, amount)
