"""What a call sends: exact bytes, headers by authority, signed after all waiting, and nothing without credentials."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import logging
import warnings
from decimal import Decimal

import httpx
import pytest
import trio
from http_kit import (
    BALANCES,
    EPOCH,
    OPEN_ORDERS,
    ORDER,
    SUBMIT,
    TICKER,
    Script,
    Stream,
    bench,
    body_of,
    good,
    placed,
    refused,
    ticker,
    virtual,
)
from hypothesis import given
from hypothesis import strategies as st

from bitmart_trio._core.endpoint import Auth
from bitmart_trio._core.request import build_raw
from bitmart_trio._io.http import _url
from bitmart_trio.config import Config
from bitmart_trio.credentials import Credentials
from bitmart_trio.errors import (
    ConfigurationError,
    InsufficientBalance,
    InvalidRequest,
    MissingCredentials,
    OutcomeUnknown,
)
from bitmart_trio.rest.spot_market import SpotMarket


def _expected_signature(timestamp: str, body: bytes) -> str:
    return hmac.new(b"the-secret", timestamp.encode() + b"#the-memo#" + body, hashlib.sha256).hexdigest()


async def test_a_public_call_is_bare(autojump_clock: trio.testing.MockClock) -> None:
    """No key goes out where none is needed, though there is one."""
    at = bench(script := Script(ticker()))
    with trio.testing.assert_checkpoints():
        reply = await at.pipeline.call(TICKER, symbol="BTC_USDT")
    assert reply.data.last_price == Decimal("2.5")
    assert reply.trace == "t"
    [seen] = script.seen
    assert (seen.method, seen.target, seen.body) == ("GET", "/spot/quotation/v3/ticker?symbol=BTC_USDT", b"")
    assert not [name for name in seen.headers if name.startswith("x-bm-")]
    assert seen.headers["user-agent"].startswith("bitmart-trio/")
    assert seen.headers["host"] == "exchange.test"
    assert "content-type" not in seen.headers


async def test_a_keyed_call_sends_the_key_alone(autojump_clock: trio.testing.MockClock) -> None:
    """A secret is not needed, and neither time nor signature is sent."""
    at = bench(script := Script(good({"wallet": []})), credentials=Credentials("only-a-key"))
    assert (await at.pipeline.call(BALANCES)).data == []
    [seen] = script.seen
    assert {name: value for name, value in seen.headers.items() if name.startswith("x-bm-")} == {
        "x-bm-key": "only-a-key"
    }


async def test_the_signed_bytes_are_the_sent_bytes(autojump_clock: trio.testing.MockClock) -> None:
    """Body, time and signature belong together, and the body is built once."""
    at = bench(script := Script(placed()), Config(clock=virtual()))
    assert (await at.pipeline.call(SUBMIT, **ORDER)).data.order_id == "7"
    [seen] = script.seen
    assert body_of(seen) == dict(ORDER)
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["content-length"] == str(len(seen.body))
    assert seen.headers["x-bm-key"] == "the-key"
    assert seen.headers["x-bm-timestamp"] == str(int(EPOCH * 1000))
    assert seen.headers["x-bm-sign"] == _expected_signature(seen.headers["x-bm-timestamp"], seen.body)


async def test_a_post_without_parameters_signs_and_sends_an_empty_object(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Not an empty body."""
    at = bench(script := Script(good([])))
    await at.pipeline.call(OPEN_ORDERS)
    [seen] = script.seen
    assert seen.body == b"{}"
    assert seen.headers["x-bm-sign"] == _expected_signature(seen.headers["x-bm-timestamp"], b"{}")


async def test_the_time_is_taken_after_waiting_for_the_quota(autojump_clock: trio.testing.MockClock) -> None:
    """A timestamp that had waited in a queue would be too old."""
    at = bench(script := Script(after=good([])), Config(clock=virtual()))
    async with trio.open_nursery() as nursery:
        for _call in range(40):  # 12 in 2 s: the last ones wait 6 s
            nursery.start_soon(at.pipeline.call, OPEN_ORDERS)
    start = script.seen[0].at
    assert script.seen[-1].at - start > 5.9
    for seen in script.seen:
        assert int(seen.headers["x-bm-timestamp"]) == pytest.approx((EPOCH + seen.at - start) * 1000, abs=1)


