"""One simulated exchange for all tests of the command line; each test has an account of its own on it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.testing
from in_process import Cli, exchange
from typer.main import get_command


@pytest.fixture(scope="session", autouse=True)
def _commands_are_made_once() -> Iterator[None]:
    """A runner of typer's makes all commands anew for each line, which is most of what the line costs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", cache(get_command))
        yield


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
