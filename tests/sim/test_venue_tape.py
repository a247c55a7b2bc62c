"""Tapes: recorded, saved, loaded, and played again at their times, with users' orders in between."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

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


async def test_a_saved_tape_is_played_from_its_file(autojump_clock: MockClock, tmp_path: Path) -> None:
    """Gzipped if it is called so, and not held in memory; a tape may be saved over the file that it is read from."""
    path = tmp_path / "day.jsonl.gz"
    Tape([trade(0, "60000"), trade(2_500, "60001")]).save(path)
    tape = Tape.load(path)
    tape.save(path)
    assert path.read_bytes()[:2] == b"\x1f\x8b"
    assert not path.with_name("day.jsonl.gz.part").exists()
    assert tape == Tape.load(path)
    async with open_exchange(market=tape) as venue:
        await trio.sleep(10)
        assert [line[0] - START_MS for line in public(venue.exchange, BTC)] == [0, 2_500]


def test_tapes_become_one() -> None:
    """In the order of their times, those of one time in the order of the tapes."""
    books = Tape([TapeBook(START_MS + ms, BTC, ((D(59990), D(2)),), ()) for ms in (0, 2_000)])
    tape = Tape.merged(Tape([trade(0, "60000"), trade(1_000, "60001")]), books)
    assert [(type(at).__name__, at.ms - START_MS) for at in tape] == [
        ("TapeTrade", 0),
        ("TapeBook", 0),
        ("TapeTrade", 1_000),
        ("TapeBook", 2_000),
    ]
    with pytest.raises(TapeError, match="nothing on the tape"):
        Tape.merged()


def test_a_tape_knows_what_is_on_it() -> None:
    """Counts, times, prices, the longest gap."""
    tape = Tape(
        [trade(0, "60000"), trade(500, "60010.5", "0.25"), trade(9_000, "59990"), trade(0, "3", symbol="ABCUSDT")]
    )
    part = tape.parts[BTC]
    assert (part.trades, part.books, part.volume) == (3, 0, D("2.25"))
    assert (part.first, part.high, part.low, part.last) == (D(60000), D("60010.5"), D(59990), D(59990))
    assert (part.longest_gap_ms, part.gap_ms) == (8_500, START_MS + 500)
    assert list(tape.parts) == [BTC, "ABCUSDT"]
    assert (len(tape), tape.seconds) == (4, 9.0)
