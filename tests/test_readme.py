"""What README and documentation show runs: each Python block is a program or test, complete with its own exchange."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final

import pytest
import trio
from trio.testing import MockClock

ROOT: Final = Path(__file__).parent.parent
PAGES: Final = [
    ROOT / "README.md",
    *sorted(page for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts),
]


def blocks(text: str, language: str) -> list[tuple[int, str]]:
    """The fenced blocks of one language, each with the line that it begins on."""
    found = re.finditer(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, match.start(1)) + 1, match.group(1)) for match in found]


SHOWN: Final = [
    pytest.param(page, line, source, id=f"{page.relative_to(ROOT)}:{line}")
    for page in PAGES
    for line, source in blocks(page.read_text(encoding="utf-8"), "python")
]


REAL: Final = (
    "open_server",
    "open_process",
    "run_process",
    "subprocess",
    "to_thread",
    "blocking",
    "autojump_clock",
    "perf_counter",
)
"""What a program with sockets, processes or threads has in it; a test has its own virtual clock."""


@pytest.mark.parametrize(("page", "line", "source"), SHOWN)
def test_what_is_shown_runs(page: Path, line: int, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program runs to its end, on virtual time unless it needs the real one; a test passes on virtual time."""
    if not any(word in source for word in REAL):
        # An exchange in the program's own process: seconds that it watches a market need not pass.
        monkeypatch.setattr(trio, "run", partial(trio.run, clock=MockClock(autojump_threshold=0)))
    # Blank lines in front give tracebacks the page's own line numbers.
    code = compile("\n" * (line - 1) + source, page, "exec", dont_inherit=True)
    names: dict[str, object] = {"__name__": "__main__"}
    exec(code, names)
    for name, test in names.items():
        if name.startswith("test_") and callable(test):
            _run_test(test)


def _run_test(test: Callable[..., Awaitable[object]]) -> None:
    clock = MockClock(autojump_threshold=0)
    trio.run(partial(test, autojump_clock=clock), clock=clock)


def test_the_readme_has_its_two_commands() -> None:
    """Exactly two shell blocks: the first shows the demo, the second runs the tests. CI runs them as they stand."""
    demo, tests = (source for _, source in blocks(PAGES[0].read_text(encoding="utf-8"), "sh"))
    assert "bitmart-trio demo" in demo
    assert tests.splitlines()[-1].endswith("-m pytest")


def test_the_readme_shows_rest_streams_orders_and_a_test() -> None:
    """One example each, no fewer."""
    shown = "\n".join(source for _, source in blocks(PAGES[0].read_text(encoding="utf-8"), "python"))
    for word in ("spot.market.ticker", "streams.spot.trade", "open_spot_session", "autojump_clock"):
        assert word in shown


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "llms.txt"])
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    """No page points at a file that is not there."""
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert targets
    assert [target for target in targets if not (page.parent / target).exists()] == []
