"""The stack of connections: newest first, expired ones closed, every one given back or closed, and never a wait."""

from __future__ import annotations

import httpx
import pytest
import trio
from http_kit import ORDER, SUBMIT, TICKER, Stream, bench, ticker
from http_loopback import open_loopback, whole

from bitmart_trio._io.transport import LifoTransport, make_transport
from bitmart_trio.config import Config, Retry, Timeouts
from bitmart_trio.errors import ConfigurationError, ConnectionLost, OutcomeUnknown

URL = "http://exchange.test/x"


class Connection(httpx.AsyncBaseTransport):
    """One connection that does as told."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.used = 0
        self.closed = 0
        self.fails: Exception | None = None
        self.waits = 0.0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.used += 1
        await trio.sleep(self.waits)
        if self.fails is not None:
            raise self.fails
        return httpx.Response(200, stream=Stream([b"a", b"b"]), extensions={"number": self.number})

    async def aclose(self) -> None:
        self.closed += 1
        await trio.lowlevel.checkpoint()


class Stack:
    """A transport over such connections, and a clock for it."""

    def __init__(self, keepalive: float = 20.0) -> None:
        self.made: list[Connection] = []
        self.now = 0.0
        self.transport = LifoTransport(self._make, keepalive=keepalive, monotonic=lambda: self.now)

    def _make(self) -> Connection:
        self.made.append(Connection(len(self.made)))
        return self.made[-1]

    async def open(self) -> httpx.Response:
        with trio.testing.assert_checkpoints():
            return await self.transport.handle_async_request(httpx.Request("GET", URL))

    async def whole(self) -> int:
        """One request, read to the end; tells which connection it took."""
        response = await self.open()
        assert await response.aread() == b"ab"
        number: int = response.extensions["number"]
        return number


async def test_one_connection_serves_one_call_after_another() -> None:
    """It comes back when its reply has been read."""
    stack = Stack()
    assert [await stack.whole() for _ in range(5)] == [0] * 5
    assert (stack.transport.idle, stack.transport.busy) == (1, 0)


async def test_calls_at_once_have_a_connection_each() -> None:
    """Nobody waits here: who is let in is decided above."""
    stack = Stack()
    replies = [await stack.open() for _ in range(30)]
    assert len(stack.made) == 30
    assert (stack.transport.idle, stack.transport.busy) == (0, 30)
    for reply in replies:
        await reply.aread()
    assert (stack.transport.idle, stack.transport.busy) == (30, 0)


async def test_the_connection_used_last_is_used_next_and_the_others_expire() -> None:
    """So a quiet time leaves one warm connection instead of many lukewarm ones."""
    stack = Stack(keepalive=20.0)
    first, second, third = [await stack.open() for _ in range(3)]
    for reply in (first, third, second):
        await reply.aread()
    stack.now = 15
    assert await stack.whole() == 1
    stack.now = 30
    assert await stack.whole() == 1
    assert [connection.closed for connection in stack.made] == [1, 0, 1]
    stack.now = 50
    assert await stack.whole() == 3
    assert stack.made[1].closed == 1


async def test_no_keepalive_closes_each_connection_after_its_reply() -> None:
    """0 seconds."""
    stack = Stack(keepalive=0)
    assert [await stack.whole(), await stack.whole()] == [0, 1]
    assert [connection.closed for connection in stack.made] == [1, 1]
    assert stack.transport.idle == 0


@pytest.mark.parametrize("read", [0, 1], ids=["unread", "half read"])
async def test_a_reply_that_was_not_read_to_the_end_costs_its_connection(read: int) -> None:
    """What is left of it must not be taken for the next reply."""
    stack = Stack()
    response = await stack.open()
    assert isinstance(response.stream, httpx.AsyncByteStream)
    chunks = aiter(response.stream)
    for _ in range(read):
        await anext(chunks)
    await response.aclose()
    await response.stream.aclose()
    assert (stack.transport.idle, stack.transport.busy) == (0, 0)
    assert stack.made[0].closed == 1
    assert await stack.whole() == 1


@pytest.mark.parametrize("error", [httpx.ReadError("reset"), ValueError("bug")])
async def test_a_failed_request_costs_its_connection(error: Exception) -> None:
    """And the next one gets another."""
    stack = Stack()
    await stack.whole()
    stack.made[0].fails = error
    with pytest.raises(type(error)) as caught:
        await stack.open()
    assert caught.value is error, "what is not known to be unsent may have been sent"
    assert stack.made[0].closed == 1
    assert (stack.transport.idle, stack.transport.busy) == (0, 0)
    assert await stack.whole() == 1


async def test_a_cancelled_request_costs_its_connection(autojump_clock: trio.testing.MockClock) -> None:
    """Closed also while everything around is cancelled."""
    stack = Stack()
    await stack.whole()
    stack.made[0].waits = 10
    with trio.move_on_after(1):
        await stack.whole()
    assert stack.made[0].closed == 1
    assert (stack.transport.idle, stack.transport.busy) == (0, 0)


async def test_closing_closes_busy_connections_too() -> None:
    """And what is used after that is misuse."""
    stack = Stack()
    reply, other = await stack.open(), await stack.open()
    await other.aread()
    with trio.testing.assert_checkpoints():
        await stack.transport.aclose()
    assert [connection.closed for connection in stack.made] == [1, 1]
    await reply.aread()
    assert stack.transport.idle == 0
    with pytest.raises(trio.ClosedResourceError):
        await stack.transport.handle_async_request(httpx.Request("GET", URL))
    await stack.transport.aclose()


class Socket:
    closed = False

    async def aclose(self) -> None:
        self.closed = True
        await trio.lowlevel.checkpoint()


async def test_a_transport_below_that_cannot_be_awaited_is_a_bug() -> None:
    """Said plainly."""

    class Wrong(Connection):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await trio.lowlevel.checkpoint()
            response = httpx.Response(200)
            response.stream = httpx.SyncByteStream()
            return response

    with pytest.raises(TypeError, match="asynchronously"):
        await LifoTransport(lambda: Wrong(0), keepalive=20).handle_async_request(httpx.Request("GET", URL))


# Over real sockets --------------------------------------------------------------------------------------------------

GOOD = ticker().content


async def _answer(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
    await stream.send_all(whole(GOOD))
    return True


async def test_a_keepalive_connection_is_used_again() -> None:
    """Over the stock transport of httpx."""
    async with open_loopback(_answer) as server, make_transport(Config()) as transport:
        at = bench(transport, root=server.url)
        for _ in range(5):
            await at.pipeline.call(TICKER, symbol="BTC_USDT")
        assert (server.accepted, server.requests) == (1, 5)


async def test_a_connection_that_the_exchange_has_closed_is_noticed_before_it_is_used() -> None:
    """So a write on it does not end with an unknown outcome."""
    closed = trio.Event()

    async def once(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        await stream.send_all(whole(b'{"code":1000,"data":{"order_id":"7"}}'))
        await stream.aclose()
        closed.set()
        return False

    async with open_loopback(once) as server, make_transport(Config()) as transport:
        at = bench(transport, root=server.url)
        for _ in range(3):
            await at.pipeline.call(SUBMIT, **ORDER)
            await closed.wait()
        assert server.accepted == 3


async def test_a_reply_that_says_close_is_obeyed() -> None:
    """The next call opens another connection."""

    async def closing(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        await stream.send_all(whole(GOOD, "200 OK", "Connection: close"))
        return False

    async with open_loopback(closing) as server, make_transport(Config()) as transport:
        at = bench(transport, root=server.url)
        for _ in range(3):
            await at.pipeline.call(TICKER, symbol="BTC_USDT")
        assert server.accepted == 3


async def test_nobody_listens() -> None:
    """A write is repeated and then ends with the plain truth: it never left."""
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    config = Config(retry=Retry(attempts=2, first=0))
    root = f"http://127.0.0.1:{port}"
    async with make_transport(config) as transport:
        at = bench(transport, config, root=root)
        with pytest.raises(ConnectionLost, match="no connection"):
            await at.pipeline.call(SUBMIT, **ORDER)
        assert (transport.idle, transport.busy, at.free) == (0, 0, at.total)


async def test_silence_ends_with_the_read_time_out() -> None:
    """A write's outcome is unknown then."""
    heard = trio.Event()

    async def silent(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        heard.set()
        await stream.receive_some(1)  # until the client hangs up
        return False

    config = Config(timeouts=Timeouts(read=0.05))
    async with open_loopback(silent) as server, make_transport(config) as transport:
        at = bench(transport, config, root=server.url)
        with pytest.raises(OutcomeUnknown) as caught:
            await at.pipeline.call(SUBMIT, **ORDER)
        assert isinstance(caught.value.__cause__, httpx.ReadTimeout)
        assert heard.is_set()


@pytest.mark.parametrize("how", ["fails", "closes", "talks nonsense"])
async def test_a_proxy_that_lets_nothing_through_has_sent_nothing(how: str) -> None:
    """So a write is repeated, and ends with the plain truth."""
    asked: list[bytes] = []

    async def proxy(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        asked.append(head)
        if how == "fails":
            await stream.send_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        elif how == "talks nonsense":
            await stream.send_all(b"220 smtp ready\r\n\r\n")
        await trio.lowlevel.checkpoint()
        return False

    async with open_loopback(proxy) as server:
        config = Config(proxy=server.url.replace("//", "//user:word@"), retry=Retry(attempts=2, first=0))
        async with make_transport(config) as transport:
            at = bench(transport, config, root="https://exchange.test")
            with pytest.raises(ConnectionLost, match="no connection"):
                await at.pipeline.call(SUBMIT, **ORDER)
    assert len(asked) == 2
    assert asked[0].startswith(b"CONNECT exchange.test:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic" in asked[0]
    assert b"the-key" not in asked[0]


async def test_a_proxy_that_refuses_is_a_matter_of_configuration() -> None:
    """Another try would change nothing, so there is none."""
    asked: list[bytes] = []

    async def proxy(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        asked.append(head)
        await stream.send_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        return False

    async with open_loopback(proxy) as server:
        config = Config(proxy=server.url)
        async with make_transport(config) as transport:
            at = bench(transport, config, root="https://exchange.test")
            with pytest.raises(ConfigurationError, match="407"):
                await at.pipeline.call(SUBMIT, **ORDER)
    assert len(asked) == 1


async def test_plain_http_goes_through_a_tunnel_too() -> None:
    """A proxy reads no request of ours, also where there is no TLS."""
    asked: list[bytes] = []

    async def proxy(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        asked.append(head.split(b"\r\n")[0])
        await stream.send_all(b"HTTP/1.1 200 Connected\r\n\r\n" if len(asked) == 1 else whole(GOOD))
        return True

    async with open_loopback(proxy) as server:
        config = Config(proxy=server.url)
        async with make_transport(config) as transport:
            at = bench(transport, config, root="http://exchange.test")
            await at.pipeline.call(TICKER, symbol="BTC_USDT")
    assert asked == [b"CONNECT exchange.test:80 HTTP/1.1", b"GET /spot/quotation/v3/ticker?symbol=BTC_USDT HTTP/1.1"]


async def test_closing_the_transport_ends_calls_on_their_way() -> None:
    """A read says that it is closed, a write that its outcome is unknown."""
    heard = [trio.Event(), trio.Event()]

    async def silent(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        heard[head.startswith(b"POST")].set()
        await stream.receive_some(1)
        return False

    async def read() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await at.pipeline.call(TICKER, symbol="BTC_USDT")

    async def write() -> None:
        with pytest.raises(OutcomeUnknown):
            await at.pipeline.call(SUBMIT, **ORDER)

    async with open_loopback(silent) as server:
        transport = make_transport(Config())
        at = bench(transport, Config(retry=Retry(first=0)), root=server.url)
        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(read)
                nursery.start_soon(write)
                for event in heard:
                    await event.wait()
                await transport.aclose()
    assert at.free == at.total
