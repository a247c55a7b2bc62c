"""What an archive gives to spreadsheets, programs and tax tools."""

from __future__ import annotations

import csv
import io
import stat
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pytest
from made_archive import DAY, SINCE, MadeArchive, deposit, ledger, spot_fill, withdrawal

from bitmart_trio.history import ExportError
from bitmart_trio.history.archive import _export
from bitmart_trio.history.archive._export import FORMATS, Format, export
from bitmart_trio.history.archive._folder import ArchiveError
from bitmart_trio.history.archive._kinds import kinds

openpyxl = import_module("openpyxl")  # these two have no types
pq = import_module("pyarrow.parquet")

KOINLY = (
    "Date,Sent Amount,Sent Currency,Received Amount,Received Currency,Fee Amount,Fee Currency,"
    "Net Worth Amount,Net Worth Currency,Label,Description,TxHash"
)
COINTRACKER = "Date,Received Quantity,Received Currency,Sent Quantity,Sent Currency,Fee Amount,Fee Currency,Tag"
CTC = (
    "Timestamp (UTC),Type,Base Currency,Base Amount,Quote Currency (Optional),Quote Amount (Optional),"
    "Fee Currency (Optional),Fee Amount (Optional),From (Optional),To (Optional),Blockchain (Optional),ID (Optional),"
    "Description (Optional),Reference Price Per Unit (Optional),Reference Price Currency (Optional)"
)


def rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_bytes().decode(), newline="")))


def lines(file: Path) -> list[str]:
    return file.read_bytes().decode().split("\r\n")


@pytest.fixture
def account(tmp_path: Path) -> MadeArchive:
    """One of each: trades, ledger, deposits and withdrawals, a loan, savings, transfers of sub-accounts."""
    made = MadeArchive(tmp_path / "archive")
    sold = spot_fill(SINCE + DAY, tradeId="2", side="sell", fee="0.00005", feeCoinName="BTC")
    made.history("spot.trading.trades", [spot_fill(), sold])
    made.history(
        "futures.account.transaction_history",
        [
            ledger(1, "Transfer", "1000", SINCE + 2 * DAY),
            ledger(2, "Realized PNL", "12.5", SINCE + 3 * DAY),
            ledger(2, "Realized PNL", "-7.25", SINCE + 4 * DAY),
            ledger(3, "Funding Fee", "-0.5", SINCE + 5 * DAY),
            ledger(3, "Funding Fee", "0.75", SINCE + 6 * DAY),
            ledger(4, "Commission Fee", "-0.25", SINCE + 7 * DAY),
        ],
    )
    made.history(
        "spot.account.deposit_withdraw_history",
        [deposit(), withdrawal(SINCE + 8 * DAY), deposit(SINCE, deposit_id="9", status=5)],
    )
    made.history(
        "spot.margin.repay_records",
        [
            {
                "repay_id": "r1", "repay_time": SINCE + 9 * DAY, "symbol": "BTC_USDT", "currency": "USDT",
                "repaid_amount": "101", "repaid_principal": "100", "repaid_interest": "1",
            }
        ],
    )  # fmt: skip
    transfer = {
        "fromAccount": "main", "fromWalletType": "spot", "toAccount": "child", "toWalletType": "spot",
        "currency": "USDT", "amount": "50", "submissionTime": (SINCE + 10 * DAY) // 1000,
    }  # fmt: skip
    made.history("spot.sub_account.transfers", [transfer])
    made.history("spot.sub_account.transfer_history", [transfer])
    made.look("spot.sub_account.accounts", {"subAccountList": [{"accountName": "child", "status": 1}]})
    return made


# The plain formats.


def test_a_kind_of_record_is_a_file_with_plain_columns(account: MadeArchive, tmp_path: Path) -> None:
    made = export(account.done(), tmp_path / "out", format="csv")
    names = {file.name for file in made.files}
    assert {"movements.csv", "spot_trading_trades.csv", "futures_account_transaction_history.csv"} <= names
    first, second = rows(tmp_path / "out" / "spot_trading_trades.csv")
    assert first["time_utc"] == first["create_time"] == "2024-01-01T00:00:00.000Z"
    assert (first["trade_id"], first["side"], first["size"]) == ("125277182593091639", "buy", "0.50000000")
    assert second["side"] == "sell"
    entries = rows(tmp_path / "out" / "spot_account_deposit_withdraw_history.csv")
    assert {each["status"] for each in entries} == {"done", "failed"}
    kinds = [each["flow_type"] for each in rows(tmp_path / "out" / "futures_account_transaction_history.csv")]
    assert kinds[:2] == ["transfer", "realized_pnl"]
    assert made.rows == sum(len(rows(file)) for file in made.files)


