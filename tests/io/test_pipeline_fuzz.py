"""Replies of any kind over a real connection: status, headers, framing and body drawn at random.

Every call ends in a result or in a `BitMartError`, and the next call works. A seed that fails is printed.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

import attrs
import pytest
import trio
from http_kit import ORDER, TICKER_DATA
from http_loopback import open_loopback
from proof_sizes import REPLIES

import bitmart_trio as bm
from bitmart_trio import endpoints

NINES: Final = "9" * 5000
BATCH: Final = 250

VALUES: Final[list[Any]] = [
    None, "", "-", "?", True, False, 0, -1, 1.5, 10**30, 10**390, "1_000", "\u0661", "NaN", "1e999999999",
    "9" * 500, [], {}, [[]],
    [{}], [None], {"": {}}, "\ud800", "\x00\x1b[2J", "x" * 3000, -(10**18), "2026-01-01", 1e308,
]  # fmt: skip
STATUSES: Final = [200] * 12 + [
    201,
    204,
    206,
    301,
    302,
    304,
    400,
    401,
    403,
    404,
    408,
    418,
    429,
    451,
    500,
    503,
    520,
    530,
    599,
    999,
]
HEADERS: Final = [
    ("Date", "Mon, 30 Nov 2026 10:00:00 +999999999999999999999"),
    ("Date", "Mon, 30 Nov 99999999999999999999 10:00:00 GMT"),
    ("Date", "Mon, 30 Nov 2026 10:00:00 GMT"), ("Date", "\xff"), ("Age", "-1"), ("Retry-After", NINES[:400]),
    ("Retry-After", "0"),
    ("X-BM-RateLimit-Remaining", "999999999"), ("X-BM-RateLimit-Limit", "999999999"), ("X-BM-RateLimit-Reset", "1e999"),
    ("X-BM-RateLimit-Remaining", "-5"), ("X-BM-RateLimit-Limit", "\xb2"), ("X-BM-RateLimit-Reset", "2"),
    ("Content-Encoding", "br"), ("Content-Encoding", "gzip"), ("Content-Type", "text/html"), ("Location",
    "http://127.0.0.1:1/"),
    ("X-Long", "y" * 5000), ("Set-Cookie", "a=b"), ("Connection", "close"),
]  # fmt: skip
CODES: Final[list[Any]] = [
    1000, "1000", 1000.0, 30013, 30017, 50020, "50020", 408, 99999, -1, 0, None, True, "OK", NINES[:30], 10**25, [],
    {}, 1e400,
]  # fmt: skip
PLAIN: Final[list[bytes]] = [
    b"", b" ", b"null", b"true", b"5", b'"x"', b"[]", b"{}", b"<html><title>a\x1b[31m</title>", b"error code: 1010",
    b"\xff\xfe\x00",
    b"[" * 100_000, b'{"a":' * 5000, b'{"code":1000,"data":' + b"[" * 3000 + b"]" * 3000 + b"}",
    b"{" + b'"a":1,' * 2000 + b'"b":2}',
    b'{"code":1000,"data":{"server_time":"' + NINES[:400].encode() + b'"}}', b'{"code":1000,"data":{"x":1e999999}}',
    b'{"code":1000,"data":{"x":' + NINES.encode() + b"}}", b'{"code":' + NINES.encode() + b',"data":{}}',
    b'{"errno":"OK","data":{}}',
    b'{"code":1000,"code":50020,"data":{}}', b'{"code":1000,"message":{"a":[1]},"trace":5,"data":{"order_id":7}}',
]  # fmt: skip


def _good(kind: str) -> Any:
    match kind:
        case "ticker" | "extras":
            return dict(TICKER_DATA)
        case "submit" | "raw post":
            return {"order_id": "7"}
        case "klines":
            return [["1700000000", "1", "2", "0.5", "1.5", "10", "15"]] * 3
        case "orders":
            return [{"orderId": "1", "symbol": "BTC_USDT", "side": "buy", "price": "1", "state": "new"}] * 2
        case "contracts":
            return {"symbols": [{"symbol": "BTCUSDT", "price_precision": "0.1"}] * 2}
        case _:
            return {"server_time": 1_700_000_000_000}


def _spoiled(value: Any, luck: random.Random) -> Any:
    """The same JSON with one value changed, left out or added, somewhere."""
    if luck.random() < 0.15 or not isinstance(value, dict | list) or not value:
        return luck.choice(VALUES)
    if isinstance(value, list):
        at = luck.randrange(len(value))
        return [*value[:at], _spoiled(value[at], luck), *value[at + 1 :]]
    name = luck.choice([*value])
    if luck.random() < 0.3:
        return {key: each for key, each in value.items() if key != name}
    return {**value, name: _spoiled(value[name], luck)}


@attrs.frozen
class Case:
    """One reply, and whether it says plainly that a write was accepted."""

    sent: bytes
    accepted: bool


def case(kind: str, luck: random.Random) -> Case:
    """Draw one."""
    status = luck.choice(STATUSES)
    headers = luck.sample(HEADERS, luck.choice([0, 0, 1, 2, 4]))
    members: dict[str, Any] = {"code": 1000, "message": "OK", "trace": "t", "data": _good(kind)}
    draw = luck.random()
    spoiled = False
    if draw < 0.25:
        body, spoiled = luck.choice(PLAIN), True
    else:
        if draw < 0.4:
            members["code"], spoiled = luck.choice(CODES), True
        elif draw < 0.8:
            members["data"] = _spoiled(members["data"], luck)
            spoiled = (
                kind != "submit" or not isinstance(members["data"], dict) or members["data"].get("order_id") != "7"
            )
        if draw < 0.5:
            members |= {"message": luck.choice(VALUES), "trace": luck.choice(VALUES)}
        body = json.dumps(members).encode(errors="surrogatepass")
        if luck.random() < 0.1:
            body = b"\xef\xbb\xbf" + body
        if luck.random() < 0.1:
            body, spoiled = body[: luck.randrange(len(body) + 1)], True
        elif luck.random() < 0.05:
            at = luck.randrange(len(body))
            body, spoiled = body[:at] + luck.randbytes(2) + body[at + 2 :], True
    encoded = [value for name, value in headers if name == "Content-Encoding"]
    if encoded == ["gzip"] and luck.random() < 0.7:
        body = gzip.compress(body)
        encoded = []
    framing = luck.choice(
        ["length"] * 6 + ["chunked", "until close", "short", "long", "bad chunk", "two lengths", "1.0", "none"]
    )
    whole = framing in ("length", "chunked", "until close", "1.0", "long")
    lines = [f"HTTP/1.{'0' if framing == '1.0' else '1'} {status} X"] + [f"{name}: {value}" for name, value in headers]
    if framing in ("length", "1.0"):
        lines.append(f"Content-Length: {len(body)}")
    elif framing == "short":
        lines.append(f"Content-Length: {len(body) + 10}")
    elif framing == "long":
        lines.append(f"Content-Length: {len(body)}")
        body += b"HTTP/1.1 200 OK\r\n\r\n" if luck.random() < 0.5 else b"rest"
    elif framing == "two lengths":
        lines += ["Content-Length: 3", "Content-Length: 5"]
    elif framing in ("chunked", "bad chunk"):
        lines.append("Transfer-Encoding: chunked")
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if framing == "chunked" else b"zz\r\n" + body
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    if framing == "none":
        head = luck.choice([b"", b"garbage\r\n\r\n", b"HTTP/9.9 200 OK\r\n\r\n", head[: luck.randrange(len(head))]])
    accepted = kind == "submit" and status in (200, 201) and whole and not spoiled and not encoded
    return Case(head + body, accepted)


KINDS: Final[dict[str, Callable[[bm.Client], Awaitable[Any]]]] = {
    "ticker": lambda client: client.spot.market.ticker("BTC_USDT"),
    "submit": lambda client: client.spot.trading.submit_order(**ORDER),  # type: ignore[arg-type]  # plain keywords
    "raw post": lambda client: client.spot.request("POST", "/spot/v2/submit_order", params={"a": "b"}, auth="signed"),
    "raw get": lambda client: client.futures.request("GET", "/system/time"),
    "time": lambda client: client.spot.system.time(),
    "latency": lambda client: client.spot.system.latency(),
    "klines": lambda client: client.spot.market.klines("BTC_USDT", step=60),
    "orders": lambda client: client.spot.trading.open_orders(),
    "contracts": lambda client: client.futures.rules("BTCUSDT", refresh=True),
    "extras": lambda client: client.spot.call(endpoints.spot.market.ticker, symbol="BTC_USDT"),
}


@pytest.mark.proof
@pytest.mark.parametrize("batch", range(REPLIES // BATCH))
async def test_a_result_or_an_error_of_ours(batch: int) -> None:
    """Nothing else leaves a call, and an accepted write is a result."""
    replies: list[bytes] = []

    async def handler(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        await stream.send_all(replies[0])
        return False

    config = bm.Config(
        retry=bm.Retry(attempts=1),
        rate_limit="raise",
        ban_pause=0,
        timeouts=bm.Timeouts(connect=5, read=5),
        max_reply_bytes=200_000,
    )
    ends: dict[str, int] = {}
    async with open_loopback(handler) as server:
        for number in range(batch * BATCH, (batch + 1) * BATCH):
            luck = random.Random(number)
            kind = luck.choice([*KINDS, "submit", "submit"])
            drawn = case(kind, luck)
            replies[:] = [drawn.sent]
            environment = bm.Environment.at(server.url)
            async with bm.open_client(bm.Credentials("k", "s", "m"), environment=environment, config=config) as client:
                try:
                    with trio.fail_after(20):
                        result = await KINDS[kind](client)
                    repr(result)
                    if kind == "extras":
                        repr(bm.extras(result))
                    end = "result"
                except bm.BitMartError as error:
                    end = type(error).__name__ if str(error) else "an error without words"
                except BaseException as error:
                    error.add_note(f"case {number} of {kind}: {drawn.sent[:600]!r}")
                    raise
            assert end == "result" or not drawn.accepted, (number, end, drawn.sent[:600])
            ends[end] = ends.get(end, 0) + 1
    assert ends["result"] > BATCH // 20
    assert len(ends) >= 5
