"""An affiliate's users, their trades and rebates: invented data, always the same for one seed.

An affiliate is an account opened with the permission ``contract_agent``; each has a few users of its own. Every figure
is derived from the same invented trades and payments of the 90 days before the exchange opened, so the answers of the
chapter agree with each other. None of these users trades on the exchange itself, and the rebates are paid to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

import attrs

from ..kernel.accounts import ZERO, Account
from ..kernel.contracts import CONTRACTS, Terms, cut
from ..kernel.ids import Randoms
from ..models.fees import TAKER

DAY_S = 86_400
PAST_DAYS = 90
USERS = 4
TRADES = 60


@attrs.frozen
class Deal:
    """One trade of an invited user."""

    contract: Terms
    time_ms: int
    price: Decimal
    size: Decimal
    side: int
    leverage: int
    open_type: int
    profit: Decimal
    category: int
    by_api: bool

    @property
    def time_s(self) -> int:
        """Return the time in seconds."""
        return self.time_ms // 1000

    @property
    def fee(self) -> Decimal:
        """Return the fee in the settlement currency."""
        return cut(self.contract.value(self.size, self.price) * TAKER).quantize(Decimal("1E-8"))

    @property
    def volume(self) -> Decimal:
        """Return the value in US dollars."""
        return self.contract.quote_amount(self.size, self.price)

    def in_usdt(self, amount: Decimal) -> Decimal:
        """Return an amount of the settlement currency in USDT, at the price of the trade."""
        return amount * self.price if self.contract.inverse else amount


@attrs.frozen
class Payment:
    """One deposit (1) or withdrawal (2) of an invited user, in USDT."""

    time_s: int
    kind: int
    amount: Decimal


@attrs.frozen
class Invited:
    """One user whom an affiliate has invited."""

    cid: int
    registered_s: int
    direct: bool
    rate: Decimal
    """The affiliate's share of the fees, in percent."""
    deals: list[Deal]
    payments: list[Payment]

    def between(self, start_s: int, end_s: int) -> list[Deal]:
        """Return the trades of a span of time, oldest first."""
        return [deal for deal in self.deals if start_s <= deal.time_s <= end_s]

    def rebate(self, deals: Iterable[Deal]) -> Decimal:
        """Return the rebate for some trades, in USDT."""
        return sum((self.of_fee(deal.in_usdt(deal.fee)) for deal in deals), ZERO)

    def of_fee(self, fee: Decimal) -> Decimal:
        """Return the affiliate's share of a fee."""
        return fee * self.rate / 100

    def assets(self) -> Decimal:
        """Return the money left in the account; none of these users has a position."""
        paid = sum((item.amount if item.kind == 1 else -item.amount for item in self.payments), ZERO)
        return paid + sum((deal.in_usdt(deal.profit - deal.fee) for deal in self.deals), ZERO)


class Affiliates:
    """The users of all affiliates, generated on first use."""

    def __init__(self, random: Randoms, start_ms: int, first: Callable[[str], Decimal]) -> None:
        self._random = random
        self._start_ms = start_ms
        self._first = first
        self._books: dict[str, dict[int, Invited]] = {}

    def users(self, account: Account) -> dict[int, Invited]:
        """Return an affiliate's users by id."""
        found = self._books.get(account.account_id)
        if found is None:
            users = (self._user(account, number) for number in range(USERS))
            found = self._books[account.account_id] = {user.cid: user for user in users}
        return found

    def _user(self, account: Account, number: int) -> Invited:
        stream = self._random(f"affiliate/{account.account_id}/{number}")
        end = self._start_ms // 1000
        registered = end - (PAST_DAYS + stream.randint(0, 30)) * DAY_S
        times = sorted(stream.randrange(end - PAST_DAYS * DAY_S, end) for _ in range(TRADES))
        deals: list[Deal] = []
        for time in times:
            contract = CONTRACTS[stream.choices(range(len(CONTRACTS)), [6, 4, 2])[0]]
            first = self._first(contract.base)
            price = contract.on_grid(first * stream.randint(900, 1100) / 1000)
            size = Decimal(stream.randint(1, 400))
            side = stream.randint(1, 4)
            profit = (contract.value(size, price) * stream.randint(-30, 30) / 1000) if side in (2, 3) else ZERO
            deals.append(
                Deal(
                    contract,
                    time * 1000 + stream.randrange(1000),
                    price,
                    size,
                    side,
                    stream.choice((5, 10, 20, 50)),
                    stream.randint(1, 2),
                    cut(profit).quantize(Decimal("1E-8")),
                    stream.randint(1, 2),
                    stream.randrange(3) == 0,
                )
            )
        payments = [Payment(times[0] - DAY_S, 1, Decimal(stream.randint(50, 200) * 1_000))]
        for _ in range(4):
            time = stream.randrange(end - PAST_DAYS * DAY_S, end)
            payments.append(Payment(time, stream.randint(1, 2), Decimal(stream.randint(1, 20) * 100)))
        payments.sort(key=lambda item: item.time_s)
        cid, rate = 160_000_000 + stream.randrange(10**6) * 10 + number, Decimal(stream.choice((30, 40, 50)))
        return Invited(cid, registered, number != USERS - 1, rate, deals, payments)
