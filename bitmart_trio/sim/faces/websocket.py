"""The WebSocket face: the open connections, their limits, and one set of tasks per connection.

The venue's dialect handles the messages of a connection. This module has the send queue, the deadlines, the exchange's
limits, and the faults. The exchange never waits for a client: a full queue ends the connection.
"""

from __future__ import annotations

import zlib
from collections import Counter, deque
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import partial
from typing import Literal, cast

import attrs
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest, wrap_server_stream
from wsproto.utilities import LocalProtocolError

from ..._scopes import StartOnly, open_nursery, start_soon
from ..exchange import Exchange
from ..faults import (
    SOCKETS,
    Drop,
    DropDuringLogin,
    Duplicate,
    FaultHandle,
    Gap,
    Garbage,
    LatePong,
    LatePush,
    LongerRow,
    LoseAck,
    MuteTopic,
    OldPush,
    RefuseLogin,
    RefuseTopic,
    Reorder,
    Stall,
    UnknownField,
    stretch,
    subject_of,
)
from ..kernel.accounts import Account
from ..kernel.encoding import Json, encode
from ..kernel.feed import Deliver, Frame, SocketKind
from ..kernel.talk import Venue
from .link import Link, SocketLink
from .pings import PingWatch

TOO_BIG = 1009
PATIENCE = 5
"""The time for sending queued messages before a close, as a multiple of the time for the closing handshake."""
MAX_MESSAGE_BYTES = 65536
"""The limit for trio-websocket; the exchange's own limits are lower and checked here."""
RECEIVE_BYTES = 65536


@attrs.define(kw_only=True)
class Limits:
    """The exchange's limits, as documented; every number may be changed at any time, and None removes a limit.

    Limits of spot and futures sockets apply only to those; the generic venue has only the other limits.
    """

    spot_public_connections: int | None = 20
    """The maximum number of open sockets per address."""
    spot_private_connections: int | None = 10
    futures_connections: int | None = 500
    """The maximum number of open futures sockets, public and private together."""
    connects_per_minute: int | None = 30
    """The maximum number of new spot sockets per address and minute; public and private are counted separately."""
    spot_public_topics: int | None = 115
    """The maximum number of topics per connection."""
    spot_private_topics: int | None = 100
    args_per_frame: int | None = 20
    """The maximum number of topics in a spot message."""
    spot_messages: int | None = 100
    """The maximum number of messages that a spot connection may send in ten seconds, pings included."""
    spot_frame_bytes: int | None = 4096
    futures_frame_bytes: int | None = 2048
    """The largest message; a larger one closes the connection with code 1009."""
    idle_seconds: float | None = 20.0
    """The seconds of silence after which a connection is closed."""
    idle_counts: Literal["both", "client"] = "both"
    """The messages that keep a connection alive.

    ``both`` counts the exchange's own frames too, so that a client may ping after silence only; ``client`` does not.
    """
    spot_protocol_pings: bool = True
    """True if protocol pings also keep a spot connection alive; on futures they always do."""
    spot_lifeless_seconds: float | None = 300.0
    """The seconds after which a connection that never subscribed is closed."""
    futures_lifeless_seconds: float | None = 5.0
    futures_ping_seconds: float | None = 54.0
    """The interval of the exchange's own protocol pings on futures."""
    queue_frames: int = 4096
    """The maximum number of frames held for a client that does not read; more end its connection."""
    close_seconds: float = 2.0
    """The longest time for a closing handshake."""
    http_idle_seconds: float | None = 75.0
    """The seconds after which an HTTP connection without a request is closed."""
    http_head_seconds: float | None = 10.0
    """The longest time for a request's head, from its first byte to its last."""
    http_body_seconds: float | None = 30.0
    """The longest time for a request's body."""
    http_send_seconds: float | None = 60.0
    """The longest time that a client may leave an answer unread."""
    http_body_bytes: int = 1024 * 1024
    deflate: frozenset[str] = frozenset({"spot/public"})
    """The kinds of connections whose pushes are sent as raw deflate in binary frames."""
    deflate_replies: bool = False
    """True if acknowledgements and errors are deflated too, where pushes are."""
    allowed_hosts: frozenset[str] = frozenset()
    """Names with dots under which the exchange may be called, such as ``exchange.lab.example``; see ``hosts.py``."""
    open_connections: int | None = 1000
    """The maximum number of connections of all kinds, HTTP and sockets together; one more is answered with 503."""

    def connections(self, kind: str) -> int | None:
        """Return the maximum number of open sockets of this kind (futures: of both kinds) per address."""
        if kind.startswith("futures"):
            return self.futures_connections
        spot = {"spot/public": self.spot_public_connections, "spot/private": self.spot_private_connections}
        return spot.get(kind)

    def topics(self, kind: str) -> int | None:
        """Return the maximum number of topics on a connection."""
        return {"spot/public": self.spot_public_topics, "spot/private": self.spot_private_topics}.get(kind)

    def frame_bytes(self, kind: str) -> int | None:
        """Return the size of the largest message of a client."""
        return self.futures_frame_bytes if kind.startswith("futures") else self.spot_frame_bytes

    def idle(self, kind: str) -> float | None:
        """Return the seconds of silence after which a connection is closed."""
        return self.idle_seconds if kind.startswith(("spot", "futures")) else None

    def lifeless(self, kind: str) -> float | None:
        """Return the seconds until a connection without a subscription is closed."""
        if kind.startswith("futures"):
            return self.futures_lifeless_seconds
        return self.spot_lifeless_seconds if kind.startswith("spot") else None


