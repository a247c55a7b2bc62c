"""What every function of the foreign clients gets from the simulated exchange, held against the documented result.

``python docs/make_foreign_clients.py --run`` takes the result anew.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from foreign import HERE, started
from judgement import OFFICIAL, REFUSED, Row, good, judge, npm_command, npm_trials, sdk_trials, stored
from node_functions import FUNCTIONS
from topics import PRIVATE, PUBLIC

from bitmart_trio.sim import Simulation

pytest_plugins = ["npm_fixture"]
pytestmark = pytest.mark.interop


def _judged(rows: list[Row], name: str) -> None:
    """The same as the documentation shows; and whoever does not succeed has a good reason."""
    assert rows == stored()[name]
    assert {row["function"] for row in rows if not good(row)} <= set(REFUSED)


# The package's ``npm`` fixture comes first, so that without Node.js nothing is started.
async def test_the_npm_package(npm: Path) -> None:
    """Each function of ``bitmart-api`` succeeds, but for those that the real exchange would refuse too."""
    _judged(await judge(npm_command(npm), npm_trials()), "npm")


async def test_the_official_client() -> None:
    """Each function of ``bitmart-python-sdk-api`` succeeds, but for one that fails by itself."""
    _judged(await judge(OFFICIAL, sdk_trials()), "sdk")


async def test_no_function_of_the_official_client_is_forgotten() -> None:
    """Every public function of each of its classes is in the table, and in no other place."""
    async with started(OFFICIAL, "http://127.0.0.1:9") as sdk:
        offered = await sdk.ask(list=True)
    assert {(client, name) for client, names in offered.items() for name in names} == {
        (client, name) for client, name, _, _ in sdk_trials()
    }


def test_no_function_of_the_npm_package_is_forgotten() -> None:
    """Those of the comparison of requests, which a test of theirs finds complete."""
    assert {(client, name) for client, name, _, _ in npm_trials()} == {(client, row.name) for client, row in FUNCTIONS}


def test_no_channel_is_forgotten() -> None:
    """Both clients are tried with a topic of every channel that the exchange has."""
    topics = [*PUBLIC["spot/public"], *PUBLIC["futures/public"], *PRIVATE["spot/private"], *PRIVATE["futures/private"]]
    assert {topic.partition(":")[0] for topic in topics} == set(Simulation().exchange.feed.channels)


def test_every_reason_is_needed() -> None:
    """A refusal that has gone is noticed."""
    refused = {row["function"] for name in ("npm", "sdk") for row in stored()[name] if not good(row)}
    assert refused == set(REFUSED)


def test_the_page_is_current() -> None:
    """``docs/foreign_clients.md`` is what its generator makes of the stored result."""
    generator = HERE.parent.parent / "docs" / "make_foreign_clients.py"
    checked = subprocess.run([sys.executable, generator, "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
