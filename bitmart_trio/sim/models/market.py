"""Models of the markets: the prices of coins, and the makers and takers of each book."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Protocol, TypeAlias

from ..kernel.book import Book, Side
from ..kernel.clock import Clock
from ..kernel.coins import DOLLARS, Coin
from ..kernel.contracts import Terms
from ..kernel.ids import Randoms
from ..kernel.pairs import Pair
from ..kernel.symbols import Listed

Take: TypeAlias = "Callable[[Side, Decimal, Decimal | None], None]"
"""A function for a synthetic taker's trade on a pair: side, limit price, size (None: everything within the limit)."""
Step: TypeAlias = "Callable[[], None]"
"""A function that runs the makers and takers of one book for a tick."""


class Shown(Protocol):
    """A contract as its makers see it."""

    contract: Terms
    book: Book
    index: Decimal
    last: Decimal


class Sweep(Protocol):
    """A function for a synthetic taker's trade on a contract."""

    def __call__(self, side: Side, limit: Decimal | None, size: Decimal, *, opens: bool) -> None:
        """Take up to ``size`` from the book; ``opens`` says if the trade shows as opening a position."""


class MarketModel(Protocol):
    """The prices of all coins in US dollars, and the makers and takers beside the users."""

    @property
    def moves(self) -> bool:
        """Return True if the model moves prices and quotes books; else a script sets them."""
        ...

    def price(self, coin: str) -> Decimal:
        """Return the present price of a coin; 1 for a dollar."""
        ...

    def rate(self, base: str, quote: str) -> Decimal:
        """Return the price of one currency in another."""
        ...

    def first(self, coin: str) -> Decimal:
        """Return the approximate price of a coin before the exchange opened."""
        ...

    def knows(self, coin: str) -> bool:
        """Return True if a coin has a price."""
        ...

    def advance(self, ticks: int) -> None:
        """Advance prices by so many moves of a tenth of a second."""

    def push(self, coin: str, price: Decimal) -> None:
        """Set a price; moving prices continue from there."""

    def pin(self, coin: str, price: Decimal) -> None:
        """Set a coin's exact price, which stays until the next call."""

    def on_pair(self, pair: Pair, book: Book, last: Decimal, take: Take) -> Step | None:
        """Return the makers and takers of a pair, with quotes placed around its last price; None without any."""
        ...

    def on_contract(self, shown: Shown, sweep: Sweep) -> Step | None:
        """Return the makers and takers of a contract, with quotes placed; None without any."""
        ...


Moved: TypeAlias = "Callable[[Listed, Clock, Randoms], MarketModel]"
"""A function that makes an exchange's model from its listed symbols, clock and random streams."""


class Still:
    """A market on which nothing moves: prices stay until they are set, and books have no makers.

    Args:
        coins: every coin with a price.
    """

    def __init__(self, coins: Iterable[Coin]) -> None:
        self._coins = {coin.name: coin for coin in coins}
        self._prices = {coin.name: coin.base * coin.point for coin in self._coins.values()}

    @classmethod
    def of(cls, listed: Listed, clock: Clock, random: Randoms) -> Still:
        """Return the still model of an exchange."""
        return cls(listed.coins)

    @property
    def moves(self) -> bool:
        """Return False: the market never moves by itself."""
        return False

    def price(self, coin: str) -> Decimal:
        """Return the price that was set; at first the price before the opening."""
        return Decimal(1) if coin in DOLLARS else self._prices[coin]

    def rate(self, base: str, quote: str) -> Decimal:
        """Return the price of one currency in another."""
        return self.price(base) if quote in DOLLARS else self.price(base) / self.price(quote)

    def first(self, coin: str) -> Decimal:
        """Return the price of a coin before the exchange opened."""
        if coin in DOLLARS:
            return Decimal(1)
        return self._coins[coin].base * self._coins[coin].point

    def knows(self, coin: str) -> bool:
        """Return True if a coin has a price."""
        return coin in DOLLARS or coin in self._prices

    def advance(self, ticks: int) -> None:
        """Do nothing: the market stands still."""

    def push(self, coin: str, price: Decimal) -> None:
        """Set a price, on the coin's grid of points."""
        point = self._coins[coin].point
        self._prices[coin] = int(price / point) * point

    def pin(self, coin: str, price: Decimal) -> None:
        """Set a price exactly."""
        self._prices[coin] = price

    def on_pair(self, pair: Pair, book: Book, last: Decimal, take: Take) -> Step | None:
        """Return no makers or takers."""
        return None

    def on_contract(self, shown: Shown, sweep: Sweep) -> Step | None:
        """Return no makers or takers."""
        return None
