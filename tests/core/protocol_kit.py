"""What the protocol's tests share: a session with the other end's words, and what it has sent and said."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from typing import Any, Final

from bitmart_trio._bitmart.sockets import LIMITS, dialect
from bitmart_trio._core.connection_events import Event, Ready, TopicHeld, TopicRefused
from bitmart_trio._core.connection_protocol import ConnectionProtocol, Waits
from bitmart_trio._core.dialect import Push, SocketLimits
from bitmart_trio.config import Market

PING: Final = 10.0
PONG: Final = 5.0
LOGIN: Final = 8.0
ACKNOWLEDGE: Final = 6.0
NEVER: Final = float("inf")


def make(
    market: Market, *, private: bool = False, limits: SocketLimits | None = None, ceiling: int = 10_000
) -> ConnectionProtocol:
    return ConnectionProtocol(
        dialect(market),
        limits or LIMITS[market, private],
        Waits(ping_interval=PING, pong_timeout=PONG, login_timeout=LOGIN, acknowledge_timeout=ACKNOWLEDGE),
        private=private,
        ceiling=ceiling,
    )


class Line:
    """A connection protocol, what it has sent and said, and the other end's words."""

    def __init__(self, market: Market = "spot", **options: Any) -> None:
        self.market = market
        self.now = 100.0
        self.protocol = make(market, **options)
        self.events: list[Event | Push] = []
        opening = self.protocol.opened(self.now)
        assert opening == ([] if options.get("private") else [Ready()])

    def sent(self) -> list[Any]:
        """What was sent since the last look: verb and topics of a frame, or the bare word."""
        frames: list[Any] = []
        for text in self.protocol.take_outgoing(self.now):
            if text.startswith("{"):
                frame = json.loads(text)
                verb = frame.get("op") or frame["action"]
                frames.append((verb, frame["args"]) if "args" in frame else verb)
            else:
                frames.append(text)
        return frames

    def said(self) -> list[Event | Push]:
        """The events since the last look."""
        events, self.events = self.events, []
        return events

    def hear(self, *texts: str, after: float = 0.0, binary: bool = False) -> list[Event | Push]:
        self.now += after
        batch = [(binary, deflated(text.encode()) if binary else text.encode()) for text in texts]
        self.events += self.protocol.receive(batch, self.now)
        return self.said()

    def acknowledge(self, *topics: str, verb: str = "subscribe", after: float = 0.0) -> list[Event | Push]:
        return self.hear(*(self.answer(topic, verb) for topic in topics), after=after)

    def answer(self, topic: str, verb: str = "subscribe") -> str:
        if self.market == "spot":
            return json.dumps({"event": verb, "topic": topic})
        return json.dumps({"action": verb, "group": topic, "success": True})

    def want(self, *topics: str) -> None:
        self.protocol.want(self.now, topics)

    def drop(self, *topics: str) -> None:
        self.protocol.drop(self.now, topics)

    def tick(self, after: float = 0.0) -> list[Event | Push]:
        self.now += after
        self.events += self.protocol.tick(self.now)
        return self.said()

    @property
    def held(self) -> list[str]:
        return list(self.protocol.held)


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def spot_error(code: int, event: str | None = None) -> str:
    return json.dumps({"errorCode": str(code), "errorMessage": "no"} | ({"event": event} if event else {}))


def futures_error(topic: str, verb: str = "subscribe", text: str = "Invalid channel") -> str:
    return json.dumps({"action": verb, "group": topic, "success": False, "error": text})


def refusals(events: Iterable[Event | Push]) -> dict[str, type[Exception]]:
    return {event.topic: type(event.error) for event in events if isinstance(event, TopicRefused)}


def held(events: Iterable[Event | Push]) -> list[str]:
    return [event.topic for event in events if isinstance(event, TopicHeld)]
