"""What the help and the page about the command line say, and how little it takes to say it."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from typer.testing import CliRunner

import bitmart_trio as bm
from bitmart_trio.cli._run import EXIT_CODES
from bitmart_trio.cli.app import app

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "cli.md"


def _commands() -> dict[str, Any]:
    root: Any = typer.main.get_command(app)
    found: dict[str, Any] = {}
    for name, command in root.commands.items():
        below: dict[str, Any] | None = getattr(command, "commands", None)
        if below is None or command.invoke_without_command:
            found[name] = command
        found.update({f"{name} {each}": inner for each, inner in (below or {}).items()})
    return found


def test_the_page_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    """``python docs/make_cli.py`` would change nothing."""
    monkeypatch.setattr(sys, "argv", ["make_cli.py", "--check"])
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "docs" / "make_cli.py"), run_name="__main__")
    assert ended.value.code == 0


def test_the_page_names_the_exit_codes_and_shows_what_there_is() -> None:
    """As the help does; its pictures are there."""
    page = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"^\| (\d+) \|", page, re.MULTILINE) == re.findall(r"\d+", EXIT_CODES)
    pictures = re.findall(r"\]\((images/[^)]+)\)", page)
    assert pictures
    assert all((PAGE.parent / picture).is_file() for picture in pictures)


@pytest.mark.parametrize("name", list(_commands()))
def test_each_command_explains_itself(name: str) -> None:
    """Its options have a word each, and there is an example that is a call of it."""
    command = _commands()[name]
    assert command.help
    assert all(param.help for param in command.params if param.name != "help")
    shown = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert shown.exit_code == 0
    assert f"$ bitmart-trio {name}" in shown.stdout


def test_nothing_takes_a_secret() -> None:
    """No argument and no option is a key, a secret or a memo."""
    for command in _commands().values():
        for param in command.params:
            assert not re.search(r"secret|memo|api.?key|password", " ".join(param.opts))


def test_the_version() -> None:
    """The installed one, on a line."""
    assert CliRunner().invoke(app, ["--version"]).stdout == f"bitmart-trio {bm.__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["book", "--help"]])
def test_help_loads_no_more_than_it_needs(arguments: list[str]) -> None:
    """Neither trio nor httpx, no models and no simulated exchange: they take longer than everything else."""
    script = (
        "import sys, bitmart_trio.cli as cli\n"
        f"sys.argv = ['bitmart-trio', *{arguments!r}]\n"
        "try:\n    cli.main()\n"
        "except SystemExit:\n    print(*sys.modules, sep='\\n', file=sys.stderr)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(ended.stderr.split())
    assert "typer" in loaded
    assert not loaded & {
        "trio",
        "httpx",
        "msgspec",
        "cattrs",
        "trio_websocket",
        "bitmart_trio.models",
        "bitmart_trio.sim",
    }
