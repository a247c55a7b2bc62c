"""What is sent again and what is not."""

from __future__ import annotations

import httpx
import pytest
import trio
from http_kit import (
    OPEN_ORDERS,
    ORDER,
    SUBMIT,
    TICKER,
    Answer,
    Script,
    bench,
    good,
    page,
    placed,
    refused,
    ticker,
)

from bitmart_trio._core.endpoint import Auth
from bitmart_trio.config import Config, Retry
from bitmart_trio.errors import (
    AddressBanned,
    BitMartError,
    ConnectionLost,
    EndpointRemoved,
    InsufficientBalance,
    Maintenance,
    OutcomeUnknown,
    RateLimited,
    RequestRefused,
    ServiceUnavailable,
)

CUT_OFF = httpx.Response(200, content=b'{"code": 1000, "da')

CASES: list[object] = [
    # answer, what a read ends with after all its tries, what a write ends with at once (None: it is repeated)
    pytest.param(httpx.ConnectError("refused"), ConnectionLost, None, id="no connection"),
    pytest.param(httpx.ConnectTimeout("slow"), ConnectionLost, None, id="connect timed out"),
    pytest.param(httpx.PoolTimeout("full"), ConnectionLost, None, id="a user's pool is full"),
    pytest.param(httpx.ProxyError("502"), ConnectionLost, None, id="the proxy refuses"),
    pytest.param(httpx.ReadError("reset"), ConnectionLost, OutcomeUnknown, id="reset"),
    pytest.param(httpx.WriteError("broken pipe"), ConnectionLost, OutcomeUnknown, id="broken pipe"),
    pytest.param(httpx.ReadTimeout("silence"), ConnectionLost, OutcomeUnknown, id="silence"),
    pytest.param(httpx.WriteTimeout("stuck"), ConnectionLost, OutcomeUnknown, id="stuck"),
    pytest.param(httpx.RemoteProtocolError("gone"), ConnectionLost, OutcomeUnknown, id="gone"),
    pytest.param(page(502), ServiceUnavailable, OutcomeUnknown, id="HTML 502"),
    pytest.param(refused(59002, 500), BitMartError, OutcomeUnknown, id="fault"),
    pytest.param(refused(30014, 503), ServiceUnavailable, OutcomeUnknown, id="unavailable"),
    pytest.param(CUT_OFF, BitMartError, OutcomeUnknown, id="cut-off JSON"),
]


@pytest.mark.parametrize(("answer", "read_ends", "write_ends"), CASES)
async def test_a_read_is_repeated_until_it_works(
    answer: Answer, read_ends: object, write_ends: object, autojump_clock: trio.testing.MockClock
) -> None:
    """With growing waits in between."""
    at = bench(script := Script(answer, answer, ticker()))
    start = trio.current_time()
    await at.pipeline.call(TICKER, symbol="BTC_USDT")
    assert [seen.at - start for seen in script.seen] == pytest.approx([0, 0.25, 0.75])


@pytest.mark.parametrize(("answer", "read_ends", "write_ends"), CASES)
async def test_a_read_that_goes_by_post_is_a_read(
    answer: Answer, read_ends: object, write_ends: object, autojump_clock: trio.testing.MockClock
) -> None:
    """Its row says so; every try is signed anew."""
    at = bench(script := Script(answer, good([])))
    await at.pipeline.call(OPEN_ORDERS)
    first, second = script.seen
    assert first.body == second.body
    assert first.headers["x-bm-sign"]
    assert second.headers["x-bm-sign"]


@pytest.mark.parametrize(("answer", "read_ends", "write_ends"), CASES)
async def test_a_read_gives_up_after_its_tries(
    answer: Answer, read_ends: type[BitMartError], write_ends: object, autojump_clock: trio.testing.MockClock
) -> None:
    """With the last error; a connection's error has the transport's as its cause."""
    at = bench(script := Script(after=answer), Config(retry=Retry(attempts=4)))
    with pytest.raises(read_ends) as caught:
        await at.pipeline.call(TICKER, symbol="BTC_USDT")
    assert len(script.seen) == 4
    if isinstance(answer, Exception):
        assert caught.value.__cause__ is answer


