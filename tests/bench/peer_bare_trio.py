"""Two bare Trio tasks: one reads the socket, finds frames and decodes them with msgspec, the other gets the objects.

The least that anything on Trio can cost which hands typed objects to a task of the user's: no routing, no heartbeat, no
reconnecting, no limits, no checks. It reads the frames of the bench's server, not those of every server.
"""

from __future__ import annotations

import base64
import json
import math
import os
import ssl
from decimal import Decimal
from urllib.parse import urlsplit

import msgspec
import trio

from . import meter, work

PLAN = meter.plan()


class Trade(msgspec.Struct):
    trade_id: int
    symbol: str
    deal_price: Decimal
    deal_vol: Decimal
    created_at: str
    way: int
    m: bool


class Push(msgspec.Struct):
    group: str
    data: list[Trade]


async def connect() -> trio.abc.Stream:
    """A stream on which the server pushes."""
    parts = urlsplit(PLAN["url"])
    stream: trio.abc.Stream = await trio.open_tcp_stream(str(parts.hostname), parts.port or 443)
    if PLAN.get("certificate"):
        context = ssl.create_default_context(cafile=PLAN["certificate"])
        assert isinstance(stream, trio.SocketStream)
        stream = trio.SSLStream(stream, context, server_hostname=parts.hostname, https_compatible=True)
    key = base64.b64encode(os.urandom(16)).decode()
    await stream.send_all(
        f"GET /ws/futures/public HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        head += await stream.receive_some(4096)
    told = json.dumps({"action": "subscribe", "args": work.topics("futures", "trade", 1)}).encode()
    await stream.send_all(bytes((0x81, 0x80 | len(told))) + b"\0\0\0\0" + told)
    return stream


async def read(stream: trio.abc.Stream, send: trio.MemorySendChannel[Trade]) -> None:
    """The task that reads and decodes."""
    decode, held, answered = msgspec.json.Decoder(Push).decode, b"", False
    while data := await stream.receive_some(65536):
        held = held + data if held else bytes(data)
        at = 0
        while len(held) >= at + 4:
            length, start = held[at + 1], at + 2
            if length == 126:
                length, start = int.from_bytes(held[at + 2 : at + 4], "big"), at + 4
            if len(held) < start + length:
                break
            payload, at = held[start : start + length], start + length
            if not answered:  # the first frame is the answer to the subscription
                answered = True
                continue
            for trade in decode(payload).data:
                send.send_nowait(trade)
        held = held[at:]


async def main() -> None:
    """Read all messages."""
    warm, count, seen, took = PLAN["warm"], PLAN["count"], 0, list[int]()
    watch = meter.Meter()
    send, receive = trio.open_memory_channel[Trade](math.inf)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(read, await connect(), send)
        async for trade in receive:
            price = trade.deal_price
            if seen >= warm:
                took.append(work.now() - trade.trade_id)
            seen += 1
            if seen == warm:
                await trio.sleep(meter.SETTLE)
                watch.start()
            if seen == warm + count:
                watch.stop(count, read=str(price), took=took)
                nursery.cancel_scope.cancel()
                break


trio.run(main)
