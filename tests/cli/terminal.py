"""A real terminal (tmux) with a command in it: its screen, keys, another size. Waits for output, not for time.

A live view draws over itself, and the screen may be looked at while it does: half of it is old, or empty. So whatever
such a screen must show is what `Terminal.until` waits for, all of it at once, and not what is asserted of its result.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
import trio
from cli_process import SECONDS, child_environment

TMUX: Final = shutil.which("tmux")

needs_tmux = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")


def shows(*patterns: str) -> Callable[[str], bool]:
    """Whether a screen has all of these, each a regular expression in which ``^`` and ``$`` are the ends of a line."""
    return lambda screen: all(re.search(pattern, screen, re.MULTILINE) for pattern in patterns)


class Terminal:
    """What a person has in front of them."""

    def __init__(self, socket: Path, output: trio.lowlevel.FdStream) -> None:
        self._socket = socket
        self._output = output

    async def tmux(self, *words: str, **environment: str) -> str:
        """One command of tmux's own."""
        ended = await trio.run_process(
            [TMUX or "tmux", "-S", str(self._socket), "-f", os.devnull, *words],
            env={**os.environ, **environment},
            capture_stdout=True,
            stderr=subprocess.STDOUT,
            check=words[0] != "kill-server",
        )
        return ended.stdout.decode()

    async def screen(self, *, styled: bool = False) -> str:
        """What stands on the screen now; with its colours as escape sequences if wanted."""
        return await self.tmux("capture-pane", "-p", *(["-e"] if styled else []))

    async def until(self, fits: Callable[[str], bool] | str, *, styled: bool = False) -> str:
        """Wait until the screen fits (a text: until it is there), and give it."""
        seen = ""
        with trio.move_on_after(SECONDS):
            while True:
                seen = await self.screen(styled=styled)
                if fits in seen if isinstance(fits, str) else fits(seen):
                    return seen
                await self._output.receive_some()
        raise AssertionError(f"it never came to that; the screen:\n{seen}")

    async def press(self, *keys: str) -> None:
        """Keys by tmux's names (``C-c``, ``Enter``); any other text is typed."""
        await self.tmux("send-keys", *keys)

    async def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        await self.tmux("resize-window", "-x", str(width), "-y", str(height))

    async def interrupt(self) -> str:
        """Ctrl-C; gives the screen once the command has ended by it."""
        await self.press("C-c")
        return await self.until("exit code 130")


@asynccontextmanager
async def terminal(
    folder: Path,
    *arguments: str,
    width: int = 110,
    height: int = 32,
    program: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> AsyncGenerator[Terminal]:
    """A terminal in which ``bitmart-trio`` runs with these arguments; its exit code is printed below.

    Args:
        folder: an empty one, the home of the command.
        arguments: of the command.
        width: of the terminal.
        height: of the terminal.
        program: something else to run.
        environment: more variables.
    """
    pipe = folder / "output"
    os.mkfifo(pipe)
    # Open for writing too: so it has no end when tmux is done with it.
    output = trio.lowlevel.FdStream(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))
    it = Terminal(folder / "tmux", output)
    command = program or shlex.join([sys.executable, "-W", "error", "-m", "bitmart_trio", *arguments])
    variables = child_environment(environment or {}, str(folder))
    variables.pop("COLUMNS", None)  # the terminal's own size counts
    if "NO_COLOR" not in (environment or {}):
        variables.pop("NO_COLOR", None)
    # The trap keeps the shell alive when Ctrl-C ends the command, as one with job control would be.
    script = f'trap : INT; {command}; echo "exit code $?"; exec cat'
    async with output:
        await it.tmux("new-session", "-d", "-x", str(width), "-y", str(height), "sh", "-c", script, **variables)
        try:
            await it.tmux("pipe-pane", "-O", f"cat > {shlex.quote(str(pipe))}")
            yield it
        finally:
            with trio.move_on_after(10, shield=True):
                await it.tmux("kill-server")
