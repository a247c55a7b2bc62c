"""The tap: a stream between the socket and trio-websocket that takes the data messages out.

trio-websocket keeps what it is good at: handshake, pings, closing, sending. Data messages go from here to our protocol,
all that one read brought as one batch, without a task switch. So nothing queues up inside trio-websocket, and it
answers pings whatever users do; by itself it answers none while a message waits to be fetched
(python-trio/trio-websocket issue 82).

What the tap does not take (see ``_core/frames.py``) comes out of the connection's ``get_message()``. One task must
always wait there: it is how the end of the connection is learned, too.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn, TypeAlias

import trio

from .._core.frames import MOST_FRAGMENTS, FrameSplitter, Handshake, Message, close_frame

Deliver: TypeAlias = Callable[[list[Message]], None]
"""Takes the messages of one read, in order; must not block."""

READ_BYTES: Final = 64 * 1024
"""Asked of the socket at a time. Batches of this size, rather than trio-websocket's 4 KiB, are much of the speed."""

_CLOSE: Final = b"\x88"
_TOO_BIG: Final = 1009
_FAREWELL: Final = 1.0
"""Seconds that a Close frame may take."""
_MOST_REFUSAL: Final = 64 * 1024
"""Bytes of a reply that is not a handshake. trio-websocket would collect its body without bound."""


class TapStream(trio.abc.Stream):
    """Stands between a byte stream and trio-websocket's client side.

    Args:
        inner: the connection to the server, TLS included. It belongs to the tap from now on: closing the tap closes it.
        deliver: gets the data messages. It is called from within ``receive_some``, so it must return at once. What it
            raises is kept in `failure` and breaks the stream.
        ceiling: the most payload bytes of a message. Larger ones are left to trio-websocket, which closes the
            connection over them.
        active: False takes nothing out, all messages come from ``get_message()``. The guards below hold all the same.

    trio-websocket waits for ever if the stream ends during the handshake, whichever way. So an end there is always an
    error here, an endless refusal is cut off, and `ended` tells whoever opens the connection.

    Attributes:
        failure: what ``deliver`` raised. The stream is broken since then, and whoever runs the connection should raise
            this.
        broken: how the stream below failed, None while it has not and after a tidy end.
        refusal: why the stream was broken from this side, "" while it was not.
        said_goodbye: whether a Close frame was sent: by trio-websocket in answer to the server's, or for too large a
            message.
        ended: set when nothing more will be read: end of stream, failure, or closed.
        last_received: when bytes last came in, of whatever kind, by ``trio.current_time()``; the time of creation
            before that.
        reads: how many times bytes came in.
        ceiling: as given.
    """

    def __init__(self, inner: trio.abc.Stream, deliver: Deliver, *, ceiling: int, active: bool = True) -> None:
        self.ceiling = ceiling
        self.failure: Exception | None = None
        self.broken: trio.BrokenResourceError | trio.ClosedResourceError | None = None
        self.refusal = ""
        self.said_goodbye = False
        self.ended = trio.Event()
        self.last_received = trio.current_time()
        self.reads = 0
        self._inner = inner
        self._deliver = deliver
        self._active = active
        self._handshake = Handshake()
        self._splitter = FrameSplitter(ceiling)
        self._unsplit = b""
        """Frames that came in one read with the end of the handshake."""
        self._passed: bytes | bytearray = b""
        """What is to be passed on."""

    @property
    def plain(self) -> bool:
        """Return True if messages go to ``get_message()`` from here on, and not to ``deliver``."""
        return not self._active or self._splitter.plain or self._handshake.refused

    @property
    def answer(self) -> str:
        """Return the server's answer to the handshake, shortened, for an error message; "" before the first byte."""
        return self._handshake.answer

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Read until there is something to pass on; give that, or b"" at the end of the stream.

        Raises:
            trio.BrokenResourceError: ``deliver`` failed, the stream ended within the handshake, or the stream below
                broke.
        """
        if self.failure is not None:
            await trio.lowlevel.checkpoint()
            raise trio.BrokenResourceError("the tap has failed") from self.failure
        if self._passed:
            await trio.lowlevel.checkpoint()
            return self._part(max_bytes)
        while True:
            data = await self._more(max_bytes)
            if not data:
                return b""
            self._passed = self._take(data)
            if self._splitter.endless:
                await self._refuse(f"a message of the server came in more than {MOST_FRAGMENTS:,} fragments")
            if self._passed:
                return self._part(max_bytes)

    async def _refuse(self, why: str) -> NoReturn:
        """End what trio-websocket would put up with."""
        await self.say_goodbye(_TOO_BIG)
        self.refusal = why
        error = trio.BrokenResourceError(why)
        self._break(error)
        raise error

    async def say_goodbye(self, code: int) -> None:  # noqa: ASYNC910  # a part of calls that wait for the network
        """Send a Close frame past trio-websocket, which stops at some frames without a word to the server."""
        with (
            trio.move_on_after(_FAREWELL),
            suppress(trio.BrokenResourceError, trio.BusyResourceError, trio.ClosedResourceError),
        ):
            await self.send_all(close_frame(code, os.urandom(4)))

    async def _more(self, max_bytes: int | None) -> bytes | bytearray:
        """What is still to be looked at, else one read from below; b"" is the end."""
        if self._unsplit:
            await trio.lowlevel.checkpoint()
            rest, self._unsplit = self._unsplit, b""
            return rest
        try:
            data = await self._inner.receive_some(max_bytes if self.plain else READ_BYTES)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._break(error)
            raise
        if data:
            self.last_received = trio.current_time()
            self.reads += 1
            return data
        self.ended.set()
        if not self._handshake.accepted:
            raise trio.BrokenResourceError("the stream ended during the WebSocket handshake")
        return b""

    def _take(self, data: bytes | bytearray) -> bytes | bytearray:
        """Hand the messages over; give what is to be passed on."""
        handshake = self._handshake
        if not handshake.accepted:
            # What follows the head waits until trio-websocket asks for more. Then it has checked the head and found it
            # good.
            passed, self._unsplit = handshake.feed(data)
            if handshake.refused and handshake.received > _MOST_REFUSAL:
                error = trio.BrokenResourceError("too long an answer to the WebSocket handshake")
                self._break(error)
                raise error
            return passed
        messages, passed = self._splitter.feed(data)
        if not self._active:
            return data
        if messages:
            try:
                self._deliver(messages)
            except Exception as error:
                # trio-websocket swallows some exceptions of its stream and lets others through: only this one has a
                # meaning there.
                self.failure = error
                self.ended.set()
                raise trio.BrokenResourceError("the tap has failed") from error
        return passed

    def _part(self, max_bytes: int | None) -> bytes | bytearray:
        """As much of what is to be passed on as was asked for."""
        passed = self._passed
        if max_bytes is None or len(passed) <= max_bytes:
            self._passed = b""
            return passed
        self._passed = passed[max_bytes:]
        return passed[:max_bytes]

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send, through the stream below. trio-websocket sends frame by frame."""
        if data[:1] == _CLOSE:
            self.said_goodbye = True
        try:
            await self._inner.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._break(error)
            raise

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until sending might not block, by the stream below."""
        await self._inner.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close the stream below."""
        self.ended.set()
        await self._inner.aclose()

    def _break(self, error: trio.BrokenResourceError | trio.ClosedResourceError) -> None:
        if self.broken is None:
            self.broken = error
        self.ended.set()
