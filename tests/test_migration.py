"""The migration guides are complete, and what they name exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from bitmart_trio.rest.futures import Futures
from bitmart_trio.rest.spot import Spot
from bitmart_trio.streams.futures import FuturesStreams
from bitmart_trio.streams.spot import SpotStreams

ROOT: Final = Path(__file__).parent.parent
PAGES: Final = ROOT / "docs" / "migration"


def _text(page: str) -> str:
    return (PAGES / f"{page}.md").read_text(encoding="utf-8")


def test_the_made_tables_are_current() -> None:
    """`python docs/make_migration.py` would change nothing: every function of both clients has its row."""
    check = subprocess.run(
        [sys.executable, "docs/make_migration.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stderr
    assert _text("npm").count("\n| `RestClient`") > 100
    assert _text("python_sdk").count("\n| `API") == 137


@pytest.mark.parametrize("page", ["npm", "python_sdk", "ccxt"])
def test_every_method_that_is_named_exists(page: str) -> None:
    """No row leads to a method that is not there."""
    roots: dict[str, Any] = {"spot": Spot(None), "futures": Futures(None)}  # type: ignore[arg-type]  # nothing is called
    openers: dict[str, Any] = {"spot": SpotStreams, "futures": FuturesStreams}
    named = set(re.findall(r"client\.(spot|futures)\.(\w+)\.(\w+)", _text(page)))
    streamed = set(re.findall(r"client\.streams\.(spot|futures)\.(\w+)", _text(page)))
    assert named
    missing = [name for name in named if not hasattr(getattr(roots[name[0]], name[1], None), name[2])]
    missing += [("streams", *name) for name in streamed if not hasattr(openers[name[0]], name[1])]
    assert missing == []
