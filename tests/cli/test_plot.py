"""``bitmart-trio klines --plot``, ``--png`` and ``--html``: what is drawn, and what is said where nothing can be."""

from __future__ import annotations

import io
import os
import re
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from in_process import Cli
from terminal import needs_tmux, terminal

from bitmart_trio.cli import plot as plots
from bitmart_trio.cli._chart import Candle, Chart, merged
from bitmart_trio.cli._run import Failure

pytest.importorskip("plotext")
pytest.importorskip("matplotlib")
pytest.importorskip("plotly")

HOUR = 3600
START = 1_767_225_600
RANGE = ("--step", "1h", "--from", "2025-12-01", "--to", "2025-12-02")


def candles(*closes: float, start: int = START) -> list[Candle]:
    opens = (closes[0], *closes)
    return [
        Candle(start + at * HOUR, before, max(before, close) + 1, min(before, close) - 1, close, 2)
        for at, (before, close) in enumerate(zip(opens, closes, strict=False))
    ]


def test_klines_in_the_terminal(cli: Cli) -> None:
    """A title with the range in UTC, prices and times on the scales, a candle for each kline; no colour in a pipe."""
    ended = cli("klines", "BTC_USDT", *RANGE, "--plot", keyed=False, environment={"COLUMNS": "90"})
    assert (ended.code, ended.err) == (0, "")
    title, *lines = ended.out.rstrip("\n").split("\n")
    assert title == "BTC_USDT, klines of 1h, 2025-12-01 00:00 to 2025-12-02 00:00 UTC"
    assert "\x1b" not in ended.out
    assert max(map(len, lines)) <= 90
    assert lines[-1].split() == ["2025-12-01", "00:00", "2025-12-01", "12:00", "2025-12-01", "23:00"]
    prices = [float(line.partition("┤")[0]) for line in lines if "┤" in line]
    assert len(prices) >= 3
    assert prices == sorted(prices, reverse=True)
    inside = [re.split("[│┤]", line, maxsplit=1)[-1] for line in lines]
    columns = {at for line in inside for at, letter in enumerate(line) if letter == "█"}
    assert 15 < len(columns) <= 24  # each kline has a column of its own; one that ends where it began may be hidden


