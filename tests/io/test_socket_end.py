"""How a socket ends: the reason names who ended it, and the Close frame that goes out is what RFC 6455 asks for."""

from __future__ import annotations

import struct
import traceback

import pytest
import trio
from trio.testing import memory_stream_pair
from websocket_kit import Peer, frame

import bitmart_trio as bm

NOBODY = bm.Environment.at("http://127.0.0.1:9")


def _close(code: int, reason: bytes = b"") -> bytes:
    return frame(struct.pack("!H", code) + reason, 8)


def _unmasked(sent: bytes) -> tuple[int, bytes]:
    """First byte and payload of a client's short frame."""
    mask, payload = sent[2:6], sent[6 : 6 + (sent[1] & 0x7F)]
    return sent[0], bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


async def _end(said: bytes, *, tap: bool, hang_up: bool = False, ceiling: int = 1024) -> tuple[str, bytes]:
    """What a subscriber is told, and what the server got behind the first request, once it had said something."""
    got = bytearray()
    with pytest.raises(bm.ConnectionLost) as lost:
        await _open(said, tap=tap, hang_up=hang_up, ceiling=ceiling, got=got)
    return str(lost.value), bytes(got)


async def _open(
    said: bytes, *, tap: bool, hang_up: bool = False, ceiling: int = 1024, got: bytearray | None = None
) -> None:
    """Open a subscription at a server that says something, and collect what that hears."""
    got = bytearray() if got is None else got

    async def connect(_: str) -> trio.abc.Stream:
        inner, outer = memory_stream_pair()
        nursery.start_soon(serve, Peer(outer))
        await trio.lowlevel.checkpoint()
        return inner

    async def serve(peer: Peer) -> None:
        await peer.hear_request()
        await peer.say(peer.switch())
        await peer.stream.receive_some(65536)  # the subscription
        if hang_up:
            await peer.hang_up()
            return
        await peer.say(said)
        try:
            while data := await peer.stream.receive_some(65536):
                got.extend(data)
        except trio.BrokenResourceError:
            pass  # the client has closed it

    config = bm.Config(tap=tap, max_frame_bytes=ceiling, backoff=bm.Backoff(attempts=1))
    lost: bm.ConnectionLost | None = None
    async with trio.open_nursery() as nursery:
        async with bm.open_streams(environment=NOBODY, config=config, connect=connect) as streams:
            try:
                async with streams.spot.trade("BTC_USDT"):
                    pytest.fail("it opened")
            except bm.ConnectionLost as error:
                lost = error
    assert lost is not None
    raise lost


TAPS = pytest.mark.parametrize("tap", [True, False], ids=["tap", "get_message"])


@TAPS
@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"\x81\x82\x00\x00\x00\x00hi", 1002),
        (frame(b"hi", first=0xC1), 1002),
        (frame(b"hi", opcode=3), 1002),
        (frame(b"x" * 200, opcode=9), 1002),
        (frame(b"x", first=0x09), 1002),
        (frame(b"x", opcode=0), 1002),
        (frame(b"x", opcode=8), 1002),
        (_close(999), 1002),
        (_close(1005), 1002),
        (b"\x81\x7e\x00\x05hello", 1002),
        (_close(1000, b"\xff"), 1007),
    ],
    ids=[
        "masked", "reserved bit", "unknown opcode", "long ping", "fragmented ping", "continuation of nothing",
        "close of one byte", "close 999", "close 1005", "long form of a length", "a reason that is no text",
    ],
)  # fmt: skip
async def test_a_server_that_breaks_the_protocol_is_said_goodbye(
    said: bytes, code: int, tap: bool, autojump_clock: trio.testing.MockClock
) -> None:
    """With the code for it; and the reason says that the end came from here."""
    words, sent = await _end(said, tap=tap)
    assert f"closed here, for the server broke the WebSocket protocol ({code}" in words
    assert _unmasked(sent) == (0x88, struct.pack("!H", code))


@TAPS
async def test_a_message_that_is_too_large_is_answered_with_1009(
    tap: bool, autojump_clock: trio.testing.MockClock
) -> None:
    words, sent = await _end(frame(b"x" * 5000), tap=tap)
    assert "closed here, for a message of the server was too large (1009" in words
    opcode, payload = _unmasked(sent)
    assert (opcode, payload[:2]) == (0x88, struct.pack("!H", 1009))


@TAPS
@pytest.mark.parametrize("piece", [b"", b"1"], ids=["empty", "one byte"])
async def test_a_message_in_endless_fragments_is_answered_with_1009(
    tap: bool, piece: bytes, autojump_clock: trio.testing.MockClock
) -> None:
    """Each costs the work of a message, and empty ones never reach a ceiling of bytes."""
    words, sent = await _end(frame(b"", first=0x01) + frame(piece, first=0x00) * 5000, tap=tap, ceiling=1_000_000)
    assert "closed here, for a message of the server came in more than 4,096 fragments" in words
    assert _unmasked(sent) == (0x88, struct.pack("!H", 1009))


@TAPS
@pytest.mark.parametrize(("said", "answer"), [(_close(1001, b"bye"), b"\x03\xe9bye"), (frame(b"", 8), b"")])
async def test_a_close_of_the_server_is_its_own_and_answered(
    said: bytes, answer: bytes, tap: bool, autojump_clock: trio.testing.MockClock
) -> None:
    words, sent = await _end(said, tap=tap)
    assert "the server closed the connection (100" in words
    assert _unmasked(sent) == (0x88, answer)


async def test_a_reason_does_nothing_to_a_terminal(autojump_clock: trio.testing.MockClock) -> None:
    """Not even in the traceback of an error that nobody catches."""
    with pytest.raises(bm.ConnectionLost) as lost:
        await _open(_close(1001, b"\x1b]0;owned\x07\n2026 CRITICAL forged"), tap=True)
    assert "the server closed the connection (1001 \\x1b]0;owned\\x07\\n2026 CRITICAL forged)" in str(lost.value)
    shown = "".join(traceback.format_exception(lost.value)).split("\n")
    assert all(line.isprintable() for line in shown)
    assert not any(line.startswith("2026") for line in shown)


@TAPS
async def test_a_cut_connection_is_said_to_be_one(tap: bool, autojump_clock: trio.testing.MockClock) -> None:
    words, _ = await _end(b"", tap=tap, hang_up=True)
    assert "the server cut the connection without a Close frame" in words
