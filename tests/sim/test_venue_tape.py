"""Tapes: recorded, saved, loaded, and played again at their times, with users' orders in between."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeVar

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from bitmart_trio import history
from bitmart_trio.models import FuturesKline, SpotKline
from bitmart_trio.sim import Contract, Simulation, SpotPair, Tape, TapeBook, TapeError, TapeTrade, open_exchange
from bitmart_trio.sim.bitmart.direct import Direct
from bitmart_trio.sim.exchange import START_MS, Exchange

BTC = "BTC_USDT"
D = Decimal


def trade(ms: int, price: str, size: str = "1", side: str = "buy", symbol: str = BTC) -> TapeTrade:
    """A trade some time after the usual opening."""
    return TapeTrade(START_MS + ms, symbol, D(price), D(size), "buy" if side == "buy" else "sell")


def public(exchange: Exchange, symbol: str) -> list[tuple[int, Decimal, Decimal, object]]:
    """The matches of a symbol in the event log."""
    lines = [line for line in exchange.log.lines if line["kind"] == "match" and line["symbol"] == symbol]
    return [(line["ms"], D(str(line["price"])), D(str(line["size"])), line["side"]) for line in lines]  # type: ignore[misc]


@pytest.mark.parametrize("symbol", [BTC, "ETHUSDT"])
async def test_a_round_trip_is_exact(symbol: str, autojump_clock: MockClock, tmp_path: Path) -> None:
    """Recorded from a running exchange, saved, loaded, replayed: the same trades, books, candles at the same times."""
    books: dict[int, object] = {}
    async with open_exchange(seed=8) as venue:
        venue.exchange.after_tick(lambda now: books.update({now: _sides(venue.exchange, symbol)}))
        with Tape.record(venue, symbols=[symbol], levels=20) as recorder:
            await trio.sleep(30)
        recorder.tape.save(tmp_path / "tape.jsonl")
        trades, bars = public(venue.exchange, symbol), _bars(venue.exchange, symbol)
    tape = Tape.load(tmp_path / "tape.jsonl")
    assert tape == recorder.tape
    assert tape.symbols == (symbol,)
    again: dict[int, object] = {}
    async with open_exchange(market=tape) as venue:
        venue.exchange.after_tick(lambda now: again.update({now: _sides(venue.exchange, symbol)}))
        await trio.sleep(30)
        replayed = public(venue.exchange, symbol)
        assert replayed == [(at.ms, at.price, at.size, at.side) for at in tape.trades()]
        assert replayed == trades[-len(replayed) :]
        assert len(replayed) > 20
        common = again.keys() & books.keys()
        assert len(common) > 250
        assert [again[now] for now in sorted(common)] == [books[now] for now in sorted(common)]
        assert _bars(venue.exchange, symbol)[0] == bars[0]


def _sides(exchange: Exchange, symbol: str) -> tuple[object, object]:
    book = (exchange.spot.markets.get(symbol) or exchange.futures.listings[symbol]).book
    return book.levels("buy", 20), book.levels("sell", 20)


def _bars(exchange: Exchange, symbol: str) -> list[tuple[Decimal, Decimal]]:
    market = exchange.spot.markets.get(symbol)
    if market is not None:
        return [(market.candles.current.close, market.last)]
    listing = exchange.futures.listings[symbol]
    return [(listing.series.current.close, listing.last)]


async def test_trades_come_exactly_at_their_times(autojump_clock: MockClock) -> None:
    """Not at the next tick: streams and candles have the tape's own milliseconds."""
    tape = Tape(
        [trade(0, "60000"), trade(1_003, "60010.5", "0.25"), trade(1_777, "59990", side="sell"), trade(61_001, "60100")]
    )
    async with open_exchange(market=tape) as venue, venue.open_client() as client:
        async with client.streams.spot.trade(BTC) as trades:
            with trio.fail_after(120):
                seen = [await trades.receive() for _ in range(3)]
        assert [(item.time or 0) - START_MS for item in seen] == [1_003, 1_777, 61_001]
        assert [item.price for item in seen] == [D("60010.5"), D(59990), D(60100)]
        newest, before = await client.spot.market.klines(BTC, step=1, limit=2)
        assert (newest.open, newest.close, newest.volume) == (D(60100), D(60100), D(1))
        assert (before.open, before.high, before.low, before.close) == (D(60000), D("60010.5"), D(59990), D(59990))
        await trio.sleep(30)
        assert (await client.spot.market.ticker(BTC)).last_price == 60_100