def test_without_a_beginning_the_latest_klines_are_drawn(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the mark price of a contract, too, and up to the moment that is named."""
    monkeypatch.setattr(plots, "LATEST", 10)
    ended = cli("klines", "BTCUSDT", "--mark", "--step", "1d", "--to", "2025-12-31", "--plot", keyed=False)
    assert ended.code == 0
    assert ended.out.startswith("BTCUSDT, mark price, klines of 1d, 2025-12-21 00:00 to 2025-12-31 00:00 UTC\n")
    assert "klines of 1d, " in cli("klines", "ETH_USDT", "--step", "1d", "--plot", keyed=False).out


@needs_tmux
async def test_a_terminal_has_colours_and_its_own_size(exchange_url: str, tmp_path: Path) -> None:
    variables = {"BITMART_URL": exchange_url, "TERM": "xterm-256color"}
    async with terminal(
        tmp_path, "klines", "BTC_USDT", *RANGE, "--plot", width=70, height=24, environment=variables
    ) as it:
        await it.until("exit code 0")
        styled = await it.screen(styled=True)
        seen = await it.screen()
    assert "BTC_USDT, klines of 1h" in seen
    assert "\x1b[32m" in styled or "\x1b[38;5;2m" in styled
    assert all(len(line) <= 70 for line in seen.splitlines())


def test_a_picture_and_a_page(cli: Cli, tmp_path: Path) -> None:
    """Both at once; the page loads nothing from anywhere."""
    png, page = tmp_path / "btc.png", tmp_path / "btc.html"
    ended = cli("klines", "BTC_USDT", *RANGE, "--png", str(png), "--html", str(page), keyed=False)
    assert (ended.code, ended.out, ended.err) == (0, "", f"drawn in {png}\ndrawn in {page}\n")
    assert size_of(png.read_bytes()) == (1400, 800)
    text = page.read_text(encoding="utf-8")
    assert "<title>BTC_USDT, klines of 1h</title>" in text
    assert "2025-12-01 23:00" in text
    assert '<script src="' not in text
    assert "<link" not in text
    assert '"showSendToCloud": false' in text  # a button of plotly's that would send the chart to a service


def size_of(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


def test_a_picture_shows_the_prices(tmp_path: Path) -> None:
    """Rising and falling klines have their colours, and another course is another picture."""
    from matplotlib.image import imread

    pictures = [imread(io.BytesIO(Chart("x", HOUR, candles(*each)).png())) for each in ((1, 2, 3, 4), (4, 3, 2, 1))]
    greens, reds = (0.149, 0.651, 0.604), (0.937, 0.325, 0.314)
    for picture, more, less in ((pictures[0], greens, reds), (pictures[1], reds, greens)):
        counts = [(abs(picture[:, :, :3] - colour).max(axis=2) < 0.01).sum() for colour in (more, less)]
        assert counts[0] > 5 * max(counts[1], 1)


def test_a_page_shows_a_name_as_it_is() -> None:
    """Markup in it is text."""
    page = Chart("<b>x</b></script>", HOUR, candles(1, 2)).html().decode()
    assert "<b>x" not in page
    assert "</script>&" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


@pytest.mark.parametrize(
    "closes",
    [
        (5.0,),
        (5.0, 5.0, 5.0),
        (1e-8, 2e-8),
        (1e-12, 1.0),
        (1e15, 3e15),
        (1e99, 2e99),
        tuple(map(float, range(1, 3000))),
    ],
    ids=["one", "flat", "small", "far apart", "large", "huge", "many"],
)
@pytest.mark.parametrize(("width", "height"), [(100, 30), (20, 10)])
def test_any_prices_are_drawn(closes: tuple[float, ...], width: int, height: int) -> None:
    chart = Chart("x", HOUR, candles(*closes))
    lines = chart.text(width, height, colour=False).split("\n")
    assert len(lines) <= height
    assert any("█" in line or "│" in line.strip("│ ") for line in lines[1:])
    if width == 100:
        assert size_of(chart.png()) == (1400, 800)
        assert b"Plotly" in chart.html()


@pytest.mark.parametrize("number", [float("inf"), float("nan"), 1e200])
def test_numbers_that_no_chart_holds_are_refused(number: float) -> None:
    with pytest.raises(Failure, match="numbers too large to draw"):
        Chart("x", HOUR, candles(1, number))


def test_colours_are_there_when_they_are_wanted() -> None:
    chart = Chart("x", HOUR, candles(1, 2, 1))
    assert "\x1b[38;5;2m" in chart.text(80, 20, colour=True)
    assert "\x1b" not in chart.text(80, 20, colour=False)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 300), st.floats(0.1, 10), st.floats(0.1, 10)), min_size=1, max_size=60),
    st.integers(1, 40),
)
def test_merged_candles_say_what_the_klines_say(rows: list[tuple[int, float, float]], most: int) -> None:
    """First and last price, the extremes and the volume of each group; what is missing stays missing."""
    given_ = [
        Candle(START + at * HOUR, first, max(first, last), min(first, last), last, 1)
        for at, (first, last) in sorted({at: (first, last) for at, first, last in rows}.items())
    ]
    made, width = merged(given_, HOUR, most)
    assert len(made) <= most
    assert width % HOUR == 0
    assert sum(each.volume for each in made) == len(given_)
    for each in made:
        group = [one for one in given_ if each.start <= one.start < each.start + width]
        assert (each.open, each.close) == (group[0].open, group[-1].close)
        assert (each.high, each.low) == (max(one.high for one in group), min(one.low for one in group))
    if len(given_) <= most and given_[-1].start - given_[0].start < most * HOUR:
        assert made == given_


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--out, --plot, --png or --html"),
        (("--plot", "--out", "a.csv"), "either --out, or any of"),
        (("--png", "a.jpg"), "the file name must end in .png"),
        (("--html", "a.png"), "the file name must end in .html"),
    ],
)
def test_a_wrong_destination_is_refused_before_anything_is_read(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    nowhere = {"BITMART_URL": "http://127.0.0.1:1", "COLUMNS": "200"}
    ended = cli("klines", "BTC_USDT", *RANGE, *arguments, keyed=False, environment=nowhere)
    assert ended.code == 2
    assert message in " ".join(ended.err.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("module", "option"), [("plotext", "--plot"), ("matplotlib.figure", "--png=a.png"), ("plotly", "--html=a.html")]
)
def test_a_missing_library_is_named_with_its_extra(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, module: str, option: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    ended = cli("klines", "BTC_USDT", option, keyed=False, environment={"BITMART_URL": "http://127.0.0.1:1"})
    package = module.partition(".")[0]
    assert (ended.code, ended.err) == (1, f"bitmart-trio: drawing needs {package}: pip install 'bitmart-trio[plot]'\n")


def test_a_console_without_the_characters_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = plots.Plot("BTC_USDT", None, None, 60, False, True, None, None)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    with pytest.raises(Failure, match=r"its encoding is ascii.*--png or --html"):
        wanted.check()


def test_no_klines_and_no_mark_price_are_one_line(cli: Cli) -> None:
    ended = cli("klines", "BTC_USDT", "--from", "2040-01-01", "--plot", keyed=False)
    assert ended.code == 1
    assert ended.err.endswith("there are no klines of BTC_USDT from 2040-01-01T00:00:00Z on; try another --from\n")
    ended = cli("klines", "BTC_USDT", "--mark", "--plot", keyed=False)
    assert (ended.code, ended.err) == (2, "bitmart-trio: only contracts have a mark price\n")


@pytest.mark.skipif(os.name != "posix", reason="who may make links on Windows may do all else")
def test_a_picture_takes_the_place_of_an_older_one_and_follows_no_link(cli: Cli, tmp_path: Path) -> None:
    png, victim = tmp_path / "btc.png", tmp_path / "victim"
    victim.write_text("mine")
    png.symlink_to(victim)
    (tmp_path / "btc.png.new").symlink_to(victim)
    for _ in range(2):
        assert cli("klines", "BTC_USDT", *RANGE, "--png", str(png), keyed=False).code == 0
    assert victim.read_text() == "mine"
    assert not png.is_symlink()
    assert size_of(png.read_bytes()) == (1400, 800)
