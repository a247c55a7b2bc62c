"""Implement ``bitmart-trio book``: a live order book, as a ladder in a terminal, else as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Final

import trio
from rich.bar import Bar
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

import bitmart_trio as bm

from .._scopes import open_nursery, start, start_soon
from ..models._rows import Level
from ..models.stream_events import Lost, Reconnected
from ..text import printable
from ._live import Screen
from ._options import market_of
from ._show import Json, age

_COLOURS: Final = {bm.BookState.LIVE: "green", bm.BookState.SYNCING: "yellow", bm.BookState.STALE: "red"}
LINES_AROUND: Final = 6
"""The lines of the view beside the levels."""


class Book:
    """A live view of the order book of one symbol.

    Args:
        symbol: a spot pair or a contract, distinguished by spelling.
        levels: levels per side; None for as many as fit (20 in JSON).
        limit: stop after so many changes; None never does.
        console: the terminal; None prints one JSON object per line.
    """

    def __init__(self, symbol: str, levels: int | None, limit: int | None, console: Console | None) -> None:
        self._symbol = symbol
        self._market = market_of(symbol)
        self._levels = levels
        self._left = limit
        self._console = console
        self._screen = None if console is None else Screen(console, self._view)
        self._book: bm.OrderBook | None = None
        self._where = ""
        self._trouble = ""
        self._changes = 0
        self._last_change: float | None = None

    async def run(self, credentials: bm.Credentials | None, environment: bm.Environment) -> None:
        """Keep the book and show it until the limit is reached or the command is interrupted."""
        self._where = environment.name
        async with bm.open_streams(credentials, environment=environment) as streams, open_nursery() as nursery:
            await start(nursery, self._follow_connections, streams)
            if self._screen is not None:
                start_soon(nursery, self._screen.run)
            async with self._open(streams) as book, open_nursery() as readers:
                self._book = book
                start_soon(readers, self._follow_state, book)
                await self._follow(book)
                readers.cancel_scope.cancel()
            nursery.cancel_scope.cancel()

    def _open(self, streams: bm.Streams) -> AbstractAsyncContextManager[bm.OrderBook]:
        if self._market == "spot":
            return streams.spot.order_book(self._symbol)
        return streams.futures.order_book(self._symbol)

    async def _follow(self, book: bm.OrderBook) -> None:
        async for change in book:
            self._changes += change.merged
            self._last_change = trio.current_time()
            self._say({"version": book.version, "time": book.time, **_sides(book, self._levels or 20)})
            if self._left is not None:
                self._left -= 1
                if self._left <= 0:
                    return

    async def _follow_state(self, book: bm.OrderBook) -> None:
        while True:
            await book.wait_live()
            await book.wait_stale()
            # A reader of the lines must not take the last one for the present market.
            self._say({})

    async def _follow_connections(self, streams: bm.Streams, task_status: trio.TaskStatus[None]) -> None:
        async with streams.events() as events:
            task_status.started()
            async for event in events:
                if isinstance(event, Lost):
                    self._trouble = f"reconnecting in {age(event.retry_in)}: {printable(event.reason)}"
                elif isinstance(event, Reconnected):
                    self._trouble = ""
                if self._screen is not None:
                    self._screen.touch()

    def _say(self, what: dict[str, Json]) -> None:
        if self._screen is not None:
            self._screen.touch()
        elif self._book is not None:
            line: Json = {"symbol": self._symbol, "state": self._book.state.value, **what}
            print(json.dumps(line), flush=True)

    # ---- the live view ----------------------------------------------------------------------------------------------

    def _view(self) -> RenderableType:
        assert self._console is not None
        size = self._console.size
        state = bm.BookState.SYNCING if self._book is None else self._book.state
        head = Text.assemble(
            (f" {self._where} ", "reverse"),
            "  ",
            (self._symbol, "bold"),
            "  ",
            (state.value, _COLOURS[state]),
            f"  {self._trouble}",
            overflow="ellipsis",
            no_wrap=True,
        )
        if self._book is None or state is not bm.BookState.LIVE:
            return Group(head, Text(), Text("no prices are shown until the book is live", style="dim"))
        room = max(1, (size.height - LINES_AROUND) // 2)
        depth = self._book.depth(min(room, self._levels or room))
        wide = size.width >= 60
        totals = [*_totals(depth.asks), *_totals(depth.bids)]
        ladder = _Ladder(max(totals, default=Decimal(0)), wide, self._market)
        for level, total in reversed(list(zip(depth.asks, _totals(depth.asks), strict=True))):
            ladder.add(level, total, "red")
        ladder.between(self._book)
        for level, total in zip(depth.bids, _totals(depth.bids), strict=True):
            ladder.add(level, total, "green")
        return Group(head, Text(), ladder.table, Text(), self._foot(self._book))

    def _foot(self, book: bm.OrderBook) -> Text:
        counts = book.statistics()
        last = "-" if self._last_change is None else age(trio.current_time() - self._last_change)
        text = f"version {book.version}  changes {self._changes}  last {last} ago"
        if counts.resyncs:
            text += f"  resynced {counts.resyncs} times ({counts.gaps} gaps, {counts.reconnects} reconnects)"
        return Text(text, style="dim", overflow="ellipsis", no_wrap=True)


class _Ladder:
    """The table: asks above, bids below, and a bar for the total size up to each level."""

    def __init__(self, largest: Decimal, wide: bool, market: str) -> None:
        self.table = Table(box=None, expand=True, padding=(0, 2, 0, 0), header_style="dim")
        self._largest = float(largest) or 1.0  # only for the bars; no amount is computed with it
        self._wide = wide
        unit = "contracts" if market == "futures" else "size"
        for name in ("price", unit, "total") if wide else ("price", unit):
            self.table.add_column(name, justify="right", no_wrap=True)
        self.table.add_column("", ratio=1)

    def add(self, level: Level, total: Decimal, colour: str) -> None:
        cells: list[RenderableType] = [Text(f"{level.price:f}", style=colour), Text(f"{level.size:f}")]
        if self._wide:
            cells.append(Text(f"{total:f}", style="dim"))
        self.table.add_row(*cells, Bar(self._largest, 0, float(total), color=colour))

    def between(self, book: bm.OrderBook) -> None:
        if book.spread is None or book.mid is None:
            self.table.add_row(Text("one side is empty", style="dim"))
            return
        points = book.spread / book.mid * 10_000 if book.mid else Decimal(0)
        words = (Text(f"{book.mid:f}", style="bold"), Text("spread", style="dim"), Text(f"{book.spread:f}"))
        self.table.add_row(*words[: 3 if self._wide else 2], Text(f"{points:.2f} bp", style="dim"))


def _totals(levels: Sequence[Level]) -> list[Decimal]:
    total, found = Decimal(0), list[Decimal]()
    for level in levels:
        total += level.size
        found.append(total)
    return found


def _sides(book: bm.OrderBook, levels: int) -> dict[str, Json]:
    depth = book.depth(levels)
    return {
        name: [[f"{level.price:f}", f"{level.size:f}"] for level in side]
        for name, side in (("bids", depth.bids), ("asks", depth.asks))
    }
