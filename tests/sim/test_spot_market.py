"""Spot market data of the simulated exchange, over REST: shapes, orders of rows, limits and codes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bitmart_trio.sim import Simulation
from bitmart_trio.sim.bitmart import models as rules
from bitmart_trio.sim.bitmart.direct import Direct
from bitmart_trio.sim.bitmart.spot.market import RETIRED
from bitmart_trio.sim.exchange import START_MS

QUOTATION = "/spot/quotation/v3"


@pytest.fixture
def simulation() -> Simulation:
    return Simulation(seed=11)


def ask(simulation: Simulation, path: str, **params: str | int) -> Any:
    """The data of a public GET that must succeed."""
    simulation.exchange.clock.step(2_000)  # a fresh quota each time
    answer = Direct(simulation.bitmart).get(path, **params)
    assert answer.code == 1000, answer.body
    return answer.data


def live(simulation: Simulation, seconds: int) -> None:
    for _ in range(seconds * 10):
        simulation.exchange.clock.step(100)
        simulation.exchange.tick()


def test_lists_of_currencies_and_pairs(simulation: Simulation) -> None:
    """Three pairs, their coins, and rules as text and numbers."""
    assert ask(simulation, "/spot/v1/symbols") == {"symbols": ["BTC_USDT", "ETH_USDT", "BMX_USDT"]}
    currencies = ask(simulation, "/spot/v1/currencies")["currencies"]
    assert currencies[0] == {"id": "BTC", "name": "Bitcoin", "withdraw_enabled": True, "deposit_enabled": True}
    details = ask(simulation, "/spot/v1/symbols/details")["symbols"][0]
    assert details == {
        "symbol": "BTC_USDT",
        "symbol_id": 53,
        "base_currency": "BTC",
        "quote_currency": "USDT",
        "quote_increment": "0.00001",
        "base_min_size": "0.00001",
        "base_max_size": "100000000",
        "price_min_precision": -1,
        "price_max_precision": 2,
        "expiration": "NA",
        "min_buy_amount": "5.000000000000000000000000000000",
        "min_sell_amount": "5.000000000000000000000000000000",
        "trade_status": "trading",
        "planned_down_time": "",
    }


def test_service_list_shows_finished_maintenance(simulation: Simulation) -> None:
    """Both markets have a notice that is over."""
    services = ask(simulation, "/system/service")["service"]
    assert [item["service_type"] for item in services] == ["spot", "contract"]
    assert {item["status"] for item in services} == {"2"}


def test_ticker_is_plausible_and_a_row_holds_the_same(simulation: Simulation) -> None:
    """The day's figures surround the price, all values are text, and the list has 13 of them a pair."""
    live(simulation, 5)
    ticker = ask(simulation, f"{QUOTATION}/ticker", symbol="BTC_USDT")
    assert list(ticker) == [
        "symbol",
        "last",
        "v_24h",
        "qv_24h",
        "open_24h",
        "high_24h",
        "low_24h",
        "fluctuation",
        "bid_px",
        "bid_sz",
        "ask_px",
        "ask_sz",
        "ts",
    ]
    assert all(isinstance(value, str) for value in ticker.values())
    assert Decimal(ticker["low_24h"]) <= Decimal(ticker["last"]) <= Decimal(ticker["high_24h"])
    assert Decimal(ticker["bid_px"]) < Decimal(ticker["ask_px"])
    assert 50_000 < Decimal(ticker["last"]) < 70_000
    change = Decimal(ticker["last"]) / Decimal(ticker["open_24h"]) - 1
    assert abs(change - Decimal(ticker["fluctuation"])) < Decimal("0.00001")
    rows = ask(simulation, f"{QUOTATION}/tickers")
    assert [row[0] for row in rows] == ["BTC_USDT", "ETH_USDT", "BMX_USDT"]
    assert rows[0][1:12] == list(ticker.values())[1:12]


def test_market_moves_visibly(simulation: Simulation) -> None:
    """Within a minute every price changes, and every pair trades several times a second."""
    before = {row[0]: row[1] for row in ask(simulation, f"{QUOTATION}/tickers")}
    counted = dict.fromkeys(before, 0)
    for symbol in before:

        def count(frame: Any, symbol: str = symbol) -> None:
            counted[symbol] += len(frame["data"])

        simulation.exchange.feed.listen(f"spot/trade:{symbol}", None, count)
    live(simulation, 60)
    after = {row[0]: row[1] for row in ask(simulation, f"{QUOTATION}/tickers")}
    assert all(after[symbol] != before[symbol] for symbol in before)
    assert all(number > 120 for number in counted.values()), counted


def test_books_are_sorted_limited_and_deep(simulation: Simulation) -> None:
    """35 levels a side unless told, 50 at most, best first."""
    live(simulation, 3)
    book = ask(simulation, f"{QUOTATION}/books", symbol="ETH_USDT")
    assert (len(book["asks"]), len(book["bids"]), book["symbol"]) == (35, 35, "ETH_USDT")
    asks, bids = ([Decimal(row[0]) for row in book[side]] for side in ("asks", "bids"))
    assert asks == sorted(asks)
    assert bids == sorted(bids, reverse=True)
    assert bids[0] < asks[0]
    assert len(ask(simulation, f"{QUOTATION}/books", symbol="ETH_USDT", limit=50)["asks"]) == 50
    assert len(ask(simulation, f"{QUOTATION}/books", symbol="ETH_USDT", limit=500)["asks"]) == 50
    assert len(ask(simulation, f"{QUOTATION}/books", symbol="ETH_USDT", limit=1)["bids"]) == 1


