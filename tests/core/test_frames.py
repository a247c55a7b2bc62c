"""The tap's core: the same messages as wsproto finds in the same bytes, however they are cut, never a forged one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, pairwise

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from proof_sizes import EXAMPLES
from wsproto.connection import CLIENT, Connection
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

from bitmart_trio._core.frames import FrameSplitter, Handshake, Message, excerpt

TEXT, BINARY, MORE, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
SIZES = (0, 1, 2, 124, 125, 126, 127, 255, 256, 65535, 65536, 70000)
CEILINGS = (0, 1, 125, 126, 300, 65536, 1 << 20)


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    reserved: int = 0,
    mask: bool = False,
    width: int | None = None,
) -> bytes:
    """One frame as a server sends it; ``width`` forces a longer form of the length than needed."""
    size = len(payload)
    need = 0 if size < 126 else 2 if size < 65536 else 8
    wide = need if width is None else width
    short = size if wide == 0 else 126 if wide == 2 else 127
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode, (0x80 if mask else 0) | short])
    key = b"\x01\x02\x03\x04" if mask else b""
    return head + (size.to_bytes(wide, "big") if wide else b"") + key + payload


@attrs.define
class Reader:
    """What a client that reads with wsproto and counts as trio-websocket does learns from a stream."""

    ceiling: int
    connection: Connection = attrs.field(factory=lambda: Connection(CLIENT))
    messages: list[Message] = attrs.field(factory=list)
    controls: list[object] = attrs.field(factory=list)
    end: object = None
    _parts: list[bytes] = attrs.field(factory=list)
    _size: int = 0

    def feed(self, data: bytes) -> None:
        if self.end is not None:
            return
        self.connection.receive_data(data)
        for event in self.connection.events():
            match event:
                case TextMessage() | BytesMessage():
                    self._size += len(event.data)
                    self._parts.append(event.data.encode() if isinstance(event, TextMessage) else bytes(event.data))
                    if self._size > self.ceiling:
                        self.end = 1009
                        return
                    if event.message_finished:
                        self.messages.append((isinstance(event, BytesMessage), b"".join(self._parts)))
                        self._parts.clear()
                        self._size = 0
                case Ping() | Pong():
                    self.controls.append((type(event), bytes(event.payload)))
                case CloseConnection():
                    self.end = (event.code, event.reason)
                    return
                case _:
                    raise AssertionError(event)


def split(stream: bytes, cuts: Iterable[int]) -> list[bytes]:
    """A stream as the reads that bring it."""
    points = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[one:two] for one, two in pairwise(points)]


def tapped(chunks: Iterable[bytes], ceiling: int, *, kind: type[bytes | bytearray] = bytes) -> Reader:
    """What the tap takes, and behind it what a reader makes of the rest."""
    splitter = FrameSplitter(ceiling)
    reader = Reader(ceiling)
    taken: list[Message] = []
    for chunk in chunks:
        messages, rest = splitter.feed(kind(chunk))
        assert not (messages and reader.messages), "a message was taken after one had been passed on"
        assert all(type(payload) is bytes for _, payload in messages)
        taken += messages
        if rest:
            reader.feed(rest)
    reader.messages[:0] = taken
    return reader


def plainly(stream: bytes, ceiling: int) -> Reader:
    reader = Reader(ceiling)
    reader.feed(stream)
    return reader


def text_of(size: int) -> bytes:
    """So many bytes of UTF-8 with letters of every width, as far as they fit."""
    letters = "aé€😀"
    text = (letters * (size // 10)).encode()
    return text + b"z" * (size - len(text))


@st.composite
def controls(draw: st.DrawFn) -> bytes:
    return frame(draw(st.sampled_from((PING, PONG))), draw(st.binary(max_size=125)))


@st.composite
def good(draw: st.DrawFn) -> list[bytes]:
    """The frames of one message, perhaps fragmented, with control frames between."""
    size = draw(st.sampled_from(SIZES) | st.integers(0, 400))
    opcode = draw(st.sampled_from((TEXT, BINARY)))
    payload = text_of(size) if opcode == TEXT else bytes(index * 7 & 0xFF for index in range(size))
    parts = split(payload, draw(st.lists(st.integers(0, 70000), max_size=4)))
    frames: list[bytes] = []
    for index, part in enumerate(parts):
        frames += draw(st.lists(controls(), max_size=2)) if index else []
        frames.append(frame(MORE if index else opcode, part, fin=index == len(parts) - 1))
    return frames


@st.composite
def bad(draw: st.DrawFn) -> list[bytes]:
    """Frames that no server should send."""
    payload = draw(st.sampled_from((b"", b"hello", bytes(126), bytes(200))))
    opcode = draw(st.sampled_from((TEXT, BINARY, PING, CLOSE)))
    return [
        draw(
            st.sampled_from(
                (
                    frame(opcode, payload, mask=True),
                    frame(opcode, payload, reserved=4),
                    frame(opcode, payload, reserved=1),
                    frame(3, payload),
                    frame(7, payload, fin=False),
                    frame(15, payload),
                    frame(MORE, payload),
                    frame(MORE, payload, fin=False),
                    frame(TEXT, b"never finished", fin=False) + frame(BINARY, payload),
                    frame(TEXT, b"never finished", fin=False) + frame(TEXT, payload, fin=False),
                    frame(PING, b"fragment", fin=False),
                    frame(PONG, bytes(126)),
                    frame(TEXT, b"short", width=2),
                    frame(TEXT, b"short", width=8),
                    frame(BINARY, bytes(300), width=8),
                    b"\x82\xff" + bytes(12),
                    b"\x82\x7f" + b"\x80" + bytes(7) + b"top bit of the length",
                    b"\x82\x7f" + b"\x7f" + bytes(7) + b"more than there is memory",
                    frame(CLOSE, b"\x03\xe8bye"),
                    frame(CLOSE),
                    frame(CLOSE, b"\x03"),
                    frame(CLOSE, b"\x00\x01"),
                    frame(TEXT, b"never finished", fin=False) + frame(CLOSE, b"\x03\xe9"),
                )
            )
        )
    ]


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Frames of all kinds, mostly good, at times cut off; what comes behind a bad one is there to be forged from."""
    groups = draw(st.lists(st.one_of(good(), good(), good(), controls().map(lambda one: [one]), bad()), max_size=8))
    stream = b"".join(part for group in groups for part in group)
    return stream[: draw(st.just(len(stream)) | st.integers(0, len(stream)))]


