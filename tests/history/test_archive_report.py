"""The report of an archive: what is missing comes first, the figures are exact, and no text of the exchange acts."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made_archive import DAY, SINCE, UNTIL, MadeArchive, deposit, ledger, spot_fill, withdrawal
from markdown_it import MarkdownIt

from bitmart_trio.history._plan import HistoryGap
from bitmart_trio.history.archive._entries import State
from bitmart_trio.history.archive._folder import Folder
from bitmart_trio.history.archive._reader import Reader
from bitmart_trio.history.archive._report import ArchiveReport, read_report, report_files, write_reports

FILLS = "spot.trading.trades"
LEDGER = "futures.account.transaction_history"


def report_of(made: MadeArchive, *, ended: bool = True) -> ArchiveReport:
    with Reader(made.done(ended=ended)) as reader:
        return read_report(reader)


@pytest.fixture
def made(tmp_path: Path) -> MadeArchive:
    return MadeArchive(tmp_path / "archive")


# Complete or not.


def test_an_archive_is_complete_when_all_is_answered_or_not_offered(made: MadeArchive) -> None:
    made.history(FILLS, [spot_fill()])
    made.history("spot.broker.rebates", [], state=State.NOT_OFFERED, code=51001, reason="51001 no broker")
    made.look("spot.account.spot_balances", {"wallet": []})
    report = report_of(made)
    assert report.complete
    assert report.gaps == 0
    assert "Complete: everything was asked for" in report.as_markdown()


@pytest.mark.parametrize("state", [State.NOT_PERMITTED, State.FAILED, State.UNREADABLE])
def test_a_history_in_any_other_state_is_a_gap_with_its_reason(made: MadeArchive, state: State) -> None:
    made.history(FILLS, [], state=state, code=30012, reason="30012 not allowed")
    report = report_of(made)
    assert not report.complete
    assert report.gaps == 1
    (history,) = report.histories
    assert [(each.state, each.reason) for each in history.missing] == [(state, "30012 not allowed")]
    assert "add the permission" in report.as_markdown()


def test_a_look_that_failed_is_a_gap(made: MadeArchive) -> None:
    made.look("spot.account.spot_balances", None, state=State.FAILED, reason="HTTP 503")
    report = report_of(made)
    assert not report.complete
    assert "spot.account.spot_balances: failed: HTTP 503" in report.as_markdown()


def test_a_gap_inside_an_answered_history_counts(made: MadeArchive) -> None:
    made.history(FILLS, [spot_fill()], gap=HistoryGap(SINCE, SINCE + DAY, "more at one moment than a reply lists"))
    report = report_of(made)
    assert not report.complete
    assert "2024-01-01 00:00:00 UTC to 2024-01-02 00:00:00 UTC: gap: more at one moment" in report.as_markdown()


def test_a_doubt_counts_until_it_is_resolved(made: MadeArchive) -> None:
    made.history(FILLS, [spot_fill()])
    made.note(FILLS, "full_list", "200 of 200 were listed")
    doubtful = report_of(made)
    assert not doubtful.complete
    assert doubtful.histories[0].doubts == 1
    again = MadeArchive(made.directory.with_name("again"))
    again.history(FILLS, [spot_fill()])
    again.note(FILLS, "full_list", "200 of 200 were listed")
    again.note(FILLS, "full_list", "200 of 200 were listed", resolved=True)
    resolved = report_of(again)
    assert resolved.complete
    assert resolved.histories[0].doubts == 1


def test_a_run_that_did_not_end_is_not_complete(made: MadeArchive) -> None:
    made.history(FILLS, [spot_fill()])
    report = report_of(made, ended=False)
    assert not report.complete
    assert "the last run did not come to its end" in report.as_markdown()


def test_each_history_says_how_far_back_it_goes(made: MadeArchive) -> None:
    made.history(FILLS, [spot_fill(SINCE + 5 * DAY), spot_fill(SINCE + 6 * DAY, tradeId="2")])
    report = report_of(made)
    assert report.histories[0].oldest == SINCE + 5 * DAY
    assert "2024-01-06 00:00:00 UTC" in report.as_markdown()


# Figures.


def test_totals_by_coin_and_year_are_exact(made: MadeArchive) -> None:
    last_year = SINCE + 366 * DAY
    tiny = "0." + "0" * 60 + "1"
    made.history(
        FILLS,
        [
            spot_fill(fee=tiny),
            spot_fill(SINCE + DAY, tradeId="2", side="sell", size="0.1", notional="5000", fee="1.5"),
            spot_fill(last_year, tradeId="3", feeCoinName="BTC", fee="0.0005"),
        ],
    )
    made.history(
        "spot.account.deposit_withdraw_history", [deposit(), withdrawal(SINCE + DAY), deposit(status=1, deposit_id="4")]
    )
    made.history(
        LEDGER,
        [
            ledger(1, "Transfer", "999", SINCE),
            ledger(2, "Realized PNL", "10", SINCE + 1),
            ledger(5, "Liquidation Clearance", "-25.5", SINCE + 2),
            ledger(3, "Funding Fee", "-0.75", SINCE + 3),
            ledger(4, "Commission Fee", "-0.5", SINCE + 4),
        ],
    )
    found = {(each.coin, each.year): each for each in report_of(made).totals}
    usdt = found["USDT", 2024]
    assert format(usdt.came_in, "f") == "30000.5"
    assert format(usdt.sold, "f") == "20000.00000000"
    assert format(usdt.bought, "f") == "5000"
    assert format(usdt.fees, "f") == "2.0" + "0" * 59 + "1"
    assert format(usdt.realised, "f") == "-15.5"
    assert format(usdt.funding, "f") == "-0.75"
    # 30000.5 + 5000 - 20000 - 15.5 - 0.75 - 2 and the tiny fee
    assert format(usdt.net, "f") == "14982.24" + "9" * 59
    btc = found["BTC", 2024]
    assert (format(btc.went_out, "f"), format(btc.fees, "f")) == ("0.1", "0.0005")
    assert format(found["BTC", 2025].fees, "f") == "0.0005"


def test_records_that_cannot_be_counted_are_named(made: MadeArchive) -> None:
    made.history(FILLS, [spot_fill(size="1e30000000"), spot_fill(tradeId="2", size="NaN"), spot_fill(tradeId="3")])
    report = report_of(made)
    assert sum(each.count for each in report.left_out) == 2
    assert "2 of spot.trading.trades: no size" in report.as_markdown()


def test_balances_are_those_of_the_wallets(made: MadeArchive) -> None:
    made.look(
        "spot.account.spot_balances", {"wallet": [{"id": "BTC", "available": "0.4", "frozen": "0.1", "name": "B"}]}
    )
    made.look(
        "futures.account.assets",
        [{"currency": "USDT", "available_balance": "100", "frozen_balance": "1.5", "position_deposit": "2"}],
    )
    made.look(
        "spot.margin.accounts",
        {
            "symbols": [
                {"symbol": "BTC_USDT", "base": {"currency": "BTC", "available": "1", "frozen": "0"}, "quote": {}}
            ]
        },
    )
    assert [(each.wallet, each.coin, str(each.free), str(each.held)) for each in report_of(made).balances] == [
        ("futures", "USDT", "100", "3.5"),
        ("margin BTC_USDT", "BTC", "1", "0"),
        ("spot", "BTC", "0.4", "0.1"),
    ]


def test_records_over_time_have_a_bar_for_every_month(made: MadeArchive) -> None:
    made.history(FILLS, [spot_fill(), spot_fill(SINCE + 1, tradeId="2"), spot_fill(SINCE + 70 * DAY, tradeId="3")])
    report = report_of(made)
    assert report.months == (("2024-01", 2), ("2024-02", 0), ("2024-03", 1))
    page = report.as_html()
    assert page.count("<rect") == 3
    assert "<title>2024-01: 2</title>" in page
    assert re.search(r"2024-03 +#{20} +1", report.as_markdown())


# The files.


def test_the_report_is_the_same_each_time_it_is_made(made: MadeArchive) -> None:
    made.history(FILLS, [spot_fill()])
    directory = made.done()
    with Reader(directory) as reader, Folder(directory) as folder:
        first = report_files(write_reports(folder, reader))
    with Reader(directory) as reader:
        again = report_files(read_report(reader))
    assert first == again
    assert set(first) == {"report.md", "report.html", "report.json"}
    assert {name: (directory / name).read_bytes() for name in first} == first


def test_the_json_form_has_it_all(made: MadeArchive) -> None:
    made.history(FILLS, [spot_fill()])
    made.history(LEDGER, [], state=State.FAILED, reason="HTTP 503")
    document = json.loads(report_of(made).as_json())
    assert document["complete"] is False
    assert [(each["name"], each["complete"]) for each in document["histories"]] == [(LEDGER, False), (FILLS, True)]
    assert document["totals"][0]["bought"] == "0.50000000"
    assert len(document["digest"]) == 64


HOSTILE = "\x1b[2J| <script>alert(1)</script> ![x](http://evil.test/x.png) `code` [b](javascript:x) \u202egnp\r\n# head"


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, tuple(name for name, _ in attrs)))


def test_no_text_of_the_exchange_acts_in_the_report(made: MadeArchive) -> None:
    made.history(FILLS, [spot_fill(symbol="A_" + HOSTILE, feeCoinName=HOSTILE)], state=State.FAILED, reason=HOSTILE)
    made.history("spot.account.deposit_withdraw_history", [deposit(currency=HOSTILE)])
    made.look("spot.account.spot_balances", {"wallet": [{"id": HOSTILE, "available": "1", "frozen": "0"}]})
    made.look("spot.earn.holdings", None, state=State.UNREADABLE, reason=HOSTILE)
    made.note(FILLS, HOSTILE, HOSTILE)
    report = report_of(made)
    for text in (report.as_markdown(), report.as_html(), report.as_json()):
        assert text.replace("\n", "").isprintable()
    kinds = {
        child.type
        for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(report.as_markdown())
        for child in (token.children or [token])
    }
    assert not kinds & {"link_open", "image", "html_inline", "html_block", "code_inline", "fence"}
    elements = _Elements()
    elements.feed(report.as_html())
    assert not {tag for tag, _ in elements.seen} & {"script", "img", "a", "iframe", "link", "object"}
    assert not {
        name for _, names in elements.seen for name in names if name.startswith("on") or name in ("href", "src")
    }


def test_the_page_loads_nothing(made: MadeArchive) -> None:
    made.history(FILLS, [spot_fill()])
    page = report_of(made).as_html()
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")


def test_an_empty_account_has_a_report_too(made: MadeArchive) -> None:
    report = report_of(made)
    assert report.complete
    assert report.until == UNTIL
    assert "There are no records with a time." in report.as_markdown()
    assert "<svg" not in report.as_html()
