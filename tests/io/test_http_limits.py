"""Quotas and slots: who waits, for how long, and who does not have to."""

from __future__ import annotations

import httpx
import pytest
import trio
from http_kit import (
    CANCEL,
    CREDENTIALS,
    OPEN_ORDERS,
    ORDER,
    ROOT,
    SUBMIT,
    TICKER,
    Bench,
    Script,
    bench,
    good,
    placed,
    refused,
    ticker,
)

from bitmart_trio._bitmart.rest import REST
from bitmart_trio._io.http import Pipeline
from bitmart_trio._io.quota_queue import QuotaQueue
from bitmart_trio.config import Config
from bitmart_trio.credentials import Credentials
from bitmart_trio.errors import AddressBanned, RateLimited

CANCELLED = {"code": 1000, "data": {"result": True}}


async def _calls(at: Bench, count: int) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(lambda: at.pipeline.call(TICKER, symbol="BTC_USDT"))


async def test_calls_above_the_quota_wait_for_their_turn(autojump_clock: trio.testing.MockClock) -> None:
    """15 in 2 s: never more in any two seconds, and not fewer than could be."""
    at = bench(script := Script(after=ticker()))
    start = trio.current_time()
    await _calls(at, 50)
    times = [seen.at - start for seen in script.seen]
    assert times == pytest.approx([0.0] * 15 + [2.005] * 15 + [4.01] * 15 + [6.015] * 5)


async def test_who_came_first_goes_first(autojump_clock: trio.testing.MockClock) -> None:
    """A burst does not overtake those who wait."""
    at = bench(script := Script(after=ticker()))
    async with trio.open_nursery() as nursery:
        for number in range(45):
            nursery.start_soon(lambda symbol=f"S{number}_USDT": at.pipeline.call(TICKER, symbol=symbol))  # type: ignore[misc]
            await trio.testing.wait_all_tasks_blocked()
    assert script.targets == [f"/spot/quotation/v3/ticker?symbol=S{number}_USDT" for number in range(45)]


async def test_raising_instead_of_waiting_sends_nothing(autojump_clock: trio.testing.MockClock) -> None:
    """And says how long to wait."""
    at = bench(script := Script(after=ticker()), Config(rate_limit="raise"))
    await _calls(at, 15)
    await trio.sleep(0.5)
    with pytest.raises(RateLimited, match="nothing was sent") as caught:
        await at.pipeline.call(TICKER, symbol="BTC_USDT")
    assert type(caught.value) is RateLimited
    assert caught.value.retry_after == pytest.approx(1.505)
    assert len(script.seen) == 15
    await trio.sleep(caught.value.retry_after)
    await at.pipeline.call(TICKER, symbol="BTC_USDT")


async def test_endpoints_do_not_share_their_quota(autojump_clock: trio.testing.MockClock) -> None:
    """The exchange counts each path on its own."""
    at = bench(
        Script(after=lambda request: ticker() if request.method == "GET" else good([])), Config(rate_limit="raise")
    )
    await _calls(at, 15)
    await at.pipeline.call(OPEN_ORDERS)


async def test_a_raw_request_shares_the_quota_of_its_path(autojump_clock: trio.testing.MockClock) -> None:
    """The exchange does not know how it was written."""
    at = bench(Script(after=ticker()), Config(rate_limit="raise"))
    await _calls(at, 15)
    with pytest.raises(RateLimited):
        await at.pipeline.request("GET", "/spot/quotation/v3/ticker", params={"symbol": "BTC_USDT"})


async def test_pipelines_of_one_client_share_address_but_not_keys(autojump_clock: trio.testing.MockClock) -> None:
    """What is counted by address is counted together, what is counted by key is not."""
    config = Config(rate_limit="raise")
    quota_queue = QuotaQueue(config, REST.rows)
    script = Script(after=lambda request: ticker() if request.method == "GET" else good([]))
    one = Pipeline(ROOT, CREDENTIALS, config, dialect=REST, transport=script, quota_queue=quota_queue)
    other = Pipeline(ROOT, Credentials("k2", "s", "m"), config, dialect=REST, transport=script, quota_queue=quota_queue)
    for _ in range(15):
        await one.call(TICKER, symbol="BTC_USDT")
    with pytest.raises(RateLimited):
        await other.call(TICKER, symbol="BTC_USDT")
    for _ in range(12):
        await one.call(OPEN_ORDERS)
    with pytest.raises(RateLimited):
        await one.call(OPEN_ORDERS)
    await other.call(OPEN_ORDERS)


async def test_the_exchange_has_counted_somebody_elses_calls(autojump_clock: trio.testing.MockClock) -> None:
    """Its headers are believed: the next call waits."""
    seen_elsewhere = {
        "X-BM-RateLimit-Remaining": "15",
        "X-BM-RateLimit-Limit": "15",
        "X-BM-RateLimit-Reset": "2",
        "X-BM-RateLimit-Mode": "IP",
    }
    at = bench(script := Script(ticker(**seen_elsewhere), ticker()))
    reply = await at.pipeline.call(TICKER, symbol="BTC_USDT")
    assert reply.quota is not None
    assert reply.quota.used == 15
    await at.pipeline.call(TICKER, symbol="BTC_USDT")
    assert script.seen[1].at - script.seen[0].at == pytest.approx(2.005)