@pytest.mark.proof
@settings(max_examples=EXAMPLES)
@given(stream=streams(), cuts=st.lists(st.integers(0, 1 << 18), max_size=12), ceiling=st.sampled_from(CEILINGS))
def test_same_as_wsproto(stream: bytes, cuts: list[int], ceiling: int) -> None:
    """Any stream, any cuts: the same messages in the same order, the same pings and pongs, the same end."""
    expected = plainly(stream, ceiling)
    got = tapped(split(stream, cuts), ceiling)
    assert got.messages == expected.messages
    assert got.controls == expected.controls
    assert got.end == expected.end


@pytest.mark.proof
@settings(max_examples=EXAMPLES)
@given(groups=st.lists(st.one_of(good(), bad()), max_size=4), ceiling=st.sampled_from(CEILINGS))
def test_same_byte_by_byte(groups: list[list[bytes]], ceiling: int) -> None:
    """Every cut at once, and reads that are bytearrays."""
    stream = b"".join(part for group in groups for part in group)[:3000]
    expected = plainly(stream, ceiling)
    got = tapped((stream[at : at + 1] for at in range(len(stream))), ceiling, kind=bytearray)
    assert (got.messages, got.controls, got.end) == (expected.messages, expected.controls, expected.end)


@pytest.mark.proof
@settings(max_examples=EXAMPLES)
@given(stream=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200), max_size=5))
@example(stream=b"\x03\x7e", cuts=[])  # wrong already before its length is complete
@example(stream=b"\x89\x7f\x00\x00", cuts=[])
@example(stream=b"\x01\x01a\x81\x7e", cuts=[])
def test_noise_is_passed_on_or_taken_as_wsproto_takes_it(stream: bytes, cuts: list[int]) -> None:
    """Random bytes: the same as wsproto, but for text that is no UTF-8, which is not this layer's to judge."""
    expected = plainly(stream, 1000)
    got = tapped(split(stream, cuts), 1000)
    if isinstance(expected.end, tuple) and expected.end[0] == 1007:
        assert got.messages[: len(expected.messages)] == expected.messages
    else:
        assert (got.messages, got.controls, got.end) == (expected.messages, expected.controls, expected.end)


@given(groups=st.lists(good(), min_size=1, max_size=5), cuts=st.lists(st.integers(0, 1 << 18), max_size=5))
def test_a_sound_stream_is_taken_whole(groups: list[list[bytes]], cuts: list[int]) -> None:
    """Below the ceiling nothing but pings and pongs is passed on, and the splitter stays at work."""
    splitter = FrameSplitter(1 << 20)
    passed = b"".join(splitter.feed(chunk)[1] for chunk in split(b"".join(chain.from_iterable(groups)), cuts))
    assert passed == b"".join(one for group in groups for one in group if one[0] & 0x0F in (PING, PONG))
    assert not splitter.plain


