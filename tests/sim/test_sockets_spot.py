"""What a client sees on the spot sockets of the simulated exchange."""

from __future__ import annotations

import json
import zlib

import pytest
import trio
from faces_support import START, Floor, open_floor, spot_frame
from trio.testing import wait_all_tasks_blocked
from trio_websocket import ConnectionClosed

from bitmart_trio.sim.faces.websocket import Limits

PUBLIC, PRIVATE = "spot/public", "spot/private"
TOPIC = "spot/ticker:BTC_USDT"


def publish(floor: Floor, value: str, symbol: str = "BTC_USDT") -> None:
    floor.small.feed.publish(f"spot/ticker:{symbol}", spot_frame(symbol, value))


async def test_subscribe_is_acknowledged_then_says_its_state_then_pushes() -> None:
    """One acknowledgement a topic, as text; the first state and pushes as raw deflate in binary frames."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC)
        await socket.send({"op": "subscribe", "args": [TOPIC, "spot/ticker:ETH_USDT"]})
        assert await socket.raw.get_message() == '{"event":"subscribe","topic":"spot/ticker:BTC_USDT"}'
        first = await socket.raw.get_message()
        assert isinstance(first, bytes)
        assert json.loads(zlib.decompress(first, wbits=-15)) == spot_frame("BTC_USDT", "first")
        assert await socket.get() == {"event": "subscribe", "topic": "spot/ticker:ETH_USDT"}
        assert await socket.get() == spot_frame("ETH_USDT", "first")
        publish(floor, "7")
        assert await socket.get() == spot_frame("BTC_USDT", "7")


async def test_unsubscribed_topics_are_silent() -> None:
    """After its acknowledgement an unsubscription has ended the pushes; a second one is refused."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC, query="")
        await socket.ask({"op": "subscribe", "args": [TOPIC]})
        await socket.get()
        assert await socket.ask({"op": "unsubscribe", "args": [TOPIC]}) == {"event": "unsubscribe", "topic": TOPIC}
        assert floor.small.feed.topics() == []
        publish(floor, "7")
        again = await socket.ask({"op": "unsubscribe", "args": [TOPIC]})
        assert again == {"event": "unsubscribe", "errorCode": "90009", "errorMessage": "Invalid subscription"}


async def test_ping_is_a_word() -> None:
    """The text ping brings the text pong."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC)
        await socket.send("ping")
        assert await socket.raw.get_message() == "pong"


@pytest.mark.parametrize(
    ("message", "code", "event"),
    [
        ("not json", "90001", None),
        ("[1]", "90001", None),
        ({"op": "dance", "args": []}, "90002", None),
        ({"args": [TOPIC]}, "90002", None),
        ({"op": ["subscribe"]}, "90002", None),
        ({"op": "subscribe"}, "90003", "subscribe"),
        ({"op": "subscribe", "args": []}, "90003", "subscribe"),
        ({"op": "subscribe", "args": [7]}, "90003", "subscribe"),
        ({"op": "subscribe", "args": "spot/ticker:BTC_USDT"}, "90003", "subscribe"),
        ({"op": "subscribe", "args": ["spot/nothing:BTC_USDT"]}, "90004", "subscribe"),
        ({"op": "subscribe", "args": ["spot/user/orders:ALL_SYMBOLS"]}, "90004", "subscribe"),
        ({"op": "subscribe", "args": ["spot/ticker:NOPE"]}, "92001", None),
        ({"op": "subscribe", "args": [f"spot/ticker:A{n}_USDT" for n in range(21)]}, "90005", "subscribe"),
        ({"op": "request", "args": [TOPIC]}, "90004", "request"),
        ({"op": "request", "args": ["spot/depth/increase100:NOPE"]}, "92001", None),
    ],
)
async def test_errors_have_their_codes(message: object, code: str, event: str | None) -> None:
    """A wrong message is answered with its documented code, and the connection lives on."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC)
        error = await socket.ask(message)
        assert error["errorCode"] == code
        assert error["errorMessage"]
        assert error.get("event") == event
        await socket.send("ping")
        assert await socket.text() == "pong"


async def test_a_bad_topic_does_not_spoil_its_batch() -> None:
    """The good topics of a batch are acknowledged; a second subscription to a held one is 90008 and changes nothing."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC)
        await socket.send({"op": "subscribe", "args": ["spot/ticker:NOPE", TOPIC, TOPIC]})
        assert await socket.get() == {"errorMessage": "Invalid symbol param", "errorCode": "92001"}
        assert await socket.get() == {"event": "subscribe", "topic": TOPIC}
        await socket.get()
        assert (await socket.get())["errorCode"] == "90008"
        publish(floor, "1")
        publish(floor, "2")
        assert [await socket.get(), await socket.get()] == [spot_frame("BTC_USDT", "1"), spot_frame("BTC_USDT", "2")]


async def test_request_answers_with_a_push() -> None:
    """The request verb is answered by the state alone, without an acknowledgement or a subscription."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC)
        answer = await socket.ask({"op": "request", "args": ["spot/depth/increase100:BTC_USDT"]})
        assert answer["table"] == "spot/depth/increase100"
        assert floor.small.feed.topics() == []