def test_ids_and_amounts_are_quoted_text_in_csv(account: MadeArchive, tmp_path: Path) -> None:
    export(account.done(), tmp_path / "out", format="csv")
    line = lines(tmp_path / "out" / "spot_trading_trades.csv")[1]
    assert '"125277182593091639"' in line
    assert '"0.50000000"' in line


def test_a_workbook_keeps_every_digit_of_ids_and_amounts(account: MadeArchive, tmp_path: Path) -> None:
    made = export(account.done(), tmp_path / "out", format="xlsx")
    book = openpyxl.load_workbook(made.files[0])
    sheet = book["spot_trading_trades"]
    head = {str(cell.value): cell.column - 1 for cell in sheet[1]}
    for name, value in (("trade_id", "125277182593091639"), ("size", "0.50000000"), ("notional", "20000.00000000")):
        cell = sheet[2][head[name]]
        assert (cell.value, cell.data_type, cell.number_format) == (value, "s", "@")
    assert made.rows == sum(sheet.max_row - 1 for sheet in book)


def test_parquet_has_times_as_times_and_amounts_as_exact_decimals(account: MadeArchive, tmp_path: Path) -> None:
    made = export(account.done(), tmp_path / "out", format="parquet")
    table = pq.read_table(tmp_path / "out" / "spot_trading_trades.parquet")
    assert {str(table.schema.field(name).type) for name in ("time_utc", "create_time")} == {"timestamp[ms, tz=UTC]"}
    first = table.to_pylist()[0]
    assert first["time_utc"] == datetime(2024, 1, 1, tzinfo=UTC)
    assert str(first["size"]) == "0.50000000"
    assert first["trade_id"] == "125277182593091639"
    movements = pq.read_table(tmp_path / "out" / "movements.parquet").to_pylist()
    assert all(isinstance(row[name], Decimal | None) for row in movements for name in ("received", "sent", "fee"))
    assert any(row["fee"] for row in movements)
    assert made.rows == sum(pq.read_metadata(file).num_rows for file in made.files)


def test_parquet_has_floats_where_they_are_chosen(account: MadeArchive, tmp_path: Path) -> None:
    export(account.done(), tmp_path / "out", format="parquet", decimals="float")
    table = pq.read_table(tmp_path / "out" / "spot_trading_trades.parquet")
    assert str(table.schema.field("size").type) == "double"
    assert table["size"][0].as_py() == 0.5
    with pytest.raises(ExportError, match="only Parquet has columns of floats"):
        export(tmp_path / "archive", tmp_path / "other", format="csv", decimals="float")
    assert not (tmp_path / "other").exists()


def test_parquet_leaves_the_cell_of_an_amount_that_is_no_number_empty(tmp_path: Path) -> None:
    """The record is there whole beside it, and the column stays one of numbers."""
    made = MadeArchive(tmp_path / "archive")
    made.history("spot.trading.trades", [spot_fill(), spot_fill(SINCE + DAY, tradeId="2", size="a lot")])
    export(made.done(), tmp_path / "out", format="parquet")
    good, bad = pq.read_table(tmp_path / "out" / "spot_trading_trades.parquet").to_pylist()
    assert good["size"] == Decimal("0.5")
    assert bad["size"] is None
    assert "a lot" in bad["unreadable"]


