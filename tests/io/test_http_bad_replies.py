"""Replies that are not what the API sends: each becomes a typed error, and the next call works."""

from __future__ import annotations

import gc
import gzip
import zlib

import httpx
import pytest
import trio
from http_kit import (
    ORDER,
    SUBMIT,
    TICKER,
    Answer,
    Bench,
    Script,
    Stream,
    bench,
    good,
    page,
    refused,
    ticker,
)
from http_loopback import open_loopback, whole

from bitmart_trio._io.transport import make_transport
from bitmart_trio.config import Config, Retry
from bitmart_trio.errors import (
    ApiError,
    BitMartError,
    ConnectionLost,
    MalformedReply,
    OutcomeUnknown,
    ReplyTooLarge,
    ServiceUnavailable,
)

ONCE = Config(retry=Retry(attempts=1))


def _raw(body: bytes, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(
        status, content=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def _gzipped(*pieces: bytes) -> httpx.Response:
    return httpx.Response(200, stream=Stream(list(pieces)), headers={"Content-Encoding": "gzip"})


BAD = [
    pytest.param(page(502), ServiceUnavailable, "with the page", id="HTML 502"),
    pytest.param(page(200), ServiceUnavailable, "with the page", id="HTML 200"),
    pytest.param(page(403), ServiceUnavailable, "network in front of the exchange", id="HTML 403"),
    pytest.param(_raw(b"error code: 1010", 403), ServiceUnavailable, "user_agent", id="error 1010"),
    pytest.param(_raw(b'{"code": 1000, "data": {"symb'), MalformedReply, "not a reply of the API", id="truncated JSON"),
    pytest.param(_raw(b""), MalformedReply, "an empty body", id="empty body"),
    pytest.param(_raw(b'{"data": {}}'), MalformedReply, "no code", id="no code"),
    pytest.param(_raw(b"\xff\xfe\x00"), ServiceUnavailable, "with the page", id="not text"),
    pytest.param(_raw(b"", 500), ServiceUnavailable, "without a body", id="empty 500"),
    pytest.param(_raw(b"", 302, Location="http://elsewhere/"), ServiceUnavailable, "302", id="redirect"),
    pytest.param(good({"last": "x"}), MalformedReply, "unknown shape", id="unknown shape"),
    pytest.param(good("soon"), MalformedReply, "unknown shape", id="a text for an object"),
    pytest.param(_gzipped(b"not gzip at all"), MalformedReply, "broken gzip", id="broken gzip"),
    pytest.param(_gzipped(gzip.compress(b"{}" * 1000)[:-9]), MalformedReply, "cut-off gzip", id="cut-off gzip"),
    pytest.param(
        _gzipped(gzip.compress(b"{}") + gzip.compress(b"{}")), MalformedReply, "bytes behind its gzip", id="two members"
    ),
    pytest.param(
        _gzipped(gzip.compress(b"{}"), b"more"), MalformedReply, "bytes behind its gzip", id="more behind gzip"
    ),
    pytest.param(_gzipped(gzip.compress(b"")[:5]), MalformedReply, "cut-off gzip", id="the head of gzip alone"),
    pytest.param(
        httpx.Response(200, stream=Stream([b"x"]), headers={"Content-Encoding": "br"}),
        MalformedReply,
        "not asked for",
        id="another encoding",
    ),
    pytest.param(httpx.ReadError("reset"), ConnectionLost, "reset", id="reset"),
    pytest.param(httpx.RemoteProtocolError("half a reply"), ConnectionLost, "half a reply", id="half a reply"),
    pytest.param(httpx.ReadTimeout("silence"), ConnectionLost, "ReadTimeout", id="silence"),
    pytest.param(OSError("no route"), ConnectionLost, "no route", id="OSError of a transport"),
    pytest.param(trio.BrokenResourceError("pipe"), ConnectionLost, "pipe", id="BrokenResourceError of a transport"),
]


@pytest.mark.parametrize(("bad", "error", "words"), BAD)
async def test_a_read_raises_what_happened(
    bad: Answer, error: type[BitMartError], words: str, autojump_clock: trio.testing.MockClock
) -> None:
    """A class of its own, words that help, and everything is free for the next call."""
    at = bench(Script(_again(bad), ticker()), ONCE)
    with pytest.raises(error) as caught:
        await at.pipeline.call(TICKER, symbol="BTC_USDT")
    assert words in str(caught.value)
    assert "/spot/quotation/v3/ticker" in str(caught.value)
    await _next_call_works(at)


@pytest.mark.parametrize(("bad", "error", "words"), BAD)
async def test_a_write_owns_up_that_its_outcome_is_unknown(
    bad: Answer, error: type[BitMartError], words: str, autojump_clock: trio.testing.MockClock
) -> None:
    """It is sent once, and the error says what to look up."""
    at = bench(script := Script(_again(bad), ticker()))
    with pytest.raises(OutcomeUnknown) as caught:
        await at.pipeline.call(SUBMIT, **ORDER)
    assert caught.value.endpoint == "POST /spot/v2/submit_order"
    assert caught.value.client_order_id == "bot1"
    assert "bot1" in str(caught.value)
    assert caught.value.__cause__ is not None
    if not isinstance(caught.value.__cause__, BitMartError):
        assert caught.value.__cause__ is bad
    assert len(script.seen) == 1
    await _next_call_works(at)


def _again(bad: Answer) -> Answer:
    """The same reply for each test that uses it: streams are used up."""
    if isinstance(bad, httpx.Response) and isinstance(bad.stream, Stream):
        return httpx.Response(bad.status_code, headers=bad.headers, stream=Stream(list(bad.stream.pieces)))
    return bad


async def _next_call_works(at: Bench) -> None:
    assert at.free == at.total
    with trio.fail_after(10):
        await at.pipeline.call(TICKER, symbol="BTC_USDT")


async def test_a_raw_post_names_its_client_order_id_too(autojump_clock: trio.testing.MockClock) -> None:
    """In either spelling."""
    at = bench(Script(after=page(502)))
    for name in ("client_order_id", "clientOrderId"):
        with pytest.raises(OutcomeUnknown) as caught:
            await at.pipeline.request("POST", "/spot/v9/order", params={name: "mine"})
        assert caught.value.client_order_id == "mine"


async def test_words_of_the_exchange_arrive_whole(autojump_clock: trio.testing.MockClock) -> None:
    """Code, message, trace, status, endpoint, and what to do about it."""
    at = bench(Script(refused(50020, 400, "Balance not enough")))
    with pytest.raises(ApiError) as caught:
        await at.pipeline.call(SUBMIT, **ORDER)
    error = caught.value
    assert (error.code, error.message, error.trace, error.http_status) == (50020, "Balance not enough", "t", 400)
    assert error.endpoint == "POST /spot/v2/submit_order"
    assert "USDT" in error.hint


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "not declared"])
async def test_a_reply_above_the_ceiling_is_not_read_to_the_end(
    declared: bool, autojump_clock: trio.testing.MockClock
) -> None:
    """Nor at all, when it says beforehand how long it is."""
    stream = Stream([b"x" * 1000] * 100)
    headers = {"Content-Length": "100000"} if declared else {}
    at = bench(Script(httpx.Response(200, stream=stream, headers=headers), ticker()), Config(max_reply_bytes=5000))
    with pytest.raises(ReplyTooLarge, match="5000"):
        await at.pipeline.call(TICKER, symbol="BTC_USDT")
    assert stream.read == (0 if declared else 6)
    assert stream.closed
    await _next_call_works(at)


