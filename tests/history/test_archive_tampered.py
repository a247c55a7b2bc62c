"""Ways of tampering with an archive: each is noticed, or, without the digest, named as what cannot be noticed.

Whatever is done to it, the verification ends with named problems and never with a traceback.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, TypeAlias

import archive_kit as kit
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proof_sizes import ARCHIVE_STOPS, FUZZ_ARCHIVES
from spoiling import spoiled

from bitmart_trio.history.archive import ArchiveError, export
from bitmart_trio.history.archive._check import WITHOUT_DIGEST, Verification, verify
from bitmart_trio.history.archive._journal import START
from bitmart_trio.history.archive._schema import DATABASE, quote, signature
from bitmart_trio.history.archive._writer import rebuild

REPLIES: Final = "replies.jsonl"
REPORTS: Final = ("report.md", "report.html", "report.json")
ASSETS: Final = "futures.account.assets"
Tamper: TypeAlias = Callable[[Path], None]
Entries: TypeAlias = list[dict[str, Any]]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """An archive, and its digest."""
    directory = tmp_path_factory.mktemp("tampered") / "archive"
    return directory, kit.write(directory)


@pytest.fixture
def archive(original: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy to tamper with."""
    directory = tmp_path / "archive"
    shutil.copytree(original[0], directory)
    return directory


def test_an_untouched_archive_is_proven(archive: Path, original: tuple[Path, str]) -> None:
    found = verify(archive, original[1])
    assert found.proven
    assert not found.unproven
    assert found.complete
    assert (found.replies, found.windows, found.records, found.digest) == (62, 40, 200, original[1])
    assert verify(archive).unproven == (WITHOUT_DIGEST,)


# ---- the journal, by whoever does not know about the chain -------------------------------------------------------


def lines(change: Callable[[list[bytes]], None]) -> Tamper:
    def tamper(directory: Path) -> None:
        found = (directory / REPLIES).read_bytes().split(b"\n")[:-1]
        before = list(found)
        change(found)
        assert found != before
        (directory / REPLIES).write_bytes(b"\n".join([*found, b""]))

    return tamper


def text(old: bytes, new: bytes) -> Tamper:
    def tamper(directory: Path) -> None:
        data = (directory / REPLIES).read_bytes()
        assert old in data
        (directory / REPLIES).write_bytes(data.replace(old, new, 1))

    return tamper


def content(change: Callable[[bytes], bytes], name: str = REPLIES) -> Tamper:
    def tamper(directory: Path) -> None:
        data = (directory / name).read_bytes()
        (directory / name).write_bytes(change(data))

    return tamper


def swap(one: int, other: int) -> Tamper:
    def change(found: list[bytes]) -> None:
        found[one], found[other] = found[other], found[one]

    return lines(change)


def replaced_by_a_link(name: str) -> Tamper:
    def tamper(directory: Path) -> None:
        (directory / name).rename(directory.parent / "elsewhere")
        (directory / name).symlink_to(directory.parent / "elsewhere")

    return tamper


def replaced_by_a_folder(name: str) -> Tamper:
    def tamper(directory: Path) -> None:
        (directory / name).unlink()
        (directory / name).mkdir()

    return tamper


def with_a_second_name(name: str) -> Tamper:
    return lambda directory: os.link(directory / name, directory.parent / "elsewhere")


def of_another_archive(name: str) -> Tamper:
    def tamper(directory: Path) -> None:
        other = directory.parent / "other"
        kit.write(other, replies=3)
        shutil.copy(other / name, directory / name)

    return tamper


def removed(name: str) -> Tamper:
    return lambda directory: (directory / name).unlink()


