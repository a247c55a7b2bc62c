"""SIGINT and SIGTERM cancel, the exit code tells which it was, and the second signal ends the process at once."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import trio

import bitmart_trio as bm

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as on POSIX")

PROGRAM = """
import sys, trio, bitmart_trio as bm

async def main(word):
    try:
        print("ready", flush=True)
        if word == "return":
            return
        if word == "raise":
            raise KeyError(word)
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            print("cleaning up", flush=True)
            if word == "stubborn":
                await trio.sleep_forever()
            await trio.sleep(0)
            print("clean", flush=True)

print("returned", bm.trading.run(main, sys.argv[1]))
"""


@asynccontextmanager
async def program(tmp_path: Path, word: str) -> AsyncGenerator[tuple[trio.Process, trio.abc.ReceiveStream]]:
    """A program that runs until told to stop; entered once it is ready."""
    file = trio.Path(tmp_path / "program.py")
    await file.write_text(PROGRAM, encoding="utf-8")
    process = await trio.lowlevel.open_process([sys.executable, str(file), word], stdout=-1, stderr=-1)
    try:
        assert process.stdout is not None
        yield process, process.stdout
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


async def said(stream: trio.abc.ReceiveStream, until: bytes) -> bytes:
    """What it prints, up to and with these words."""
    heard = b""
    with trio.fail_after(30):
        while until not in heard:
            more = await stream.receive_some(1000)
            assert more, heard
            heard += more
    return heard


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_cancels_and_the_exit_code_tells(tmp_path: Path, number: signal.Signals) -> None:
    """The program's own clean-up runs to its end."""
    async with program(tmp_path, "wait") as (process, out):
        await said(out, b"ready\n")
        process.send_signal(number)
        assert b"clean\n" in await said(out, b"clean\n")
        assert await process.wait() == 128 + number


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_second_signal_ends_it_at_once(tmp_path: Path, number: signal.Signals) -> None:
    """Also one that hangs in its clean-up."""
    async with program(tmp_path, "stubborn") as (process, out):
        await said(out, b"ready\n")
        process.send_signal(number)
        await said(out, b"cleaning up\n")
        process.send_signal(number)
        with trio.fail_after(20):
            assert await process.wait() == -number


async def test_without_a_signal_it_is_trio_run(tmp_path: Path) -> None:
    """Results and errors come out as they are."""
    async with program(tmp_path, "return") as (process, out):
        assert b"returned None" in await said(out, b"returned None")
        assert await process.wait() == 0
    async with program(tmp_path, "raise") as (process, out):
        await said(out, b"clean\n")
        assert process.stderr is not None
        assert b"KeyError: 'raise'" in await said(process.stderr, b"'raise'")
        assert await process.wait() == 1


@pytest.mark.parametrize("early", [True, False])
def test_a_signal_while_nobody_listens_ends_it_likewise(early: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the handlers are in place nothing is begun; when they are gone again all is done; 130 in both cases."""
    listen = trio.open_signal_receiver
    ran: list[bool] = []

    @contextmanager
    def pressed(*signals: signal.Signals) -> Generator[AsyncIterator[int]]:
        if early:
            signal.raise_signal(signal.SIGINT)
        with listen(*signals) as received:
            yield received
        if not early:
            signal.raise_signal(signal.SIGINT)

    async def main() -> None:
        ran.append(True)
        await trio.lowlevel.checkpoint()

    monkeypatch.setattr(trio, "open_signal_receiver", pressed)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(SystemExit) as caught:
            bm.trading.run(main)
    finally:
        signal.signal(signal.SIGINT, before)
    assert caught.value.code == 130
    assert ran == [True] * (not early)


async def test_a_block_of_ones_own() -> None:
    """`cancel_on_signals` in a program that is already running: the block ends, what follows goes on."""
    async with bm.trading.cancel_on_signals() as stopped:
        assert stopped.exit_code == 0
        signal.raise_signal(signal.SIGTERM)
        await trio.sleep(60)
    assert stopped.signal is signal.SIGTERM
    assert stopped.exit_code == 143


async def test_a_block_that_ends_by_itself() -> None:
    """Handlers are put back, and errors leave as they are."""
    before = signal.getsignal(signal.SIGTERM)
    async with bm.trading.cancel_on_signals() as stopped:
        pass
    assert stopped.signal is None
    assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(KeyError):
        async with bm.trading.cancel_on_signals():
            raise KeyError
