"""The work that everybody is given: the same bytes on the wire for every client, so that only the clients differ."""

from __future__ import annotations

import json
import struct
import time
import zlib
from typing import Any, Final, Literal, TypeAlias

Kind: TypeAlias = Literal["trade", "ticker", "depth", "increase"]
Market: TypeAlias = Literal["spot", "futures"]
Encoding: TypeAlias = Literal["text", "deflate"]

KINDS: Final[tuple[Kind, ...]] = ("trade", "ticker", "depth")
CYCLE: Final = 500
"""Distinct messages; a longer run repeats them."""
LEVELS: Final = 40
"""A side of a depth message: 80 in all, about 2 kB."""

_SPOT: Final[dict[str, str]] = {
    "trade": "spot/trade:{}",
    "ticker": "spot/ticker:{}",
    "depth": "spot/depth50:{}",
    "increase": "spot/depth/increase100:{}",
}
_FUTURES: Final[dict[str, str]] = {
    "trade": "futures/trade:{}",
    "ticker": "futures/ticker:{}",
    "depth": "futures/v2/depthAll50:{}@100ms",
    "increase": "futures/v2/depthIncrease50:{}@100ms",
}


def symbols(market: Market, count: int) -> list[str]:
    """So many markets."""
    return [f"COIN{number}{'_' if market == 'spot' else ''}USDT" for number in range(count)]


def topics(market: Market, kind: Kind, count: int) -> list[str]:
    """The topics of so many markets."""
    pattern = (_SPOT if market == "spot" else _FUTURES)[kind]
    return [pattern.format(symbol) for symbol in symbols(market, count)]


def price(number: int) -> str:
    """The price in the message of this number: the check that a client has read the right one."""
    return f"{30000 + number % CYCLE / 100:.2f}"


def _levels(number: int, count: int) -> tuple[list[list[str]], list[list[str]]]:
    best = 30000 + number % CYCLE / 100
    asks = [[f"{best + (step + 1) / 100:.2f}", f"{0.1 + (step * 7 + number) % 90 / 100:.5f}"] for step in range(count)]
    bids = [[f"{best - step / 100:.2f}", f"{0.1 + (step * 3 + number) % 80 / 100:.5f}"] for step in range(count)]
    return asks, bids


def _unevenly(side: list[list[str]], number: int) -> list[list[str]]:
    """The same levels as some channels spell them: without zeros at the end, and three in ten removed."""
    return [
        [paid.rstrip("0").rstrip("."), "0" if step and (step * 7 + number) % 10 < 3 else amount.rstrip("0")]
        for step, (paid, amount) in enumerate(side)
    ]


