"""The rows of what a program does beside its messages and calls: decoding, starting, trading, simulating, exporting."""

from __future__ import annotations

from collections.abc import Iterator

from .scenario import Scenario


def programs() -> Iterator[Scenario]:
    """All of them."""
    yield from _local()
    yield from _trading()
    yield from _exchange()
    yield from _files()


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
    yield Scenario(
        name="`--help`, beyond bare Python",
        server="",
        module="local_programs",
        plan={"do": "help", "count": 3},
        peers=(),
        most=0.120,
        quick=True,
    )


def _trading() -> Iterator[Scenario]:
    bulk = {"do": "bulk", "count": 60, "foreign": 210}
    name = "60 own orders of 270 cancelled at the end of a session"
    yield Scenario(
        name=name, server="exchange", module="peer_orders", plan=bulk, peers=("ours:raw",),
        variants={"ours:raw": {"raw": True}}, cost="elapsed", most=0.15,
    )  # fmt: skip
    yield Scenario(
        name=f"{name}: requests", server="exchange", module="peer_orders", plan=bulk, peers=("ours:raw",),
        variants={"ours:raw": {"raw": True}}, cost="requests", most=8, of=name,
    )  # fmt: skip
    submit = {"do": "submit", "count": 100, "journal": True}
    for cost, goal in (("p50", 1.3), ("p99", 1.5)):
        yield Scenario(
            name=f"submit in a session with a journal on a disk, {cost}", server="exchange", module="peer_orders",
            plan=submit, peers=("ours:without",), variants={"ours:without": {"journal": False}},
            goals={"ours:without": goal}, cost="p50" if cost == "p50" else "p99",
            of="" if cost == "p50" else "submit in a session with a journal on a disk, p50",
        )  # fmt: skip


def _exchange() -> Iterator[Scenario]:
    for verb, goal in (("GET", 2.0), ("POST", 4.0)):
        yield Scenario(
            name=f"simulated exchange answers a {'signed order' if verb == 'POST' else 'GET'}",
            server="",
            module="peer_exchange",
            plan={"do": "answer", "verb": verb, "warm": 200, "count": 1_000},
            peers=("aiohttp_echo",),
            goals={"aiohttp_echo": goal},
        )
    day = {"do": "virtual_day", "count": 1, "hours": 0.05, "symbols": 6, "follow": "ticker"}
    yield Scenario(
        name="a virtual day: six symbols, ticks of 0.1 s, a ticker, an order a minute",
        server="",
        module="local_programs",
        plan=day,
        peers=("ours:book", "ours:many"),
        variants={"ours:book": {"follow": "book"}, "ours:many": {"symbols": 100, "hours": 0.02}},
        most=90,
    )


def _files() -> Iterator[Scenario]:
    yield Scenario(
        name="klines to Parquet, each", server="", module="local_programs",
        plan={"do": "parquet", "count": 100_000}, peers=(), most=12e-6,
    )  # fmt: skip
    yield Scenario(
        name="verify an archive, each record", server="", module="local_programs",
        plan={"do": "verify", "count": 20_000}, peers=(), most=600e-6,
    )  # fmt: skip
