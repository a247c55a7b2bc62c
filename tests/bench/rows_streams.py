"""The rows of streams: messages as fast as they come, messages one at a time, start and memory.

Everybody is warm before it counts: a JIT has seen 40,000 messages (10,000 large ones). Packed messages cost some peers
a hundred times as much as text; those have seen 2,000.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from . import work
from .scenario import Scenario

_FAST: Final = {"trade": 40_000, "ticker": 30_000, "depth": 10_000}
_SLOW: Final = {"trade": 6_000, "ticker": 5_000, "depth": 1_500}
_WARM: Final = {"trade": 40_000, "ticker": 40_000, "depth": 10_000}
_TEXT_GOALS: Final[dict[str, dict[str, float]]] = {
    "trade": {"npm": 0.60, "picows": 1.5},
    "ticker": {"npm": 0.80, "picows": 1.5},
    "depth": {"npm": 0.40, "picows": 1.5},
}
_DEFLATE_GOALS: Final[dict[str, dict[str, float]]] = {
    "trade": {"npm": 0.12, "official": 0.45},
    "ticker": {"npm": 0.12, "official": 0.55},
    "depth": {"npm": 0.12, "official": 0.85},
}
_FOR: Final[dict[str, dict[str, Any]]] = {"ours:for": {"batches": False}, "ours:plain": {"tap": False, "warm": 2_000}}
# The pause behind warming up is long enough for everybody to be done with it: a backlog would count as latency.
_TRADES: Final[dict[str, Any]] = {
    "do": "stream", "market": "futures", "kind": "trade", "encoding": "text", "topics": 1, "batches": True,
    "pause": 2.0,
}  # fmt: skip


def streams() -> Iterator[Scenario]:
    """All of them."""
    yield from _bursts()
    yield from _paced()
    yield from _start()
    yield from _memory()


def _bursts() -> Iterator[Scenario]:
    for market in ("spot", "futures"):
        for encoding in ("text", "deflate") if market == "spot" else ("text",):
            for kind in work.KINDS:
                text = encoding == "text"
                fast, slow = _FAST[kind], _SLOW[kind]
                yield Scenario(
                    name=f"stream {market} {kind} {encoding}",
                    server="sockets",
                    plan={
                        "do": "stream", "market": market, "kind": kind, "encoding": encoding, "topics": 1,
                        "warm": _WARM[kind] if text else 2_000, "count": fast, "batches": True, "pause": 2.0,
                    },
                    peers=("ours:for", "ours:plain", "npm", "picows", "trio_websocket", "official"),
                    variants={**_FOR, "official": {"warm": 2_000}, "trio_websocket": {"warm": 2_000}},
                    goals={**(_TEXT_GOALS if text else _DEFLATE_GOALS)[kind]},
                    counts={
                        "official": slow, "trio_websocket": fast // 2, "npm": fast if text else slow // 2,
                        "ours:for": fast // 2, "ours:plain": fast // 2,
                    },
                    quick=market == "spot",
                )  # fmt: skip
    for topics in (10, 100):
        yield Scenario(
            name=f"stream futures trade text, {topics} topics",
            server="sockets",
            plan={**_TRADES, "topics": topics, "warm": 40_000, "count": 40_000},
            peers=("npm", "picows", "trio_websocket"),
            counts={"trio_websocket": 20_000},
        )
    yield Scenario(
        name="stream futures trade text, TLS",
        server="sockets",
        plan={**_TRADES, "warm": 40_000, "count": 40_000, "tls": True},
        peers=("npm", "trio_websocket"),
        counts={"trio_websocket": 20_000},
    )
    yield Scenario(
        name="stream futures depth, 30 % removals, unevenly spelled",
        server="sockets",
        plan={**_TRADES, "kind": "depth", "warm": 2_000, "count": 10_000, "uneven": True},
        peers=("ours:even",),
        variants={"ours:even": {"uneven": False}},
        goals={"ours:even": 1.5},
    )


def _paced() -> Iterator[Scenario]:
    """One message at a time, as the exchange sends them; the same runs tell how long each took from the server on."""
    goals: dict[int, dict[str, float]] = {
        100: {"npm": 0.80}, 500: {"npm": 0.80}, 1_000: {"npm": 1.10}, 2_000: {"npm": 1.10},
    }  # fmt: skip
    secured: dict[int, dict[str, float]] = {200: {"npm": 0.90}, 1_000: {"npm": 1.20}}
    for tls, rates in ((False, goals), (True, secured)):
        for rate, goal in rates.items():
            name = f"paced at {rate:,}/s futures trade text{', TLS' if tls else ''}"
            count = 4 * rate if rate > 100 else 500
            plan = {**_TRADES, "warm": 40_000, "count": count, "rate": rate, "tls": tls}
            yield Scenario(
                name=name, server="sockets", plan=plan,
                peers=("ours:for", "npm", "bare_trio") if tls else ("ours:for", "npm", "picows", "bare_trio"),
                variants={"ours:for": {"batches": False}}, goals={**goal, "bare_trio": 1.20}, quick=rate == 2_000,
            )  # fmt: skip
            if not tls and rate in (100, 1_000):
                for cost, most in (("p50", 1.15), ("p99", 1.25)):
                    yield Scenario(
                        name=f"latency at {rate:,}/s futures trade text, {cost}", server="sockets", plan=plan,
                        peers=("ours:for", "npm", "picows", "bare_trio"),
                        variants={"ours:for": {"batches": False}}, goals={"bare_trio": most},
                        cost="p50" if cost == "p50" else "p99", of=name,
                    )  # fmt: skip


def _start() -> Iterator[Scenario]:
    plan = {**_TRADES, "do": "first", "kind": "ticker", "warm": 0, "count": 10}
    name = "start to first tick"
    peers = ("npm", "trio_websocket")
    yield Scenario(name=name, server="sockets", plan=plan, peers=peers, goals={"npm": 1.2}, quick=True)
    yield Scenario(name=f"{name}, seconds that pass", server="sockets", plan=plan, peers=peers, cost="wall", of=name)


def _memory() -> Iterator[Scenario]:
    for kind, overflow in (("ticker", "conflate"), ("trade", "drop_oldest")):
        yield Scenario(
            name=f"memory, consumer asleep, {kind}",
            server="sockets",
            plan={
                "do": "sleeper", "market": "futures", "kind": kind, "encoding": "text", "topics": 1, "warm": 0,
                "count": 200_000, "buffer": "default", "overflow": overflow,
            },
            peers=("npm",) if kind == "ticker" else (),
            cost="memory",
            most=5e6,
            quick=kind == "ticker",
        )  # fmt: skip
    yield Scenario(
        name="memory of 100 connections, each",
        server="sockets",
        plan={
            "do": "connections", "market": "futures", "kind": "ticker", "encoding": "text", "topics": 1, "warm": 0,
            "count": 1, "connections": 100,
        },
        peers=(),
        cost="memory",
        server_plan={"ports": 10},
    )  # fmt: skip
