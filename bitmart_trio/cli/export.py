"""Implement ``bitmart-trio klines`` and ``trades``: write a history to a CSV, JSON lines or Parquet file, resumably."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import attrs
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

import bitmart_trio as bm
from bitmart_trio import history

from ..models.futures_market import FuturesKline, FuturesMarketTrade
from ..models.futures_trading import FuturesFill
from ..models.spot_market import SpotKline, SpotMarketTrade
from ..models.spot_trading import SpotFill
from ._history import say
from ._options import market_of
from ._run import Refusal

T = TypeVar("T")


@attrs.frozen
class Export:
    """A request to write a history to a file.

    Attributes:
        symbol: a spot pair or a contract, by its spelling.
        since: the start; None for as far back as the exchange goes.
        until: the end; None for now.
        out: the file.
        resume: continue the file.
        decimals: the type of amounts in Parquet.
    """

    symbol: str
    since: datetime | None
    until: datetime | None
    out: Path
    resume: bool
    decimals: Literal["exact", "float"] = "exact"

    async def klines(self, client: bm.Client, step: int, *, mark: bool) -> None:
        """Write the finished klines of the symbol."""
        walk, kind = klines_of(client, self.symbol, step, mark=mark, since=self.since, until=self.until)
        exported = await self._write(walk, kind)
        begins = exported.begins
        if begins is not None and (self.since is None or begins > exported.since + step * 60_000):
            say(f"the klines of {self.symbol} begin at {history.moment(begins)}")

    async def trades(self, client: bm.Client, *, mine: bool) -> None:
        """Write the latest public trades, or the account's own fills."""
        since, until, symbol = self.since, self.until, self.symbol
        spot = market_of(symbol) == "spot"
        if not mine and spot:
            await self._write(
                lambda cursor: history.spot_market_trades(
                    client, symbol, since=since, until=until, cursor=cursor, gaps="note"
                ),
                SpotMarketTrade,
            )
            return
        if not mine:
            await self._write(
                lambda cursor: history.futures_market_trades(
                    client, symbol, since=since, until=until, cursor=cursor, gaps="note"
                ),
                FuturesMarketTrade,
            )
            return
        if since is None:
            raise Refusal("the account's own trades need --from")
        if spot:
            await self._write(
                lambda cursor: history.spot_fills(client, symbol, since=since, until=until, cursor=cursor, gaps="note"),
                SpotFill,
            )
        else:
            await self._write(
                lambda cursor: history.futures_fills(
                    client, symbol, since=since, until=until, cursor=cursor, gaps="note"
                ),
                FuturesFill,
            )

    async def _write(
        self, walk: Callable[[history.Cursor | None], history.Walker[T]], kind: type[T]
    ) -> history.Exported:
        with progress_bar(self.symbol) as tell:
            exported = await history.export(
                walk, kind, self.out, resume=self.resume, progress=tell, decimals=self.decimals
            )
        for gap in exported.gaps:
            say(f"missing: {history.moment(gap.since)} to {history.moment(gap.until)}: {gap.reason}")
        say(f"{exported.records} rows in {exported.path}")
        return exported


def klines_of(
    client: bm.Client,
    symbol: str,
    step: int,
    *,
    mark: bool,
    since: history.When | None,
    until: history.When | None,
) -> tuple[Callable[[history.Cursor | None], history.Walker[Any]], type]:
    """Return the function that opens a walker over a symbol's klines, and their class.

    Raises:
        Refusal: the mark price of a spot pair is asked for.
    """
    if market_of(symbol) == "spot":
        if mark:
            raise Refusal("only contracts have a mark price")
        return lambda cursor: history.spot_klines(
            client, symbol, step=step, since=since, until=until, cursor=cursor, gaps="note"
        ), SpotKline
    walk = history.futures_mark_price_klines if mark else history.futures_klines
    return lambda cursor: walk(
        client, symbol, step=step, since=since, until=until, cursor=cursor, gaps="note"
    ), FuturesKline


@contextmanager
def progress_bar(name: str) -> Generator[Callable[[int, float], None]]:
    """Show a bar on standard error if it is a terminal; yield a function that takes the rows and the fraction done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[records]} rows"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=1.0, records=0)

        def tell(records: int, fraction: float) -> None:
            bar.update(task, completed=fraction, records=records)

        yield tell
