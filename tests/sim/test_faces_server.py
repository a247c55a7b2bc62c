"""The simulated exchange as a server: what strangers, slow clients and broken peers get, byte by byte."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import struct
import tracemalloc
from email.utils import parsedate_to_datetime

import pytest
import trio
from every_case import every_case
from faces_support import START, SUBMIT, TICKER, Floor, open_floor
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim.faces.pipe import Pipe
from bitmart_trio.sim.faces.websocket import Limits
from bitmart_trio.sim.faults import ClockSkew, HalfReply
from bitmart_trio.sim.kernel.clock import Clock
from bitmart_trio.sim.kernel.eventlog import BYTES_MOST, EventLog

KEY = base64.b64encode(b"0123456789abcdef").decode()
UPGRADE = (
    "GET /ws/spot/public HTTP/1.1\r\nHost: sim\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"
)


async def talk(floor: Floor, data: bytes | str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to some bytes; the connection ends."""
    pipe = floor.dial()
    await pipe.send_all(data.encode() if isinstance(data, str) else data)
    await pipe.send_eof()
    answer = b""
    while part := await pipe.receive_some():
        answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, body


def get(path: str = TICKER, *lines: str, host: str | None = "sim", version: str = "1.1") -> str:
    names = () if host is None else (f"Host: {host}",)
    return "\r\n".join((f"GET {path} HTTP/{version}", *names, *lines, "Connection: close", "", ""))


# --- who may come in ---


@every_case(
    "host, status",
    [
        ("localhost:8765", 200), ("127.0.0.1:8765", 200), ("[::1]:8765", 200), ("192.168.1.9", 200), ("sim", 200),
        ("simulated.invalid", 200), ("me.localhost", 200), ("exchange.lab.example", 200),
        ("evil.example", 403), ("127.0.0.1.evil.example", 403), ("localhost.evil.example:8765", 403),
        ("exchange.lab.example.evil", 403), ("a b", 403), ("\u0661\u0662\u0667.0.0.1", 403),
        ("evil.example@127.0.0.1", 403),
    ],
)  # fmt: skip
@every_case("path", [TICKER, "/sim/state", SUBMIT, "/ws/spot/public", "/nothing"])
async def test_a_name_that_others_may_own_is_refused(host: str, status: int, path: str) -> None:
    """On every path, before anything else is looked at: no quota, no order, no fault is touched."""
    async with open_floor(Limits(allowed_hosts=frozenset({"exchange.lab.example"}))) as floor:
        data = get(path, host=host).encode("utf-8")
        found, headers, body = await talk(floor, data)
        if status == 200:
            assert found != 403
            return
        assert found in (403, 400)
        assert "error" in json.loads(body) or json.loads(body)["code"] == 30000
        assert headers["connection"] == "close"
        assert not [event for event in floor.small.log.lines if event["kind"] == "request"]


async def test_a_target_that_names_another_host_is_refused() -> None:
    """It counts in place of the header."""
    async with open_floor() as floor:
        assert (await talk(floor, get(f"http://evil.example{TICKER}")))[0] == 403
        assert (await talk(floor, get(f"http://localhost:1{TICKER}", host="evil.example")))[0] == 200


@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        ("http://sim", True), ("HTTP://SIM", True), ("http://app.example", True), ("https://app.example:3000", True),
        ("http://evil.example", False), ("null", False), ("https://sim", False), ("http://sim.evil.example", False),
        ("http://[", False), ("file://", False),
    ],
)  # fmt: skip
async def test_pages_of_other_origins_are_refused(origin: str, passes: bool) -> None:
    """Requests and sockets alike; a page whose name was allowed may."""
    async with open_floor(Limits(allowed_hosts=frozenset({"app.example"}))) as floor:
        status, *_ = await talk(floor, get(TICKER, f"Origin: {origin}"))
        assert status == (200 if passes else 403)
        status, *_ = await talk(floor, f"{UPGRADE}Origin: {origin}\r\n\r\n")
        assert status == (101 if passes else 403)
        assert len(floor.sockets.opened) == passes
        order = f"POST {SUBMIT} HTTP/1.1\r\nHost: sim\r\nOrigin: {origin}\r\nContent-Type: application/json\r\n"
        status, *_ = await talk(
            floor, f"{order}Sec-Fetch-Site: cross-site\r\nContent-Length: 10\r\n\r\n" + '{"id":"a"}'
        )
        assert (status == 200) == (passes and "app" in origin)
        assert floor.small.orders == (["a"] if status == 200 else [])


