"""Writes the table of ``docs/explanations/performance.md`` from the stored baseline: ``python -m tests.bench.page``."""

from __future__ import annotations

import argparse
import json
from typing import Any, Final

from . import runs
from .__main__ import BASELINES, machine
from .scenario import OURS
from .scenarios import SCENARIOS

PAGE: Final = runs.ROOT / "docs" / "explanations" / "performance.md"
_BEGIN: Final = "<!-- the table: written by python -m tests.bench.page -->\n"
_END: Final = "<!-- end of the table -->\n"
_NAMES: Final = {
    "npm": "npm bitmart-api", "official": "official Python SDK", "picows": "picows and msgspec",
    "httpx": "httpx.AsyncClient", "aiohttp": "aiohttp", "aiohttp_echo": "an aiohttp handler",
    "bare_trio": "two bare Trio tasks", "ours:even": "all alike, no removals (us)", "ours:raw": "batch calls (us)",
    "ours:without": "without a journal (us)", "ours:book": "and a book (us)", "ours:many": "100 symbols (us)",
    "trio_websocket": "trio-websocket alone", "ours:for": "`async for` (us)", "ours:plain": "without the tap (us)",
    "json_cattrs": "json and cattrs", "sorted_dict": "SortedDict", "dependencies": "the dependencies alone",
}  # fmt: skip
_UNITS: Final = {
    "cpu": (1e6, "µs"), "rate": (1, "a second"), "memory": (1e-3, "kB"), "wall": (1e3, "ms"), "elapsed": (1e3, "ms"),
    "p50": (1e6, "µs"), "p99": (1e6, "µs"), "requests": (1, "requests"),
}  # fmt: skip


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def table(results: dict[str, Any]) -> str:
    """One row for each scenario and peer."""
    lines = [
        "| work | ours | against | theirs | ratio (middle half) | goal |",
        "| --- | ---: | --- | ---: | --- | --- |",
    ]
    for scenario in SCENARIOS:
        result = results.get(scenario.name)
        if result is None:
            continue
        scale, unit = _UNITS[result["cost"]]
        ours, first = f"{_number(result['costs'][OURS] * scale)} {unit}", True
        for peer, ratio in result["ratios"].items() or {"": None}.items():
            work = scenario.name if first else ""
            if ratio is None:
                lines.append(f"| {work} | {ours} | | | | |")
                continue
            goal = "" if ratio["goal"] is None else f"{ratio['goal']:g}, {'met' if ratio['met'] else '**not met**'}"
            theirs = _number(result["costs"][peer] * scale)
            figures = f"{ratio['ratio']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"
            lines.append(f"| {work} | {ours if first else ''} | {_NAMES[peer]} | {theirs} | {figures} | {goal} |")
            first = False
    return "\n".join(lines) + "\n"


def main() -> None:
    """See the head of this file."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    stored = json.loads((BASELINES / f"{machine()}.json").read_text())
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    PAGE.write_text(f"{before}{_BEGIN}\n{table(stored['results'])}\n{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
