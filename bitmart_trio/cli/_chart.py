"""Draw klines in a terminal, as a picture, or as a page with a zoomable chart. Needs the ``plot`` extra.

The libraries are plotext, matplotlib and plotly. They compute in floats, which is enough for the eye.
"""

from __future__ import annotations

import html
import io
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from types import ModuleType
from typing import Final

import attrs

from ._run import Failure

PICTURE_CANDLES: Final = 400
"""The most candles that remain distinct in a picture."""
PAGE_CANDLES: Final = 5_000
"""The most candles on a page: more make a browser slow."""

_RISEN: Final = "#26a69a"
_FALLEN: Final = "#ef5350"
_DAY: Final = 86_400
_FRAME: Final = 14
"""Characters beside the candles of a terminal's chart: the prices and the frame."""
_FEWEST: Final = 8
_TIME: Final = 24
"""Characters between two times on the scale."""
_PRICE: Final = 5
"""Lines between two prices on the scale."""
_LONG: Final = 1e12
"""The price from which on an exponent is written."""
_BEYOND: Final = 1e100
"""The largest price that is drawn: the libraries multiply prices."""
_CONFIG: Final = {"displaylogo": False, "showSendToCloud": False, "plotlyServerURL": "", "responsive": True}
"""The page's settings, without the button that sends a chart to a service of plotly's."""
_PAGE: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body style="margin: 0">{chart}</body>
</html>
"""


@attrs.frozen
class Candle:
    """One kline, or several consecutive ones merged.

    Attributes:
        start: seconds since 1970.
        open: first price.
        high: highest price.
        low: lowest price.
        close: last price.
        volume: in the market's unit.
    """

    start: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def merged(candles: Sequence[Candle], step: int, most: int) -> tuple[list[Candle], int]:
    """Merge candles until at most so many are left; return them and the seconds of each.

    Args:
        candles: oldest first; some may be missing.
        step: seconds of each.
        most: the number of candles that there is room for.
    """
    if not candles:
        return [], step
    first = candles[0].start
    slots = (candles[-1].start - first) // step + 1
    width = step * math.ceil(slots / most)
    groups = dict[int, list[Candle]]()
    for candle in candles:
        groups.setdefault((candle.start - first) // width, []).append(candle)
    made = [
        Candle(
            first + at * width,
            group[0].open,
            max(each.high for each in group),
            min(each.low for each in group),
            group[-1].close,
            sum(each.volume for each in group),
        )
        for at, group in groups.items()
    ]
    return made, width


@attrs.frozen
class Chart:
    """The candles of a symbol.

    Attributes:
        name: the title: symbol and length of a kline.
        step: seconds of a candle.
        candles: oldest first; at least one.
    """

    name: str
    step: int
    candles: Sequence[Candle]

    def __attrs_post_init__(self) -> None:
        numbers = (number for each in self.candles for number in attrs.astuple(each))
        if not all(abs(number) < _BEYOND for number in numbers):
            raise Failure(f"the klines of {self.name} have numbers too large to draw")

    def text(self, width: int, height: int, *, colour: bool) -> str:
        """Return the chart for a terminal of so many characters and lines."""
        plotext = load("plotext")
        candles, length = merged(self.candles, self.step, max(width - _FRAME, _FEWEST))
        first = candles[0].start
        at = [(each.start - first) / length for each in candles]
        figure = plotext.figure
        figure.clear.all()
        plotext.terminal.limit(False, False)
        figure.plot_size(width, height - 1)
        figure.theme("colorless")
        times = [round(each) for each in _ticks(0, at[-1], min(len(candles), width // _TIME))]
        figure.ruler("x").ticks(times, [_moment(first + each * length, length) for each in times])
        low, high = min(each.low for each in candles), max(each.high for each in candles)
        prices = _ticks(low, high, max(height // _PRICE, 2) if high > low else 1)
        figure.ruler("y").ticks(prices, _prices(prices))
        figure.draw(
            figure.candlestick(
                {
                    "date": at,
                    "open": [each.open for each in candles],
                    "close": [each.close for each in candles],
                    "high": [each.high for each in candles],
                    "low": [each.low for each in candles],
                }
            )
        )
        drawn: str = figure.build().string(not colour)
        figure.clear.all()
        return "\n".join((self._title(length), *(line.rstrip() for line in drawn.rstrip("\n").split("\n"))))

    def png(self) -> bytes:
        """Return the chart as a PNG picture, prices above volumes."""
        dates = load("matplotlib.dates")
        candles, length = merged(self.candles, self.step, PICTURE_CANDLES)
        figure = load("matplotlib.figure").Figure(figsize=(14, 8), dpi=100, layout="constrained")
        prices, volumes = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        at = [(each.start + length / 2) / _DAY for each in candles]  # matplotlib counts days
        colours = [_colour(each) for each in candles]
        prices.vlines(at, [each.low for each in candles], [each.high for each in candles], colors=colours, linewidth=1)
        prices.bar(
            at,
            [abs(each.close - each.open) for each in candles],
            0.8 * length / _DAY,
            bottom=[min(each.open, each.close) for each in candles],
            color=colours,
            edgecolor=colours,  # a candle that ends where it began consists of its edge
            linewidth=0.8,
        )
        prices.set_title(self._title(length), parse_math=False)
        prices.grid(alpha=0.3)
        prices.ticklabel_format(axis="y", useOffset=False)
        volumes.bar(at, [each.volume for each in candles], 0.8 * length / _DAY, color=colours)
        volumes.set_ylabel("volume")
        volumes.grid(alpha=0.3)
        locator = dates.AutoDateLocator(tz=UTC)
        volumes.xaxis.set_major_locator(locator)
        volumes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=UTC))
        file = io.BytesIO()
        figure.savefig(file, format="png")
        return file.getvalue()

    def html(self) -> bytes:
        """Return the chart as a page that needs no network: everything is in the file."""
        objects, subplots = load("plotly.graph_objects"), load("plotly.subplots")
        candles, length = merged(self.candles, self.step, PAGE_CANDLES)
        at = [_moment(each.start) for each in candles]
        figure = subplots.make_subplots(
            rows=2, cols=1, shared_xaxes=True, row_heights=[0.8, 0.2], vertical_spacing=0.03
        )
        figure.add_trace(
            objects.Candlestick(
                x=at,
                open=[each.open for each in candles],
                high=[each.high for each in candles],
                low=[each.low for each in candles],
                close=[each.close for each in candles],
                increasing_line_color=_RISEN,
                decreasing_line_color=_FALLEN,
                name="price",
            ),
            row=1,
            col=1,
        )
        volumes = [each.volume for each in candles]
        colours = [_colour(each) for each in candles]
        figure.add_trace(objects.Bar(x=at, y=volumes, marker_color=colours, name="volume"), row=2, col=1)
        figure.update_layout(
            title=html.escape(self._title(length)),
            showlegend=False,
            hovermode="x unified",
            xaxis_rangeslider_visible=False,
            template="plotly_white",
        )
        chart = figure.to_html(include_plotlyjs=True, full_html=False, default_height="97vh", config=_CONFIG)
        return _PAGE.format(title=html.escape(self.name), chart=chart).encode()

    def _title(self, length: int) -> str:
        several = f" ({length // self.step} a candle)" if length > self.step else ""
        first, last = self.candles[0].start, self.candles[-1].start + self.step
        return f"{self.name}{several}, {_moment(first)} to {_moment(last)} UTC"


def load(module: str) -> ModuleType:
    """Import a library of the ``plot`` extra.

    Raises:
        Failure: the library is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise Failure(f"drawing needs {package}: pip install 'bitmart-trio[plot]'") from None


def _colour(candle: Candle) -> str:
    return _RISEN if candle.close >= candle.open else _FALLEN


def _ticks(first: float, last: float, count: int) -> list[float]:
    """Return so many evenly spaced places on a scale."""
    return [first + (last - first) * each / max(count - 1, 1) for each in range(max(count, 1))]


def _prices(values: Sequence[float]) -> list[str]:
    """Return the prices on a scale, with enough digits to distinguish them."""
    apart = min((abs(high - low) for high, low in zip(values[1:], values, strict=False)), default=0) or abs(values[0])
    digits = min(max(1 - math.floor(math.log10(apart)), 0), 12) if apart else 0
    return [f"{value:.{digits}f}" if value < _LONG else f"{value:.3g}" for value in values]


def _moment(seconds: float, length: int = 1) -> str:
    """Return a time in UTC; for candles of whole days, only the date."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%d}" if length % _DAY == 0 else f"{moment:%Y-%m-%d %H:%M}"
