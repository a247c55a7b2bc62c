"""Spell BitMart's sockets: login, subscribe, ping, and the server's frames. Each market has a class.

Sources of the facts: spot chapter of 2025-06, futures chapter of 2025-11, a probe of the live futures socket of
2026-09-23. Books (``_core/book.py``): a quiet futures book goes on counting with empty updates, a quiet spot book
repeats its version as a heartbeat; whether spot reports that a level has left its window is not documented.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, TypeAlias

import attrs

from .._core import codec
from .._core.channel import Channel
from .._core.dialect import (
    Acknowledged,
    Data,
    LoggedIn,
    Pong,
    Refused,
    SocketDialect,
    SocketLimits,
    Spoken,
    Unknown,
)
from .._core.inflate import inflate
from ..config import Market
from ..errors import (
    SOCKET_CODES,
    ApiError,
    AuthenticationError,
    ExchangeFault,
    RequestRefused,
    SubscriptionRefused,
)
from .channel import hint_for, without_speed

SPOT_NAME: Final = "table"
FUTURES_NAME: Final = "group"
"""The member of a frame that holds the name of a push."""

LOGIN_WORD: Final = b"bitmart.WebSocket"


def string_to_sign(timestamp: int, memo: str) -> bytes:
    """Return the signed text of a login."""
    return b"%d#%s#%s" % (timestamp, memo.encode(), LOGIN_WORD)


LIMITS: Final[dict[tuple[Market, bool], SocketLimits]] = {
    ("spot", False): SocketLimits(115, 20, 20, 4000),
    ("spot", True): SocketLimits(100, 10, 20, 4000),
    # Undocumented: 100 topics ran without refusal (2026-09-23). Frames above about 2,048 bytes close the socket with
    # 1009.
    ("futures", False): SocketLimits(100, 500, 100, 2000, apart=False),
    ("futures", True): SocketLimits(100, 500, 100, 2000, apart=False),
}
"""By market and whether the connection is private."""


Peek: TypeAlias = Callable[[bytes], str | None]
"""Tells the name of a push from a few bytes of its frame; None if it does not look like one."""


def _peek(member: str, market: Market) -> Peek:
    """Make what knows a push by its looks.

    A frame looks like a push if it begins with the name, followed by its data, or begins with its data and ends with
    the name: all recorded pushes have one of these forms. The decoder checks that the frame holds nothing else.

    Args:
        member: the member that holds the name.
        market: the start of the name.
    """
    name = rf'"{member}": ?"({market}/[^"\\]+)"'.encode()
    head = re.compile(rb"\{" + name + rb", ?").fullmatch
    # A JSON text with such an end has this member in its outermost object.
    tail = re.compile(rb"[, ]" + name + rb"\}").fullmatch
    mark, data = f'"{member}":'.encode(), b'"data":'
    known: dict[bytes, str | None] = {}
    """The names by the start or end of a frame: there are as many as topics, and a look-up is faster than parsing."""

    def peek(payload: bytes) -> str | None:
        at = payload.find(data, 0, _MOST_NAME)
        if at > 1:
            part, read = payload[:at], head
        elif at == 1:
            part, read = payload[max(payload.rfind(mark) - 1, 0) :], tail
        else:
            return None
        if part in known:
            return known[part]
        found = read(part)
        try:
            key = None if found is None else str(found[1], "utf-8")
        except UnicodeDecodeError:
            key = None
        if len(part) <= _MOST_NAME:
            if len(known) >= _MOST_NAMES:
                known.clear()
            known[part] = key
        return key

    return peek


_MOST_NAME: Final = 200
_MOST_NAMES: Final = 4096
_CODE: Final = re.compile(r"[0-9]{1,9}")


@attrs.define
class _SpotFrame:
    table: str | None = None
    data: codec.Raw = codec.Raw(b"")
    event: str | None = None
    topic: str | None = None
    errorCode: int | str | None = None  # noqa: N815
    errorMessage: str | None = None  # noqa: N815


class MarketDialect:
    """The common base of both markets' dialects.

    Args:
        market: the name of the market.
        name: the member of a frame that holds the name of a push.
        names_clock: True if a refused login names the timestamp as its cause.
    """

    def __init__(self, market: Market, name: str, *, names_clock: bool) -> None:
        self.market: str = market
        self._limits = {private: LIMITS[market, private] for private in (False, True)}
        self.peek: Peek = _peek(name, market)
        self.names_clock: bool = names_clock
        self._name = name

    unpack = staticmethod(inflate)
    bare = staticmethod(without_speed)
    string_to_sign = staticmethod(string_to_sign)
    hint = staticmethod(hint_for)

    def limits(self, private: bool) -> SocketLimits:
        """Return the limits of a connection."""
        return self._limits[private]

    def push_reader(self, channel: Channel[Any]) -> Callable[[bytes], list[Any] | None] | None:
        """Return the reader of all items of a push."""
        return codec.push_decoder(channel.payload, self._name)


class SpotDialect(MarketDialect):
    """``{"op": "subscribe", "args": [...]}``; the heartbeat is the bare words ping and pong."""

    ping: str = "ping"

    def __init__(self) -> None:
        super().__init__("spot", SPOT_NAME, names_clock=True)
        self._decode = codec.frame_decoder(_SpotFrame)

    @staticmethod
    def spell(verb: str, topics: Iterable[str]) -> str:
        """A frame with a verb and topics."""
        return codec.dumps({"op": verb, "args": list(topics)}).decode()

    def login(self, key: str, timestamp: int, signature: str) -> str:
        """Return the frame of a login."""
        return self.spell("login", [key, str(timestamp), signature])

    def read(self, payload: bytes) -> Spoken:
        """Return the meaning of a frame.

        Raises:
            codec.DecodeError: not JSON, or not an object.
        """
        if payload == b"pong":
            return Pong()
        frame = self._decode(payload)
        if frame.table:
            return Data(frame.table, bytes(frame.data))
        if frame.errorCode is not None:
            return self._refused(frame)
        match frame.event:
            case "login":
                return LoggedIn()
            case "subscribe" | "unsubscribe" if frame.topic:
                return Acknowledged(frame.event, frame.topic)
            case _:
                return Unknown(payload[:200].decode(errors="replace"))

    def _refused(self, frame: _SpotFrame) -> Refused:
        # A peer may send anything: int() takes at most 4,300 digits, and not every character that isdigit() accepts.
        digits = str(frame.errorCode)
        code = int(digits) if _CODE.fullmatch(digits) else 0
        row = SOCKET_CODES.get(code)
        error_type = row.error if row is not None else RequestRefused
        error = error_type(frame.errorMessage or "", code=code, endpoint=frame.topic or None)
        about = frame.event if frame.event in ("login", "subscribe", "unsubscribe") else None
        if about is None and 91001 <= code <= 91023 and code != 91006:
            about = "login"
        return Refused(
            error,
            frame.topic or None,
            about,  # type: ignore[arg-type]  # mypy does not narrow a str by `in`
            benign=code in (90008, 91005),
            fatal=(row.retry if row is not None else False) or code == 91006,
        )


@attrs.define
class _FuturesFrame:
    group: str | None = None
    data: codec.Raw = codec.Raw(b"")
    action: str | None = None
    success: bool | None = None
    error: str | None = None


_TEMPORARY: Final = re.compile(r"temporarily unavailable", re.IGNORECASE)
_NEEDS_LOGIN: Final = re.compile(r"need authen", re.IGNORECASE)


class FuturesDialect(MarketDialect):
    """``{"action": "subscribe", "args": [...]}``; the heartbeat is JSON, the bare word ping is refused."""

    ping: str = '{"action":"ping"}'

    def __init__(self) -> None:
        super().__init__("futures", FUTURES_NAME, names_clock=False)
        self._decode = codec.frame_decoder(_FuturesFrame)

    @staticmethod
    def spell(verb: str, topics: Iterable[str]) -> str:
        """A frame with a verb and topics."""
        return codec.dumps({"action": verb, "args": list(topics)}).decode()

    def login(self, key: str, timestamp: int, signature: str) -> str:
        """The login frame; the last word names the device, every SDK says web."""
        return self.spell("access", [key, str(timestamp), signature, "web"])

    def read(self, payload: bytes) -> Spoken:
        """Return the meaning of a frame; raises like `SpotDialect.read`."""
        if payload == b"pong":  # the docs allow the bare words here too, although the live service speaks JSON
            return Pong()
        frame = self._decode(payload)
        if frame.success is False or (frame.success is None and frame.error):
            return self._refused(frame)
        if frame.action:
            # Only a frame that reports success counts as success.
            if frame.success and frame.action in ("access", "login"):
                return LoggedIn()
            if frame.success and frame.action in ("subscribe", "unsubscribe") and frame.group:
                return Acknowledged(frame.action, frame.group)  # type: ignore[arg-type]  # as above
        elif frame.group == "System":
            return Pong()
        elif frame.group:
            return Data(frame.group, bytes(frame.data))
        return Unknown(payload[:200].decode(errors="replace"))

    def _refused(self, frame: _FuturesFrame) -> Refused:
        text = frame.error or ""
        about: Literal["login", "subscribe", "unsubscribe"] | None = None
        error: ApiError
        if frame.action in ("access", "login"):
            about = "login"
        elif frame.action in ("subscribe", "unsubscribe"):
            about = frame.action  # type: ignore[assignment]  # as above
        if _TEMPORARY.search(text):
            error = ExchangeFault(text, endpoint=frame.group or None)
        elif about == "login" or _NEEDS_LOGIN.search(text):
            error = AuthenticationError(text, endpoint=frame.group or None)
        elif frame.group:
            error = SubscriptionRefused(text, topic=frame.group)
        else:
            error = RequestRefused(text)
        return Refused(error, frame.group or None, about, benign=False, fatal=bool(_TEMPORARY.search(text)))


def dialect(market: Market) -> SocketDialect:
    """The dialect of a market."""
    return SpotDialect() if market == "spot" else FuturesDialect()
