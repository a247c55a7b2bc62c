"""The report as a page: one content, shown as Markdown and as HTML.

Any text of the page may come from the exchange, so all text is escaped where it is written out, including ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final, TypeAlias

import attrs

from ...text import html, markdown
from ._report import CANNOT_GIVE, ArchiveReport, HistoryReport, LookReport, Missing
from ._tables import iso

_BAR: Final = 40
"""The length of the longest bar, in characters."""


@attrs.frozen
class Heading:
    """The title of a part."""

    text: str


@attrs.frozen
class Paragraph:
    """A sentence or a few."""

    text: str
    strong: bool = False


@attrs.frozen
class Bullets:
    """A list on a page."""

    entries: Sequence[str]


@attrs.frozen
class Grid:
    """A table on a page."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: int
    """The number of columns, counted from the right, that hold numbers."""


@attrs.frozen
class Bars:
    """A chart of counts over time."""

    title: str
    counts: Sequence[tuple[str, int]]


Block: TypeAlias = Heading | Paragraph | Bullets | Grid | Bars


@attrs.frozen
class Page:
    """The content of a report page."""

    title: str
    blocks: Sequence[Block]


def page_of(report: ArchiveReport) -> Page:
    """The report for a person: what it is worth first, then what is missing, then figures, then details."""
    return Page("Account archive", list(_blocks(report)))


def _blocks(report: ArchiveReport) -> Iterator[Block]:
    yield Paragraph(
        f"Account {report.account or 'unknown'}, {_moment(report.since)} to {_moment(report.until)}: "
        f"{report.records} records in {len(report.histories)} histories."
    )
    yield Paragraph(_verdict(report), strong=True)
    yield Paragraph(
        f"Digest: {report.digest} - keep it somewhere else, such as on paper or in a mail to yourself. With it, "
        "archive verify --digest proves later that nothing in this folder was changed since."
    )
    yield from _what_is_missing(report)
    yield from _figures(report)
    yield Heading("Records over time")
    if report.months:
        yield Bars("Records by month", _periods(report.months))
    else:
        yield Paragraph("There are no records with a time.")
    yield from _details(report)


def _verdict(report: ArchiveReport) -> str:
    if report.complete:
        return "Complete: everything was asked for and answered, or is not offered to this account."
    if not report.ended:
        return "Not complete: the last run did not come to its end. Run it again with --resume."
    parts = "1 part is" if report.gaps == 1 else f"{report.gaps} parts are"
    return f"Not complete: {parts} missing or in doubt, as listed below."


def _what_is_missing(report: ArchiveReport) -> Iterator[Block]:
    yield Heading("What is missing")
    found = [_line(each.name, missing) for each in report.parts for missing in each.missing]
    found += [_look_line(each) for each in report.looks if not each.complete and not each.missing]
    yield Bullets(found) if found else Paragraph("Nothing that was asked for." if report.ended else "See above.")


def _line(name: str, missing: Missing) -> str:
    when = f" from {_moment(missing.since)} to {_moment(missing.until)}" if missing.until else ""
    todo = f". What to do: {missing.advice}" if missing.advice else ""
    return f"{name}{when}: {missing.state.replace('_', ' ')}: {missing.reason}{todo}"


def _look_line(look: LookReport) -> str:
    todo = f". What to do: {look.advice}" if look.advice else ""
    return f"{look.name}: {look.state.replace('_', ' ')}: {look.reason}{todo}"


def _figures(report: ArchiveReport) -> Iterator[Block]:
    yield Heading("What each coin did, by year")
    if report.totals:
        yield Grid(
            ("coin", "year", "in", "out", "bought", "sold", "fees", "realised profit", "funding", "other", "net"),
            [
                (
                    each.coin,
                    str(each.year),
                    *map(
                        _amount,
                        (
                            each.came_in, each.went_out, each.bought, each.sold, each.fees, each.realised,
                            each.funding, each.other, each.net,
                        ),
                    ),
                )
                for each in report.totals
            ],
            9,
        )  # fmt: skip
        yield Paragraph(
            "All amounts are in the coin itself, exact. In and out: deposits, withdrawals and transfers from and to "
            "other accounts. Bought and sold: spot trades. Realised profit and funding: contracts. Other: interest, "
            "rebates and loans, less repayments. Net: in, bought, realised profit, funding and other, less out, sold "
            "and fees."
        )
    else:
        yield Paragraph("Nothing moved.")
    if report.left_out:
        yield Paragraph("These records are not in the figures:")
        yield Bullets([f"{each.count} of {each.kind}: {each.reason}" for each in report.left_out])
    yield Heading("Balances when the archive was made")
    if report.balances:
        yield Grid(
            ("wallet", "coin", "free", "held"),
            [(each.wallet, each.coin, _amount(each.free), _amount(each.held)) for each in report.balances],
            2,
        )
        yield Paragraph("The wallets spot and account are two views of one wallet; do not add them.")
    else:
        yield Paragraph("None were given, or all are zero.")


def _details(report: ArchiveReport) -> Iterator[Block]:
    yield Heading("Histories")
    yield Grid(
        ("history", "state", "nothing older than", "windows", "requests", "records", "missing", "doubts"),
        [_history_row(each) for each in report.histories],
        5,
    )
    yield Heading("The account when the archive was made")
    yield Grid(
        ("look", "state", "remark"),
        [(each.name, each.state.replace("_", " "), each.reason) for each in report.looks],
        0,
    )
    yield Heading("What the endpoints leave out")
    omits = {each.endpoint: each.omits for each in report.histories if each.omits}
    yield Bullets([f"{name}: {'; '.join(each)}" for name, each in sorted(omits.items())] or ["Nothing is known."])
    yield Heading("What the API cannot give")
    yield Bullets(CANNOT_GIVE)


