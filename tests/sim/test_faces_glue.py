"""Opening a simulated exchange, in process and on loopback."""

from __future__ import annotations

import json
import socket as stdlib_socket
import time
from contextlib import AsyncExitStack
from functools import partial
from typing import cast

import httpx
import pytest
import trio
from faces_support import START, Socket
from trio.testing import MockClock, wait_all_tasks_blocked
from trio_websocket import ConnectionClosed, open_websocket_url, wrap_client_stream

import bitmart_trio as bm
import bitmart_trio.sim as sim
from bitmart_trio.config import Config
from bitmart_trio.credentials import Credentials
from bitmart_trio.sim.faults import ClockSkew, LoseReply, RefuseConnect

TICKER = "/spot/quotation/v3/ticker"


async def open_socket(nursery: trio.Nursery, venue: sim.Venue, kind: str) -> Socket:
    stream = await venue.connect(f"ws://simulated.invalid/ws/{kind}?protocol=1.1")
    return Socket(
        await wrap_client_stream(nursery, cast("trio.SocketStream", stream), "simulated.invalid", f"/ws/{kind}")
    )


def http(venue: sim.Venue) -> httpx.AsyncClient:
    rest = venue.environment.rest_url("spot")
    return httpx.AsyncClient(transport=venue.http_transport(), base_url=rest)


async def test_an_exchange_in_process_serves_rest_and_sockets(autojump_clock: MockClock) -> None:
    """The real engines behind both faces, in virtual time."""
    async with sim.open_exchange(seed=7) as venue, http(venue) as client, trio.open_nursery() as nursery:
        reply = await client.get(TICKER, params={"symbol": "BTC_USDT"})
        assert reply.json()["code"] == 1000
        socket = await open_socket(nursery, venue, "spot/public")
        topic = "spot/ticker:BTC_USDT"
        assert await socket.ask({"op": "subscribe", "args": [topic]}) == {"event": "subscribe", "topic": topic}
        for _ in range(3):
            assert (await socket.get())["table"] == "spot/ticker"
        futures = await open_socket(nursery, venue, "futures/private")
        now = venue.exchange.now_ms()
        assert await futures.login(str(now), futures=True) == {"action": "access", "success": True}
        assert [connection.kind for connection in venue.connections] == ["spot/public", "futures/private"]
        assert venue.drop_connections("futures/*") == 1
        with pytest.raises(ConnectionClosed):
            await futures.get()
        nursery.cancel_scope.cancel()


async def test_the_same_seed_and_requests_give_the_same_bytes(autojump_clock: MockClock) -> None:
    """Two exchanges at different times of the virtual clock tell the same story."""

    async def story() -> list[bytes]:
        async with sim.open_exchange(seed=11) as venue, http(venue) as client:
            told = []
            for _ in range(5):
                await trio.sleep(1.03)
                told.append((await client.get(TICKER, params={"symbol": "ETH_USDT"})).content)
            return told

    first = await story()
    assert await story() == first
    assert len(set(first)) > 1


async def test_a_still_exchange_moves_by_hand_only(autojump_clock: MockClock) -> None:
    """Without a living market nothing changes until it is told to."""
    async with sim.open_exchange(seed=3, start=START + 5, live=False) as venue, http(venue) as client:
        first = (await client.get("/sim/clock")).json()["now_ms"]
        assert first == START + 5
        before = (await client.get(TICKER, params={"symbol": "BTC_USDT"})).json()["data"]
        await trio.sleep(60)
        assert (await client.get(TICKER, params={"symbol": "BTC_USDT"})).json()["data"]["last"] == before["last"]
        state = (await client.get("/sim/state")).json()
        assert "BTC_USDT" in state["symbols"]
        assert "BTCUSDT" in state["symbols"]


async def test_leaving_closes_everything_at_once(autojump_clock: MockClock) -> None:
    """Sockets end, later connections are refused, no task is left."""
    async with trio.open_nursery() as nursery:
        began = trio.current_time()
        async with sim.open_exchange() as venue:
            socket = await open_socket(nursery, venue, "spot/public")
            await wait_all_tasks_blocked()
        assert trio.current_time() == began
        with pytest.raises(ConnectionClosed):
            await socket.get()
        assert venue.connections == []
        with pytest.raises(ConnectionRefusedError):
            await venue.connect("ws://simulated.invalid/ws/spot/public")
        async with http(venue) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(TICKER)


