"""Make OpenTelemetry traces and metrics (extra ``[otel]``) from the hooks and counts of a client.

In use::

    telemetry = bm.telemetry.Telemetry()
    async with bm.open_client(config=bm.Config(hooks=telemetry.hooks())) as client:
        with telemetry.observe(client.streams):
            ...

Each try of a REST call has a span below the caller's current span; each connection has one from its opening to its
loss. The module is loaded only on use, and never records a key, a signature or a body.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

try:
    from opentelemetry import metrics, trace
except ImportError as _missing:
    raise ImportError("bitmart_trio.telemetry needs the extra: pip install bitmart-trio[otel]") from _missing

from ._version import __version__
from .config import Hooks
from .models.call_events import CallReplied, CallSent
from .models.drift import Drift
from .models.stream_events import AnyStreamEvent, Closed, Lost, Opened, Reconnected

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
    from opentelemetry.trace import Span, Tracer, TracerProvider

    from .streams import Streams

_SCOPE: Final = "bitmart_trio"

_SUMS: Final = {
    "received": "Items pushed to subscriptions",
    "backfilled": "Items read over REST to fill gaps",
    "delivered": "Items handed to users",
    "conflated": "Items replaced by a newer one of the same state before they were read",
    "dropped": "Items dropped because a buffer was full",
    "gaps": "Gaps that were not filled",
    "unasked": "Pushes that were not subscribed to",
    "malformed": "Pushes that could not be read",
    "stalls": "Times that the program kept the event loop busy for too long",
    "suspensions": "Times that the machine was suspended",
    "deviations": "Members that were missing or unreadable, in replies and pushes",
}
_LEVELS: Final = {
    "connections": "Sockets, including those that are reconnecting",
    "topics": "Topics held",
    "subscriptions": "Open subscriptions",
}


class Telemetry:
    """Turns the events of clients into spans and metrics.

    Spans: ``GET /path`` (kind client) with ``http.request.method``, ``http.response.status_code``,
    ``http.request.resend_count``, ``bitmart.code``, ``bitmart.client_order_id``, ``bitmart.cancelled``; and
    ``bitmart connection`` with ``bitmart.market``, ``bitmart.private``, ``bitmart.connection``, ``bitmart.reason``.

    Metrics: ``bitmart.request.duration`` (histogram, s), ``bitmart.request.active``, ``bitmart.quota.used`` and
    ``bitmart.quota.limit`` (calls in the endpoint's window, from the reply's headers), ``bitmart.connection.events``,
    ``bitmart.drift`` (places where a member is missing or unreadable; also an event of the caller's current span);
    and of observed streams ``bitmart.stream.<sum>`` for received, backfilled, delivered, conflated, dropped, gaps,
    unasked, malformed, stalls, suspensions, deviations, and ``bitmart.stream.connections``, ``.topics``,
    ``.subscriptions``.

    Args:
        tracer_provider: None uses the global one.
        meter_provider: None uses the global one.

    One object may serve several clients, each with `hooks` of its own.
    """

    def __init__(
        self, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        self._tracer = trace.get_tracer(_SCOPE, __version__, tracer_provider)
        meter = metrics.get_meter(_SCOPE, __version__, meter_provider)
        self._duration = meter.create_histogram("bitmart.request.duration", "s", "One try of a REST call")
        self._active = meter.create_up_down_counter("bitmart.request.active", "{request}", "Calls that await a reply")
        self._quota_used = meter.create_gauge("bitmart.quota.used", "{call}", "Calls made in the endpoint's window")
        self._quota_limit = meter.create_gauge("bitmart.quota.limit", "{call}", "Calls allowed in that window")
        self._events = meter.create_counter("bitmart.connection.events", "{event}", "What happened to connections")
        self._drifts = meter.create_counter("bitmart.drift", "{place}", "Members that are missing or unreadable")
        self._calls: dict[int, Span] = {}
        self._streams: list[Streams] = []
        self._past: Counter[str] = Counter()
        for name, about in _SUMS.items():
            meter.create_observable_counter(f"bitmart.stream.{name}", [_Reading(self, name)], "{item}", about)
        for name, about in _LEVELS.items():
            meter.create_observable_up_down_counter(f"bitmart.stream.{name}", [_Reading(self, name)], "1", about)

    def hooks(self) -> Hooks:
        """Return the hooks for one client's `Config`."""
        return Hooks(
            on_request=self._sent,
            on_reply=self._replied,
            on_event=_Connections(self._tracer, self._events),
            on_drift=self._drifted,
        )

    @contextmanager
    def observe(self, streams: Streams) -> Generator[None]:
        """Read a client's streams whenever metrics are collected, while inside the block; the sums stay afterwards."""
        self._streams.append(streams)
        try:
            yield
        finally:
            self._streams.remove(streams)
            counts = streams.statistics()
            for name in _SUMS:
                self._past[name] += getattr(counts, name)

    def read(self, name: str) -> int:
        """Return one number over all observed streams, including those that are closed."""
        return self._past[name] + sum(int(getattr(streams.statistics(), name)) for streams in self._streams)

    def _drifted(self, drift: Drift) -> None:
        about = {"bitmart.source": drift.source, "bitmart.member": drift.member, "bitmart.found": drift.found}
        self._drifts.add(1, about)
        trace.get_current_span().add_event("bitmart.drift", about)

    # ---- hooks ------------------------------------------------------------------------------------------------------

    def _sent(self, call: CallSent) -> None:
        method = call.endpoint.partition(" ")[0]
        attributes: dict[str, str | int] = {"http.request.method": method, "http.request.body.size": call.size}
        if call.attempt > 1:
            attributes["http.request.resend_count"] = call.attempt - 1
        if call.client_order_id is not None:
            attributes["bitmart.client_order_id"] = call.client_order_id
        self._active.add(1, {"bitmart.endpoint": call.endpoint})
        # This is not made the current span: a hook has no end that could undo it.
        self._calls[call.number] = self._tracer.start_span(
            call.endpoint, kind=trace.SpanKind.CLIENT, attributes=attributes
        )

    def _replied(self, reply: CallReplied) -> None:
        where = {"bitmart.endpoint": reply.request.endpoint}
        self._active.add(-1, where)
        seen: dict[str, str | int | bool] = {}
        if reply.status is not None:
            seen["http.response.status_code"] = reply.status
        if reply.code is not None:
            seen["bitmart.code"] = reply.code
        if reply.error is not None:
            seen["error.type"] = type(reply.error).__name__
        if reply.cancelled:
            seen["bitmart.cancelled"] = True
        self._duration.record(reply.seconds, {**where, **seen})
        if reply.quota_used is not None and reply.quota_limit is not None:
            self._quota_used.set(reply.quota_used, where)
            self._quota_limit.set(reply.quota_limit, where)
        span = self._calls.pop(reply.request.number, None)
        if span is not None:
            span.set_attributes({**seen, "http.response.body.size": reply.size})
            if reply.error is not None:
                span.set_status(trace.StatusCode.ERROR, str(reply.error))
            span.end()


class _Connections:
    """The spans of one client's connections, whose numbers are unique only within a client."""

    def __init__(self, tracer: Tracer, events: metrics.Counter) -> None:
        self._tracer = tracer
        self._events = events
        self._spans: dict[int, Span] = {}

    def __call__(self, event: AnyStreamEvent) -> None:
        about: Mapping[str, str | bool] = {"bitmart.market": event.market, "bitmart.private": event.private}
        self._events.add(1, {**about, "bitmart.event": type(event).__name__})
        if isinstance(event, Opened | Reconnected):
            attributes = {**about, "bitmart.connection": event.connection}
            self._spans[event.connection] = self._tracer.start_span(
                "bitmart connection", kind=trace.SpanKind.CLIENT, attributes=attributes
            )
        elif isinstance(event, Lost | Closed):
            span = self._spans.pop(event.connection, None)
            if span is not None:
                span.set_attribute("bitmart.reason", event.reason)
                if isinstance(event, Lost):
                    span.set_status(trace.StatusCode.ERROR, event.reason)
                span.end()


class _Reading:
    """A callback for a meter that collects metrics."""

    def __init__(self, telemetry: Telemetry, name: str) -> None:
        self._telemetry = telemetry
        self._name = name

    def __call__(self, options: CallbackOptions) -> Iterable[Observation]:
        yield metrics.Observation(self._telemetry.read(self._name))
