"""What a client sees on the futures sockets of the simulated exchange."""

from __future__ import annotations

import json

import pytest
import trio
from faces_support import START, open_floor
from trio.testing import MockClock, wait_all_tasks_blocked
from trio_websocket import ConnectionClosed

from bitmart_trio.sim.faces.websocket import Limits

PUBLIC, PRIVATE = "futures/public", "futures/private"
TOPIC = "futures/ticker:BTCUSDT"


async def test_subscribe_is_acknowledged_with_its_request_and_pushes_are_text() -> None:
    """One answer a topic, each echoing the whole request; the push's group is the topic."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC)
        request = {"action": "subscribe", "args": [TOPIC, "futures/ticker"]}
        await socket.send(request)
        for topic in (TOPIC, "futures/ticker"):
            assert await socket.get() == {"action": "subscribe", "group": topic, "success": True, "request": request}
        frame = {"group": TOPIC, "data": {"last_price": "1"}}
        floor.small.feed.publish(TOPIC, {"group": TOPIC, "data": {"last_price": "1"}})
        message = await socket.raw.get_message()
        assert isinstance(message, str)
        assert json.loads(message) == frame


async def test_a_second_subscription_is_acknowledged_and_delivers_once() -> None:
    """Subscribing to what is held is no error here, and nothing comes twice."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC)
        for _ in range(2):
            assert (await socket.ask({"action": "subscribe", "args": [TOPIC]}))["success"] is True
        floor.small.feed.publish(TOPIC, {"group": TOPIC, "data": 1})
        floor.small.feed.publish(TOPIC, {"group": TOPIC, "data": 2})
        assert [(await socket.get())["data"], (await socket.get())["data"]] == [1, 2]


async def test_unsubscribe() -> None:
    """Unsubscribing ends the pushes; a channel that does not exist is an error; one not held is confirmed."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC)
        await socket.ask({"action": "subscribe", "args": [TOPIC]})
        request = {"action": "unsubscribe", "args": [TOPIC]}
        for _ in range(2):
            assert await socket.ask(request) == {
                "action": "unsubscribe",
                "group": TOPIC,
                "success": True,
                "request": request,
            }
        assert floor.small.feed.topics() == []
        assert await socket.ask({"action": "unsubscribe", "args": ["futures/nope:BTCUSDT"]}) == {
            "action": "unsubscribe",
            "group": "futures/nope:BTCUSDT",
            "success": False,
            "error": "Invalid channel: not found futures/nope:BTCUSDT",
        }


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("ping", {"success": False, "error": "Invalid message: message must be JSON: ping"}),
        ('["x"]', {"success": False, "error": 'Invalid message: message must be JSON: ["x"]'}),
        (
            {"action": "dance", "args": [TOPIC]},
            {"action": "", "success": False, "error": f"Invalid action [dance] for group [{TOPIC}]"},
        ),
        ({}, {"action": "", "success": False, "error": "Invalid action [] for group []"}),
        (
            {"action": "subscribe", "args": []},
            {
                "action": "subscribe",
                "success": False,
                "error": "Invalid args",
                "request": {"action": "subscribe", "args": []},
            },
        ),
        (
            {"action": "request", "args": [TOPIC]},
            {
                "action": "request",
                "group": TOPIC,
                "success": False,
                "error": f"Invalid action [request] for group [{TOPIC}]",
                "request": {"action": "request", "args": [TOPIC]},
            },
        ),
        (
            {"action": "subscribe", "args": ["futures/ticker:NOPE"]},
            {
                "action": "subscribe",
                "group": "futures/ticker:NOPE",
                "success": False,
                "error": "Invalid channel: not found futures/ticker:NOPE",
                "request": {"action": "subscribe", "args": ["futures/ticker:NOPE"]},
            },
        ),
        (
            {"action": "subscribe", "args": ["sfutures/depth50:BTCUSDT"]},
            {
                "action": "subscribe",
                "group": "sfutures/depth50:BTCUSDT",
                "success": False,
                "error": "group [sfutures/depth50:BTCUSDT] not exist",
                "request": {"action": "subscribe", "args": ["sfutures/depth50:BTCUSDT"]},
            },
        ),
        (
            {"action": "subscribe", "args": ["futures/order"]},
            {
                "action": "subscribe",
                "group": "futures/order",
                "success": False,
                "error": "futures/order need authenication",
            },
        ),
    ],
)
async def test_errors_are_texts(message: object, answer: dict[str, object]) -> None:
    """A wrong message is answered with the documented text, and the connection lives on."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC)
        assert await socket.ask(message) == answer
        pong = await socket.ask({"action": "ping"})
        assert pong["group"] == "System"
        assert str(pong["data"]).startswith("pong+")