async def test_the_blocks_own_error_comes_out_as_it_was() -> None:
    """A KeyError stays a KeyError, with its own context."""
    with pytest.raises(KeyError, match="mine") as caught:
        async with sim.open_exchange():
            raise KeyError("mine")
    assert caught.value.__context__ is None
    with pytest.RaisesGroup(KeyError, ValueError):
        async with sim.open_exchange():
            raise ExceptionGroup("two", [KeyError(), ValueError()])


async def test_cancelling_the_block() -> None:
    """A cancelled block ends like any other."""
    with trio.CancelScope() as scope:
        async with sim.open_exchange():
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught


@pytest.mark.parametrize("opens", ["exchange", "server"])
async def test_a_session_inside_a_cancelled_block_is_left_in_order(opens: str) -> None:
    """The exchange serves until the block is left, however it comes to that: the session's order is cancelled."""
    with trio.CancelScope() as scope:
        async with AsyncExitStack() as opened:
            venue: sim.Venue
            if opens == "exchange":
                venue = await opened.enter_async_context(sim.open_exchange(live=False))
            else:
                venue = await opened.enter_async_context(sim.open_server())
            client = await opened.enter_async_context(venue.open_client())
            session = await opened.enter_async_context(bm.trading.open_spot_session(client, "BTC_USDT", deadline=5))
            order = await session.submit(side="buy", type="limit", size="0.001", price="20000")
            await order.wait_accepted()
            scope.cancel()
    assert session.report is not None
    assert len(session.report.cancelled) == 1
    assert session.report.confirmed


async def test_refused_connections(autojump_clock: MockClock) -> None:
    """REST and sockets see a refusal as such, and the faults given at opening are active."""
    async with (
        sim.open_exchange(faults=[RefuseConnect("http"), RefuseConnect("spot/public")]) as venue,
        http(venue) as client,
    ):
        with pytest.raises(httpx.ConnectError):
            await client.get("/system/time")
        assert (await client.get("/system/time")).status_code == 200
        with pytest.raises(ConnectionRefusedError):
            await venue.connect("ws://simulated.invalid/ws/spot/public")
        assert venue.faults.hits == {"RefuseConnect": 2}


async def test_the_right_time_does_not_follow_a_skew(autojump_clock: MockClock) -> None:
    """A client that takes the venue's clock sees the skew as its offset."""
    async with sim.open_exchange() as venue:
        venue.faults.add(ClockSkew(90_000))
        await trio.sleep(1)
        assert venue.clock() == START / 1000 + 1
        assert venue.exchange.now_ms() == START + 91_000


async def test_the_limits_can_be_raised(autojump_clock: MockClock) -> None:
    """What sockets are allowed is read at each use."""
    async with sim.open_exchange(limits=sim.Limits(spot_public_connections=0)) as venue, trio.open_nursery() as nursery:
        assert (await (await open_socket(nursery, venue, "spot/public")).get())["errorCode"] == "94002"
        venue.limits.spot_public_connections = 1
        socket = await open_socket(nursery, venue, "spot/public")
        await socket.send("ping")
        assert await socket.text() == "pong"
        nursery.cancel_scope.cancel()


async def test_the_default_credentials_are_those_of_the_default_account() -> None:
    """They sign."""
    async with sim.open_exchange() as venue:
        assert isinstance(venue.credentials, Credentials)
        assert venue.credentials.can_sign
        assert venue.credentials.api_key == "sim-key"


