"""What ``docs/check_site.py`` finds in the pages that Sphinx has made; `make docs` runs it over the whole site."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
CHROMIUM: Final = any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))


def check(site: Path, pages: dict[str, str], *options: str) -> tuple[int, str]:
    """What the program says of these pages, and its exit code."""
    for name, body in pages.items():
        (site / name).parent.mkdir(exist_ok=True)
        head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        (site / name).write_text(f"<html><head>{head}</head><body><article>{body}</article></body></html>", "utf-8")
    ended = subprocess.run(
        [sys.executable, "docs/check_site.py", str(site), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stderr


def test_a_good_site_passes(tmp_path: Path) -> None:
    """Links to pages, anchors and other sites, code in its own box, a table that scrolls by itself."""
    code, said = check(
        tmp_path,
        {
            "index.html": '<a href="more/page.html#here">there</a> <a href="https://example.org/x#y">out</a>'
            '<a href="#">up</a>'
            '<p>Call <code>await it(side="buy")</code> then.</p><pre>async with x: pass</pre>'
            '<div style="overflow-x: auto"><table><tr><td style="min-width: 3000px">wide</td></tr></table></div>',
            "more/page.html": '<h2 id="here">Here</h2><a href="../index.html">back</a>',
        },
    )
    assert code == 0, said


def test_what_leads_nowhere_is_named(tmp_path: Path) -> None:
    code, said = check(
        tmp_path,
        {
            "index.html": '<a href="gone.html">1</a><a href="page.html#gone">2</a><a href="#gone">3</a>'
            '<img src="gone.png"><a href="mailto:x%40y">4</a>',
            "page.html": "<p>text</p>",
        },
        "--no-browser",
    )
    assert code == 1
    for each in (
        "no such file: gone.html",
        "no such anchor: page.html#gone",
        "no such anchor: #gone",
        "no such file: gone.png",
        "taken for a mail address: x@y",
    ):
        assert each in said


@pytest.mark.parametrize(
    "body",
    [
        "<p>order = await session.submit()</p>",
        "<p>async with open_client() as client:</p>",
        "<p>submit(side=\u201dbuy\u201d)</p>",
        "<p>text\nassert verify().proven</p>",
        "<blockquote>for x in y: ...</blockquote>",
    ],
)
def test_code_that_prints_as_prose_is_named(tmp_path: Path, body: str) -> None:
    code, said = check(tmp_path, {"reference/page.html": body}, "--no-browser")
    assert code == 1
    assert "no code" in said or "prints as prose" in said


def test_a_row_that_no_method_leads_to_is_named(tmp_path: Path) -> None:
    rows = "".join(f'<tr id="spot-market-{name}"><td>{name}</td></tr>' for name in ("ticker", "klines"))
    pages = {
        "endpoints.html": f"<table>{rows}</table>",
        "reference/rest_spot.html": '<a href="../endpoints.html#spot-market-ticker">GET</a>',
    }
    code, said = check(tmp_path, pages, "--no-browser")
    assert code == 1
    assert "the row spot-market-klines" in said
    assert "the row spot-market-ticker" not in said


@pytest.mark.skipif(not CHROMIUM, reason="needs a Chromium")
def test_a_page_that_is_too_wide_is_named(tmp_path: Path) -> None:
    """By the widths that it does not fit on; a part that a page cuts off counts, too."""
    code, said = check(
        tmp_path,
        {
            "wide.html": '<div style="width: 700px">x</div>',
            "cut.html": '<div style="overflow: hidden"><div style="width: 1000px">x</div></div>',
        },
    )
    assert code == 1
    assert "wide.html: wider than 390 px" in said
    assert "wide.html: wider than 768 px" not in said
    assert "cut.html: wider than 390 px" in said
    assert "cut.html: wider than 768 px" in said
    assert "1440" not in said


def test_no_pages_are_no_site(tmp_path: Path) -> None:
    assert check(tmp_path, {}, "--no-browser")[0] == 1