async def test_a_call_too_many_pauses_only_its_own_endpoint(autojump_clock: trio.testing.MockClock) -> None:
    """Others go on while it waits."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return good([])
        return ticker() if len(script.seen) > 2 else refused(30013, 429)

    at = bench(script := Script(after=answer))
    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: at.pipeline.call(TICKER, symbol="BTC_USDT"))
        await trio.testing.wait_all_tasks_blocked()
        await at.pipeline.call(OPEN_ORDERS)
        assert trio.current_time() == start
    assert trio.current_time() - start == pytest.approx(2.005)


async def test_a_ban_pauses_everything(autojump_clock: trio.testing.MockClock) -> None:
    """It is raised at once; other calls wait, and a second ban pauses twice as long."""
    at = bench(
        script := Script(refused(30017, 418), ticker(), refused(30017, 418), ticker(), good([])), Config(ban_pause=60.0)
    )
    start = trio.current_time()
    for expected in (60, 120):
        with pytest.raises(AddressBanned) as caught:
            await at.pipeline.call(TICKER, symbol="BTC_USDT")
        assert caught.value.retry_after == pytest.approx(expected)
        await at.pipeline.call(TICKER, symbol="BTC_USDT")
    assert [seen.at - start for seen in script.seen] == pytest.approx([0, 60, 60, 180])
    await at.pipeline.call(OPEN_ORDERS)


async def test_a_ban_is_raised_by_those_who_would_rather_know(autojump_clock: trio.testing.MockClock) -> None:
    """Without sending anything while it lasts, on any endpoint."""
    at = bench(script := Script(refused(30017, 418), after=good([])), Config(rate_limit="raise", ban_pause=60.0))
    with pytest.raises(AddressBanned):
        await at.pipeline.call(TICKER, symbol="BTC_USDT")
    await trio.sleep(20)
    with pytest.raises(AddressBanned, match="nothing was sent") as caught:
        await at.pipeline.call(OPEN_ORDERS)
    assert caught.value.retry_after == pytest.approx(40)
    assert len(script.seen) == 1
    await trio.sleep(40)
    await at.pipeline.call(OPEN_ORDERS)


@pytest.mark.parametrize(("connections", "ordinary"), [(1, 1), (2, 1), (4, 3), (20, 15)])
async def test_never_more_calls_at_once_than_connections(
    connections: int, ordinary: int, autojump_clock: trio.testing.MockClock
) -> None:
    """Ordinary calls leave a quarter of the slots alone, unless there is only one."""
    at = bench(script := Script(after=placed(), takes=5.0), Config(max_connections=connections))
    async with trio.open_nursery() as nursery:
        for _ in range(connections * 2):
            nursery.start_soon(lambda: at.pipeline.call(SUBMIT, **ORDER))
    assert script.most_inside == ordinary
    assert at.free == at.total == connections


async def test_a_cancel_gets_a_slot_while_ordinary_calls_saturate_them(autojump_clock: trio.testing.MockClock) -> None:
    """It goes out at once, past a hundred that wait."""

    def answer(request: httpx.Request) -> httpx.Response:
        return good({"result": True}) if b"cancel" in request.url.raw_path else placed()

    at = bench(script := Script(after=answer, takes=10.0), Config(max_connections=4))
    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(lambda: at.pipeline.call(SUBMIT, **ORDER))
        await trio.testing.wait_all_tasks_blocked()
        asked = trio.current_time()
        await at.pipeline.call(CANCEL, symbol="BTC_USDT", order_id="7")
        [cancelled] = [seen for seen in script.seen if "cancel" in seen.target]
        assert cancelled.at == asked
        nursery.cancel_scope.cancel()
    assert at.free == at.total


async def test_urgent_calls_have_their_part_of_a_quota(autojump_clock: trio.testing.MockClock) -> None:
    """A raw request on the same path is not urgent, and stops at three quarters of 40."""
    at = bench(Script(after=good({"result": True})), Config(rate_limit="raise"))
    for _ in range(30):
        await at.pipeline.request("POST", CANCEL.path)
    with pytest.raises(RateLimited):
        await at.pipeline.request("POST", CANCEL.path)
    for _ in range(10):
        await at.pipeline.call(CANCEL, symbol="BTC_USDT", order_id="7")
    with pytest.raises(RateLimited):
        await at.pipeline.call(CANCEL, symbol="BTC_USDT", order_id="7")


async def test_a_waiting_call_that_is_cancelled_lets_the_next_one_go(autojump_clock: trio.testing.MockClock) -> None:
    """Its reserved place is given back while it waits for a slot, and nobody waits for a place that is free."""
    at = bench(script := Script(after=placed(), takes=1.0), Config(max_connections=1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: at.pipeline.call(SUBMIT, **ORDER))
        await trio.testing.wait_all_tasks_blocked()
        with trio.move_on_after(0.5) as scope:
            async with trio.open_nursery() as waiting:
                for _ in range(39):
                    waiting.start_soon(lambda: at.pipeline.call(SUBMIT, **ORDER))
        assert scope.cancelled_caught
        start = trio.current_time()
        for _ in range(39):
            nursery.start_soon(lambda: at.pipeline.call(SUBMIT, **ORDER))
    assert len(script.seen) == 40
    assert script.seen[1].at - start == pytest.approx(0.5)


async def test_a_place_given_back_wakes_who_waits_for_it(autojump_clock: trio.testing.MockClock) -> None:
    """Not only when the window is over."""
    answer = good([])
    at = bench(script := Script(after=answer, takes=0.1), Config(max_connections=1))
    gave_up = trio.CancelScope()

    async def hold_places() -> None:
        with gave_up:
            async with trio.open_nursery() as nursery:
                for _ in range(12):
                    nursery.start_soon(at.pipeline.call, OPEN_ORDERS)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hold_places)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(at.pipeline.call, OPEN_ORDERS)
        await trio.testing.wait_all_tasks_blocked()
        gave_up.cancel()
        start = trio.current_time()
    assert script.seen[-1].at == start
    assert len(script.seen) == 2