def test_trades_come_newest_first(simulation: Simulation) -> None:
    """Fifty rows from the first moment on; later ones are the live trades."""
    assert len(ask(simulation, f"{QUOTATION}/trades", symbol="BTC_USDT")) == 50
    live(simulation, 20)
    rows = ask(simulation, f"{QUOTATION}/trades", symbol="BTC_USDT", limit=20)
    times = [int(row[1]) for row in rows]
    assert times == sorted(times, reverse=True)
    assert times[-1] > START_MS
    assert {len(row) for row in rows} == {5}
    assert Decimal(rows[0][2]) == simulation.exchange.spot.markets["BTC_USDT"].last


def test_klines_have_a_past_and_follow_trades(simulation: Simulation) -> None:
    """Hours of seeded history lie behind the first moment; the newest bar comes first and closes at the last price."""
    live(simulation, 90)
    bars = ask(simulation, f"{QUOTATION}/klines", symbol="BTC_USDT", limit=200)
    times = [int(bar[0]) for bar in bars]
    assert times == [times[0] - 60 * number for number in range(200)]
    assert Decimal(bars[0][4]) == simulation.exchange.spot.markets["BTC_USDT"].last
    for _, opened, high, low, close, volume, value in bars:
        assert (
            Decimal(low)
            <= min(Decimal(opened), Decimal(close))
            <= max(Decimal(opened), Decimal(close))
            <= Decimal(high)
        )
        assert Decimal(value) >= 0
        assert Decimal(volume) >= 0


def test_kline_modes(simulation: Simulation) -> None:
    """Bounds are exclusive: before reads back from it, after reads on from it, both select what lies between."""
    start = START_MS // 1000
    path = f"{QUOTATION}/klines"

    def times(**params: int) -> list[int]:
        return [int(bar[0]) for bar in ask(simulation, path, symbol="BTC_USDT", **params)]

    assert times(before=start, limit=3) == [start - 60, start - 120, start - 180]
    assert times(after=start - 3600, limit=3) == [start - 3600 + 180, start - 3600 + 120, start - 3600 + 60]
    assert times(after=start - 240, before=start) == [start - 60, start - 120, start - 180]
    assert times(step=60, after=start - 3 * 3600, before=start) == [start - 3600, start - 7200]
    assert len(times()) == 100
    assert times(before=1_000) == []
    assert ask(simulation, f"{QUOTATION}/lite-klines", symbol="BTC_USDT", limit=1)[0][0] == str(start)


def test_walking_back_reads_every_bar_once(simulation: Simulation) -> None:
    """Stepping before to the oldest time received covers all the past without holes or repeats."""
    times: list[int] = []
    before = simulation.exchange.now_ms() // 1000 + 60
    while True:
        page = ask(simulation, f"{QUOTATION}/klines", symbol="BMX_USDT", step=1440, before=before, limit=200)
        if not page:
            break
        times += [int(bar[0]) for bar in page]
        before = times[-1]
    assert times == list(range(times[0], rules.PAST_BEGINS.value - 1, -86_400))


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("ticker", {}, 70001),
        ("ticker", {"symbol": "XYZ_USDT"}, 70002),
        ("books", {"symbol": "btc_usdt"}, 70002),
        ("klines", {"symbol": "BTC_USDT", "step": 7}, 71005),
        ("klines", {"symbol": "BTC_USDT", "step": "x"}, 71005),
        ("klines", {"symbol": "BTC_USDT", "limit": 201}, 71004),
        ("klines", {"symbol": "BTC_USDT", "limit": 0}, 71004),
        ("klines", {"symbol": "BTC_USDT", "after": "x"}, 71001),
        ("klines", {"symbol": "BTC_USDT", "before": "-1"}, 71002),
        ("klines", {"symbol": "BTC_USDT", "after": 9, "before": 9}, 71003),
        ("trades", {}, 70001),
    ],
)
def test_market_errors_come_with_http_200(
    simulation: Simulation, path: str, params: dict[str, str | int], code: int
) -> None:
    """Only the code tells that something was wrong."""
    answer = Direct(simulation.bitmart).get(f"{QUOTATION}/{path}", **params)
    assert (answer.status, answer.code) == (200, code)


@pytest.mark.parametrize(("method", "path"), RETIRED)
def test_retired_paths_say_so(simulation: Simulation, method: str, path: str) -> None:
    """Code 30031 with HTTP 200, for everybody."""
    direct = Direct(simulation.bitmart)
    answer = direct.get(path) if method == "GET" else direct.post(path)
    assert (answer.status, answer.code) == (200, 30031)


def test_unknown_parameters_are_ignored(simulation: Simulation) -> None:
    """As the exchange does."""
    assert ask(simulation, f"{QUOTATION}/ticker", symbol="BTC_USDT", colour="red")["symbol"] == "BTC_USDT"
