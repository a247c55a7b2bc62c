"""The events inside the simulated exchange, newest last, for tests and `/sim/...`; without keys or signatures.

One event is one flat object with ``ms`` (exchange time, without skew) and ``kind``:

    request          method, path, account (None on public paths), status, code, trace
    frame            connection, topic, bytes: a push on its way to one client
    reply            connection, bytes: an acknowledgement, an answer or an error on a socket; pongs are left out
    match            symbol, price, size, side (the taker's), maker and taker: order ids, None for the market's own
    spot_order       an order came in           spot_done      it is finished
    futures_order    an order changed; action is the code of its push
    fault            fault, where, hits         fault_added and fault_ended
    socket_opened    connection, socket, address                                         socket_closed

and a few rarer ones. The same seed and the same inputs at the same exchange times give the same bytes.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from .clock import Clock
from .encoding import Json, encode

Event: TypeAlias = "dict[str, Json]"


TEXT_MOST: Final = 500
"""The maximum number of characters of a text in an event: peers choose paths and names."""
BYTES_MOST: Final = 32 * 1024 * 1024
"""The approximate memory that the kept events may take."""
EVENT_BYTES: Final = 400
"""The approximate memory of an event besides its texts."""


class EventLog:
    """A bounded record of events, each a flat object with ``ms`` and ``kind``.

    Args:
        clock: provides the times of events.
        size: the maximum number of events kept.
        most_bytes: the approximate memory that events may take; the oldest are dropped first.
    """

    def __init__(self, clock: Clock, size: int = 20_000, most_bytes: int = BYTES_MOST) -> None:
        self.lines: deque[Event] = deque()
        self.written: int = 0
        """The number of events ever added, including dropped ones."""
        self._size = size
        self._most_bytes = most_bytes
        self._weights: deque[int] = deque()
        """The approximate memory of each of `lines`, and of all together."""
        self._bytes = 0
        self._clock = clock
        self._watchers: list[Callable[[Event], None]] = []

    def write(self, kind: str, **fields: Json) -> None:
        """Add one event, its texts cut to `TEXT_MOST`; when the log is full the oldest events are dropped."""
        self.written += 1
        event: Event = {"ms": self._clock.steady_ms(), "kind": kind, **fields}
        weight = EVENT_BYTES
        for name, value in fields.items():
            if isinstance(value, str):
                weight += min(len(value), TEXT_MOST)
                if len(value) > TEXT_MOST:
                    event[name] = f"{value[:TEXT_MOST]}..."
        self.lines.append(event)
        self._weights.append(weight)
        self._bytes += weight
        while self._bytes > self._most_bytes or len(self._weights) > self._size:
            self.lines.popleft()
            self._bytes -= self._weights.popleft()
        for watcher in self._watchers:
            watcher(event)

    def dump(self) -> bytes:
        """Return all kept events as JSON lines."""
        return b"".join(encode(line) + b"\n" for line in self.lines)

    def watch(self, watcher: Callable[[Event], None]) -> Callable[[], None]:
        """Call ``watcher``, which must not change events, with every event until the returned function is called."""
        self._watchers.append(watcher)

        def stop() -> None:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

        return stop

    @contextmanager
    def to_file(self, path: str | os.PathLike[str]) -> Generator[None, None, None]:
        """Also write every event of the block to a new file of any length, one JSON line each, flushed at once.

        Raises:
            OSError: the file cannot be written.
        """
        with Path(path).open("wb", buffering=0) as file:
            stop = self.watch(lambda event: _write_all(file.write, encode(event) + b"\n"))
            try:
                yield
            finally:
                stop()


def _write_all(write: Callable[[bytes], int | None], data: bytes) -> None:
    while data:
        data = data[write(data) or 0 :]
