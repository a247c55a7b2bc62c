"""The three pairs of the simulated spot market: their trading rules, and what the market has done so far."""

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
    """Least and greatest size of a synthetic quote, in steps of `lot`."""

    @property
    def lot(self) -> Decimal:
        """The step of sizes, and the smallest one."""
        return Decimal(1).scaleb(-self.size_places)

    @property
    def tick(self) -> Decimal:
        """The step of prices."""
        return Decimal(1).scaleb(-self.price_places)

    def on_grid(self, price: Decimal) -> Decimal:
        """The nearest price on the grid; one that is on it stays as it is."""
        return price if not price % self.tick else price.quantize(self.tick)

    def price_text(self, price: Decimal) -> str:
        """A price as the wire writes it."""
        return f"{price:.{self.price_places}f}"

    def size_text(self, size: Decimal) -> str:
        """A size as the wire writes it."""
        return f"{size:.{self.size_places}f}"


PAIRS = (
    Pair("BTC_USDT", 53, "BTC", "USDT", 5, 2),
    Pair("ETH_USDT", 55, "ETH", "USDT", 4, 2, spacing=Decimal("0.05"), lots=(5_000, 300_000)),
    Pair("BMX_USDT", 1003, "BMX", "USDT", 2, 5, spacing=Decimal("0.00001"), lots=(50_000, 2_000_000)),
)


def money(amount: Decimal) -> str:
    """An amount of money as the wire writes it: eight decimals, never more than there is."""
    return format(amount.quantize(MONEY, ROUND_DOWN), "f")


@attrs.frozen
class PublicTrade:
    """One trade as everybody sees it."""

    time_ms: int
    price: Decimal
    size: Decimal
    side: Side
    """The taker's."""


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
        """Take one trade into price, candles and lists."""
        self.last = trade.price
        self.trades.append(trade)
        self.candles.note(steady_ms, trade.price, trade.size, trade.price * trade.size)

    def mark(self, price: Decimal, steady_ms: int) -> None:
        """Take a price that came without a trade."""
        self.last = price
        self.candles.note(steady_ms, price)
