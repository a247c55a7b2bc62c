"""Splits the bytes that a WebSocket server sends into whole data messages and the rest: the core of the tap.

Theory of operation. A WebSocket library reads a stream that begins with an HTTP reply and goes on with frames. The tap
(``_io/tap.py``) sits in front of that library and takes the data messages out, so that they cost next to nothing;
everything else flows on to the library untouched.

- `Handshake` finds the end of the HTTP reply. Frames follow only the head of a ``101``; any other reply is left to the
  library. Interim replies (``100 Continue``, ``103 Early Hints``) carry no information and are taken out: the library
  would take one for a refusal.
- `FrameSplitter` takes text and binary messages, whole or in fragments. It passes on pings and pongs, frame by frame.
  At the first frame that it does not take, the splitter becomes a plain pipe, permanently: the library reports what is
  wrong with that frame, and a splitter that resumed after it could take payload bytes for frames. A close frame has the
  same effect.

The splitter holds back only the incomplete frame and the fragments of an unfinished message. Both are bounded by the
ceiling, and the number of fragments by `MOST_FRAGMENTS`: the library would collect empty fragments without end. If the
splitter becomes a pipe while it holds fragments, it passes on their bytes first, so the library sees the whole message.

The splitter does not check that text is UTF-8: the decoder does.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

Message: TypeAlias = tuple[bool, bytes]
"""One whole data message: whether it was binary, and its payload. A bare tuple, because there are tens of thousands a
second."""

# First byte of a frame: FIN (0x80), three reserved bits (0x70), opcode.
_FIN: Final = 0x80
_CONTINUATION: Final = 0x00
_TEXT: Final = 0x01
_BINARY: Final = 0x02
_CLOSE: Final = 0x08
_WHOLE_BINARY: Final = _FIN | _BINARY
_LAST: Final = _FIN | _CONTINUATION
_WHOLE: Final = (_FIN | _TEXT, _WHOLE_BINARY)
_START: Final = (_TEXT, _BINARY)
"""The opcodes of the first frame of a fragmented message."""
_NEXT: Final = (_CONTINUATION, _LAST)
"""The first bytes of its further frames."""
_PING_OR_PONG: Final = (0x89, 0x8A)

# Second byte: MASK (0x80), and the length up to 125, or the width of the length that follows.
_SHORT: Final = 125
_TWO_BYTES: Final = 126
_EIGHT_BYTES: Final = 127

MOST_FRAGMENTS: Final = 4096
"""The most fragments of one message. Empty fragments do not count against the ceiling, so their number is bounded."""

_MOST_HEAD: Final = 16 * 1024
"""The most bytes of an HTTP head; h11 gives up there as well."""

# The blank line that h11 also takes for the end of a head: with another end, payload could be taken for frames.
_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_SWITCHING: Final = re.compile(rb"HTTP/[0-9]\.[0-9] 101[ \r\n]")
_INTERIM: Final = re.compile(rb"HTTP/[0-9]\.[0-9] 1(?!01)[0-9][0-9][ \r\n]")
_STATUS_BYTES: Final = len("HTTP/1.1 101 ")
_MAYBE_STATUS: Final = re.compile(rb"(?:H(?:T(?:T(?:P(?:/(?:[0-9](?:\.(?:[0-9](?: [0-9]{0,3})?)?)?)?)?)?)?)?)?")
"""What may yet become a status line."""
_EXCERPT: Final = 200


class Handshake:
    """Watches the HTTP reply that begins the stream.

    Attributes:
        accepted: True once the head of a 101 reply is complete; frames follow.
        refused: True for any other reply, or no HTTP at all; no frames follow.
        received: bytes seen so far.
    """

    __slots__ = ("_first", "_head", "_interim", "accepted", "received", "refused")

    def __init__(self) -> None:
        self.accepted = False
        self.refused = False
        self.received = 0
        self._head = bytearray()
        self._first = bytearray()
        """The start of a reply that may yet be an interim one."""
        self._interim = 0
        """Bytes of interim replies that were taken out."""

    def feed(self, data: bytes | bytearray) -> tuple[bytes, bytes]:
        """Take what has arrived; give what to pass on now, and the first bytes of frames behind the head of a 101.

        Only the status line of a reply and interim replies are held back. Once `accepted`, call this no more.
        """
        if self._head:
            return self._final(bytes(data))
        self._first += data
        while _INTERIM.match(self._first):
            blank = _BLANK_LINE.search(self._first)
            if blank is None:
                if self._interim + len(self._first) > _MOST_HEAD:
                    break  # no end in sight
                return b"", b""
            self._interim += blank.end()
            del self._first[: blank.end()]
        if len(self._first) < _STATUS_BYTES and _MAYBE_STATUS.fullmatch(self._first):
            return b"", b""
        first, self._first = bytes(self._first), bytearray()
        return self._final(first)

    def _final(self, data: bytes) -> tuple[bytes, bytes]:
        """Take bytes of the final reply; the result is that of `feed`."""
        before = self.received
        self.received += len(data)
        if len(self._head) <= _MOST_HEAD:
            self._head += data
        if self.refused:
            return data, b""
        blank = _BLANK_LINE.search(self._head, max(0, before - 2))
        if blank is None:
            self.refused = self.received > _MOST_HEAD
            return data, b""
        if _SWITCHING.match(self._head) is None:
            self.refused = True
            return data, b""
        self.accepted = True
        del self._head[blank.end() :]
        cut = blank.end() - before
        return data[:cut], data[cut:]

    @property
    def answer(self) -> str:
        """The server's status line and the start of the body, for an error message; "" before the first byte."""
        head = self._head or self._first
        blank = _BLANK_LINE.search(head)
        status = bytes(head).split(b"\n", 1)[0].strip()
        body = bytes(head[blank.end() :]) if blank is not None else b""
        return ": ".join(part for part in (excerpt(status), excerpt(body)) if part)


