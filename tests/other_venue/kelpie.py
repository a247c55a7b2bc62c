"""Kelpie, an exchange that does not exist, as an adapter on ``_core`` and ``_io``: all of it is in this file.

docs/guides/another_venue.md walks through it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from enum import Enum
from typing import Any, Final, cast

import attrs
import httpx

from bitmart_trio import errors
from bitmart_trio._core import codec, dialect
from bitmart_trio._core.channel import Channel
from bitmart_trio._core.endpoint import Auth, Endpoint, Kind, Param, Quota
from bitmart_trio._core.quota import QuotaUse
from bitmart_trio._core.request import WireRequest
from bitmart_trio._io.connections import Connections
from bitmart_trio._io.http import Pipeline
from bitmart_trio._io.quota_queue import QuotaQueue
from bitmart_trio._io.socket import Connect
from bitmart_trio._io.subscription import Subscription
from bitmart_trio._scopes import open_service_nursery, opener
from bitmart_trio.config import Config
from bitmart_trio.credentials import Credentials
from bitmart_trio.models._model import Model

HOST: Final = "https://kelpie.test"

# ---- What it sends


@attrs.frozen
class Quote(Model):
    """The last price of a pair."""

    pair: str
    last: Decimal


@attrs.frozen
class Trade(Model):
    """A deal of anybody's."""

    symbol: str
    price: Decimal


@attrs.frozen
class OwnOrder(Model):
    """An order of the account, and what became of it."""

    order: str
    state: str


# ---- What can be called and followed

_PAIR: Final = Param("pair", required=True)
quote = Endpoint("GET", "/v9/quote", Auth.NONE, Quota(10, per=2.0), returns=Quote, params=(_PAIR,))
place = Endpoint(
    "POST",
    "/v9/orders",
    Auth.SIGNED,
    Quota(5, per=1.0, by="key"),
    returns=OwnOrder,
    params=(_PAIR, Param("size", Kind.DECIMAL, required=True)),
)
trades = Channel("main", "trades", Trade, overflow="fail")
orders = Channel("main", "orders", OwnOrder, overflow="fail", private=True)
CHANNELS: Final[Mapping[str, Channel[Any]]] = {"trades": trades, "orders": orders}

FAULTS: Final[Mapping[int, type[errors.ApiError]]] = {
    1: errors.InvalidSymbol,
    3: errors.AuthenticationError,
    7: errors.ClockOutOfSync,
    77: errors.RateLimited,
}

# ---- How calls are spelled


class KelpieRest(dialect.RestDialect):
    """``{"ok": true, "result": ...}`` or ``{"ok": false, "fault": 1, "text": "..."}``."""

    codes = dialect.Codes(documented=FAULTS, clock={7}, too_many={77}, named=lambda number, _: FAULTS.get(number))
    rows: Collection[Endpoint[Any]] = (quote, place)
    time_path = "/v9/time"

    def server_time(self, data: object) -> int | None:
        """It is ``{"now": milliseconds}``."""
        now = cast("dict[str, object]", data).get("now") if isinstance(data, dict) else None
        return now if isinstance(now, int) else None

    def string_to_sign(self, request: WireRequest, timestamp: int, memo: str) -> bytes:
        """Verb, target, time and body, a line each."""
        return b"%s\n%s\n%d\n%s" % (request.method.encode(), request.target.encode(), timestamp, request.body)

    def headers(self, auth: Auth, key: str, timestamp: int, signature: str) -> Mapping[str, str]:
        """One header says it all."""
        return {} if auth is Auth.NONE else {"Kelpie-Proof": f"{key}:{timestamp}:{signature}"}

    def unwrap(self, envelope: Enum | None, body: bytes) -> dialect.Unwrapped:
        """There is one envelope."""
        members = codec.members(body)
        if "ok" not in members:
            raise codec.DecodeError("no member ok")
        if bytes(members["ok"]) == b"true":
            return dialect.Unwrapped(True, 0, "", None, bytes(members.get("result", b"")))
        fault, text = (codec.loads(bytes(members.get(name, b"null"))) for name in ("fault", "text"))
        return dialect.Unwrapped(False, fault if isinstance(fault, int) else 0, str(text or ""), None, b"")

    def quota_use(self, headers: Mapping[str, str]) -> QuotaUse | None:
        """``Kelpie-Calls: 3 of 10 in 2``."""
        found = re.fullmatch(r"(\d{1,6}) of (\d{1,6}) in (\d{1,4})", headers.get("kelpie-calls", ""), re.ASCII)
        return None if found is None else QuotaUse(int(found[1]), int(found[2]), float(found[3]))