async def test_a_server_on_loopback_serves_anybody() -> None:
    """HTTP and WebSocket over TCP on one port, at the real time."""
    with trio.fail_after(20):
        async with sim.open_server(seed=7) as server:
            assert server.url == f"http://127.0.0.1:{server.port}"
            assert (
                server.environment.socket_url("spot", False)
                == f"ws://127.0.0.1:{server.port}/ws/spot/public?protocol=1.1"
            )
            async with httpx.AsyncClient(base_url=server.url) as client:
                assert abs((await client.get("/system/time")).json()["data"]["server_time"] - time.time() * 1000) < 5000
                async with open_websocket_url(server.environment.socket_url("futures", False)) as raw:
                    socket = Socket(raw)
                    await socket.send({"action": "subscribe", "args": ["futures/ticker:BTCUSDT"]})
                    assert (await socket.get())["success"] is True
                    assert (await socket.get())["group"] == "futures/ticker:BTCUSDT"
                    assert server.connections[0].address == "127.0.0.1"
                server.faults.add(LoseReply("/system/time"))
                with pytest.raises(httpx.ReadError):
                    await client.get("/system/time")
                server.faults.add(RefuseConnect())
                with pytest.raises((httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)):
                    await client.get("/system/time")
                assert (await client.get("/system/time")).status_code == 200
                reply = await client.post("/spot/v2/submit_order", content=b"x" * 2_000_000)
                assert reply.status_code == 413


async def test_a_dropped_tcp_connection_is_reset() -> None:
    """No close frame, no orderly end."""
    with trio.fail_after(20):
        async with sim.open_server() as server:
            # trio-websocket leaves a stream open that broke off, so it is ours to close.
            async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream, trio.open_nursery() as nursery:
                raw = await wrap_client_stream(nursery, stream, "localhost", "/ws/spot/public")
                await Socket(raw).send("ping")
                assert await Socket(raw).text() == "pong"
                assert server.drop_connections() == 1
                with pytest.raises(ConnectionClosed) as closed:
                    await raw.get_message()
                assert closed.value.reason is not None
                assert closed.value.reason.code == 1006


async def test_a_server_on_a_taken_port_says_so() -> None:
    """An ordinary OSError, not a group."""
    with stdlib_socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            async with sim.open_server(port=taken.getsockname()[1]):
                raise AssertionError("opened")


async def test_the_log_of_a_run_holds_no_secret(autojump_clock: MockClock) -> None:
    """Keys, secrets and signatures stay out of the event log."""
    async with sim.open_exchange() as venue, trio.open_nursery() as nursery:
        socket = await open_socket(nursery, venue, "spot/private")
        await socket.login(str(venue.exchange.now_ms()))
        text = venue.exchange.log.dump().decode()
        assert "sim-key" not in text
        assert "sim-secret" not in text
        assert all(json.loads(line)["kind"] for line in text.splitlines())
        nursery.cancel_scope.cancel()


async def test_clients_come_ready_to_use(autojump_clock: MockClock) -> None:
    """Each opener gives a client that talks to this exchange, signs as the default account, and knows the time."""
    async with sim.open_exchange(seed=7) as venue:
        async with venue.open_client() as client:
            ticker = await client.spot.market.ticker("BTC_USDT")
            assert ticker.last_price > 0
            async with client.streams.spot.trade("BTC_USDT") as trades:
                assert (await trades.receive()).symbol == "BTC_USDT"
        async with venue.open_spot() as spot:
            assert (await spot.market.ticker("ETH_USDT")).symbol == "ETH_USDT"
        async with venue.open_futures(None) as futures, venue.open_streams(config=Config(ping_interval=5)) as streams:
            assert (await futures.system.time()).server_time == venue.exchange.now_ms()
            async with streams.spot.ticker("BTC_USDT") as tickers:
                await tickers.receive()
        await wait_all_tasks_blocked()
        assert venue.connections == []


async def test_a_servers_own_clients_use_tcp() -> None:
    """They reach it through its address, as others do."""
    with trio.fail_after(20):
        async with sim.open_server(seed=7) as server, server.open_client() as client:
            assert (await client.spot.market.ticker("BTC_USDT")).last_price > 0
            async with client.streams.spot.ticker("BTC_USDT") as tickers:
                await tickers.receive()
                assert [connection.kind for connection in server.connections] == ["spot/public"]


async def test_any_stream_will_do(autojump_clock: MockClock) -> None:
    """The face serves trio's own memory streams too, with limits of their own."""
    near, far = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        simulation = sim.Simulation(seed=1)
        nursery.start_soon(partial(sim.serve_stream, simulation, far, address="10.0.0.1"))
        await near.send_all(b"GET /system/time HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        reply = b""
        while part := await near.receive_some():
            reply += part
        assert reply.startswith(b"HTTP/1.1 200 OK")
