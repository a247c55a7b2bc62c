"""The certificate as one HTML page, readable on a phone: no network, no script, charts as inline SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Final

from ...text import printable
from ._day import versions
from ._invariants import INVARIANTS
from ._outcome import Outcome

if TYPE_CHECKING:
    from ._certificate import Certificate

_WIDTH: Final = 720
_HEIGHT: Final = 180
_ROWS: Final = 400
"""The most lines of a timeline that are shown."""
_DAYS: Final = 20
"""The most failing days that are shown in full."""
_COLOURS: Final = {"passed": "#1a7f37", "failed": "#c1121f", "incomplete": "#9a6700"}
_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 50rem; padding: 0 1rem 4rem;
  overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { margin-top: 2.5rem; font-size: 1.2rem; }
.verdict { color: #fff; border-radius: .5rem; padding: 1rem; font-size: 1.15rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
td, th { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
code { background: var(--soft); padding: .1rem .3rem; border-radius: .25rem; font-size: .85em; }
details { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem 1rem; margin: .75rem 0; }
summary { cursor: pointer; font-weight: 600; } svg { width: 100%; height: auto; display: block; }
tr.finding td { background: #c1121f22; } .k-fault { color: #b35900; } .k-fill { color: #1a7f37; }
"""


def page(certificate: Certificate) -> str:
    """Render a certificate as an HTML page."""
    body = "\n".join(_parts(certificate))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(certificate.bot)}: {certificate.verdict}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def _parts(certificate: Certificate) -> Iterator[str]:
    yield f"<h1>Certificate of {_text(certificate.bot)}</h1>"
    colour = _COLOURS[certificate.verdict]
    yield f'<p class="verdict" style="background:{colour}" id="verdict">{_text(certificate.headline)}</p>'
    yield from _smallest(certificate)
    yield "<h2>Days by family</h2><p>A day may hold trouble of several families.</p>"
    yield _table(
        ("family", "passed", "failed", "ended early"),
        ((name, count.passed, count.failed, count.early) for name, count in certificate.families.items()),
    )
    yield "<h2>What was asked</h2>"
    off, found = certificate.job.terms.off, certificate.found
    yield _table(
        ("invariant", "broken on days"),
        ((name, f"switched off: {off[name]}" if name in off else found.get(name, 0)) for name in INVARIANTS),
    )
    yield "<h2>All days</h2>"
    yield from _curves(certificate.outcomes)
    if certificate.failures:
        yield "<h2>Days that broke it</h2>"
        for outcome in certificate.failures[:_DAYS]:
            yield _day(outcome, certificate, open_=False)
        if len(certificate.failures) > _DAYS:
            yield f"<p>And {len(certificate.failures) - _DAYS} more; report.json names them all.</p>"
    if certificate.remarks:
        yield "<h2>Remarks</h2>" + _list(f"{text} (on {count} days)" for text, count in certificate.remarks.items())
    yield "<h2>What was not tested</h2>" + _list(certificate.not_tested)
    yield "<h2>Figures</h2>"
    yield _table(("", ""), _figures(certificate))


def _figures(certificate: Certificate) -> Iterator[tuple[object, object]]:
    yield "days", f"{len(certificate.outcomes)} of {certificate.wanted}, {certificate.job.minutes:g} minutes each"
    yield "virtual hours", f"{certificate.hours:.2f}"
    yield "virtual hours per second of CPU time", f"{certificate.hours_per_cpu_second:.4f}"
    yield "took", f"{certificate.seconds:.0f} s"
    yield from versions().items()


def _smallest(certificate: Certificate) -> Iterator[str]:
    if not certificate.smallest:
        return
    yield "<h2>The smallest bad days</h2>"
    for name, small in certificate.smallest.items():
        search = "nothing more can be left out" if small.whole else "the search ran out of replays or time"
        finding = small.outcome.findings[0]
        again = f"bitmart-trio certify {certificate.job.bot} --minutes {small.day.minutes:g} --replay {small.day.name}"
        deeds = _list(str(deed) for deed in small.day.deeds) or "<p>No trouble is needed at all.</p>"
        yield (
            f"<p><b>{_text(finding.invariant)}</b>, from day {_text(name)} in {small.replays} replays ({search}): "
            f"{_text(finding.text)}</p><p>All that happens on it before the bot is asked to end at {small.day.end:g} s"
            f" ({_text(small.day.ending)}), in a {_text(small.day.weather)} market:</p>{deeds}"
            f"<p>Again: <code>{_text(again)}</code></p>"
        )
        yield _day(small.outcome, certificate, open_=True)


