"""What each fault of connections and topics looks like to a client."""

from __future__ import annotations

import zlib
from typing import cast

import pytest
import trio
from faces_support import START, Floor, Socket, open_floor, spot_frame
from trio.testing import MockClock, wait_all_tasks_blocked
from trio_websocket import ConnectionClosed, ConnectionRejected, wrap_client_stream

from bitmart_trio.sim.faces.websocket import Limits
from bitmart_trio.sim.faults import (
    Drop,
    DropDuringLogin,
    Duplicate,
    Fault,
    Gap,
    Garbage,
    HangHandshake,
    LatePong,
    LongerRow,
    LoseAck,
    Maintenance,
    MuteTopic,
    RefuseLogin,
    RefuseTopic,
    RefuseUpgrade,
    Reorder,
    SlowLink,
    Stall,
    UnknownField,
)

TOPIC = "spot/ticker:BTC_USDT"


async def subscribed(floor: Floor) -> Socket:
    socket = await floor.socket("spot/public")
    await socket.ask({"op": "subscribe", "args": [TOPIC]})
    await socket.get()
    return socket


def publish(floor: Floor, *values: str) -> None:
    for value in values:
        floor.small.feed.publish(TOPIC, spot_frame("BTC_USDT", value))


async def values(socket: Socket, count: int) -> list[object]:
    frames = [await socket.get() for _ in range(count)]
    return [cast("list[dict[str, object]]", frame["data"])[0]["last_price"] for frame in frames]


async def silent(socket: Socket, seconds: float) -> bool:
    with trio.move_on_after(seconds):
        await socket.text()
        return False
    return True


async def test_drop_breaks_off_without_a_close_frame() -> None:
    """All that match break at once, the fault is used up, and new connections live."""
    async with open_floor() as floor:
        first, second, other = await subscribed(floor), await subscribed(floor), await floor.socket("futures/public")
        floor.faults.add(Drop("spot/*"))
        for socket in (first, second):
            with pytest.raises(ConnectionClosed) as closed:
                await socket.get()
            assert closed.value.reason is not None
            assert closed.value.reason.code == 1006
        assert (await other.ask({"action": "ping"}))["group"] == "System"
        assert floor.faults.hits == {"Drop": 2}
        assert floor.small.feed.topics() == []
        again = await subscribed(floor)
        publish(floor, "1")
        assert await values(again, 1) == ["1"]


async def test_drop_after_some_frames() -> None:
    """Three frames arrive, then the connection is gone."""
    async with open_floor() as floor:
        floor.faults.add(Drop(after=3))
        socket = await subscribed(floor)
        publish(floor, "1", "2")
        assert await values(socket, 1) == ["1"]
        with pytest.raises(ConnectionClosed):
            await socket.get()


@pytest.mark.parametrize("after", [0, 2])
async def test_drop_with_a_code_closes_as_a_restarted_server_does(after: int) -> None:
    """The close frame bears the code."""
    async with open_floor() as floor:
        socket = await subscribed(floor)
        floor.faults.add(Drop(code=1012, after=after))
        publish(floor, "1", "2", "3")
        with pytest.raises(ConnectionClosed) as closed:
            await values(socket, 4)
        assert closed.value.reason is not None
        assert closed.value.reason.code == 1012


async def test_one_connection_by_its_name() -> None:
    """A pattern may be the connection's own name."""
    async with open_floor() as floor:
        first, second = await subscribed(floor), await subscribed(floor)
        floor.faults.add(Drop(floor.connections[1].name))
        with pytest.raises(ConnectionClosed):
            await second.get()
        publish(floor, "1")
        assert await values(first, 1) == ["1"]


async def test_stall_is_silence_on_a_living_connection(autojump_clock: MockClock) -> None:
    """Neither pushes nor pongs come, nothing is closed; when it is over everything comes."""
    async with open_floor(Limits(idle_seconds=None, queue_frames=10)) as floor:
        socket = await subscribed(floor)
        stall = floor.faults.add(Stall())
        await socket.send("ping")
        await wait_all_tasks_blocked()
        for n in range(20):
            publish(floor, str(n))
        assert await silent(socket, 1000)
        assert len(floor.connections) == 1
        stall.remove()
        assert await socket.text() == "pong"
        assert await values(socket, 3) == ["0", "1", "2"]


