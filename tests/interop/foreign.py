"""Running a program that uses somebody else's client, and talking with it line by line."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import trio

HERE: Final = Path(__file__).parent
SECONDS: Final = 240.0
"""For whatever a busy machine may take; nothing here waits that long when it works."""

ACCOUNT: Final = ("sim-key", "sim-secret", "sim-memo")


class ForeignError(Exception):
    """The other client refused, or was refused."""

    def __init__(self, error: Any) -> None:
        super().__init__(json.dumps(error)[:2000])
        self.error = error


Command: TypeAlias = "Sequence[str | Path]"


class Foreign:
    """A program that is told what to do in lines of JSON and reports in lines of JSON."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._buffer = b""
        self._lines: deque[bytes] = deque()
        self._number = 0

    async def tell(self, **message: Any) -> None:
        """Give it one line."""
        assert self._process.stdin is not None
        await self._process.stdin.send_all(json.dumps(message).encode() + b"\n")

    async def hear(self) -> Any:
        """Its next line."""
        assert self._process.stdout is not None
        with trio.fail_after(SECONDS):
            await trio.lowlevel.checkpoint()
            while not self._lines:
                data = await self._process.stdout.receive_some()
                assert data, "it has ended"
                *lines, self._buffer = (self._buffer + data).split(b"\n")
                self._lines.extend(lines)
        return json.loads(self._lines.popleft())

    async def ask(self, **message: Any) -> Any:
        """Have it do something, and wait for the outcome; `ForeignError` when that is an error."""
        self._number += 1
        await self.tell(id=self._number, **message)
        answer = await self.hear()
        assert answer["id"] == self._number
        if "error" in answer:
            raise ForeignError(answer["error"])
        return answer["reply"]

    async def call(self, client: str, function: str, arguments: Any = None) -> Any:
        """Have it call a function of its REST client."""
        more = {} if arguments is None else {"arguments": arguments}
        return await self.ask(client=client, function=function, **more)

    async def until(self, wanted: Callable[[Any], bool]) -> list[Any]:
        """Its reports up to and with the first that is wanted."""
        heard: list[Any] = [await self.hear()]
        with trio.move_on_after(SECONDS):
            await trio.lowlevel.checkpoint()
            while not wanted(heard[-1]):
                heard.append(await self.hear())
            return heard
        raise AssertionError(f"not heard; heard {json.dumps(heard)[:4000]}")


@asynccontextmanager
async def started(command: Command, url: str, account: Sequence[str] = ACCOUNT) -> AsyncIterator[Foreign]:
    """A program that talks to the exchange at ``url``; it has ended when the block has."""
    with tempfile.TemporaryFile() as complaints:
        process = await trio.lowlevel.open_process(
            [*map(str, command), url, *account],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=environment(),
            cwd=HERE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Foreign(process)
        except BaseException as error:
            complaints.seek(0)
            error.add_note(f"{command[-1]} said: {complaints.read().decode(errors='replace')[-4000:]}")
            raise
        finally:
            process.kill()
            with trio.move_on_after(5, shield=True):
                await process.wait()
                await process.stdin.aclose()
                await process.stdout.aclose()


def environment() -> dict[str, str]:
    """This process's environment without proxies, and without the switch that has the package print its requests."""
    return {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "BITMARTTRACE"}
