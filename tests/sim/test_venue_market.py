"""What the synthetic market can be made like: calm or wild, rising or falling, busy or asleep, with gaps."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock

from bitmart_trio.sim import Market, Simulation, open_exchange

BTC = "BTC_USDT"
HOUR = 3_600_000


def walked(market: Market, ticks: int, *, start: int | None = None, seed: int = 1) -> tuple[list[Decimal], int]:
    """The prices of BTC after each tick, and how many trades there were on BTC_USDT."""
    simulation = Simulation(seed=seed, market=market, symbols=[BTC], start=start)
    prices: list[Decimal] = []
    for _ in range(ticks):
        simulation.exchange.clock.step(100)
        simulation.exchange.tick()
        prices.append(simulation.exchange.flow.price("BTC"))
    return prices, sum(line["kind"] == "match" for line in simulation.exchange.log.lines)


def spread(prices: list[Decimal]) -> Decimal:
    """How far the prices lie apart, as a share."""
    return (max(prices) - min(prices)) / prices[0]


def test_volatility_and_activity() -> None:
    """More of one moves prices farther, more of the other trades more often; none of either: a price and no trades."""
    calm, wild = walked(Market(volatility=0.2), 1500), walked(Market(volatility=3), 1500)
    assert spread(wild[0]) > 5 * spread(calm[0])
    still = walked(Market(volatility=0, activity=0), 300)
    assert len(set(still[0])) == 1
    assert still[1] == 0
    assert walked(Market(activity=3), 600)[1] > 1.5 * walked(Market(activity=0.3), 600)[1]


@pytest.mark.parametrize("trend", [0.05, -0.05])
def test_a_trend_shows(trend: float) -> None:
    """Ten minutes of five percent an hour are most of a percent, up or down."""
    flow = Simulation(seed=2, market=Market(trend=trend), symbols=[BTC]).exchange.flow
    first = flow.price("BTC")
    flow.advance(6_000)
    gained = float(flow.price("BTC") / first - 1)
    assert abs(gained - trend / 6) < 0.005


def test_gaps() -> None:
    """Prices leap now and then, by far more than a tick ever moves them otherwise."""
    leaps = [
        max(abs(later / earlier - 1) for earlier, later in pairwise(prices))
        for prices in (walked(Market(gaps=120, gap_size=0.05), 1500)[0], walked(Market(), 1500)[0])
    ]
    assert leaps[0] > Decimal("0.005")
    assert leaps[1] < Decimal("0.0005")


def test_quiet_hours_and_moods() -> None:
    """An hour that is quiet has a fraction of the trades; without bursts nothing is hectic."""
    midnight = 1_767_225_600_000
    night = Market(quiet_hours=range(6), quiet=0)
    asleep, awake = walked(night, 600, start=midnight + HOUR)[1], walked(night, 600, start=midnight + 7 * HOUR)[1]
    assert asleep < awake / 2
    only_bursts, none = walked(Market(bursts=50, quiet=0), 1200), walked(Market(bursts=0, quiet=0), 1200)
    assert spread(only_bursts[0]) > 2 * spread(none[0])


def test_options_that_make_no_sense_are_refused() -> None:
    """With the reason."""
    for options in ({"volatility": -1}, {"activity": float("inf")}, {"gaps": float("nan")}, {"quiet": -2}):
        with pytest.raises(ValueError, match="zero or more"):
            Market(**options)
    with pytest.raises(ValueError, match="hours of the day"):
        Market(quiet_hours={24})
    with pytest.raises(ValueError, match="no such market"):
        Simulation(market="bear")  # type: ignore[arg-type]
    for seconds in (0, 61):
        with pytest.raises(ValueError, match="tick_seconds"):
            Simulation(tick_seconds=seconds)


async def test_longer_ticks_walk_the_same_prices(autojump_clock: MockClock) -> None:
    """With ticks of a second the price goes the same way; books and pushes only follow less often."""
    prices: list[list[Decimal]] = []
    for seconds in (0.1, 1.0):
        async with open_exchange(seed=5, tick_seconds=seconds, symbols=[BTC]) as venue:
            seen: list[Decimal] = []
            for _ in range(20):
                # Between the ticks.
                await trio.sleep(1.05 if not seen else 1)
                seen.append(venue.exchange.flow.price("BTC"))
            prices.append(seen)
    # The first tick, at the opening itself, is one move in both.
    assert prices[0] == prices[1]