async def test_request_needs_no_subscription() -> None:
    """The newest state comes as a push on the same group."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC)
        topic = "futures/fundingRate:BTCUSDT"
        assert await socket.ask({"action": "request", "args": [topic]}) == {"group": topic, "data": {"rate": "0.1"}}


@pytest.mark.parametrize("action", ["access", "login"])
async def test_login_opens_private_topics(action: str, autojump_clock: MockClock) -> None:
    """Without login a private topic is refused, after it the account's pushes arrive."""
    async with open_floor() as floor:
        socket = await floor.socket(PRIVATE)
        refused = await socket.ask({"action": "subscribe", "args": ["futures/order"]})
        assert refused == {
            "action": "subscribe",
            "group": "futures/order",
            "success": False,
            "error": "futures/order need authenication",
        }
        assert await socket.login(str(START), futures=True) == {"action": "access", "success": True}
        assert (await socket.ask({"action": "subscribe", "args": ["futures/order"]}))["success"] is True
        floor.small.feed.publish("futures/order", {"group": "futures/order", "data": []}, "1")
        assert (await socket.get())["group"] == "futures/order"


async def test_a_wrong_login_is_refused_and_closed(autojump_clock: MockClock) -> None:
    """The text masks the key; then the connection is closed."""
    async with open_floor() as floor:
        socket = await floor.socket(PRIVATE)
        answer = await socket.login(str(START), key="880d5edecs1234567", futures=True)
        assert answer == {
            "action": "access",
            "success": False,
            "error": "access failed: openapi auth: apiKey 880d5edecs**** failed: openapi auth failed",
        }
        with pytest.raises(ConnectionClosed):
            await socket.get()


@pytest.mark.parametrize(("size", "lives"), [(2048, True), (2049, False)])
async def test_frames_above_2048_bytes_close_with_1009(size: int, lives: bool) -> None:
    """The largest good frame is answered, one byte more is the end."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC)
        text = '{"action":"ping"}'
        await socket.send(text + " " * (size - len(text)))
        if lives:
            assert (await socket.get())["group"] == "System"
        else:
            with pytest.raises(ConnectionClosed) as closed:
                await socket.get()
            assert closed.value.reason is not None
            assert closed.value.reason.code == 1009


async def test_a_connection_must_subscribe_within_5_seconds(autojump_clock: MockClock) -> None:
    """As documented; one that did stays, and the exchange's own protocol pings are answered."""
    async with open_floor(Limits(idle_seconds=None)) as floor:
        idle, used = await floor.socket(PUBLIC), await floor.socket(PUBLIC)
        await used.ask({"action": "subscribe", "args": [TOPIC]})
        began = trio.current_time()
        with pytest.raises(ConnectionClosed):
            await idle.get()
        assert trio.current_time() - began == pytest.approx(5)
        await trio.sleep(200)
        assert (await used.ask({"action": "ping"}))["group"] == "System"


async def test_500_connections_public_and_private_together(autojump_clock: MockClock) -> None:
    """One more is told so and closed; there is no limit on connects a minute."""
    async with open_floor(Limits(futures_connections=40)) as floor:
        for n in range(40):
            await floor.socket(PUBLIC if n % 2 else PRIVATE)
        refused = await floor.socket(PRIVATE)
        assert await refused.get() == {
            "success": False,
            "error": "The number of connections established between a single IP and the server exceeds the upper limit",
        }
        with pytest.raises(ConnectionClosed):
            await refused.get()
        await wait_all_tasks_blocked()
        assert len(floor.connections) == 40
