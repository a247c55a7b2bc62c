"""The migration guides are complete, and what they name exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import trio
from trio.testing import MockClock

import bitmart_trio as bm
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


TOPICS: Final = re.findall(
    r"^\| `([a-z]+/[^`]+)` \| (serves it|refuses it)(?:: `([^`]+)`)? \| `client\.streams\.([^`]+)`",
    _text("npm"),
    flags=re.MULTILINE,
)
"""Of the npm package's README: the topic, what becomes of it, the right one, and the opener."""


@pytest.mark.parametrize(("topic", "answer", "right", "opener"), TOPICS, ids=lambda value: value)
async def test_each_topic_of_the_npm_readme_is_answered_as_the_page_says(
    topic: str, answer: str, right: str, opener: str, autojump_clock: MockClock
) -> None:
    """Refused ones by an error whose hint names the right one; and the opener beside it subscribes to that."""
    with trio.fail_after(120):
        async with bm.sim.open_exchange(seed=7) as exchange, exchange.open_client() as client:
            if answer == "refuses it":
                with pytest.raises(bm.SubscriptionRefused) as refused:
                    async with client.streams.subscribe(topic):
                        pass
                assert refused.value.hint == f"Did you mean {right}?"
            async with client.streams.subscribe(right or topic):
                pass
            opening = eval(f"streams.{opener}", {"streams": client.streams})
            async with opening as subscription:
                assert [right or topic] == list(subscription.topics)


def test_all_thirteen_topics_are_there() -> None:
    assert len(TOPICS) == 13
    assert sum(answer == "refuses it" for _, answer, _, _ in TOPICS) == 4


def test_the_page_shows_what_is_said_to_calls_in_the_packages_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program's output is the one below it."""
    section = _text("npm").partition("### What is said to a call")[2]
    source, shown = re.findall(r"^```(?:python|text)\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)[:2]
    run = trio.run
    monkeypatch.setattr(trio, "run", lambda main: run(main, clock=MockClock(autojump_threshold=0)))
    exec(compile(source, "npm.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == shown
