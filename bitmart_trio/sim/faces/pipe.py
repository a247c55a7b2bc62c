"""A byte pipe in memory that behaves like a TCP connection: bounded, half-closable, and able to end with a reset.

Trio's own memory streams accept any amount of unread bytes, so a peer that does not read is never noticed, and they
cannot break off. An exchange needs both.
"""

from __future__ import annotations

from operator import index

import trio


class _Lane:
    """One direction of a pipe."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.data: bytearray = bytearray()
        self.ended = False
        """True once the sender has closed: the rest may be read, then the stream ends."""
        self.deaf = False
        """True once the receiver has closed: sending is pointless."""
        self.reset = False
        """True once the pipe was reset: unread bytes are lost."""
        self._changed = trio.Event()

    def notify(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def wait(self) -> None:
        await self._changed.wait()


class _OneTask:
    """Refuses a second task while one is using it."""

    def __init__(self, deed: str) -> None:
        self._deed = deed
        self._busy = False

    def __enter__(self) -> None:
        if self._busy:
            raise trio.BusyResourceError(f"another task is about to {self._deed} on this pipe")
        self._busy = True

    def __exit__(self, *_: object) -> None:
        self._busy = False


class Pipe(trio.abc.HalfCloseableStream):
    """One end of a pipe; `open_pipe` makes both."""

    def __init__(self, outgoing: _Lane, incoming: _Lane) -> None:
        self._out = outgoing
        self._in = incoming
        self._closed = False
        self._sender = _OneTask("send")
        self._receiver = _OneTask("receive")

    @property
    def readable(self) -> bool:
        """Return True if a receive would return at once, with bytes or the end."""
        return bool(self._in.data) or self._in.ended or self._in.reset

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all data, waiting while the other side is behind."""
        with self._sender:
            await trio.lowlevel.checkpoint()
            left = memoryview(data)
            while True:
                self._check_sending()
                room = self._out.capacity - len(self._out.data)
                if room > 0 and left:
                    self._out.data += left[:room]
                    left = left[room:]
                    self._out.notify()
                if not left:
                    return
                await self._out.wait()

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room."""
        with self._sender:
            await trio.lowlevel.checkpoint()
            self._check_sending()
            while len(self._out.data) >= self._out.capacity:
                await self._out.wait()
                self._check_sending()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return bytes as they arrive; b"" once the other side has closed."""
        if max_bytes is not None and index(max_bytes) < 1:
            raise ValueError("max_bytes must be at least 1")
        with self._receiver:
            await trio.lowlevel.checkpoint()
            lane = self._in
            while True:
                if self._closed:
                    raise trio.ClosedResourceError("this end of the pipe is closed")
                if lane.reset:
                    raise trio.BrokenResourceError("connection reset")
                if lane.data:
                    break
                if lane.ended:
                    return b""
                await lane.wait()
            data = bytes(lane.data[:max_bytes])
            del lane.data[: len(data)]
            lane.notify()
            return data

    async def send_eof(self) -> None:
        """End sending; receiving continues."""
        with self._sender:
            await trio.lowlevel.checkpoint()
            if self._closed:
                raise trio.ClosedResourceError("this end of the pipe is closed")
            self._out.ended = True
            self._out.notify()

    async def aclose(self) -> None:
        """Close in order: the other side reads what was sent, then the end."""
        self.close()
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """Close like `aclose`, without the checkpoint."""
        if not self._closed:
            self._closed = True
            self._out.ended = True
            self._in.deaf = True
            self._out.notify()
            self._in.notify()

    def reset(self) -> None:
        """Break off like a TCP reset: the other side loses what it has not read yet."""
        self._out.reset = self._in.reset = True
        self._out.data.clear()
        self.close()
        self._out.notify()
        self._in.notify()

    def _check_sending(self) -> None:
        if self._closed or self._out.ended:
            raise trio.ClosedResourceError("this end of the pipe is closed")
        if self._out.deaf or self._out.reset:
            raise trio.BrokenResourceError("the other end of the pipe is closed")


def open_pipe(capacity: int = 65536) -> tuple[Pipe, Pipe]:
    """Return two connected ends; each direction holds at most ``capacity`` unread bytes."""
    one, other = _Lane(capacity), _Lane(capacity)
    return Pipe(one, other), Pipe(other, one)
