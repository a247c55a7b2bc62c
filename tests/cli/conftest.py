"""One simulated exchange for all tests of the command line; each test has an account of its own on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from in_process import Cli, exchange


@pytest.fixture(scope="session")
def exchange_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with exchange(tmp_path_factory.mktemp("exchange")) as url:
        yield url


@pytest.fixture
def cli(exchange_url: str, tmp_path: Path) -> Cli:
    return Cli(exchange_url, tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> str:
    return str(tmp_path)
