"""A configurable list of symbols: pairs and contracts by name or with rules of their own, and many of them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from trio.testing import MockClock

from bitmart_trio.sim import Contract, Simulation, SpotPair, open_exchange
from bitmart_trio.sim.bitmart.direct import Direct
from bitmart_trio.sim.kernel.symbols import PRICES, read_symbols


async def test_names_alone_are_enough(autojump_clock: MockClock) -> None:
    """A pair and a contract that nobody described can be looked up, streamed and traded."""
    async with (
        open_exchange(seed=3, symbols=["SOL_USDT", "SOLUSDT"]) as exchange,
        exchange.open_client() as client,
    ):
        assert await client.spot.market.symbols() == ["SOL_USDT"]
        rules = (await client.spot.market.symbol_details())[0]
        assert (rules.base_currency, rules.quote_currency) == ("SOL", "USDT")
        contract = (await client.futures.market.contracts())[0]
        assert contract.symbol == "SOLUSDT"
        assert contract.index_price is not None
        assert abs(contract.index_price - 150) < 3
        async with client.streams.spot.trade("SOL_USDT") as trades, client.streams.futures.trade("SOLUSDT") as prints:
            assert abs((await trades.receive()).price - 150) < 3
            assert abs((await prints.receive()).price - 150) < 3
        bought = await client.spot.trading.submit_order(symbol="SOL_USDT", side="buy", type="market", notional="1000")
        filled = await client.spot.trading.order(order_id=bought.order_id)
        assert filled.filled_notional > 990
        opened = await client.futures.trading.submit_order(
            symbol="SOLUSDT", side=1, type="market", size=3, leverage="10", open_type="cross"
        )
        assert opened.order_id
        positions = await client.futures.position.positions(symbol="SOLUSDT")
        assert [held.current_amount for held in positions] == [3]


def test_rules_of_ones_own() -> None:
    """Price, steps, the least value and the leverage are what was asked for, on the wire and at the door."""
    simulation = Simulation(
        symbols=[
            SpotPair("ABC_USDT", price="2.5", tick="0.01", step="0.1", min_notional=20, max_size=500),
            Contract("ABCUSDT", tick="0.005", size=10, max_leverage=20),
        ]
    )
    caller = Direct(simulation.bitmart)
    details = caller.get("/spot/v1/symbols/details").data
    assert isinstance(details, dict)
    row = details["symbols"][0]  # type: ignore[index]
    assert (row["quote_increment"], row["price_max_precision"]) == ("0.1", 2)  # type: ignore[index,call-overload]
    assert row["min_buy_amount"] == "20." + 30 * "0"  # type: ignore[index,call-overload]
    assert row["base_max_size"] == "500"  # type: ignore[index,call-overload]
    listing = simulation.exchange.futures.listings["ABCUSDT"].contract
    assert (listing.tick, listing.contract_size, listing.max_leverage) == (Decimal("0.005"), Decimal(10), 20)
    assert listing.max_value(Decimal(21)) == 0
    order = {"symbol": "ABC_USDT", "side": "buy", "type": "limit"}
    assert caller.post("/spot/v2/submit_order", **order, size="1", price="2.5").code == 51011
    assert caller.post("/spot/v2/submit_order", **order, size="10", price="2.50").code == 1000


def test_one_price_for_all_markets_of_a_coin() -> None:
    """Spot, futures and a pair quoted in another coin follow the same walk."""
    simulation = Simulation(seed=9, symbols=["ETH_USDT", "ETH_BTC", "BTC_USDT", "ETHUSDT", "ETHUSD", "BTCUSD"])
    for _ in range(300):
        simulation.exchange.clock.step(100)
        simulation.exchange.tick()
    spot, futures = simulation.exchange.spot.markets, simulation.exchange.futures.listings
    in_bitcoin = spot["ETH_USDT"].last / spot["BTC_USDT"].last
    assert abs(spot["ETH_BTC"].last / in_bitcoin - 1) < Decimal("0.002")
    for symbol in ("ETHUSDT", "ETHUSD"):
        assert abs(futures[symbol].last / spot["ETH_USDT"].last - 1) < Decimal("0.002")
    assert futures["ETHUSD"].contract.settle == "ETH"


def test_the_usual_six_are_what_they_were() -> None:
    """Listing the usual symbols by name is the same as listing nothing."""
    listed = read_symbols(["BTC_USDT", "ETH_USDT", "BMX_USDT", "BTCUSDT", "ETHUSDT", "BTCUSD"])
    assert listed == read_symbols(None)
    assert listed.gifts() == {}


def test_an_exchange_may_have_one_side_only() -> None:
    """No contract, or no pair: every public list is empty and everything goes on living."""
    for symbols in (["BTC_USDT"], ["BTCUSDT"], []):
        simulation = Simulation(symbols=symbols)
        for _ in range(20):
            simulation.exchange.clock.step(1000)
            simulation.exchange.tick()
        caller = Direct(simulation.bitmart)
        for path in ("/spot/v1/symbols", "/contract/public/details", "/account/v1/wallet", "/spot/v1/currencies"):
            assert caller.get(path).code == 1000
        pages = {"page": "1", "size": "10", "currency": "USDT"}
        assert caller.get("/contract/private/affiliate/rebate-list", **pages).status == 200


@pytest.mark.parametrize(
    ("symbols", "reason"),
    [
        (["btc_usdt"], "not the name of a spot pair"),
        (["USDT_USDC"], "no pair with a price"),
        (["BTCEUR"], "not the name of a contract"),
        (["SOLUSD"], "settled in their coin"),
        (["BTC_USDT", SpotPair("BTC_USDT", price=1)], "twice"),
    ],
)
def test_names_that_are_none_are_refused(symbols: list[str], reason: str) -> None:
    """With the reason, before anything is opened."""
    with pytest.raises(ValueError, match=reason):
        Simulation(symbols=symbols)


def test_numbers_that_make_no_sense_are_refused() -> None:
    """Floats, negative prices, steps that are no power of ten, impossible leverages."""
    with pytest.raises(TypeError, match="float"):
        SpotPair("BTC_USDT", price=1.5)  # type: ignore[arg-type]
    for options in ({"price": "-1"}, {"price": "x"}, {"tick": "0.05"}, {"step": "10"}, {"min_notional": "NaN"}):
        with pytest.raises(ValueError, match=r"."):
            SpotPair("BTC_USDT", **options)
    with pytest.raises(ValueError, match="leverage"):
        Contract("BTCUSDT", max_leverage=101)


def test_every_known_coin_can_be_listed() -> None:
    """With both its markets, a book on each that is deep and not crossed, and steps that fit its price."""
    coins = [*PRICES, "NOBODYKNOWS"]
    simulation = Simulation(symbols=[name for coin in coins for name in (f"{coin}_USDT", f"{coin}USDT")])
    for coin in coins:
        market, listing = (
            simulation.exchange.spot.markets[f"{coin}_USDT"],
            simulation.exchange.futures.listings[f"{coin}USDT"],
        )
        for book in (market.book, listing.book):
            bid, ask = book.best("buy"), book.best("sell")
            assert bid is not None
            assert ask is not None
            assert bid < ask
            assert ask / bid < Decimal("1.01")
            assert len(book.levels("buy", 99)) >= 50
        assert 1 <= listing.contract.value(Decimal(1), listing.mark) < 200
        assert market.pair.lot * market.last <= market.pair.min_value


def test_a_hundred_symbols_cost_little_more_than_six() -> None:
    """Who is not listened to lives on in turn, so ticks stay cheap; who is listened to lives on at every tick."""
    coins = [f"C{number}" for number in range(50)]
    simulation = Simulation(seed=1, symbols=[name for coin in coins for name in (f"{coin}_USDT", f"{coin}USDT")])
    frames: list[object] = []
    simulation.exchange.feed.listen("futures/bookticker:C9USDT", None, frames.append)
    markets, listings = simulation.exchange.spot.markets, simulation.exchange.futures.listings
    books = {symbol: market.book for symbol, market in markets.items()}
    books |= {symbol: listing.book for symbol, listing in listings.items()}
    before = {symbol: book.version for symbol, book in books.items()}
    touched: list[int] = []
    for _ in range(60):
        versions = {symbol: book.version for symbol, book in books.items()}
        simulation.exchange.clock.step(100)
        simulation.exchange.tick()
        touched.append(sum(book.version != versions[symbol] for symbol, book in books.items()))
    assert all(book.version > before[symbol] for symbol, book in books.items())
    assert max(touched) <= 5
    assert len(frames) > 40


def test_observed_markets_live_at_every_tick() -> None:
    """A resting order, a waiting trigger or a position is enough; an order in the way of the walk fills at once."""
    symbols = [f"C{number}_USDT" for number in range(40)]
    simulation = Simulation(seed=1, symbols=symbols)
    caller = Direct(simulation.bitmart)
    market = simulation.exchange.spot.markets["C33_USDT"]
    bid = market.book.best("buy")
    assert bid is not None
    price = bid - 3 * market.pair.spacing
    size = (100 / price).quantize(market.pair.lot)
    placed = caller.post(
        "/spot/v2/submit_order",
        symbol="C33_USDT",
        side="buy",
        type="limit",
        size=market.pair.size_text(size),
        price=market.pair.price_text(price),
    )
    assert placed.code == 1000, placed.body
    simulation.exchange.flow.push("C33", price - 10 * market.pair.spacing)
    simulation.exchange.clock.step(100)
    simulation.exchange.tick()
    assert simulation.exchange.spot.engine.open_orders("1") == []