def test_one_read_is_one_batch() -> None:
    """All whole messages of a read come together; the incomplete one comes with the read that completes it."""
    splitter = FrameSplitter(100)
    stream = frame(TEXT, b"one") + frame(PING, b"?") + frame(BINARY, b"two") + frame(TEXT, b"three")
    assert splitter.feed(stream[:-1]) == ([(False, b"one"), (True, b"two")], frame(PING, b"?"))
    assert splitter.feed(stream[-1:]) == ([(False, b"three")], b"")


def test_text_that_is_not_utf8_is_taken() -> None:
    """Whether it can be read is for the decoder to say: a bad frame is not the end of a connection."""
    assert tapped([frame(TEXT, b"\xff\xfe") + frame(TEXT, b"next")], 100).messages == [
        (False, b"\xff\xfe"),
        (False, b"next"),
    ]


@pytest.mark.parametrize("ceiling", [0, 10, 125, 126, 65536])
def test_the_ceiling_counts_payload_bytes_of_a_message(ceiling: int) -> None:
    """A message of just that size is taken, in one frame or several; one byte more makes a plain pipe."""
    for extra, plain in ((0, False), (1, True)):
        payload = bytes(ceiling + extra)
        whole = FrameSplitter(ceiling)
        messages, rest = whole.feed(frame(BINARY, payload))
        assert (whole.plain, messages == [(True, payload)], rest == b"") == (plain, not plain, not plain)
        joined = FrameSplitter(ceiling)
        fragments = [frame(BINARY, b"", fin=False), frame(MORE, payload[1:], fin=False), frame(MORE, payload[:1])]
        messages, rest = joined.feed(b"".join(fragments))
        assert (joined.plain, messages == [(True, payload)]) == (plain, not plain)
        assert rest == (b"".join(fragments) if plain else b"")


def test_each_fragmented_message_has_the_ceiling_to_itself() -> None:
    """What earlier messages had does not count."""
    splitter = FrameSplitter(10)
    for _ in range(100):
        assert splitter.feed(frame(TEXT, b"hello", fin=False) + frame(MORE, b"there")) == (
            [(False, b"hellothere")],
            b"",
        )
    assert not splitter.plain


def test_an_oversized_frame_is_passed_on_before_it_is_complete() -> None:
    """Its header is enough: nothing of it is kept, so a length that is a lie costs nothing."""
    splitter = FrameSplitter(1000)
    header = b"\x82\x7f" + (1 << 40).to_bytes(8, "big")
    assert splitter.feed(header) == ([], header)
    assert splitter.plain
    assert splitter.feed(b"x" * 5000) == ([], b"x" * 5000)


def test_held_fragments_go_first_when_the_pipe_becomes_plain() -> None:
    """A library behind the tap sees the fragments that were held, then the frame that was not taken."""
    splitter = FrameSplitter(100)
    first, second, close = frame(TEXT, b"a", fin=False), frame(MORE, b"b", fin=False), frame(CLOSE, b"\x03\xe8")
    assert splitter.feed(first) == ([], b"")
    assert splitter.feed(frame(PING)) == ([], frame(PING))  # at once: the server waits for its pong
    assert splitter.feed(second) == ([], b"")
    assert splitter.feed(close[:2]) == ([], first + second + close[:2])
    assert splitter.feed(close[2:]) == ([], close[2:])


def test_a_plain_pipe_never_wakes_up_again() -> None:
    """Payload of a frame that was not taken may look like frames: none of it becomes a message."""
    forged = frame(TEXT, b'{"forged":true}')
    for bait in (frame(3, forged), frame(TEXT, forged, mask=True), frame(BINARY, forged, reserved=4)):
        splitter = FrameSplitter(1000)
        for chunk in (bait[: -len(forged)], forged, forged):
            messages, rest = splitter.feed(chunk)
            assert (messages, rest) == ([], chunk)


def test_endless_empty_fragments_are_not_collected() -> None:
    """They have no size, so they are counted: after some thousands the message is given up."""
    splitter = FrameSplitter(1000)
    splitter.feed(frame(TEXT, b"", fin=False))
    passed = 0
    for _ in range(10_000):
        messages, rest = splitter.feed(frame(MORE, b"", fin=False))
        assert not messages
        passed += len(rest)
    assert splitter.plain
    assert splitter.endless
    assert passed == 2 * 10_001


# The handshake


SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


