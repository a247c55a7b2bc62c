"""The REST pipeline of one host: build, wait for quota, take a slot, sign, send, read, judge.

The order is essential. The bytes are built once, and the same bytes are signed and sent. Signing comes after all
waiting, so a timestamp is never old. A slot is held from signing until the reply is read; whatever happens in between,
and wherever the call is cancelled, the slot and the connection are released. ``_core/verdict.py`` decides what a
failure means.

The clock: no request is spent on it in advance, since most machines keep time. Every reply of the venue's time path
sets the clock (so ``latency()`` does, too). When the exchange refuses a timestamp, its time is requested once, however
many calls were refused, and each of those calls is repeated once. The ``Date`` header of ordinary replies comes from
the network in front of the exchange, in whole seconds and perhaps from a cache; so the pipeline checks it at most twice
a minute, and uses it only when it proves the current clock wrong.

A ban (418) is raised at once and never repeated; other calls wait until its pause is over, or raise, as configured.
"""

from __future__ import annotations

import inspect
import logging
import math
import warnings
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import nullcontext
from functools import lru_cache
from typing import Final, TypeVar, cast

import attrs
import httpx
import trio

from .._core import backoff, edge, request
from .._core.dialect import RestDialect
from .._core.endpoint import Auth, Endpoint
from .._core.quota import QuotaUse
from .._core.reply import RawReply, Reply, ReplyReader
from .._core.request import WireRequest
from .._core.verdict import Verdict, judge
from .._scopes import finish, protected
from ..config import Config
from ..credentials import Credentials, Secret
from ..errors import (
    AddressBanned,
    ApiError,
    BitMartError,
    ConfigurationError,
    ConnectionLost,
    InvalidRequest,
    MalformedReply,
    MissingCredentials,
    OutcomeUnknown,
    RateLimited,
    ReplyTooLarge,
    ServiceUnavailable,
    TransportError,
)
from ..models._fields import Millis
from ..models.system import Latency
from .capture import CAPTURE, Captured
from .flight import FLIGHT
from .hooks import NO_HOOKS, TryHooks
from .identity import is_hex, signed, user_agent
from .quota_queue import Line, QuotaQueue
from .transport import NOTHING_SENT, LifoTransport

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

_OURS: Final = __name__.partition(".")[0] + "."
"""The prefix of the names of this library's modules."""
_CLOSING: Final = 3.0
_DATE_EVERY: Final = 30.0
_LEFT_OVER: Final = 16_384
_BROKEN: Final = (httpx.HTTPError, OSError, trio.BrokenResourceError)
"""What a transport may raise for a connection that fails; the last two are for transports that are not httpx's own."""


@lru_cache(maxsize=1024)
def _url(root: str, target: str) -> httpx.URL:
    try:
        url = httpx.URL(root + target)
    except httpx.InvalidURL as error:
        raise InvalidRequest(f"not a path: {error}", argument="path") from error
    if not str(url.raw_path, "ascii").endswith(target):
        raise InvalidRequest(f"this path would not be sent as it stands: {target!r}", argument="path")
    return url


def _caller_level() -> int:
    """Return the stack level, for whoever asks, of the nearest caller outside this library."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_OURS):
        frame, level = frame.f_back, level + 1
    return level


@attrs.frozen
class _Job:
    """One call, ready but for headers."""

    where: str
    """Verb and path, for people."""
    wire: WireRequest
    auth: Auth
    reads: bool
    urgent: bool
    line: Line
    arguments: Mapping[str, object]
    client_order_id: str | None


@attrs.frozen
class _Answer:
    """A whole reply and when it was asked for and came (by Trio's clock)."""

    status: int
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)
    sent: float
    received: float
    wall: float
    """The local wall clock when it came."""


