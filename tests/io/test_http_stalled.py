"""REST deadlines and a loop that was kept busy: a reply that lies in the socket is used, one that is not there is late.

Time passes by `MockClock.jump` alone, so sockets can be real.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import pytest
import trio
import trustme
from http_loopback import open_loopback, whole
from tls_kit import roots_file, server_context, tls_server
from trio.testing import MockClock

import bitmart_trio as bm

LONG = b'{"code":1000,"message":"OK","trace":"t","data":{"text":"' + b"x" * 90_000 + b'"}}'
"""More than one read, less than what a socket takes at once."""
READ_ONCE = bm.Config(retry=bm.Retry(attempts=1))


async def _text(spot: bm.Spot) -> object:
    reply = await spot.request("GET", "/spot/v1/text", auth="none")
    return cast("dict[str, object]", reply.data)["text"]


async def test_a_reply_that_lies_in_the_socket_is_used(mock_clock: MockClock) -> None:
    """Every deadline has passed when the program comes back from its computation, and the whole reply is there."""

    async def answer(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        await trio.lowlevel.checkpoint()
        assert os.write(stream.socket.fileno(), reply) == len(reply)
        mock_clock.jump(1000)
        return True

    reply = whole(LONG)
    async with open_loopback(answer) as server:
        async with bm.open_spot(environment=bm.Environment.at(server.url), config=READ_ONCE) as spot:
            for _ in range(20):
                assert await _text(spot) == "x" * 90_000
        assert server.accepted == 1


async def test_a_reply_under_tls_that_lies_in_the_socket_is_used(mock_clock: MockClock, tmp_path: Path) -> None:
    """Whole records that nobody has decrypted count as well; the time may pass at any point of the reply."""
    authority = trustme.CA()

    async def answer(stream: trio.SSLStream[trio.SocketStream]) -> None:
        while True:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += await stream.receive_some(1000)
            await stream.send_all(whole(LONG))
            mock_clock.jump(1000)

    config = bm.Config(retry=bm.Retry(attempts=1), tls=roots_file(authority, tmp_path))
    context = server_context(authority.issue_cert("127.0.0.1"))
    async with tls_server(context, answer) as port:
        async with bm.open_spot(environment=bm.Environment.at(f"https://127.0.0.1:{port}"), config=config) as spot:
            for _ in range(20):
                assert await _text(spot) == "x" * 90_000


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"], ids=["nothing", "half"])
async def test_a_reply_that_is_not_there_is_late(mock_clock: MockClock, sent: bytes) -> None:
    """What had arrived is read, and then the deadline is judged."""

    async def answer(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        await stream.send_all(sent)
        mock_clock.jump(1000)
        await trio.sleep_forever()

    async with open_loopback(answer) as server:
        async with bm.open_spot(environment=bm.Environment.at(server.url), config=READ_ONCE) as spot:
            with pytest.raises(bm.ConnectionLost, match="ReadTimeout"):
                await _text(spot)


@pytest.mark.parametrize(
    ("head", "again", "most", "words"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 1_000_000, "more than 100 interim replies"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" " * 1000, 10_000_000, "ReadTimeout: no whole reply in time"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 4_000_000, "too many pieces"),
    ],
    ids=["interim replies", "a body without an end", "chunks of a byte"],
)
async def test_a_reply_that_never_ends_is_not_read_for_ever(
    mock_clock: MockClock, monkeypatch: pytest.MonkeyPatch, head: bytes, again: bytes, most: int, words: str
) -> None:
    """A peer that always has a byte more cannot keep a call beyond its deadline for longer than a socket's worth."""
    monkeypatch.setattr("bitmart_trio._io.http1._LATE_BYTES", 500_000)
    given = 0

    async def answer(_: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        nonlocal given
        await stream.send_all(head)
        while True:
            await stream.send_all(again * (60_000 // len(again)))
            given += 60_000
            mock_clock.jump(1000)

    async with open_loopback(answer) as server:
        async with bm.open_spot(environment=bm.Environment.at(server.url), config=READ_ONCE) as spot:
            with pytest.raises(bm.ConnectionLost, match=words):
                await _text(spot)
    assert given < most


@pytest.mark.parametrize(
    ("head", "again", "words"),
    [
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", "more than 100 interim replies"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", "too many pieces"),
    ],
    ids=["interim replies", "chunks of a byte"],
)
async def test_a_reply_has_a_bounded_number_of_pieces(
    monkeypatch: pytest.MonkeyPatch, head: bytes, again: bytes, words: str
) -> None:
    """Each costs the same work whatever its size, so bytes alone are no bound."""
    monkeypatch.setattr("bitmart_trio._io.http1._MOST_PIECES", 5_000)

    async def answer(_: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        await stream.send_all(head)
        while True:
            await stream.send_all(again * 1000)

    async with open_loopback(answer) as server:
        async with bm.open_spot(environment=bm.Environment.at(server.url), config=READ_ONCE) as spot:
            with pytest.raises(bm.ConnectionLost, match=words):
                await _text(spot)


async def test_a_connect_that_this_program_held_up_is_tried_again(
    mock_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No write is lost to a time-out of a connect that passed while the loop was busy."""
    tries = 0
    dial = trio.open_tcp_stream

    async def slow(host: str, port: int) -> trio.SocketStream:
        nonlocal tries
        tries += 1
        if tries == 1:
            mock_clock.jump(15)
            await trio.sleep(0.1)
        return await dial(host, port)

    async def answer(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        await stream.send_all(whole(LONG))
        return True

    monkeypatch.setattr(trio, "open_tcp_stream", slow)
    async with open_loopback(answer) as server:
        async with bm.open_spot(environment=bm.Environment.at(server.url), config=READ_ONCE) as spot:
            assert await _text(spot) == "x" * 90_000
    assert tries == 2