def _day(outcome: Outcome, certificate: Certificate, *, open_: bool) -> str:
    rows = [*((each.at, each.kind, each.text) for each in outcome.moments)]
    rows += [(each.at, "finding", str(each)) for each in outcome.findings]
    rows.sort(key=lambda row: row[0])
    failed = min(each.at for each in outcome.findings)
    # The events before the failure matter more than those after it.
    before = [row for row in rows if row[0] <= failed + 1 or row[1] == "finding"][-_ROWS:]
    lines = "".join(
        f'<tr class="{kind}"><td class="n">{at:.3f}</td><td class="k-{kind}">{kind}</td><td>{_text(text)}</td></tr>'
        for at, kind, text in before
    )
    return (
        f"<details{' open' if open_ else ''}><summary>Day {_text(outcome.name)}: "
        f"{_text(', '.join(sorted({each.invariant for each in outcome.findings})))}</summary>"
        f"{_list(str(each) for each in outcome.findings)}{_price(outcome, certificate.job.terms.symbols)}"
        '<div class="scroll"><table><tr><th class="n">second</th><th></th><th>what</th></tr>'
        f"{lines}</table></div></details>"
    )


# ---- pictures --------------------------------------------------------------------------------------------------------


def _price(outcome: Outcome, symbols: Sequence[str]) -> str:
    """The price of each symbol in percent of its first one, with fills, faults and findings on the time axis."""
    rows = outcome.prices
    if len(rows) < 2:
        return ""
    lines = [
        [(row[0], (row[number + 1] / rows[0][number + 1] - 1) * 100) for row in rows]
        for number in range(len(symbols))
        if rows[0][number + 1]
    ]
    marks = [(each.at, "#b35900") for each in outcome.moments if each.kind == "fault"]
    marks += [(each.at, "#1a7f37") for each in outcome.moments if each.kind == "fill"]
    marks += [(each.at, "#c1121f") for each in outcome.findings]
    title = f"Price of {', '.join(symbols)} in percent; marks: faults (brown), fills (green), findings (red)"
    return _chart(lines, title, marks)


def _curves(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """PnL, exposure and requests per minute of all days."""
    for number, title, relative in (
        (1, "Worth of the account since the beginning of the day, in dollars", True),
        (2, "Exposure in dollars", False),
        (3, "Calls a minute", False),
    ):
        lines = [
            [(row[0], row[number] - (each.series[0][number] if relative else 0)) for row in each.series]
            for each in outcomes[:200]
            if len(each.series) > 1
        ]
        yield _chart(lines, title, ())


def _chart(lines: Sequence[Sequence[tuple[float, float]]], title: str, marks: Iterable[tuple[float, str]]) -> str:
    points = [point for line in lines for point in line]
    if not points:
        return ""
    right = max(at for at, _ in points) or 1
    low, high = min(value for _, value in points), max(value for _, value in points)
    if high == low:
        low, high = low - 1, high + 1

    def x(at: float) -> float:
        return min(max(at / right, 0), 1) * (_WIDTH - 90) + 80

    def y(value: float) -> float:
        return (high - value) / (high - low) * (_HEIGHT - 40) + 10

    def path(line: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in line)

    drawn = "".join(
        f'<polyline fill="none" stroke="{("#0969da", "#8250df", "#1a7f37", "#9a6700")[number % 4]}" stroke-width="1.5" '
        f'stroke-opacity="{1 if len(lines) < 5 else 0.4}" points="{path(line)}"/>'
        for number, line in enumerate(lines)
    )
    drawn += "".join(
        f'<line x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{_HEIGHT - 30}" y2="{_HEIGHT - 20}" stroke="{colour}"/>'
        for at, colour in marks
    )
    labels = (
        f'<text x="74" y="16" text-anchor="end">{high:.5g}</text>'
        f'<text x="74" y="{_HEIGHT - 30}" text-anchor="end">{low:.5g}</text>'
        f'<text x="80" y="{_HEIGHT - 4}">0 s</text>'
        f'<text x="{_WIDTH - 10}" y="{_HEIGHT - 4}" text-anchor="end">{right:.0f} s</text>'
    )
    return (
        f'<figure><figcaption>{_text(title)}</figcaption><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{_text(title)}" font-size="12" fill="currentColor">{labels}{drawn}</svg></figure>'
    )


# ---- words -----------------------------------------------------------------------------------------------------------


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    titles = "".join(f"<th>{_text(each)}</th>" for each in head)
    lines = "".join("<tr>" + "".join(f"<td>{_text(str(each))}</td>" for each in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{titles}</tr>{lines}</table></div>'


def _list(texts: Iterable[str]) -> str:
    items = "".join(f"<li>{_text(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""


def _text(text: str) -> str:
    return escape(printable(text, longest=2_000))
