"""picows and msgspec on uvloop: a parser in C, typed with decimals, decoded once, in a callback.

About all that Python can do.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from decimal import Decimal
from operator import attrgetter
from typing import Any

import msgspec
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from . import meter, work

PLAN = meter.plan()


class Level(msgspec.Struct, array_like=True):
    price: Decimal
    size: Decimal


class Trade(msgspec.Struct):
    symbol: str
    price: Decimal
    size: Decimal
    side: str
    ms_t: int


class Ticker(msgspec.Struct):
    symbol: str
    last_price: Decimal
    open_24h: Decimal
    high_24h: Decimal
    low_24h: Decimal
    base_volume_24h: Decimal
    quote_volume_24h: Decimal
    fluctuation: Decimal
    bid_px: Decimal
    bid_sz: Decimal
    ask_px: Decimal
    ask_sz: Decimal
    ms_t: int


class Depth(msgspec.Struct):
    symbol: str
    asks: list[Level]
    bids: list[Level]
    ms_t: int


class FuturesTrade(msgspec.Struct):
    trade_id: int
    symbol: str
    deal_price: Decimal
    deal_vol: Decimal
    created_at: str
    way: int
    m: bool


class FuturesTicker(msgspec.Struct):
    symbol: str
    last_price: Decimal
    volume_24: Decimal
    range: Decimal
    mark_price: Decimal
    index_price: Decimal
    ask_price: Decimal
    ask_vol: Decimal
    bid_price: Decimal
    bid_vol: Decimal


SPOT: dict[str, Any] = {"trade": list[Trade], "ticker": list[Ticker], "depth": list[Depth]}
FUTURES: dict[str, Any] = {"trade": list[FuturesTrade], "ticker": FuturesTicker, "depth": Depth}


class Listener(WSListener):
    """Routes by the topic, decodes, looks at the best price."""

    def __init__(self) -> None:
        spot = PLAN["market"] == "spot"
        model: Any = SPOT[PLAN["kind"]] if spot else FUTURES[PLAN["kind"]]
        push: Any = msgspec.defstruct("Push", [("table" if spot else "group", str), ("data", model)])
        self._push: Any = msgspec.json.Decoder(push)
        self._name = attrgetter("table" if spot else "group")
        self._listens: dict[str, Any] = {}
        topics = work.topics(PLAN["market"], PLAN["kind"], PLAN["topics"])
        for topic in topics:
            self._listens[topic.partition(":")[0] if spot else topic] = self._take
        self._seen, self._read = 0, ""
        self._paced, self._took = bool(PLAN.get("rate")), list[int]()
        self._watch = meter.Meter()
        self.done = asyncio.get_running_loop().create_future()

    def on_ws_connected(self, transport: WSTransport) -> None:
        verb = "op" if PLAN["market"] == "spot" else "action"
        told = {verb: "subscribe", "args": work.topics(PLAN["market"], PLAN["kind"], PLAN["topics"])}
        transport.send(WSMsgType.TEXT, json.dumps(told).encode())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        payload = frame.get_payload_as_bytes()
        if frame.msg_type == WSMsgType.BINARY:
            payload = zlib.decompress(payload, -15)
        elif frame.msg_type != WSMsgType.TEXT or b'"subscribe"' in payload[:60]:
            return
        push = self._push.decode(payload)
        self._listens[self._name(push)](push.data)

    def _take(self, decoded: Any) -> None:
        for item in decoded if isinstance(decoded, list) else (decoded,):
            if PLAN["kind"] == "depth":
                self._read = item.bids[0].price
            elif PLAN["kind"] == "ticker":
                self._read = item.last_price
            else:
                self._read = item.price if PLAN["market"] == "spot" else item.deal_price
            if self._paced and self._seen >= PLAN["warm"]:
                self._took.append(work.now() - item.trade_id)
            self._seen += 1
        if self._seen == PLAN["warm"]:
            asyncio.get_running_loop().call_later(meter.SETTLE, self._watch.start)
        if self._seen == PLAN["warm"] + PLAN["count"] and not self.done.done():
            self._watch.stop(PLAN["count"], read=str(self._read), took=self._took)
            self.done.set_result(None)


async def main() -> None:
    """Read all messages."""
    url = f"{PLAN['url'].replace('http', 'ws', 1)}/ws/{PLAN['market']}/public"
    transport, listener = await ws_connect(Listener, url, max_frame_size=4 * 1024 * 1024)
    assert isinstance(listener, Listener)
    await listener.done
    transport.disconnect()


uvloop.run(main())