JOURNAL: Final[dict[str, Tamper]] = {
    "removed": removed(REPLIES),
    "emptied": content(lambda data: b""),
    "cut within its last line": content(lambda data: data[:-20]),
    "cut within its first line": content(lambda data: data[:20]),
    "last line dropped": lines(lambda found: found.__delitem__(-1)),
    "last three lines dropped": lines(lambda found: found.__delitem__(slice(-3, None))),
    "first line dropped": lines(lambda found: found.__delitem__(0)),
    "line in the middle dropped": lines(lambda found: found.__delitem__(10)),
    "half of it dropped": lines(lambda found: found.__delitem__(slice(5, 20))),
    "neighbours swapped": swap(8, 9),
    "replies swapped": swap(4, 6),
    "reversed": lines(lambda found: found.reverse()),
    "line doubled": lines(lambda found: found.insert(6, found[5])),
    "line doubled at the end": lines(lambda found: found.append(found[-1])),
    "amount edited": text(b"10.50", b"10.51"),
    "status edited": text(b'"status":200', b'"status":201'),
    "header edited": text(b'"date":"today"', b'"date":"monday"'),
    "question edited": text(b"operation_type", b"operation_typE"),
    "target edited": text(b"history?n=1", b"history?n=2"),
    "asked window edited": text(b'"page":1', b'"page":2'),
    "account edited": text(b'"account":"42"', b'"account":"43"'),
    "range edited": text(b'"since":16', b'"since":17'),
    "endpoint of a reply edited": text(b'"call":"spot.market.symbol_details"', b'"call":"spot.mArket.symbol_details"'),
    "state edited": text(b'"state":"answered"', b'"state":"not_offered"'),
    "cursor edited": text(b'"cursor":{"at"', b'"cursor":{"as"'),
    "note edited": text(b"149 were listed", b"151 were listed"),
    "note resolved": text(b'"resolved":false', b'"resolved":true'),
    "version edited": text(b'"library":"', b'"library":"9'),
    "kind of entry unknown": text(b'"entry":"window"', b'"entry":"widow"'),
    "member removed": text(b'"status":200,', b""),
    "member added": text(b'"status":200,', b'"status":200,"more":1,'),
    "member of another type": text(b'"status":200,', b'"status":"200",'),
    "number of a line edited": text(b'{"n":7,', b'{"n":8,'),
    "huge number": text(b'"at":16', b'"at":99999999999999999999999916'),
    "thousands of digits": text(b'"at":16', b'"at":' + b"9" * 5000),
    "nested deep": text(b'"headers":{}', b'"headers":' + b'{"a":' * 5000 + b"1" + b"}" * 5000),
    "not a number": text(b'"status":200', b'"status":NaN'),
    "blank line": lines(lambda found: found.insert(5, b"")),
    "line of something else": lines(lambda found: found.insert(5, b'{"hello":"world"}')),
    "line of format 1": lines(lambda found: found.insert(0, b'{"reply":1,"of":"x"}')),
    "line that is no JSON": lines(lambda found: found.__setitem__(5, found[5][:-1])),
    "zero bytes": lines(lambda found: found.__setitem__(5, b"\0" * len(found[5]))),
    "bytes that are no text": lines(lambda found: found.__setitem__(5, found[5] + b"\xff\xfe")),
    "blank at the end of a line": lines(lambda found: found.__setitem__(5, found[5] + b" ")),
    "line ends of another system": content(lambda data: data.replace(b"\n", b"\r\n")),
    "bytes behind the end": content(lambda data: data + b'{"n":99'),
    "replaced by another archive's": of_another_archive(REPLIES),
    "replaced by noise": content(lambda data: hashlib.shake_256(data).digest(len(data))),
    "replaced by a link": replaced_by_a_link(REPLIES),
    "replaced by a folder": replaced_by_a_folder(REPLIES),
    "given a second name": with_a_second_name(REPLIES),
}


@pytest.mark.parametrize("tamper", JOURNAL.values(), ids=JOURNAL.keys())
def test_a_change_of_the_journal_is_noticed(archive: Path, tamper: Tamper) -> None:
    """Without the digest."""
    tamper(archive)
    assert verify(archive).problems


# ---- the tables --------------------------------------------------------------------------------------------------

TABLES: Final = tuple(name for name, sql in signature() if sql.startswith("CREATE TABLE"))


def sql(statement: str, *arguments: object) -> Tamper:
    def tamper(directory: Path) -> None:
        with closing(sqlite3.connect(directory / DATABASE)) as db:
            db.execute(statement, arguments)
            db.commit()

    return tamper


