"""What each market's frames say, ours and theirs."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from every_case import every_case
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proof_sizes import FRAMES
from spoiling import spoiled

from bitmart_trio._bitmart.sockets import LIMITS, FuturesDialect, SpotDialect, dialect, string_to_sign
from bitmart_trio._core import codec
from bitmart_trio._core.dialect import Acknowledged, Data, LoggedIn, Pong, Refused, SocketLimits, Unknown, pack
from bitmart_trio.credentials import Credentials
from bitmart_trio.errors import (
    SOCKET_CODES,
    AuthenticationError,
    BadSignature,
    ClockOutOfSync,
    ExchangeFault,
    InvalidSymbol,
    RateLimited,
    RequestRefused,
    SubscriptionRefused,
)

SPOT, FUTURES = SpotDialect(), FuturesDialect()


def _refused(market: SpotDialect | FuturesDialect, text: str) -> Refused:
    spoken = market.read(text.encode())
    assert isinstance(spoken, Refused), spoken
    return spoken


def test_the_worked_example_of_a_login() -> None:
    """The documented key, time and memo give the documented signature, in either market's frame."""
    key = "80618e45710812162b04892c7ee5ead4a3cc3e56"
    credentials = Credentials(key, "6c6c98544461bbe71db2bca4c6d7fd0021e0ba9efc215f9c6ad41852df9d9df9", "test001")
    covered = string_to_sign(1589267764859, "test001")
    assert covered == b"1589267764859#test001#bitmart.WebSocket"
    sign = credentials.signature(covered)
    assert sign == "3ceeb7e1b8cb165a975e28a2e2dfaca4d30b358873c0351c1a071d8c83314556"
    assert isinstance(sign, str)
    assert SPOT.login(key, 1589267764859, sign) == f'{{"op":"login","args":["{key}","1589267764859","{sign}"]}}'
    assert (
        FUTURES.login(key, 1589267764859, sign)
        == f'{{"action":"access","args":["{key}","1589267764859","{sign}","web"]}}'
    )


def test_what_we_say() -> None:
    """Verbs, topics and heartbeats."""
    assert SPOT.spell("subscribe", ["a", "b"]) == '{"op":"subscribe","args":["a","b"]}'
    assert FUTURES.spell("unsubscribe", ["a"]) == '{"action":"unsubscribe","args":["a"]}'
    assert (SPOT.ping, FUTURES.ping) == ("ping", '{"action":"ping"}')
    assert isinstance(dialect("spot"), SpotDialect)
    assert isinstance(dialect("futures"), FuturesDialect)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("pong", Pong()),
        ('{"event":"login"}', LoggedIn()),
        ('{"event":"subscribe","topic":"spot/ticker:X_Y"}', Acknowledged("subscribe", "spot/ticker:X_Y")),
        ('{"event":"unsubscribe","topic":"spot/ticker:X_Y","new":{}}', Acknowledged("unsubscribe", "spot/ticker:X_Y")),
        ('{"table":"spot/ticker","data":[{"symbol":"X_Y"}]}', Data("spot/ticker", b'[{"symbol":"X_Y"}]')),
        ('{"data": [ 1.10 ] , "table":"spot/ticker"}', Data("spot/ticker", b"[ 1.10 ]")),
        ('{"table":"spot/ticker"}', Data("spot/ticker", b"")),
        ('{"event":"subscribe"}', Unknown('{"event":"subscribe"}')),
        ('{"event":"maintenance"}', Unknown('{"event":"maintenance"}')),
        ("{}", Unknown("{}")),
        ('{"event":null,"topic":null,"table":null}', Unknown('{"event":null,"topic":null,"table":null}')),
    ],
)
def test_what_spot_says(text: str, spoken: object) -> None:
    """A push by its table, an answer by its event; anything else is unknown, not an error."""
    assert SPOT.read(text.encode()) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ('{"group":"System","data":"pong+e0d8adb4-bf87"}', Pong()),
        ('{"group":"System","data":"pong"}', Pong()),
        ("pong", Pong()),
        ('{"action":"access","success":true}', LoggedIn()),
        ('{"action":"login","success":true}', LoggedIn()),
        (
            '{"action":"subscribe","group":"futures/x:Y@100ms","success":true,"request":{"args":["?"]}}',
            Acknowledged("subscribe", "futures/x:Y@100ms"),
        ),
        ('{"action":"unsubscribe","group":"futures/x:Y","success":true}', Acknowledged("unsubscribe", "futures/x:Y")),
        ('{"data":{"a":1},"group":"futures/x:Y"}', Data("futures/x:Y", b'{"a":1}')),
        ('{"action":null,"group":"futures/x:Y","data":[]}', Data("futures/x:Y", b"[]")),
        ('{"action":"access"}', Unknown('{"action":"access"}')),
        ('{"action":"subscribe","success":true}', Unknown('{"action":"subscribe","success":true}')),
        (
            '{"action":"request","group":"futures/x:Y","success":true}',
            Unknown('{"action":"request","group":"futures/x:Y","success":true}'),
        ),
        ("{}", Unknown("{}")),
    ],
)
def test_what_futures_say(text: str, spoken: object) -> None:
    """A push by its group, an answer by its action; nothing counts as done that does not say so."""
    assert FUTURES.read(text.encode()) == spoken


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"ping",
        b"{",
        b"[]",
        b'["table"]',
        b"null",
        b"17",
        b'"pong"',
        b'{"table":1}',
        b'{"table":"a\xff"}',
        b'{"group":"a\xff"}',
        b"\xff\xfe",
        b'{"event":"subscribe"',
        b'{"errorCode":1.5,"success":"maybe"}',
        b'{"errorCode":true,"success":7}',
        b'{"data":' + b"[" * 5000,
        b'{"errorCode":' + b"9" * 5000 + b',"success":9}',
    ],
)
@pytest.mark.parametrize("market", [SPOT, FUTURES])
def test_what_cannot_be_read_is_one_kind_of_error(market: SpotDialect | FuturesDialect, payload: bytes) -> None:
    """Whatever a peer sends, reading raises nothing but the decoding error, or finds nothing in it."""
    with suppress(codec.DecodeError):
        assert isinstance(market.read(payload), Unknown | Refused | Data)


