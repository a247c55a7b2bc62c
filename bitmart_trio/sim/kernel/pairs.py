"""Define the pairs of the simulated spot market: their trading rules, and their market data so far."""

from __future__ import annotations

from collections import deque
from decimal import ROUND_DOWN, Decimal

import attrs

from .book import Book, Side
from .candles import Candles

MONEY = Decimal("1E-8")
"""The grain of balances, values and fees."""
MAX_PRICE = Decimal(10) ** 9


@attrs.frozen
class Pair:
    """The rules of one pair."""

    symbol: str
    symbol_id: int
    base: str
    quote: str
    size_places: int
    price_places: int
    min_value: Decimal = Decimal(5)
    max_size: Decimal = Decimal(100_000_000)
    spacing: Decimal = Decimal("0.5")
    """The distance of the synthetic quotes."""
    lots: tuple[int, int] = (2_000, 150_000)
    """The smallest and the largest size of a synthetic quote, in steps of `lot`."""

    @property
    def lot(self) -> Decimal:
        """Return the step of sizes, which is also the smallest size."""
        return Decimal(1).scaleb(-self.size_places)

    @property
    def tick(self) -> Decimal:
        """Return the step of prices."""
        return Decimal(1).scaleb(-self.price_places)

    def on_grid(self, price: Decimal) -> Decimal:
        """Return the nearest price on the grid; a price on the grid is unchanged."""
        return price if not price % self.tick else price.quantize(self.tick)

    def price_text(self, price: Decimal) -> str:
        """Return a price as the wire has it."""
        return f"{price:.{self.price_places}f}"

    def size_text(self, size: Decimal) -> str:
        """Return a size as the wire has it."""
        return f"{size:.{self.size_places}f}"


PAIRS = (
    Pair("BTC_USDT", 53, "BTC", "USDT", 5, 2),
    Pair("ETH_USDT", 55, "ETH", "USDT", 4, 2, spacing=Decimal("0.05"), lots=(5_000, 300_000)),
    Pair("BMX_USDT", 1003, "BMX", "USDT", 2, 5, spacing=Decimal("0.00001"), lots=(50_000, 2_000_000)),
)


def money(amount: Decimal) -> str:
    """Return an amount of money as the wire has it: eight decimals, rounded down."""
    return format(amount.quantize(MONEY, ROUND_DOWN), "f")


@attrs.frozen
class PublicTrade:
    """One trade as everyone sees it."""

    time_ms: int
    price: Decimal
    size: Decimal
    side: Side
    """The side of the taker."""


@attrs.define(eq=False)
class PairMarket:
    """One pair with its book, candles and latest trades."""

    pair: Pair
    book: Book
    candles: Candles
    last: Decimal
    trades: deque[PublicTrade] = attrs.Factory(lambda: deque[PublicTrade](maxlen=50))
    """Newest last."""

    def record(self, trade: PublicTrade, steady_ms: int) -> None:
        """Add one trade to price, candles and lists."""
        self.last = trade.price
        self.trades.append(trade)
        self.candles.note(steady_ms, trade.price, trade.size, trade.price * trade.size)

    def mark(self, price: Decimal, steady_ms: int) -> None:
        """Set a price that changed without a trade."""
        self.last = price
        self.candles.note(steady_ms, price)