def test_a_list_longer_than_a_sheet_goes_on_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_export, "_SHEET_ROWS", 11)
    made = MadeArchive(tmp_path / "archive")
    made.history("spot.trading.trades", [spot_fill(SINCE + at, tradeId=str(at)) for at in range(25)])
    book = openpyxl.load_workbook(export(made.done(), tmp_path / "out", format="xlsx").files[0])
    parts = [sheet for sheet in book if sheet.title.startswith("spot_trading_trades")]
    assert [sheet.title for sheet in parts] == [
        "spot_trading_trades", "spot_trading_trades 2", "spot_trading_trades 3",
    ]  # fmt: skip
    ids = [row[1] for sheet in parts for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert ids == [str(at) for at in range(25)]


def test_every_kind_of_record_has_a_sheet_with_a_name_of_its_own() -> None:
    taken = set[str]()
    names = [_export._sheet_name(kind.table, 1, taken) for kind in kinds().values()]
    assert len({name.lower() for name in names}) == len(names)
    assert max(map(len, names)) <= 31
    assert "spot_deposit_withdraw_history" in names


HOSTILE = ("=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", "-2+3", "a\rb\nc", "\x1b[2J", 'say "hi", twice', "\u202egnp")


@pytest.mark.parametrize("format", FORMATS)
def test_no_text_of_the_exchange_becomes_a_formula_or_a_row(tmp_path: Path, format: Format) -> None:
    made = MadeArchive(tmp_path / "archive")
    for at, text in enumerate(HOSTILE):
        made.history(
            "spot.account.deposit_withdraw_history",
            [deposit(SINCE + at, deposit_id=text, currency=text, address=text, tx_id=text)],
            name=f"history {at}",
        )
    exported = export(made.done(), tmp_path / "out", format=format)
    if format == "parquet":
        table = pq.read_table(tmp_path / "out" / "spot_account_deposit_withdraw_history.parquet").to_pylist()
        assert [row["tx_id"] for row in table] == list(HOSTILE)  # a program reads it: nothing is changed
        return
    cells: list[str] = []
    if format == "xlsx":
        for sheet in openpyxl.load_workbook(exported.files[0]):
            for row in sheet.iter_rows():
                assert all(cell.data_type in ("s", "n") for cell in row)
                cells += [cell.value for cell in row if isinstance(cell.value, str)]
    else:
        for file in exported.files:
            text = file.read_bytes().decode()
            assert text.replace("\r\n", "").isprintable()
            cells += [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert any("calc" in cell for cell in cells)
    for cell in cells:
        assert not cell.lstrip().startswith(("=", "+", "@"))
        assert not cell.startswith("-") or cell.lstrip("-").replace(".", "").isdecimal()


def test_formulas_are_let_through_when_they_are_wanted(tmp_path: Path) -> None:
    made = MadeArchive(tmp_path / "archive")
    made.history("spot.account.deposit_withdraw_history", [deposit(address="=1+1")])
    export(made.done(), tmp_path / "out", format="csv", formulas=True)
    assert rows(tmp_path / "out" / "spot_account_deposit_withdraw_history.csv")[0]["address"] == "=1+1"


def test_a_look_at_the_present_is_a_file_too(tmp_path: Path) -> None:
    made = MadeArchive(tmp_path / "archive")
    contract = {"symbol": "BTCUSDT", "contract_size": "0.001", "settlement_currency": "USDT", "leverages": [1, 2]}
    made.look("futures.market.contracts", {"symbols": [contract]})
    export(made.done(), tmp_path / "out", format="csv")
    (entry,) = rows(tmp_path / "out" / "futures_market_contracts.csv")
    assert (entry["symbol"], entry["contract_size"], entry["leverages"]) == ("BTCUSDT", "0.001", "[1,2]")


def test_a_record_that_cannot_be_read_is_there_whole(tmp_path: Path) -> None:
    made = MadeArchive(tmp_path / "archive")
    odd = spot_fill()
    del odd["symbol"]
    made.history("spot.trading.trades", [odd])
    exported = export(made.done(), tmp_path / "out", format="koinly")
    assert [(each.kind, each.reason, each.count) for each in exported.left_out] == [
        ("spot.trading.trades", "no symbol", 1)
    ]
    export(tmp_path / "archive", tmp_path / "out", format="csv")
    (row,) = rows(tmp_path / "out" / "spot_trading_trades.csv")
    assert row["symbol"] == ""
    assert '"tradeId":"125277182593091639"' in row["unreadable"]


def test_a_superseded_content_is_not_exported(tmp_path: Path) -> None:
    """A withdrawal that was pending and is done later is one withdrawal."""
    made = MadeArchive(tmp_path / "archive")
    made.history("spot.account.deposit_withdraw_history", [withdrawal(status=2)], name="first")
    made.history("spot.account.deposit_withdraw_history", [withdrawal(status=3)], name="second")
    exported = export(made.done(), tmp_path / "out", format="koinly")
    assert exported.rows == 1
    export(tmp_path / "archive", tmp_path / "out", format="csv")
    (row,) = rows(tmp_path / "out" / "spot_account_deposit_withdraw_history.csv")
    assert row["status"] == "done"


# Tax tools.


@pytest.mark.parametrize(
    ("tool", "header"), [("koinly", KOINLY), ("cointracker", COINTRACKER), ("cryptotaxcalculator", CTC)]
)
def test_a_layout_begins_with_the_tools_own_header(
    account: MadeArchive, tmp_path: Path, tool: Format, header: str
) -> None:
    exported = export(account.done(), tmp_path / "out", format=tool)
    assert lines(exported.files[0])[0] == header
    assert exported.left_out == ()


def _some(file: Path, *columns: str) -> list[Sequence[str]]:
    return [[row[name] for name in columns] for row in rows(file)]


def test_koinly_gets_everything_that_moved_once(account: MadeArchive, tmp_path: Path) -> None:
    (file,) = export(account.done(), tmp_path / "out", format="koinly").files
    assert _some(
        file, "Date", "Sent Amount", "Sent Currency", "Received Amount", "Received Currency", "Fee Amount", "Label"
    ) == [
        ["2024-01-01 00:00:00 UTC", "", "", "30000.5", "USDT", "", ""],
        ["2024-01-01 00:00:00 UTC", "20000.00000000", "USDT", "0.50000000", "BTC", "20.00000000", ""],
        ["2024-01-02 00:00:00 UTC", "0.50000000", "BTC", "20000.00000000", "USDT", "0.00005", ""],
        ["2024-01-04 00:00:00 UTC", "", "", "12.5", "USDT", "", "realized gain"],
        ["2024-01-05 00:00:00 UTC", "7.25", "USDT", "", "", "", "realized gain"],
        ["2024-01-06 00:00:00 UTC", "0.5", "USDT", "", "", "", "margin fee"],
        ["2024-01-07 00:00:00 UTC", "", "", "0.75", "USDT", "", "realized gain"],
        ["2024-01-08 00:00:00 UTC", "0.25", "USDT", "", "", "", "margin fee"],
        ["2024-01-09 00:00:00 UTC", "0.1", "BTC", "", "", "0.0005", ""],
        ["2024-01-10 00:00:00 UTC", "100", "USDT", "", "", "", "loan repayment"],
        ["2024-01-10 00:00:00 UTC", "1", "USDT", "", "", "", "margin fee"],
        ["2024-01-11 00:00:00 UTC", "50", "USDT", "", "", "", ""],
    ]


def test_cointracker_gets_american_dates_and_its_tags(account: MadeArchive, tmp_path: Path) -> None:
    (file,) = export(account.done(), tmp_path / "out", format="cointracker").files
    found = _some(file, "Date", "Received Quantity", "Sent Quantity", "Fee Amount", "Fee Currency", "Tag")
    assert found[1:6] == [
        ["01/01/2024 00:00:00", "0.50000000", "20000.00000000", "20.00000000", "USDT", ""],
        ["01/02/2024 00:00:00", "20000.00000000", "0.50000000", "0.00005", "BTC", ""],
        ["01/04/2024 00:00:00", "12.5", "", "", "", "margin gain"],
        ["01/05/2024 00:00:00", "", "7.25", "", "", "margin loss"],
        ["01/06/2024 00:00:00", "", "0.5", "", "", "margin fee"],
    ]


def test_crypto_tax_calculator_gets_base_and_quote(account: MadeArchive, tmp_path: Path) -> None:
    (file,) = export(account.done(), tmp_path / "out", format="cryptotaxcalculator").files
    found = _some(
        file, "Timestamp (UTC)", "Type", "Base Currency", "Base Amount", "Quote Currency (Optional)",
        "Quote Amount (Optional)", "Fee Amount (Optional)", "From (Optional)", "To (Optional)",
    )  # fmt: skip
    assert found[:5] == [
        ["2024-01-01 00:00:00", "receive", "USDT", "30000.5", "", "", "", "", "BitMart"],
        ["2024-01-01 00:00:00", "buy", "BTC", "0.50000000", "USDT", "20000.00000000", "20.00000000", "", ""],
        ["2024-01-02 00:00:00", "sell", "BTC", "0.50000000", "USDT", "20000.00000000", "0.00005", "", ""],
        ["2024-01-04 00:00:00", "realized-profit", "USDT", "12.5", "", "", "", "", ""],
        ["2024-01-05 00:00:00", "realized-loss", "USDT", "7.25", "", "", "", "", ""],
    ]
    assert found[8][1] == "send"


def test_fills_of_contracts_stand_in_where_there_is_no_ledger(tmp_path: Path) -> None:
    made = MadeArchive(tmp_path / "archive")
    fill = {
        "order_id": "1", "trade_id": "2", "symbol": "BTCUSD", "side": 3, "price": "40000", "vol": "10",
        "exec_type": "Taker", "profit": True, "realised_profit": "-0.002", "paid_fees": "0.0001",
        "account": "futures", "create_time": SINCE,
    }  # fmt: skip
    made.history("futures.trading.trades", [fill])
    made.look("futures.market.contracts", {"symbols": [{"symbol": "BTCUSD", "settlement_currency": "BTC"}]})
    (file,) = export(made.done(), tmp_path / "out", format="koinly").files
    assert _some(file, "Sent Amount", "Sent Currency", "Label") == [
        ["0.002", "BTC", "realized gain"],
        ["0.0001", "BTC", "margin fee"],
    ]


def test_the_fills_of_an_account_with_a_ledger_are_not_counted_twice(tmp_path: Path) -> None:
    """Each futures account by itself, also where the replies do not say which it is."""
    made = MadeArchive(tmp_path / "archive")
    fill = {
        "order_id": "1", "trade_id": "2", "symbol": "BTCUSDT", "side": 3, "price": "40000", "vol": "10",
        "exec_type": "Taker", "profit": True, "realised_profit": "7", "paid_fees": "0", "create_time": SINCE,
    }  # fmt: skip
    for account, trade in (("futures", "10"), ("copy_trading", "20")):
        name = f"futures.trading.trades account={account}"
        made.history("futures.trading.trades", [{**fill, "trade_id": trade}], name=name)
    copied = "futures.account.transaction_history account=copy_trading"
    made.history("futures.account.transaction_history", [ledger(2, "Realized PNL", "7")], name=copied)
    (file,) = export(made.done(), tmp_path / "out", format="koinly").files
    assert sorted(row["Description"].split(" (")[0] for row in rows(file)) == [
        "realised profit BTCUSDT Realized PNL",
        "realised profit BTCUSDT realised by a fill",
    ]


# The folder, and what is missing.


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes")
def test_what_is_exported_is_for_its_owner_alone(account: MadeArchive, tmp_path: Path) -> None:
    exported = export(account.done(), tmp_path / "out", format="csv")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in exported.files} == {0o600}


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes")
def test_a_folder_that_is_there_stays_open_to_whom_it_was(account: MadeArchive, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o755)
    (tmp_path / "out").chmod(0o755)
    export(account.done(), tmp_path / "out", format="koinly")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o755


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_planted_link_is_not_followed(account: MadeArchive, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / "out" / "koinly.csv").symlink_to(precious)
    (tmp_path / "out" / "koinly.csv.new").symlink_to(precious)
    (file,) = export(account.done(), tmp_path / "out", format="koinly").files
    assert precious.read_text() == "precious"
    assert not file.is_symlink()


def test_there_must_be_an_archive(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="there is no archive"):
        export(tmp_path, tmp_path / "out", format="csv")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("format", "package", "extra"), [("xlsx", "xlsxwriter", "xlsx"), ("parquet", "pyarrow", "parquet")]
)
def test_a_missing_package_is_named_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: Format, package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExportError, match=rf"bitmart-trio\[{extra}\]"):
        export(tmp_path / "nowhere", tmp_path / "out", format=format)