@pytest.mark.proof
@settings(max_examples=FRAMES)
@given(st.one_of(st.binary(max_size=80), st.text(max_size=40).map(str.encode)))
def test_no_bytes_do_harm(payload: bytes) -> None:
    """Random bytes, too."""
    for market in (SPOT, FUTURES):
        with suppress(codec.DecodeError):
            market.read(payload)


_words = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.just("subscribe"), st.just("access")
)
_names = ("table", "data", "event", "topic", "errorCode", "errorMessage", "group", "action", "success", "error")


_FRAMES: list[dict[str, object]] = [
    {"event": "subscribe", "topic": "spot/ticker:BTC_USDT"},
    {"event": "login"},
    {"event": "subscribe", "topic": "spot/ticker:X", "errorMessage": "words", "errorCode": "90002"},
    {"errorMessage": "words", "errorCode": 90001},
    {"table": "spot/ticker", "data": [{"symbol": "BTC_USDT", "last_price": "1"}]},
    {"action": "subscribe", "group": "futures/ticker:BTCUSDT", "success": True, "request": {"action": "subscribe"}},
    {"action": "access", "success": False, "error": "Illegal access", "request": {"action": "access"}},
    {"group": "futures/ticker:BTCUSDT", "data": {"symbol": "BTCUSDT", "last_price": "1"}},
    {"group": "System", "data": "pong"},
]
"""Of either market, each nearly as it comes."""


@pytest.mark.proof
@settings(max_examples=FRAMES, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.dictionaries(st.sampled_from(_names), _words), st.sampled_from(_FRAMES).flatmap(spoiled)))
def test_no_frame_does_harm(frame: object) -> None:
    """Known members with unexpected values, and frames of which one thing is wrong."""
    payload = json.dumps(frame).encode()
    for market in (SPOT, FUTURES):
        with suppress(codec.DecodeError):
            spoken = market.read(payload)
            assert isinstance(spoken, Data | Pong | LoggedIn | Acknowledged | Refused | Unknown)
            repr(spoken)


@every_case("spell", ['"{}"', "{}"])
@every_case("code", sorted(SOCKET_CODES))
def test_every_spot_code_is_understood(code: int, spell: str) -> None:
    """As text or as number, each code becomes its exception with the exchange's words, and says what it means."""
    refused = _refused(SPOT, f'{{"errorMessage":"words","errorCode":{spell.format(code)}}}')
    assert type(refused.error) is SOCKET_CODES[code].error
    assert (refused.error.code, refused.error.message, refused.topic) == (code, "words", None)
    assert refused.benign == (code in (90008, 91005))
    assert refused.fatal == (code in (90007, 91006, 91022, 94001, 94002, 95000))
    assert refused.about == ("login" if str(code).startswith("91") and code != 91006 else None)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("91002", AuthenticationError),
        ("91011", BadSignature),
        ("91022", ClockOutOfSync),
        ("92001", InvalidSymbol),
        ("94001", RateLimited),
        ("95000", ExchangeFault),
        ("90004", RequestRefused),
        ("12345", RequestRefused),
        ("abc", RequestRefused),
        ("²", RequestRefused),
        ("-5", RequestRefused),
        ("", RequestRefused),
        ("9" * 5000, RequestRefused),
    ],
)
def test_the_event_of_a_spot_error_counts(code: str, error: type[Exception]) -> None:
    """An error says itself what it is about, where it says so; codes that are no numbers are 0."""
    for event in ("login", "subscribe", "unsubscribe"):
        refused = _refused(SPOT, json.dumps({"event": event, "errorCode": code, "topic": "t"}))
        assert type(refused.error) is error
        assert (refused.about, refused.topic) == (event, "t")
    assert _refused(SPOT, json.dumps({"event": None, "errorCode": "92001", "errorMessage": None})).about is None


