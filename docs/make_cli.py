"""Writes the second half of ``docs/cli.md``: every command with arguments and options, from the commands themselves.

With ``--check`` it says whether the page is current, and changes nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "cli.md"
MARK: Final = "<!-- Below this line the page is made by docs/make_cli.py. -->\n"
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]  # a test loads this file from elsewhere

from made_pages import write_or_check  # noqa: E402  # after the path is set

from bitmart_trio.cli.app import app  # noqa: E402  # after the path is set

EVERYWHERE: Final = ("--env", "--profile", "--json", "--yes")
"""Explained in the first half."""


def _plain(text: str) -> str:
    return " ".join(re.sub(r"\[/?(?:bold|dim)?\]", "", text).split())


def _name(param: Any) -> str:  # noqa: ANN401  # the library below types none of this
    if param.param_type_name == "argument":
        return f"`{param.metavar or param.name.upper()}`"
    value = "" if param.is_flag else f" {param.metavar or param.name.upper()}"
    return ", ".join(f"`{each}{value}`" for each in param.opts)


def _command(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401
    yield f"\n## {name}\n"
    yield "\n\n".join(_plain(part) for part in (command.help or "").split("\n\n")) + "\n"
    examples = [_plain(line) for line in (command.epilog or "").split("\n\n")[1:]]
    if examples:
        yield "\n".join(["```console", *examples, "```\n"])
    rows = [param for param in command.params if param.name != "help" and not getattr(param, "hidden", False)]
    common = [param.opts[0] for param in rows if param.opts[0] in EVERYWHERE]
    for param in rows:
        if param.opts[0] not in EVERYWHERE:
            default = param.default if isinstance(param.default, int | float | str) else None
            shown = f" Default: {default}." if default is not None and not param.is_flag else ""
            yield f"- {_name(param)}: {_plain(param.help or '')}{shown}"
    if common:
        yield f"- and {', '.join(f'`{each}`' for each in common)}."


def reference() -> str:
    """The second half of the page."""
    root: Any = typer.main.get_command(app)
    lines: list[str] = []
    for name, command in root.commands.items():
        below = getattr(command, "commands", None)
        if below is None or command.invoke_without_command:
            lines += _command(name, command)
        for each, inner in (below or {}).items():
            lines += _command(f"{name} {each}", inner)
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or compare."""
    written = PAGE.read_text(encoding="utf-8")
    return write_or_check({PAGE: written.partition(MARK)[0] + MARK + reference()})


if __name__ == "__main__":
    sys.exit(main())
