"""Junk of every kind at the whole exchange: it answers politely or hangs up, and stays right.

Bounded and seeded; ``BITMART_VENUE_FUZZ=300`` asks for more.
"""
# ruff: noqa: E501  # junk is not read line by line

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import pytest
import trio
from chapters_kit import CURRENCIES, DESK1, MAIN, House
from proof_sizes import VENUE_FUZZ
from trio.testing import MockClock

from bitmart_trio import sim
from bitmart_trio.sim.bitmart.gate import signature

SEEDS: Final = range(VENUE_FUZZ)
FOUND: Final = (47,)
"""Seeds that have shown something: 47 sends a message beyond all bounds on a socket that is being closed."""
SOURCES: Final = [*Path(sim.__file__).parent.rglob("*.py")]
NAMES: Final[list[str]] = sorted(
    {
        name
        for file in SOURCES
        for name in re.findall(
            r"(?:\.text|\.need|\.integer|\.decimal|needed|whole|_number|_text|_period)\((?:call, )?\"(\w+)\"",
            file.read_text(encoding="utf-8"),
        )
    }
)
"""Parameters that handlers read, found in the sources; those that are read in other ways are added below."""
NAMES.extend(
    (
        "amount",
        "N",
        "recvWindow",
        "orderIds",
        "clientOrderIds",
        "orderParams",
        "page_size",
        "currentPage",
        "sizePage",
        "category",
    )
)

VALUES: Final[tuple[Any, ...]] = (
    "BTC_USDT", "ETH_USDT", "BTCUSDT", "BTCUSD", "USDT", "BTC", "limit", "market", "buy", "sell", "long", "cross", "in", "1001",
    "2001", "spot", "USDT-TRC20", "desk1@example.com", "spot_to_fund", 1, 2, 3, 4, 10, 60, "60000", "61000.1", "0.1", "50",
    0, -1, "-1", "", None, True, 1.5, "1e40", "1e-40", "1E+999999", "NaN", "-Infinity", "9" * 60, 10**30, -(10**30), "\u0663", "\u00b2",
    "\x00", "\U0001f600", "\ud800", "\u202e", "x" * 3000, [], {}, ["a"], [[]], [{}], [None], {"a": {"b": []}}, 1_767_225_600_000, "+1", " 1 ", "1_000",
)  # fmt: skip

Write: TypeAlias = "Callable[[Random], bytes]"


def test_the_parameters_were_found() -> None:
    """The vocabulary is real: those of each market are in it."""
    assert {"symbol", "side", "orderId", "order_id", "productId", "trigger_price", "requestNo"} <= set(NAMES)
    assert len(NAMES) > 75


