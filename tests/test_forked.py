"""Programs that begin in a copy of a process: they end, fail and hang as programs of their own do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import forked
import pytest


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[forked.Forked]:
    with forked.forked(tmp_path_factory.mktemp("programs"), "json") as programs:
        yield programs


@pytest.mark.parametrize(
    ("source", "code", "out", "err"),
    [
        ("import os, sys; print(sys.argv[1:], os.environ['WORD'], __name__)", 0, "['a', 'b'] one __main__\n", ""),
        ("raise SystemExit(3)", 3, "", ""),
        ("import sys; sys.exit('no')", 1, "", "no\n"),
        ("raise KeyError('x')", 1, "", "KeyError: 'x'\n"),
        ("import warnings; warnings.warn('old')", 1, "", "UserWarning: old\n"),
        ("import atexit; atexit.register(print, 'bye')", 0, "bye\n", ""),
        ("import os; print(sorted(each for each in os.environ if each == 'PATH'))", 0, "[]\n", ""),
    ],
)
def test_a_program_is_one(source: str, code: int, out: str, err: str, programs: forked.Forked, tmp_path: Path) -> None:
    """Its arguments, its variables and no others, its warnings, its exit code, what it does last."""
    file = tmp_path / "program.py"
    file.write_text(source)
    ended = programs.run(str(file), "a", "b", environment={"WORD": "one", "PYTHONWARNINGS": "error"})
    assert (ended.code, ended.out) == (code, out)
    assert ended.err.endswith(err)
    assert bool(ended.err) is bool(err)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each program has a start and a deadline of its own here")
def test_a_program_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that never ends is a failure, and what it was copied from ends with it."""
    file = tmp_path / "program.py"
    file.write_text("import signal\nsignal.pause()")
    with forked.forked(tmp_path) as programs:
        monkeypatch.setattr(forked, "SECONDS", 0.5)
        with pytest.raises(TimeoutError, match="has not ended"):
            programs.run(str(file), environment={})
        with pytest.raises((OSError, ValueError)):
            programs.run(str(file), environment={})
