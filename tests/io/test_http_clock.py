"""The clock of signed calls: set when the exchange refuses, or when it is asked, and never on the way."""

from __future__ import annotations

import math
from email.utils import formatdate

import httpx
import pytest
import trio
from http_kit import (
    EPOCH,
    OPEN_ORDERS,
    ORDER,
    SUBMIT,
    TICKER,
    Script,
    bench,
    good,
    page,
    placed,
    refused,
    server_time,
    ticker,
    virtual,
)

from bitmart_trio._core.endpoint import Auth
from bitmart_trio.config import Config, Retry
from bitmart_trio.errors import ClockOutOfSync, ConnectionLost
from bitmart_trio.rest import system


class Exchange:
    """Has a clock, and refuses times that are more than a second off."""

    def __init__(self, one_way: float = 0.0) -> None:
        self.now = virtual()
        self.one_way = one_way
        self.asked = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await trio.sleep(self.one_way)
        reply = self._reply(request)
        await trio.sleep(self.one_way)
        return reply

    def _reply(self, request: httpx.Request) -> httpx.Response:
        if request.url.raw_path == b"/system/time":
            self.asked += 1
            return server_time(self.now())
        if abs(int(request.headers["x-bm-timestamp"]) / 1000 - self.now()) > 1:
            return refused(30007, 401)
        return placed() if b"submit" in request.url.raw_path else good([])


@pytest.mark.parametrize("offset", [-3600.0, 90.0])
@pytest.mark.parametrize("endpoint", [SUBMIT, OPEN_ORDERS], ids=["write", "read"])
async def test_a_refused_time_sets_the_clock_and_is_repeated(
    offset: float, endpoint: object, autojump_clock: trio.testing.MockClock
) -> None:
    """Once, and from then on every call is right, without asking again."""
    exchange = Exchange(one_way=0.1)
    at = bench(script := Script(after=exchange), Config(clock=virtual(offset)))
    arguments = ORDER if endpoint is SUBMIT else {}
    await at.pipeline.call(endpoint, **arguments)  # type: ignore[arg-type]
    path = "/spot/v2/submit_order" if endpoint is SUBMIT else "/spot/v4/query/open-orders"
    assert script.targets == [path, "/system/time", path]
    await at.pipeline.call(endpoint, **arguments)  # type: ignore[arg-type]
    assert len(script.seen) == 4


async def test_no_request_is_spent_on_a_clock_that_is_right(autojump_clock: trio.testing.MockClock) -> None:
    """Most machines keep time."""
    at = bench(script := Script(after=Exchange()), Config(clock=virtual(0.5)))
    await at.pipeline.call(SUBMIT, **ORDER)
    assert script.targets == ["/spot/v2/submit_order"]


async def test_a_time_refused_twice_is_raised(autojump_clock: trio.testing.MockClock) -> None:
    """With how far off the clock was measured."""
    at = bench(
        script := Script(refused(30007, 401), server_time(EPOCH + 2.0), after=refused(30007, 401)),
        Config(clock=virtual()),
    )
    with pytest.raises(ClockOutOfSync) as caught:
        await at.pipeline.call(SUBMIT, **ORDER)
    assert len(script.seen) == 3
    assert "2000 ms behind" in caught.value.hint
    assert "give or take 1 ms" in caught.value.hint


async def test_a_clock_that_cannot_be_set(autojump_clock: trio.testing.MockClock) -> None:
    """The refusal is what counts; why it could not be set is its cause."""
    at = bench(Script(refused(30007, 401), after=httpx.ConnectError("refused")), Config(clock=virtual()))
    with pytest.raises(ClockOutOfSync, match="30007") as caught:
        await at.pipeline.call(SUBMIT, **ORDER)
    assert isinstance(caught.value.__cause__, ConnectionLost)
    assert at.free == at.total


async def test_with_one_try_the_clock_is_set_for_the_next_call(autojump_clock: trio.testing.MockClock) -> None:
    """One try never repeats."""
    at = bench(script := Script(after=Exchange()), Config(clock=virtual(50), retry=Retry(attempts=1)))
    with pytest.raises(ClockOutOfSync):
        await at.pipeline.call(SUBMIT, **ORDER)
    await at.pipeline.call(SUBMIT, **ORDER)
    assert script.targets == ["/spot/v2/submit_order", "/system/time", "/spot/v2/submit_order"]


async def test_many_refused_calls_ask_once(autojump_clock: trio.testing.MockClock) -> None:
    """And each is repeated."""
    exchange = Exchange(one_way=0.05)
    at = bench(script := Script(after=exchange), Config(clock=virtual(-30)))
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(lambda: at.pipeline.call(SUBMIT, **ORDER))
    assert exchange.asked == 1
    assert len(script.seen) == 21


async def test_a_refused_time_after_a_good_sample_asks_again(autojump_clock: trio.testing.MockClock) -> None:
    """The machine was suspended, or the exchange's clock was set: what was known is dropped."""
    exchange = Exchange()
    at = bench(Script(after=exchange), Config(clock=virtual(0)))
    await at.pipeline.latency()
    jump = exchange.now
    exchange.now = lambda: jump() + 500
    await at.pipeline.call(SUBMIT, **ORDER)
    assert exchange.asked == 2


