"""Checks the pages that Sphinx has made: ``python docs/check_site.py docs/_build/html``, a part of ``make docs``.

Every link within the site leads to a page and an anchor that are there, nothing was taken for a mail address, no code
prints as prose, and each row of the table of endpoints is linked from its method. Where a Chromium is found, no page is
wider than a telephone, a tablet or a screen, and the search finds BitMart's own names.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

import trio

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "sim")]

from browser_kit import Browser, find_chromium, open_browser  # noqa: E402  # after the path is set

WIDTHS: Final = (390, 768, 1440)
"""A telephone, a tablet, a screen."""
SEARCHES: Final = {
    "/spot/v2/submit_order": "endpoints.html#spot-trading-submit-order",
    "submitSpotOrderV2": "endpoints.html#spot-trading-submit-order",
    "submitOrder": "endpoints.html",
    "order_mode": "models.spot_trading.SpotOrder.order_mode",
    "clientOrderId": "endpoints.html#spot-trading-order-by-client-id",
    "qv_24h": "reference/models_spot.html",
    "klineBin1m": "reference/channels.html",
    "spot/depth20": "reference/channels.html",
    "30007": "reference/codes.html#code-30007",
}
"""What somebody looks for who knows BitMart's documentation, and what must be among the first results."""
FIRST: Final = 5
_RESULTS: Final = "[...document.querySelectorAll('ul.search li > a')].map((link) => link.getAttribute('href'))"
_SEARCHED: Final = "document.querySelector('.search-summary')?.innerText && Search._pulse_status === -1"

_CODE: Final = re.compile(
    r"\basync (?:with|for) \w|(?:^|= )await \w|^assert \w|\w=[\u201c\u201d\"]|^str\(object=", re.MULTILINE
)
"""What a paragraph has in it that was meant as code."""
_FLAT: Final = ("code", "pre", "dt", "script", "style")

_SPILLS: Final = """(() => {
  const width = document.documentElement.clientWidth, found = [];
  for (const part of document.querySelectorAll('article *')) {
    const box = part.getBoundingClientRect();
    if (!box.width || box.right <= width + 1) continue;
    let around = part.parentElement;
    while (around && !['auto', 'scroll'].includes(getComputedStyle(around).overflowX)) around = around.parentElement;
    if (!around || around.contains(document.querySelector('article'))) found.push(part.tagName.toLowerCase());
  }
  return [Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - width, found.slice(0, 3)];
})()"""
"""By how much a page is too wide, and which of its parts run out of it without a box of their own to scroll in."""


class Page(HTMLParser):
    """What a page has: anchors, links, rows that are anchors, quotations, and paragraphs without their code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.paragraphs: list[str] = []
        self.rows: set[str] = set()
        self.quotes = 0
        self._flat = 0
        self._paragraph: list[str] | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note anchors and links."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        self.links += [given[name] for name in ("href", "src") if name in given]
        self._flat += tag in _FLAT
        if tag == "tr" and "id" in given:
            self.rows.add(given["id"])
        self.quotes += tag == "blockquote"
        if tag == "p":
            self._paragraph = []

    def handle_endtag(self, tag: str) -> None:
        """Note paragraphs."""
        self._flat -= tag in _FLAT
        if tag == "p" and self._paragraph is not None:
            self.paragraphs.append("".join(self._paragraph))
            self._paragraph = None

    def handle_data(self, data: str) -> None:
        """Note the text of paragraphs."""
        if self._paragraph is not None and not self._flat:
            self._paragraph.append(data)


def read(site: Path) -> dict[Path, Page]:
    """All pages of a site."""
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def broken_links(pages: Mapping[Path, Page]) -> Iterator[str]:
    """Links that lead nowhere within the site, and addresses that nobody wrote."""
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme == "mailto":
                yield f"{path}: taken for a mail address: {unquote(parts.path)}"
            if parts.scheme or parts.netloc or not (parts.path or parts.fragment):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                yield f"{path}: no such file: {link}"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{path}: no such anchor: {link}"


def code_in_prose(pages: Mapping[Path, Page]) -> Iterator[str]:
    """Paragraphs with code that is not marked as such, and what docstrings indent without a `::` before it."""
    for path, page in pages.items():
        if page.quotes and path.parent.name == "reference":
            yield f"{path}: an indented part of a docstring that is no code"
        for text in page.paragraphs:
            if _CODE.search(text):
                yield f"{path}: code that prints as prose: {text.strip()[:100]!r}"


def one_way(pages: Mapping[Path, Page], site: Path) -> Iterator[str]:
    """Rows of the table of endpoints that no method in the reference leads back to."""
    table = site / "endpoints.html"
    if table not in pages:
        return
    back = {unquote(urlsplit(link).fragment) for path in pages if path.parent != site for link in pages[path].links}
    for row in sorted(pages[table].rows - back):
        # Both markets share the class of these, whose methods lead to the rows of spot; one of them is no endpoint.
        if "-system-" not in row:
            yield f"{table}: no method leads to the row {row}"


async def looked_at(program: str, paths: list[Path], site: Path) -> list[str]:
    """What a browser shows: pages that are wider than what they are looked at on, searches that find nothing."""
    async with open_browser(program) as browser:
        found = [each for width in WIDTHS for path in paths if (each := await _spilling(browser, path, width))]
        if (site / "search.html").exists():
            found += [each for words in SEARCHES if (each := await _missed(browser, site, words))]
    return found


async def _spilling(browser: Browser, path: Path, width: int) -> str | None:
    await browser.open(path.as_uri(), width=width)
    beyond, parts = await browser.evaluate(_SPILLS)
    return f"{path}: wider than {width} px by {beyond}: {', '.join(parts)}" if beyond > 0 or parts else None


async def _missed(browser: Browser, site: Path, words: str) -> str | None:
    await browser.open(f"{(site / 'search.html').as_uri()}?q={quote(words, safe='')}")
    await browser.wait(_SEARCHED)
    results = (await browser.evaluate(_RESULTS))[:FIRST]
    wanted = SEARCHES[words]
    return None if any(wanted in each for each in results) else f"search for {words}: {wanted} is not among {results}"


def main(site: Path, *options: str) -> int:
    """Print what is wrong; the exit code."""
    site = site.resolve()
    pages = read(site)
    if not pages:
        sys.stderr.write(f"{site} has no pages\n")
        return 1
    wrong = [*broken_links(pages), *code_in_prose(pages), *one_way(pages, site)]
    program = None if "--no-browser" in options else find_chromium()
    if program is None:
        sys.stderr.write("without a Chromium: widths and the search were not looked at\n")
    else:
        wrong += trio.run(looked_at, program, list(pages), site)
    sys.stderr.writelines(f"{each}\n" for each in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
