"""The command: ``python -m tests.bench [--quick] [--only NAME] [--json FILE] [--compare [FILE]] [--save]``."""

# ruff: noqa: T201  # a program: it prints
from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from . import runs
from .scenario import OURS, Scenario
from .scenarios import SCENARIOS

BASELINES: Final = Path(__file__).parent / "baselines"
SLIDE: Final = 0.15
_UNITS: Final = {
    "cpu": (1e6, "us"), "rate": (1, "/s"), "memory": (1e-3, "kB"), "wall": (1e3, "ms"), "elapsed": (1e3, "ms"),
    "p50": (1e6, "us"), "p99": (1e6, "us"), "requests": (1, ""),
}  # fmt: skip


def build() -> str:
    """How this Python was built: with profile-guided optimisation it runs its own bytecode half as fast again."""
    given = str(sysconfig.get_config_var("CONFIG_ARGS") or "")
    return "optimised" if "--enable-optimizations" in given else "plain"


def machine() -> str:
    """The class of this machine: ratios of one are not those of another."""
    return (
        f"{platform.system()}-{platform.machine()}-{os.cpu_count()}cpu-"
        f"py{sys.version_info.major}.{sys.version_info.minor}-{build()}"
    ).lower()


def _spread(values: list[float]) -> tuple[float, float]:
    """The middle half."""
    if len(values) < 4:
        return min(values), max(values)
    quarters = statistics.quantiles(values, n=4)
    return quarters[0], quarters[2]


def as_data(result: runs.Result) -> dict[str, Any]:
    """A result as JSON."""
    ratios = {}
    for peer in result.costs:
        if peer != OURS:
            low, high = _spread(result.ratios(peer))
            ratios[peer] = {
                "ratio": round(statistics.median(result.ratios(peer)), 4),
                "low": round(low, 4),
                "high": round(high, 4),
                "goal": result.scenario.goals.get(peer),
                "met": result.met(peer),
            }
    return {
        "cost": result.scenario.cost,
        "costs": {peer: statistics.median(values) for peer, values in result.costs.items()},
        "ratios": ratios,
        "rounds": len(result.costs[OURS]),
        "notes": result.notes,
    }


def show(result: runs.Result) -> None:
    """A result for people."""
    scale, unit = _UNITS[result.scenario.cost]
    ours = statistics.median(result.costs[OURS])
    print(f"\n{result.scenario.name}: {ours * scale:,.1f} {unit}", end="")
    most = result.scenario.most
    print("" if most is None else f"  (at most {most * scale:,.0f}: {'met' if ours <= most else 'NOT MET'})")
    for peer, values in result.costs.items():
        if peer == OURS:
            continue
        ratio, (low, high) = statistics.median(result.ratios(peer)), _spread(result.ratios(peer))
        line = (
            f"  {peer:16} {statistics.median(values) * scale:12,.1f} {unit:3} ratio {ratio:6.3f} ({low:.3f}-{high:.3f})"
        )
        goal = result.scenario.goals.get(peer)
        if goal is not None:
            line += f"  goal {goal:<4} {'met' if result.met(peer) else 'NOT MET'}"
        print(line)
    for what, value in result.notes.items():
        print(f"  {what}: {value:g}")
    sys.stdout.flush()


def slides(now: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """What has become more than 15 % worse than the baseline, by its ratios."""
    found: list[str] = []
    for name, result in now.items():
        for peer, ratio in result["ratios"].items():
            old = before.get(name, {}).get("ratios", {}).get(peer, {}).get("ratio")
            if old is None:
                continue
            change = old / ratio["ratio"] if result["cost"] == "rate" else ratio["ratio"] / old
            if change > 1 + SLIDE:
                found.append(f"{name} against {peer}: {old:.3f} became {ratio['ratio']:.3f} ({change - 1:+.0%})")
    return found


def check(chosen: Sequence[Scenario]) -> None:
    """Tiny runs of everything, to see that the work is done right: nothing is timed."""
    for scenario in chosen:
        for peer in () if scenario.of else (OURS, *scenario.peers):
            if runs.installed(peer):
                runs.prove(scenario, peer)
        print(f"{scenario.name}: right")


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the main scenarios, three rounds")
    parser.add_argument(
        "--only", action="append", default=[], metavar="WORDS", help="scenarios with these words in their names"
    )
    parser.add_argument("--goals", action="store_true", help="only peers that there is a goal against")
    parser.add_argument("--rounds", type=int, help="how often everybody takes a turn (7; 3 when quick)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    parser.add_argument("--save", action="store_true", help="make the results the baseline of this class of machine")
    parser.add_argument(
        "--compare", nargs="?", const="", metavar="FILE", help="flag slides of more than 15 %% against a baseline"
    )
    parser.add_argument("--check", action="store_true", help="only see that everybody does the work right")
    given = parser.parse_args()
    chosen: list[Scenario] = [
        each
        for each in SCENARIOS
        if (each.quick or not given.quick) and (not given.only or any(words in each.name for words in given.only))
    ]
    if given.goals:
        chosen = [attrs.evolve(each, peers=tuple(each.goals)) for each in chosen]
    if given.check:
        check(chosen)
        return
    missing = sorted({peer for each in chosen for peer in each.peers if not runs.installed(peer)})
    print(f"Python {platform.python_version()}, {build()} build")
    if missing:
        print(f"not installed, left out: {', '.join(missing)}")
    results: dict[str, Any] = {}
    ran: dict[str, runs.Result] = {}
    for scenario in chosen:
        same = ran.get(scenario.of)
        result = same.by(scenario) if same else runs.run(scenario, given.rounds or (3 if given.quick else 7))
        ran[scenario.name] = result
        show(result)
        results[scenario.name] = as_data(result)
    data = {"machine": machine(), "results": results}
    if given.json is not None:
        given.json.write_text(json.dumps(data, indent=1) + "\n")
    baseline = BASELINES / f"{machine()}.json"
    if given.compare is not None:
        file = Path(given.compare) if given.compare else baseline
        if not file.exists():
            sys.exit(f"no baseline for this class of machine: {file}")
        worse = slides(results, json.loads(file.read_text())["results"])
        for line in worse:
            print(f"SLIDE {line}")
        if worse:
            sys.exit(1)
        print("\nno slide of more than 15 %")
    if given.save:
        BASELINES.mkdir(exist_ok=True)
        kept = json.loads(baseline.read_text())["results"] if baseline.exists() else {}
        for name, result in results.items():
            old = kept.get(name, {"costs": {}, "ratios": {}})
            costs, ratios = old["costs"] | result["costs"], old["ratios"] | result["ratios"]
            kept[name] = result | {"costs": costs, "ratios": ratios}
        baseline.write_text(json.dumps({"machine": machine(), "results": kept}, indent=1) + "\n")


if __name__ == "__main__":
    main()
