"""Market data as others publish it becomes a tape: dumps of Binance's and Tardis', candles of ccxt's, odd files.

The samples are made up, in the layouts that `bitmart_trio.sim.drivers.public_data.layouts` names the sources of.
"""

from __future__ import annotations

import gzip
import tracemalloc
import zipfile
from collections.abc import Callable
from decimal import ROUND_UP, Context, Decimal, localcontext
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import pandas as pd
import pyarrow as pa
import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proof_sizes import FUZZ
from trio.testing import MockClock

from bitmart_trio import history
from bitmart_trio.models import FuturesKline, SpotKline
from bitmart_trio.sim import Tape, TapeBook, TapeError, TapeTrade, open_exchange
from bitmart_trio.sim.drivers.public_data.candles import Path as CandlePath
from bitmart_trio.sim.drivers.public_data.candles import split
from bitmart_trio.sim.exchange import START_MS
from bitmart_trio.sim.kernel.symbols import read_symbols

BTC = "BTC_USDT"
D = Decimal
SAMPLES = {
    "binance-trades": (
        "51175358,60010.50000000,0.25000000,15002.62500000,1767225600100,True,True\n"
        "51175359,60011.00000000,0.00500000,300.05500000,1767225600200,False,True\n"
    ),
    "binance-trades (contract)": (
        "id,price,qty,quote_qty,time,is_buyer_maker\n"
        "28457,60010.5,0.25,15002.625,1767225600100,true\n"
        "28458,60011,0.005,300.055,1767225600200,false\n"
    ),
    "binance-aggtrades": (
        "26129,60010.5,0.25,27781,27783,1767225600100000,true,true\n"
        "26130,60011,0.005,27784,27784,1767225600200000,false,true\n"
    ),
    "binance-aggtrades (contract)": (
        "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
        "26129,60010.5,0.25,27781,27783,1767225600100,true\n"
        "26130,60011,0.005,27784,27784,1767225600200,false\n"
    ),
    "tardis-trades": (
        "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
        "binance,BTCUSDT,1767225600093000,1767225600100482,1,sell,60010.5,0.25\n"
        "binance,BTCUSDT,1767225600092000,1767225600200999,2,unknown,60011,0.005\n"
    ),
    "own-trades": (
        "symbol,timestamp,price,size,side\n"
        "BTC_USDT,1767225600100,60010.5,0.25,sell\n"
        "BTC_USDT,1767225600200,60011,0.005,buy\n"
    ),
}
"""Files that all say the same two trades."""


def trade(ms: int, price: str, size: str = "1", side: str = "buy", symbol: str = BTC) -> TapeTrade:
    """A trade some time after the usual opening."""
    return TapeTrade(START_MS + ms, symbol, D(price), D(size), "buy" if side == "buy" else "sell")


def written(folder: Path, text: str, name: str = "data.csv") -> Path:
    """A file."""
    path = folder / name
    path.write_text(text)
    return path


# -- trades ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_trades_of_every_known_layout(name: str, tmp_path: Path) -> None:
    """With names of columns or without, times in milli- or microseconds, the taker told in either way."""
    path = written(tmp_path, SAMPLES[name])
    expected = (trade(100, "60010.5", "0.25", "sell"), trade(200, "60011", "0.005"))
    tape = Tape.from_trades(path, BTC)
    assert tape.moments == expected
    assert Tape.read(path, BTC) == tape
    form = name.partition(" ")[0]
    assert Tape.from_trades(path, BTC, format=form) == tape  # type: ignore[arg-type]
    with pytest.raises(TapeError, match=r"data\.csv, line 1: the file has trades, not candles"):
        Tape.from_candles(path, BTC)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT"])
def test_amounts_become_whole_contracts(symbol: str, tmp_path: Path) -> None:
    """At least one a trade; what is left over is carried on, so that the sum is right."""
    rows = [f"{number},60000,0.0254,0,{START_MS + number},true" for number in range(1, 11)]
    sizes = [at.size for at in Tape.from_trades(written(tmp_path, "\n".join(rows)), symbol).trades()]
    one = {"BTCUSDT": D("0.001"), "ETHUSDT": D("0.01")}[symbol]
    assert all(size == size.to_integral_value() >= 1 for size in sizes)
    assert abs(sum(sizes) - D("0.254") / one) <= 1