async def test_users_trade_on_the_tape(autojump_clock: MockClock) -> None:
    """A resting order is filled when a trade reaches it, as far as the trade goes; one that takes finds the book."""
    tape = Tape([
        TapeBook(START_MS, BTC, ((D(59990), D(2)),), ((D(60010), D("0.5")), (D(60020), D(9)))),
        trade(1_000, "59985", "0.3", "sell"),
        trade(2_000, "59980", "5", "sell"),
        TapeBook(START_MS + 3_000, BTC, None, ((D(60005), D(1)),)),
    ])  # fmt: skip
    async with open_exchange(market=tape) as venue, venue.open_client() as client:
        await trio.sleep(0.5)
        resting = await client.spot.trading.submit_order(
            symbol=BTC, side="buy", type="limit", size="0.5", price="59988"
        )
        taker = await client.spot.trading.submit_order(symbol=BTC, side="buy", type="limit", size="0.6", price="60015")
        assert (await client.spot.trading.order(order_id=taker.order_id)).filled_size == D("0.5")
        await client.spot.trading.cancel_order(symbol=BTC, order_id=taker.order_id)
        await trio.sleep(1)
        assert (await client.spot.trading.order(order_id=resting.order_id)).filled_size == D("0.3")
        await trio.sleep(1)
        state = await client.spot.trading.order(order_id=resting.order_id)
        assert (state.state, state.price_avg) == ("filled", D(59988))
        await trio.sleep(1)
        assert venue.book.asks(BTC) == [(D(60005), D(1))]
        assert venue.book.bids(BTC) == [(D(59990), D(2))]


async def test_a_tape_without_books_gets_one(autojump_clock: MockClock) -> None:
    """Twenty levels a side around the last trade, so that there is something to trade with."""
    tape = Tape([trade(0, "60000"), trade(1_000, "61000"), trade(0, "3000", symbol="ETHUSDT", size="7")])
    async with open_exchange(market=tape) as venue, venue.open_client() as client:
        assert len(venue.book.bids(BTC)) == len(venue.book.asks(BTC)) == 20
        assert len(venue.book.bids("ETHUSDT")) == 20
        await trio.sleep(2)
        book = await client.spot.market.order_book(BTC)
        assert book.bids[0].price < 61_000 < book.asks[0].price
        assert book.asks[0].price - book.bids[0].price < 20
        bought = await client.spot.trading.submit_order(symbol=BTC, side="buy", type="market", notional="1000")
        assert (await client.spot.trading.order(order_id=bought.order_id)).filled_notional > 990


async def test_prices_of_contracts_follow_the_tape(autojump_clock: MockClock) -> None:
    """Index and mark follow the pair if it is on the tape, else the contract's own trades."""
    tape = Tape([
        trade(0, "60000"), trade(0, "60003", symbol="BTCUSDT"), trade(0, "3000", symbol="ETHUSDT"),
        trade(1_000, "61000"), trade(1_000, "61007", symbol="BTCUSDT"), trade(1_000, "3100", symbol="ETHUSDT"),
    ])  # fmt: skip
    async with open_exchange(market=tape) as venue:
        await trio.sleep(1.5)
        listings = venue.exchange.futures.listings
        assert (listings["BTCUSDT"].mark, listings["BTCUSDT"].last) == (D(61000), D(61007))
        assert (listings["ETHUSDT"].mark, listings["ETHUSDT"].last) == (D(3100), D(3100))


async def test_a_tape_can_be_moved_in_time(autojump_clock: MockClock) -> None:
    """With a start of its own the exchange plays the same tape then, with the same distances."""
    later = START_MS + 86_400_000
    tape = Tape([trade(0, "60000"), trade(2_500, "60001")])
    async with open_exchange(market=tape, start=later) as venue:
        await trio.sleep(10)
        assert [line[0] for line in public(venue.exchange, BTC)] == [later, later + 2_500]


