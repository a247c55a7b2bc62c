"""The rows of calls. Everybody has made 3,000 before it counts."""

from __future__ import annotations

from collections.abc import Iterator

from .scenario import Scenario


def rest() -> Iterator[Scenario]:
    """All of them."""
    peers = ("aiohttp", "httpx", "npm", "official")
    for verb in ("GET", "POST"):
        yield Scenario(
            name=f"REST {'signed POST' if verb == 'POST' else 'GET'}, one after the other",
            server="rest",
            plan={"do": "rest", "verb": verb, "warm": 3_000, "count": 1_000},
            peers=peers,
            goals={"httpx": 0.80, "npm": 0.95, "aiohttp": 1.4},
            quick=True,
        )
    many = {"do": "rest", "verb": "GET", "at_once": 50, "warm": 3_000, "count": 3_000}
    yield Scenario(
        name="REST GET, 50 at once", server="rest", plan=many, peers=peers, goals={"npm": 0.95, "aiohttp": 1.4}
    )
    slow = {"delay": 0.02}
    name = "REST GET, 50 at once, server takes 20 ms: processor"
    yield Scenario(name=name, server="rest", plan=many, peers=peers, server_plan=slow, quick=True)
    yield Scenario(
        name="REST GET, 50 at once, server takes 20 ms: calls a second",
        server="rest",
        plan=many,
        peers=peers,
        goals={"official": 1.3, "npm": 1.0},
        cost="rate",
        server_plan=slow,
        quick=True,
        of=name,
    )
