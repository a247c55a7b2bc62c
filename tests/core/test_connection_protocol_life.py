"""A connection's life: login, heartbeat, the allowance of messages, and what cannot be read. Time is a number here."""

from __future__ import annotations

import json
import zlib

import pytest
from protocol_kit import (
    LOGIN,
    NEVER,
    PING,
    PONG,
    Line,
    deflated,
    make,
    spot_error,
)

from bitmart_trio._bitmart.sockets import dialect
from bitmart_trio._core.connection_events import Dead, LoginRefused, Malformed, Ready, TopicHeld
from bitmart_trio._core.dialect import Data, SocketLimits, Unknown
from bitmart_trio.config import Market
from bitmart_trio.errors import (
    AuthenticationError,
    BadSignature,
    ClockOutOfSync,
    ExchangeFault,
)

# ---- opening and login ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("market", ["spot", "futures"])
def test_a_public_connection_is_ready_at_once(market: Market) -> None:
    """Topics wanted before it opened go out when it opens."""
    protocol = make(market)
    protocol.want(99.0, ["a", "b"])
    assert protocol.take_outgoing(99.0) == []
    assert protocol.opened(100.0) == [Ready()]
    assert protocol.take_outgoing(100.0) == [dialect(market).spell("subscribe", ["a", "b"])]


@pytest.mark.parametrize(
    ("market", "yes", "verb"),
    [("spot", '{"event":"login"}', "login"), ("futures", '{"action":"access","success":true}', "access")],
)
@pytest.mark.parametrize("binary", [False, True])
def test_a_private_connection_logs_in_first(market: Market, yes: str, verb: str, binary: bool) -> None:
    """Nothing is subscribed before the reply, which may come compressed."""
    line = Line(market, private=True)
    line.want("a")
    assert (line.said(), line.sent()) == ([], [])
    line.protocol.login(line.now, "key", 123, "sign")
    assert line.sent() == [(verb, ["key", "123", "sign", *(["web"] if market == "futures" else [])])]
    line.want("b")
    assert line.sent() == []
    assert line.hear(yes, binary=binary) == [Ready()]
    assert line.sent() == [("subscribe", ["a", "b"])]
    assert line.hear(yes) == []


@pytest.mark.parametrize(
    ("market", "no", "error", "retry"),
    [
        ("spot", spot_error(91002, "login"), AuthenticationError, False),
        ("spot", spot_error(91011, "login"), BadSignature, False),
        ("spot", spot_error(91002), AuthenticationError, False),
        ("spot", spot_error(91022, "login"), ClockOutOfSync, True),
        ("spot", spot_error(95000, "login"), ExchangeFault, True),
        ("spot", spot_error(95000), ExchangeFault, True),
        ("futures", '{"action":"access","success":false,"error":"access failed: x"}', AuthenticationError, False),
        ("futures", '{"action":"access","success":false,"error":"auth temporarily unavailable"}', ExchangeFault, True),
        ("futures", '{"success":false,"error":"authentication is temporarily unavailable"}', ExchangeFault, True),
    ],
)
def test_a_refused_login_ends_the_connection(market: Market, no: str, error: type[Exception], retry: bool) -> None:
    """It is never taken for a success, nothing is sent any more, and it is known whether another try makes sense."""
    line = Line(market, private=True)
    line.want("a")
    line.protocol.login(line.now, "key", 1, "sign")
    (event,) = line.hear(no)
    assert isinstance(event, LoginRefused)
    assert (type(event.error), event.retry) == (error, retry)
    assert line.protocol.deadline() == NEVER
    line.want("b")
    assert line.sent() == []
    assert (line.tick(1000), line.hear('{"event":"login"}'), line.held) == ([], [], [])