@pytest.mark.parametrize(
    ("mode", "dest", "path", "passes"),
    [
        ("navigate", "document", "/sim/", True), ("navigate", "document", "/sim/state", True),
        ("navigate", "document", TICKER, False), ("navigate", "iframe", "/sim/", False),
        ("no-cors", "image", TICKER, False), ("no-cors", "image", "/sim/state", False),
        ("no-cors", "script", "/sim/state", False), ("no-cors", "empty", TICKER, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_of_pages_of_others_only_a_link_to_the_page_is_followed(
    site: str, mode: str, dest: str, path: str, passes: bool
) -> None:
    """Images, scripts and frames have no ``Origin``; a quota or a fault would be used up by them."""
    async with open_floor() as floor:
        marks = (f"Sec-Fetch-Site: {site}", f"Sec-Fetch-Mode: {mode}", f"Sec-Fetch-Dest: {dest}")
        assert ((await talk(floor, get(path, *marks)))[0] == 200) == passes
        own = ("Sec-Fetch-Site: same-origin", *marks[1:])
        assert (await talk(floor, get(path, *own)))[0] == 200


# --- what is refused by its form ---


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("Content-Length: 10\r\nTransfer-Encoding: chunked\r\n", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 10\r\n", 400),
        ("Transfer-Encoding: gzip, chunked\r\n", 501),
        ("Content-Length: 10\r\nContent-Length: 11\r\n", 400),
        ("Content-Length: +10\r\n", 400),
        ("Content-Length : 10\r\n", 400),
    ],
)
async def test_two_lengths_are_refused(lines: str, status: int, autojump_clock: MockClock) -> None:
    """What comes behind is not taken for a request."""
    smuggled = get("/spot/v2/submit_order")
    async with open_floor() as floor:
        head = f"POST {SUBMIT} HTTP/1.1\r\nHost: sim\r\nContent-Type: application/json\r\n{lines}\r\n"
        found, _, _ = await talk(floor, head + '{"id":"a"}' + smuggled)
        assert found == status
        assert floor.small.orders == []
        assert not [event for event in floor.small.log.lines if event["kind"] == "request"]


@pytest.mark.parametrize(
    "head",
    [
        UPGRADE.replace(f"Sec-WebSocket-Key: {KEY}\r\n", ""),
        UPGRADE.replace(KEY, "short"),
        UPGRADE.replace(KEY, base64.b64encode(b"0123456789abcde").decode()),
        UPGRADE.replace(KEY, KEY[:-1] + "!"),
        UPGRADE + f"Sec-WebSocket-Key: {KEY}\r\n",
        UPGRADE.replace("HTTP/1.1", "HTTP/1.0"),
        UPGRADE.replace("Version: 13", "Version: 8"),
        UPGRADE.replace("GET", "POST"),
    ],
)
async def test_a_bad_handshake_is_refused(head: str, autojump_clock: MockClock) -> None:
    """400, with the version that is spoken here."""
    async with open_floor() as floor:
        status, headers, _ = await talk(floor, head + "\r\n")
        assert (status, headers["sec-websocket-version"]) == (400, "13")


# --- answers ---


async def test_answers_are_dated_by_the_exchange() -> None:
    """Its own clock, skew included."""
    async with open_floor() as floor, floor.http() as client:
        date = parsedate_to_datetime((await client.get(TICKER)).headers["date"])
        assert abs(date.timestamp() * 1000 - START) < 3000
        floor.faults.add(ClockSkew(-3_600_000))
        late = parsedate_to_datetime((await client.get("/nothing")).headers["date"])
        assert 3_590 < (date - late).total_seconds() < 3_610


@pytest.mark.parametrize(
    ("accepts", "zipped"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("deflate", False), ("gzip;q=0", False), ("gzip; q=0.0", False),
     (None, False)],
)  # fmt: skip
async def test_long_answers_are_zipped_when_asked(accepts: str | None, zipped: bool) -> None:
    """The body is the same; short ones stay as they are."""
    async with open_floor() as floor:
        floor.small.get("/long", lambda call: ["0123456789"] * 500)
        lines = [] if accepts is None else [f"Accept-Encoding: {accepts}"]
        _, headers, body = await talk(floor, get("/long", *lines))
        assert headers.get("content-encoding") == ("gzip" if zipped else None)
        assert int(headers["content-length"]) == len(body)
        assert len(json.loads(gzip.decompress(body) if zipped else body)["data"]) == 500
        assert "content-encoding" not in (await talk(floor, get(TICKER, *lines)))[1]


async def test_half_a_zipped_answer() -> None:
    """The fault cuts what is on the wire."""
    async with open_floor() as floor:
        floor.small.get("/long", lambda call: ["0123456789"] * 500)
        floor.faults.add(HalfReply("/long"))
        _, headers, body = await talk(floor, get("/long", "Accept-Encoding: gzip"))
        assert len(body) == int(headers["content-length"]) // 2


# --- slow clients, and many ---


async def fed(floor: Floor, head: bytes, drops: int, apart: float) -> tuple[bytes, float]:
    """Send a head and then drop after drop, until the exchange has had enough: what it said, and after how long."""
    pipe, begun = floor.dial(), trio.current_time()
    await pipe.send_all(head)

    async def drip() -> None:
        with contextlib.suppress(trio.BrokenResourceError):
            for _ in range(drops):
                await pipe.send_all(b"x")
                await trio.sleep(apart)

    said = b""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(drip)
        while part := await pipe.receive_some():
            said += part
        seconds = trio.current_time() - begun
        nursery.cancel_scope.cancel()
    return said, seconds


async def test_a_head_in_drops_is_cut_off(autojump_clock: MockClock) -> None:
    """Ten seconds from its first byte, not from its last."""
    async with open_floor() as floor:
        said, seconds = await fed(floor, f"GET {TICKER} HTTP/1.1\r\nHost: sim\r\nX: ".encode(), 5000, 1)
        assert said.startswith(b"HTTP/1.1 408 ")
        assert 10 <= seconds <= 13
        assert floor.sockets.links == []


async def test_a_body_in_drops_is_cut_off(autojump_clock: MockClock) -> None:
    """Thirty seconds, and nothing is carried out."""
    async with open_floor() as floor:
        head = f"POST {SUBMIT} HTTP/1.1\r\nHost: sim\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"
        said, seconds = await fed(floor, head.encode(), 5000, 0.1)
        assert said.startswith(b"HTTP/1.1 408 ")
        assert 30 <= seconds <= 60
        assert floor.small.orders == []


async def test_a_client_that_takes_nothing_is_cut_off(autojump_clock: MockClock) -> None:
    """Sixty seconds; then its place is free."""
    async with open_floor() as floor:
        floor.small.get("/long", lambda call: ["0123456789"] * 50_000)
        pipe = floor.dial(capacity=1000)
        await pipe.send_all(get("/long").encode())
        await trio.sleep(59)
        assert len(floor.sockets.links) == 1
        await trio.sleep(2)
        assert floor.sockets.links == []


async def test_more_connections_than_allowed_are_turned_away() -> None:
    """With 503 at once; one that ends makes room."""
    async with open_floor(Limits(open_connections=3)) as floor:
        held: list[Pipe] = [floor.dial() for _ in range(2)]
        socket = await floor.socket("spot/public")
        status, headers, body = await talk(floor, get())
        assert (status, headers["connection"]) == (503, "close")
        assert json.loads(body)["message"] == "Too many connections"
        await held[0].aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert (await talk(floor, get()))[0] == 200
        assert await socket.ask({"op": "subscribe", "args": ["spot/ticker:BTC_USDT"]})


async def test_the_event_log_is_bounded_in_bytes() -> None:
    """A long path is cut; thirty thousand refused requests take megabytes, not hundreds of them."""
    async with open_floor() as floor:
        path = "/" + "x" * 30_000
        for _ in range(3):
            await talk(floor, get(path))
        event = floor.small.log.lines[-1]
        assert str(event["path"]).startswith("/xxx")
        assert len(str(event["path"])) < 600
    log = EventLog(Clock(0))
    tracemalloc.start()
    for number in range(30_000):
        log.write(
            "request", method="M" * 9000, path=f"/{number}/" + "x" * 9000, account=None, status=404, trace="t" * 9000
        )
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert log.written == 30_000
    assert 5_000 < len(log.lines) <= 20_000
    assert size < 2 * BYTES_MOST
    assert str(log.lines[-1]["path"]).startswith("/29999/")


# --- sockets ---


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, masked: bool = True, reserved: int = 0) -> bytes:
    """One frame of a client, right or wrong."""
    size = len(payload)
    head = bytes([(0x80 if fin else 0) | reserved | opcode])
    mask = 0x80 if masked else 0
    if size < 126:
        head += bytes([mask | size])
    elif size < 65536:
        head += bytes([mask | 126]) + struct.pack(">H", size)
    else:
        head += bytes([mask | 127]) + struct.pack(">Q", size)
    return head + (bytes(4) if masked else b"") + payload


TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(TEXT, b"ping", masked=False), 1002),
        (frame(TEXT, b"ping", reserved=0x40), 1002),
        (frame(TEXT, b"ping", reserved=0x20), 1002),
        (frame(3, b"x"), 1002),
        (frame(11, b"x"), 1002),
        (frame(0, b"x"), 1002),
        (frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), 1002),
        (frame(PING, b"x", fin=False), 1002),
        (frame(PING, b"x" * 126), 1002),
        (frame(CLOSE, b"\x03"), 1002),
        (frame(CLOSE, struct.pack(">H", 999)), 1002),
        (frame(CLOSE, struct.pack(">H", 1005)), 1002),
        (frame(TEXT, b"\xff\xfe"), 1007),
        (frame(TEXT, b"\xed\xa0\x80"), 1007),
        (frame(TEXT, b"\xc3", fin=False) + frame(0, b"\x28"), 1007),
        (frame(CLOSE, struct.pack(">H", 1000) + b"\xff"), 1007),
        (frame(TEXT, b"x" * 4097), 1009),
        (frame(BINARY, b"x" * 70_000), 1009),
        (frame(TEXT, b"x" * 40_000, fin=False) + frame(0, b"x" * 40_000, fin=False), 1009),
        (frame(CLOSE, struct.pack(">H", 1000)), 1000),
        (frame(CLOSE), None),
    ],
)
async def test_broken_frames_are_closed_with_the_code_that_says_why(
    data: bytes, code: int | None, autojump_clock: MockClock
) -> None:
    """As RFC 6455 has them: protocol error, no UTF-8, too big."""
    async with open_floor() as floor:
        pipe = floor.dial()
        await pipe.send_all(f"{UPGRADE}\r\n".encode())
        said = b""
        while b"\r\n\r\n" not in said:
            said += await pipe.receive_some()
        said = said.partition(b"\r\n\r\n")[2]
        await pipe.send_all(data)
        while part := await pipe.receive_some():
            said += part
        assert said[0] == 0x88, said
        body = said[2 : 2 + said[1]]
        assert (struct.unpack(">H", body[:2])[0] if body else None) == code
        await trio.testing.wait_all_tasks_blocked()
        assert floor.connections == []


