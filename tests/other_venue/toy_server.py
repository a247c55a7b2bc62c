"""Kelpie's other end, in memory: written by itself, so that the adapter's mistakes are not its own."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final, cast

import httpx
import trio
from trio.testing import memory_stream_pair
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream

KEY: Final = "key-of-mine"
SECRET: Final = "secret-of-mine"
EPOCH: Final = 1_800_000_000.0


def _proven(proof: str, *lines: str) -> bool:
    key, time, signature = proof.split(":")
    text = "\n".join(time if line == "TIME" else line for line in lines)
    return key == KEY and signature == hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


class Toy(httpx.AsyncBaseTransport):
    """Answers calls as a transport, and sockets by `connect`.

    Attributes:
        answers: what the next calls are answered with instead: a status and a body each.
        calls: verb and target of each call that came.
        ahead: seconds that its clock is ahead of the world's.
        deaf: it accepts no socket.
    """

    def __init__(self, nursery: trio.Nursery) -> None:
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.calls: list[str] = []
        self.ahead = 0.0
        self.deaf = False
        self.logins = 0
        self.beats = 0
        self._nursery = nursery
        self._sockets: dict[WebSocketConnection, set[str]] = {}
        self._streams: dict[WebSocketConnection, trio.StapledStream[Any, Any]] = {}

    def now(self) -> float:
        """The world's time, which is Trio's."""
        return EPOCH + trio.current_time()

    # ---- calls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await trio.sleep(0.01)
        target = request.url.raw_path.decode()
        self.calls.append(f"{request.method} {target}")
        if target == "/v9/time":
            return self._reply(200, {"ok": True, "result": {"now": int((self.now() + self.ahead) * 1000)}})
        if self.answers:
            return self._reply(*self.answers.pop(0))
        body = (await request.aread()).decode()
        if target.startswith("/v9/quote?pair="):
            return self._reply(200, {"ok": True, "result": {"pair": target.partition("=")[2], "last": "1.50"}})
        proof = request.headers["Kelpie-Proof"]
        if not _proven(proof, request.method, target, "TIME", body):
            return self._reply(400, {"ok": False, "fault": 3, "text": "who are you"})
        if abs(int(proof.split(":")[1]) / 1000 - self.now() - self.ahead) > 5:
            return self._reply(400, {"ok": False, "fault": 7, "text": "what time is it"})
        return self._reply(200, {"ok": True, "result": {"order": json.loads(body)["size"], "state": "open"}})

    @staticmethod
    def _reply(status: int, body: dict[str, Any]) -> httpx.Response:
        return httpx.Response(status, json=body, headers={"Kelpie-Calls": "1 of 10 in 2"})

    # ---- sockets

    async def connect(self, url: str) -> trio.abc.Stream:
        """Open a socket's stream, as the dialler of a client."""
        await trio.lowlevel.checkpoint()
        if self.deaf:
            raise OSError("nobody is there")
        ours, theirs = memory_stream_pair()
        self._nursery.start_soon(self._serve, theirs, url.endswith("/own"))
        return ours

    async def _serve(self, stream: trio.StapledStream[Any, Any], private: bool) -> None:
        try:
            async with stream, trio.open_nursery() as nursery:
                # trio-websocket waits for ever for the handshake of a client that has gone.
                nursery.cancel_scope.deadline = trio.current_time() + 5
                # Its annotation names socket streams only.
                request = await wrap_server_stream(nursery, cast("trio.SocketStream", stream))
                socket = await request.accept()
                nursery.cancel_scope.deadline = math.inf
                self._sockets[socket], self._streams[socket] = set(), stream
                known = not private
                while True:
                    said = json.loads(await socket.get_message())
                    if said["do"] == "enter":
                        known = _proven(said["proof"], "enter", "TIME")
                        self.logins += known
                        await self._say(socket, {"done": "enter"} | ({} if known else {"fault": 3, "text": "no"}))
                    elif said["do"] == "beat":
                        self.beats += 1
                        await self._say(socket, {"done": "beat"})
                    else:
                        await self._follow(socket, said["do"], said["what"], known)
        except* (ConnectionClosed, trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            for socket in [each for each, its in self._streams.items() if its is stream]:
                del self._sockets[socket], self._streams[socket]

    async def _follow(self, socket: WebSocketConnection, verb: str, topics: list[str], known: bool) -> None:
        for topic in topics:
            if not known or topic.endswith("#NO-NO"):
                await self._say(socket, {"done": verb, "what": topic, "fault": 1, "text": "no such thing"})
                continue
            held = self._sockets[socket]
            (held.add if verb == "follow" else held.discard)(topic)
            await self._say(socket, {"done": verb, "what": topic})

    async def _say(self, socket: WebSocketConnection, frame: dict[str, Any]) -> None:
        await socket.send_message(json.dumps(frame))

    async def push(self, name: str, *items: dict[str, Any]) -> None:
        """Push items to all who follow a topic of that name."""
        for socket, topics in list(self._sockets.items()):
            if any(topic.partition("#")[0] == name for topic in topics):
                await self._say(socket, {"on": name, "items": list(items)})

    def drop(self) -> None:
        """Cut every socket, as a network does."""
        for stream in list(self._streams.values()):
            stream.send_stream.close()
            stream.receive_stream.close()

    @property
    def held(self) -> list[str]:
        """Every topic that somebody follows."""
        return sorted(topic for topics in self._sockets.values() for topic in topics)

    @property
    def sockets(self) -> int:
        """How many are open."""
        return len(self._sockets)


@asynccontextmanager
async def open_toy() -> AsyncGenerator[Toy]:
    """A Kelpie that lives as long as the block."""
    async with trio.open_nursery() as nursery:
        yield Toy(nursery)
        nursery.cancel_scope.cancel()