def _history_row(history: HistoryReport) -> Sequence[str]:
    state = history.state.replace("_", " ")
    return (
        history.name,
        f"{state}: {history.reason}" if history.reason else state,
        "" if history.oldest is None else _moment(history.oldest),
        *map(str, (history.windows, history.requests, history.records, len(history.missing), history.doubts)),
    )


def _moment(milliseconds: int) -> str:
    shown = iso(milliseconds)
    if shown is None:
        return str(milliseconds)
    return shown.removesuffix(".000Z").removesuffix("Z").replace("T", " ") + " UTC"


def _amount(value: Decimal) -> str:
    return "" if not value else format(value, "f")


def _periods(months: Sequence[tuple[str, int]]) -> Sequence[tuple[str, int]]:
    """By month, or by year where that would be more bars than one can read."""
    if len(months) <= 120:
        return months
    years = dict[str, int]()
    for month, count in months:
        years[month[:4]] = years.get(month[:4], 0) + count
    return list(years.items())


# ---- Markdown -------------------------------------------------------------------------------------------------------


def markdown_page(page: Page) -> str:
    """The page as Markdown."""
    lines = [f"# {markdown(page.title)}"]
    for block in page.blocks:
        lines += ["", *_as_markdown(block)]
    return "\n".join(lines) + "\n"


def _as_markdown(block: Block) -> Iterator[str]:
    match block:
        case Heading(text):
            yield f"## {markdown(text)}"
        case Paragraph(text, strong):
            yield f"**{markdown(text)}**" if strong else markdown(text)
        case Bullets(entries):
            for entry in entries:
                yield f"- {markdown(entry)}"
        case Grid(header, rows, numbers):
            yield _row_of(header)
            words = len(header) - numbers
            yield _row_of(["---"] * words + ["---:"] * numbers, escape=False)
            for row in rows:
                yield _row_of(row)
        case Bars(title, counts):
            most = max(count for _, count in counts)
            yield f"{markdown(title)}:"
            yield ""
            # An indented block shows the bars in columns and contains no markup.
            for name, count in counts:
                yield f"    {name:<8} {'#' * max(round(count * _BAR / most), count > 0):<{_BAR}} {count}"


def _row_of(cells: Sequence[str], *, escape: bool = True) -> str:
    return f"| {' | '.join(markdown(each) if escape else each for each in cells)} |"


# ---- HTML -----------------------------------------------------------------------------------------------------------

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2024; --paper: #ffffff; --line: #d5d9de; --bar: #2f6fb3; --quiet: #5c646d; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8ea; --paper: #16191c; --line: #3a4047; --bar: #6aa9e9; --quiet: #9aa3ad; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 70rem;
       margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .7rem .3rem 0; text-align: left; vertical-align: top; }
th { color: var(--quiet); font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
p, li { overflow-wrap: anywhere; }
svg { width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: var(--quiet); }
svg rect { fill: var(--bar); } svg line { stroke: var(--line); }
"""


def html_page(page: Page) -> str:
    """The page as one HTML file, without scripts; it loads nothing."""
    body = "\n".join("\n".join(_as_html(block)) for block in page.blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html(page.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{html(page.title)}</h1>\n"
        f"{body}\n</body>\n</html>\n"
    )


def _as_html(block: Block) -> Iterator[str]:
    match block:
        case Heading(text):
            yield f"<h2>{html(text)}</h2>"
        case Paragraph(text, strong):
            yield f"<p><strong>{html(text)}</strong></p>" if strong else f"<p>{html(text)}</p>"
        case Bullets(entries):
            yield f"<ul>{''.join(f'<li>{html(entry)}</li>' for entry in entries)}</ul>"
        case Grid(header, rows, numbers):
            words = len(header) - numbers
            yield '<div class="scroll"><table>'
            yield f"<thead><tr>{_cells('th', header, words)}</tr></thead><tbody>"
            for row in rows:
                yield f"<tr>{_cells('td', row, words)}</tr>"
            yield "</tbody></table></div>"
        case Bars(title, counts):
            yield from _svg(title, counts)


def _cells(tag: str, cells: Sequence[str], words: int) -> str:
    number = ' class="number"'
    return "".join(f"<{tag}{number if at >= words else ''}>{html(cell)}</{tag}>" for at, cell in enumerate(cells))


_WIDTH: Final = 900
_HEIGHT: Final = 220
_LEFT: Final = 60
_BELOW: Final = 24
_LABELS: Final = 12
"""The most names of periods that have room."""


def _svg(title: str, counts: Sequence[tuple[str, int]]) -> Iterator[str]:
    """Bars over time; what each is worth shows when one points at it, and a screen reader has the title."""
    most = max(count for _, count in counts)
    step = (_WIDTH - _LEFT) / len(counts)
    yield f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT + _BELOW}" role="img" aria-label="{html(title)}">'
    yield f'<line x1="{_LEFT}" y1="{_HEIGHT}" x2="{_WIDTH}" y2="{_HEIGHT}"/>'
    for value, height in ((most, 12), (0, _HEIGHT)):
        yield f'<text x="{_LEFT - 6}" y="{height}" text-anchor="end">{value}</text>'
    every = -(-len(counts) // _LABELS)
    for at, (name, count) in enumerate(counts):
        left, tall = _LEFT + at * step, count / most * (_HEIGHT - 14)
        width = max(step * 0.8, 1.0)
        yield (
            f'<rect x="{left:.1f}" y="{_HEIGHT - tall:.1f}" width="{width:.1f}" height="{tall:.1f}">'
            f"<title>{html(name)}: {count}</title></rect>"
        )
        if at % every == 0:
            yield f'<text x="{left:.1f}" y="{_HEIGHT + 16}">{html(name)}</text>'
    yield "</svg>"
