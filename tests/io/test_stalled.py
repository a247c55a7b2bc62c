"""A program that keeps the loop busy loses no healthy connection: what had arrived is read before it is judged."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair
from websocket_kit import Peer, frame

import bitmart_trio as bm
from bitmart_trio import models

NOBODY = bm.Environment.at("http://127.0.0.1:9")
TAPS = pytest.mark.parametrize("tap", [True, False], ids=["tap", "get_message"])
ACK = frame(b'{"event":"subscribe","topic":"spot/trade:BTC_USDT"}')
LOGIN = frame(b'{"event":"login"}')
TRADE = frame(
    b'{"table":"spot/trade","data":[{"symbol":"BTC_USDT","price":"1","size":"1","side":"buy","s_t":1,"ms_t":1}]}'
)


async def _heard(peer: Peer) -> str:
    """The payload of the next frame of the client."""
    data = bytearray()
    while len(data) < 2:
        data += await peer.stream.receive_some(1)
    size = data[1] & 0x7F
    head = 4 if size == 126 else 2
    while len(data) < head:
        data += await peer.stream.receive_some(1)
    if size == 126:
        size = int.from_bytes(data[2:4], "big")
    while len(data) < head + 4 + size:
        data += await peer.stream.receive_some(head + 4 + size - len(data))
    if data[0] & 0xF == 8:
        raise trio.BrokenResourceError("a Close frame")
    mask = data[head : head + 4]
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(data[head + 4 :])).decode()


def _serving(
    talk: Callable[[Peer], Awaitable[None]], nursery: trio.Nursery
) -> Callable[[str], Awaitable[trio.abc.Stream]]:
    """A way to connect to a server that says what a test wants."""

    async def serve(peer: Peer) -> None:
        await peer.hear_request()
        await peer.say(peer.switch())
        with suppress(trio.BrokenResourceError):  # the client has closed it
            await talk(peer)

    async def connect(_: str) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        inner, outer = memory_stream_pair()
        nursery.start_soon(serve, Peer(outer))
        return inner

    return connect


@TAPS
async def test_an_answer_that_lies_in_the_socket_counts(tap: bool, autojump_clock: MockClock) -> None:
    """Login, acknowledgement and pong arrive, and before anybody can read them the loop is busy for ten time-outs."""

    async def talk(peer: Peer) -> None:
        while True:
            text = await _heard(peer)
            answer = frame(b"pong") if text == "ping" else LOGIN if json.loads(text)["op"] == "login" else None
            for _ in range(random.randrange(4)):
                await trio.lowlevel.checkpoint()
            await peer.say(answer or frame(b'{"event":"subscribe","topic":"spot/user/order:BTC_USDT"}'))
            autojump_clock.jump(50)  # no checkpoint in between: this is the user's computation

    # Of a connection that is given up, no other one is tried.
    config = bm.Config(tap=tap, timeouts=bm.Timeouts(login=5, acknowledge=5), backoff=bm.Backoff(attempts=1))
    async with trio.open_nursery() as nursery:
        connect = _serving(talk, nursery)
        for _ in range(10):
            credentials = bm.Credentials("key", "secret", "memo")
            async with bm.open_streams(credentials, environment=NOBODY, config=config, connect=connect) as streams:
                async with streams.events() as events, streams.spot.user_order("BTC_USDT"):
                    await trio.sleep(200)
                    told = [events.receive_nowait() for _ in range(events.statistics().buffer_used)]
                    assert not any(isinstance(event, models.Lost) for event in told), told
                    assert any(isinstance(event, models.Stalled) for event in told)
        nursery.cancel_scope.cancel()


@TAPS
async def test_a_push_that_lies_in_the_socket_breaks_the_silence(tap: bool, autojump_clock: MockClock) -> None:
    """The deadline of a topic's silence passes while the loop is busy: the push came in time, so nothing is probed."""

    async def talk(peer: Peer) -> None:
        await _heard(peer)
        await peer.say(ACK + TRADE)
        for _ in range(5):
            await trio.sleep(9.95)
            await peer.say(TRADE)
            autojump_clock.jump(0.2)

    config = bm.Config(tap=tap, silence={"spot/trade": 10}, ping_interval=1000)
    async with trio.open_nursery() as nursery:
        connect = _serving(talk, nursery)
        for _ in range(5):
            async with bm.open_streams(environment=NOBODY, config=config, connect=connect) as streams:
                async with streams.events() as events, streams.spot.trade("BTC_USDT") as trades:
                    await trio.sleep(52)
                    told = [events.receive_nowait() for _ in range(events.statistics().buffer_used)]
                    assert not any(isinstance(event, models.Silent) for event in told), told
                    assert trades.statistics().received == 6
        nursery.cancel_scope.cancel()


@TAPS
async def test_a_peer_that_does_not_answer_is_still_given_up(tap: bool, autojump_clock: MockClock) -> None:
    """A stall excuses nobody for long: no pong within the time-out after the ping was sent is the end."""
    died = 0.0

    async def talk(peer: Peer) -> None:
        nonlocal died
        while True:
            text = await _heard(peer)
            if text == "ping":
                asked = trio.current_time()
                autojump_clock.jump(4)
                with suppress(trio.BrokenResourceError):
                    while await peer.stream.receive_some(100):
                        pass
                died = trio.current_time() - asked
                return
            await peer.say(ACK)

    config = bm.Config(tap=tap, backoff=bm.Backoff(first=1000, maximum=1000))
    async with trio.open_nursery() as nursery:
        connect = _serving(talk, nursery)
        async with bm.open_streams(environment=NOBODY, config=config, connect=connect) as streams:
            async with streams.events() as events, streams.spot.trade("BTC_USDT"):
                async for event in events:
                    if isinstance(event, models.Lost):
                        assert "no message within 5 s of a ping" in event.reason
                        break
                await trio.sleep(5)
        nursery.cancel_scope.cancel()
    assert 5 <= died < 9


async def test_a_connect_that_this_program_held_up_is_tried_again(autojump_clock: MockClock) -> None:
    """The time-out of a connect that passed while the loop was busy was not the server's."""
    tries = 0

    async def talk(peer: Peer) -> None:
        await _heard(peer)
        await peer.say(ACK)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        answered = _serving(talk, nursery)

        async def connect(url: str) -> trio.abc.Stream:
            nonlocal tries
            tries += 1
            if tries == 1:
                autojump_clock.jump(60)
                await trio.sleep(0.1)
            return await answered(url)

        async with bm.open_streams(environment=NOBODY, connect=connect) as streams, streams.spot.trade("BTC_USDT"):
            assert tries == 2

        async def dead(url: str) -> trio.abc.Stream:
            nonlocal tries
            tries += 1
            await trio.sleep_forever()
            raise AssertionError

        tries = 0
        with pytest.raises(bm.ConnectionLost, match="within 10 s"):
            async with bm.open_streams(environment=NOBODY, connect=dead) as streams, streams.spot.trade("BTC_USDT"):
                pytest.fail("it opened")
        assert tries == 1
        nursery.cancel_scope.cancel()