async def test_the_time_is_taken_after_waiting_for_a_slot(autojump_clock: trio.testing.MockClock) -> None:
    """Likewise when all connections are busy."""
    at = bench(script := Script(after=placed(), takes=3.0), Config(clock=virtual(), max_connections=2))
    async with trio.open_nursery() as nursery:
        for _call in range(4):
            nursery.start_soon(lambda: at.pipeline.call(SUBMIT, **ORDER))
    start = script.seen[0].at
    assert script.seen[-1].at - start == pytest.approx(9)
    for seen in script.seen:
        assert int(seen.headers["x-bm-timestamp"]) == pytest.approx((EPOCH + seen.at - start) * 1000, abs=1)


async def test_a_signer_may_be_async(autojump_clock: trio.testing.MockClock) -> None:
    """A hardware key takes its time; the bytes it was given are those that are sent."""
    asked: list[bytes] = []

    async def sign(message: bytes) -> str:
        asked.append(message)
        await trio.sleep(0.5)
        return "abc123"

    at = bench(script := Script(placed()), credentials=Credentials("k", memo="m", sign=sign))
    await at.pipeline.call(SUBMIT, **ORDER)
    [seen] = script.seen
    assert seen.headers["x-bm-sign"] == "abc123"
    assert asked == [seen.headers["x-bm-timestamp"].encode() + b"#m#" + seen.body]


async def test_a_signer_that_fails_costs_nothing(autojump_clock: trio.testing.MockClock) -> None:
    """Its error arrives as it is, nothing is sent, and slot and quota are free again."""

    def sign(message: bytes) -> str:
        raise LookupError("no card in the reader")

    at = bench(script := Script(), Config(rate_limit="raise"), Credentials("k", memo="m", sign=sign))
    for _call in range(100):
        with pytest.raises(LookupError, match="no card"):
            await at.pipeline.call(SUBMIT, **ORDER)
    assert not script.seen
    assert at.free == at.total


async def test_a_signature_that_no_header_can_carry_is_not_sent(autojump_clock: trio.testing.MockClock) -> None:
    """It would smuggle lines into the request."""
    at = bench(script := Script(), credentials=Credentials("k", memo="m", sign=lambda message: "ab\r\nX: y"))
    with pytest.raises(ConfigurationError, match="hex"):
        await at.pipeline.call(SUBMIT, **ORDER)
    assert not script.seen


@pytest.mark.parametrize(
    ("credentials", "call", "what"),
    [
        (None, BALANCES, "needs an API key"),
        (None, SUBMIT, "needs an API key"),
        (Credentials("k"), SUBMIT, "needs api_secret and memo"),
        (Credentials("k", "s"), OPEN_ORDERS, "needs memo"),
    ],
)
async def test_missing_credentials_are_noticed_before_anything_is_sent(
    credentials: Credentials | None, call: object, what: str
) -> None:
    """And say what is missing."""
    at = bench(script := Script(), credentials=credentials)
    arguments = ORDER if call is SUBMIT else {}
    with pytest.raises(MissingCredentials, match=what):
        await at.pipeline.call(call, **arguments)  # type: ignore[arg-type]
    with pytest.raises(MissingCredentials):
        await at.pipeline.request("GET", "/x", auth=Auth.KEYED if credentials is None else Auth.SIGNED)
    assert not script.seen


async def test_the_options_of_the_configuration_reach_the_wire(autojump_clock: trio.testing.MockClock) -> None:
    """Agent, broker and recv window; the window only where the endpoint lists it."""
    config = Config(user_agent="bot/1", broker_id="partner", recv_window=3000)
    at = bench(script := Script(good([]), placed()), config)
    await at.pipeline.call(OPEN_ORDERS)
    await at.pipeline.call(SUBMIT, **ORDER)
    listed, unlisted = script.seen
    assert listed.headers["user-agent"] == "bot/1"
    assert listed.headers["x-bm-broker-id"] == "partner"
    assert body_of(listed) == {"recvWindow": 3000}
    assert b"recv" not in unlisted.body