def schema_edited(directory: Path) -> None:
    with closing(sqlite3.connect(directory / DATABASE)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = 'nonsense' WHERE name = 'records'")
        db.commit()


DAMAGED: Final[dict[str, Tamper]] = {
    "removed": removed(DATABASE),
    "emptied": content(lambda data: b"", DATABASE),
    "cut in half": content(lambda data: data[: len(data) // 2], DATABASE),
    "cut within its header": content(lambda data: data[:50], DATABASE),
    "no SQLite": content(lambda data: b"x" * len(data), DATABASE),
    "damaged in the middle": content(
        lambda data: data[: len(data) // 3] + b"\xff" * 4096 + data[len(data) // 3 + 4096 :], DATABASE
    ),
    "replaced by another archive's": of_another_archive(DATABASE),
    "replaced by a link": replaced_by_a_link(DATABASE),
    "replaced by a folder": replaced_by_a_folder(DATABASE),
    "given a second name": with_a_second_name(DATABASE),
    "table added": sql("CREATE TABLE more (x)"),
    "trigger added": sql("CREATE TRIGGER more AFTER INSERT ON meta BEGIN DELETE FROM records; END"),
    "table dropped": sql("DROP TABLE notes"),
    "view dropped": sql("DROP VIEW spot_account_deposit_withdraw_history"),
    "index dropped": sql("DROP INDEX records_by_time"),
    "column added": sql("ALTER TABLE windows ADD COLUMN more"),
    "column renamed": sql("ALTER TABLE windows RENAME COLUMN note TO notice"),
    "schema edited": schema_edited,
    "all records dropped": sql("DELETE FROM records"),
    "one history dropped": sql("DELETE FROM walks WHERE name LIKE 'futures%'"),
    "records of one history dropped": sql("DELETE FROM records WHERE kind LIKE 'futures%'"),
    "whole number made a fraction": sql("UPDATE columns_of_spot_account_deposit_withdraw_history SET status = 3.0"),
    "text that is no text": sql("UPDATE walks SET note = CAST(x'ff' AS TEXT)"),
    "text made bytes": sql("UPDATE walks SET name = CAST(name AS BLOB)"),
    "records swapped": sql("UPDATE records SET record = -record WHERE record < 3"),
    "count of lines edited": sql("UPDATE meta SET value = '7' WHERE name = 'entries'"),
    "count of lines unreadable": sql("UPDATE meta SET value = 'many' WHERE name = 'entries'"),
    "count of lines too large": sql("UPDATE meta SET value = '999' WHERE name = 'entries'"),
    "facts dropped": sql("DELETE FROM meta"),
}


@pytest.mark.parametrize("tamper", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_tables_are_noticed(archive: Path, tamper: Tamper) -> None:
    tamper(archive)
    assert verify(archive).problems


def _filled() -> Iterator[tuple[str, list[str], list[str]]]:
    with closing(sqlite3.connect(":memory:")) as db:
        for name, statement in signature():
            if name in TABLES:
                db.execute(statement)
                info = db.execute(f"PRAGMA table_info({quote(name)})").fetchall()
                if not name.startswith("columns_of") or "deposit_withdraw" in name or "transaction_history" in name:
                    yield name, [row[1] for row in info if row[5]], [row[1] for row in info if not row[5]]


FILLED: Final = tuple(_filled())
"""Every table that has rows in a whole archive, with the columns of its key, and its others."""


@pytest.mark.parametrize(("table", "columns"), [(table, columns) for table, _, columns in FILLED])
def test_an_edited_value_is_noticed(archive: Path, table: str, columns: list[str]) -> None:
    """Each column of each table: in the table's first row its value is another one, and the column is named."""
    first = f"rowid = (SELECT min(rowid) FROM {quote(table)})"
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        for column in columns:
            (value,) = db.execute(f"SELECT {quote(column)} FROM {quote(table)} WHERE {first}").fetchone()
            other = value + 1_000_000 if isinstance(value, int) else "other"
            db.execute(f"UPDATE {quote(table)} SET {quote(column)} = ? WHERE {first}", (other,))
        db.commit()
    (found,) = (
        problem for problem in verify(archive).problems if f"a row of {table} is not what the replies say" in problem
    )
    named = found.partition("say in ")[2].partition(" (")[0].split(", ")
    assert named == columns


@pytest.mark.parametrize(("table", "keys"), [(table, keys) for table, keys, _ in FILLED])
def test_an_edited_key_is_noticed(archive: Path, table: str, keys: list[str]) -> None:
    """A row with another key is one that is missing, and one that is in no reply."""
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        (value,) = db.execute(f"SELECT {quote(keys[0])} FROM {quote(table)} ORDER BY rowid LIMIT 1").fetchone()
        other = value + 1_000_000 if isinstance(value, int) else f"{value} too"
        db.execute(
            f"UPDATE {quote(table)} SET {quote(keys[0])} = ? WHERE rowid = (SELECT min(rowid) FROM {quote(table)})",
            (other,),
        )
        db.commit()
    assert any(table in problem for problem in verify(archive).problems)


@pytest.mark.parametrize("where", ["min", "max"])
def test_dropped_rows_are_noticed(archive: Path, where: str) -> None:
    """The first or the last row of every table that has rows."""
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        for table, _, _ in FILLED:
            chosen = f"rowid = (SELECT {where}(rowid) FROM {quote(table)} WHERE rowid < 1000000)"
            assert db.execute(f"DELETE FROM {quote(table)} WHERE {chosen}").rowcount == 1
        db.commit()
    found = verify(archive).problems
    assert {table for table, _, _ in FILLED if not any(f"of {table}" in problem for problem in found)} == set()


def test_added_rows_are_noticed(archive: Path) -> None:
    """One in every table."""
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        for table in TABLES:
            count = len(db.execute(f"PRAGMA table_info({quote(table)})").fetchall())
            db.execute(f"INSERT INTO {quote(table)} VALUES ({', '.join('?' * count)})", [777_777] * count)
        db.commit()
    found = verify(archive).problems
    assert {table for table in TABLES if not any(f"of {table} is in no reply" in problem for problem in found)} == set()


REPORT: Final[dict[str, Callable[[str], Tamper]]] = {
    "removed": removed,
    "emptied": lambda name: content(lambda data: b"", name),
    "cut": lambda name: content(lambda data: data[:-1], name),
    "edited": lambda name: content(lambda data: data.replace(b"200", b"201"), name),
    "digest edited": lambda name: content(lambda data: data.replace(b"a", b"b"), name),
    "no text": lambda name: content(lambda data: b"\xff" + data, name),
    "replaced by another archive's": of_another_archive,
    "replaced by a link": replaced_by_a_link,
    "replaced by a folder": replaced_by_a_folder,
    "given a second name": with_a_second_name,
}


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("kind", REPORT)
def test_a_changed_report_is_noticed(archive: Path, name: str, kind: str) -> None:
    REPORT[kind](name)(archive)
    assert any(name in problem for problem in verify(archive).problems)


def test_tables_that_another_program_holds_are_a_named_problem(archive: Path) -> None:
    with closing(sqlite3.connect(archive / DATABASE, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        found = verify(archive)
        db.execute("ROLLBACK")
    assert any("locked" in problem for problem in found.problems)


@pytest.mark.proof
def test_damage_anywhere_ends_in_named_problems_and_never_in_a_traceback(
    archive: Path, original: tuple[Path, str]
) -> None:
    """Bits turned, bytes dropped, added and blanked, anywhere in any file."""
    dice = random.Random(1)
    for number in range(ARCHIVE_STOPS * 8):
        name = dice.choice((REPLIES, DATABASE, *REPORTS))
        data = bytearray((original[0] / name).read_bytes())
        first = dice.randrange(len(data))
        last = min(len(data), first + dice.randrange(1, 200))
        kind = dice.choice(("bit", "dropped", "added", "blanked"))
        if kind == "bit":
            data[first] ^= 1 << dice.randrange(8)
        elif kind == "dropped":
            del data[first:last]
        elif kind == "added":
            data[first:first] = dice.randbytes(20)
        else:
            data[first:last] = bytes(last - first)
        (archive / name).write_bytes(data)
        found = verify(archive)
        # A bit of the tables' file may belong to no value; then every value is what it was.
        assert found.problems or name == DATABASE or data == (original[0] / name).read_bytes(), (number, name, kind)
        shutil.copy(original[0] / name, archive / name)
    assert verify(archive).proven


# ---- the whole, by whoever knows about the chain -----------------------------------------------------------------


def forge(directory: Path, change: Callable[[Entries], None]) -> None:
    """Change entries, compute all hashes anew, and make everything else again from them."""
    found: Entries = [json.loads(line) for line in (directory / REPLIES).read_bytes().splitlines()]
    change(found)
    # Replies are cited by their numbers, so a good forger keeps the citations right.
    moved = {str(entry["n"]): number for number, entry in enumerate(found, 1)}
    before, out = START, b""
    for number, entry in enumerate(found, 1):
        if isinstance(entry.get("replies"), list):
            entry["replies"] = [moved.get(str(each), each) for each in entry["replies"]]
        line = json.dumps({**entry, "n": number, "before": before}, separators=(",", ":")).encode()
        before, out = hashlib.sha256(line).hexdigest(), out + line + b"\n"
    (directory / REPLIES).write_bytes(out)
    (directory / DATABASE).unlink()
    rebuild(directory)


@pytest.mark.proof
@settings(max_examples=FUZZ_ARCHIVES, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_the_entries_of_an_archive_hold_is_read_or_is_an_error_that_says_so(
    original: tuple[Path, str], data: st.DataObject
) -> None:
    """With every hash right, for verification, for the tables and the report made anew, and for the export."""

    def change(entries: Entries) -> None:
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(entries) - 1))
            entry = data.draw(spoiled(entries[at]))
            entries[at] = entry if isinstance(entry, dict) else {"entry": entry}
            entries[at].setdefault("n", at + 1)

    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "archive"
        shutil.copytree(original[0], directory)
        with suppress(ArchiveError):
            forge(directory, change)
        found = verify(directory)
        # A number or a link of the chain that was changed is put right again by the forger.
        is_whole = (directory / REPLIES).read_bytes() == (original[0] / REPLIES).read_bytes()
        assert found.problems or is_whole == (found.digest == original[1])
        with suppress(ArchiveError):
            export(directory, Path(folder) / "tables", format="csv")


def of(entries: Entries, kind: str) -> Entries:
    return [entry for entry in entries if entry["entry"] == kind]


def reply_of(entries: Entries, name: str) -> dict[str, Any]:
    """The reply to a look."""
    return next(entry for entry in of(entries, "reply") if entry["of"] == name)


def drop(*chosen: Callable[[dict[str, Any]], bool]) -> Callable[[Entries], None]:
    def change(entries: Entries) -> None:
        before = len(entries)
        entries[:] = [entry for entry in entries if not any(choose(entry) for choose in chosen)]
        assert len(entries) < before

    return change


def body(reply: dict[str, Any], data: object) -> None:
    reply["body"] = json.dumps({"code": 1000, "message": "OK", "trace": "t", "data": data})


def set_last(kind: str, **members: object) -> Callable[[Entries], None]:
    return lambda entries: of(entries, kind)[-1].update(members)


def set_first(kind: str, **members: object) -> Callable[[Entries], None]:
    return lambda entries: of(entries, kind)[0].update(members)


FORGED_BADLY: Final[dict[str, Callable[[Entries], None]]] = {
    "first window of a history dropped": lambda entries: entries.remove(of(entries, "window")[0]),
    "window in the middle dropped": lambda entries: entries.remove(of(entries, "window")[2]),
    "last window of a history dropped": lambda entries: entries.remove(of(entries, "window")[5]),
    "reply behind a window dropped": lambda entries: entries.remove(of(entries, "reply")[3]),
    "reply behind a look dropped": lambda entries: entries.remove(of(entries, "reply")[-1]),
    "answered by a page of the edge": set_first("reply", body="<html>522</html>", status=522),
    "answered by a refusal": set_first("reply", body='{"code":30010,"message":"no"}', status=403),
    "answered by what is no list": set_first("reply", body='{"code":1000,"data":{}}'),
    "answered by an empty body": set_first("reply", body=""),
    "answered by another history's reply": lambda entries: of(entries, "window")[0].update(
        replies=[of(entries, "reply")[8]["n"]]
    ),
    "answered by a look": lambda entries: of(entries, "window")[0].update(replies=[of(entries, "reply")[-1]["n"]]),
    "answered by no reply": set_first("window", replies=[]),
    "answered by a decision": set_first("window", replies=[1]),
    "answered by a reply that is not there": set_first("window", replies=[999]),
    "answered by what was asked for another time": set_first("reply", asked={"since": 1, "until": 2, "page": 1}),
    "called not offered without a refusal": set_first("window", state="not_offered", code=40001),
    "called not permitted without a refusal": set_first("window", state="not_permitted", code=30012),
    "history called answered with a failed window": set_first("window", state="failed", reason="HTTP 503"),
    "look answered by a page of the edge": lambda entries: reply_of(entries, ASSETS).update(
        body="<html>403</html>", status=403
    ),
    "look called not offered without a refusal": set_first("look", state="not_offered", code=40001),
    "look called not permitted, and the code is another": set_last("look", state="not_permitted"),
    "look answered by no reply": set_first("look", replies=[]),
    "history dropped": drop(lambda entry: "spot.trading.trades" in (entry.get("of"), entry.get("name"))),
    "look dropped": drop(lambda entry: "spot.earn.holdings" in (entry.get("of"), entry.get("name"))),
    "history of what was traded dropped": drop(
        lambda entry: "futures.trading.order_history" in str(entry.get("of", entry.get("name")))
    ),
    "history with records dropped": drop(
        lambda entry: "futures.account.transaction_history" in str(entry.get("of", entry.get("name")))
    ),
    "full reply called whole": lambda entries: body(
        of(entries, "reply")[0], {"records": [kit.deposit(number) for number in range(1000)]}
    ),
    "history without its end": drop(lambda entry: entry["entry"] == "history_ended"),
    "history that ends before its range": set_first("history", until=kit.UNTIL + kit.DAY),
    "history with answers called not offered": set_first("history_ended", state="not_offered", code=40001),
    "history that is not offered called answered": set_last("history_ended", state="answered", code=0),
    "history that is not offered called so by another code": set_last("history_ended", code=40047),
    "history of no endpoint": set_first("history", endpoint="spot.trading.secrets"),
    "two beginnings": lambda entries: entries.insert(5, dict(entries[0])),
}


@pytest.mark.parametrize("change", FORGED_BADLY.values(), ids=FORGED_BADLY.keys())
def test_a_decision_that_its_replies_do_not_bear_is_noticed_in_a_whole_chain(
    archive: Path, change: Callable[[Entries], None]
) -> None:
    with suppress(ArchiveError):  # what cannot be applied cannot be made again, and is noticed all the more
        forge(archive, change)
    assert verify(archive).problems


def last_day_dropped(entries: Entries) -> None:
    """A record out of a reply, and nothing else."""
    reply = of(entries, "reply")[5]
    body(reply, {"records": json.loads(reply["body"])["data"]["records"][:-1]})


def amounts_edited(entries: Entries) -> None:
    for reply in of(entries, "reply"):
        reply["body"] = reply["body"].replace("10.50", "99.50")


FORGED_WELL: Final[dict[str, Callable[[Entries], None]]] = {
    "record dropped from its reply": last_day_dropped,
    "record added to a reply": lambda entries: body(of(entries, "reply")[0], {"records": [kit.deposit(0)] * 2}),
    "amounts edited": amounts_edited,
    "account edited": set_first("begin", account="43"),
    "time of a reply edited": set_first("reply", at=1),
    "request edited": set_first("reply", target="/account/v2/deposit-withdraw/history?other=1"),
    "look edited": lambda entries: body(
        reply_of(entries, ASSETS), [{"currency": "USDT", "available_balance": "1000000"}]
    ),
    "look removed": lambda entries: drop(lambda entry: entry in (of(entries, "look")[-1], of(entries, "reply")[-1]))(
        entries
    ),
    "history removed": drop(
        lambda entry: "futures" in str(entry.get("of", entry.get("name"))) and "assets" not in str(entry.get("name"))
    ),
    "notes removed": drop(lambda entry: entry["entry"] == "note"),
    "run's end removed": drop(lambda entry: entry["entry"] == "run_ended"),
}


@pytest.mark.parametrize("change", FORGED_WELL.values(), ids=FORGED_WELL.keys())
def test_a_whole_chain_written_anew_is_noticed_by_its_digest_and_else_named(
    archive: Path, original: tuple[Path, str], change: Callable[[Entries], None]
) -> None:
    forge(archive, change)
    found = verify(archive, original[1])
    assert any("digest" in problem for problem in found.problems)
    without: Verification = verify(archive)
    assert without.problems or without.unproven
    assert without.digest == found.digest != original[1]


# ---- what is asked of it -----------------------------------------------------------------------------------------


def test_the_digest_can_be_computed_without_the_library(archive: Path, original: tuple[Path, str]) -> None:
    """The lines of Python on the page about the format."""
    page = (Path(__file__).parents[2] / "docs" / "archive_format.md").read_text(encoding="utf-8")
    code = page.partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {}
    exec(code, names)  # our own page
    assert names["digest"](archive / REPLIES) == original[1]


def test_a_digest_may_be_typed_in_capitals(archive: Path, original: tuple[Path, str]) -> None:
    assert verify(archive, f" {original[1].upper()}\n").proven


@pytest.mark.parametrize("digest", ["", "abc", "x" * 64, "0" * 63])
def test_what_is_no_digest_is_refused(archive: Path, digest: str) -> None:
    with pytest.raises(ArchiveError, match="64 hexadecimal digits"):
        verify(archive, digest)


def test_there_is_nothing_to_prove_in_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="there is no archive"):
        verify(tmp_path)
    with pytest.raises(ArchiveError, match="there is no archive"):
        verify(tmp_path / "nowhere")
