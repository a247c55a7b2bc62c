"""Drive one WebSocket: reader, writer and heartbeat.

A reader, a writer and a heartbeat run around one `ConnectionProtocol`, in one nursery that lives as long as the
connection.

A deadline is judged by what had arrived by then, not by what had been read: the program may have kept the loop busy
while the answer was already in the socket. So the heartbeat lets the reader catch up first.

The protocol decides, this file waits. Expected errors (of the network, a refused login, a dead peer) are recorded and
end the nursery; `run` then raises the recorded error, so that only bugs leave as a group.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Final, NoReturn, TypeAlias, cast
from urllib.parse import urlsplit

import trio
import trio_websocket

from .._core.connection_events import Dead, Event, LoginRefused, Malformed
from .._core.connection_protocol import ConnectionProtocol
from .._core.dialect import Data
from .._scopes import in_time, open_nursery, start_soon
from ..config import Config
from ..credentials import Credentials, Secret
from ..errors import ApiError, ConfigurationError, ConnectionLost
from .identity import is_hex, signed, user_agent
from .tap import TapStream
from .websocket import close_socket, open_socket

_NO_CLOSE_FRAME: Final = 1006
_TOO_BIG: Final = 1009
_TOO_BIG_WORDS: Final = "Exceeded maximum message size"
"""The start of the reason that trio-websocket gives for such a close."""
_ROUND: Final = 4
"""Turns of the loop after which a reader has certainly taken something, if anything had arrived: the bytes, a TLS
record, and a message that trio-websocket passes on through a channel.
"""
_ROUNDS: Final = 32
"""The most such rounds while bytes keep coming: 8 MiB, more than a socket holds."""

Connect: TypeAlias = Callable[[str], Awaitable[trio.abc.Stream]]
"""Opens the stream for a socket URL, with TCP and TLS but without the WebSocket handshake."""


class LoginFailed(Exception):
    """The login was refused; internal, the connection turns it into what the user sees."""

    def __init__(self, error: ApiError, retry: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry = retry


class Socket:
    """See the head of this file. Made for one connection, used once.

    Args:
        protocol: a new protocol.
        config: time-outs, ceilings, user agent.
        credentials: for a private connection, else None.
        clock: returns the exchange's time in milliseconds, for the login.
        push: takes a push (key, payload, time); never waits, and never raises because of what a peer sends.
        push_frame: takes the whole frame of what looks like a push; returns True if it is a push.
        event: takes everything else.
        due: returns when ``chores`` must be called; once it returns an earlier time, call `retime` or any other method.
        chores: does the other work that is due.

    Attributes:
        last_message: when the last message came, by ``trio.current_time()``; until then the time of creation.
    """

    def __init__(
        self,
        protocol: ConnectionProtocol,
        config: Config,
        *,
        credentials: Credentials | None,
        clock: Callable[[], int],
        push: Callable[[str, bytes, float], None],
        push_frame: Callable[[str, bytes, float], bool],
        event: Callable[[Event], None],
        due: Callable[[], float],
        chores: Callable[[float], None],
    ) -> None:
        self.last_message = trio.current_time()
        self._protocol = protocol
        self._config = config
        self._credentials = credentials
        self._clock = clock
        self._push = push
        self._push_frame = push_frame
        self._event = event
        self._due = due
        self._chores = chores
        self._stirred = trio.Event()
        self._retimed = trio.Event()
        self._batches = 0
        self._failure: Exception | None = None
        self._polite = True
        self._scope = trio.CancelScope()

    # ---- what the connection asks for --------------------------------------------------------------------------------

    def want(self, topics: Iterable[str]) -> None:
        """Hold these topics as well."""
        self._protocol.want(trio.current_time(), topics)
        self._stir()

    def drop(self, topics: Iterable[str]) -> None:
        """Let these topics go."""
        self._protocol.drop(trio.current_time(), topics)
        self._stir()

    def request(self, topic: str) -> None:
        """Ask for a topic's newest state once."""
        self._protocol.request(trio.current_time(), topic)
        self._stir()

    def renew(self, topic: str) -> None:
        """Unsubscribe from a topic at the server and subscribe again."""
        self._protocol.renew(trio.current_time(), topic)
        self._stir()

    def prove(self) -> None:
        """Find out now whether the connection is alive."""
        self._protocol.prove(trio.current_time())
        self._stir()

    def retime(self) -> None:
        """``due`` gives an earlier time than before."""
        self._retimed.set()

    def fail(self, error: Exception, *, polite: bool = False) -> None:
        """Give the connection up; `run` raises the error.

        Args:
            error: the error to raise.
            polite: True for a closing handshake: the peer is alive, only no longer needed.
        """
        if self._failure is None:
            self._failure = error
            self._polite = polite
            self._scope.cancel()

    async def run(self, url: str, connect: Connect) -> NoReturn:
        """Connect, log in, and stay until the connection ends. Being cancelled closes it politely, for a bounded time.

        Raises:
            ConnectionLost: the connection could not be made, or broke.
            ConfigurationError: the proxy refuses.
            LoginFailed: the exchange refused the login.
        """
        with self._scope:
            async with open_nursery() as nursery:
                try:
                    await self._live(nursery, url, connect)
                except (ConnectionLost, ConfigurationError) as error:
                    self.fail(error)
        assert self._failure is not None, "a socket ended without a reason"
        raise self._failure

    async def _live(self, nursery: trio.Nursery, url: str, connect: Connect) -> None:
        stream, connection = await self._open_in_time(nursery, url, connect)
        try:
            start_soon(nursery, self._write, connection)
            self._handle(self._protocol.opened(trio.current_time()))
            start_soon(nursery, self._keep_time, stream)
            if self._credentials is not None:
                await self._log_in(self._credentials)
            await self._read(stream, connection)
        finally:
            # Close politely only when we end the connection: a peer that failed would not answer a Close frame.
            seconds = self._config.timeouts.close if self._polite else 0
            await close_socket(connection, stream, seconds)  # noqa: ASYNC102  # it is shielded and timed in there

    async def _open_in_time(
        self, nursery: trio.Nursery, url: str, connect: Connect
    ) -> tuple[TapStream, trio_websocket.WebSocketConnection]:
        seconds = self._config.timeouts.connect
        opened = await in_time(lambda: trio.current_time() + seconds, partial(self._open, nursery, url, connect))
        if opened is None:
            raise ConnectionLost(f"no connection to {url} within {seconds:g} s")
        return opened

    async def _open(
        self, nursery: trio.Nursery, url: str, connect: Connect
    ) -> tuple[TapStream, trio_websocket.WebSocketConnection]:
        try:
            raw = await connect(url)
        except (OSError, trio.BrokenResourceError) as error:
            raise ConnectionLost(f"no connection to {url}: {str(error) or type(error).__name__}") from error
        stream = TapStream(raw, self._take, ceiling=self._config.max_frame_bytes, active=self._config.tap)
        parts = urlsplit(url)
        resource = parts.path + (f"?{parts.query}" if parts.query else "")
        connection = await open_socket(
            nursery,
            stream,
            parts.netloc.rpartition("@")[2],
            resource or "/",
            headers={"User-Agent": user_agent(self._config)},
            close_seconds=self._config.timeouts.close,
        )
        return stream, connection

    async def _log_in(self, credentials: Credentials) -> None:  # noqa: ASYNC910  # waits for an async signer only
        timestamp = self._clock()
        try:
            message = Secret(self._protocol.string_to_sign(timestamp, credentials.memo or ""))
            signature = await signed(credentials, message)
        except Exception as error:  # the user's signer failed: that ends this connection
            raise ConnectionLost(f"the login could not be signed: {type(error).__name__}") from error
        if not is_hex(signature):
            raise ConfigurationError("the signer of the credentials returned what is not a hex signature")
        self._protocol.login(trio.current_time(), credentials.api_key, timestamp, signature.reveal())
        self._stir()

    # ---- the tasks ---------------------------------------------------------------------------------------------------

    def _take(self, messages: Sequence[tuple[bool, bytes]]) -> None:
        """A batch from the wire. Called from within the reader: it must not wait."""
        now = self.last_message = trio.current_time()
        self._batches += 1
        push_frame = self._push_frame
        for event in self._protocol.receive(messages, now):
            if type(event) is tuple:
                # No cast here: it would be a call per message.
                if not push_frame(event[0], event[1], now):  # type: ignore[arg-type, misc]
                    for read in self._protocol.read(event[1], now):  # type: ignore[arg-type, misc]
                        if type(read) is Malformed:
                            # It looked like a push, so its topic and the affected subscribers are known.
                            self._push(event[0], event[1], now)  # type: ignore[arg-type, misc]
                        else:
                            self._tell(read, now)
            else:
                self._tell(cast("Event", event), now)
        if self._protocol.stirred:
            self._stir()

    def _tell(self, event: Event, now: float) -> None:
        if type(event) is Data:
            self._push(event.key, event.raw, now)
        else:
            self._handle((event,))

    def _handle(self, events: Iterable[Event]) -> None:
        for event in events:
            match event:
                case Dead(reason, cause):
                    error = ConnectionLost(reason)
                    error.__cause__ = cause
                    self.fail(error)
                case LoginRefused(refusal, retry):
                    self.fail(LoginFailed(refusal, retry))
                case _:
                    self._event(event)
        self._stir()

    def _stir(self) -> None:
        """There may be something to send, and the next deadline may have moved."""
        self._stirred.set()
        self._retimed.set()

    async def _read(self, stream: TapStream, connection: trio_websocket.WebSocketConnection) -> None:
        """Wait for the end of the connection, and take what the tap passes on."""
        try:
            while True:
                message = await connection.get_message()
                self._take([(True, message) if isinstance(message, bytes) else (False, message.encode())])
        except trio_websocket.ConnectionClosed as closed:
            if stream.failure is not None:
                raise stream.failure from None
            # Not chained to trio-websocket's error: a traceback would show the server's reason unescaped.
            raise ConnectionLost(await _who_cut(stream, closed)) from stream.broken

    async def _write(self, connection: trio_websocket.WebSocketConnection) -> None:  # noqa: ASYNC910  # a task of ours
        try:
            while True:
                self._stirred = trio.Event()
                # No variable holds a message: the login message contains key and signature.
                for sending in map(connection.send_message, self._protocol.take_outgoing(trio.current_time())):
                    await sending
                await self._stirred.wait()
        except (trio_websocket.ConnectionClosed, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the reader gets the same error, with the reason

    async def _keep_time(self, stream: TapStream) -> None:
        """The heartbeat, every other deadline of the protocol, and the chores."""
        while True:
            self._retimed = trio.Event()
            # At least a millisecond, so that float rounding cannot make this loop spin.
            wake = max(min(self._protocol.deadline(), self._due()), trio.current_time() + 0.001)
            with trio.move_on_at(wake):
                await self._retimed.wait()
                continue
            now = trio.current_time()
            await self._catch_up(stream, now)
            # Use the earlier time: deadlines that have passed since are judged after another catch-up.
            self._handle(self._protocol.tick(now))
            if now >= self._due():
                self._chores(now)

    async def _catch_up(self, stream: TapStream, now: float) -> None:  # noqa: ASYNC910  # there may be nothing to judge
        """Let the reader take what has arrived, and the writer send what waits, before a deadline is judged."""
        for _ in range(_ROUNDS):
            if not self._protocol.overdue(now) and now < self._due():
                break
            seen = stream.reads, self._batches
            for _ in range(_ROUND):
                await trio.lowlevel.checkpoint()
            if seen == (stream.reads, self._batches):
                break


async def _who_cut(stream: TapStream, closed: trio_websocket.ConnectionClosed) -> str:
    """Who ended the connection and why, in words; tells the server if it was us over its frames."""
    reason = closed.reason
    said = "" if reason is None else f"{reason.code} {reason.reason or reason.name}"
    if stream.refusal:
        return f"closed here, for {stream.refusal}"  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
    if stream.broken is not None:
        return f"the connection broke: {stream.broken.__cause__ or stream.broken}"  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
    if reason is None or reason.code == _NO_CLOSE_FRAME:
        return "the server cut the connection without a Close frame"  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
    if not stream.said_goodbye:
        await stream.say_goodbye(reason.code)
        return f"closed here, for the server broke the WebSocket protocol ({said})"  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
    if reason.code == _TOO_BIG and (reason.reason or "").startswith(_TOO_BIG_WORDS):
        return f"closed here, for a message of the server was too large ({said})"  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
    return f"the server closed the connection ({said})"  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
