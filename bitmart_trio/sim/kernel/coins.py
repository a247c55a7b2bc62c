"""Define coins: their opening prices, and the grid on which their prices move."""

from __future__ import annotations

from decimal import Decimal

import attrs

DOLLARS = frozenset({"USDT", "USDC", "USD"})
"""The currencies that always cost one US dollar."""


@attrs.frozen
class Coin:
    """The random walk of a coin's price, in whole points around ``base``."""

    name: str
    point: Decimal
    """The grid of the price, in US dollars."""
    base: int
    """The approximate start of the price, in points."""
    unit: int
    """Twice the greatest move of a tick in ordinary times, in points."""

    @classmethod
    def at(cls, name: str, price: Decimal) -> Coin:
        """Return a coin with about this price; its price has seven digits and moves like those of the other coins."""
        point = Decimal(1).scaleb(price.adjusted() - 6)
        base = int(price / point)
        return cls(name, point, base, max(2, base * 40 // 1_000_000))


COINS = (
    Coin("BTC", Decimal("0.01"), 6_000_000, 200),
    Coin("ETH", Decimal("0.01"), 300_000, 12),
    Coin("BMX", Decimal("0.00001"), 30_000, 2),
)
"""The coins of every exchange, with which the value of an account is calculated."""


USUAL = ("BTC", "ETH", "USDT", "BMX")
"""The currencies of every exchange."""