async def test_a_stepped_clock_stops_at_every_moment_of_the_tape(autojump_clock: MockClock) -> None:
    """Held and stepped over all of it at once, trades keep their times too."""
    tape = Tape([trade(0, "60000"), trade(2_501, "60001"), trade(9_999, "60002")])
    async with open_exchange(market=tape, live=False) as venue:
        venue.exchange.clock.hold()
        venue.exchange.step(20_000)
        assert [line[0] - START_MS for line in public(venue.exchange, BTC)] == [0, 2_501, 9_999]


async def test_an_event_log_is_a_tape(autojump_clock: MockClock, tmp_path: Path) -> None:
    """What an exchange has logged can be played: every match of it, of every symbol."""
    async with open_exchange(seed=3, log=tmp_path / "run.jsonl", symbols=[BTC, "BTCUSDT"]) as venue:
        await trio.sleep(20)
    tape = Tape.load(tmp_path / "run.jsonl")
    assert set(tape.symbols) == {BTC, "BTCUSDT"}
    async with open_exchange(market=tape) as venue:
        await trio.sleep(20)
        for symbol in tape.symbols:
            assert [line[1:] for line in public(venue.exchange, symbol)] == [
                (at.price, at.size, at.side) for at in tape.trades(symbol)
            ]


def test_rules_fit_what_is_on_the_tape() -> None:
    """Steps as fine as the finest price and size; a known symbol keeps its name and gets the tape's steps."""
    tape = Tape([trade(0, "0.0123", "10", symbol="ABC_USDT"), trade(1, "0.01229", "3", symbol="ABC_USDT"),
                 trade(2, "25.5", "4", symbol="ABCUSDT")])  # fmt: skip
    assert tape.rules() == [
        SpotPair("ABC_USDT", price="0.0123", tick="0.0000001", step=1),
        Contract("ABCUSDT", price="25.5", tick="0.0001"),
    ]
    with pytest.raises(TapeError, match="ABCUSDT"):
        Simulation(market=tape, symbols=["ABC_USDT"])
    assert repr(tape) == "<Tape of 3 moments of ABC_USDT, ABCUSDT, 0.002 s>"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "nothing on the tape"),
        ("{", "line 1 is not JSON"),
        ("[]", "line 1 is not an object"),
        ('{"ms":1,"symbol":"BTC_USDT"}', "neither a trade nor a book"),
        ('{"ms":1,"symbol":"BTC_USDT","price":"1","size":"1"}', "has no side"),
        ('{"ms":1,"symbol":"BTC_USDT","price":1.5,"size":"1","side":"buy"}', "a float is not exact"),
        ('{"ms":1,"symbol":"BTC_USDT","price":"1","size":"0","side":"buy"}', "above zero"),
        ('{"ms":"1","symbol":"BTC_USDT","price":"1","size":"1","side":"buy"}', "whole number"),
        ('{"ms":1,"symbol":"what","price":"1","size":"1","side":"buy"}', "not the name"),
        ('{"ms":1,"symbol":"BTC_USDT","bids":[["1"]]}', "a level is"),
        ('{"kind":"request","ms":1}', "nothing on the tape"),
    ],
)
def test_what_is_no_tape_is_refused(line: str, reason: str) -> None:
    """With the line and the reason."""
    with pytest.raises(TapeError, match=reason):
        Tape.of_lines([line])


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 5_000),  # when
            st.integers(-40, 40),  # price, in ticks from 60000
            st.integers(1, 300),  # size, in thousandths
            st.sampled_from(("buy", "sell")),
            st.booleans(),  # whether it is a trade of the tape, or an order of the user's
        ),
        min_size=2,
        max_size=25,
    )
)
def test_whatever_users_do_the_tape_is_played_and_money_is_kept(
    script: list[tuple[int, int, int, Literal["buy", "sell"], bool]],
) -> None:
    """Each trade of the tape happens at its time in its full size: users' part at their prices, the rest at its own."""
    script = sorted(script, key=lambda step: step[0])
    taped = [
        TapeTrade(START_MS + ms, BTC, 60_000 + D(off) / 10, D(size) / 1000, side)
        for ms, off, size, side, of_tape in script
        if of_tape
    ]
    simulation = Simulation(market=Tape([trade(0, "60000", "0.001"), *taped]), start=START_MS, symbols=[BTC])
    exchange, gate, caller = simulation.exchange, simulation.bitmart.gate, Direct(simulation.bitmart)
    for ms, off, size, side, of_tape in script:
        exchange.step(max(0, START_MS + ms - exchange.now_ms()))
        if not of_tape:
            gate.quotas = type(gate.quotas)()
            price, amount = f"{60_000 + D(off) / 10:.2f}", f"{D(size) / 1000:.5f}"
            caller.post("/spot/v2/submit_order", symbol=BTC, side=side, type="limit", size=amount, price=price)
    exchange.step(6_000)
    matches = [line for line in exchange.log.lines if line["kind"] == "match"]
    for at in {at.ms for at in taped}:
        due = sum((item.size for item in taped if item.ms == at), D(0))
        passive = sum((D(str(line["size"])) for line in matches if line["ms"] == at and line["taker"] is None), D(0))
        # Invented books trade with the orders they run over, too.
        assert passive >= due
    strangers = [line for line in matches if line["maker"] is None and line["taker"] is None]
    prices = {(item.ms, item.price) for item in taped} | {(START_MS, D(60_000))}
    assert all((line["ms"], line["price"]) in prices for line in strangers)
    money = {currency: D(0) for currency in ("BTC", "USDT")}
    for wallet in (*exchange.accounts.own, *(account.spot for account in exchange.accounts.all())):
        for currency in money:
            money[currency] += wallet.total(currency)
    assert money == {"BTC": D(10), "USDT": D(102_000)}