def test_units_can_be_said(tmp_path: Path) -> None:
    """Contracts of a file are taken as they are, and contracts that are worth dollars always are."""
    path = written(tmp_path, "id,price,qty,base_qty,time,is_buyer_maker\n1,60000,7,0.01,1767225600100,true\n")
    assert Tape.from_trades(path, "BTCUSDT", unit="contracts").trades()[0].size == 7
    assert Tape.from_trades(path, "BTCUSDT").trades()[0].size == 7_000
    assert Tape.from_trades(path, "BTCUSD").trades()[0].size == 7
    with pytest.raises(TapeError, match="BTC_USDT is a pair"):
        Tape.from_trades(path, BTC, unit="contracts")


def test_one_market_of_several_is_chosen(tmp_path: Path) -> None:
    """A file of many markets is no file of one."""
    path = written(
        tmp_path,
        "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
        "x,BTC-USD,1767225600000000,1767225600000000,,buy,60000,1\n"
        "x,ETH-USD,1767225601000000,1767225601000000,,buy,3000,2\n",
    )
    with pytest.raises(TapeError, match=r"data\.csv, line 3: this row is of ETH-USD, those before of BTC-USD"):
        Tape.from_trades(path, "ETH_USDT")
    assert Tape.from_trades(path, "ETH_USDT", only="ETH-USD").moments == (trade(1_000, "3000", "2", symbol="ETH_USDT"),)
    with pytest.raises(TapeError, match="does not name the symbol as it is named here"):
        Tape.from_trades(path)


def test_trades_of_both_markets_can_be_read(tmp_path: Path) -> None:
    """What the command line exports: spot rows with sizes and sides, futures rows with quantities of the coin."""
    spot = written(tmp_path, "symbol,timestamp,price,size,side\nBTC_USDT,1767225600123,60000.5,0.25,sell\n", "spot.csv")
    futures = written(
        tmp_path, "symbol,price,qty,quote_qty,time,is_buyer_maker\nBTCUSDT,60000.5,0.025,1500,1767225601,True\n"
    )
    assert Tape.from_trades(spot).moments == (trade(123, "60000.5", "0.25", "sell"),)
    assert Tape.from_trades(futures).moments == (trade(1_000, "60000.5", "25", "sell", "BTCUSDT"),)


# -- files -----------------------------------------------------------------------------------------


def _zipped(path: Path, text: str, *names: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, text)
    return path


def test_packed_files_are_read(tmp_path: Path) -> None:
    """Known by what is in them, not by their names: gzip, a zip file with one file in it, a byte order mark."""
    text = SAMPLES["binance-trades"]
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(text.encode()))
    zipped = _zipped(tmp_path / "day.zip", text, "BTCUSDT-trades.csv")
    marked = tmp_path / "marked.csv"
    marked.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    tape = Tape.from_trades(written(tmp_path, text), BTC)
    for path in (packed, zipped, marked):
        assert Tape.from_trades(path, BTC) == tape
    with pytest.raises(TapeError, match=r"two\.zip holds 2 files, not one"):
        Tape.from_trades(_zipped(tmp_path / "two.zip", text, "one", "two"), BTC)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(SAMPLES["binance-trades"].encode() * 50)[:-30], "damaged or no text behind line"),
        (b"\x1f\x8bnothing of the kind", "damaged or no text behind line 0"),
        (b"PK\x03\x04nothing of the kind", "damaged or no text behind line 0"),
        (b"PAR1nothing of the kind", "damaged"),
        (b"\xff\xfe\x00\x01", "damaged or no text"),
        (b"1" * (1 << 20), "line 1 has more than 1,048,576 characters"),
        (b"", "nothing in the file"),
        (b"\n \n", "nothing in the file"),
    ],
)
def test_damaged_files_are_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    """With the name of the file and how far it could be read."""
    path = tmp_path / "bad"
    path.write_bytes(content)
    with pytest.raises(TapeError, match=f"bad: .*{reason}"):
        Tape.from_trades(path, BTC)


