"""What an archive's tables hold: every record that was ever listed, whatever its id, its time or its odd members."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import archive_kit as kit
import pytest
from archive_kit import DAY, DEPOSITS, LEDGER, SINCE, UNTIL, deposit, ledger_entry

from bitmart_trio._bitmart.rest import READER
from bitmart_trio._core import codec
from bitmart_trio.history._futures_table import WALKS as FUTURES_WALKS
from bitmart_trio.history._spot_table import OPEN
from bitmart_trio.history._spot_table import WALKS as SPOT_WALKS
from bitmart_trio.history._walk import Walk
from bitmart_trio.history.archive import ArchiveError
from bitmart_trio.history.archive._entries import HistoryEnded, LookTaken, ReplyCame, State, WindowDecided
from bitmart_trio.history.archive._kinds import kinds
from bitmart_trio.history.archive._reader import Reader, Record
from bitmart_trio.history.archive._schema import DATABASE
from bitmart_trio.history.archive._wire import answer, canonical, loads
from bitmart_trio.history.archive._writer import Store, rebuild

WALKS = (*SPOT_WALKS, *OPEN, *FUTURES_WALKS)
TRANSCRIPTS = Path(__file__).parents[1] / "transcripts" / "rest"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "archive", resume=False) as opened:
        opened.begin("42", SINCE, UNTIL)
        yield opened


def records(store: Store, kind: str = DEPOSITS) -> list[Record]:
    return list(store.reader().records(kind, superseded=True))


def test_every_history_has_a_kind() -> None:
    assert {walk.name for walk in WALKS} == set(kinds())


@pytest.mark.parametrize("walk", WALKS, ids=[walk.name for walk in WALKS])
def test_a_kind_finds_in_the_wire_what_the_model_finds(walk: Walk[object, object]) -> None:
    """Records, ids, times and values of each documented reply, found without the model and by it."""
    for path in (TRANSCRIPTS / f"{walk.name}.txt", *TRANSCRIPTS.glob(f"{walk.name}~*.txt")):
        status, _, body = path.read_text().partition("\nreply: ")[2].partition("\n")
        kind = kinds()[walk.name]
        decoded = READER.parse(walk.endpoint, int(status), {}, body.encode())
        expected = walk.stamped(decoded.data)
        found = answer(walk.endpoint, int(status), body.encode())
        listed = kind.records(found.data)
        assert len(listed) == len(expected) > 0
        for record, row in zip(listed, expected, strict=True):
            if kind.time is not None:
                assert kind.time_of(record) == row.time
            if kind.ids:
                assert kind.id_of(record) == row.rank
        if walk.total is not None:
            assert kind.said_total(found.data) == walk.total(decoded.data)


def test_two_contents_of_one_id_are_two_records(store: Store) -> None:
    """Ledger entries of one ``tran_id``, as live replies have them."""
    row = kit.plan(store, LEDGER)
    told = [
        ledger_entry(1),
        ledger_entry(1, symbol="LTCUSDT", amount="-0.01"),
        ledger_entry(1, symbol="ETHUSDT", amount="0.02"),
        ledger_entry(2, type="Realized PNL", flow_type=2, amount="12.5"),
        ledger_entry(2, type="Commission Fee", flow_type=4, amount="-0.06"),
    ]
    store.reply(kit.reply(row, told))
    found = records(store, LEDGER)
    assert len(found) == 5
    assert all(record.current for record in found)
    assert sum(Decimal(str(record.values["amount"])) for record in found) == Decimal("12.04")


def test_records_without_ids_are_told_apart_by_their_content(store: Store) -> None:
    row = kit.plan(store)
    blank = {"deposit_id": "", "withdraw_id": None, "tx_id": ""}
    store.reply(kit.reply(row, [deposit(1, **blank), deposit(1, **blank, arrival_amount="11"), deposit(2, **blank)]))
    assert [record.id for record in records(store)] == ["", "", ""]
    assert all(record.current for record in records(store))


def test_one_content_in_overlapping_replies_is_one_record_with_a_count(store: Store) -> None:
    row = kit.plan(store)
    first = store.reply(kit.reply(row, [deposit(1), deposit(2)]))
    store.reply(kit.reply(row, [deposit(2), deposit(3)]))
    found = records(store)
    assert [(record.id, record.told) for record in found] == [("1001", 1), ("1002", 2), ("1003", 1)]
    assert (found[1].reply, found[1].place) == (first, 1)


def test_members_in_another_order_are_the_same_content(store: Store) -> None:
    row = kit.plan(store)
    store.reply(kit.reply(row, [deposit(1)]))
    store.reply(kit.reply(row, [dict(reversed(deposit(1).items()))]))
    assert [record.told for record in records(store)] == [2]


def test_what_one_reply_lists_twice_stays_twice_and_is_marked(store: Store) -> None:
    row = kit.plan(store)
    store.reply(kit.reply(row, [deposit(1), deposit(1), deposit(2)]))
    store.reply(kit.reply(row, [deposit(1)]))
    assert [(record.id, record.listed, record.told, record.current) for record in records(store)] == [
        ("1001", 1, 2, True),
        ("1001", 2, 1, True),
        ("1002", 1, 1, True),
    ]


def test_a_withdrawal_pending_and_later_done_is_one_withdrawal(store: Store) -> None:
    row = kit.plan(store)
    store.reply(kit.reply(row, [deposit(1, status=1, tx_id="")]))
    store.reply(kit.reply(row, [deposit(1, status=3, tx_id="0xdone")]))
    pending, done = records(store)
    assert (pending.current, done.current) == (False, True)
    assert pending.superseded == "a later content of the same id"
    assert [record.values["tx_id"] for record in store.reader().records(DEPOSITS)] == ["0xdone"]
    assert store.reader().count(DEPOSITS) == 1
    assert store.reader().count(DEPOSITS, superseded=True) == 2


def test_the_content_that_was_told_last_counts_also_when_it_is_an_old_one(store: Store) -> None:
    row = kit.plan(store)
    for status in (1, 2, 1):
        store.reply(kit.reply(row, [deposit(1, status=status)]))
    assert [record.values["status"] for record in store.reader().records(DEPOSITS)] == [1]


@pytest.mark.parametrize(
    "other",
    [{"arrival_amount": "11"}, {"operation_type": "withdraw"}, {"apply_time": SINCE + 1}, {"currency": "BTC"}],
    ids=["amount", "kind", "time", "currency"],
)
def test_one_id_with_another_substance_counts_twice(store: Store, other: dict[str, object]) -> None:
    row = kit.plan(store)
    store.reply(kit.reply(row, [deposit(0)]))
    store.reply(kit.reply(row, [deposit(0, **other)]))
    assert store.reader().count(DEPOSITS) == 2


def test_an_amount_in_other_digits_is_the_same_amount(store: Store) -> None:
    row = kit.plan(store)
    store.reply(kit.reply(row, [deposit(0, arrival_amount="10.5")]))
    store.reply(kit.reply(row, [deposit(0, arrival_amount=10.50)]))
    assert store.reader().count(DEPOSITS) == 1
    assert store.reader().count(DEPOSITS, superseded=True) == 2


def test_a_hundred_records_of_one_id_all_count(store: Store) -> None:
    row = kit.plan(store)
    for first in range(0, 100, 10):
        store.reply(kit.reply(row, [deposit(each, deposit_id="0") for each in range(first, first + 10)]))
    store.reply(kit.reply(row, [deposit(50, deposit_id="0", status=4)]))
    assert store.reader().count(DEPOSITS) == 100
    assert store.reader().count(DEPOSITS, superseded=True) == 101


def test_an_amount_that_comes_later_completes_the_record(store: Store) -> None:
    row = kit.plan(store)
    store.reply(kit.reply(row, [deposit(0, arrival_amount="", status=1)]))
    store.reply(kit.reply(row, [deposit(0)]))
    assert [record.current for record in records(store)] == [False, True]


def test_two_contents_of_one_id_in_one_reply_both_count(store: Store) -> None:
    """Nothing says which of them is the later one."""
    row = kit.plan(store)
    store.reply(kit.reply(row, [deposit(0, status=1), deposit(0, status=3)]))
    assert store.reader().count(DEPOSITS) == 2


def test_a_record_that_two_histories_list_counts_once(store: Store) -> None:
    """An exchange that ignores the filter lists everything in both."""
    one, other = kit.plan(store, LEDGER, account="futures"), kit.plan(store, LEDGER, account="copy_trading")
    store.reply(kit.reply(one, [ledger_entry(1), ledger_entry(1, symbol="ETHUSDT")]))
    store.reply(kit.reply(other, [ledger_entry(1), ledger_entry(2)]))
    found = records(store, LEDGER)
    assert [(record.history == one.name, record.current) for record in found] == [
        (True, True), (True, True), (False, False), (False, True),
    ]  # fmt: skip
    assert found[2].superseded == "the same in another history"


def test_candles_of_two_markets_are_two_candles(store: Store) -> None:
    """Their ids are times, and they may even be equal in everything."""
    name = "spot.market.klines"
    candle = ["1600000000", "1", "2", "0.5", "1.5", "10", "15"]
    for symbol, told in (("BTC_USDT", candle), ("ETH_USDT", candle), ("ETH_USDT", [*candle[:5], "11", "16"])):
        row = kit.plan(store, name, symbol=symbol)
        store.reply(ReplyCame(row.name, name, "GET", "/x", None, 1, 200, {}, kit.good([told])))
    assert [(each.history, each.current) for each in records(store, name)] == [
        (f"{name} symbol=BTC_USDT", True),
        (f"{name} symbol=ETH_USDT", False),
        (f"{name} symbol=ETH_USDT", True),
    ]


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"fee": ""}, "fee is blank"),
        ({"arrival_amount": None}, "arrival_amount is null"),
        ({"status": {"x": [1]}}, "status is no value of its kind (dict)"),
        ({"apply_time": "soon"}, "apply_time is 'soon'"),
        ({"arrival_amount": "NaN"}, "arrival_amount is 'NaN'"),
    ],
)
def test_an_odd_record_keeps_what_can_be_read_and_loses_no_other(
    store: Store, odd: dict[str, object], reason: str
) -> None:
    row = kit.plan(store)
    store.reply(kit.reply(row, [deposit(0), deposit(1, **odd), deposit(2)]))
    found = {record.id: record for record in records(store)}
    assert len(found) == 3
    assert found["1001"].odd == reason
    assert found["1001"].values["currency"] == "USDT"
    assert found["1001"].values[next(iter(odd))] is None
    assert json.loads(found["1001"].content) == deposit(1, **odd)
    assert found["1000"].odd == found["1002"].odd == ""


def test_a_missing_member_is_named(store: Store) -> None:
    row = kit.plan(store)
    store.reply(kit.reply(row, [{name: value for name, value in deposit(1).items() if name != "status"}]))
    assert [record.odd for record in records(store)] == ["status is missing"]


@pytest.mark.parametrize("other", ["text", 7, None, [], {}, True], ids=repr)
def test_what_is_no_record_is_kept_too(store: Store, other: object) -> None:
    row = kit.plan(store)
    store.reply(kit.reply(row, [deposit(1), other]))
    assert sorted(json.loads(record.content) == other for record in records(store)) == [False, True]


@pytest.mark.parametrize(
    "body",
    [
        kit.good({"records": [deposit(1), deposit(2, address="X")]}).replace(b'"X"', b'"\\ud800"'),
        kit.good({"records": [deposit(1), deposit(2, fee="X")]}).replace(b'"X"', b"NaN"),
        kit.good({"records": [deposit(1), deposit(2, fee="X")]}).replace(b'"X"', b"1e999999"),
        kit.good({"records": [deposit(1), deposit(2, status="X")]}).replace(b'"X"', b"9" * 5000),
        kit.good({"records": [deposit(1), deposit(2, apply_time="X")]}).replace(b'"X"', b"9" * 30),
        kit.good({"records": [deposit(1), deposit(2, address="a\0b\x1b[2J")]}),
    ],
    ids=["surrogate", "nan", "large exponent", "thousands of digits", "no such time", "control characters"],
)
def test_texts_and_numbers_that_are_hard_to_store_lose_nothing(store: Store, body: bytes) -> None:
    row = kit.plan(store)
    store.reply(kit.raw(row, body))
    assert {record.id for record in records(store)} == {"1001", "1002"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>520</html>",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"code": 1000, "data": {}}',
        b'{"code": 1000}',
        b'{"code": 1000, "data": {"records": {}}}',
        b'{"code": 1000, "data": "This service is down"}',
        b'{"code": 30010, "message": "no"}',
    ],
    ids=repr,
)
def test_a_reply_without_records_is_kept_and_makes_none(store: Store, body: bytes, tmp_path: Path) -> None:
    row = kit.plan(store)
    store.reply(kit.raw(row, body, status=200))
    store.reply(kit.reply(row, [deposit(1)]))
    assert len(records(store)) == 1
    assert store.reader().histories()[0].requests == 2


def test_a_time_in_the_wrong_unit_is_the_same_moment(store: Store) -> None:
    row = kit.plan(store)
    store.reply(kit.reply(row, [deposit(1, apply_time=(SINCE + DAY) // 1000), deposit(2)]))
    assert [record.time for record in records(store)] == [SINCE + DAY, SINCE + 2 * DAY]


def test_a_record_outside_of_what_was_asked_for_is_kept_and_marked(store: Store) -> None:
    row = kit.plan(store)
    store.reply(kit.reply(row, [deposit(1), deposit(5)], since=SINCE, until=SINCE + 2 * DAY))
    assert [(record.id, record.outside) for record in records(store)] == [("1001", False), ("1005", True)]


def test_a_later_decision_replaces_what_it_covers(store: Store) -> None:
    row = kit.plan(store)
    number = store.reply(kit.reply(row, []))
    store.decide(WindowDecided(row.name, SINCE, SINCE + 100, State.FAILED, (), reason="HTTP 503"))
    store.decide(WindowDecided(row.name, SINCE + 20, SINCE + 50, State.ANSWERED, (number,)))
    assert [(each.since - SINCE, each.until - SINCE, each.state) for each in store.reader().windows(row.name)] == [
        (0, 20, State.FAILED),
        (20, 50, State.ANSWERED),
        (50, 100, State.FAILED),
    ]
    store.decide(WindowDecided(row.name, SINCE, SINCE + 200, State.ANSWERED, (number,)))
    assert [each.state for each in store.reader().windows(row.name)] == [State.ANSWERED]


def test_a_later_look_replaces_the_earlier(store: Store) -> None:
    name = "futures.account.assets"
    for amount in ("1", "2"):
        body = kit.good([{"currency": "USDT", "available_balance": amount}])
        number = store.reply(ReplyCame(name, name, "GET", "/x", None, 1, 200, {}, body))
        store.look(LookTaken(name, name, {}, State.ANSWERED, (number,)))
    assert store.reader().look(name) == [[{"currency": "USDT", "available_balance": "2"}]]
    assert len(store.reader().looks()) == 1


def test_a_decision_on_what_was_not_begun_is_refused_and_not_written(store: Store) -> None:
    digest = store.digest
    with pytest.raises(ValueError, match="no history"):
        store.decide(WindowDecided("nothing", 0, 1, State.ANSWERED, ()))
    with pytest.raises(ValueError, match="no history"):
        store.end_history(HistoryEnded("nothing", State.ANSWERED))
    assert store.digest == digest


def test_sql_reads_a_kind_by_its_view(tmp_path: Path) -> None:
    kit.write(tmp_path / "archive")
    with sqlite3.connect(tmp_path / "archive" / DATABASE) as db:
        rows = db.execute(
            "SELECT history, record_id, arrival_amount FROM spot_account_deposit_withdraw_history WHERE current"
        ).fetchall()
    db.close()
    assert len(rows) == 100
    assert rows[0] == (f"{DEPOSITS} operation_type=deposit", "1000", "10.50")


# ---- derivations can be made again -------------------------------------------------------------------------------


def dump(directory: Path) -> list[str]:
    db = sqlite3.connect(directory / DATABASE)
    try:
        return list(db.iterdump())
    finally:
        db.close()


def test_rebuild_makes_the_same_tables(tmp_path: Path) -> None:
    directory = tmp_path / "archive"
    kit.write(directory)
    before = dump(directory)
    (directory / DATABASE).unlink()
    rebuild(directory)
    assert dump(directory) == before


@pytest.mark.parametrize("damage", ["missing", "garbage", "half", "older", "of another"])
def test_tables_that_do_not_serve_are_made_again_when_it_is_opened(tmp_path: Path, damage: str) -> None:
    directory = tmp_path / "archive"
    digest = kit.write(directory)
    before, path = dump(directory), directory / DATABASE
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "garbage":
        path.write_bytes(b"not SQLite at all" * 1000)
    elif damage == "half":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "older":
        with sqlite3.connect(path) as db:
            db.execute("UPDATE meta SET value = '0.0.1' WHERE name = 'library'")
        db.close()
    else:
        kit.write(tmp_path / "other", replies=3)
        path.write_bytes((tmp_path / "other" / DATABASE).read_bytes())
    with Store(directory, resume=True) as store:
        assert store.digest == digest
        assert bool(store.notices) == (damage != "missing")
    assert dump(directory) == before


def test_what_the_tables_lack_is_applied_when_it_is_opened(tmp_path: Path) -> None:
    """As after a kill between the journal's line and the tables' commit."""
    directory = tmp_path / "archive"
    kit.write(directory, replies=2)
    lines = (directory / "replies.jsonl").read_bytes().splitlines(keepends=True)
    before = dump(directory)
    for cut in (1, 3, 4, 5, 7, len(lines) - 2):
        part = tmp_path / f"part{cut}"
        part.mkdir()
        (part / "replies.jsonl").write_bytes(b"".join(lines[:cut]))
        with Store(part, resume=True):
            pass
        (part / "replies.jsonl").write_bytes(b"".join(lines) + b'{"n":999,"bef')
        with Store(part, resume=True):
            pass
        assert dump(part) == before
        assert (part / "replies.jsonl").read_bytes() == b"".join(lines)


def test_an_archive_of_an_earlier_format_is_refused_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "replies.jsonl").write_text('{"reply":1,"of":"x"}\n')
    with sqlite3.connect(tmp_path / DATABASE) as db:
        db.execute("CREATE TABLE meta (name TEXT, value TEXT)")
        db.execute("INSERT INTO meta VALUES ('format', '1')")
    db.close()
    with pytest.raises(ArchiveError, match=r"format 1.*archive into another folder"):
        Store(tmp_path, resume=True)
    with pytest.raises(ArchiveError, match="another format"):
        Reader(tmp_path)


def test_one_spelling_for_each_value() -> None:
    assert canonical(loads(b'{"b":1.50,"a":[true,null,"\\u00e9",12345678901234567890]}')) == (
        '{"a":[true,null,"\\u00e9",12345678901234567890],"b":1.50}'
    )
    assert canonical(loads(b'"1.5"')) != canonical(loads(b"1.5"))
    with pytest.raises(codec.DecodeError):
        codec.loads(b"NaN")
    assert canonical(loads(b"NaN")) == '"NaN"'
