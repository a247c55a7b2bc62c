"""Running ``bitmart-trio`` as the process that a person starts, with its output at hand line by line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

SECONDS: Final = 60.0
"""For whatever a busy machine may take; nothing here waits that long when it works."""

KEYS: Final = {"BITMART_API_KEY": "sim-key", "BITMART_API_SECRET": "sim-secret", "BITMART_API_MEMO": "sim-memo"}


def _command(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "bitmart_trio", *arguments]


def child_environment(more: Mapping[str, str], home: str) -> dict[str, str]:
    """The variables of a command: nothing of BitMart's but what is given, and a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BITMART_")}
    # Wide: tables are not folded.
    return {**kept, "HOME": home, "XDG_CACHE_HOME": f"{home}/cache", "COLUMNS": "300", **more}


@attrs.frozen
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str


async def bitmart_trio(*arguments: str, home: str, **environment: str) -> Ended:
    """Run a command to its end."""
    with trio.fail_after(SECONDS):
        ended = await trio.run_process(
            _command(arguments),
            env=child_environment(environment, home),
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
    return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


class Running:
    """A command that runs."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._buffer = bytearray()

    async def line(self) -> str:
        """The next line that it prints; fails at its end."""
        assert self._process.stdout is not None
        with trio.fail_after(SECONDS):
            while b"\n" not in self._buffer:
                data = await self._process.stdout.receive_some()
                assert data, "it has ended"
                self._buffer += data
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer[:] = rest
        return line.decode()

    async def interrupt(self, number: signal.Signals = signal.SIGINT) -> Ended:
        """Send what Ctrl-C sends, and wait for the end."""
        self._process.send_signal(number)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        out, err = bytearray(self._buffer), bytearray()
        with trio.fail_after(SECONDS):
            async for data in self._process.stdout:
                out += data
            async for data in self._process.stderr:
                err += data
            code = await self._process.wait()
        return Ended(code, out.decode(), err.decode())


@asynccontextmanager
async def started(*arguments: str, home: str, **environment: str) -> AsyncIterator[Running]:
    """A command that is still running inside the block; it is killed at the end of the block if it then still is."""
    process = await trio.lowlevel.open_process(
        _command(arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=child_environment(environment, home),
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
        with trio.move_on_after(5, shield=True):
            await process.wait()
            assert process.stdout is not None
            assert process.stderr is not None
            await process.stdout.aclose()
            await process.stderr.aclose()