def test_a_file_out_of_order_is_sorted(tmp_path: Path) -> None:
    """Whole in memory; those of one time stay as they are."""
    rows = [f"1,{60000 + number},1,1,{START_MS + (number * 37) % 100},true" for number in range(100)]
    tape = Tape.from_trades(written(tmp_path, "\n".join(rows)), BTC)
    assert [at.ms - START_MS for at in tape] == list(range(100))


def test_a_large_file_is_not_held_in_memory(tmp_path: Path) -> None:
    """Reading it again and again takes what a row takes."""
    path = tmp_path / "large.csv"
    with path.open("w") as file:
        file.writelines(f"{n},60000.{n % 10},0.001,60,{START_MS + n},true\n" for n in range(15_000))
    tracemalloc.start()
    try:
        tape = Tape.from_trades(path, BTC)
        tape.save(tmp_path / "large.jsonl")
        assert sum(1 for _ in Tape.load(tmp_path / "large.jsonl")) == len(tape) == 15_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Fifteen thousand moments take five million bytes.
    assert peak < 2_500_000


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("symbol,time,price,size,side\n", "nothing on the tape"),
        ("a,b\n1,2\n", r"line 1: the columns are neither those of trades nor those of candles or books: a, b"),
        ("1,2,3\n", "line 1: the file has no names of columns"),
        ("time,price,size,side\n1767225600,1,1,buy\n", "does not name the symbol"),
        ("symbol,price,size,side\nBTC_USDT,1,1,buy\n", r"no column localtimestamp or ms"),
        ("symbol,time,price,side\nBTC_USDT,1767225600,1,buy\n", "no column size or qty"),
        ("symbol,time,price,size\nBTC_USDT,1767225600,1,1\n", "no column side or isbuyermaker"),
        ("symbol,time,price,size,side\n\nBTC_USDT,yesterday,1,1,buy\n", "line 3: no time: 'yesterday'"),
        ("symbol,time,price,size,side\nBTC_USDT,-5,1,1,buy\n", "line 2: no time: '-5'"),
        ("symbol,time,price,size,side\nBTC_USDT,1767225600,x,1,buy\n", "line 2: the price is no number: 'x'"),
        ("symbol,time,price,size,side\nBTC_USDT,1767225600,1,0,buy\n", "line 2: the size must be above zero"),
        ("symbol,time,price,size,side\nBTC_USDT,1767225600,1,NaN,buy\n", "line 2: the size is no number"),
        ("symbol,time,price,size,side\nBTC_USDT,1767225600,1,1,both\n", "line 2: side is buy or sell, not 'both'"),
        ("symbol,time,price,size,side\nBTC_USDT,1767225600,1\n", "line 2: has 3 columns, not 5"),
        ("symbol,time,price,size,side\nbtc,1767225600,1,1,buy\n", "line 2: 'btc' is not the name"),
        ("symbol,time,price,size,isBuyerMaker\nBTC_USDT,1767225600,1,1,maybe\n", "line 2: is_buyer_maker is true or"),
        ("symbol,time,open,high,low,close,volume\nBTC_USDT,1767225600,5,4,3,4,1\n", "line 1: the file has candles"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    """With the line and the reason."""
    with pytest.raises(TapeError, match=reason):
        Tape.from_trades(written(tmp_path, text))


def test_a_format_that_is_not_the_files(tmp_path: Path) -> None:
    """Asked for by name, a layout has to fit."""
    path = written(tmp_path, SAMPLES["tardis-trades"])
    with pytest.raises(TapeError, match="the columns are those of trades, not of binance-klines"):
        Tape.read(path, BTC, format="binance-klines")
    with pytest.raises(TapeError, match="a file in the format tardis-trades has"):
        Tape.read(written(tmp_path, SAMPLES["binance-trades"], "spot.csv"), BTC, format="tardis-trades")
    with pytest.raises(TapeError, match="not the name"):
        Tape.read(path, "what", format="tardis-trades")


def test_a_number_may_have_too_many_digits(tmp_path: Path) -> None:
    """Where something has to be calculated from it."""
    path = written(tmp_path, f"{START_MS},1,1,1,1,{'9' * 300}.5\n")
    with pytest.raises(TapeError, match=r"data\.csv, line 1: a number has too many digits"):
        Tape.from_candles(path, BTC)


def test_the_decimal_context_of_a_program_rounds_nothing(tmp_path: Path) -> None:
    """Whether the tape is made or gone through in it; and it is as it was between two rows."""
    candles = written(
        tmp_path, "".join(f"{START_MS + n * 60_000},100.5,110.25,90.125,105,12.345{n}\n" for n in range(9))
    )
    books = written(
        tmp_path, changes((0, True, "bid", "59990.25", "2.125"), (200, False, "bid", "59990.5", "1.2345")), "b"
    )
    narrow = Context(prec=2, rounding=ROUND_UP)
    readers: list[Callable[[], Tape]] = [
        lambda: Tape.from_candles(candles, BTC, trades=9),
        lambda: Tape.from_candles(candles, "BTCUSDT", trades=9),
        lambda: Tape.from_books(books, BTC),
    ]
    for read in readers:
        tape = read()
        expected, rules, parts = tape.moments, tape.rules(), dict(tape.parts)
        with localcontext(narrow):
            again = read()
            found = list[object]()
            for moment in again:
                assert D(1) + D("0.01") == D("1.1")
                found.append(moment)
            assert (tuple(found), again.rules(), dict(again.parts)) == (expected, rules, parts)


# -- candles ---------------------------------------------------------------------------------------

KLINES = (
    "1767225600000000,100.00,110.00,95.00,105.00,8.02,1767225659999999,0,5,0,0,0\n"
    "1767225660000000,105.00,106.00,90.00,91.50,0.5,1767225719999999,0,5,0,0,0\n"
    "1767225720000000,91.50,91.50,91.50,91.50,0,1767225779999999,0,0,0,0,0\n"
)


def test_a_candle_becomes_a_path(tmp_path: Path) -> None:
    """Open at its beginning, low and high in a drawn order, close in its last millisecond; the sizes are the volume."""
    tape = Tape.from_candles(written(tmp_path, KLINES), BTC)
    assert [(at.ms - START_MS, format(at.price, "f"), format(at.size, "f"), at.side) for at in tape.trades()] == [
        (0, "100.00", "2.00", "buy"),
        (19_999, "110.00", "2.00", "buy"),
        (39_999, "95.00", "2.00", "sell"),
        (59_999, "105.00", "2.02", "buy"),
        (60_000, "105.00", "0.1", "sell"),
        (79_999, "90.00", "0.1", "sell"),
        (99_999, "106.00", "0.1", "buy"),
        (119_999, "91.50", "0.2", "sell"),
    ]


def test_the_order_of_low_and_high_comes_from_the_seed(tmp_path: Path) -> None:
    """About half of the candles go up first; a seed says which, and a candle's order does not depend on the others."""
    rows = [f"{START_MS + number * 60_000},100,110,90,100,4" for number in range(200)]
    orders = {}
    for seed in (1, 2):
        tape = Tape.from_candles(written(tmp_path, "\n".join(rows)), BTC, seed=seed)
        assert tape == Tape.from_candles(tmp_path / "data.csv", BTC, seed=seed)
        orders[seed] = [at.price == 110 for at in tape.trades()[1::4]]
        assert 70 < sum(orders[seed]) < 130
    assert orders[1] != orders[2]
    half = Tape.from_candles(written(tmp_path, "\n".join(rows[100:])), BTC, seed=1)
    assert [at.price == 110 for at in half.trades()[1::4]] == orders[1][100:]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.decimals("0.01", "1000", places=2), min_size=4, max_size=4).map(sorted),
    st.booleans(),
    st.integers(1, 3_000),
    st.sampled_from((0, 3)),
    st.integers(4, 40),
    st.integers(0, 10),
)
def test_any_path_is_its_candle(
    tmp_path: Path, prices: list[Decimal], rising: bool, volume: int, places: int, trades: int, seed: int
) -> None:
    """Whatever the candle: begins with the open, ends with the close, touches low and high, sums up to the volume."""
    low, one, two, high = prices
    opened, closed = (one, two) if rising else (two, one)
    size = D(volume).scaleb(-places)
    path = written(tmp_path, f"{START_MS},{opened},{high},{low},{closed},{size}\n")
    found = Tape.from_candles(path, BTC, seed=seed, trades=trades, step=300).trades()
    assert len(found) == trades
    assert (found[0].price, found[-1].price) == (opened, closed)
    assert (min(at.price for at in found), max(at.price for at in found)) == (low, high)
    assert (sum(at.size for at in found), min(at.size for at in found) > 0) == (size, True)
    assert [at.ms for at in found] == sorted(at.ms for at in found)
    assert (found[0].ms, found[-1].ms) == (START_MS, START_MS + 299_999)