async def test_a_raw_request_goes_the_same_way(autojump_clock: trio.testing.MockClock) -> None:
    """Any path: parameters as given, signed if asked, plain values back."""
    at = bench(script := Script(good({"a": 1.5}), placed()))
    with trio.testing.assert_checkpoints():
        raw = await at.pipeline.request(
            "GET", "/new/thing", params={"symbol": "BTC_USDT", "n": None, "d": Decimal("1E-8")}
        )
    assert raw.data == {"a": Decimal("1.5")}
    assert script.seen[0].target == "/new/thing?symbol=BTC_USDT&d=0.00000001"
    await at.pipeline.request("POST", "/new/order", params={"size": Decimal("0.10")}, auth=Auth.SIGNED)
    seen = script.seen[1]
    assert seen.body == b'{"size":"0.10"}'
    assert seen.headers["x-bm-sign"] == _expected_signature(seen.headers["x-bm-timestamp"], seen.body)


@pytest.mark.parametrize("path", ["/a/../b", "/ä", '/a"b', "/a\x7fb", "x", "/a?b=1"])
async def test_a_path_that_would_be_rewritten_is_refused(path: str) -> None:
    """What is asked for is what is sent, or nothing."""
    at = bench(script := Script())
    with pytest.raises(InvalidRequest) as caught:
        await at.pipeline.request("GET", path)
    assert caught.value.argument == "path"
    assert not script.seen


@given(st.dictionaries(st.text("abc_XY", min_size=1), st.text(min_size=1), max_size=4))
def test_no_query_is_encoded_anew(params: dict[str, str]) -> None:
    """The target is sent exactly as we spelled it."""
    try:
        wire = build_raw("GET", "/spot/x", params)
    except UnicodeEncodeError:
        return  # half a surrogate pair cannot be sent by anybody
    assert _url("https://exchange.test/prefix", wire.target).raw_path == b"/prefix" + wire.target.encode("ascii")


@pytest.mark.parametrize("pieces", [1, 7, 10_000])
async def test_a_compressed_reply_is_inflated(pieces: int, autojump_clock: trio.testing.MockClock) -> None:
    """In whatever pieces it comes."""
    packed = gzip.compress(ticker().content)
    stream = Stream([packed[index : index + pieces] for index in range(0, len(packed), pieces)])
    at = bench(Script(httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=stream)))
    assert (await at.pipeline.call(TICKER, symbol="BTC_USDT")).data.last_price == Decimal("2.5")
    assert stream.closed


async def test_a_retired_endpoint_warns_at_the_callers_line_and_is_sent(autojump_clock: trio.testing.MockClock) -> None:
    """The warning names what to use instead."""
    at = bench(script := Script(refused(30031, 410)))
    market = SpotMarket(at.pipeline)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(Exception, match="30031"):
            await market.tickers_v2()
    [warning] = [each for each in caught if each.category is DeprecationWarning]
    assert "use tickers" in str(warning.message)
    assert warning.filename == __file__
    assert len(script.seen) == 1


async def test_the_log_holds_no_secrets(
    caplog: pytest.LogCaptureFixture, autojump_clock: trio.testing.MockClock
) -> None:
    """Neither key nor secret, memo, signature nor body, whatever happens."""
    caplog.set_level(logging.DEBUG)
    at = bench(script := Script(placed(), refused(50020, 400), httpx.ReadError("broke")))
    await at.pipeline.call(SUBMIT, **ORDER)
    with pytest.raises(InsufficientBalance) as no:
        await at.pipeline.call(SUBMIT, **ORDER)
    with pytest.raises(OutcomeUnknown) as unknown:
        await at.pipeline.call(SUBMIT, **ORDER)
    text = caplog.text + "".join(f"{error.value}{error.value!r}" for error in (no, unknown))
    assert "POST /spot/v2/submit_order" in text
    for seen in script.seen:
        for secret in (
            "the-key",
            "the-secret",
            "the-memo",
            seen.headers["x-bm-sign"],
            json.loads(seen.body)["price"] + '"',
        ):
            assert secret not in text
