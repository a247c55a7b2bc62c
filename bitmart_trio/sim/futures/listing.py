"""One contract's market data: book, trades, candles, mark and index price, funding rates; no money."""

from __future__ import annotations

import random
from collections import deque
from decimal import Decimal
from functools import partial
from itertools import count

import attrs

from ..kernel.book import Book
from ..kernel.candles import Candles
from ..kernel.contracts import FUNDING_MS, ZERO, Terms
from ..kernel.prehistory import Market, Prehistory, PricePath
from ..models.funding import USUAL, FundingModel, capped

KEPT_TRADES = 1000
_PACE = 2000
"""The approximate maximum of contracts per minute of the past."""


@attrs.frozen
class Print:
    """A public trade of the market."""

    trade_id: int
    price: Decimal
    size: Decimal
    time_ms: int
    buyer_is_maker: bool
    taker_opens: bool
    maker_opens: bool

    @property
    def way(self) -> int:
        """Return the digit 1 to 8 by which a push encodes who bought or sold and who opened or closed."""
        return (5 if self.buyer_is_maker else 1) + (0 if self.taker_opens else 2) + (0 if self.maker_opens else 1)


class Funding:
    """The funding rates of one contract: a hundred invented past ones, then one more at each settlement."""

    def __init__(self, model: FundingModel, dice: random.Random, now_ms: int) -> None:
        self._model = model
        self._dice = dice
        self.next_ms: int = (now_ms // FUNDING_MS + 1) * FUNDING_MS
        self.settled: deque[tuple[int, Decimal]] = deque(maxlen=1000)
        """(time, rate), oldest first."""
        self.expected: Decimal = USUAL
        for back in range(100, 0, -1):
            self._draw()
            self.settled.append((self.next_ms - back * FUNDING_MS, self.expected))
        self._draw()

    @property
    def last(self) -> Decimal:
        """Return the rate of the last settlement."""
        return self.settled[-1][1]

    def settle(self) -> tuple[int, Decimal]:
        """Settle the expected rate, as of its announced time; draw the next one."""
        settled = (self.next_ms, self.expected)
        self.settled.append(settled)
        self.next_ms += FUNDING_MS
        self._draw()
        return settled

    def _draw(self) -> None:
        self.expected = capped(self._model.following(self.expected, self._dice))


class Listing:
    """One contract's market data and book."""

    def __init__(
        self,
        contract: Terms,
        *,
        seed: int,
        dice: random.Random,
        now_ms: int,
        price: Decimal,
        path: PricePath,
        funding: FundingModel,
    ) -> None:
        self.contract = contract
        self.book: Book = Book()
        opening = contract.on_grid(price)
        self.index: Decimal = price
        self.mark: Decimal = opening
        self.last: Decimal = opening
        shown = Market(
            f"{seed}/{contract.symbol}",
            contract.on_grid,
            unit=Decimal(1),
            worth=partial(contract.quote_amount, Decimal(1)),
            pace=_PACE,
        )
        self.series: Candles = Candles(Prehistory(path, shown), opening, opens_at_trade=False)
        unsold = attrs.evolve(shown, unit=ZERO)
        self.mark_series: Candles = Candles(Prehistory(path, unsold), opening, opens_at_trade=False)
        self.funding: Funding = Funding(funding, dice, now_ms)
        self.prints: deque[Print] = deque(maxlen=KEPT_TRADES)
        self.user_interest = ZERO
        """The contracts held by users, longs and shorts counted alike."""
        self._ids = count(3_000_000_000_000_001)

    @property
    def open_interest(self) -> Decimal:
        """Return the open contracts: the synthetic market's and the users'."""
        return self.contract.open_interest + self.user_interest

    def trigger_price(self, price_type: int) -> Decimal:
        """Return the price that conditional orders watch: 1 last, 2 mark."""
        return self.mark if price_type == 2 else self.last

    def set_index(self, now_ms: int, index: Decimal) -> None:
        """Set the underlying price, and with it the mark price on the contract's grid."""
        self.index = index
        self.mark = self.contract.on_grid(index)
        self.mark_series.note(now_ms, self.mark)
        self.series.roll(now_ms)

    def print(
        self, now_ms: int, price: Decimal, size: Decimal, *, buyer_is_maker: bool, taker_opens: bool, maker_opens: bool
    ) -> Print:
        """Record one public trade."""
        made = Print(next(self._ids), price, size, now_ms, buyer_is_maker, taker_opens, maker_opens)
        self.last = price
        self.prints.append(made)
        self.series.note(now_ms, price, size, self.contract.quote_amount(size, price))
        return made