def test_a_few_contracts_visit_what_they_can(tmp_path: Path) -> None:
    """A contract is the least there is: the close first, then the open, then the extreme that is farther away."""
    corners, path = (D(100), D(90), D(111), D(104)), CandlePath(trades=6)
    expected = {1: [104], 2: [100, 104], 3: [100, 111, 104], 4: [100, 90, 111, 104]}
    for most, prices in expected.items():
        assert path.prices(corners, most) == [D(price) for price in prices]
    rows = "timestamp,open_price,close_price,high_price,low_price,volume\n"
    for volume in range(1, 9):
        name = written(tmp_path, f"{rows}{START_MS // 1000},100,104,111,90,{volume}\n")
        sizes = [at.size for at in Tape.from_candles(name, "BTCUSDT", trades=6).trades()]
        assert sizes == [1] * volume if volume < 6 else sizes == [1] * 5 + [volume - 5]


def test_a_volume_is_split_on_its_own_grid() -> None:
    """Or on a finer one, where there is too little of it."""
    assert split(D("8.02"), 4, whole=False) == [D("2.00"), D("2.00"), D("2.00"), D("2.02")]
    assert split(D("0.001"), 4, whole=False) == [D("0.0002")] * 3 + [D("0.0004")]
    assert split(D(7), 4, whole=True) == [D(1), D(1), D(1), D(4)]


