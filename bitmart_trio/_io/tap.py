"""The tap: a stream between the socket and trio-websocket that takes the data messages out.

trio-websocket keeps the handshake, pings, closing and sending. Data messages go from the tap straight to our protocol,
one batch per read, without a task switch. So nothing queues up inside trio-websocket, and it answers pings whatever
users do; without the tap it answers none while a message waits to be fetched (python-trio/trio-websocket issue 82).

Messages that the tap does not take (see ``_core/frames.py``) come out of the connection's ``get_message()``. One task
must always wait there, since it also reports the end of the connection.
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
"""The size of a read. Batches of this size, instead of trio-websocket's 4 KiB, account for much of the speed."""

_CLOSE: Final = b"\x88"
_TOO_BIG: Final = 1009
_FAREWELL: Final = 1.0
"""Seconds that a Close frame may take."""
_MOST_REFUSAL: Final = 64 * 1024
"""The most bytes of a reply that is not a handshake. trio-websocket would collect its body without bound."""


class TapStream(trio.abc.Stream):
    """Stands between a byte stream and trio-websocket's client side.

    Args:
        inner: the connection to the server, TLS included. The tap owns it: closing the tap closes it.
        deliver: takes the data messages. It is called from within ``receive_some``, so it must return at once. An
            exception that it raises is kept in `failure` and breaks the stream.
        ceiling: the most payload bytes of a message. Larger messages are left to trio-websocket, which closes the
            connection because of them.
        active: False takes nothing out, so all messages come from ``get_message()``. The guards below still apply.

    trio-websocket waits for ever if the stream ends during the handshake, in whatever way. So the tap treats such an
    end as an error, cuts off an endless refusal, and sets `ended` for the opener of the connection.

    Attributes:
        failure: the exception that ``deliver`` raised. The stream is then broken, and the owner of the connection
            should raise this.
        broken: how the stream below failed; None while it has not, and after a tidy end.
        refusal: why this side broke the stream; "" while it has not.
        said_goodbye: True if trio-websocket sent a Close frame: in answer to the server's, or for a message that is too
            large.
        ended: set when nothing more will be read: end of stream, failure, or closed.
        last_received: when bytes of any kind last came in, by ``trio.current_time()``; until then the time of creation.
        reads: the number of times that bytes came in.
        ceiling: the ceiling as given.
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
        """Frames that came in the same read as the end of the handshake."""
        self._passed: bytes | bytearray = b""
        """The bytes to be passed on."""

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
            # Bytes after the head wait until trio-websocket asks for more: by then it has checked and accepted the
            # head.
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
                # defined meaning there.
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