async def test_a_connection_holds_115_topics() -> None:
    """The 116th topic is 90006; after letting one go there is room again."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC)
        for begin in range(0, 116, 20):
            args = [f"spot/depth/increase100:A{n}_USDT" for n in range(begin, min(begin + 20, 116))]
            await socket.send({"op": "subscribe", "args": args})
        answers = [await socket.get() for _ in range(116)]
        assert [answer.get("errorCode") for answer in answers] == [None] * 115 + ["90006"]
        await socket.ask({"op": "unsubscribe", "args": ["spot/depth/increase100:A0_USDT"]})
        late = await socket.ask({"op": "subscribe", "args": ["spot/depth/increase100:A115_USDT"]})
        assert late == {"event": "subscribe", "topic": "spot/depth/increase100:A115_USDT"}


@pytest.mark.parametrize("as_number", [True, False])
async def test_login_opens_private_topics(as_number: bool, autojump_clock: trio.testing.MockClock) -> None:
    """Before the login a private topic is 91006.

    After it the account's own pushes arrive, as text; other accounts' do not.
    """
    async with open_floor() as floor:
        socket = await floor.socket(PRIVATE)
        topic = "spot/user/orders:ALL_SYMBOLS"
        assert (await socket.ask({"op": "subscribe", "args": [topic]}))["errorCode"] == "91006"
        now = floor.small.now_ms()
        assert await socket.login(now if as_number else str(now)) == {"event": "login"}
        assert (await socket.login(str(now)))["errorCode"] == "91005"
        assert await socket.ask({"op": "subscribe", "args": [topic]}) == {"event": "subscribe", "topic": topic}
        floor.small.feed.publish(topic, {"table": "spot/user/orders", "data": [{"n": 0}]}, "2")
        floor.small.feed.publish(topic, {"table": "spot/user/orders", "data": [{"n": 1}]}, "1")
        message = await socket.raw.get_message()
        assert isinstance(message, str)
        assert json.loads(message)["data"] == [{"n": 1}]
        assert floor.connections[0].account is floor.account


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ([], "91001"),
        (["", "1", "x"], "91001"),
        (["nobody", str(START), "x"], "91002"),
        (["sim-key", "", "x"], "91021"),
        (["sim-key"], "91021"),
        (["sim-key", "soon", "x"], "91023"),
        (["sim-key", str(START - 60_001), "x"], "91022"),
        (["sim-key", str(START + 61_000), "x"], "91022"),
        (["sim-key", str(START), ""], "91010"),
        (["sim-key", str(START), "ab" * 32], "91011"),
        (["sim-key", str(START), "\N{SNOWMAN}"], "91011"),
        (["sim-key", True, "x"], "91021"),
    ],
)
async def test_a_wrong_login_is_refused_and_closed(
    args: list[object], code: str, autojump_clock: trio.testing.MockClock
) -> None:
    """The reply names the code, then the connection is closed in order."""
    async with open_floor() as floor:
        socket = await floor.socket(PRIVATE)
        answer = await socket.ask({"op": "login", "args": args})
        assert answer["event"] == "login"
        assert answer["errorCode"] == code
        with pytest.raises(ConnectionClosed) as closed:
            await socket.get()
        assert closed.value.reason is not None
        assert closed.value.reason.code == 1000
        await wait_all_tasks_blocked()
        assert floor.connections == []


async def test_frozen_expired_and_misplaced_keys(autojump_clock: trio.testing.MockClock) -> None:
    """A frozen key is 91003, an expired one 91004, and one used from elsewhere is not found."""
    async with open_floor() as floor:
        found = floor.small.accounts.by_key("sim-key")
        assert found is not None
        key = found[1]
        key.frozen = True
        assert (await (await floor.socket(PRIVATE)).login(str(START)))["errorCode"] == "91003"
        key.frozen = False
        key.expires_ms = START
        assert (await (await floor.socket(PRIVATE)).login(str(START)))["errorCode"] == "91004"
        key.expires_ms = None
        key.ips = frozenset({"10.0.0.9"})
        assert (await (await floor.socket(PRIVATE)).login(str(START)))["errorCode"] == "91002"
        assert await (await floor.socket(PRIVATE, address="10.0.0.9")).login(str(START)) == {"event": "login"}


async def test_the_101st_message_in_ten_seconds_closes(autojump_clock: trio.testing.MockClock) -> None:
    """100 messages in ten seconds are heard, one more is 90007 and the end; spread out there is no limit."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC)
        await socket.send({"op": "subscribe", "args": [TOPIC]})
        await socket.get()
        await socket.get()
        for _ in range(3):
            for _ in range(99):
                await socket.send("ping")
                assert await socket.text() == "pong"
            await trio.sleep(10.1)
        for _ in range(100):
            await socket.send("ping")
            assert await socket.text() == "pong"
        await socket.send("ping")
        assert (await socket.get())["errorCode"] == "90007"
        with pytest.raises(ConnectionClosed):
            await socket.get()