def test_tables_of_data_frames_are_read(tmp_path: Path) -> None:
    """An index without a name, times of several kinds, capital letters, floats with their tails, no volume."""
    expected = Tape.from_candles(written(tmp_path, "1767225600000,100,110,90.5,105,0.3\n", "plain.csv"), BTC)
    for text in (
        ",open,high,low,close,volume\n2026-01-01 00:00:00,100.0,110.0,90.5,105.0,0.30000000000000004\n",
        "Time;Open;High;Low;Close;Volume\n2026-01-01T01:00:00+01:00;100;110;90.5;105;0.3\n",
        "timestamp,open,high,low,close,volume\n1767225600.0,100,110,90.5,105,0.3\n1767225660,1,1,1,1,\n",
        '"date","open","high","low","close","volume"\n"2026-01-01","100","110","90.5","105","0.3"\n',
    ):
        assert Tape.from_candles(written(tmp_path, text), BTC) == expected
    assert [at.size for at in expected.trades()] == [D("0.07")] * 3 + [D("0.09")]


@pytest.mark.parametrize("index", [False, True])
def test_parquet_is_read(index: bool, tmp_path: Path) -> None:
    """Floats and times of a data frame, its index too."""
    frame = pd.DataFrame(
        {"open": [100.1], "high": [110.0], "low": [90.5], "close": [105.0], "volume": [0.1 + 0.2]},
        index=pd.to_datetime([START_MS], unit="ms", utc=True),
    )
    if not index:
        frame = frame.reset_index(names="timestamp")
    frame.to_parquet(tmp_path / "candles.parquet")
    found = Tape.from_candles(tmp_path / "candles.parquet", BTC).trades()
    assert (found[0].ms, found[0].price, sum(at.size for at in found)) == (START_MS, D("100.1"), D("0.3"))
    table = pa.table({"open": ["what"], "high": [1], "low": [1], "close": [1], "volume": [1], "time": [START_MS]})
    import_module("pyarrow.parquet").write_table(table, tmp_path / "bad.parquet")
    with pytest.raises(TapeError, match=r"bad\.parquet, line 2: the price is no number: 'what'"):
        Tape.from_candles(tmp_path / "bad.parquet", BTC)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1767225600,5,4,3,4,1", "line 1: open 5 and close 4 are not between low 3 and high 4"),
        ("1767225600,2,4,3,4,1", "line 1: open 2 and close 4"),
        ("1767225600,3,4,3,4,-1", "line 1: a volume below zero: -1"),
        ("1767225600,3,4,3,,1", "line 1: the price is no number: ''"),
        ("1767225600,3,4,3,4,0", "nothing on the tape"),
    ],
)
def test_candles_that_make_no_sense_are_refused(row: str, reason: str, tmp_path: Path) -> None:
    """With the line."""
    with pytest.raises(TapeError, match=reason):
        Tape.from_candles(written(tmp_path, row + "\n"), BTC)


