"""The certificate: what it says, keeps, and looks like."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import trio
from typer.testing import CliRunner

import bitmart_trio as bm
from bitmart_trio.cli.app import app
from bitmart_trio.testing import Certificate, certify

ZOO = Path(__file__).parent / "zoo"
FORGETS = f"{ZOO / 'forgets_on_cancel.py'}:main"


async def quiet(client: bm.Client) -> None:
    """Do nothing for ever."""
    await trio.sleep_forever()


async def short(client: bm.Client) -> None:
    """Do nothing for a moment."""
    await trio.sleep(5)


def small(main: Any, **options: Any) -> Certificate:
    """A certificate of few short days in this process."""
    return certify(main, **{"seeds": 2, "minutes": 0.5, "workers": 0, **options})


def test_a_failed_certificate_says_what_broke_and_how_to_see_it_again(tmp_path: Path) -> None:
    certificate = small(FORGETS, out=tmp_path, seeds=1)
    assert certificate.verdict == "failed"
    with pytest.raises(AssertionError, match="FAILED: 1 of 1 days"):
        certificate.raise_if_failed()
    (smallest,) = certificate.smallest.values()
    assert smallest.day.deeds == (), "no trouble is needed for this"
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "FAILED" in page
    assert smallest.day.name in page
    assert not re.search(r"(?:src|href)=|<script|url\(|@import", page), "one file, no network"
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "failed"
    assert report["found"] == {"nothing_open": 1}
    suite = ET.parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")


def test_days_that_were_done_are_not_played_again(tmp_path: Path) -> None:
    seen = []
    small(FORGETS, out=tmp_path, shrink=False)
    lines = (tmp_path / "days.jsonl").read_text(encoding="utf-8")
    (tmp_path / "days.jsonl").write_text(lines[:-30], encoding="utf-8")  # the machine stopped in the middle of a line
    certificate = small(
        FORGETS, out=tmp_path, shrink=False, resume=True, progress=lambda done: seen.append(done.outcome)
    )
    assert [each.name for each in certificate.outcomes] == ["0", "1"]
    assert [each.name for each in seen if each is not None] == ["1"]
    with pytest.raises(bm.ConfigurationError, match="other options"):
        small(FORGETS, out=tmp_path, minutes=1, resume=True)


def test_a_certificate_without_a_failure_says_what_it_excludes() -> None:
    certificate = small(quiet)
    assert certificate.passed
    assert certificate.excluded_rate == pytest.approx(1 - 0.05**0.5)
    assert "PASSED: 2 days of 0.5 minutes without a finding; at 95 % fewer than 77.64%" in str(certificate)


def test_a_bot_that_ends_by_itself_proves_little() -> None:
    certificate = small(short, seeds=1)
    assert certificate.verdict == "incomplete"
    assert "1 ended early" in certificate.headline


def test_invariants_of_ones_own_and_those_that_are_off() -> None:
    def never_asks(day: bm.testing.Played) -> str | None:
        return None if not day.witness.calls else "it asked"

    async def asks(client: bm.Client) -> None:
        await client.spot.market.ticker("BTC_USDT")
        await trio.sleep_forever()

    certificate = small(asks, seeds=1, invariants=[never_asks], shrink=False)
    assert certificate.found == {"never_asks": 1}
    off = {"off": {"never_asks": "it may"}}
    assert small(asks, seeds=1, invariants=[never_asks], terms=off).passed
    with pytest.raises(bm.ConfigurationError, match="with a reason only"):
        small(asks, terms={"off": {"nothing_open": " "}})
    with pytest.raises(bm.ConfigurationError, match="no invariant named 'nothing'"):
        small(asks, terms={"off": {"nothing": "why not"}})


def test_a_bot_that_takes_no_client_is_told_what_to_do() -> None:
    async def main() -> None:
        """Open its own."""

    with pytest.raises(bm.ConfigurationError, match="let main"):
        small(main)


def test_a_day_is_played_again_on_the_command_line() -> None:
    """With all that happens on it, and the exit code of a failure."""
    done = CliRunner().invoke(app, ["certify", FORGETS, "--replay", "0~k", "--minutes", "0.5", "--trace"])
    assert done.exit_code == 1
    assert "POST /spot/v2/submit_order" in done.stdout
    assert re.search(r"nothing_open: buy 0.00100 BTC_USDT at 30000.00 is open", done.stdout)


def test_what_is_no_bot_is_refused_on_the_command_line() -> None:
    done = CliRunner().invoke(app, ["certify", "nowhere.py:main"])
    assert done.exit_code in (1, 2)
    assert "there is no file nowhere.py" in done.stderr