async def test_silence_ends_a_connection_after_20_seconds(autojump_clock: trio.testing.MockClock) -> None:
    """Nothing said by either side for 20 s closes; a ping now and then keeps it."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC)
        await socket.ask({"op": "subscribe", "args": [TOPIC]})
        await socket.get()
        for _ in range(3):
            await trio.sleep(19)
            await socket.send("ping")
            assert await socket.text() == "pong"
        began = trio.current_time()
        with pytest.raises(ConnectionClosed):
            await socket.get()
        assert trio.current_time() - began == pytest.approx(20)


@pytest.mark.parametrize(("counts", "lives"), [("both", True), ("client", False)])
async def test_what_keeps_a_connection_alive(counts: str, lives: bool, autojump_clock: trio.testing.MockClock) -> None:
    """Pushes keep it alive as documented, unless only the client's own words are to count."""
    limits = Limits(idle_counts="client" if counts == "client" else "both")
    async with open_floor(limits) as floor:
        socket = await floor.socket(PUBLIC)
        await socket.ask({"op": "subscribe", "args": [TOPIC]})
        await socket.get()
        for _ in range(10):
            await trio.sleep(5)
            publish(floor, "1")
        await wait_all_tasks_blocked()
        assert bool(floor.connections) is lives


async def test_a_connection_without_a_subscription_ends_after_300_seconds(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Pings alone do not keep a connection that is of no use."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC)
        began = trio.current_time()

        async def ping_for_ever() -> None:
            while True:
                await socket.send("ping")
                assert await socket.text() == "pong"
                with trio.move_on_after(15):
                    await socket.get()

        with pytest.raises(ConnectionClosed):
            await ping_for_ever()
        assert trio.current_time() - began == pytest.approx(300)


async def test_an_oversized_message_closes_with_1009() -> None:
    """Above the documented 4096 bytes."""
    async with open_floor() as floor:
        socket = await floor.socket(PUBLIC)
        await socket.send({"op": "subscribe", "args": ["x" * 5000]})
        with pytest.raises(ConnectionClosed) as closed:
            await socket.get()
        assert closed.value.reason is not None
        assert closed.value.reason.code == 1009


async def test_20_connections_an_address_and_30_connects_a_minute(autojump_clock: trio.testing.MockClock) -> None:
    """More are told so by a frame and closed; another address, and the private side, have allowances of their own."""
    async with open_floor() as floor:
        first = [await floor.socket(PUBLIC) for _ in range(20)]
        refused = await floor.socket(PUBLIC)
        assert (await refused.get())["errorCode"] == "94002"
        with pytest.raises(ConnectionClosed):
            await refused.get()
        for kind, address in ((PUBLIC, "10.0.0.2"), (PRIVATE, "127.0.0.1")):
            other = await floor.socket(kind, address=address)
            await other.send("ping")
            assert await other.text() == "pong"
        for socket in first:
            await socket.raw.aclose()
        await wait_all_tasks_blocked()
        for _ in range(10):
            socket = await floor.socket(PUBLIC)
            await socket.send("ping")
            assert await socket.text() == "pong"
            await socket.raw.aclose()
        assert (await (await floor.socket(PUBLIC)).get())["errorCode"] == "94001"
        await trio.sleep(61)
        late = await floor.socket(PUBLIC)
        await late.send("ping")
        assert await late.text() == "pong"
        floor.sockets.limits.connects_per_minute = None
        for _ in range(40):
            await (await floor.socket(PUBLIC, address="10.0.0.3")).raw.aclose()
        assert floor.sockets.refused == {PUBLIC: 2}


async def test_a_client_that_does_not_read_is_cut_off(autojump_clock: trio.testing.MockClock) -> None:
    """The exchange goes on publishing without waiting.

    The queue of the one who sleeps overflows and his connection ends.
    """
    async with open_floor(Limits(queue_frames=50)) as floor:
        sleeper, reader = await floor.socket(PUBLIC), await floor.socket(PUBLIC)
        for socket in (sleeper, reader):
            await socket.ask({"op": "subscribe", "args": [TOPIC]})
            await socket.get()
        text = "x" * 20_000
        floor.sockets.limits.deflate = frozenset()
        for _ in range(100):
            publish(floor, text)
            assert (await reader.get())["table"] == "spot/ticker"
        await wait_all_tasks_blocked()
        assert len(floor.connections) == 1
        assert any(line["kind"] == "overflow" for line in floor.small.log.lines)