def test_a_path_needs_four_trades(tmp_path: Path) -> None:
    """Fewer cannot visit open, low, high and close."""
    with pytest.raises(TapeError, match="4 to 1,000 trades, not 3"):
        Tape.from_candles(written(tmp_path, KLINES), BTC, trades=3)
    corners = (D(100), D(90), D(110), D(100))
    assert CandlePath(trades=8).prices(corners) == [D(each) for each in (100, 95, 90, 97, 103, 110, 105, 100)]


def test_missing_candles_are_a_gap(tmp_path: Path) -> None:
    """Nothing is invented for them; the length of the others does not depend on them."""
    rows = [f"{START_MS + minute * 60_000},1,1,1,1,1" for minute in (0, 1, 2, 30, 31)]
    tape = Tape.from_candles(written(tmp_path, "\n".join(rows)), BTC)
    assert (len(tape), tape.parts[BTC].longest_gap_ms) == (20, 27 * 60_000 + 1)


async def test_candles_come_out_as_they_went_in(autojump_clock: MockClock, tmp_path: Path) -> None:
    """A tape made of candles gives the same candles when it is played."""
    async with (
        open_exchange(market=Tape.from_candles(written(tmp_path, KLINES), BTC)) as venue,
        venue.open_client() as client,
    ):
        await trio.sleep(120)
        bars = await client.spot.market.klines(BTC, step=1, before=START_MS // 1000 + 120, limit=2)
        found = {
            int(bar.open_time): (bar.open, bar.high, bar.low, bar.close, bar.volume)
            for bar in bars
            if bar.open_time < START_MS // 1000 + 120
        }
        assert found[START_MS // 1000] == (D(100), D(110), D(95), D(105), D("8.02"))
        assert found[START_MS // 1000 + 60] == (D(105), D(106), D(90), D("91.5"), D("0.5"))


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
        open_exchange(market=Tape.from_candles(spot, BTC), tick_seconds=1.0) as venue,
        venue.open_client(None) as client,
    ):
        await trio.sleep(599.9995)
        again = await client.spot.market.klines(BTC, step=1, limit=10)
        # What a candle was worth lies between its four prices, and cannot be known from them.
        assert [_shown(bar) for bar in again] == [_shown(bar) for bar in bars]
    async with (
        open_exchange(market=Tape.from_candles(futures, "BTCUSDT"), tick_seconds=1.0) as venue,
        venue.open_client(None) as client,
    ):
        await trio.sleep(599.9995)
        played = await client.futures.market.klines("BTCUSDT", step=1, start_time=since // 1000, end_time=until // 1000)
        assert played == contract_bars


# -- books -----------------------------------------------------------------------------------------

L2 = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n"


def changes(*rows: tuple[int, bool, Literal["bid", "ask"], str, str]) -> str:
    """Levels of a file of changes: ms after the opening, whether of a snapshot, side, price, amount."""
    return L2 + "".join(
        f"x,BTCUSDT,0,{(START_MS + ms) * 1000 + 7},{str(snapshot).lower()},{side},{price},{amount}\n"
        for ms, snapshot, side, price, amount in rows
    )


def book(ms: int, bids: dict[str, str], asks: dict[str, str]) -> TapeBook:
    """A book some time after the opening."""
    sides = [tuple((D(price), D(size)) for price, size in side.items()) for side in (bids, asks)]
    return TapeBook(START_MS + ms, BTC, *sides)


def test_changes_build_books(tmp_path: Path) -> None:
    """From the first snapshot on; zero removes; a new snapshot begins anew; a crossed moment is no book."""
    text = changes(
        (0, False, "bid", "1", "1"),  # before any snapshot
        (10, True, "bid", "99", "2"), (10, True, "bid", "98", "3"), (10, True, "ask", "101", "4"),
        (20, False, "ask", "100.5", "1"), (20, False, "bid", "98", "0"),
        (30, False, "bid", "100.5", "5"),  # crossed
        (40, False, "ask", "100.5", "0"),
        (50, False, "bid", "50", "0"),  # nothing changes
        (60, True, "ask", "105", "1"), (60, True, "bid", "104", "1"),
    )  # fmt: skip
    path = written(tmp_path, text)
    assert Tape.from_books(path, BTC, every=0).moments == (
        book(10, {"99": "2", "98": "3"}, {"101": "4"}),
        book(20, {"99": "2"}, {"100.5": "1", "101": "4"}),
        book(40, {"100.5": "5", "99": "2"}, {"101": "4"}),
        book(60, {"104": "1"}, {"105": "1"}),
    )
    assert Tape.from_books(path, BTC, every=0.02, levels=1).moments == (
        book(10, {"99": "2"}, {"101": "4"}),
        book(40, {"100.5": "5"}, {"101": "4"}),
        book(60, {"104": "1"}, {"105": "1"}),
    )


def test_snapshots_are_books(tmp_path: Path) -> None:
    """A row is one; levels that are not there are blank."""
    names = ",".join(
        f"{side}[{n}].{what}" for n in range(2) for side in ("asks", "bids") for what in ("price", "amount")
    )
    path = written(
        tmp_path,
        f"exchange,symbol,timestamp,local_timestamp,{names}\n"
        f"x,BTCUSDT,0,{START_MS * 1000},101,1,99,2,102,3,98,4\n"
        f"x,BTCUSDT,0,{START_MS * 1000 + 50_000},101,1,99,2,102,3,98,5\n"
        f"x,BTCUSDT,0,{START_MS * 1000 + 100_000},101,1,99,7,,,,\n",
    )
    assert Tape.from_books(path, BTC).moments == (
        book(0, {"99": "2", "98": "4"}, {"101": "1", "102": "3"}),
        book(100, {"99": "7"}, {"101": "1"}),
    )
    assert len(Tape.from_books(path, BTC, every=0)) == 3
    assert Tape.from_books(path, "BTCUSDT").moments[0].bids == ((D(99), D(2_000)), (D(98), D(4_000)))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (changes((0, True, "bid", "1", "-1")), "line 2: an amount below zero: -1"),
        (changes((0, True, "both", "1", "1")), "line 2: side is bid or ask, not 'both'"),  # type: ignore[arg-type]
        (changes((0, True, "bid", "0", "1")), "line 2: the price must be above zero"),
        (changes((0, False, "bid", "1", "1")), "nothing on the tape"),
    ],
)
def test_books_that_make_no_sense_are_refused(text: str, reason: str, tmp_path: Path) -> None:
    """With the line."""
    with pytest.raises(TapeError, match=reason):
        Tape.from_books(written(tmp_path, text), BTC)


def test_books_have_bounds(tmp_path: Path) -> None:
    """Of levels and of time."""
    options: list[dict[str, Any]] = [{"levels": 0}, {"levels": 1001}, {"every": -1}, {"every": float("nan")}]
    for each in options:
        with pytest.raises(TapeError, match="book"):
            Tape.from_books(written(tmp_path, L2), BTC, **each)


async def test_trades_and_books_of_a_day_are_played_together(autojump_clock: MockClock, tmp_path: Path) -> None:
    """A tape of both: users find the books of the file, and its trades fill what rests."""
    books = written(tmp_path, changes((0, True, "bid", "59990", "2"), (0, True, "ask", "60010", "0.5")), "books.csv")
    trades = written(tmp_path, f"1,59980,1,1,{START_MS + 2_000},true\n")
    tape = Tape.merged(Tape.from_books(books, BTC), Tape.from_trades(trades, BTC))
    async with open_exchange(market=tape) as venue, venue.open_client() as client:
        await trio.sleep(0.5)
        shown = await client.spot.market.order_book(BTC)
        assert ([row.price for row in shown.bids], [row.price for row in shown.asks]) == ([D(59990)], [D(60010)])
        placed = await client.spot.trading.submit_order(symbol=BTC, side="buy", type="limit", size="0.1", price="59985")
        await trio.sleep(2)
        assert (await client.spot.trading.order(order_id=placed.order_id)).state == "filled"


# -- whatever is in a file -------------------------------------------------------------------------

CELLS: Final = st.one_of(
    st.sampled_from((
        "", "0", "1", "-1", "60000.5", "1e5", "1e400", "NaN", "inf", "true", "False", "buy", "sell", "bid", "unknown",
        "1767225600000", "1767225600000000", "2026-01-01", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00",
        "BTC_USDT", '"', "\u0661", "\udcff", "9" * 60,
    )),
    st.text(max_size=4),
)  # fmt: skip
HEADS: Final = (
    "time,price,size,side",
    "symbol,time,price,qty,is_buyer_maker",
    "timestamp,open,high,low,close,volume",
    "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount",
    "time,asks[0].price,asks[0].amount,bids[0].price,bids[0].amount",
    ",open,high,low,close,volume",
    "price,open,asks[0].price",
)
USUAL: Final = {
    "time": ("1767225600000", "1767225600500000", "1767225601"), "side": ("buy", "sell", "bid", "ask"),
    "symbol": ("BTC_USDT", "X"), "is": ("true", "false"), "price": ("100", "101.5", "0.25"), "open": ("100", "101"),
    "close": ("101", "100.5"), "high": ("102", "150.25"), "low": ("99", "0.5"), "asks[0].price": ("102",),
    "bids[0].price": ("99", "98.5"),
}  # fmt: skip
"""What is in a column by the beginning of its name; in others, amounts."""


@st.composite
def tables(draw: st.DrawFn) -> str:
    """A table with or without its head, in which most cells are as they should be."""
    head = draw(st.sampled_from(HEADS))
    lines = [head] if draw(st.integers(0, 9)) else []
    for _ in range(draw(st.integers(0, 5))):
        cells: list[str] = []
        for name in head.split(","):
            usual = next((cells for part, cells in USUAL.items() if name.startswith(part)), ("1", "0.003", "25", "0"))
            cells.append(draw(st.sampled_from(usual) if draw(st.integers(0, 19)) else CELLS))
        lines.append(",".join(cells))
    return "\n".join(lines)


@pytest.mark.proof
@settings(max_examples=FUZZ, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables(), st.sampled_from((BTC, "BTCUSDT", "BTCUSD", None)))
def test_any_table_is_a_tape_or_an_error_of_tapes(tmp_path: Path, table: str, symbol: str | None) -> None:
    """Nothing else gets out, and what is a tape can be saved, loaded and listed."""
    path = tmp_path / "any.csv"
    path.write_bytes(table.encode("utf-8", "surrogatepass"))
    try:
        tape = Tape.read(path, symbol)
    except TapeError:
        return
    tape.save(tmp_path / "any.jsonl")
    assert Tape.load(tmp_path / "any.jsonl") == tape
    read_symbols(tape.rules())