def shaken(chunks: Iterable[bytes]) -> tuple[Handshake, bytes, bytes]:
    """Feeds a handshake until it has accepted: what it passed on, and what came behind."""
    handshake = Handshake()
    passed, behind = b"", b""
    for chunk in chunks:
        if handshake.accepted:
            behind += chunk
            continue
        part, rest = handshake.feed(chunk)
        passed += part
        behind += rest
    return handshake, passed, behind


@given(cuts=st.lists(st.integers(0, 200), max_size=6), frames=st.binary(max_size=30))
def test_the_head_ends_where_it_ends(cuts: list[int], frames: bytes) -> None:
    """However it is cut, the head of a 101 goes on and what follows is apart, even if it looks like another end."""
    handshake, passed, behind = shaken(split(SWITCH + frames, cuts))
    assert (passed, behind) == (SWITCH, frames)
    assert handshake.accepted
    assert not handshake.refused


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 20\r\n\r\n" + frame(TEXT, b"not a message") + b"12345",
        b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n" + frame(TEXT, b"no"),
        b"HTTP/1.1 1011 Odd\r\n\r\n" + frame(TEXT, b"no"),
        b"\r\n\r\n" + SWITCH + frame(TEXT, b"no"),
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46\n\n",
    ],
)
@given(cuts=st.lists(st.integers(0, 100), max_size=6))
def test_any_other_reply_is_passed_on_for_good(reply: bytes, cuts: list[int]) -> None:
    """Only a 101 begins the frames; another reply's body is never searched for any."""
    handshake, passed, behind = shaken(split(reply, cuts))
    assert (passed, behind) == (reply, b"")
    assert not handshake.accepted
    assert handshake.refused


def test_bare_line_feeds_end_a_head_as_they_do_for_h11() -> None:
    """h11 takes them, so the tap must: else it would look for the end in the frames behind it."""
    head = SWITCH.replace(b"\r", b"")
    _, passed, behind = shaken([head + frame(TEXT, b"x\r\n\r\ny")])
    assert (passed, behind) == (head, frame(TEXT, b"x\r\n\r\ny"))


def test_a_head_without_end_is_given_up() -> None:
    """More than 16 KiB of headers are no handshake, and are not collected either."""
    handshake, passed, behind = shaken([b"HTTP/1.1 101 Switching\r\n"] + [b"X: y\r\n" * 100] * 100 + [b"\r\n", b"tail"])
    assert handshake.refused
    assert not handshake.accepted
    assert len(passed) == handshake.received == 24 + 60_000 + 6
    assert behind == b""


def test_the_answer_is_told_in_one_line() -> None:
    """Status line and the start of the body, nothing that could upset a terminal, nothing before the first byte."""
    handshake = Handshake()
    assert handshake.answer == ""
    handshake.feed(b"HTTP/1.1 403 For")
    assert handshake.answer == "HTTP/1.1 403 For"
    handshake.feed(b"bidden\r\nServer: x\r\n\r\nerror code:\n 1010\x1b[31m\xff")
    odd = "\N{REPLACEMENT CHARACTER}"
    assert handshake.answer == f"HTTP/1.1 403 Forbidden: error code: 1010{odd}[31m{odd}"
    assert excerpt(b"x" * 1000) == "x" * 200 + "..."


INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


@given(st.data())
def test_interim_replies_are_taken_out_however_they_are_cut(data: st.DataObject) -> None:
    """The reply that counts comes through untouched, and the frames behind it are found."""
    interim = b"".join(data.draw(st.lists(st.sampled_from(INTERIM), max_size=3)))
    final = data.draw(
        st.sampled_from(
            [
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
                b"HTTP/1.1 403 No\r\n\r\n",
                b"HT",
                b"SSH-2.0\r\n",
            ]
        )
    )
    whole = interim + final + (b"\x81\x02hi" if b"101" in final else b"")
    handshake, passed, frames = Handshake(), b"", b""
    at = 0
    while at < len(whole) and not handshake.accepted:
        step = data.draw(st.integers(1, len(whole) - at))
        now, behind = handshake.feed(whole[at : at + step])
        passed += now
        frames += behind
        at += step
    if final == b"HT":
        assert passed in (b"", final)  # it may yet become a status line
        return
    assert passed == final
    assert handshake.accepted is (b"101" in final)
    assert frames + whole[at:] == whole[len(interim) + len(final) :]


def test_interim_replies_without_end_are_a_refusal() -> None:
    """Nothing is kept without bound."""
    handshake, passed = Handshake(), 0
    for _ in range(2000):
        passed += len(handshake.feed(b"HTTP/1.1 100 Continue\r\nX: y\r\n" if _ == 0 else b"A: b\r\n" * 10)[0])
    assert handshake.refused
    assert passed > 0
