"""What is sent again and what is not."""

from __future__ import annotations

import httpx
import pytest
import trio
from every_case import every_case
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
    PermissionDenied,
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


def _from_the_edge(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, html="<title>Just a moment...</title>", headers=headers)


@pytest.mark.parametrize(("asked", "waited"), [("7", 7.0), ("0", 0.25), ("86400", 60.0), ("soon", 0.25)])
@pytest.mark.parametrize("status", [403, 503, 522])
async def test_a_wait_that_the_edge_asks_for_is_kept_up_to_a_ceiling(
    status: int, asked: str, waited: float, autojump_clock: trio.testing.MockClock
) -> None:
    """The API itself asks for none."""
    at = bench(script := Script(_from_the_edge(status, **{"Retry-After": asked}), ticker()))
    await at.pipeline.call(TICKER, symbol="BTC_USDT")
    first, second = script.seen
    assert second.at - first.at == pytest.approx(waited)


async def test_the_ceiling_of_a_wait_is_configured(autojump_clock: trio.testing.MockClock) -> None:
    """For those who would rather have the error soon."""
    answer = _from_the_edge(503, **{"Retry-After": "3600"})
    at = bench(script := Script(answer, ticker()), Config(max_retry_after=2.5))
    await at.pipeline.call(TICKER, symbol="BTC_USDT")
    assert script.seen[1].at - script.seen[0].at == pytest.approx(2.5)


async def test_a_rate_limit_of_the_edge_pauses_its_bucket_as_long_as_asked(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Reads wait; a write cannot know whether the exchange has it."""
    at = bench(script := Script(_from_the_edge(429, **{"Retry-After": "9"}), ticker()))
    await at.pipeline.call(TICKER, symbol="BTC_USDT")
    assert script.seen[1].at - script.seen[0].at == pytest.approx(9.0)


@every_case("status", [200, 302, 400, 403, 404, 405, 408, 418, 429, 451, 500, 502, 503, 520, 530])
@every_case(
    "body",
    [
        b"<html><title>Attention</title>",
        b"error code: 1010",
        b'{"message": "no Route matched"}',
        b'{"code": 408, "message": "timeout"}',
        b'{"code": 99999, "message": "gateway"}',
        b'{"code": "30013 or so", "message": "gateway"}',
    ],
)
async def test_only_a_documented_code_refuses_a_write(
    status: int, body: bytes, autojump_clock: trio.testing.MockClock
) -> None:
    """Whatever else answers may answer after the exchange has taken the order. It is sent once."""
    at = bench(script := Script(httpx.Response(status, content=body)))
    with pytest.raises(OutcomeUnknown) as caught:
        await at.pipeline.call(SUBMIT, **ORDER)
    assert caught.value.client_order_id == "bot1"
    assert len(script.seen) == 1


@pytest.mark.parametrize("status", [200, 400, 403, 503])
async def test_a_documented_code_refuses_a_write_whatever_the_status(
    status: int, autojump_clock: trio.testing.MockClock
) -> None:
    """The exchange's own JSON has come through the edge with 403 and text/plain."""
    body = b'{"code": 53007, "message": "KYC", "data": {}, "trace": "t"}'
    at = bench(Script(httpx.Response(status, content=body, headers={"Content-Type": "text/plain"})))
    with pytest.raises(PermissionDenied, match="53007"):
        await at.pipeline.call(SUBMIT, **ORDER)


@pytest.mark.parametrize(
    "headers",
    [
        {"Date": "Mon, 30 Nov 2026 10:00:00 +999999999999999999999"},
        {"Date": "Mon, 30 Nov 99999999999999999999 10:00:00 GMT"},
        {"Date": "Mon, 30 Nov 0001 10:00:00 +2359"},
        {"Date": "\x00" * 500},
        {"X-BM-RateLimit-Remaining": "9" * 5000, "X-BM-RateLimit-Limit": "9" * 5000, "X-BM-RateLimit-Reset": "2"},
        {"X-BM-RateLimit-Remaining": "999999999", "X-BM-RateLimit-Limit": "999999999", "X-BM-RateLimit-Reset": "2"},
        {"X-BM-RateLimit-Remaining": "\xb2", "X-BM-RateLimit-Limit": "5", "X-BM-RateLimit-Reset": "1e999"},
        {"Retry-After": "9" * 5000},
        {"Age": "x", "Content-Length": "27"},
    ],
    ids=lambda headers: ascii(next(iter(headers.items())))[:60],
)
async def test_an_accepted_write_is_accepted_whatever_its_headers_say(
    headers: dict[str, str], autojump_clock: trio.testing.MockClock
) -> None:
    """The order exists: nothing that is learned beside that may raise, or cost more than a moment."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    at = bench(Script(httpx.Response(200, content=placed().content, headers=raw), placed()))
    assert (await at.pipeline.call(SUBMIT, **ORDER)).data.order_id == "7"
    assert (await at.pipeline.call(SUBMIT, **ORDER)).data.order_id == "7"
