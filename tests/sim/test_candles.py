"""The candles of both markets: years of them, long ones exactly the sums of short ones, one price behind all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import attrs
import proof_sizes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim import Simulation
from bitmart_trio.sim.bitmart import models as rules
from bitmart_trio.sim.bitmart.direct import Direct
from bitmart_trio.sim.exchange import START_MS
from bitmart_trio.sim.kernel.candles import MONTH, WEEK, Candles, bucket, following
from bitmart_trio.sim.kernel.prehistory import DAY, LEVELS, Market, Prehistory, PricePath, first_minute, parts

KLINES = "/spot/quotation/v3/klines"
FUTURES_STEPS = (1, 3, 5, 15, 30, 60, 120, 240, 360, 720, 1440, 4320, WEEK)
SPOT_STEPS = (1, 3, 5, 15, 30, 45, 60, 120, 180, 240, 1440, WEEK, MONTH)


@attrs.frozen
class Shown:
    """A bar as either market shows it."""

    time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class Venue:
    """Candles over REST, oldest first."""

    def __init__(self, **options: Any) -> None:
        simulation = Simulation(**options)
        self.exchange = simulation.exchange
        self.direct = Direct(simulation.bitmart)

    def ask(self, path: str, **query: Any) -> Any:
        self.exchange.clock.step(2000)
        answer = self.direct.get(path, **query)
        assert answer.code == 1000, answer.body
        return answer.data

    def spot(self, symbol: str, step: int, first: int, last: int) -> list[Shown]:
        """The bars that begin in a span of seconds."""
        rows = self.ask(KLINES, symbol=symbol, step=step, after=max(first - 1, 0), before=last + 1, limit=200)
        assert len(rows) < 200
        return [Shown(int(row[0]), *map(Decimal, row[1:6])) for row in reversed(rows)]

    def futures(self, symbol: str, step: int, first: int, last: int, *, mark: bool = False) -> list[Shown]:
        """The same of a contract."""
        path = f"/contract/public/{'markprice-kline' if mark else 'kline'}"
        rows = self.ask(path, symbol=symbol, step=step, start_time=first, end_time=last)
        assert len(rows) < 500
        names = ("open_price", "high_price", "low_price", "close_price", "volume")
        return [Shown(row["timestamp"], *(Decimal(row[name]) for name in names)) for row in rows]


def joined(bars: Sequence[Shown]) -> Shown:
    return Shown(
        bars[0].time,
        bars[0].open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        bars[-1].close,
        sum((bar.volume for bar in bars), Decimal(0)),
    )


@pytest.mark.parametrize("start", [START_MS, START_MS - 86_400_000 * 400 + 47_291_000])
def test_long_candles_are_exact_sums_of_shorter_ones(start: int) -> None:
    """Of every step of both markets, across the opening too, whatever minute it falls on."""
    venue = Venue(seed=5, start=start, tick_seconds=0.4, symbols=["BTC_USDT", "BMX_USDT", "BTCUSD"])
    venue.exchange.step(600_000)
    now = venue.exchange.now_ms() // 1000
    opening = start // 1000
    for symbol, read in (("BTC_USDT", venue.spot), ("BMX_USDT", venue.spot), ("BTCUSD", venue.futures)):
        whole = bucket(opening // 60, 240) * 60
        minutes = [
            bar
            for hour in range(whole - 14_400, now + 1, 3_600)
            for bar in read(symbol, 1, hour, min(hour + 3_599, now))
        ]
        assert [bar.time for bar in minutes] == list(range(whole - 14_400, minutes[-1].time + 1, 60))
        for step in (5, 15, 30, 60, 120, 240):
            bars = read(symbol, step, whole - 14_400, now)
            for bar in bars:
                inside = [each for each in minutes if bar.time <= each.time < bar.time + step * 60]
                assert joined(inside) == bar
        days = read(symbol, 1440, now - 86_400 * 70, now)
        for step in (WEEK, *([MONTH] if "_" in symbol else [4320])):
            for bar in read(symbol, step, now - 86_400 * 62, now):
                end = following(bar.time // 60, step) * 60
                inside = [day for day in days if bar.time <= day.time < end]
                assert joined(inside) == bar


def test_one_price_is_behind_spot_contract_index_and_mark() -> None:
    """Minute by minute: in the past to the last tick, live within the basis."""
    venue = Venue(seed=5, tick_seconds=1)
    opening = START_MS // 1000
    for since in (opening - 600, opening - 86_400 * 1500, opening - 86_400 * 29):
        until = since + 540
        for coin, tick in (("BTC", "0.1"), ("ETH", "0.01")):
            spot = venue.spot(f"{coin}_USDT", 1, since, until)
            for other in (
                venue.futures(f"{coin}USDT", 1, since, until),
                venue.futures(f"{coin}USDT", 1, since, until, mark=True),
            ):
                assert [bar.time for bar in spot] == [bar.time for bar in other]
                for one, two in zip(spot, other, strict=True):
                    for name in ("open", "high", "low", "close"):
                        assert abs(getattr(one, name) - getattr(two, name)) <= Decimal(tick)
    venue.exchange.step(1_800_000)
    since = opening + 60
    mark = venue.futures("BTCUSDT", 1, since, since + 1_500, mark=True)
    for bars in (venue.spot("BTC_USDT", 1, since, since + 1_500), venue.futures("BTCUSDT", 1, since, since + 1_500)):
        for one, two in zip(bars, mark, strict=True):
            assert abs(one.close - two.close) < two.close / 1000


def test_changes_of_24_hours_agree() -> None:
    """What spot calls fluctuation and futures change: of invented hours, of lived ones, and of both."""
    venue = Venue(seed=8, tick_seconds=60, symbols=["BTC_USDT", "BTCUSDT"])
    for _ in range(6):
        venue.exchange.step(5 * 3_600_000)
        spot = venue.ask("/spot/quotation/v3/ticker", symbol="BTC_USDT")
        [contract] = venue.ask("/contract/public/details", symbol="BTCUSDT")["symbols"]
        assert abs(Decimal(spot["fluctuation"]) - Decimal(contract["change_24h"])) < Decimal("0.002")
        now = venue.exchange.now_ms() // 60_000 * 60
        opened = [bar for bar in venue.spot("BTC_USDT", 60, now - 90_000, now) if bar.time <= now - 86_340]
        assert opened[-1].low <= Decimal(spot["open_24h"]) <= opened[-1].high
        assert abs(Decimal(spot["high_24h"]) / Decimal(contract["high_24h"]) - 1) < Decimal("0.002")


def test_the_past_begins_where_contracts_opened() -> None:
    """In both markets, and a year before the opening of an exchange that opens earlier."""
    venue = Venue(seed=5)
    begins = rules.PAST_BEGINS.value
    for step in (1, 60, 1440):
        assert venue.spot("ETH_USDT", step, begins - 86_400 * 9, begins + 60)[0].time == begins
        assert venue.futures("ETHUSDT", step, begins - 86_400 * 9, begins + 60)[0].time == begins
    details = venue.ask("/contract/public/details", symbol="ETHUSDT")["symbols"][0]
    assert details["open_timestamp"] == begins * 1000
    assert venue.spot("ETH_USDT", 1440, 0, begins - 1) == []
    early = Venue(seed=5, start=1_500_000_000_000)
    [first, *_] = early.spot("ETH_USDT", MONTH, 0, 1_500_000_000)
    assert first.time == int(datetime(2016, 7, 1, tzinfo=UTC).timestamp())
    [day, *_] = early.spot("ETH_USDT", 1440, first.time, first.time + 86_400 * 20)
    assert day.time == int(datetime(2016, 7, 14, tzinfo=UTC).timestamp())


def test_a_pair_of_two_coins_follows_both() -> None:
    """At every midnight it costs what the two cost."""
    venue = Venue(seed=5, symbols=["ETH_BTC", "ETH_USDT", "BTC_USDT"])
    since, until = START_MS // 1000 - 86_400 * 100, START_MS // 1000 - 86_400
    days = zip(*(venue.spot(name, 1440, since, until) for name in ("ETH_BTC", "ETH_USDT", "BTC_USDT")), strict=True)
    for cross, base, quote in days:
        assert abs(cross.open - base.open / quote.open) <= Decimal("0.00001")


@pytest.mark.proof
async def test_a_walk_of_minutes_takes_as_many_requests_as_it_must(autojump_clock: MockClock) -> None:
    """Begun years before the first candle: no empty window, no request too many. In full it is a year."""
    days = proof_sizes.CANDLE_DAYS
    begins = rules.PAST_BEGINS.value * 1000
    until = begins + days * DAY * 60_000
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client(None) as client:
        for most, walk in (
            (197, bm.history.spot_klines(client, "BTC_USDT", since=1_400_000_000_000, until=until)),
            (497, bm.history.futures_klines(client, "BTCUSDT", since=1_400_000_000_000, until=until)),
        ):
            windows = [window async for window in walk.windows()]
            bars: list[Any] = [bar for window in windows for bar in window.records]
            assert len(bars) == days * DAY
            assert all(window.records for window in windows)
            assert walk.begins == begins
            needed = -(-days * DAY // most)
            assert needed <= len(windows) <= needed + 1
            assert walk.requests - len(windows) <= 7


@given(
    seed=st.integers(0, 99),
    opening=st.integers(25_000_000, 30_000_000),
    back=st.integers(0, 400),
    price=st.decimals("0.00001", "100000", places=7),
)
@settings(max_examples=40)
def test_blocks_are_made_of_their_parts(seed: int, opening: int, back: int, price: Decimal) -> None:
    """Prices join without a gap, none leaves the range of the whole, and volumes and turnovers add up."""
    path = PricePath(f"{seed}/x", opening, price)
    past = Prehistory(path, Market(f"{seed}/y", lambda each: each, Decimal("0.1"), lambda each: each / 10, 3_000))
    day = (opening // DAY - back) * DAY
    starts = [day] if day < opening else []
    for level in range(len(LEVELS) - 1):
        further: list[int] = []
        for start in starts:
            whole = past.block(level, start)
            count = len(parts(level, start, opening))
            inside = [past.block(level + 1, start + index * LEVELS[level + 1]) for index in range(count)]
            assert (whole[0], whole[3]) == (inside[0][0], inside[-1][3])
            assert all(one[3] == two[0] for one, two in pairwise(inside))
            assert (whole[1], whole[2]) == (max(part[1] for part in inside), min(part[2] for part in inside))
            assert whole[4:] == (sum(part[4] for part in inside), sum(part[5] for part in inside))
            for first, high, low, last, volume, turnover in inside:
                assert 0 < low <= min(first, last) <= max(first, last) <= high
                assert low * volume * Decimal("0.9") - 1 <= turnover <= high * volume * Decimal("1.1") + 1
            further += [start + index * LEVELS[level + 1] for index in {0, count // 2, count - 1}]
        starts = further
    if opening // DAY * DAY == day and starts:
        assert past.block(len(LEVELS) - 1, opening - 1)[3] == path.block(4, opening - 1)[3] * path.unit


@pytest.mark.parametrize("opens_at_trade", [True, False])
def test_minutes_without_trades_repeat_the_close(opens_at_trade: bool) -> None:
    """A market nobody trades on has flat bars, no holes; a bar opens at its first trade, or at the close before."""
    path = PricePath("x", 10_000_000, Decimal(5))
    past = Prehistory(path, Market("x", lambda each: each, Decimal(0), lambda each: each, 1))
    candles = Candles(past, Decimal(5), opens_at_trade=opens_at_trade)
    candles.note(10_000_003 * 60_000, Decimal(6), Decimal(1), Decimal("6.001"))
    candles.roll(10_000_005 * 60_000)
    bars = candles.newest(1, 5, 0, 10_000_005)[::-1]
    assert [bar.minute for bar in bars] == list(range(10_000_001, 10_000_006))
    first = 6 if opens_at_trade else 5
    assert [bar.open for bar in bars] == [5, 5, first, 6, 6]
    assert [bar.close for bar in bars] == [5, 5, 6, 6, 6]
    assert [bar.volume for bar in bars] == [0, 0, 1, 0, 0]
    assert bars[2].turnover == 6
    assert candles.oldest(5, 1, 9_999_998)[0].close == 6
    assert first_minute(10_000_000) == bucket(10_000_000 - 365 * DAY, DAY)
