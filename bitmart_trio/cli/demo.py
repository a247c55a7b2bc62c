"""Implement ``bitmart-trio demo``: a tour against a simulated exchange. Needs no key and no network."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterable
from decimal import Decimal
from typing import Final

import trio
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

import bitmart_trio as bm

from .._scopes import open_nursery, start_soon
from ._run import Failure

SYMBOL: Final = "BTC_USDT"
EVENTS: Final = 6
"""The lines of the panel that lists what happened."""
AROUND_THE_BOOK: Final = EVENTS + 8
"""The lines of the live view beside the book's levels: the other panel, borders and headings."""
MOST_LEVELS: Final = 12
FRAMES_A_SECOND: Final = 10
FILL_WITHIN: Final = 5.0
"""Seconds. A market order fills at once; this allows for a very busy machine."""

BOUGHT: Final = (bm.models.SpotOrderState.FILLED, bm.models.SpotOrderState.PARTIALLY_CANCELED)
"""The final states of a market buy: mostly partially canceled, since its remaining money buys no further lot."""


class Demo:
    """One run of the tour: its counts and its orders.

    Args:
        seconds: the duration.
        seed: of the simulated market.
        console: a terminal shows a live view, anything else plain lines.
    """

    def __init__(self, seconds: float, seed: int, console: Console) -> None:
        self._seconds = seconds
        self._seed = seed
        self._console = console
        self._counts: Counter[str] = Counter()
        self._trades: deque[bm.models.SpotTrade] = deque(maxlen=MOST_LEVELS * 2)
        self._ticker: bm.models.SpotTicker | None = None
        self._book: bm.models.SpotDepth | None = None
        self._said: deque[str] = deque(maxlen=EVENTS)
        self._filled: dict[str, trio.Event] = {}

    async def run(self) -> None:
        """Start the exchange, stream, trade and print a summary; raise `Failure` if something did not arrive."""
        async with bm.sim.open_server(port=0, seed=self._seed) as server:
            self._say(f"simulated exchange on {server.url}, seed {self._seed}")
            async with bm.open_client(server.credentials, environment=server.environment) as client:
                spot = client.streams.spot
                async with (
                    spot.trade(SYMBOL) as trades,
                    spot.ticker(SYMBOL) as tickers,
                    spot.depth(SYMBOL, level=20) as books,
                    spot.user_order(SYMBOL) as updates,
                    open_nursery() as nursery,
                ):
                    self._say("subscribed to trades, ticker, book and own orders")
                    start_soon(nursery, self._read_trades, trades)
                    start_soon(nursery, self._read_tickers, tickers)
                    start_soon(nursery, self._read_books, books)
                    start_soon(nursery, self._read_orders, updates)
                    if self._console.is_terminal:
                        start_soon(nursery, self._draw)
                    await self._trade(client, trio.current_time())
                    nursery.cancel_scope.cancel()
        self._conclude()

    async def _read_trades(self, trades: AsyncIterable[bm.models.SpotTrade]) -> None:
        async for trade in trades:
            self._counts["trades"] += 1
            self._trades.append(trade)
            self._line(f"trade   {trade.side:<4} {trade.size} at {trade.price}")

    async def _read_tickers(self, tickers: AsyncIterable[bm.models.SpotTicker]) -> None:
        async for ticker in tickers:
            self._counts["tickers"] += 1
            self._ticker = ticker
            self._line(f"ticker  last {ticker.last_price}, 24 h volume {ticker.base_volume_24h}")

    async def _read_books(self, books: AsyncIterable[bm.models.SpotDepth]) -> None:
        async for book in books:
            self._counts["books"] += 1
            self._book = book
            if book.bids and book.asks:
                bid, ask = book.bids[0], book.asks[0]
                self._line(f"book    bid {bid.price} x {bid.size}, ask {ask.price} x {ask.size}")

    async def _read_orders(self, updates: AsyncIterable[bm.models.SpotOrderUpdate]) -> None:
        async for update in updates:
            self._say(f"private stream: order {update.order_id} is {update.order_state}")
            if update.order_state in BOUGHT and update.filled_size:
                self._filled.setdefault(update.order_id, trio.Event()).set()

    async def _trade(self, client: bm.Client, start: float) -> None:
        """Place a limit order that rests and a market order that fills, cancel the first, then only stream."""
        trading = client.spot.trading
        await trio.sleep_until(start + self._seconds * 0.25)
        ticker = await client.spot.market.ticker(SYMBOL)
        below = (ticker.last_price * Decimal("0.9")).quantize(Decimal("0.01"))
        resting = await trading.submit_order(symbol=SYMBOL, side="buy", type="limit", size="0.01", price=below)
        self._say(f"limit order {resting.order_id}: buy 0.01 BTC at {below}, accepted")

        await trio.sleep_until(start + self._seconds * 0.5)
        at_once = await trading.submit_order(symbol=SYMBOL, side="buy", type="market", notional="500")
        self._say(f"market order {at_once.order_id}: buy for 500 USDT, accepted")
        with trio.move_on_after(FILL_WITHIN):
            await self._filled.setdefault(at_once.order_id, trio.Event()).wait()
            self._counts["filled"] += 1

        await trio.sleep_until(start + self._seconds * 0.75)
        await trading.cancel_order(symbol=SYMBOL, order_id=resting.order_id)
        self._counts["cancelled"] += 1
        self._say(f"limit order {resting.order_id}: cancelled")
        await trio.sleep_until(start + self._seconds)

    def _conclude(self) -> None:
        counts = self._counts
        streamed = ", ".join(f"{counts[name]} {name}" for name in ("trades", "tickers", "books"))
        print(f"done: {streamed}; 2 orders placed, {counts['filled']} filled, {counts['cancelled']} cancelled")
        missing = [name for name in ("trades", "tickers", "books", "filled", "cancelled") if not counts[name]]
        if missing:
            raise Failure(f"the demo saw no {' and no '.join(missing)}")

    def _say(self, text: str) -> None:
        """Report an event as a line, or as an entry of the live view."""
        self._said.append(text)
        self._line(text)

    def _line(self, text: str) -> None:
        if not self._console.is_terminal:
            print(text, flush=True)

    async def _draw(self) -> None:
        # Drawn from a task of ours: rich's own refreshing would run in a thread beside us.
        with Live(console=self._console, auto_refresh=False) as live:
            while True:
                live.update(self._view(), refresh=True)
                await trio.sleep(1 / FRAMES_A_SECOND)

    def _view(self) -> Group:
        levels = max(3, min(MOST_LEVELS, (self._console.height - AROUND_THE_BOOK) // 2))
        middle = Table.grid(expand=True, padding=(0, 2))
        middle.add_row(self._ladder(levels), self._tape(levels * 2))
        last = "..." if self._ticker is None else f"{self._ticker.last_price}"
        happened = [*self._said, *[""] * (EVENTS - len(self._said))]
        return Group(
            Panel(middle, title=f"{SYMBOL}  last {last}", subtitle="simulated: no real market"),
            Panel("\n".join(happened), title="what happened"),
        )

    def _ladder(self, levels: int) -> Table:
        table = Table("bid or ask", "size", "price", box=None, expand=True)
        if self._book is not None:
            for level in reversed(self._book.asks[:levels]):
                table.add_row("ask", str(level.size), Text(str(level.price), style="red"))
            for level in self._book.bids[:levels]:
                table.add_row("bid", str(level.size), Text(str(level.price), style="green"))
        return table

    def _tape(self, rows: int) -> Table:
        table = Table("trade", "size", "price", box=None, expand=True)
        for trade in list(reversed(self._trades))[:rows]:
            side = Text(str(trade.side), style="green" if trade.side == "buy" else "red")
            table.add_row(side, str(trade.size), str(trade.price))
        return table
