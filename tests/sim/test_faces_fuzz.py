"""Whatever a peer sends, the exchange lives on and calls nothing a bug of its own."""

from __future__ import annotations

import contextlib
import json
from random import Random

import pytest
import trio
from faces_support import START, TICKER, Floor, open_floor
from trio.testing import MockClock

HANDSHAKE = (
    b"GET /ws/%s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
VALUES: list[object] = [
    None, True, 0, -1, 1e300, 10**40, "", "x", "spot/ticker:BTC_USDT", "futures/order", "\ud800", [], {}, [[]], [None],
    ["spot/ticker:BTC_USDT", 3], ["futures/ticker:\ud800"], {"a": 1}, "subscribe", "login", "access", "ping", START,
]  # fmt: skip
TEXTS = [
    "", "ping", "{", "[" * 900 + "]" * 900, '{"op":' * 300 + "1" + "}" * 300, '{"op":NaN}', "\x00",
    '{"action":"subscribe","args":[NaN]}', '{"op":"subscribe","op":7}',
    '{"action":"subscribe","args":' + "[" * 190 + "]" * 190 + "}",
]  # fmt: skip


async def talk(floor: Floor, data: bytes) -> None:
    """Send, and read to the end or for a while."""
    pipe = floor.dial()
    with contextlib.suppress(trio.BrokenResourceError):
        await pipe.send_all(data)
        with trio.move_on_after(30):
            while await pipe.receive_some():
                pass
    pipe.reset()


async def check(floor: Floor) -> None:
    async with floor.http() as client:
        assert (await client.get(TICKER)).status_code == 200
    assert not [line for line in floor.small.log.lines if line["kind"] == "bug"]


@pytest.mark.parametrize("seed", range(20))
async def test_random_bytes(seed: int, autojump_clock: MockClock) -> None:
    """As a request, behind a good request line, and as frames of an open socket."""
    random = Random(seed)
    async with open_floor() as floor:
        for start in (
            b"",
            b"POST / HTTP/1.1\r\nHost: x\r\n",
            HANDSHAKE % b"spot/public",
            HANDSHAKE % b"futures/private",
        ):
            for _ in range(5):
                await talk(floor, start + random.randbytes(random.randrange(1, 300)))
        await check(floor)


@pytest.mark.parametrize("kind", ["spot/public", "spot/private", "futures/public", "futures/private"])
async def test_odd_messages(kind: str, autojump_clock: MockClock) -> None:
    """Every odd verb with every odd argument is answered or ends the connection."""
    messages = [*TEXTS]
    for verb in ("op", "action"):
        for name in VALUES:
            messages.extend(json.dumps({verb: name, "args": args}) for args in VALUES)
        messages.extend(
            json.dumps({verb: name, "args": args})
            for name in ("subscribe", "request", "login", "access")
            for args in VALUES
        )
    async with open_floor() as floor:
        floor.sockets.limits.spot_messages = None
        floor.sockets.limits.connects_per_minute = None
        floor.sockets.limits.spot_public_connections = floor.sockets.limits.spot_private_connections = None
        for begin in range(0, len(messages), 40):
            socket = await floor.socket(kind)
            with contextlib.suppress(Exception):
                for message in messages[begin : begin + 40]:
                    await socket.send(message)
                while True:
                    with trio.fail_after(1):
                        assert await socket.text()
        await check(floor)