class _Refused(Exception):
    """Carries a failed attempt from where it failed to where it is judged."""

    def __init__(
        self, error: BitMartError, *, unsent: bool = False, answer: _Answer | None = None, clock_answers: int = 0
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.unsent = unsent
        self.answer = answer
        self.clock_answers = clock_answers
        """The number of time readings when the call was signed."""


@protected
class Pipeline:
    """Sends the REST calls of one market. Does no IO when made, and owns nothing that must be closed.

    Args:
        root_url: the URL of the host, such as ``https://api.example``.
        credentials: the credentials for signed calls; with None only public calls work.
        config: the client's configuration.
        dialect: the spelling of the venue's calls.
        transport: does the HTTP; its creator closes it.
        quota_queue: shared by all pipelines of a client.
        environment: the environment's name; rows that exist only in another environment are refused. None has all rows.
    """

    def __init__(
        self,
        root_url: str,
        credentials: Credentials | None,
        config: Config,
        *,
        dialect: RestDialect,
        transport: httpx.AsyncBaseTransport,
        quota_queue: QuotaQueue,
        environment: str | None = None,
    ) -> None:
        self._environment = environment
        self._dialect = dialect
        self._replies = ReplyReader(dialect)
        self._root = root_url.rstrip("/")
        self._credentials = credentials
        self._config = config
        self._transport = transport
        self._quota_queue = quota_queue
        self._host = quota_queue.host(self._root)
        waits = config.timeouts
        self._extensions = {
            "timeout": {
                "connect": waits.connect,
                "read": waits.read,
                "write": waits.write,
                "pool": waits.connect,
                "reply": waits.reply,
            }
        }
        # A transport that is not ours has no deadline for a whole reply.
        ours = isinstance(transport, LifoTransport) and transport.judges_deadlines
        self._reply_within = math.inf if ours else waits.reply
        headers = {
            "Host": str(_url(self._root, "/").netloc, "ascii"),
            "User-Agent": user_agent(config),
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
        self._headers = headers | dict(dialect.common_headers(config))

    async def call(self, endpoint: Endpoint[T], /, **arguments: object) -> Reply[T]:
        """Check, sign, send and read one call.

        Raises:
            InvalidRequest: a wrong argument; MissingCredentials: no key, secret or memo. Nothing was sent.
            ConfigurationError: this environment does not serve the endpoint.
            ApiError: the exchange refused the call.
            OutcomeUnknown: a write was cut off.
            ConnectionLost, MalformedReply, ReplyTooLarge: no usable reply to a read, or a write that was not sent.
        """
        if endpoint.replaced_by is not None:
            warnings.warn(
                f"{endpoint} is retired by the exchange; use {endpoint.replaced_by}",
                DeprecationWarning,
                stacklevel=_caller_level(),
            )
        only, here = endpoint.environment, self._environment
        if only is not None and here is not None and here != only:
            raise ConfigurationError(f"{endpoint} exists on the {only} environment only, this is {here}")
        plain = cast("Endpoint[object]", endpoint)
        wire = request.build(plain, arguments, self._config.recv_window)
        job = self._job(
            wire,
            endpoint.path,
            endpoint.auth,
            arguments,
            wire.client_order_id,
            reads=endpoint.reads,
            urgent=endpoint.urgent,
        )
        _, result = await self._run(job, self._parser(endpoint))
        if result.deviations:
            self._quota_queue.drift.note(job.where, result.deviations)
        return result

    async def request(
        self, method: str, path: str, *, params: Mapping[str, object] | None = None, auth: Auth = Auth.NONE
    ) -> RawReply:
        """Send a request to any path; raises like `call`. A GET reads, a POST writes."""
        wire = request.build_raw(method, path, params, known=(row.path for row in self._dialect.rows))
        arguments = params or {}
        order_id = arguments.get("client_order_id", arguments.get("clientOrderId")) if method == "POST" else None
        job = self._job(wire, path, auth, arguments, None if order_id is None else str(order_id), reads=method == "GET")
        _, result = await self._run(job, self._raw_parser(job.where))
        return result

    async def latency(self) -> Latency:
        """Ask for the exchange's time, set the clock by the answer, and tell how far away the exchange is."""
        answer, server_time = await self._ask_time()
        clock = self._host.clock
        offset, bound = clock.offset(answer.received, answer.wall), clock.bound(answer.received, answer.wall)
        round_trip = (answer.received - answer.sent) * 1000
        return Latency(
            server_time=server_time,
            local_time=Millis(int(answer.wall * 1000)),
            round_trip=round_trip,
            one_way=round_trip / 2,
            offset=offset * 1000,
            bound=bound * 1000,
        )

    # ----------------------------------------------------------------------------------------------------------------
    # Jobs
    # ----------------------------------------------------------------------------------------------------------------

    def _job(
        self,
        wire: WireRequest,
        path: str,
        auth: Auth,
        arguments: Mapping[str, object],
        client_order_id: str | None,
        *,
        reads: bool,
        urgent: bool = False,
    ) -> _Job:
        where = f"{wire.method} {path}"
        credentials = self._credentials
        if auth is not Auth.NONE and credentials is None:
            raise MissingCredentials(f"{where} needs an API key")
        if auth is Auth.SIGNED and credentials is not None:
            credentials.require_signing(where)
        _url(self._root, wire.target)  # raises for a path that httpx would rewrite
        line = self._quota_queue.line(self._root, where, credentials.api_key if credentials is not None else None)
        return _Job(where, wire, auth, reads, urgent, line, arguments, client_order_id)

    def _parser(self, endpoint: Endpoint[T]) -> Callable[[int, Mapping[str, str], bytes], Reply[T]]:
        strict = self._config.strict_reading
        parse = self._replies.parse
        return lambda status, headers, body: parse(endpoint, status, headers, body, strict=strict)

    def _raw_parser(self, where: str) -> Callable[[int, Mapping[str, str], bytes], RawReply]:
        parse_raw = self._replies.parse_raw
        return lambda status, headers, body: parse_raw(where, status, headers, body)

    async def _run(self, job: _Job, parse: Callable[[int, Mapping[str, str], bytes], R]) -> tuple[_Answer, R]:
        """Try until there is a result, or nothing more to be done."""
        retry, attempt, resynced = self._config.retry, 1, False
        tries = 0
        while True:
            tries += 1
            try:
                with self._watch(job, tries) as watch:
                    return await self._once(job, parse, watch)
            except _Refused as refused:
                failed = refused
            error = failed.error
            if failed.answer is None:
                await self._capture(job, None, str(error))
            verdict = judge(error, self._dialect.codes, reads=job.reads, unsent=failed.unsent)
            log.debug("%s, try %d: %s: %s", job.where, attempt, type(error).__name__, verdict.name.lower())
            flight = None if job.reads else FLIGHT.get()
            if flight is not None and verdict is not Verdict.UNKNOWN:
                flight.landed()
            if verdict is Verdict.RESYNC and not resynced:
                resynced = True
                await self._resync(failed, job)
                if retry.attempts > 1:
                    continue
            elif verdict is Verdict.REPEAT and attempt < retry.attempts:
                if not isinstance(error, RateLimited):
                    pause = backoff.retry_delay(retry, attempt - 1, self._quota_queue.random())
                    await trio.sleep(max(pause, self._asked(error)))
                    attempt += 1
                    continue
                if self._config.rate_limit == "wait":  # the bucket's pause is the wait
                    attempt += 1
                    continue
            raise self._final(job, error, verdict)

    def _final(self, job: _Job, error: BitMartError, verdict: Verdict) -> BitMartError:
        """What the caller gets, with its cause set."""
        if isinstance(error, ApiError):
            now, wall = trio.current_time(), self._host.wall()
            clock, path = self._host.clock, job.wire.target.partition("?")[0]
            hint = self._dialect.hint(error, job.arguments, path, clock.offset(now, wall), clock.bound(now, wall))
            error.hint = hint or error.hint
        if verdict is not Verdict.UNKNOWN:
            return error
        look_up = "look it up before you repeat it"
        if job.client_order_id is not None:
            look_up = f"look it up by client order id {job.client_order_id} before you repeat it"
        unknown = OutcomeUnknown(
            f"{job.where} may or may not have been done ({error}): {look_up}",
            endpoint=job.where,
            client_order_id=job.client_order_id,
        )
        # A connection's own error says more than our wrapping of it.
        unknown.__cause__ = (error.__cause__ if isinstance(error, ConnectionLost) else None) or error
        return unknown

    # ----------------------------------------------------------------------------------------------------------------
    # One attempt
    # ----------------------------------------------------------------------------------------------------------------

    def _watch(self, job: _Job, attempt: int) -> TryHooks:
        hooks = self._config.hooks
        if hooks.on_request is None and hooks.on_reply is None:
            return NO_HOOKS
        return TryHooks(
            hooks.on_request,
            hooks.on_reply,
            endpoint=job.where,
            attempt=attempt,
            client_order_id=job.client_order_id,
        )

    async def _once(
        self, job: _Job, parse: Callable[[int, Mapping[str, str], bytes], R], watch: TryHooks
    ) -> tuple[_Answer, R]:
        quota_queue = self._quota_queue
        if not quota_queue.try_enter(job.line, urgent=job.urgent, where=job.where):
            log.debug("%s waits for its quota", job.where)
            await quota_queue.enter(job.line, urgent=job.urgent)
        sent = False
        use: QuotaUse | None = None
        try:
            async with self._host.slots.take(job.urgent):
                clock_answers = self._host.clock.answers
                timestamp, signature = await self._sign(job)
                outgoing = self._outgoing(job, timestamp, signature)
                sent = True
                flight = None if job.reads else FLIGHT.get()
                if flight is not None:
                    await flight.leave(timestamp)
                watch.sent(len(job.wire.body))
                try:
                    answer = await self._exchange(job, outgoing)
                except _Refused as refused:
                    sent = not refused.unsent
                    raise
            use = self._dialect.quota_use(answer.headers)
            watch.answered(answer.status, len(answer.body), use)
        finally:
            quota_queue.leave(job.line, sent=sent, use=use)
        took = (answer.received - answer.sent) * 1000
        log.debug("%s: HTTP %d, %d bytes in %.1f ms", job.where, answer.status, len(answer.body), took)
        await self._capture(job, answer)
        try:
            result = parse(answer.status, answer.headers, answer.body)
        except BitMartError as error:
            if isinstance(error, RateLimited):
                self._slow_down(job, error)
            raise _Refused(error, answer=answer, clock_answers=clock_answers) from error
        try:
            self._learn(job, answer)
        except Exception:  # the call has succeeded: an error in the rest of the reply must not undo that
            log.exception("%s: the time in the reply could not be used", job.where)
        return answer, result

    async def _sign(self, job: _Job) -> tuple[int, Secret[str]]:  # noqa: ASYNC910  # waits for an async signer only
        """The exchange's time now, and the signature of it and the body; "" where none is wanted."""
        credentials = self._credentials
        if job.auth is not Auth.SIGNED or credentials is None:
            return 0, Secret("")  # noqa: ASYNC910  # a part of calls that wait for the network
        timestamp = self._host.timestamp()
        message = Secret(self._dialect.string_to_sign(job.wire, timestamp, credentials.memo or ""))
        return timestamp, await signed(credentials, message)  # noqa: ASYNC910  # as above

    def _outgoing(self, job: _Job, timestamp: int, signature: Secret[str]) -> httpx.Request:
        if job.auth is Auth.SIGNED and not is_hex(signature):
            raise ConfigurationError("the signer of the credentials returned what is not a hex signature")
        outgoing = httpx.Request(
            job.wire.method,
            _url(self._root, job.wire.target),
            headers=self._head(job, timestamp, signature),
            # httpx takes a stream unchanged. Given bytes, it would build the headers twice.
            stream=_Bytes(job.wire.body),
            extensions=self._extensions,
        )
        outgoing.read()  # so that a user's transport can access its content
        return outgoing

    def _head(self, job: _Job, timestamp: int, signature: Secret[str]) -> dict[str, str]:
        """The headers of a request; nothing in here can fail, for they hold key and signature."""
        headers = dict(self._headers)
        if job.wire.method == "POST":
            headers["Content-Type"] = "application/json"
            headers["Content-Length"] = str(len(job.wire.body))
        if self._credentials is not None:
            headers |= self._dialect.headers(job.auth, self._credentials.api_key, timestamp, signature.reveal())
        return headers

    async def _exchange(self, job: _Job, outgoing: httpx.Request) -> _Answer:
        sent = trio.current_time()
        response: httpx.Response | None = None
        headers: dict[str, str] = {}
        body: bytes | None = None
        # A scope costs as much as reading a small reply does.
        endless = math.isinf(self._reply_within)
        try:
            with nullcontext() if endless else trio.CancelScope(deadline=sent + self._reply_within):
                response = await self._transport.handle_async_request(outgoing)
                headers = dict(response.headers.items())
                body = await self._read(job, response, headers)
            if body is None:  # pyright: ignore[reportUnnecessaryComparison]  # the scope has run out
                raise httpx.ReadTimeout(f"no whole reply within {self._config.timeouts.reply:g} s")
        except _BROKEN as error:
            unsent = isinstance(error, NOTHING_SENT)
            what = "no connection" if unsent else "the connection broke"
            lost = ConnectionLost(f"{job.where}: {what} ({type(error).__name__}{f': {error}' if str(error) else ''})")
            lost.__cause__ = error
            raise _Refused(lost, unsent=unsent) from error
        except (MalformedReply, ReplyTooLarge) as error:
            raise _Refused(error) from error
        finally:
            if response is not None and body is None:
                await finish(_CLOSING, response.aclose)  # noqa: ASYNC102  # it shields itself
            elif response is not None:
                with trio.move_on_after(_CLOSING, shield=True):
                    await response.aclose()
        assert response is not None
        assert body is not None
        return _Answer(response.status_code, headers, body, sent, trio.current_time(), self._host.wall())

    async def _read(self, job: _Job, response: httpx.Response, headers: Mapping[str, str]) -> bytes:
        """The whole body, decoded, and never more of it than allowed in memory."""
        most = self._config.max_reply_bytes
        too_large = f"{job.where}: the reply has more than {most} bytes"
        declared = headers.get("content-length", "")
        if declared.isdigit() and int(declared) > most:
            raise ReplyTooLarge(too_large)
        status = response.status_code
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "", "gzip", "x-gzip"):
            raise MalformedReply(f"{job.where} answered in an encoding that was not asked for", http_status=status)
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 16) if "gzip" in encoding else None
        body, wire = bytearray(), 0
        if not isinstance(response.stream, httpx.AsyncByteStream):
            raise TypeError("the transport gave a reply that cannot be read asynchronously")
        chunks = aiter(response.stream)
        unusable: TransportError | None = None
        async for chunk in chunks:
            wire += len(chunk)
            if inflate is not None and inflate.eof and chunk:
                unusable = MalformedReply(f"{job.where} answered with bytes behind its gzip", http_status=status)
                break
            try:
                body += chunk if inflate is None else inflate.decompress(chunk, most + 1 - len(body))
            except zlib.error:
                unusable = MalformedReply(f"{job.where} answered with broken gzip", http_status=status)
            if len(body) > most or wire > most:  # the limit holds for the compressed size, too
                unusable = ReplyTooLarge(too_large)
            if unusable is not None:
                break
        if unusable is not None:
            await _abandon(response, chunks)
            raise unusable
        if inflate is not None and inflate.unused_data:
            raise MalformedReply(f"{job.where} answered with bytes behind its gzip", http_status=status)
        if inflate is not None and wire and not inflate.eof:
            raise MalformedReply(f"{job.where} answered with cut-off gzip", http_status=status)
        return bytes(body)

    def _asked(self, error: BitMartError) -> float:
        """Return the seconds that a reply asks to wait, up to the ceiling; 0 when it asks for none."""
        asked = error.retry_after if isinstance(error, RateLimited | ServiceUnavailable) else None
        return min(asked or 0.0, self._config.max_retry_after)

    async def _capture(self, job: _Job, answer: _Answer | None, error: str = "") -> None:  # noqa: ASYNC910
        """Hand a try to whoever keeps the exact bytes."""
        capture = CAPTURE.get()
        if capture is None:
            return  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        wire = job.wire
        if answer is None:
            at = int(self._host.wall() * 1000)
            await capture(Captured(wire.method, wire.target, wire.body, None, {}, b"", at, error))
        else:
            at = int(answer.wall * 1000)
            await capture(Captured(wire.method, wire.target, wire.body, answer.status, answer.headers, answer.body, at))

    def _slow_down(self, job: _Job, error: RateLimited) -> None:
        now = trio.current_time()
        if isinstance(error, AddressBanned):
            error.retry_after = self._quota_queue.quotas.ban(now, least=self._asked(error))
            log.warning("the exchange has banned this address: all calls pause for %.0f s", error.retry_after)
        else:
            error.retry_after = job.line.bucket.refuse(now, least=self._asked(error))
        error.hint = f"Wait {error.retry_after:.3g} s"

    # ----------------------------------------------------------------------------------------------------------------
    # The clock
    # ----------------------------------------------------------------------------------------------------------------

    async def _ask_time(self) -> tuple[_Answer, Millis]:
        path = self._dialect.time_path
        wire = request.build_raw("GET", path, None)
        job = self._job(wire, path, Auth.NONE, {}, None, reads=True)
        answer, raw = await self._run(job, self._raw_parser(job.where))
        server_time = self._dialect.server_time(raw.data)
        if server_time is None:
            raise MalformedReply(f"{job.where} answered without a time", http_status=answer.status, excerpt=answer.body)
        return answer, Millis(server_time)

    async def _resync(self, refused: _Refused, job: _Job) -> None:
        """Set the clock, unless another refused call has done so since this one was signed."""
        async with self._host.resyncing:
            if self._host.clock.answers > refused.clock_answers:
                return
            self._host.clock.doubt()
            try:
                await self._ask_time()
            except BitMartError as error:
                log.debug("the clock could not be set: %s", error)
                raise self._final(job, refused.error, Verdict.RAISE) from error

    def _learn(self, job: _Job, answer: _Answer) -> None:
        """Set the clock by a reply that tells the time."""
        clock, now = self._host.clock, answer.received
        if job.wire.target == self._dialect.time_path:
            server = self._dialect.server_time(
                self._replies.parse_raw(job.where, answer.status, answer.headers, answer.body).data
            )
            if server is not None:
                clock.sample(sent=answer.sent, received=now, server=server / 1000, wall=answer.wall)
            return
        if self._config.clock is not None or now < self._host.look_at_date:  # the user's own clock is not corrected
            return
        self._host.look_at_date = now + _DATE_EVERY
        second = _date(answer.headers)
        if second is not None and clock.hint(
            sent=answer.sent, received=now, server=second + 0.5, wall=answer.wall, resolution=0.5
        ):
            log.info("the local clock is off by %.1f s, as the date of a reply shows", clock.offset(now, answer.wall))


async def _abandon(response: httpx.Response, chunks: AsyncIterator[bytes]) -> None:
    """Leave a reply half read.

    httpcore reads through nested async generators. If they were left unfinished, the garbage collector would finalize
    them, with a warning for each. After closing, the next read fails and so ends them all from the inside. Bytes that
    have already arrived are read first; the count is a bound for transports that never fail.
    """
    with trio.move_on_after(_CLOSING, shield=True):
        await response.aclose()
        try:
            for _ in range(_LEFT_OVER):
                await anext(chunks)
        except (StopAsyncIteration, trio.ClosedResourceError, *_BROKEN):
            pass


class _Bytes(httpx.ByteStream):
    """A request body whose iterator is no async generator: a cancel would abandon one, and then it warns."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self._body = body

    def __aiter__(self) -> _Once:
        return _Once(self._body)


class _Once:
    def __init__(self, body: bytes) -> None:
        self._left = [body] if body else []

    def __aiter__(self) -> _Once:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        await trio.lowlevel.checkpoint()
        return self._left.pop()


def _date(headers: Mapping[str, str]) -> float | None:
    """The whole second in which a reply was made, None when a cache may have kept it."""
    return None if "age" in headers else edge.date(headers.get("date", ""))