async def test_contracts_are_filled_by_the_tape(autojump_clock: MockClock) -> None:
    """A resting order is filled when a trade of its contract comes by, at its own price and as far as that goes."""
    tape = Tape([trade(0, "60000", "5", symbol="BTCUSDT"), trade(1_000, "59950", "30", "sell", "BTCUSDT")])
    async with open_exchange(market=tape) as venue, venue.open_client() as client:
        await client.futures.trading.submit_order(
            symbol="BTCUSDT", side=1, type="limit", price="59960", size=50, leverage="10", open_type="cross"
        )
        # What comes by in the invented book around the new price fills the rest.
        await trio.sleep(2)
        held = (await client.futures.position.positions(symbol="BTCUSDT"))[0]
        assert held.current_amount == 50
        fills = [line for line in venue.exchange.log.lines if line["kind"] == "match" and line["maker"] is not None]
        assert (fills[0]["price"], fills[0]["size"]) == (D(59960), D(30))


# -- CSV -------------------------------------------------------------------------------------------


def test_candles_become_four_trades_each(tmp_path: Path) -> None:
    """Open, the near extreme, the far one, close; a quarter of the volume each, at the quarters of the candle."""
    path = tmp_path / "klines.csv"
    path.write_text(
        "timestamp,open,high,low,close,volume,quote_volume\n"
        "1767225600,100.0,110.0,95.0,105.0,8.02,0\n"
        "1767225660,105.0,106.0,90.0,91.5,0.5,0\n"
        "1767225720,91.5,91.5,91.5,91.5,0,0\n"
    )
    tape = Tape.from_csv(path, BTC)
    assert [(at.ms - START_MS, format(at.price, "f"), format(at.size, "f"), at.side) for at in tape.trades()] == [
        (0, "100.0", "2.00", "buy"),
        (15_000, "95.0", "2.00", "buy"),
        (30_000, "110.0", "2.00", "buy"),
        (45_000, "105.0", "2.02", "buy"),
        (60_000, "105.0", "0.1", "sell"),
        (75_000, "106.0", "0.1", "sell"),
        (90_000, "90.0", "0.1", "sell"),
        (105_000, "91.5", "0.2", "sell"),
    ]


