"""One simulated exchange for a file of tests, on a free port, and a client of it for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import bitmart_trio as bm


@pytest.fixture(scope="module")
def server() -> Iterator[bm.sim.Server]:
    with bm.blocking.hold(bm.sim.open_server(port=0, seed=7)) as held:
        yield held


@pytest.fixture
def client(server: bm.sim.Server) -> Iterator[bm.blocking.Client]:
    with bm.blocking.open_client(server.credentials, environment=server.environment) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _no_wait_is_for_ever() -> Iterator[None]:
    with bm.blocking.fail_after(30):
        yield
