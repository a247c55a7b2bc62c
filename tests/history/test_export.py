"""Histories in files: exact, whole, and gone on with after an interruption."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
import trio
import trio.testing
from history_kit import SINCE, Past, write_past

import bitmart_trio as bm
from bitmart_trio import history
from bitmart_trio.history import _parquet
from bitmart_trio.history._export import _csv  # pyright: ignore[reportPrivateUsage]
from bitmart_trio.models import FuturesFill, FuturesOrder, SpotFill, SpotKline
from bitmart_trio.sim.exchange import START_MS
from bitmart_trio.sim.faults import Fail5xx

T = TypeVar("T")

pq = import_module("pyarrow.parquet")  # it has no types

FORMATS = ("csv", "jsonl", "parquet")
DAY = 86_400_000


async def inline(call: Callable[[], T], /) -> T:
    await trio.lowlevel.checkpoint()
    return call()


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of any of the formats, amounts as the text or Decimal that the file has."""
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def seconds(value: Any) -> int:
    """The time of a bar, in any of the formats."""
    if isinstance(value, datetime):
        return (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    return int(value)


def klines(client: bm.Client) -> Callable[[history.Cursor | None], history.Walker[SpotKline]]:
    return lambda cursor: history.spot_klines(client, "BTC_USDT", since=START_MS - DAY, cursor=cursor)


@pytest.mark.parametrize("suffix", FORMATS)
async def test_klines_are_exact(suffix: str, tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """Every bar of a day, each figure the same number that the exchange told."""
    path = tmp_path / f"btc.{suffix}"
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client(None) as client:
        exported = await history.export(klines(client), SpotKline, path, run=inline)
        bars = [bar async for bar in klines(client)(None)]
    rows = rows_of(path)
    assert exported.records == len(rows) == len(bars) == 1440
    assert exported.gaps == ()
    for row, bar in zip(rows, bars, strict=True):
        assert seconds(row["open_time"]) == bar.open_time
        for name in ("open", "high", "low", "close", "volume", "quote_volume"):
            assert Decimal(row[name]) == getattr(bar, name)
    if suffix == "parquet":
        schema = pq.read_schema(path)
        assert str(schema.field("close").type) == "decimal128(38, 2)"
        assert str(schema.field("open_time").type) == "timestamp[ms, tz=UTC]"
        assert not path.with_name("btc.parquet.rows").exists()
    else:
        assert rows[0]["open"] == format(bars[0].open, "f")


@pytest.mark.parametrize("suffix", FORMATS)
async def test_fills_are_exact(suffix: str, tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """Twelve digits behind the point, words, numbers, and what is missing."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        write_past(venue.exchange, Past())
        spot, futures, orders = (tmp_path / f"{name}.{suffix}" for name in ("spot", "futures", "orders"))
        await history.export(
            lambda cursor: history.spot_fills(client, since=SINCE, cursor=cursor), SpotFill, spot, run=inline
        )
        await history.export(
            lambda cursor: history.futures_fills(client, since=SINCE, cursor=cursor), FuturesFill, futures, run=inline
        )
        await history.export(
            lambda cursor: history.futures_orders(client, "BTCUSDT", since=SINCE, cursor=cursor),
            FuturesOrder,
            orders,
            run=inline,
        )
        fills = [each async for each in history.spot_fills(client, since=SINCE)]
        contract_fills = [each async for each in history.futures_fills(client, since=SINCE)]
    rows = rows_of(spot)
    assert [(row["trade_id"], Decimal(row["fee"]), row["side"]) for row in rows] == [
        (fill.trade_id, fill.fee, fill.side.value) for fill in fills
    ]
    assert {row["client_order_id"] for row in rows} == {"" if suffix == "csv" else None}
    rows = rows_of(futures)
    assert [(Decimal(row["price"]), int(row["side"])) for row in rows] == [
        (fill.price, int(fill.side)) for fill in contract_fills
    ]
    assert {row["profit"] for row in rows} == {"false" if suffix == "csv" else False}
    assert len(rows_of(orders)) > 100


@pytest.mark.parametrize("suffix", FORMATS)
async def test_an_interrupted_export_goes_on(
    suffix: str, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Cancelled, failed or cut off amid a row: resumed, the file is the one of an undisturbed run."""
    path, whole = tmp_path / f"btc.{suffix}", tmp_path / f"whole.{suffix}"
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        async with venue.open_client(None, config=bm.Config(retry=bm.Retry(attempts=1))) as client:
            await history.export(klines(client), SpotKline, whole, run=inline)
            told: list[int] = []
            with trio.CancelScope() as scope:

                def stop(records: int, fraction: float) -> None:
                    told.append(records)
                    assert 0 < fraction <= 1
                    if len(told) == 3:
                        scope.cancel()

                await history.export(klines(client), SpotKline, path, progress=stop, run=inline)
            assert scope.cancelled_caught
            with pytest.raises(history.ExportError, match="resume it, or choose another file"):
                await history.export(klines(client), SpotKline, path, run=inline)
            # A process that is killed leaves rows behind which its cursor does not vouch for.
            with path.with_name(f"{path.name}.rows" if suffix == "parquet" else path.name).open("ab") as file:
                file.write(b"1767,99,")
            venue.faults.add(Fail5xx(path="/spot/quotation/v3/klines", after=2))
            with pytest.raises(bm.ServiceUnavailable):
                await history.export(klines(client), SpotKline, path, resume=True, run=inline)
            exported = await history.export(klines(client), SpotKline, path, resume=True, run=inline)
    assert exported.records == 1440
    assert rows_of(path) == rows_of(whole)
    assert path.read_bytes() == whole.read_bytes()


async def test_a_finished_file_is_extended(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """Tomorrow's run adds tomorrow's bars; Parquet says that it cannot."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client(None) as client:

        def until(moment: int) -> Callable[[history.Cursor | None], history.Walker[SpotKline]]:
            return lambda cursor: history.spot_klines(
                client, "BTC_USDT", since=START_MS - 3_600_000, until=moment, cursor=cursor
            )

        for suffix in ("csv", "jsonl"):
            path = tmp_path / f"a.{suffix}"
            await history.export(until(START_MS - 1_800_000), SpotKline, path, run=inline)
            assert len(rows_of(path)) == 30
            exported = await history.export(until(START_MS), SpotKline, path, resume=True, run=inline)
            assert len(rows_of(path)) == exported.records == 60
        path = tmp_path / "a.parquet"
        await history.export(until(START_MS - 1_800_000), SpotKline, path, run=inline)
        with pytest.raises(history.ExportError, match="Parquet cannot be extended"):
            await history.export(until(START_MS), SpotKline, path, resume=True, run=inline)


async def test_an_empty_history_has_columns(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """A file with nothing in it is still one of its kind."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        for suffix in FORMATS:
            path = tmp_path / f"none.{suffix}"
            await history.export(
                lambda cursor: history.spot_fills(client, since=START_MS - 1000, cursor=cursor),
                SpotFill,
                path,
                run=inline,
            )
            assert rows_of(path) == []
        assert pq.read_schema(tmp_path / "none.parquet").names[0] == "trade_id"
        assert (tmp_path / "none.csv").read_text().startswith("trade_id,order_id,")


def _spoilt(written: dict[str, Any]) -> Iterator[str]:
    """A note of an export with one member of another kind, or one of its cursor."""
    for name in ("size", "records", "columns", "cursor", "done"):
        others: list[object] = [-1, "1", [1], 1.5] if name != "cursor" else [1, "1", [1], {}]
        for value in others:
            yield json.dumps({**written, name: value})
    for name in ("walk", "at", "seen", "since", "until", "span", "arguments"):
        yield json.dumps({**written, "cursor": {**written["cursor"], name: {"x": "y"}}})


async def test_what_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    """An unknown ending, a foreign file, other columns, no pyarrow: nothing is read, nothing is lost."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client(None) as client:
        with pytest.raises(history.ExportError, match=r"end in \.csv, \.jsonl or \.parquet"):
            await history.export(klines(client), SpotKline, tmp_path / "a.xlsx", run=inline)
        foreign = tmp_path / "mine.csv"
        foreign.write_text("dear diary")
        for resume, reason in ((False, "choose another file"), (True, "no cursor beside it")):
            with pytest.raises(history.ExportError, match=reason):
                await history.export(klines(client), SpotKline, foreign, resume=resume, run=inline)
        assert foreign.read_text() == "dear diary"
        path = tmp_path / "a.csv"
        await history.export(klines(client), SpotKline, path, run=inline)
        with pytest.raises(history.ExportError, match="other columns than SpotFill"):
            await history.export(
                lambda cursor: history.spot_fills(client, since=SINCE, cursor=cursor),
                SpotFill,
                path,
                resume=True,
                run=inline,
            )
        note = path.with_name("a.csv.cursor")
        written = json.loads(note.read_text())
        for spoilt in ("[" * 100_000, "7", "[]", "{}", "\ud800", *_spoilt(written)):
            note.write_text(spoilt, encoding="utf-8", errors="surrogatepass")
            with pytest.raises(
                (history.ExportError, bm.InvalidRequest), match=r"not a cursor|columns|cursor (is|does) not"
            ):
                await history.export(klines(client), SpotKline, path, resume=True, run=inline)
        note.write_text(json.dumps(written))
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(history.ExportError, match="shorter than its cursor says"):
            await history.export(klines(client), SpotKline, path, resume=True, run=inline)

        def missing(name: str) -> None:
            raise ImportError(name)

        monkeypatch.setattr(_parquet, "import_module", missing)
        with pytest.raises(history.ExportError, match=r"install .bitmart-trio\[parquet\]"):
            await history.export(klines(client), SpotKline, tmp_path / "a.parquet", run=inline)
        assert not (tmp_path / "a.parquet.rows").exists()


async def test_the_default_thread_does_it_too(tmp_path: Path) -> None:
    """On a real clock, as users run it."""
    async with bm.sim.open_server(port=0, seed=7, live=True) as server, server.open_client(None) as client:
        now = (await client.spot.system.time()).server_time

        def walk(cursor: history.Cursor | None) -> history.Walker[SpotKline]:
            return history.spot_klines(client, "BTC_USDT", since=now - 3_600_000, cursor=cursor)

        exported = await history.export(walk, SpotKline, tmp_path / "a.csv")
    assert exported.records in (59, 60)
    assert len(rows_of(tmp_path / "a.csv")) == exported.records


def written(path: Path, *columns: tuple[_parquet.Field, Sequence[_parquet.Cell]], decimals: Any = "exact") -> Any:
    """A table of these columns, written and read back by pyarrow."""
    with path.open("wb") as file:
        cells = list(zip(*(cells for _, cells in columns), strict=True))
        assert _parquet.write(file, [field for field, _ in columns], lambda: iter(cells), decimals) == len(cells)
    return pq.read_table(path)


def test_an_amount_beyond_128_bits_is_exact_in_parquet(tmp_path: Path) -> None:
    """Thirty digits before the point in one row and twelve behind it in another need a wider column."""
    amounts = [Decimal(123456789012345678901234567890), Decimal("0.000000000001"), Decimal("-5.5"), None]
    table = written(tmp_path / "a.parquet", (_parquet.Field("amount", "decimal"), amounts))
    assert str(table.schema.field("amount").type) == "decimal256(76, 12)"
    assert table["amount"].to_pylist() == amounts


def test_what_parquet_does_not_hold_is_refused_by_name(tmp_path: Path) -> None:
    amounts = [Decimal(10**70), Decimal("0.000000001")]
    column = _parquet.Field("fee", "decimal"), amounts
    with pytest.raises(history.ExportError, match=r"fee takes 80 digits, and exact columns of Parquet hold 76"):
        written(tmp_path / "a.parquet", column)
    assert written(tmp_path / "b.parquet", column, decimals="float")["fee"].to_pylist() == [1e70, 1e-9]
    with pytest.raises(history.ExportError, match="count has a number beyond 64 bits"):
        written(tmp_path / "c.parquet", (_parquet.Field("count", "int"), [2**63]))


async def test_parquet_has_utc_timestamps_and_amounts_as_chosen(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """In pandas they are times and numbers, no objects."""
    pandas = pytest.importorskip("pandas")
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client(None) as client:
        exact, rounded = tmp_path / "exact.parquet", tmp_path / "float.parquet"
        await history.export(klines(client), SpotKline, exact, run=inline)
        await history.export(klines(client), SpotKline, rounded, run=inline, decimals="float")
        with pytest.raises(history.ExportError, match="only Parquet has columns of floats"):
            await history.export(klines(client), SpotKline, tmp_path / "a.csv", run=inline, decimals="float")
        with pytest.raises(history.ExportError, match="must be"):
            await history.export(
                klines(client), SpotKline, tmp_path / "b.parquet", run=inline, decimals=cast("Any", "x")
            )
    assert not (tmp_path / "b.parquet.rows").exists()
    frame = pandas.read_parquet(rounded)
    assert str(frame["open_time"].dtype) == "datetime64[ms, UTC]"
    assert {str(frame[name].dtype) for name in ("open", "high", "low", "close", "volume")} == {"float64"}
    digits = pandas.read_parquet(exact)["close"]
    assert isinstance(digits[0], Decimal)
    assert [float(each) for each in digits] == list(frame["close"])


def test_no_text_of_the_exchange_splits_a_row_or_is_a_formula() -> None:
    """A lone carriage return ends a line for some readers, and a spreadsheet computes what begins with =."""
    line = _csv([["a\rb\nc", "=1+1", "-1.50", 'say "x", y']]).decode()
    assert line.count("\n") == 1
    assert "\r" not in line
    assert next(csv.reader([line])) == ["a\\rb\\nc", "'=1+1", "-1.50", 'say "x", y']


@pytest.mark.skipif(os.name != "posix", reason="who may make links on Windows may do all else")
@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("side", ["", ".rows", ".cursor.new", ".new"])
async def test_a_planted_link_is_not_followed(
    suffix: str, side: str, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Where the file, what it is made of or its cursor will be: what the link points to stays as it is."""
    path, victim = tmp_path / f"btc.{suffix}", tmp_path / "victim"
    victim.write_text("mine")
    planted = tmp_path / f"btc.{suffix}{side}"
    planted.symlink_to(victim)
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client(None) as client:
        with suppress(history.ExportError):
            await history.export(klines(client), SpotKline, path, run=inline)
            assert rows_of(path)
    assert victim.read_text() == "mine"


@pytest.mark.skipif(os.name != "posix", reason="who may make links on Windows may do all else")
@pytest.mark.parametrize("suffix", FORMATS)
async def test_a_link_planted_between_two_runs_is_not_followed(
    suffix: str, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """The rows that are there are replaced by a link to somebody else's file."""
    path = tmp_path / f"btc.{suffix}"
    rows = tmp_path / f"btc.{suffix}.rows" if suffix == "parquet" else path
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client(None) as client:

        def stop(records: int, fraction: float) -> None:
            raise InterruptedError

        with pytest.raises(InterruptedError):
            await history.export(klines(client), SpotKline, path, progress=stop, run=inline)
        victim = tmp_path / "victim"
        victim.write_bytes(rows.read_bytes() + b"mine")
        before = victim.read_bytes()
        rows.unlink()
        rows.symlink_to(victim)
        with pytest.raises(history.ExportError, match="is a link, and links are not followed"):
            await history.export(klines(client), SpotKline, path, resume=True, run=inline)
    assert victim.read_bytes() == before
