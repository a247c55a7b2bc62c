"""A headless Chromium, driven over its DevTools protocol: what a person would see and do on the exchange's page."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from math import inf
from typing import Any, Final

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, open_websocket_url

SECONDS: Final = 30.0
"""For whatever a busy machine may take; nothing here waits that long when it works."""


def find_chromium() -> str | None:
    """The program of a Chromium on this machine."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """One page of a browser."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self._socket = socket
        self._session: str | None = None
        self._answers: dict[int, trio.MemorySendChannel[Any]] = {}
        self._number = 0
        self.complaints: list[str] = []
        """What the page's script has thrown or logged as an error, and what the browser has refused it."""

    async def listen(self) -> None:
        """Take in what the browser says, until it ends."""
        try:
            while True:
                message = json.loads(await self._socket.get_message())
                if "id" in message:
                    self._answers.pop(message["id"]).send_nowait(message)
                elif message["method"] == "Runtime.exceptionThrown":
                    self.complaints.append(json.dumps(message["params"]))
                elif message["method"] == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                    self.complaints.append(json.dumps(message["params"]["entry"]))
        except ConnectionClosed:
            pass

    async def command(self, method: str, **params: Any) -> Any:
        """One command of the protocol."""
        self._number += 1
        send, receive = trio.open_memory_channel[Any](1)
        self._answers[self._number] = send
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        await self._socket.send_message(json.dumps(message))
        with trio.fail_after(SECONDS):
            answer = await receive.receive()
        assert "error" not in answer, answer
        return answer["result"]

    async def open(self, url: str, width: int = 1280, height: int = 800) -> None:
        """Show a page; return when it is loaded."""
        if self._session is None:
            target = await self.command("Target.createTarget", url="about:blank")
            attached = await self.command("Target.attachToTarget", targetId=target["targetId"], flatten=True)
            self._session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Log"):
                await self.command(f"{domain}.enable")
        await self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        await self.command("Page.navigate", url=url)
        await self.wait(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    async def evaluate(self, script: str) -> Any:
        """The value of an expression on the page; promises are waited for."""
        answer = await self.command("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def wait(self, script: str) -> Any:
        """The value of an expression once it is true."""
        with trio.move_on_after(SECONDS):
            while True:
                value = await self.evaluate(script)
                if value:
                    return value
                # A real browser works in real time.
                await self.evaluate("new Promise((resume) => setTimeout(resume, 25))")
        raise AssertionError(f"never true on the page: {script}; it complained of {self.complaints}")

    async def text(self, selector: str) -> str:
        """What an element shows."""
        shown = await self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")
        assert isinstance(shown, str)
        return shown

    async def click(self, selector: str) -> None:
        """Press the mouse in the middle of an element, once it is to be seen."""
        where = f"document.querySelector({json.dumps(selector)})"
        await self.wait(f"{where} && ({where}.scrollIntoView({{block: 'nearest'}}), {where}.checkVisibility())")
        box = await self.evaluate(
            f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])({where}.getBoundingClientRect())"
        )
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            await self.command(
                "Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", buttons=1, clickCount=1
            )

    async def choose(self, selector: str, value: str) -> None:
        """Pick an option of a list, as a keyboard would."""
        await self.evaluate(
            f"((list) => {{ list.value = {json.dumps(value)}; list.dispatchEvent(new Event('change')); }})"
            f"(document.querySelector({json.dumps(selector)}))"
        )

    async def fill(self, selector: str, text: str) -> None:
        """Replace what an input holds, and leave it: its suggestions would catch the next click."""
        where = f"document.querySelector({json.dumps(selector)})"
        await self.evaluate(f"({where}.focus(), {where}.select())")
        await self.command("Input.insertText", text=text)
        await self.evaluate(f"{where}.blur()")

    async def screenshot(self) -> bytes:
        """What is to be seen, as PNG."""
        return base64.b64decode((await self.command("Page.captureScreenshot", format="png"))["data"])


@asynccontextmanager
async def open_browser(program: str, *, dark: bool = False, names: Sequence[str] = ()) -> AsyncIterator[Browser]:
    """A browser of its own, without history, that reaches nothing but this machine; it has ended when the block has.

    Args:
        program: of the browser.
        dark: whether it prefers dark pages.
        names: of hosts that lead to this machine, as they do after a DNS rebinding.
    """
    hosts = "".join(f"MAP {name} 127.0.0.1, " for name in names)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        process = await trio.lowlevel.open_process(
            [
                program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio",
                "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-extensions", "--hide-scrollbars", "--force-color-profile=srgb", "--lang=en-US",
                f"--host-resolver-rules={hosts}MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
                *(("--blink-settings=preferredColorScheme=0",) if dark else ()),
                f"--user-data-dir={home}", "--remote-debugging-port=0", "about:blank",
            ],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stderr is not None
        try:
            async with trio.open_nursery() as nursery:
                url = await nursery.start(_read, process.stderr)
                async with open_websocket_url(url, max_message_size=1 << 26) as socket:
                    browser = Browser(socket)
                    nursery.start_soon(browser.listen)
                    yield browser
                nursery.cancel_scope.cancel()
        finally:
            process.kill()
            with trio.move_on_after(5, shield=True):
                await process.wait()
                await process.stderr.aclose()


async def _read(stderr: trio.abc.ReceiveStream, *, task_status: trio.TaskStatus[str]) -> None:
    """Find where the browser listens in what it says; go on reading, or it would stop when the pipe is full."""
    said = b""
    started = False
    with trio.CancelScope(deadline=trio.current_time() + SECONDS) as scope:
        while True:
            data = await stderr.receive_some()
            if not data:
                break
            said = (said + data)[-65536:]
            _, found, rest = said.partition(b"DevTools listening on ")
            if found and b"\n" in rest and not started:
                started = True
                scope.deadline = inf
                task_status.started(rest.partition(b"\n")[0].decode().strip())
    assert started, said.decode(errors="replace")[-2000:]
