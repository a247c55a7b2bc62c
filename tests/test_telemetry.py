"""What the OpenTelemetry extra records, read back through the SDK's in-memory exporters."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import trio
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim import Delay, Fail5xx, OddRecord, open_exchange


class Desk:
    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = tracers.get_tracer("bot")
        self.reader = InMemoryMetricReader()
        self.telemetry = bm.telemetry.Telemetry(
            tracer_provider=tracers, meter_provider=MeterProvider(metric_readers=[self.reader])
        )

    @property
    def config(self) -> bm.Config:
        return bm.Config(hooks=self.telemetry.hooks())

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        return self.exporter.get_finished_spans()

    def metrics(self) -> dict[str, list[Any]]:
        data = self.reader.get_metrics_data()
        assert data is not None
        return {
            metric.name: list(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


async def test_calls_are_spans_below_the_callers(autojump_clock: MockClock) -> None:
    """A span a try, its parent the caller's; a failed one has the error's name and status."""
    desk = Desk()
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=desk.config) as client:
        exchange.faults.add(Fail5xx(times=1))
        with desk.tracer.start_as_current_span("decide"):
            await client.spot.market.ticker("BTC_USDT")
    failed, good, caller = desk.spans
    assert failed.name == good.name == "GET /spot/quotation/v3/ticker"
    assert caller.context is not None
    for span in (failed, good):
        assert span.parent is not None
        assert span.parent.span_id == caller.context.span_id
    assert failed.status.status_code is StatusCode.ERROR
    assert attributes(failed)["http.response.status_code"] == 503
    assert "error.type" in attributes(failed)
    assert good.status.status_code is StatusCode.UNSET
    assert attributes(good)["http.request.resend_count"] == 1


async def test_a_cancelled_call_ends_its_span(autojump_clock: MockClock) -> None:
    desk = Desk()
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=desk.config) as client:
        exchange.faults.add(Delay(seconds=5))
        with trio.move_on_after(1):
            await client.spot.market.ticker("BTC_USDT")
    (span,) = desk.spans
    assert attributes(span)["bitmart.cancelled"] is True
    (active,) = desk.metrics()["bitmart.request.active"]
    assert active.value == 0


async def test_calls_are_measured(autojump_clock: MockClock) -> None:
    """Durations and the quota's use, by endpoint."""
    desk = Desk()
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=desk.config) as client:
        for _ in range(3):
            await client.spot.market.ticker("BTC_USDT")
    metrics = desk.metrics()
    (duration,) = metrics["bitmart.request.duration"]
    assert duration.count == 3
    assert duration.attributes == {
        "bitmart.endpoint": "GET /spot/quotation/v3/ticker",
        "http.response.status_code": 200,
    }
    assert [point.value for point in metrics["bitmart.quota.used"]] == [3]
    assert [point.value for point in metrics["bitmart.quota.limit"]] == [15]


async def test_connections_and_streams(autojump_clock: MockClock) -> None:
    """A span from opening to loss, one from coming back to closing; gaps and drops as the client counts them."""
    desk = Desk()
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=desk.config) as client:
        with desk.telemetry.observe(client.streams):
            async with client.streams.spot.trade("BTC_USDT", buffer=1, overflow="drop_oldest") as trades:
                await trio.sleep(20)
                exchange.drop_connections()
                await trio.sleep(20)
                counted = trades.statistics()
                during = desk.metrics()
            after = desk.metrics()
        later = desk.metrics()
    first, second = desk.spans
    assert first.name == second.name == "bitmart connection"
    assert first.status.status_code is StatusCode.ERROR
    assert second.status.status_code is StatusCode.UNSET
    assert attributes(first)["bitmart.market"] == "spot"
    for name in ("received", "dropped", "gaps"):
        for metrics in (during, after, later):
            assert [point.value for point in metrics[f"bitmart.stream.{name}"]] == [getattr(counted, name)]
    assert counted.gaps == 1
    assert counted.dropped > 0
    assert [point.value for point in during["bitmart.stream.topics"]] == [1]
    assert [point.value for point in after["bitmart.stream.topics"]] == [0]
    events = {str(point.attributes["bitmart.event"]): point.value for point in later["bitmart.connection.events"]}
    assert events == {"Opened": 1, "Subscribed": 2, "Lost": 1, "Reconnected": 1}


def test_without_the_extra_it_says_what_to_install() -> None:
    """And the library itself does not load OpenTelemetry."""
    program = (
        "import sys; import bitmart_trio as bm; bm.open_client\n"
        "assert not any(name.startswith('opentelemetry') for name in sys.modules)\n"
        "sys.modules['opentelemetry'] = None\n"
        "try: bm.telemetry\n"
        "except ImportError as error: print(error)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "bitmart_trio.telemetry needs the extra: pip install bitmart-trio[otel]\n"


def test_no_secret_is_recorded() -> None:
    """Neither key, secret, memo nor signature shows in any span or metric of a signed call."""
    desk = Desk()

    async def main() -> None:
        async with open_exchange(seed=1) as exchange, exchange.open_client(config=desk.config) as client:
            await client.spot.trading.submit_order(
                symbol="BTC_USDT", side="buy", type="limit", size="0.001", price="30000"
            )

    trio.run(main)
    text = "".join(span.to_json() for span in desk.spans) + str(desk.metrics())
    assert "POST /spot/v2/submit_order" in text
    for secret in ("sim-key", "sim-secret", "sim-memo", "signature", "X-BM-SIGN"):
        assert secret not in text


async def test_a_deviation_is_an_event_of_the_callers_span_and_counted(autojump_clock: MockClock) -> None:
    """Once a place; the sum counts every time."""
    desk = Desk()
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=desk.config) as client:
        exchange.faults.add(OddRecord(path="/contract/public/details", member="status", every=1, how="blank"))
        with desk.telemetry.observe(client.streams), desk.tracer.start_as_current_span("bot"):
            await client.futures.market.contracts()
            await client.futures.market.contracts()
            exchange.faults.add(OddRecord(path="/contract/public/details", member="index_name", every=1))
            await client.futures.market.contracts()
        (bot,) = (span for span in desk.spans if span.name == "bot")
        assert [(event.name, dict(event.attributes or {})["bitmart.member"]) for event in bot.events] == [
            ("bitmart.drift", "[].index_name")
        ]
        assert sum(point.value for point in desk.metrics()["bitmart.drift"]) == 1
        assert sum(point.value for point in desk.metrics()["bitmart.stream.deviations"]) == 1