@pytest.mark.parametrize(("answer", "read_ends", "write_ends"), CASES)
async def test_a_write_is_repeated_only_if_it_never_left(
    answer: Answer, read_ends: object, write_ends: type[BitMartError] | None, autojump_clock: trio.testing.MockClock
) -> None:
    """Everything else leaves its outcome unknown."""
    at = bench(script := Script(answer, placed()))
    if write_ends is None:
        assert (await at.pipeline.call(SUBMIT, **ORDER)).data.order_id == "7"
        assert len(script.seen) == 2
    else:
        with pytest.raises(write_ends):
            await at.pipeline.call(SUBMIT, **ORDER)
        assert len(script.seen) == 1


async def test_a_write_that_never_left_ends_with_the_plain_truth(autojump_clock: trio.testing.MockClock) -> None:
    """Nothing was done, so its outcome is not unknown."""
    at = bench(script := Script(after=httpx.ConnectError("refused")))
    with pytest.raises(ConnectionLost, match="no connection"):
        await at.pipeline.call(SUBMIT, **ORDER)
    assert len(script.seen) == 3


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refused(30018, 503), RequestRefused),
        (refused(50020, 400), InsufficientBalance),
        (refused(30016, 200), Maintenance),
        (refused(30031, 410), EndpointRemoved),
        (refused(30017, 418), AddressBanned),
    ],
)
@pytest.mark.parametrize("endpoint", [TICKER, SUBMIT], ids=["read", "write"])
async def test_a_decision_of_the_exchange_is_final(
    answer: httpx.Response, error: type[BitMartError], endpoint: object, autojump_clock: trio.testing.MockClock
) -> None:
    """Also when it comes with HTTP 503, as "the body is not JSON" does."""
    at = bench(script := Script(answer))
    arguments = ORDER if endpoint is SUBMIT else {"symbol": "BTC_USDT"}
    with pytest.raises(error) as caught:
        await at.pipeline.call(endpoint, **arguments)  # type: ignore[arg-type]
    assert type(caught.value) is error
    assert len(script.seen) == 1


async def test_one_try_never_repeats(autojump_clock: trio.testing.MockClock) -> None:
    """For those who repeat themselves."""
    at = bench(script := Script(httpx.ConnectError("refused")), Config(retry=Retry(attempts=1)))
    with pytest.raises(ConnectionLost):
        await at.pipeline.call(TICKER, symbol="BTC_USDT")
    assert len(script.seen) == 1


@pytest.mark.parametrize("endpoint", [TICKER, SUBMIT], ids=["read", "write"])
async def test_a_call_too_many_is_repeated_when_its_window_is_over(
    endpoint: object, autojump_clock: trio.testing.MockClock
) -> None:
    """A write too: the exchange said that it did nothing."""
    at = bench(script := Script(refused(30013, 429), ticker() if endpoint is TICKER else placed()))
    arguments = ORDER if endpoint is SUBMIT else {"symbol": "BTC_USDT"}
    await at.pipeline.call(endpoint, **arguments)  # type: ignore[arg-type]
    first, second = script.seen
    assert second.at - first.at == pytest.approx(2.005)
    assert first.body == second.body


async def test_calls_too_many_end_with_the_wait_that_is_needed(autojump_clock: trio.testing.MockClock) -> None:
    """After all tries, or at once for those who would rather know than wait."""
    at = bench(script := Script(after=refused(30013, 429)))
    with pytest.raises(RateLimited) as caught:
        await at.pipeline.call(SUBMIT, **ORDER)
    assert len(script.seen) == 3
    assert caught.value.retry_after == pytest.approx(2.005)
    at = bench(script := Script(after=refused(30013, 429)), Config(rate_limit="raise"))
    with pytest.raises(RateLimited):
        await at.pipeline.call(SUBMIT, **ORDER)
    assert len(script.seen) == 1


async def test_a_raw_post_is_a_write_and_a_raw_get_a_read(autojump_clock: trio.testing.MockClock) -> None:
    """Nothing is known of the path, so the careful reading holds."""
    at = bench(Script(page(502), good({}), page(502)))
    await at.pipeline.request("GET", "/spot/v9/thing")
    with pytest.raises(OutcomeUnknown):
        await at.pipeline.request("POST", "/spot/v4/query/order", auth=Auth.SIGNED)
