"""Whatever dies, each day is counted once."""

from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
from runner_kit import work

from bitmart_trio.testing._certify._job import Job
from bitmart_trio.testing._certify._runner import Runner


def run(names: list[str], job: Any = None, **options: Any) -> tuple[dict[str, str], bool]:
    """What came of each, and whether all was done."""
    results: dict[str, str] = {}
    counted: Counter[str] = Counter()

    def done(name: str, result: str) -> None:
        counted[name] += 1
        results[name] = result

    options = {"workers": 2, "executor": None, "work": work, **options}
    whole = Runner[str](job=cast("Job", job), done=done, died=lambda name, how: f"died {name}", **options).run(names)
    assert set(counted.values()) <= {1}
    return results, whole


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_day_that_kills_its_process_loses_no_other(tmp_path: Path) -> None:
    """One that does it twice is a finding; one that did it once is played again."""
    names = ["a", "deadly", "once", "b"]
    results, whole = run(names, str(tmp_path))
    assert whole
    assert results == {name: f"died {name}" if name == "deadly" else f"done {name}" for name in names}


def test_work_that_fails_twice_elsewhere_is_a_finding() -> None:
    """With an executor of somebody else: here threads, whose work is not in a main thread."""
    tried: Counter[str] = Counter()

    def flaky(job: object, name: str) -> str:
        tried[name] += 1
        if name == "bad" or (name == "shaky" and tried[name] == 1):
            raise RuntimeError("the worker is gone")
        return f"done {name}"

    with ThreadPoolExecutor(2) as executor:
        results, whole = run(["a", "bad", "shaky"], executor=executor, work=flaky)
    assert whole
    assert results == {"a": "done a", "bad": "died bad", "shaky": "done shaky"}
    assert tried == {"a": 1, "bad": 2, "shaky": 2}


def test_an_interrupt_keeps_what_was_done() -> None:
    def interrupted(job: object, name: str) -> str:
        if name == "c":
            raise KeyboardInterrupt
        return f"done {name}"

    assert run(["a", "b", "c", "d"], workers=0, work=interrupted) == ({"a": "done a", "b": "done b"}, False)
