"""Every endpoint of the client has a route of the simulated exchange, and back; both agree on its terms."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any, Final

import pytest
from documented import ENDPOINTS
from every_case import every_case

import bitmart_trio.rest
from bitmart_trio._bitmart.rows import REGISTRY
from bitmart_trio._core.endpoint import Endpoint
from bitmart_trio.sim import Simulation
from bitmart_trio.sim.bitmart.direct import Direct
from bitmart_trio.sim.bitmart.wire import Route
from bitmart_trio.sim.kernel.messages import Request

for _module in pkgutil.walk_packages(bitmart_trio.rest.__path__, "bitmart_trio.rest."):
    importlib.import_module(_module.name)

ROWS: Final = [row for row in REGISTRY if row.returns.__module__.startswith(("bitmart_trio.", "builtins"))]
"""Every row of the client's chapters."""
VENUE: Final = Simulation().bitmart
ROUTES: Final = VENUE.routes.table
PAGES: Final = ("README.md", "docs/comparison.md")
ROOT: Final = Path(__file__).parent.parent


def missing(rows: list[Endpoint[Any]], routes: dict[tuple[str, str], Route]) -> set[str]:
    """The endpoints of the client that no route answers."""
    return {str(row) for row in rows if (row.method, row.path) not in routes}


def terms(row: Endpoint[Any]) -> tuple[object, ...]:
    """What both sides have to agree on: authority, quota, and whether it changes anything."""
    quota = None if row.quota is None else (row.quota.count, row.quota.per, row.quota.by)
    return row.auth.value, quota, row.reads


@every_case("row", ROWS, ids=str)
def test_every_endpoint_has_a_route(row: Endpoint[Any]) -> None:
    """One that is still there answers by the terms that the client keeps; a retired one says that it is retired."""
    route = ROUTES[row.method, row.path]
    if row.replaced_by is None:
        limit = None if route.limit is None else (route.limit.count, route.limit.seconds, route.limit.by)
        assert (route.auth, limit, not route.writes) == terms(row)
    else:
        assert answer(route) == (200, 30031)


def test_every_route_has_an_endpoint() -> None:
    """What the client has no row for is an old path, which says that it is retired."""
    rows = {(row.method, row.path) for row in ROWS}
    assert {answer(route) for key, route in ROUTES.items() if key not in rows} == {(200, 30031)}


def answer(route: Route) -> tuple[int, object]:
    """Status and code of a call without a key."""
    headers, body = {"content-type": "application/json"}, b"{}" if route.method == "POST" else b""
    found = Direct(VENUE).send(Request(route.method, route.path, "", headers, body, "127.0.0.1"))
    return found.status, found.code


@pytest.mark.parametrize("key", [("GET", "/spot/quotation/v3/ticker"), ("POST", "/contract/private/submit-order")])
def test_a_missing_route_is_found(key: tuple[str, str]) -> None:
    """Any one that is taken out of the table is missed."""
    assert missing(ROWS, ROUTES) == set()
    assert missing(ROWS, {each: route for each, route in ROUTES.items() if each != key}) == {" ".join(key)}


def test_all_documented_endpoints_are_there() -> None:
    """As many as are documented, and the pages that name the number name this one."""
    assert len(ROWS) == ENDPOINTS
    for page in PAGES:
        named = re.findall(r"(\d{3})(?= documented| \|)|of the (\d{3})", (ROOT / page).read_text(encoding="utf-8"))
        numbers = {number for pair in named for number in pair if number}
        assert str(ENDPOINTS) in numbers, page
