"""Find a client's protocol pings (RFC 6455) in the bytes that it sends.

trio-websocket answers pings without reporting them, but the exchange counts them as signs of life.
"""

from __future__ import annotations

from collections.abc import Callable

_PING = 9
_MASK = 0x80


class PingWatch:
    """Calls ``heard`` for every ping in a stream of a client's frames, which may arrive in any pieces."""

    def __init__(self, heard: Callable[[], None]) -> None:
        self._heard = heard
        self._head = b""
        """The beginning of a frame whose head is not complete yet."""
        self._skip = 0
        """The remaining bytes of the present frame."""

    def feed(self, data: bytes | bytearray) -> None:
        """Add the next bytes."""
        data = self._head + data
        at = self._skip
        while at + 2 <= len(data):
            short = data[at + 1] & 0x7F
            wide = {126: 2, 127: 8}.get(short, 0)
            begin = at + 2 + wide
            if begin > len(data):
                break
            if data[at] & 0x0F == _PING:
                self._heard()
            size = int.from_bytes(data[at + 2 : begin], "big") if wide else short
            at = begin + (4 if data[at + 1] & _MASK else 0) + size
        self._head, self._skip = bytes(data[at:]), max(0, at - len(data))