async def test_a_small_reply_that_inflates_above_the_ceiling(autojump_clock: trio.testing.MockClock) -> None:
    """What counts is the memory that it would take."""
    bomb = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    packed = bomb.compress(b" " * 50_000_000) + bomb.flush()
    assert len(packed) < 60_000
    at = bench(Script(_gzipped(packed), ticker()))
    with pytest.raises(ReplyTooLarge):
        await at.pipeline.call(TICKER, symbol="BTC_USDT")
    await _next_call_works(at)


class Endless(httpx.AsyncByteStream):
    """A body that begins with one piece and goes on with another for ever, as long as it is open."""

    def __init__(self, first: bytes, then: bytes, *, seconds: float = 0.0) -> None:
        self.first = first
        self.then = then
        self.seconds = seconds
        self.read = 0
        self.closed = False

    def __aiter__(self) -> Endless:
        return self

    async def __anext__(self) -> bytes:
        await trio.sleep(self.seconds)
        if self.closed:
            raise httpx.ReadError("closed")
        self.read += 1
        return self.first if self.read == 1 else self.then

    async def aclose(self) -> None:
        self.closed = True
        await trio.lowlevel.checkpoint()


async def test_what_follows_the_end_of_gzip_is_not_collected() -> None:
    """A second member without end costs nothing: the reply is malformed at its first byte."""
    body = Endless(gzip.compress(b"{}"), b"x" * 1000)
    at = bench(Script(httpx.Response(200, stream=body, headers={"Content-Encoding": "gzip"}), ticker()), ONCE)
    with pytest.raises(MalformedReply):
        await at.pipeline.call(TICKER, symbol="BTC_USDT")
    assert body.read == 2
    await _next_call_works(at)