async def test_candles_come_out_as_they_went_in(autojump_clock: MockClock, tmp_path: Path) -> None:
    """A tape made of candles gives the same candles when it is played."""
    path = tmp_path / "klines.csv"
    path.write_text(
        "symbol,time,open,high,low,close,volume\n"
        "BTC_USDT,2026-01-01T00:00:00+00:00,100.0,110.0,95.0,105.0,8.5\n"
        "BTC_USDT,2026-01-01T00:01:00+00:00,105.0,106.0,90.0,91.5,0.5\n"
    )
    async with open_exchange(market=Tape.from_csv(path)) as venue, venue.open_client() as client:
        await trio.sleep(119)
        bars = await client.spot.market.klines(BTC, step=1, limit=2)
        assert [(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in reversed(bars)] == [
            (D("100.0"), D("110.0"), D("95.0"), D("105.0"), D("8.5")),
            (D("105.0"), D("106.0"), D("90.0"), D("91.5"), D("0.5")),
        ]


Record = TypeVar("Record")


async def inline(call: Callable[[], Record], /) -> Record:
    """Under a virtual clock nothing may be done in threads."""
    await trio.lowlevel.checkpoint()
    return call()


def _shown(bar: SpotKline) -> tuple[object, ...]:
    return bar.open_time, bar.open, bar.high, bar.low, bar.close, bar.volume


async def test_what_the_library_exports_can_be_played(autojump_clock: MockClock, tmp_path: Path) -> None:
    """Candles of both markets, exported to CSV and replayed, are the candles that were exported."""
    spot, futures = tmp_path / "spot.csv", tmp_path / "futures.csv"
    since, until = START_MS - 600_000, START_MS - 1
    async with open_exchange(seed=2) as venue, venue.open_client(None) as client:
        await history.export(
            lambda cursor: history.spot_klines(client, BTC, since=since, until=until, cursor=cursor),
            SpotKline,
            spot,
            run=inline,
        )
        await history.export(
            lambda cursor: history.futures_klines(client, "BTCUSDT", since=since, until=until, cursor=cursor),
            FuturesKline,
            futures,
            run=inline,
        )
        bars = await client.spot.market.klines(BTC, step=1, before=START_MS // 1000, limit=10)
        contract_bars = await client.futures.market.klines(
            "BTCUSDT", step=1, start_time=since // 1000, end_time=until // 1000
        )
    async with (
        open_exchange(market=Tape.from_csv(spot, BTC), tick_seconds=1.0) as venue,
        venue.open_client(None) as client,
    ):
        await trio.sleep(599)
        again = await client.spot.market.klines(BTC, step=1, limit=10)
        # What a candle was worth lies between its four prices, and cannot be known from them.
        assert [_shown(bar) for bar in again] == [_shown(bar) for bar in bars]
    async with (
        open_exchange(market=Tape.from_csv(futures, "BTCUSDT"), tick_seconds=1.0) as venue,
        venue.open_client(None) as client,
    ):
        await trio.sleep(599)
        played = await client.futures.market.klines("BTCUSDT", step=1, start_time=since // 1000, end_time=until // 1000)
        assert played == contract_bars


def test_trades_of_both_markets_can_be_read(tmp_path: Path) -> None:
    """Spot rows with sizes and sides; futures rows with quantities of the coin, which become contracts."""
    spot, futures = tmp_path / "spot.csv", tmp_path / "futures.csv"
    spot.write_text("symbol,timestamp,price,size,side\nBTC_USDT,1767225600123,60000.5,0.25,sell\n")
    futures.write_text("symbol,price,qty,quote_qty,time,is_buyer_maker\nBTCUSDT,60000.5,0.025,1500,1767225601,True\n")
    assert Tape.from_csv(spot).moments == (trade(123, "60000.5", "0.25", "sell"),)
    assert Tape.from_csv(futures).moments == (trade(1_000, "60000.5", "25", "sell", "BTCUSDT"),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("price,size,side\n", "nothing in the file"),
        ("a,b\n1,2\n", "columns"),
        ("time,price,size,side\n1767225600,1,1,buy\n", "names no symbol"),
        ("symbol,price,size,side\nBTC_USDT,1,1,buy\n", "no time"),
        ("symbol,time,price,size,side\nBTC_USDT,yesterday,1,1,buy\n", "no time: 'yesterday'"),
        ("symbol,time,price,size,side\nBTC_USDT,1767225600,x,1,buy\n", "no number"),
    ],
)
def test_csv_that_makes_no_sense_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    """With the row and the reason."""
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(TapeError, match=reason):
        Tape.from_csv(path)