async def test_late_pongs(autojump_clock: MockClock) -> None:
    """The pong comes late, pushes do not wait for it."""
    async with open_floor() as floor:
        socket = await subscribed(floor)
        floor.faults.add(LatePong(seconds=7))
        began = trio.current_time()
        await socket.send("ping")
        await wait_all_tasks_blocked()
        publish(floor, "1")
        assert await values(socket, 1) == ["1"]
        assert trio.current_time() == began
        assert await socket.text() == "pong"
        assert trio.current_time() - began == pytest.approx(7)


async def test_a_muted_topic_is_silent_while_pongs_flow(autojump_clock: MockClock) -> None:
    """Others go on; when the mute is taken back the topic speaks again."""
    async with open_floor(Limits(idle_seconds=None)) as floor:
        socket = await subscribed(floor)
        mute = floor.faults.add(MuteTopic(TOPIC))
        publish(floor, "1")
        await socket.send("ping")
        assert await socket.text() == "pong"
        assert await silent(socket, 100)
        mute.remove()
        publish(floor, "2")
        assert await values(socket, 1) == ["2"]


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (Gap(TOPIC), ["2", "3"]),
        (Duplicate(TOPIC), ["1", "1", "2", "3"]),
        (Reorder(TOPIC), ["2", "1", "3"]),
        (Gap("futures/*"), ["1", "2", "3"]),
    ],
)
async def test_pushes_lost_doubled_and_out_of_order(fault: Fault, seen: list[str]) -> None:
    """One push is concerned, the rest is as it should be."""
    async with open_floor() as floor:
        socket = await subscribed(floor)
        floor.faults.add(fault)
        publish(floor, "1", "2", "3")
        assert await values(socket, len(seen)) == seen


async def test_garbage_is_an_unreadable_frame_between_good_ones() -> None:
    """A broken deflate frame on spot, cut JSON on futures."""
    async with open_floor() as floor:
        socket = await subscribed(floor)
        floor.faults.add(Garbage(TOPIC))
        publish(floor, "1", "2")
        assert await values(socket, 1) == ["1"]
        with pytest.raises(zlib.error):
            await socket.text()
        assert await values(socket, 1) == ["2"]
        futures = await floor.socket("futures/public")
        await futures.ask({"action": "subscribe", "args": ["futures/ticker"]})
        floor.faults.add(Garbage("futures/ticker"))
        floor.small.feed.publish("futures/ticker", {"group": "futures/ticker", "data": 1})
        assert (await futures.get())["data"] == 1
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            await futures.get()


async def test_pushes_grow() -> None:
    """A path pattern that matches a topic adds fields and columns to its pushes."""
    async with open_floor() as floor:
        socket = await floor.socket("spot/public")
        floor.faults.add(UnknownField("spot/depth*"))
        floor.faults.add(LongerRow("spot/depth*"))
        frame = await socket.ask({"op": "request", "args": ["spot/depth/increase100:BTC_USDT"]})
        item = cast("list[dict[str, object]]", frame["data"])[0]
        assert item["sim_unknown_field"] == "new"
        assert item["asks"] == [["2", "1", "new"]]


async def test_a_slow_link_delivers_everything_late(autojump_clock: MockClock) -> None:
    """Bytes come at their pace; the other connection is not held up."""
    async with open_floor() as floor:
        slow, fast = await subscribed(floor), await subscribed(floor)
        floor.faults.add(SlowLink(floor.connections[0].name, None, bytes_per_second=10))
        began = trio.current_time()
        publish(floor, "1")
        assert await values(fast, 1) == ["1"]
        assert trio.current_time() == began
        assert await values(slow, 1) == ["1"]
        assert trio.current_time() - began > 3