async def test_the_bytes_on_the_wire_have_a_ceiling_too() -> None:
    """Empty blocks of deflate hold nothing, however many there are."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    body = Endless(packer.compress(b"") + packer.flush(zlib.Z_SYNC_FLUSH), b"\x00\x00\x00\xff\xff" * 10_000)
    stream = httpx.Response(200, stream=body, headers={"Content-Encoding": "gzip"})
    at = bench(Script(stream, ticker()), Config(retry=Retry(attempts=1), max_reply_bytes=1_000_000))
    with pytest.raises(ReplyTooLarge):
        await at.pipeline.call(TICKER, symbol="BTC_USDT")
    await _next_call_works(at)


async def test_one_deadline_covers_a_whole_reply(autojump_clock: trio.testing.MockClock) -> None:
    """A byte in time, again and again, does not hold a slot for ever."""
    trickle = Endless(b" ", b" ", seconds=5)
    at = bench(Script(httpx.Response(200, stream=trickle), ticker()), Config(retry=Retry(attempts=1)))
    with pytest.raises(ConnectionLost, match="no whole reply within 30 s"):
        await at.pipeline.call(TICKER, symbol="BTC_USDT")
    assert trio.current_time() == pytest.approx(30)
    await _next_call_works(at)


TWENTY_MB = 20 * 1024 * 1024
GOOD = ticker().content


@pytest.mark.parametrize("how", ["declared", "chunked", "until closed", "tiny chunks"])
async def test_twenty_megabytes_over_a_real_connection(how: str) -> None:
    """A typed error; that connection is gone, and the next call works on another."""
    answers = [how, "good"]

    async def handler(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        match answers.pop(0):
            case "declared":
                await stream.send_all(whole(b" " * TWENTY_MB))
            case "chunked":
                await stream.send_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in range(20):
                    await stream.send_all(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
            case "tiny chunks":
                await stream.send_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                while True:
                    await stream.send_all(b"1\r\nx\r\n" * 10_000)
            case "until closed":
                await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * TWENTY_MB)
                return False
            case _:
                await stream.send_all(whole(GOOD))
        return True

    config = Config(max_reply_bytes=1024 * 50) if how == "tiny chunks" else Config()
    async with open_loopback(handler) as server, make_transport(config) as transport:
        at = bench(transport, config, root=server.url)
        with trio.fail_after(20), pytest.raises(ReplyTooLarge):
            await at.pipeline.call(TICKER, symbol="BTC_USDT")
        gc.collect()  # an async generator left half way would warn now, and warnings are errors
        assert (transport.idle, transport.busy) == (0, 0)
        await _next_call_works(at)
        assert (transport.idle, transport.busy) == (1, 0)
        assert server.accepted == 2


@pytest.mark.parametrize(
    ("sent", "write_error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", OutcomeUnknown),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", OutcomeUnknown),
        (b"HTTP/1.1 200 OK\r\n\r\n" + GOOD[:50], OutcomeUnknown),
        (b"rubbish\r\n\r\n", OutcomeUnknown),
        (b"", OutcomeUnknown),
    ],
    ids=["half a body", "half a chunk", "half a reply until close", "no HTTP", "closed without a word"],
)
async def test_half_a_reply_over_a_real_connection(sent: bytes, write_error: type[BitMartError]) -> None:
    """A read is repeated on a new connection; a write is not, and says so."""
    first = [True]

    async def handler(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        if first and first.pop():
            await stream.send_all(sent)
            return False
        await stream.send_all(whole(GOOD))
        return True

    config = Config(retry=Retry(first=0.0))
    async with open_loopback(handler) as server, make_transport(config) as transport:
        at = bench(transport, config, root=server.url)
        await _next_call_works(at)
        assert server.requests == 2
        first.append(True)
        with pytest.raises(write_error) as caught:
            await at.pipeline.call(SUBMIT, **ORDER)
        assert caught.value.__cause__ is not None
        assert server.requests == 3
        await _next_call_works(at)
