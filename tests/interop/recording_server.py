"""An HTTP server on loopback that keeps what it is asked and answers from the transcripts, whoever asks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import attrs
import h11
import trio

TRANSCRIPTS: Final = Path(__file__).parent.parent / "transcripts" / "rest"


@attrs.frozen
class Request:
    """One request, as far as it means something to the exchange."""

    method: str
    path: str
    params: Any
    """What the query or the body says: a query's values are texts, a body's what JSON makes of them."""
    headers: frozenset[str]
    """Names of the exchange's own headers, of the content type of a body, and of the locale."""


def transcript_replies() -> dict[str, bytes]:
    """The documented reply for each path."""
    replies: dict[str, bytes] = {}
    for file in sorted(TRANSCRIPTS.glob("*.txt")):
        head, _, rest = file.read_text(encoding="utf-8").partition("\nreply: ")
        fields = dict(line.split(": ", 1) for line in head.splitlines()[1:])
        if "raises" not in fields:
            path = urlsplit(fields["request"].split(" ")[1]).path
            replies.setdefault(path, rest.partition("\n")[2].encode())
    return replies


@attrs.frozen
class RecordingServer:
    """Where it listens, and what it has been asked."""

    url: str
    requests: list[Request] = attrs.field(factory=list)
    replies: dict[str, bytes] = attrs.field(factory=transcript_replies)

    def take(self) -> list[Request]:
        """What it has been asked since the last time."""
        taken = list(self.requests)
        self.requests.clear()
        return taken


@asynccontextmanager
async def open_recording_server() -> AsyncIterator[RecordingServer]:
    """A server on a free port."""
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        server = RecordingServer(f"http://127.0.0.1:{listener.socket.getsockname()[1]}")
        await nursery.start(
            partial(trio.serve_listeners, partial(_accept, server), [listener], handler_nursery=nursery)
        )
        yield server
        nursery.cancel_scope.cancel()


async def _accept(server: RecordingServer, stream: trio.SocketStream) -> None:
    async with stream:
        with suppress(trio.BrokenResourceError):  # a client that ends drops its connections
            await _serve(server, stream)


async def _serve(server: RecordingServer, stream: trio.SocketStream) -> None:
    http = h11.Connection(h11.SERVER)
    while True:
        body = b""
        head = await _next(http, stream)
        if not isinstance(head, h11.Request):
            return
        while isinstance(event := await _next(http, stream), h11.Data):
            body += event.data
        request = _request(head, body)
        server.requests.append(request)
        reply = server.replies.get(request.path)
        status, reply = (404, b"{}") if reply is None else (200, reply)
        headers = {"Content-Type": "application/json;charset=utf-8", "Content-Length": str(len(reply))}
        answer = (
            h11.Response(status_code=status, headers=list(headers.items())),
            h11.Data(data=reply),
            h11.EndOfMessage(),
        )
        for part in answer:
            await stream.send_all(http.send(part) or b"")
        if http.our_state is h11.MUST_CLOSE:
            return
        http.start_next_cycle()


async def _next(http: h11.Connection, stream: trio.SocketStream) -> object:
    await trio.lowlevel.checkpoint()
    while (event := http.next_event()) is h11.NEED_DATA:
        http.receive_data(await stream.receive_some())
    return event


def _request(head: h11.Request, body: bytes) -> Request:
    target = urlsplit(head.target.decode())
    query = parse_qsl(target.query, keep_blank_values=True)
    params = dict(query)
    assert len(params) == len(query), "a parameter twice"
    assert not (params and body), "parameters in two places"
    headers = {name.decode() for name, _ in head.headers}
    told = {name for name in headers if name.startswith("x-bm-") or name == "locale"}
    return Request(
        head.method.decode(),
        target.path,
        json.loads(body) if body else params,
        frozenset(told | ({"content-type"} & headers if body else set())),
    )