@pytest.mark.parametrize(("fault", "code", "text"), [
    (RefuseLogin(times=1), "91002", "API KEY not found"),
    (RefuseLogin(times=1, code="95000", text="Server Error"), "95000", "Server Error"),
])  # fmt: skip
async def test_a_refused_login(fault: RefuseLogin, code: str, text: str, autojump_clock: MockClock) -> None:
    """A correct login is refused with these words and closed; the next one is accepted."""
    async with open_floor() as floor:
        floor.faults.add(fault)
        socket = await floor.socket("spot/private")
        assert await socket.login(str(START)) == {"event": "login", "errorCode": code, "errorMessage": text}
        with pytest.raises(ConnectionClosed):
            await socket.get()
        assert await (await floor.socket("spot/private")).login(str(START)) == {"event": "login"}


async def test_a_refused_futures_login(autojump_clock: MockClock) -> None:
    """The same in the other dialect."""
    async with open_floor() as floor:
        floor.faults.add(RefuseLogin("futures/*", text="authentication is temporarily unavailable"))
        socket = await floor.socket("futures/private")
        answer = await socket.login(str(START), futures=True)
        assert answer == {"action": "access", "success": False, "error": "authentication is temporarily unavailable"}


@pytest.mark.parametrize("futures", [True, False])
async def test_a_connection_that_breaks_during_the_login(futures: bool, autojump_clock: MockClock) -> None:
    """No reply, no close frame; the next connection can log in."""
    async with open_floor() as floor:
        floor.faults.add(DropDuringLogin())
        kind = "futures/private" if futures else "spot/private"
        with pytest.raises(ConnectionClosed):
            await (await floor.socket(kind)).login(str(START), futures=futures)
        again = await (await floor.socket(kind)).login(str(START), futures=futures)
        assert again == ({"action": "access", "success": True} if futures else {"event": "login"})


async def test_refused_topics_and_lost_acknowledgements() -> None:
    """A refused topic names its code; a lost acknowledgement leaves a working subscription."""
    async with open_floor() as floor:
        socket = await floor.socket("spot/public")
        floor.faults.add(RefuseTopic(TOPIC))
        refused = await socket.ask({"op": "subscribe", "args": [TOPIC]})
        assert refused == {"event": "subscribe", "errorCode": "95000", "errorMessage": "Internal system error"}
        floor.faults.add(LoseAck(TOPIC))
        assert await socket.ask({"op": "subscribe", "args": [TOPIC]}) == spot_frame("BTC_USDT", "first")
        futures = await floor.socket("futures/public")
        floor.faults.add(RefuseTopic("futures/*", text="no"))
        assert (await futures.ask({"action": "subscribe", "args": ["futures/ticker"]}))["error"] == "no"
        floor.faults.add(LoseAck("futures/*"))
        await futures.send({"action": "subscribe", "args": ["futures/ticker"]})
        assert (await futures.ask({"action": "ping"}))["group"] == "System"


@pytest.mark.parametrize(("fault", "status"), [(RefuseUpgrade("spot/*"), 403), (Maintenance("/ws/*"), 503)])
async def test_a_refused_handshake_has_a_status_and_a_page(fault: Fault, status: int) -> None:
    """The rejection reaches the client whole."""
    async with open_floor() as floor:
        floor.faults.add(fault)
        with pytest.RaisesGroup(ConnectionRejected) as group:
            async with trio.open_nursery() as nursery:
                await wrap_client_stream(nursery, cast("trio.SocketStream", floor.dial()), "x", "/ws/spot/public")
        rejected = group.value.exceptions[0]
        assert isinstance(rejected, ConnectionRejected)
        assert rejected.status_code == status
        assert rejected.body is not None
        assert b"<html>" in rejected.body
        assert floor.connections == []


async def test_a_handshake_that_hangs(autojump_clock: MockClock) -> None:
    """Nothing comes, the connection stays; the next handshake works."""
    async with open_floor() as floor:
        floor.faults.add(HangHandshake("spot/public"))
        with trio.move_on_after(1000) as scope:
            await floor.socket("spot/public")
        assert scope.cancelled_caught
        assert floor.sockets.drop("spot/public") == 1
        await subscribed(floor)
