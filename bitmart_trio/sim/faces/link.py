"""The exchange's end of one connection, over any stream.

The link replays bytes already read, stalls, trickles, and breaks off.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from socket import SO_LINGER, SOL_SOCKET

import trio

from ..faults import Faults, SlowLink, Stall
from .pipe import Pipe

PIECES_PER_SECOND = 10
CLOSE_FRAME = b"\x88"
"""The first bytes of a close frame."""
FAREWELL_SECONDS = 1
BROKEN_BY_CLIENT = (1002, 1007, 1009)
"""The codes for a client's violations: protocol error, invalid UTF-8, message too big."""


class Link(trio.abc.Stream):
    """A stream behind the faults of its connection.

    Args:
        stream: transports the bytes: a `Pipe`, a TCP stream, or any other.
        faults: consulted before every send.
        names: the names that patterns of faults match: the connection's kind and its number.
        head: bytes that were read already; they are received first, and nothing after them until `release`.
        rest: the bytes that were read beyond the head.
        patience: seconds after which a client that does not read is disconnected; None: never.
    """

    def __init__(
        self,
        stream: trio.abc.Stream,
        faults: Faults,
        names: tuple[str, ...],
        head: bytes = b"",
        rest: bytes = b"",
        *,
        patience: float | None = None,
    ) -> None:
        self.names = names
        self.cut: bool = False
        """True once `sever` broke the connection off."""
        self.watch: Callable[[bytes | bytearray], None] | None = None
        """The function that receives every byte after the head."""
        self._stream = stream
        self._faults = faults
        self._head = head
        self._rest = rest
        self._patience = patience
        self._gate = trio.Event()
        if not head:
            self._gate.set()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all data, as fast as the active faults allow."""
        await self._let_through()
        slow = self._faults.take(SlowLink, *self.names)
        if slow is None:
            await self._send(data)
            return
        piece = max(1, slow.bytes_per_second // PIECES_PER_SECOND)
        for begin in range(0, len(data), piece):
            await trio.sleep(len(data[begin : begin + piece]) / slow.bytes_per_second)
            await self._let_through()
            await self._send(data[begin : begin + piece])

    async def _send(self, data: bytes | bytearray | memoryview) -> None:
        if self._patience is None:
            await self._stream.send_all(data)
            return
        with trio.move_on_after(self._patience) as scope:
            await self._stream.send_all(data)
        if scope.cancelled_caught:
            self.sever()
            raise trio.BrokenResourceError("the client takes nothing")

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until the stream below may accept more."""
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Return the bytes that were read already, then those of the stream below."""
        if self._head:
            await trio.lowlevel.checkpoint()
            data, self._head = self._head, b""
            return data
        # wsproto keeps frames that arrive before it accepts the handshake, and shows them only when more arrive.
        await self._gate.wait()
        more = await self._behind_head(max_bytes)
        if self.watch is not None:
            self.watch(more)
        return more

    async def _behind_head(self, max_bytes: int | None) -> bytes | bytearray:
        if self._rest:
            await trio.lowlevel.checkpoint()
            data, self._rest = self._rest, b""
            return data
        return await self._stream.receive_some(max_bytes)

    def release(self) -> None:
        """Release the bytes after the head."""
        self._gate.set()

    async def aclose(self) -> None:
        """Close the stream below."""
        await self._stream.aclose()

    def sever(self) -> None:
        """Break the connection off at once, without a closing handshake.

        Streams that cannot do so at once break off when they are closed.
        """
        self.cut = True
        if isinstance(self._stream, Pipe):
            self._stream.reset()
        elif isinstance(self._stream, trio.SocketStream):
            # A linger time of zero turns the close into a reset; a closed socket accepts no options.
            with suppress(OSError):
                self._stream.socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            self._stream.socket.close()

    async def _let_through(self) -> None:
        if self._faults.take(Stall, *self.names):
            while self._faults.find(Stall, *self.names) and not self.cut:
                await self._faults.changed.wait()


class SocketLink(Link):
    """A link under a WebSocket that reports the close code when the client violated the protocol.

    trio-websocket then closes the stream without a close frame, although it knows the code.
    """

    def __init__(
        self, stream: trio.abc.Stream, faults: Faults, names: tuple[str, ...], head: bytes, rest: bytes
    ) -> None:
        super().__init__(stream, faults, names, head, rest)
        self.why: Callable[[], int | None] = lambda: None
        """Returns the code of the client's violation, if any; called when the stream is closed."""
        self._said = False
        self._closing = trio.Lock()
        self._sending = trio.Lock()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all data, after any send in progress, and remember a close frame."""
        async with self._sending:
            self._said = self._said or bytes(data[:1]) == CLOSE_FRAME
            await super().send_all(data)

    async def aclose(self) -> None:
        """Send the close code, then close the stream below."""
        # Shielded: the first task that notices the end of the connection cancels the others.
        with trio.move_on_after(FAREWELL_SECONDS, shield=True):
            async with self._closing:
                code = None if self._said or self.cut else self.why()
                if code in BROKEN_BY_CLIENT:
                    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                        await self.send_all(CLOSE_FRAME + struct.pack("!BH", 2, code))
        await super().aclose()
