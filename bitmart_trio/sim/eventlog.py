"""What happened inside the simulated exchange, newest last, for tests and `/sim/...`: never keys or signatures."""

from __future__ import annotations

import json
from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .clock import Clock
    from .wire import Json


def encode(value: Json) -> bytes:
    """Compact JSON; Decimals become strings in plain notation, as everywhere on this wire."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} does not belong into JSON")


class EventLog:
    """A bounded record of events, each a flat object with ``ms`` and ``kind``."""

    def __init__(self, clock: Clock, size: int = 20_000) -> None:
        self.lines: deque[dict[str, Json]] = deque(maxlen=size)
        self._clock = clock

    def write(self, kind: str, **fields: Json) -> None:
        """Add one event; the oldest falls out when the log is full."""
        self.lines.append({"ms": self._clock.steady_ms(), "kind": kind, **fields})

    def dump(self) -> bytes:
        """All events as JSON lines."""
        return b"".join(encode(line) + b"\n" for line in self.lines)
