"""What ``make lint`` remembers of the Trio rules: a file that was clean, as it stands, and nothing else."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
CLEAN: Final = "import trio\n\n\nasync def wait() -> None:\n    await trio.sleep(1)\n"
BAD: Final = "import trio\n\n\nasync def wait() -> None:\n    while True:\n        await trio.sleep(1)\n"
"""ASYNC110: an event would be better."""
Flake8 = Callable[[list[str]], tuple[int, str]]


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, in a project of its own."""
    spec = importlib.util.spec_from_file_location("async_rules", ROOT / ".ci" / "async_rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shutil.copy(ROOT / ".flake8", tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code").mkdir()
    return module


@pytest.fixture
def asked(rules: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The files that each run of flake8 was given; here it finds fault with those that wait in a loop."""
    runs: list[list[str]] = []

    def flake8(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        assert command[:3] == [sys.executable, "-m", "flake8"]
        runs.append(command[3:])
        lines = [f"{path}:5:5: ASYNC110 use an event\n" for path in command[3:] if "while" in Path(path).read_text()]
        return subprocess.CompletedProcess(command, int(bool(lines)), "".join(lines))

    monkeypatch.setattr(rules, "version", lambda name: "1")
    monkeypatch.setattr(rules.subprocess, "run", flake8)
    return runs


def test_the_rules_find_what_they_are_for(rules: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """With flake8 itself: the fault is named, and fails the run again until it is gone."""
    Path("code/bad.py").write_text(BAD)
    Path("code/clean.py").write_text(CLEAN)
    assert rules.main(["code"]) == 1
    assert capsys.readouterr().out.startswith("code/bad.py:5:5: ASYNC110 ")
    assert len([*Path("build/async_rules").iterdir()]) == 1


def test_only_what_was_clean_is_not_looked_at_again(rules: ModuleType, asked: list[list[str]]) -> None:
    """Neither is what has no async function, nor what others have written."""
    Path("code/bad.py").write_text(BAD)
    Path("code/clean.py").write_text(CLEAN)
    Path("code/plain.py").write_text("X = 1\n")
    Path("code/node_modules").mkdir()
    Path("code/node_modules/theirs.py").write_text(BAD)
    assert rules.main(["code"]) == 1
    assert rules.main(["code"]) == 1
    Path("code/bad.py").write_text(CLEAN)
    assert rules.main(["code/bad.py", "code"]) == 0
    assert rules.main(["code"]) == 0
    assert asked == [["code/bad.py", "code/clean.py"], ["code/bad.py"], ["code/bad.py"]]


@pytest.mark.parametrize("changed", ["the file", "the rules", "a version"])
def test_a_change_has_all_looked_at_anew(
    changed: str, rules: ModuleType, asked: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found of a file holds for this text, these settings and these versions."""
    Path("code/clean.py").write_text(CLEAN)
    assert rules.main(["code"]) == 0
    if changed == "the file":
        Path("code/clean.py").write_text(CLEAN + "\n")
    elif changed == "the rules":
        Path(".flake8").write_text(Path(".flake8").read_text() + "\n")
    else:
        monkeypatch.setattr(rules, "version", lambda name: "2")
    assert rules.main(["code"]) == 0
    assert asked == [["code/clean.py"]] * 2


@pytest.mark.parametrize(
    ("code", "output"), [(2, ""), (1, ""), (0, "code/clean.py:1:1: E902 cannot read it\n"), (-9, "")]
)
def test_a_flake8_that_fails_proves_nothing(
    code: int, output: str, rules: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exit code and an output that do not belong together: the run fails, and nothing is remembered as clean."""
    monkeypatch.setattr(rules, "version", lambda name: "1")
    monkeypatch.setattr(
        rules.subprocess, "run", lambda command, **options: subprocess.CompletedProcess(command, code, output)
    )
    Path("code/clean.py").write_text(CLEAN)
    assert rules.main(["code"]) != 0
    assert not Path("build").exists()