@pytest.mark.parametrize(
    ("text", "error", "about", "topic", "fatal"),
    [
        (
            '{"action":"subscribe","group":"futures/x:NOPE@100ms","success":false,"error":"Invalid channel: not"}',
            SubscriptionRefused,
            "subscribe",
            "futures/x:NOPE@100ms",
            False,
        ),
        (
            '{"action":"subscribe","group":"sfutures/x","success":false,"error":"group [sfutures/x] not exist"}',
            SubscriptionRefused,
            "subscribe",
            "sfutures/x",
            False,
        ),
        (
            '{"action":"subscribe","group":"futures/order","success":false,"error":"futures/order need authenication"}',
            AuthenticationError,
            "subscribe",
            "futures/order",
            False,
        ),
        (
            '{"action":"subscribe","group":"f","success":false,"error":"Authentication is temporarily unavailable"}',
            ExchangeFault,
            "subscribe",
            "f",
            True,
        ),
        ('{"action":"access","success":false,"error":"access failed: x"}', AuthenticationError, "login", None, False),
        ('{"action":"access","error":"access failed: x"}', AuthenticationError, "login", None, False),
        (
            '{"action":"access","success":false,"error":"authentication is temporarily unavailable"}',
            ExchangeFault,
            "login",
            None,
            True,
        ),
        (
            '{"success":false,"error":"Invalid message: message must be JSON: ping"}',
            RequestRefused,
            None,
            None,
            False,
        ),
        (
            '{"action":"","group":"futures/x:Y","success":false,"error":"Invalid action [] for group [futures/x:Y]"}',
            SubscriptionRefused,
            None,
            "futures/x:Y",
            False,
        ),
        ('{"action":"unsubscribe","group":"f","success":false}', SubscriptionRefused, "unsubscribe", "f", False),
    ],
)
def test_every_futures_text_is_understood(
    text: str, error: type[Exception], about: str | None, topic: str | None, fatal: bool
) -> None:
    """Futures have no codes: the text and the action say what it is about and whether the connection is of use."""
    refused = _refused(FUTURES, text)
    assert type(refused.error) is error
    assert (refused.about, refused.topic, refused.fatal, refused.benign) == (about, topic, fatal, False)
    assert refused.error.message == json.loads(text).get("error", "")


def test_a_frame_is_packed_up_to_both_limits() -> None:
    """As many topics as the count and the bytes allow, in order, and always at least one."""
    limits = SocketLimits(topics=100, connections=1, topics_per_frame=20, frame_bytes=4000)
    topics = [f"spot/ticker:{n:03}_USDT" for n in range(45)]
    text, taken = pack(SPOT, "subscribe", topics, limits)
    assert taken == topics[:20]
    assert text == SPOT.spell("subscribe", taken)
    narrow = SocketLimits(topics=100, connections=1, topics_per_frame=20, frame_bytes=len(text))
    assert pack(SPOT, "subscribe", topics, narrow) == (text, taken)
    narrow = SocketLimits(topics=100, connections=1, topics_per_frame=20, frame_bytes=len(text) - 1)
    assert pack(SPOT, "subscribe", topics, narrow)[1] == topics[:19]
    assert pack(SPOT, "subscribe", ["x" * 9000, "y"], limits)[1] == ["x" * 9000]


@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=60), st.integers(40, 3000), st.integers(1, 30))
def test_packing_never_exceeds_a_limit(topics: list[str], frame_bytes: int, count: int) -> None:
    """For any topics: never too many, never too long (unless one alone is), and nothing out of order."""
    limits = SocketLimits(topics=100, connections=1, topics_per_frame=count, frame_bytes=frame_bytes)
    text, taken = pack(FUTURES, "subscribe", topics, limits)
    assert 1 <= len(taken) <= count
    assert taken == topics[: len(taken)]
    assert len(taken) == 1 or len(text.encode()) <= frame_bytes
    assert json.loads(text) == {"action": "subscribe", "args": taken}


def test_the_limits_are_the_documented_ones() -> None:
    """Spot's are documented; a futures socket closes above about 2,048 bytes."""
    assert (LIMITS["spot", False].topics, LIMITS["spot", True].topics) == (115, 100)
    assert (LIMITS["spot", False].connections, LIMITS["spot", True].connections) == (20, 10)
    for market, private in LIMITS:
        limits = LIMITS[market, private]
        assert (limits.messages, limits.messages_per) == (100, 10)
        assert (limits.connects, limits.connects_per) == (30, 60)
        assert limits.frame_bytes <= (4096 if market == "spot" else 2020)
    assert LIMITS["spot", False].topics_per_frame == 20