def _item(market: Market, kind: Kind, symbol: str, number: int, levels: int, uneven: bool) -> dict[str, Any]:
    paid = price(number)
    if kind in ("depth", "increase"):
        asks, bids = _levels(number, levels)
        if uneven:
            asks, bids = _unevenly(asks, number), _unevenly(bids, number)
        return {"symbol": symbol, "asks": asks, "bids": bids, "ms_t": 1730399750402 + number}
    if market == "spot" and kind == "trade":
        when = 1709024652967 + number
        return {"symbol": symbol, "price": paid, "side": "buy", "size": "11.085", "s_t": when // 1000, "ms_t": when}
    if market == "spot":
        return {
            "ask_px": paid, "ask_sz": "1.021", "base_volume_24h": "2021.02000", "bid_px": "29999.98", "bid_sz": "11.4",
            "fluctuation": "-0.0001", "high_24h": "35003.04", "last_price": paid, "low_24h": "29000.00",
            "ms_t": 1709024652967 + number, "open_24h": "29503.03", "quote_volume_24h": "70700123.00",
            "s_t": 1709024652, "symbol": symbol,
        }  # fmt: skip
    if kind == "trade":
        return {
            "trade_id": 3000000389425121 + number, "symbol": symbol, "deal_price": paid, "deal_vol": "310", "way": 2,
            "m": True, "created_at": "2025-03-10T18:17:14.656686827Z",
        }  # fmt: skip
    return {
        "symbol": symbol, "last_price": paid, "volume_24": "25502894", "range": "0.0016599204475393",
        "mark_price": "97153.7", "index_price": "97185.614", "ask_price": "97153.9", "ask_vol": "28",
        "bid_price": "97153.4", "bid_vol": "428",
    }  # fmt: skip


def message(
    market: Market, kind: Kind, topic: str, number: int, levels: int = LEVELS, *, uneven: bool = False
) -> bytes:
    """One push, as JSON."""
    symbol = topic.partition(":")[2].partition("@")[0]
    item = _item(market, kind, symbol, number, levels, uneven)
    pushed: dict[str, Any]
    if market == "spot":
        pushed = {"table": topic.partition(":")[0], "data": [item]}
    elif kind == "trade":
        pushed = {"data": [item], "group": topic}
    else:
        pushed = {"data": item, "group": topic}
    return json.dumps(pushed, separators=(",", ":")).encode()


def frame(payload: bytes, encoding: Encoding) -> bytes:
    """A server's WebSocket frame."""
    first = 0x81
    if encoding == "deflate":
        packer = zlib.compressobj(wbits=-15)
        payload = packer.compress(payload) + packer.flush()
        first = 0x82
    if len(payload) < 126:
        return struct.pack("!BB", first, len(payload)) + payload
    if len(payload) < 65536:
        return struct.pack("!BBH", first, 126, len(payload)) + payload
    return struct.pack("!BBQ", first, 127, len(payload)) + payload


def frames(
    market: Market,
    kind: Kind,
    encoding: Encoding,
    wanted: list[str],
    levels: int = LEVELS,
    *,
    uneven: bool = False,
) -> list[bytes]:
    """A cycle of frames over the topics in turn."""
    length = -(-CYCLE // len(wanted)) * len(wanted)
    return [
        frame(message(market, kind, wanted[number % len(wanted)], number, levels, uneven=uneven), encoding)
        for number in range(length)
    ]


def now() -> int:
    """The monotonic clock of the machine, which all its processes share, in tenths of a microsecond."""
    return time.monotonic_ns() // 100


def stamped(text: bytes, stamp: int) -> bytes:
    """A frame of a futures trade whose id says when it was sent."""
    head, _, rest = text.partition(b'"trade_id":')
    head = head[head.index(b"{") :]
    return frame(b'%b"trade_id":%d%b' % (head, stamp, rest[rest.index(b",") :]), "text")


def tickers(count: int) -> bytes:
    """The reply with the tickers of so many pairs, as rows."""
    row = [
        "COIN_USDT", "30000.12", "582.08066", "16793.14", "30100.00", "30200.05", "28.11", "0.0124", "29999.91", "3.5",
        "30000.13", "1.7", "1709024652967",
    ]  # fmt: skip
    rows = [[f"COIN{number}_USDT", price(number), *row[2:]] for number in range(count)]
    return json.dumps({"code": 1000, "trace": "t", "message": "success", "data": rows}).encode()


def klines(count: int) -> bytes:
    """The reply with so many bars, as rows."""
    rows = [
        [str(1709024640 + 60 * number), "30000.10", "30010.20", "29990.30", price(number), "582.08066", "16793.14"]
        for number in range(count)
    ]
    return json.dumps({"code": 1000, "trace": "t", "message": "success", "data": rows}).encode()


TICKER: Final = json.dumps(
    {
        "code": 1000, "trace": "886fb6ae-456b-4654-b4e0-d681ac05cea1", "message": "success",
        "data": {
            "symbol": "BTC_USDT", "last": "30000.00", "v_24h": "582.08066", "qv_24h": "16793.14", "open_24h": "30100",
            "high_24h": "30200.05", "low_24h": "28.11", "fluctuation": "0.0124", "bid_px": "29999.91",
            "bid_sz": "3.5", "ask_px": "30000.13", "ask_sz": "1.7", "ts": "1709024652967",
        },
    }
).encode()  # fmt: skip
ORDER: Final = json.dumps(
    {"code": 1000, "trace": "886fb6ae-456b-4654-b4e0-d681ac05cea1", "message": "success", "data": {"order_id": "42"}}
).encode()