async def test_a_broken_frame_while_the_client_reads_nothing(autojump_clock: MockClock) -> None:
    """What is being sent is in the way: the close frame is given up after a second, and nothing else goes wrong."""
    async with open_floor() as floor:
        pipe = floor.dial(capacity=300)
        await pipe.send_all(f"{UPGRADE}\r\n".encode())
        said = b""
        while b"\r\n\r\n" not in said:
            said += await pipe.receive_some()
        topics = json.dumps({"op": "subscribe", "args": ["spot/ticker:BTC_USDT", "spot/ticker:ETH_USDT"] * 9}).encode()
        await pipe.send_all(frame(TEXT, topics))
        await trio.testing.wait_all_tasks_blocked()
        await pipe.send_all(frame(TEXT, b"ping", masked=False))
        await trio.sleep(3)
        assert floor.connections == []
        assert not [event for event in floor.small.log.lines if event["kind"] == "bug"]


async def test_the_server_knows_its_own_name_and_those_it_was_given() -> None:
    """Over TCP: by address, and by an allowed name; any other is refused, and so are pages of its other ports."""
    limits = Limits(allowed_hosts=frozenset({"exchange.lab.example"}))
    async with bm.sim.open_server(port=0, limits=limits) as server:
        here = f"127.0.0.1:{server.port}"
        for host, lines, status in (
            ("exchange.lab.example", (), b"200"),
            (here, (), b"200"),
            ("evil.example", (), b"403"),
            (here, (f"Origin: http://{here}",), b"200"),
            (here, ("Origin: http://127.0.0.1:1",), b"403"),
            (here, ("Origin: http://exchange.lab.example:1",), b"200"),
        ):
            stream = await trio.open_tcp_stream("127.0.0.1", server.port)
            async with stream:
                await stream.send_all(get("/system/time", *lines, host=host).encode())
                assert (await stream.receive_some()).split()[1] == status
    assert limits.allowed_hosts == {"exchange.lab.example"}, "the limits are the caller's"