async def test_latency_tells_distance_and_offset(autojump_clock: trio.testing.MockClock) -> None:
    """In milliseconds; and the clock is set by it."""
    at = bench(script := Script(after=Exchange(one_way=0.08)), Config(clock=virtual(-120.25)))
    with trio.testing.assert_checkpoints():
        latency = await at.pipeline.latency()
    assert latency.round_trip == pytest.approx(160)
    assert latency.one_way == pytest.approx(80)
    assert latency.offset == pytest.approx(120_250, abs=1)
    assert latency.bound == pytest.approx(81, abs=0.1)
    assert latency.server_time == pytest.approx((EPOCH + 0.08) * 1000, abs=1)
    assert latency.local_time == pytest.approx((EPOCH + 0.16 - 120.25) * 1000, abs=1)
    await at.pipeline.call(SUBMIT, **ORDER)
    assert script.targets == ["/system/time", "/spot/v2/submit_order"]


async def test_latency_keeps_the_best_answer(autojump_clock: trio.testing.MockClock) -> None:
    """A slow answer after a quick one does not make the clock worse."""
    exchange = Exchange(one_way=0.01)
    at = bench(Script(after=exchange), Config(clock=virtual(-7)))
    await at.pipeline.latency()
    exchange.one_way = 2.0
    slow = await at.pipeline.latency()
    assert slow.round_trip == pytest.approx(4000)
    assert slow.offset == pytest.approx(7000, abs=1)
    assert slow.bound == pytest.approx(11, abs=1)


@pytest.mark.parametrize("how", ["call", "request"])
async def test_asking_for_the_time_in_any_way_sets_the_clock(how: str, autojump_clock: trio.testing.MockClock) -> None:
    """The answer is the same."""
    at = bench(script := Script(after=Exchange()), Config(clock=virtual(-77)))
    if how == "call":
        await at.pipeline.call(system.time)
    else:
        await at.pipeline.request("GET", "/system/time", auth=Auth.NONE)
    await at.pipeline.call(SUBMIT, **ORDER)
    assert len(script.seen) == 2


async def test_cancelling_latency_leaves_the_clock_as_it_was(autojump_clock: trio.testing.MockClock) -> None:
    """Half an answer is none."""
    at = bench(Script(after=Exchange(one_way=1.0)), Config(clock=virtual(-77)))
    with trio.move_on_after(1.5):
        await at.pipeline.latency()
    clock = at.quota_queue.host(at.root).clock
    assert clock.bound(trio.current_time(), EPOCH) == math.inf


async def test_an_answer_without_a_time_is_malformed(autojump_clock: trio.testing.MockClock) -> None:
    """Whatever else it holds."""
    at = bench(Script(after=good({"server_time": None})))
    with pytest.raises(Exception, match="without a time"):
        await at.pipeline.latency()


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the machine, in our hands."""
    now = [EPOCH]
    monkeypatch.setattr("bitmart_trio._io.quota_queue.time.time", lambda: now[0])
    return now


def _dated(at: float, **headers: str) -> httpx.Response:
    return ticker(Date=formatdate(at, usegmt=True), **headers)


async def test_the_date_of_a_reply_corrects_a_clock_that_is_plainly_wrong(
    wall: list[float], autojump_clock: trio.testing.MockClock
) -> None:
    """So the first signed call is right already."""
    at = bench(script := Script(_dated(EPOCH + 300), placed()))
    await at.pipeline.call(TICKER, symbol="BTC_USDT")
    await at.pipeline.call(SUBMIT, **ORDER)
    assert int(script.seen[1].headers["x-bm-timestamp"]) / 1000 == pytest.approx(EPOCH + 300, abs=1)


@pytest.mark.parametrize(
    "reply",
    [
        _dated(EPOCH),
        _dated(EPOCH - 1),
        _dated(EPOCH + 300, Age="280"),
        ticker(Date="yesterday"),
        ticker(Date="Mon, 01 Jan 2024 00:00:00 -0000"),
    ],
    ids=["agrees", "agrees within its second", "from a cache", "nonsense", "no zone"],
)
async def test_the_date_of_a_reply_changes_nothing_otherwise(
    reply: httpx.Response, wall: list[float], autojump_clock: trio.testing.MockClock
) -> None:
    """Whole seconds would make a good clock worse, and a cache's date is old."""
    at = bench(script := Script(reply, placed()))
    wall[0] = EPOCH + 0.25 - (1 if reply.headers["date"].endswith("19 GMT") else 0)
    await at.pipeline.call(TICKER, symbol="BTC_USDT")
    await at.pipeline.call(SUBMIT, **ORDER)
    assert int(script.seen[1].headers["x-bm-timestamp"]) == int(wall[0] * 1000)


async def test_a_clock_of_ones_own_is_not_second_guessed(autojump_clock: trio.testing.MockClock) -> None:
    """It was given on purpose."""
    at = bench(script := Script(_dated(EPOCH + 300), placed()), Config(clock=virtual()))
    await at.pipeline.call(TICKER, symbol="BTC_USDT")
    await at.pipeline.call(SUBMIT, **ORDER)
    assert int(script.seen[1].headers["x-bm-timestamp"]) == int(EPOCH * 1000)


async def test_a_page_instead_of_the_time_is_asked_for_again(autojump_clock: trio.testing.MockClock) -> None:
    """Asking is a read like any other."""
    at = bench(Script(page(502), server_time(EPOCH)), Config(clock=virtual()))
    assert (await at.pipeline.latency()).server_time == EPOCH * 1000
