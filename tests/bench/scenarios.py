"""What is measured: each scenario, who does it, and what our cost may be of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal, TypeAlias

import attrs

from . import work

Cost: TypeAlias = Literal["cpu", "rate", "memory", "wall"]
"""Seconds of the client's processor a unit, units a second (more is better), bytes, or seconds that pass."""

OURS: Final = "ours"


@attrs.frozen(kw_only=True)
class Scenario:
    """One piece of work, done by us and by others in turn."""

    name: str
    server: str
    """"sockets", "rest" or "" for work within the process."""
    plan: dict[str, Any]
    peers: tuple[str, ...]
    """Us apart. "ours:x" is us again, with the options of `variants`."""
    goals: dict[str, float] = attrs.field(factory=dict)
    """The most that our cost may be of a peer's (for a rate: the least)."""
    counts: dict[str, int] = attrs.field(factory=dict)
    """Units of work by peer, where they differ: slow ones are given less."""
    cost: Cost = "cpu"
    variants: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    quick: bool = False
    """Part of a quick run."""
    most: float | None = None
    """The most that our cost may be by itself."""
    server_plan: dict[str, Any] = attrs.field(factory=dict)


_FAST: Final = {"trade": 40_000, "ticker": 30_000, "depth": 10_000}
_SLOW: Final = {"trade": 6_000, "ticker": 5_000, "depth": 1_500}
_TEXT_GOALS: Final = {
    "trade": {"npm": 0.75, "picows": 1.5},
    "ticker": {"npm": 0.95, "picows": 1.5},
    "depth": {"npm": 0.40, "picows": 1.5},
}
_DEFLATE_GOALS: Final = {
    "trade": {"npm": 0.12, "official": 0.45},
    "ticker": {"npm": 0.12, "official": 0.55},
    "depth": {"npm": 0.12, "official": 0.85},
}
_FOR: Final[dict[str, dict[str, Any]]] = {"ours:for": {"batches": False}, "ours:plain": {"tap": False}}


def _streams() -> Iterator[Scenario]:
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
                        "warm": 300 if kind == "depth" else 2_000, "count": fast, "batches": True,
                    },
                    peers=("ours:for", "ours:plain", "npm", "picows", "trio_websocket", "official"),
                    variants=_FOR,
                    goals=(_TEXT_GOALS if text else _DEFLATE_GOALS)[kind],
                    counts={
                        "official": slow, "trio_websocket": fast // 2, "npm": fast if text else slow // 2,
                        "ours:for": fast // 2, "ours:plain": fast // 2,
                    },
                    quick=market == "spot",
                )  # fmt: skip
    paced = {
        "do": "stream", "market": "futures", "kind": "trade", "encoding": "text", "topics": 1, "warm": 500,
        "count": 4_000, "rate": 2_000, "batches": True,
    }  # fmt: skip
    yield Scenario(
        name="paced at 2,000/s futures trade text", server="sockets", plan=paced,
        peers=("ours:for", "npm", "picows", "trio_websocket"), variants={"ours:for": {"batches": False}},
        goals={"npm": 0.85}, quick=True,
    )  # fmt: skip
    for topics in (10, 100):
        yield Scenario(
            name=f"stream futures trade text, {topics} topics",
            server="sockets",
            plan={
                "do": "stream", "market": "futures", "kind": "trade", "encoding": "text", "topics": topics,
                "warm": 2_000, "count": 40_000, "batches": True,
            },
            peers=("npm", "picows", "trio_websocket"),
            counts={"trio_websocket": 20_000},
        )  # fmt: skip
    yield Scenario(
        name="stream futures trade text, TLS",
        server="sockets",
        plan={
            "do": "stream", "market": "futures", "kind": "trade", "encoding": "text", "topics": 1, "warm": 2_000,
            "count": 40_000, "batches": True, "tls": True,
        },
        peers=("npm", "trio_websocket"),
        counts={"trio_websocket": 20_000},
    )  # fmt: skip
    first = {
        "do": "first", "market": "futures", "kind": "ticker", "encoding": "text", "topics": 1, "warm": 0, "count": 10,
    }  # fmt: skip
    yield Scenario(
        name="start to first tick",
        server="sockets",
        plan=first,
        peers=("npm", "trio_websocket"),
        cost="wall",
        quick=True,
    )
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


def _rest() -> Iterator[Scenario]:
    peers = ("httpx", "npm", "official")
    for verb in ("GET", "POST"):
        yield Scenario(
            name=f"REST {'signed POST' if verb == 'POST' else 'GET'}, one after the other",
            server="rest",
            plan={"do": "rest", "verb": verb, "warm": 200, "count": 1_000},
            peers=peers,
            goals={"httpx": 0.80, "npm": 0.80},
            quick=True,
        )
    many = {"do": "rest", "verb": "GET", "at_once": 50, "warm": 200, "count": 3_000}
    yield Scenario(name="REST GET, 50 at once", server="rest", plan=many, peers=peers)
    yield Scenario(
        name="REST GET, 50 at once, server takes 20 ms: calls a second",
        server="rest",
        plan=many,
        peers=peers,
        goals={"official": 1.3, "npm": 1.0},
        cost="rate",
        server_plan={"delay": 0.02},
        quick=True,
    )
    yield Scenario(
        name="REST GET, 50 at once, server takes 20 ms: processor",
        server="rest",
        plan=many,
        peers=peers,
        server_plan={"delay": 0.02},
    )


def _local() -> Iterator[Scenario]:
    for what, units in (("tickers", 10), ("klines", 20)):
        yield Scenario(
            name=f"decode {'1,500 tickers' if what == 'tickers' else '500 klines'}",
            server="",
            plan={"do": f"decode_{what}", "count": units},
            peers=("json_cattrs",),
            goals={"json_cattrs": 0.5},
            quick=True,
        )
    yield Scenario(
        name="order book, 10 changes and best prices",
        server="",
        plan={"do": "book", "count": 20_000},
        peers=("sorted_dict",),
        goals={"sorted_dict": 0.5},
        quick=True,
    )
    for name, do in (("import bitmart_trio", "import"), ("import of all that a client needs", "import_client")):
        yield Scenario(
            name=name,
            server="",
            plan={"do": do, "count": 1},
            peers=("dependencies",),
            goals={"dependencies": 1.15},
            quick=True,
        )


SCENARIOS: Final = (*_streams(), *_rest(), *_local())
