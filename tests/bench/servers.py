"""The loopback servers, each in a process of its own: ``python -m tests.bench.servers sockets|rest|exchange '{...}'``.

They do as little as they can: what is pushed is framed beforehand, replies are canned. Each prints its port.
"""

# ruff: noqa: T201  # a program: it prints
from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import socket
import ssl
import sys
import threading
import time
from typing import Any, Final

from . import work

PAUSE: Final = 0.5
"""Seconds of silence between warming up and what counts."""
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Connection:
    """One client of the push server: its subscriptions are acknowledged, then it is pushed to."""

    def __init__(self, connected: socket.socket, plan: dict[str, Any]) -> None:
        self._socket = connected
        self._plan = plan
        self._sending = threading.Lock()
        self._topics: list[str] = []
        self._cycle: list[bytes] = []

    def run(self) -> None:
        """Serve until the client goes."""
        try:
            self._handshake()
            reader = self._socket.makefile("rb")
            while True:
                head = reader.read(2)
                if len(head) < 2:
                    return
                length = head[1] & 127
                if length == 126:
                    length = int.from_bytes(reader.read(2), "big")
                mask = reader.read(4)
                payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(reader.read(length)))
                if head[0] & 15 == 8:
                    self._send(b"\x88\x02\x03\xe8")
                    return
                if head[0] & 15 == 1:
                    self._hear(payload)
        except OSError:
            pass  # the client has what it wanted, or was killed
        finally:
            self._socket.close()

    def _handshake(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = self._socket.recv(4096)
            if not data:
                raise OSError("no handshake")
            head += data
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        key = next(value for name, value in fields.items() if name.lower() == b"sec-websocket-key")
        accept = base64.b64encode(hashlib.sha1(key.strip() + _GUID).digest())
        self._socket.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )

    def _send(self, data: bytes) -> None:
        with self._sending:
            self._socket.sendall(data)

    def _hear(self, payload: bytes) -> None:
        if payload == b"ping":
            self._send(work.frame(b"pong", "text"))
            return
        told = json.loads(payload)
        if told.get("action") == "ping":
            self._send(work.frame(b'{"action":"ping","success":true}', "text"))
        if "subscribe" not in (told.get("op"), told.get("action")):
            return
        answers: list[bytes] = []
        for topic in told["args"]:
            spot = topic.startswith("spot/")
            answer = {"event": "subscribe", "topic": topic}
            if not spot:
                answer = {"action": "subscribe", "group": topic, "success": True}
            answers.append(work.frame(json.dumps(answer).encode(), "text"))
        self._send(b"".join(answers))
        self._topics += told["args"]
        if len(self._topics) == self._plan["topics"]:
            plan = self._plan
            levels = plan.get("levels", work.LEVELS)
            self._cycle = work.frames(
                plan["market"], plan["kind"], plan["encoding"], self._topics, levels, uneven=plan.get("uneven", False)
            )
            threading.Thread(target=self._push, daemon=True).start()

    def _push(self) -> None:
        try:
            time.sleep(self._plan.get("wait", 0.0))
            if self._plan["warm"]:
                self._burst(self._plan["warm"])
                time.sleep(self._plan.get("pause", PAUSE))
            if self._plan.get("rate"):
                self._paced(self._plan["count"], self._plan["rate"])
            else:
                self._burst(self._plan["count"])
        except OSError:
            pass  # as above

    def _burst(self, count: int) -> None:
        whole = b"".join(self._cycle)
        rounds, rest = divmod(count, len(self._cycle))
        for _ in range(rounds):
            self._send(whole)
        self._send(b"".join(self._cycle[:rest]))

    def _paced(self, count: int, rate: float) -> None:
        begun = time.perf_counter()
        for number in range(count):
            ahead = begun + number / rate - time.perf_counter()
            if ahead > 0:
                time.sleep(ahead)
            self._send(work.stamped(self._cycle[number % len(self._cycle)], work.now()))


def serve_sockets(plan: dict[str, Any]) -> None:
    """Push as planned to everybody who subscribes.

    The plan: market, kind, encoding, topics (a connection), warm and count (messages), rate (a second; left out, as
    fast as they are taken; such messages say when they were sent), levels, uneven, ports, certificate (for TLS).
    """
    context: ssl.SSLContext | None = None
    if plan.get("certificate"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(plan["certificate"])

    def accept(listener: socket.socket) -> None:
        while True:
            connected, _ = listener.accept()
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=serve, args=(connected,), daemon=True).start()

    def serve(connected: socket.socket) -> None:
        try:
            secured = connected if context is None else context.wrap_socket(connected, server_side=True)
        except OSError:
            return
        Connection(secured, plan).run()

    listeners = [socket.create_server(("127.0.0.1", 0), backlog=200) for _ in range(plan.get("ports", 1))]
    print(json.dumps([listener.getsockname()[1] for listener in listeners]), flush=True)
    for listener in listeners:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
    sys.stdin.read()


class Http(asyncio.Protocol):
    """One connection of the REST server: a canned reply to each request, after a delay."""

    opened = 0
    delay = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        Http.opened += 1
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._held = b""

    def data_received(self, data: bytes) -> None:
        """Answer whole requests."""
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].lower()
            at = head.find(b"content-length:")
            stop = end + 4 + (int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0)
            if len(self._held) < stop:
                return
            self._held = self._held[stop:]
            reply = self._reply(head.split(b" ", 2)[1].partition(b"?")[0])
            if Http.delay and b"/opened" not in head[:20]:
                asyncio.get_running_loop().call_later(Http.delay, self._transport.write, reply)
            else:
                self._transport.write(reply)

    @staticmethod
    def _reply(path: bytes) -> bytes:
        body = work.ORDER if path.endswith(b"order") else work.TICKER
        if path == b"/opened":
            body = str(Http.opened).encode()
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
            b"X-BM-RateLimit-Remaining: 1\r\nX-BM-RateLimit-Limit: 1000000\r\nX-BM-RateLimit-Reset: 2\r\n"
            b"X-BM-RateLimit-Mode: IP\r\nContent-Length: %d\r\n\r\n" % len(body)
        ) + body


async def serve_rest(plan: dict[str, Any]) -> None:
    """Answer, each request after ``delay`` seconds."""
    Http.delay = plan.get("delay", 0.0)
    server = await asyncio.get_running_loop().create_server(Http, "127.0.0.1", 0, backlog=200)
    print(json.dumps([server.sockets[0].getsockname()[1]]), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


def serve_exchange() -> None:
    """The simulated exchange, as it is without options."""
    import trio

    from bitmart_trio.sim import open_server

    async def serve() -> None:
        async with open_server(port=0, seed=7) as server:
            print(json.dumps([server.port]), flush=True)
            await trio.to_thread.run_sync(sys.stdin.read)

    trio.run(serve)


if __name__ == "__main__":
    what, given = sys.argv[1:]
    if what == "sockets":
        serve_sockets(json.loads(given))
    elif what == "exchange":
        serve_exchange()
    else:
        asyncio.run(serve_rest(json.loads(given)))
