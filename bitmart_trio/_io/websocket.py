"""Opens and closes a trio-websocket connection over a tap, in bounded time and with errors of ours.

trio-websocket's ``wrap_client_stream`` and ``aclose`` leave four things to their caller, and this file does them:

- *The handshake can hang.* Its reader task ends silently when the stream ends or breaks, or cannot be written to; then
  trio-websocket does not wake the opener. The tap's ``ended`` does.
- *The reader task can crash* and raises its error into the nursery, in a group: a refusal, or (its issue 184) a ping
  that arrives while we are closing. One of our tasks owns the reader's nursery, so a refusal becomes `ConnectionLost`
  where the connection is opened, and a later crash ends only the connection.
- *A polite close needs a living reader.* Cancelling a scope around both would end the reader first, and ``aclose``
  would then wait until its deadline for an answer that nobody reads. So the reader is shielded once the connection is
  open, and outlives a cancellation only by the time that closing may take.
- *The stream stays open* after the peer has closed and after a protocol error. Here it is closed whenever the reader
  has ended.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from typing import cast

import trio
from trio_websocket import ConnectionRejected, WebSocketConnection, wrap_client_stream

from .._core.frames import excerpt
from .._scopes import StartOnly, close_now, open_nursery, opener, start, start_soon
from ..errors import ConnectionLost
from .tap import READ_BYTES, TapStream

_log = logging.getLogger(__name__)


async def open_socket(
    nursery: trio.Nursery,
    stream: TapStream,
    host: str,
    resource: str,
    *,
    headers: Mapping[str, str],
    close_seconds: float,
) -> WebSocketConnection:
    """Do the WebSocket handshake.

    This function sets no deadline: callers put connect, TLS and the handshake under one ``trio.fail_after``.

    The tap may deliver messages before this returns. The stream is always closed: at once if this raises, otherwise
    when the connection ends, and at the latest ``close_seconds`` after ``nursery`` was cancelled. Always call
    `close_socket`, also when cancelled.

    Args:
        nursery: gets one task, which lives as long as the connection and raises nothing.
        stream: a new tap from which nothing has been read.
        host: the Host header, with the port unless it is the scheme's default.
        resource: path and query.
        headers: headers to send in addition to those of the handshake.
        close_seconds: the time that a polite close may take after a cancellation; pass the same to `close_socket`.

    Raises:
        ConnectionLost: the server refused, did not speak HTTP, or the stream ended or broke. The text has the status
            and the start of the body.
    """
    connection: WebSocketConnection = await start(nursery, _own, stream, host, resource, headers, close_seconds)
    return connection


async def close_socket(connection: WebSocketConnection, stream: TapStream, seconds: float) -> None:
    """Close politely, also while being cancelled; after ``seconds`` cut the stream. Closing twice does no harm."""
    try:
        with trio.move_on_after(seconds, shield=True):
            async with open_nursery() as nursery:
                # When the reader is gone, no answer can come.
                start_soon(nursery, _cancel_after, stream.ended, nursery.cancel_scope)
                await connection.aclose()
                nursery.cancel_scope.cancel()
    finally:
        # After a close by the peer, aclose() leaves the stream open; a peer that floods or falls silent would keep it
        # open.
        await close_now(stream)  # noqa: ASYNC102  # it shields itself


async def _own(
    stream: TapStream,
    host: str,
    resource: str,
    headers: Mapping[str, str],
    close_seconds: float,
    *,
    task_status: trio.TaskStatus[WebSocketConnection],
) -> None:
    """Own one connection's reader task from the handshake to its end."""
    connection: WebSocketConnection | None = None
    crash: Exception | None = None
    try:
        extra = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        async with _scopes(stream, close_seconds) as (reading, opening):
            try:
                async with open_nursery() as nursery:
                    with opening:
                        connection = await wrap_client_stream(
                            cast("trio.Nursery", StartOnly(nursery)),  # it only starts tasks
                            cast("trio.SocketStream", stream),  # it takes any stream, despite its annotation
                            host,
                            resource,
                            extra_headers=extra,
                            max_message_size=stream.ceiling,
                            receive_buffer_size=READ_BYTES,
                        )
                    if connection is None:
                        nursery.cancel_scope.cancel()
                    else:
                        # If the opener was cancelled at this very moment, it must not wait for a lingering reader.
                        await trio.lowlevel.checkpoint_if_cancelled()
                        reading.shield = True
                        task_status.started(connection)
            except* Exception as group:  # noqa: BLE001 - only trio-websocket's task can fail here
                crash = group.exceptions[0]
        await trio.lowlevel.checkpoint_if_cancelled()
        if connection is None:
            raise _refusal(stream, crash) from (crash or stream.broken)
        if crash is not None:
            # A ping after our Close frame causes this; any other cause would be new.
            level = logging.DEBUG if connection.closed is not None else logging.WARNING
            _log.log(level, "the reader of a WebSocket failed: %r", crash)
    finally:
        await close_now(stream)  # noqa: ASYNC102  # it shields itself


@opener
async def _scopes(
    stream: TapStream, close_seconds: float
) -> AsyncGenerator[tuple[trio.CancelScope, trio.CancelScope], None]:
    """Two scopes, and the tasks that end them.

    The first scope is around the block, which may shield it; an outside cancellation sets its deadline. The second
    scope is for the handshake; it is cancelled when the stream has ended.
    """
    reading, opening = trio.CancelScope(), trio.CancelScope()
    async with open_nursery() as nursery:
        start_soon(nursery, _linger, reading, close_seconds)
        start_soon(nursery, _cancel_after, stream.ended, opening)
        with reading:
            yield reading, opening
        nursery.cancel_scope.cancel()


def _refusal(stream: TapStream, crash: Exception | None) -> ConnectionLost:
    """The handshake's failure in words."""
    if isinstance(crash, ConnectionRejected):
        body = excerpt(crash.body or b"")
        status = f"the server refused the WebSocket: HTTP {crash.status_code}"
        return ConnectionLost(f"{status}: {body}" if body else status)
    if crash is not None:
        # trio-websocket crashes while it answers a bad reply, as no client can: the first error is the cause.
        first: BaseException = crash
        while first.__context__ is not None:
            first = first.__context__
        reason = f"the WebSocket handshake failed ({first})"
    elif stream.broken is not None:
        reason = f"the connection broke during the WebSocket handshake ({stream.broken})"
    else:
        reason = "the connection ended during the WebSocket handshake"
    return ConnectionLost(reason + (f"; the server said {stream.answer}" if stream.answer else ""))


async def _cancel_after(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


async def _linger(scope: trio.CancelScope, seconds: float) -> None:
    """Give a shielded scope a deadline as soon as the world outside is cancelled."""
    try:
        await trio.sleep_forever()
    finally:
        scope.deadline = trio.current_time() + seconds