@attrs.frozen
class _Close:
    """An entry of the send queue: close with this code after everything before it is sent."""

    code: int


class Connection:
    """One WebSocket connection, from the accepted handshake to its end."""

    def __init__(self, sockets: Sockets, kind: SocketKind, address: str, number: int, link: SocketLink) -> None:
        self.kind: SocketKind = kind
        self.address = address
        self.name: str = f"ws-{number}"
        self.account: Account | None = None
        """The account whose login was accepted."""
        self.topics: dict[str, Callable[[], None]] = {}
        """The subscribed topics, in the order of subscription, each with the function that ends the subscription."""
        self.subscribed = False
        """True if the connection ever subscribed to a topic."""
        self.closing: bool = False
        self.sent: int = 0
        """The number of frames sent."""
        self.received: int = 0
        """The number of messages received."""
        self.exchange: Exchange = sockets.exchange
        self.sockets = sockets
        self._link = link
        link.watch = PingWatch(self._hear_ping).feed
        self._queue: deque[str | bytes | _Close] = deque()
        self._ready = trio.Event()
        self._scope = trio.CancelScope()
        self._nursery: trio.Nursery | None = None
        self._held: dict[str, Frame] = {}
        """Pushes held back for sending out of order, by topic."""
        self._before: dict[str, dict[str, str | bytes]] = {}
        """The last push about each order or symbol, by topic, while a fault needs it."""
        self._messages: deque[float] = deque()
        self._opened = trio.current_time()
        self._last_heard = self._opened
        self._last_sent = self._opened
        self._dialect = sockets.venue.dialect(self)

    # --- for dialects and the registry ---

    @property
    def names(self) -> tuple[str, str]:
        """Return the names that patterns of faults match."""
        return (self.kind, self.name)

    @property
    def most_topics(self) -> int | None:
        """Return the maximum number of topics on the connection."""
        return self.sockets.limits.topics(self.kind)

    @property
    def most_args(self) -> int | None:
        """Return the maximum number of topics in one message."""
        return self.sockets.limits.args_per_frame

    def breaks_at_login(self) -> bool:
        """Return True if a fault breaks the connection between a login and its reply."""
        return self.exchange.faults.take(DropDuringLogin, *self.names) is not None

    def refused_login(self) -> tuple[str, str] | None:
        """Return the code and text of a fault that refuses logins."""
        fault = self.exchange.faults.take(RefuseLogin, *self.names)
        return None if fault is None else (fault.code, fault.text)

    def refused_topic(self, topic: str) -> tuple[str, str] | None:
        """Return the code and text of a fault that refuses a topic."""
        fault = self.exchange.faults.take(RefuseTopic, topic)
        return None if fault is None else (fault.code, fault.text)

    def loses_ack(self, topic: str) -> bool:
        """Return True if a fault suppresses an acknowledgement."""
        return self.exchange.faults.take(LoseAck, topic) is not None

    def say(self, frame: Frame) -> None:
        """Send an acknowledgement, an answer or an error."""
        packed = self._pack(frame, self.sockets.limits.deflate_replies)
        self.exchange.log.write("reply", connection=self.name, bytes=len(packed))
        self._put(packed)

    def pong(self, text: str) -> None:
        """Answer a ping, late when a fault says so."""
        late = self.exchange.faults.take(LatePong, *self.names)
        if late is None:
            self._put(text)
        elif self._nursery is not None:
            start_soon(self._nursery, self._put_later, late.seconds, text)

    def push(self, topic: str, frame: Frame) -> None:
        """Send a push, unless a fault prevents or changes it."""
        if self.closing:
            return
        faults = self.exchange.faults
        if faults.take(MuteTopic, topic) or faults.take(Gap, topic):
            return
        if topic not in self._held and faults.take(Reorder, topic):
            self._held[topic] = frame
            return
        frame = self.sockets.venue.spoil(topic, self.name, frame)
        unknown, longer = faults.take(UnknownField, topic), faults.take(LongerRow, topic)
        if unknown is not None or longer is not None:
            frame = {
                key: stretch(value, None if unknown is None else unknown.name, longer is not None)
                for key, value in frame.items()
            }
        packed = self._pack(frame, True)
        late = faults.take(LatePush, topic)
        if late is not None and self._nursery is not None:
            start_soon(self._nursery, self._push_later, late.seconds, topic, packed)
            return
        self._push(topic, packed)
        if faults.take(Duplicate, topic):
            self._push(topic, packed)
        self._push_the_one_before(topic, frame, packed)
        if topic in self._held:
            self._push(topic, self._pack(self._held.pop(topic), True))
        if faults.take(Garbage, topic):
            # The reserved block type makes the deflate frame unreadable from its first byte.
            self._push(topic, b"\x07garbage" if isinstance(packed, bytes) else packed[: len(packed) // 2])

    def deliver_to(self, topic: str) -> Deliver:
        """Return the function that receives a topic's frames."""
        return partial(self.push, topic)

    def close(self, code: int = 1000) -> None:
        """Close in order once everything queued is sent; later messages of the client are ignored."""
        if not self.closing:
            self.closing = True
            self._queue.append(_Close(code))
            self._ready.set()
            # A client that does not read must not keep its connection forever.
            self._scope.deadline = trio.current_time() + PATIENCE * self.sockets.limits.close_seconds

    def turn_away(self, why: str) -> None:
        """Report that a limit is exceeded, then close."""
        self._dialect.turn_away(why)
        self.close()

    def drop(self) -> None:
        """Break the connection off at once."""
        self.closing = True
        self._link.sever()
        self._scope.cancel()

    @property
    def queued(self) -> int:
        """Return the number of frames that wait to be sent."""
        return len(self._queue)

    def describe(self) -> dict[str, Json]:
        """Return the connection as JSON."""
        return {
            "name": self.name,
            "kind": self.kind,
            "address": self.address,
            "topics": [*self.topics],
            "account": None if self.account is None else self.account.account_id,
            "sent": self.sent,
            "received": self.received,
            "queued": self.queued,
        }

    # --- running ---

    async def run(self) -> None:
        """Speak WebSocket until either side ends it."""
        with self._scope:
            try:
                async with open_nursery() as nursery:
                    self._nursery = nursery
                    await self._converse(nursery)
                    nursery.cancel_scope.cancel()
            except* LocalProtocolError:
                # A message beyond all bounds that arrives after our close began: trio-websocket tries to close again
                # and may not. Nothing remains to be sent on this connection.
                pass
            finally:
                self._nursery = None
                self.closing = True
                for stop in self.topics.values():
                    stop()
                self.topics.clear()

    async def _converse(self, nursery: trio.Nursery) -> None:
        limits = self.sockets.limits
        request: WebSocketRequest | None = None
        # The head was checked before; the deadline still matters, since a handshake refused below never returns.
        with trio.move_on_after(limits.close_seconds):
            request = await wrap_server_stream(
                cast("trio.Nursery", StartOnly(nursery)),  # all that it wants of one
                self._link,
                max_message_size=MAX_MESSAGE_BYTES,
                receive_buffer_size=RECEIVE_BYTES,
            )
        if request is None:
            return
        try:
            socket = await request.accept()
        except ConnectionClosed:
            return
        self._link.release()
        self._link.why = lambda: None if socket.closed is None else socket.closed.code
        start_soon(nursery, self._write, socket)
        start_soon(nursery, self._watch)
        if self.kind.startswith("futures"):
            start_soon(nursery, self._keep_alive, socket)
        try:
            while True:
                self._hear(await socket.get_message())
        except ConnectionClosed:
            if self.closing:
                # The writer is in the closing handshake and ends the connection itself.
                await trio.sleep_forever()
            await self._link.aclose()

    def _hear(self, message: str | bytes) -> None:
        if self.closing:
            return
        now = trio.current_time()
        self._last_heard = now
        self.received += 1
        data = message if isinstance(message, bytes) else message.encode()
        most = self.sockets.limits.frame_bytes(self.kind)
        if most is not None and len(data) > most:
            self.close(TOO_BIG)
        elif self.kind.startswith("spot") and self._too_many(now):
            self.turn_away("messages")
        else:
            self._dialect.hear(data.decode(errors="replace"))

    def _hear_ping(self) -> None:
        if self.kind.startswith("futures") or self.sockets.limits.spot_protocol_pings:
            self._last_heard = trio.current_time()

    def _too_many(self, now: float) -> bool:
        most = self.sockets.limits.spot_messages
        self._messages.append(now)
        while self._messages[0] <= now - 10:
            self._messages.popleft()
        return most is not None and len(self._messages) > most

    async def _write(self, socket: WebSocketConnection) -> None:
        try:
            while True:
                while not self._queue:
                    self._ready = trio.Event()
                    await self._ready.wait()
                item = self._queue.popleft()
                drop = None if isinstance(item, _Close) else self.exchange.faults.take(Drop, *self.names)
                if drop is not None and drop.code is None:
                    return  # no reset here: what was sent before shall arrive
                if drop is not None:
                    item = _Close(drop.code or 1000)
                if isinstance(item, _Close):
                    self.closing = True
                    with trio.move_on_after(self.sockets.limits.close_seconds):
                        await socket.aclose(item.code)
                    return
                await socket.send_message(item)
                self.sent += 1
                self._last_sent = trio.current_time()
        except ConnectionClosed:
            pass
        finally:
            self._scope.cancel()

    async def _watch(self) -> None:
        """Close the connection when it is idle, or never subscribed."""
        limits = self.sockets.limits
        while not self.closing:
            alive = self._last_heard
            if limits.idle_counts == "both":
                alive = max(alive, self._last_sent)
            idle = limits.idle(self.kind)
            deadlines = [float("inf") if idle is None else alive + idle]
            lifeless = limits.lifeless(self.kind)
            if lifeless is not None and not self.subscribed:
                deadlines.append(self._opened + lifeless)
            due = min(deadlines)
            if due <= trio.current_time():
                self.close()
                return
            await trio.sleep_until(due)

    async def _keep_alive(self, socket: WebSocketConnection) -> None:
        """Send protocol pings, as the futures side does; each answer is awaited only until the next ping."""
        while (seconds := self.sockets.limits.futures_ping_seconds) is not None:
            await trio.sleep(seconds)
            try:
                with trio.move_on_after(seconds):
                    await socket.ping()
            except ConnectionClosed:
                return

    async def _put_later(self, seconds: float, text: str) -> None:
        await trio.sleep(seconds)
        self._put(text)

    async def _push_later(self, seconds: float, topic: str, packed: str | bytes) -> None:
        await trio.sleep(seconds)
        self._push(topic, packed)

    def _push_the_one_before(self, topic: str, frame: Frame, packed: str | bytes) -> None:
        faults = self.exchange.faults
        if faults.find(OldPush, topic) is None:
            self._before.pop(topic, None)
            return
        pushed, subject = self._before.setdefault(topic, {}), subject_of(frame)
        before, pushed[subject] = pushed.get(subject, packed), packed
        if before != packed and faults.take(OldPush, topic):
            self._push(topic, before)

    def _push(self, topic: str, packed: str | bytes) -> None:
        self.exchange.log.write("frame", connection=self.name, topic=topic, bytes=len(packed))
        self._put(packed)

    def _put(self, item: str | bytes) -> None:
        if self.closing:
            return
        if len(self._queue) >= self.sockets.limits.queue_frames:
            if self.exchange.faults.find(Stall, *self.names):
                return  # the client is not to blame, and the connection stays open
            self.exchange.log.write("overflow", connection=self.name, queued=len(self._queue))
            self.drop()
            return
        self._queue.append(item)
        self._ready.set()

    def _pack(self, frame: Frame, deflate: bool) -> str | bytes:
        text = self.sockets.encode(frame)
        return self.sockets.deflate(text) if deflate and self.kind in self.sockets.limits.deflate else text.decode()


class Sockets:
    """All WebSocket connections of one exchange, and their limits."""

    def __init__(self, exchange: Exchange, venue: Venue, limits: Limits | None = None, host: str = "") -> None:
        self.exchange = exchange
        self.venue = venue
        """The venue, which handles messages."""
        self.host = host
        """The name at which the exchange was opened, if any; see ``hosts.py``."""
        self.limits: Limits = Limits() if limits is None else limits
        self.connections: list[Connection] = []
        """The open connections, oldest first."""
        self.links: list[Link] = []
        """The HTTP connections, oldest first; a socket's connection is among them until its handshake."""
        self.opened: Counter[str] = Counter()
        """The number of connections ever accepted, by kind."""
        self.refused: Counter[str] = Counter()
        """The number of connections refused because of the exchange's limits, by kind."""
        self._numbers = 0
        self._connects: dict[tuple[str, str], deque[float]] = {}
        self._encoded: tuple[Frame, bytes] | None = None
        self._deflated: tuple[bytes, bytes] | None = None
        exchange.faults.watch(self._on_fault)

    @property
    def full(self) -> bool:
        """Return True if the limit of all connections together is reached."""
        most = self.limits.open_connections
        return most is not None and len(self.links) + len(self.connections) >= most

    def number(self) -> int:
        """Return the next connection's number."""
        self._numbers += 1
        return self._numbers

    async def serve(self, kind: SocketKind, link: SocketLink, address: str) -> None:
        """Run one connection whose handshake is the next data on ``link``."""
        connection = Connection(self, kind, address, self.number(), link)
        link.names = connection.names
        refusal = self._refusal(kind, address)
        self.connections.append(connection)
        self.opened[kind] += 1
        self.exchange.log.write("socket_opened", connection=connection.name, socket=kind, address=address)
        if refusal is not None:
            # The codes exist as frames only, so the handshake is completed first.
            self.refused[kind] += 1
            connection.turn_away(refusal)
        try:
            await connection.run()
        finally:
            self.connections.remove(connection)
            self.exchange.log.write("socket_closed", connection=connection.name, socket=kind)

    def drop(self, pattern: str | None = None) -> int:
        """Break off the connections that match (all sockets when None, ``http`` for HTTP ones); return their number."""
        pattern = SOCKETS if pattern is None else pattern
        sockets = [connection for connection in self.connections if _matches(connection.names, pattern)]
        links = [link for link in self.links if _matches(link.names, pattern)]
        for connection in sockets:
            connection.drop()
        for link in links:
            link.sever()
        return len(sockets) + len(links)

    def encode(self, frame: Frame) -> bytes:
        """Return the frame as JSON. A frame for many connections in a row is encoded once, so it must not change."""
        if self._encoded is None or self._encoded[0] is not frame:
            self._encoded = (frame, encode(frame))
        return self._encoded[1]

    def deflate(self, text: bytes) -> bytes:
        """Return raw deflate, without header or checksum; compressed once for many connections in a row."""
        if self._deflated is None or self._deflated[0] is not text:
            squeezer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
            self._deflated = (text, squeezer.compress(text) + squeezer.flush())
        return self._deflated[1]

    def _refusal(self, kind: SocketKind, address: str) -> str | None:
        """Return the limit that one more connection exceeds, if any; the connection is not counted yet."""
        market = kind if kind.startswith("spot") else "futures"
        held = sum(
            other.address == address and other.kind.startswith(market) and not other.closing
            for other in self.connections
        )
        most = self.limits.connections(kind)
        if most is not None and held >= most:
            return "connections"
        if market == "futures":
            return None
        now = trio.current_time()
        recent = self._connects.setdefault((kind, address), deque())
        while recent and recent[0] <= now - 60:
            recent.popleft()
        recent.append(now)
        often = self.limits.connects_per_minute
        return "connects" if often is not None and len(recent) > often else None

    def _on_fault(self, handle: FaultHandle) -> None:
        fault = handle.fault
        if not isinstance(fault, Drop) or fault.after:
            return
        for connection in tuple(self.connections):
            if _matches(connection.names, fault.connection):
                self.exchange.faults.count(handle)
                if fault.code is None:
                    connection.drop()
                else:
                    connection.close(fault.code)
        for link in tuple(self.links):
            if _matches(link.names, fault.connection):
                self.exchange.faults.count(handle)
                link.sever()
        handle.remove()


def _matches(names: tuple[str, ...], pattern: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)