@pytest.mark.proof
@pytest.mark.parametrize("seed", SEEDS)
def test_every_route(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    """Random values for random parameters, well signed: a documented refusal or success, and no money from nowhere."""
    dice, house = Random(seed), House(seed)
    exchange = house.exchange
    # Two routes hand out play money, and depositing has no route: the sum is that of before plus what they gave.
    routes = [key for key in house.bitmart.routes.table if key[1] != "/contract/private/claim"]
    before, codes = house.money(), set[str]()
    for number, (method, path) in enumerate([*routes * 12]):
        house.bitmart.gate.quotas._strikes.clear()
        some = dice.sample(NAMES, dice.randint(0, 12))
        some += ["symbol", "side", "type", "size", "price", "amount", "currency"] if dice.random() < 0.5 else []
        params = {name: dice.choice(VALUES) for name in some}
        if dice.random() < 0.3:
            params["orderParams"] = [
                {name: dice.choice(VALUES) for name in ("side", "type", "size", "price", "clientOrderId")}
            ]
        who = MAIN if dice.random() < 0.8 else DESK1
        status, code = _call(house, method, path, who, params)
        assert status in (200, 400, 401, 403), (method, path, params, code)
        assert code != "59002", (method, path, params)
        codes.add(code)
        if number % 200 == 0:
            house.tick(2)
    assert len(codes) > 20
    assert house.money() == before
    assert {
        currency: account.spot.total(currency) >= 0 for account in exchange.accounts.all() for currency in CURRENCIES
    }
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def _call(house: House, method: str, path: str, who: str, params: dict[str, Any]) -> tuple[int, str]:
    """One call as it comes over the wire, lone surrogates and all: HTTP status and code."""
    house.bitmart.gate.quotas._windows.clear()
    name = "sim" if who == MAIN else "sim-sub"
    text = json.dumps(params) if method == "POST" else ""
    query = urlencode({key: str(value).encode(errors="surrogatepass") for key, value in params.items()})
    stamp = str(house.exchange.now_ms())
    headers = {
        "content-type": "application/json",
        "x-bm-key": f"{name}-key",
        "x-bm-timestamp": stamp,
        "x-bm-sign": signature(f"{name}-secret", stamp, f"{name}-memo", text),
    }
    request = sim.Request(method, path, "" if method == "POST" else query, headers, text.encode(), "127.0.0.1")
    answer = house.bitmart.handle(request)
    body = json.loads(answer.body)
    return answer.status, str(body.get("code", body.get("errno"))) if isinstance(body, dict) else ""


# --- the wire ---

PATHS: Final = (
    "/spot/v2/submit_order", "/contract/private/submit-order", "/spot/quotation/v3/ticker", "/sim/state", "/sim/faults",
    "/sim/clock", "/sim/accounts", "/sim/drop", "/sim/faults/kinds", "/sim/faults/1", "/sim/", "/nowhere", "/ws/spot/public",
)  # fmt: skip


def _body(dice: Random) -> bytes:
    return dice.choice(
        (
            b"", b"{", b"null", b"[]", b"\xff\xfe\x00", b'{"a":"\xc3\x28"}', b"[" * 100_000, b'{"a":' * 5_000, b"{}" * 10,
            b'{"symbol":"BTC_USDT","side":"buy","side":7}', b'{"size":1e999999999}', b'{"size":NaN}', b'"x"', b"1" * 5_000,
            json.dumps({name: dice.choice(VALUES) for name in dice.sample(NAMES, 9)}).encode(),
            json.dumps({"fault": dice.choice(("Delay", "Drop", "", 7, None)), "seconds": dice.choice(VALUES)}).encode(),
            json.dumps({dice.choice(("skew_ms", "step_ms", "hold", "tick_ms")): dice.choice(VALUES[:50])}).encode(),
            json.dumps({"account_id": "8", "key": "k8", "secret": dice.choice(VALUES), "memo": "m", "balances": dice.choice(VALUES)}).encode(),
        )
    )  # fmt: skip


def _request(dice: Random) -> bytes:
    """One request, whole or broken somewhere."""
    body = _body(dice)
    stamp = str(1_767_225_600_000 + dice.choice((0, 0, 0, -(10**9))))
    sign = signature("sim-secret", stamp, "sim-memo", body.decode(errors="surrogateescape"))
    lengths = [b"Content-Length: %d" % len(body)] * 6 + [
        b"Content-Length: 99", b"Content-Length: -1", b"Content-Length: 1, 2", b"Transfer-Encoding: chunked", b"Content-Length: 9" + b"9" * 30,
    ]  # fmt: skip
    query = dice.choice(
        (b"", b"", b"?symbol=BTC_USDT", b"?%ff=%zz&&=&a=b=c", b"?symbol=" + b"x" * 9_000, b"?since=-1&symbol=%00")
    )
    lines = [
        dice.choice((b"POST ", b"POST ", b"GET ", b"DELETE ", b"HEAD ", b"BREW "))
        + dice.choice(PATHS).encode() + query + dice.choice((b" HTTP/1.1", b" HTTP/1.1", b" HTTP/1.0", b" HTTP/9")),
        b"Host: " + dice.choice((b"sim.invalid", b"127.0.0.1:1", b"", b"[::", b"evil.example")),
        dice.choice((b"Content-Type: application/json", b"Content-Type: text/plain", b"X-Odd: \xff\xfe", b"Content-Encoding: gzip")),
        b"X-BM-KEY: " + dice.choice((b"sim-key", b"sim-key", b"who", b"\xe9")),
        b"X-BM-TIMESTAMP: " + dice.choice((stamp.encode(), b"\xb2", b"1" * 400, b"-5")),
        b"X-BM-SIGN: " + dice.choice((sign.encode(), b"00", b"\xff")),
        dice.choice(lengths),
    ]  # fmt: skip
    whole = b"\r\n".join(lines) + b"\r\n\r\n" + body
    return whole if dice.random() < 0.7 else whole[: dice.randrange(len(whole))]


def _frame(dice: Random, payload: bytes) -> bytes:
    """A client's frame, right or wrong in its bits, its mask or its length."""
    first = dice.choice((0x81, 0x81, 0x81, 0x82, 0x01, 0x80, 0x89, 0x88, 0xF1, 0x83))
    mask = dice.randbytes(4)
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    size = len(payload)
    head = bytes([first])
    if dice.random() < 0.1:
        return head + bytes([size % 126]) + payload  # not masked
    if dice.random() < 0.05:
        return head + b"\xff" + dice.choice((b"\xff" * 8, b"\x00" * 7 + b"\x05")) + mask + masked
    head += (
        bytes([0x80 | size])
        if size < 126
        else b"\xfe" + size.to_bytes(2, "big")
        if size < 65536
        else b"\xff" + size.to_bytes(8, "big")
    )
    return head + mask + masked


def _message(dice: Random) -> bytes:
    topics = (
        "spot/ticker:BTC_USDT", "spot/depth/increase100:BTC_USDT", "futures/ticker", "futures/depth20:BTCUSDT@200ms", "spot/user/orders:ALL_SYMBOLS",
        "futures/order", "", ":", "spot/", "x" * 300, "\u0000", "futures/depth20:BTCUSDT@", "spot/kline1m:\U0001f600", "spot/ticker:\ud800",
    )  # fmt: skip
    word = dice.choice(("subscribe", "unsubscribe", "request", "login", "access", "ping", "", 7, None, ["x"]))
    args = dice.choice(
        (
            [dice.choice(topics) for _ in range(dice.randint(0, 25))],
            dice.choice(VALUES),
            ["sim-key", 1, "x"],
            ["sim-key", "1", None, "web"],
        )
    )
    text = json.dumps({dice.choice(("op", "action", "OP")): word, "args": args})
    return dice.choice(
        (
            text.encode(), text.encode(), text.encode(), text[: dice.randrange(1, len(text))].encode(), b"ping", b"\xff\xfe", b"{" * 900, b"",
            text.encode().replace(b"a", b"\xc3"), b"[" * 3_000, b"x" * 70_000, dice.randbytes(50),
        )
    )  # fmt: skip


def _socket(dice: Random) -> bytes:
    kind = dice.choice(("spot/public", "spot/private", "futures/public", "futures/private"))
    hello = (
        f"GET /ws/{kind}?protocol=1.1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
    frames = b"".join(_frame(dice, _message(dice)) for _ in range(dice.randint(1, 8)))
    return hello + (frames if dice.random() < 0.7 else frames[: dice.randrange(1 + len(frames))])


@asynccontextmanager
async def _undisturbed(caplog: pytest.LogCaptureFixture) -> AsyncIterator[sim.Venue]:
    """An exchange that must be alive, right and silent in its log at the end."""
    async with sim.open_exchange(seed=1, limits=sim.Limits(connects_per_minute=None, http_idle_seconds=5)) as venue:
        yield venue
        venue.faults.clear()
        venue.exchange.clock.release()
        venue.exchange.clock.skew_ms = 0
        venue.simulation.bitmart.gate.quotas._banned_until.clear()
        async with venue.open_client() as client:
            assert (await client.spot.market.ticker("BTC_USDT")).last_price > 0
            async with client.streams.spot.trade("BTC_USDT") as trades:
                await trades.receive()
        lines = [*venue.exchange.log.lines]
        assert [line for line in lines if line["kind"] == "bug"] == []
        assert [
            line for line in lines if line["kind"] == "request" and (line["status"], line["code"]) == (500, 59002)
        ] == []
        assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def _talk(venue: sim.Venue, data: bytes, dice: Random) -> None:
    """Say it all, in pieces, and listen to the end or for a while; perhaps hang up in the middle."""
    stream = await venue.connect("ws://simulated.invalid/")
    with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        with trio.move_on_after(dice.choice((0.05, 8))):
            while data:
                size = dice.randint(1, 40_000)
                piece, data = data[:size], data[size:]
                await stream.send_all(piece)
            while await stream.receive_some():
                pass
    with trio.move_on_after(1, shield=True):
        await trio.aclose_forcefully(stream)


@pytest.mark.proof
@pytest.mark.parametrize("seed", sorted({*SEEDS, *FOUND}))
@pytest.mark.parametrize("write", [_request, _socket], ids=["http", "sockets"])
async def test_the_wire(write: Write, seed: int, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    """Broken requests, bodies and frames, a dozen connections at a time, with the market going on."""
    dice = Random(seed)
    async with _undisturbed(caplog) as venue:
        for _ in range(4):
            async with trio.open_nursery() as nursery:
                for _ in range(12):
                    nursery.start_soon(_talk, venue, b"".join(write(dice) for _ in range(dice.randint(1, 3))), dice)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_huge_body(chunked: bool, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    """Sixty megabytes: refused with 413 once there is too much, not gathered."""
    async with _undisturbed(caplog) as venue:
        stream = await venue.connect("http://simulated.invalid/")
        length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 60000000"
        await stream.send_all(b"POST /spot/v2/submit_order HTTP/1.1\r\nHost: x\r\n" + length + b"\r\n\r\n")
        answer = b""

        async def pour() -> None:
            piece = b"x" * 50_000
            with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                for _ in range(1200):
                    await stream.send_all(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(pour)
            while b"\r\n\r\n" not in answer:
                answer += await stream.receive_some()
            nursery.cancel_scope.cancel()
        assert answer.startswith(b"HTTP/1.1 413 ")
        await trio.aclose_forcefully(stream)