# ---- How sockets are spelled

_DO: Final[Mapping[str, str]] = {"subscribe": "follow", "unsubscribe": "leave", "request": "show"}
_DONE: Final[Mapping[str, dialect.Verb]] = {"follow": "subscribe", "leave": "unsubscribe"}


@attrs.define
class _Frame:
    on: str | None = None
    items: codec.Raw = codec.Raw(b"")
    done: str | None = None
    what: str | None = None
    fault: int | None = None
    text: str = ""


class KelpieSockets(dialect.SocketDialect):
    """``{"do": "follow", "what": [topics]}`` is answered by ``{"done": "follow", "what": topic}`` for each topic."""

    market = "main"
    ping = '{"do":"beat"}'

    def __init__(self) -> None:
        self._decode = codec.frame_decoder(_Frame)

    def spell(self, verb: str, topics: Iterable[str]) -> str:
        """A frame with a verb and topics."""
        return codec.dumps({"do": _DO[verb], "what": list(topics)}).decode()

    def string_to_sign(self, timestamp: int, memo: str) -> bytes:
        """A word, and the time."""
        return b"enter\n%d" % timestamp

    def login(self, key: str, timestamp: int, signature: str) -> str:
        """The proof is spelled as in a call."""
        return codec.dumps({"do": "enter", "proof": f"{key}:{timestamp}:{signature}"}).decode()

    def read(self, payload: bytes) -> dialect.Spoken:
        """A push, or the answer to what was sent."""
        frame = self._decode(payload)
        if frame.on:
            return dialect.Data(frame.on, bytes(frame.items))
        verb = _DONE.get(frame.done or "")
        if frame.fault is not None:
            error = FAULTS.get(frame.fault, errors.ApiError)(frame.text, code=frame.fault, endpoint=frame.what)
            about = "login" if frame.done == "enter" else verb
            return dialect.Refused(error, frame.what, about, benign=False, fatal=frame.fault == 77)
        if frame.done == "beat":
            return dialect.Pong()
        if frame.done == "enter":
            return dialect.LoggedIn()
        if verb is not None and frame.what:
            return dialect.Acknowledged(verb, frame.what)
        return dialect.Unknown(payload[:200].decode(errors="replace"))

    def limits(self, private: bool) -> dialect.SocketLimits:
        """Fifty topics on each of five connections."""
        return dialect.SocketLimits(topics=50, connections=5, topics_per_frame=10, frame_bytes=4000)


# ---- Which topics there are


class Kelpie(dialect.Venue):
    """One market, with topics such as ``trades#AB-CD`` and ``orders``."""

    def __init__(self) -> None:
        self._sockets = KelpieSockets()

    def topic(self, text: str) -> dialect.Topic:
        """All trades are pushed under one name; each says by its symbol of which pair it is."""
        name, _, pair = text.partition("#")
        channel = CHANNELS.get(name)
        if channel is None:
            raise errors.InvalidRequest(f"not a topic: {text}", argument="topic")
        return dialect.Topic(text, self._sockets, channel.private, channel, (name,), name, subject=pair or None)

    def sockets(self, market: str) -> dialect.SocketDialect:
        """There is one market."""
        return self._sockets

    def socket_url(self, market: str, private: bool) -> str:
        """One socket for everybody, one for an account."""
        return "wss://kelpie.test/own" if private else "wss://kelpie.test/all"


# ---- What a program opens


@attrs.frozen
class KelpieClient:
    """What a program has of Kelpie."""

    rest: Pipeline
    connections: Connections

    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[Subscription[Any]]:
        """Follow topics; a gap is in the data."""
        return self.connections.subscribe(topics, spell=str, buffer=None, overflow=None, gaps="mark")


@opener
async def open_kelpie(
    credentials: Credentials | None, config: Config, transport: httpx.AsyncBaseTransport, connect: Connect
) -> AsyncGenerator[KelpieClient]:
    """Open a client: calls, and streams whose sockets open on the first subscription."""
    quota_queue = QuotaQueue(config, KelpieRest.rows)
    rest = Pipeline(HOST, credentials, config, dialect=KelpieRest(), transport=transport, quota_queue=quota_queue)
    clock = quota_queue.host(HOST).timestamp
    async with open_service_nursery() as nursery:
        connections = Connections(
            nursery,
            Kelpie(),
            credentials,
            config,
            connect=connect,
            clock=lambda _: clock(),
            resync=lambda _: rest.latency(),
        )
        try:
            yield KelpieClient(rest, connections)
        finally:
            connections.close()
