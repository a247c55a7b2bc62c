"""The contracts of the simulated exchange: trading rules, risk tiers, and the arithmetic of value and profit.

Sizes are whole contracts. A linear contract is ``contract_size`` units of the base currency and settles in the quote
currency; an inverse one is ``contract_size`` US dollars and settles in the base currency. Every amount of money is
cut (never rounded up) at `GRAIN`, so the parts of an order can never cost more than the order as a whole; on the
linear contracts listed here nothing is cut at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import Literal, TypeAlias

import attrs

Direction: TypeAlias = Literal["long", "short"]
OpenType: TypeAlias = Literal["cross", "isolated"]

GRAIN = Decimal("1E-12")
ZERO = Decimal(0)
FUNDING_CAP = Decimal("0.0375")
FUNDING_HOURS = 8
FUNDING_MS = FUNDING_HOURS * 3_600_000


def cut(amount: Decimal) -> Decimal:
    """Return an amount of money cut at the grain, towards zero."""
    return amount.quantize(GRAIN, ROUND_DOWN)


def plain(number: Decimal) -> str:
    """Return a number as the wire has it: no exponent, no trailing zeros."""
    return format(number.normalize(), "f") if number else "0"


@attrs.frozen
class Bracket:
    """One risk tier: up to ``cap`` of position value, at most ``leverage``."""

    tier: int
    leverage: int
    floor: Decimal
    cap: Decimal
    ratio: Decimal
    cum: Decimal
    """The deduction from the tier's maintenance margin that makes the margin grow without steps."""


def brackets(*tiers: tuple[int, str, str]) -> tuple[Bracket, ...]:
    """Return risk tiers made from (greatest leverage, upper bound, maintenance ratio), smallest first."""
    made: list[Bracket] = []
    floor, ratio, cum = ZERO, ZERO, ZERO
    for number, (leverage, cap_text, ratio_text) in enumerate(tiers, 1):
        cap, new_ratio = Decimal(cap_text), Decimal(ratio_text)
        cum += floor * (new_ratio - ratio)
        ratio = new_ratio
        made.append(Bracket(number, leverage, floor, cap, ratio, cum))
        floor = cap
    return tuple(made)


@attrs.frozen
class Terms:
    """The fixed terms of one perpetual contract."""

    symbol: str
    base: str
    quote: str
    inverse: bool
    contract_size: Decimal
    tick: Decimal
    brackets: Sequence[Bracket]
    open_interest: int
    """The contracts held by the synthetic market."""
    min_volume: int = 1
    max_volume: int = 1_000_000
    market_max_volume: int = 50_000
    min_leverage: int = 1
    max_leverage: int = 100
    opened_ms: int = 1_594_080_000_000

    @property
    def settle(self) -> str:
        """The currency of margin, fees and profit."""
        return self.base if self.inverse else self.quote

    def on_grid(self, price: Decimal) -> Decimal:
        """Return the nearest price on the tick grid."""
        return (price / self.tick).quantize(Decimal(1), ROUND_HALF_EVEN) * self.tick

    def value(self, size: Decimal, price: Decimal) -> Decimal:
        """Return the value of ``size`` contracts at a price, in the settlement currency."""
        worth = self.contract_size * size
        return cut(worth / price if self.inverse else worth * price)

    def base_amount(self, size: Decimal, price: Decimal) -> Decimal:
        """Return ``size`` contracts in units of the base currency."""
        return self.value(size, price) if self.inverse else self.contract_size * size

    def quote_amount(self, size: Decimal, price: Decimal) -> Decimal:
        """Return ``size`` contracts in units of the quote currency."""
        return self.contract_size * size if self.inverse else self.value(size, price)

    def average(self, size: Decimal, value: Decimal) -> Decimal:
        """Return the price at which ``size`` contracts are worth ``value``; 0 for no contracts."""
        if not size or not value:
            return ZERO
        worth = self.contract_size * size
        return cut(worth / value if self.inverse else value / worth)

    def profit(self, direction: Direction, cost: Decimal, proceeds: Decimal) -> Decimal:
        """Return the profit of contracts entered at value ``cost`` and now valued ``proceeds``."""
        gain = cost - proceeds if self.inverse else proceeds - cost
        return gain if direction == "long" else -gain

    def cost(self, size: Decimal, price: Decimal, leverage: Decimal, fee: Decimal) -> Decimal:
        """Return the cost of opening ``size`` contracts: margin, and a fee of this share of the value."""
        value = self.value(size, price)
        return cut(value / leverage) + cut(value * fee)

    def bracket(self, value: Decimal) -> Bracket:
        """Return the risk tier of a position value; the last one beyond every bound."""
        return next((tier for tier in self.brackets if value <= tier.cap), self.brackets[-1])

    def maintenance(self, value: Decimal) -> Decimal:
        """Return the margin below which a position of this value is liquidated."""
        tier = self.bracket(value)
        return cut(value * tier.ratio - tier.cum)

    def max_value(self, leverage: Decimal) -> Decimal:
        """Return the greatest position value that may be held with a leverage."""
        return max((tier.cap for tier in self.brackets if tier.leverage >= leverage), default=ZERO)


def _tiers(first_ratio: str, *caps: int) -> tuple[Bracket, ...]:
    """Return the usual seven tiers, with other bounds."""
    ratios = (first_ratio, "0.01", "0.025", "0.05", "0.1", "0.25", "0.5")
    return brackets(*zip((100, 50, 20, 10, 5, 2, 1), map(str, caps), ratios, strict=True))


_MILLION = 1_000_000
_LINEAR = _tiers("0.004", _MILLION // 2, *(number * _MILLION for number in (1, 5, 20, 50, 100, 1_000)))
_SMALLER = _tiers("0.005", *(number * _MILLION // 4 for number in (1, 2, 10, 40, 100, 200, 2_000)))
_INVERSE = _tiers("0.004", 10, 50, 100, 300, 1_000, 3_000, 20_000)
CONTRACTS: tuple[Terms, ...] = (
    Terms("BTCUSDT", "BTC", "USDT", False, Decimal("0.001"), Decimal("0.1"), _LINEAR, 12_345_678),
    Terms("ETHUSDT", "ETH", "USDT", False, Decimal("0.01"), Decimal("0.01"), _SMALLER, 8_765_432),
    Terms("BTCUSD", "BTC", "USD", True, Decimal(100), Decimal("0.1"), _INVERSE, 456_789),
)