def test_a_login_without_reply_is_the_end() -> None:
    """After the time for it, and not a moment before; messages of other kinds do not count."""
    line = Line("spot", private=True)
    line.protocol.login(line.now, "key", 1, "sign")
    assert line.protocol.deadline() == line.now + LOGIN
    assert line.tick(LOGIN - 0.01) == []
    assert line.hear('{"table":"x","data":[]}') == [Data("x", b"[]")]
    (event,) = line.tick(0.01)
    assert isinstance(event, Dead)
    assert "login" in event.reason


def test_already_logged_in_is_a_success() -> None:
    """91005 says what we wanted to hear; once ready it means nothing."""
    line = Line("spot", private=True)
    assert line.hear(spot_error(91005, "login")) == [Ready()]
    assert line.hear(spot_error(91005, "login")) == []


def test_a_key_that_goes_bad_later_ends_the_connection() -> None:
    """The exchange may refuse a login after the fact."""
    line = Line("spot", private=True)
    assert line.hear('{"event":"login"}') == [Ready()]
    (event,) = line.hear(spot_error(91003))
    assert isinstance(event, LoginRefused)
    assert not event.retry


# ---- heartbeat and allowance ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("market", "ping", "pong"), [
    ("spot", "ping", "pong"), ("futures", "ping", '{"group":"System","data":"pong+1"}'),
])  # fmt: skip
def test_pings_keep_their_rhythm(market: Market, ping: str, pong: str) -> None:
    """One every interval, whether or not there is traffic; a pong in time is all that is needed."""
    line = Line(market)
    for _ in range(5):
        assert line.protocol.deadline() == line.now + PING
        assert line.tick(PING) == []
        assert line.sent() == [ping]
        assert line.protocol.deadline() == line.now + PONG
        assert line.hear(pong) == []


@pytest.mark.parametrize("sign", ['{"table":"x","data":[]}', "not JSON", '{"event":"new"}', "pong"])
def test_any_message_is_a_sign_of_life(sign: str) -> None:
    """A line full of data lives, even if the pong is late or the message unreadable."""
    line = Line()
    line.tick(PING)
    line.hear(sign, after=PONG - 0.01)
    assert line.tick(0.02) == []
    assert not any(isinstance(event, Dead) for event in line.tick(1))


def test_silence_after_a_ping_is_the_end() -> None:
    """After the pong time-out, and not before."""
    line = Line()
    line.tick(PING)
    line.sent()
    assert line.tick(PONG - 0.01) == []
    (event,) = line.tick(0.02)
    assert isinstance(event, Dead)
    assert "ping" in event.reason
    assert (line.hear("pong"), line.protocol.deadline()) == ([], NEVER)


def test_the_allowance_of_messages_is_kept() -> None:
    """Not more than 100 in 10 s, a few of them free for pings; what is above it goes out as soon as it may."""
    line = Line(limits=SocketLimits(1000, 1, 1, 4000))
    line.want(*(f"t{n}" for n in range(120)))
    sent: list[str] = []
    while frames := line.sent():
        ((_, (topic,)),) = frames
        sent.append(topic)
        line.acknowledge(topic)
    assert len(sent) == 95
    assert line.protocol.deadline() == 100.0 + 10.0
    line.tick(9.99)
    assert line.sent() == []
    line.tick(0.01)
    frames = line.sent()
    assert "ping" in frames
    assert ("subscribe", ["t95"]) in frames


def test_requests_keep_to_the_allowance_too() -> None:
    """For what is held, once each; what is above the allowance waits, what was dropped is forgotten."""
    line = Line(limits=SocketLimits(1000, 1, 200, 9000))
    topics = [f"t{n}" for n in range(110)]
    line.want(*topics)
    line.protocol.request(line.now, "t0")
    assert len(line.sent()) == 1
    line.acknowledge(*topics)
    line.protocol.request(line.now, "stranger")
    for topic in topics:
        line.protocol.request(line.now, topic)
    line.protocol.request(line.now, "t105")
    assert line.sent() == [("request", [topic]) for topic in topics[:94]]
    assert line.protocol.deadline() == 110.0
    line.drop("t100")
    line.tick(10.0)
    sent = line.sent()
    assert [args for verb, args in sent[1:-1]] == [[topic] for topic in topics[94:] if topic != "t100"]
    assert (sent[0], sent[-1]) == ("ping", ("unsubscribe", ["t100"]))


