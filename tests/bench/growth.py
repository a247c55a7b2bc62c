"""How cost grows: with topics, subscribers, depth and connections. ``python -m tests.bench.growth [--save]``.

``--save`` draws the plot of ``docs/images``, for which it needs matplotlib.
"""

# ruff: noqa: T201  # a program: it prints

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterable
from typing import Any, Final

import attrs

from . import runs
from .scenario import OURS, Scenario

IMAGE: Final = runs.ROOT / "docs" / "images" / "cost_growth.png"
_ROUNDS: Final = 3
_TRADES: Final = {
    "do": "stream", "market": "futures", "kind": "trade", "encoding": "text", "topics": 1, "warm": 2_000,
    "count": 30_000, "batches": True,
}  # fmt: skip


@attrs.frozen
class Point:
    """One measurement."""

    size: int
    micros: float
    """Processor time of a unit, in microseconds."""
    kilobytes: float | None
    """Memory of a unit; None where there is nothing to count."""


def _measure(plan: dict[str, Any], **server: Any) -> tuple[float, float]:
    """Microseconds a message (or connection) and bytes in all: medians."""
    scenario = Scenario(name="growth", server="sockets", plan=plan, peers=(), server_plan=server)
    found = [runs.run_once(scenario, OURS) for _ in range(_ROUNDS)]
    micros = statistics.median(each["cpu"] / each["count"] * 1e6 for each in found)
    return micros, statistics.median(float(each["held" if "held" in each else "memory"]) for each in found)


def topics() -> Iterable[Point]:
    """One message a time, over so many topics; more than a hundred need more connections."""
    for count in (1, 10, 100, 300, 1_000):
        sockets = -(-count // 100)
        share = {name: _TRADES[name] // sockets for name in ("warm", "count")}  # type: ignore[operator]
        plan = _TRADES | {"topics": count} | {name: each * sockets for name, each in share.items()}
        micros, _ = _measure(plan, topics=min(count, 100), **share)
        if count == 1:
            yield Point(count, micros, None)
            continue
        # Memory before a message has come: what is held in buffers is not a topic's own.
        quiet = plan | {"do": "topics"}
        _, grown = _measure(quiet, topics=0)
        yield Point(count, micros, grown / (count - 1) / 1000)


def subscribers() -> Iterable[Point]:
    """One topic, so many subscriptions to it, each read by a task: the cost of a message for each of them."""
    for count in (1, 3, 10, 30, 100):
        plan = _TRADES | {"do": "fan_out", "subscribers": count, "count": 10_000}
        micros, grown = _measure(plan, wait=1.0)  # until all have subscribed
        yield Point(count, micros / count, grown / (count - 1) / 1000 if count > 1 else None)


def depth(look: str) -> Iterable[Point]:
    """Messages with so many levels a side, of which the best is read, or all."""
    for count in (5, 20, 50, 100, 300, 1_000):
        plan = _TRADES | {
            "market": "spot", "kind": "depth", "levels": count, "look": look, "warm": 50,
            "count": max(2_000, 50_000 // count),
        }  # fmt: skip
        micros, _ = _measure(plan)
        yield Point(count, micros, None)


def connections() -> Iterable[Point]:
    """So many connections with a topic each: to open one, and what it takes in memory."""
    for count in (2, 10, 30, 100):
        plan = _TRADES | {"do": "connections", "kind": "ticker", "connections": count, "warm": 0, "count": 1}
        micros, grown = _measure(plan, ports=10)
        yield Point(count, micros, grown / (count - 1) / 1000)


PANELS: Final[tuple[tuple[str, str, Callable[[], Iterable[Point]]], ...]] = (
    ("topics", "µs a message", topics),
    ("subscribers to one topic", "µs a message for each", subscribers),
    ("levels a side, best price read", "µs a message", lambda: depth("best")),
    ("levels a side, all levels read", "µs a message", lambda: depth("all")),
    ("connections", "µs to open one", connections),
)


def draw(found: dict[str, list[Point]]) -> None:
    """The plot of the documentation."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(13, 7), layout="constrained")
    for axis, (name, unit, _) in zip(axes.flat, PANELS, strict=False):
        points = found[name]
        axis.plot([each.size for each in points], [each.micros for each in points], "o-", color="#1f5fa8")
        axis.set(xlabel=name, ylabel=unit, xscale="log")
        axis.set(**({"yscale": "log"} if "levels" in name else {"ylim": (0, None)}))
        axis.grid(visible=True, alpha=0.3)
    last = axes.flat[-1]
    for name, colour in (("topics", "#1f5fa8"), ("subscribers to one topic", "#c8553d"), ("connections", "#3d8b5f")):
        points = [each for each in found[name] if each.kilobytes is not None]
        sizes, memory = [each.size for each in points], [each.kilobytes or 0.0 for each in points]
        last.plot(sizes, memory, "o-", color=colour, label=name)
    last.set(xlabel="how many", ylabel="kB of memory each", xscale="log", yscale="log")
    last.grid(visible=True, alpha=0.3)
    last.legend()
    IMAGE.parent.mkdir(exist_ok=True)
    figure.savefig(IMAGE, dpi=80)


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    parser.add_argument("--save", action="store_true", help="draw the plot of the documentation")
    given = parser.parse_args()
    found: dict[str, list[Point]] = {}
    for name, unit, measure in PANELS:
        found[name] = list(measure())
        print(f"\n{name}: {unit}, kB each")
        for each in found[name]:
            memory = "" if each.kilobytes is None else f"{each.kilobytes:10.1f} kB"
            print(f"  {each.size:6,} {each.micros:10.2f} us {memory}")
    if given.save:
        draw(found)


if __name__ == "__main__":
    main()