def excerpt(body: bytes) -> str:
    """The start of something a server sent, on one line and fit for an error message."""
    text = " ".join(body[:_EXCERPT].decode(errors="replace").split())
    printable = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return printable + ("..." if len(body) > _EXCERPT else "")


def close_frame(code: int, mask: bytes) -> bytes:
    """A client's Close frame without a reason.

    Args:
        code: the status code, such as 1002.
        mask: four unpredictable bytes.
    """
    payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(code.to_bytes(2, "big")))
    return bytes((_FIN | _CLOSE, 0x80 | len(payload))) + mask + payload


class FrameSplitter:
    """Takes whole data messages out of a server's frames.

    Args:
        ceiling: the most payload bytes of a message. A larger message is not taken.

    Attributes:
        plain: True after a close frame or a frame that is not taken: everything after it passes untouched.
        endless: True if a message has more than `MOST_FRAGMENTS`. The connection should be closed, so that the library
            does not collect the rest.
    """

    __slots__ = ("_ceiling", "_fragments", "_held", "_need", "_size", "endless", "plain")

    def __init__(self, ceiling: int) -> None:
        self.plain = False
        self.endless = False
        self._ceiling = ceiling
        self._held = bytearray()
        """The frame that is still incomplete."""
        self._need = 2
        """The number of its bytes that must be there before parsing is retried: a large frame in small reads then costs
        no more than its size."""
        self._fragments: list[tuple[bytes, int]] = []
        """Frames of the unfinished message, as they came, and where the payload of each begins."""
        self._size = 0
        """Payload bytes of the unfinished message."""

    def feed(self, data: bytes | bytearray) -> tuple[list[Message], bytes]:
        """Take what has arrived; give the messages that are whole now, in order, and the bytes to pass on.

        If the splitter becomes a plain pipe in the middle of ``data``, the messages came before everything that is
        passed on, pings and pongs excepted.
        """
        if self.plain:
            return [], bytes(data)
        held = self._held
        if held:
            held += data
            if len(held) < self._need:
                return [], b""
            data = bytes(held)
            held.clear()
        else:
            data = bytes(data)  # no copy of bytes; a slice of a bytearray would be another bytearray

        # This loop runs for every frame, tens of thousands of times a second: plain integers, local names, one slice
        # per message.
        messages: list[Message] = []
        controls: list[bytes] = []
        fragments = self._fragments
        ceiling = self._ceiling
        need = 2
        position = 0
        end = len(data)
        if not fragments:
            # The fast path for nearly all traffic: whole, ordinary messages. The loop below takes any frame.
            while position + 4 <= end:
                first = data[position]
                length = data[position + 1]
                start = position + 2
                if length == _TWO_BYTES:
                    length = data[start] << 8 | data[start + 1]
                    start += 2
                    if length <= _SHORT:
                        break
                elif length > _SHORT:
                    break
                stop = start + length
                if stop > end or length > ceiling or first not in _WHOLE:
                    break
                messages.append((first == _WHOLE_BINARY, data[start:stop]))
                position = stop
        while (left := end - position) >= 2:
            first = data[position]
            length = data[position + 1]
            start = position + 2
            # The length must be in its shortest form, and MASK (which makes the byte larger than 127) is for clients
            # only.
            if length > _SHORT:
                if length == _TWO_BYTES:
                    if left < 4:
                        if not self._takes_long(first):
                            return messages, self._give_up(controls, data[position:])
                        need = 4
                        break
                    length = data[start] << 8 | data[start + 1]
                    start += 2
                    if length <= _SHORT:
                        return messages, self._give_up(controls, data[position:])
                elif length == _EIGHT_BYTES:
                    if left < 10:
                        if not self._takes_long(first):
                            return messages, self._give_up(controls, data[position:])
                        need = 10
                        break
                    length = int.from_bytes(data[start : start + 8], "big")
                    start += 8
                    if length <= 0xFFFF:
                        return messages, self._give_up(controls, data[position:])
                else:
                    return messages, self._give_up(controls, data[position:])
            stop = start + length

            if first in _WHOLE and not fragments:
                if length > ceiling:
                    return messages, self._give_up(controls, data[position:])
                if stop > end:
                    need = stop - position
                    break
                messages.append((first == _WHOLE_BINARY, data[start:stop]))
            elif first in _PING_OR_PONG:
                if length > _SHORT:
                    return messages, self._give_up(controls, data[position:])
                if stop > end:
                    need = stop - position
                    break
                controls.append(data[position:stop])
            elif first in (_NEXT if fragments else _START):
                self.endless = len(fragments) >= MOST_FRAGMENTS
                if self._size + length > ceiling or self.endless:
                    return messages, self._give_up(controls, data[position:])
                if stop > end:
                    need = stop - position
                    break
                fragments.append((data[position:stop], start - position))
                self._size += length
                if first == _LAST:
                    messages.append(self._join())
            else:
                return messages, self._give_up(controls, data[position:])
            position = stop

        if position < end:
            held += data[position:]
            self._need = need
        return messages, b"".join(controls) if controls else b""

    def _takes_long(self, first: int) -> bool:
        """Whether a frame that begins so is taken when longer than a control frame.

        If not, there is no need to wait for the rest of the frame.
        """
        return first in _NEXT if self._fragments else first in _WHOLE or first in _START

    def _join(self) -> Message:
        """The message whose last fragment has come."""
        fragments = self._fragments
        message = (fragments[0][0][0] == _BINARY, b"".join(frame[start:] for frame, start in fragments))
        fragments.clear()
        self._size = 0
        return message

    def _give_up(self, controls: list[bytes], rest: bytes) -> bytes:
        """Become a plain pipe; give all that is to be passed on.

        Control frames between fragments may thus be moved before them; the protocol allows control frames anywhere.
        """
        self.plain = True
        passed = [*controls, *(frame for frame, _ in self._fragments), rest]
        self._fragments.clear()
        self._size = 0
        return b"".join(passed)