def test_the_allowance_is_kept_at_any_time_of_day() -> None:
    """The deadline that the protocol names has its effect when it comes, whatever rounding makes of the sum."""
    for step in range(500):
        protocol = make("spot", limits=SocketLimits(1000, 1, 1, 4000, messages=8, messages_per=9.9))
        start = 0.1 * step + 0.1
        protocol.opened(start)
        protocol.want(start, ["a", "b", "c", "d"])
        assert len(protocol.take_outgoing(start)) == 1
        for topic in "abc":
            protocol.receive([(False, b'{"event":"subscribe","topic":"%b"}' % topic.encode())], start + 0.3)
        assert len(protocol.take_outgoing(start + 0.3)) == 2
        now = protocol.deadline()
        assert now == start + 9.9
        protocol.tick(now)
        assert protocol.take_outgoing(now) == ['{"op":"subscribe","args":["d"]}']


# ---- what cannot be read --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("binary", "payload"),
    [
        (False, b"{"),
        (False, b"[1,2]"),
        (False, b'{"table":"a\xff"}'),
        (False, b""),
        (False, b'{"event":"subscribe","topic":"a","x":"%b"}' % (b"x" * 10_000)),
        (False, b'{"data":' + b"[" * 9000),
        (True, b"not deflate"),
        (True, b""),
        (True, deflated(b'{"event":"login"}')[:-3]),
        (True, deflated(b'{"event":"login"}') + b"x"),
        (True, zlib.compress(b'{"event":"login"}')),
        (True, deflated(b" " * 10_001)),
        (True, deflated(b"{")),
    ],
)
def test_what_cannot_be_read_is_an_event(binary: bool, payload: bytes) -> None:
    """Bad JSON, bad UTF-8, the wrong shape, broken or oversized compression: told, skipped, and the rest goes on."""
    line = Line()
    line.want("a")
    good = (False, b'{"event":"subscribe","topic":"a"}')
    malformed, acknowledged = line.protocol.receive([(binary, payload), good], line.now)
    assert isinstance(malformed, Malformed)
    assert malformed.reason
    assert len(malformed.excerpt) <= 100
    assert acknowledged == TopicHeld("a")


def test_what_means_nothing_is_an_event() -> None:
    """A well-formed frame that nobody knows is passed on as its text, shortened."""
    text = json.dumps({"event": "news", "text": "x" * 1000})
    assert Line().hear(text) == [Unknown(text[:200])]


def test_data_comes_out_in_order() -> None:
    """Text and deflate mixed, pushes around acknowledgements: as on the wire."""
    line = Line()
    line.want("a")
    line.sent()
    batch = [
        (True, deflated(b'{"table":"t","data":[1]}')),
        (False, b'{"event":"subscribe","topic":"a"}'),
        (False, b'{"table":"t","data":[2]}'),
        (True, b"?"),
        (True, deflated(b'{"table":"t","data":[3]}')),
    ]
    events = line.protocol.receive(batch, line.now)
    assert [type(event) for event in events] == [Data, TopicHeld, Data, Malformed, Data]
    assert [event.raw for event in events if isinstance(event, Data)] == [b"[1]", b"[2]", b"[3]"]


def test_only_more_than_data_stirs_the_driver() -> None:
    """A batch of pushes gives the driver nothing to send and no earlier deadline."""
    line = Line()
    stirred: list[bool] = []
    for batch in (["data"], ["data", "answer"], ["data"]):
        texts = {"data": '{"table":"t","data":[1]}', "answer": line.answer("a")}
        line.hear(*(texts[name] for name in batch))
        stirred.append(line.protocol.stirred)
    assert stirred == [False, True, False]
