"""Implement ``bitmart-trio klines --plot``, ``--png`` and ``--html``: draw klines."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Final

import attrs

import bitmart_trio as bm

from ..history import moment
from ..history._files import replacing
from ..models.futures_market import FuturesKline
from ..models.spot_market import SpotKline
from ._chart import Candle, Chart, load
from ._history import say, step_name
from ._options import market_of
from ._run import Failure, Refusal
from .export import klines_of, progress_bar

LATEST: Final = 200
"""The number of klines drawn without --from."""
_MOST_LINES: Final = 36
"""The most lines of a chart: more would be taller than wide."""


@attrs.frozen
class Plot:
    """A request to draw klines.

    Attributes:
        symbol: a spot pair or a contract, by its spelling.
        since: the start; None for the latest klines.
        until: the end; None for now.
        step: minutes of a kline.
        mark: draw the mark price.
        terminal: draw in the terminal.
        png: the file of a picture.
        html: the file of a page.
    """

    symbol: str
    since: datetime | None
    until: datetime | None
    step: int
    mark: bool
    terminal: bool
    png: Path | None
    html: Path | None

    def check(self) -> None:
        """Check what can be checked before anything is read.

        Raises:
            Refusal: a file name has the wrong ending.
            Failure: a library is not installed, or the console lacks the characters.
        """
        for path, ending in ((self.png, ".png"), (self.html, ".html")):
            if path is not None and path.suffix != ending:
                raise Refusal(f"{path.name}: the file name must end in {ending}")
        wanted = {"plotext": self.terminal, "matplotlib.figure": self.png is not None, "plotly": self.html is not None}
        for module, is_wanted in wanted.items():
            if is_wanted:
                load(module)

        encoding = sys.stdout.encoding or "ascii"
        if self.terminal and "█".encode(encoding, "ignore") == b"":
            raise Failure(f"this console cannot show a chart (its encoding is {encoding}); use --png or --html")

    async def read(self, client: bm.Client) -> Chart:
        """Read the finished klines to draw.

        Raises:
            Failure: there are no klines in the range.
        """
        since: datetime | int | None = self.since
        if since is None:
            end = int(self.until.timestamp() * 1000) if self.until is not None else await _now(client, self.symbol)
            since = max(end - LATEST * self.step * 60_000, 0)
        walk, _ = klines_of(client, self.symbol, self.step, mark=self.mark, since=since, until=self.until)
        walker = walk(None)
        candles = list[Candle]()
        with progress_bar(self.symbol) as tell:
            async for window in walker.windows():
                candles += [_candle(each) for each in window.records]
                tell(len(candles), walker.fraction)
        for gap in walker.gaps:
            say(f"missing: {moment(gap.since)} to {moment(gap.until)}: {gap.reason}")
        if not candles:
            raise Failure(f"there are no klines of {self.symbol} from {moment(walker.since)} on; try another --from")
        name = f"{self.symbol}, {'mark price, ' if self.mark else ''}klines of {step_name(self.step)}"
        return Chart(name, self.step * 60, candles)

    def show(self, chart: Chart) -> None:
        """Draw the chart to all destinations."""
        if self.terminal:
            is_terminal = sys.stdout.isatty()
            size = shutil.get_terminal_size((100, 30))
            height = min(size.lines - 2, _MOST_LINES) if is_terminal else 30
            print(chart.text(size.columns, max(height, 10), colour=is_terminal and "NO_COLOR" not in os.environ))
        if self.png is not None:
            _write(self.png, chart.png())
        if self.html is not None:
            _write(self.html, chart.html())


async def _now(client: bm.Client, symbol: str) -> int:
    system = client.spot.system if market_of(symbol) == "spot" else client.futures.system
    return (await system.time()).server_time


def _candle(kline: SpotKline | FuturesKline) -> Candle:
    if isinstance(kline, SpotKline):
        numbers = (kline.open, kline.high, kline.low, kline.close, kline.volume)
        return Candle(kline.open_time, *map(float, numbers))
    numbers = (kline.open_price, kline.high_price, kline.low_price, kline.close_price, kline.volume)
    return Candle(kline.timestamp, *map(float, numbers))


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)
    say(f"drawn in {path}")
