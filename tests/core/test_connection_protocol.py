"""A connection's subscriptions: what is asked for when, what each answer means, and how topics are let go."""

from __future__ import annotations

import json

import pytest
from protocol_kit import (
    ACKNOWLEDGE,
    NEVER,
    Line,
    futures_error,
    held,
    refusals,
    spot_error,
)

from bitmart_trio._core.connection_events import Complaint, Dead, TopicRefused
from bitmart_trio._core.dialect import Data, Unknown
from bitmart_trio.config import Market
from bitmart_trio.errors import (
    AuthenticationError,
    ExchangeFault,
    InvalidSymbol,
    RateLimited,
    SubscriptionRefused,
)

# ---- subscribing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("market", ["spot", "futures"])
def test_one_frame_is_outstanding_and_its_answers_may_come_in_any_order(market: Market) -> None:
    """The next frame waits for the last answer; pushes may come before it; nothing is subscribed twice."""
    line = Line(market)
    line.want("t1", "t2", "t3")
    assert line.sent() == [("subscribe", ["t1", "t2", "t3"])]
    line.want("t4", "t5")
    line.want("t1")
    key = "table" if market == "spot" else "group"
    assert line.hear(json.dumps({key: "t2", "data": 1})) == [Data("t2", b"1")]
    assert held(line.acknowledge("t3", "t1")) == ["t3", "t1"]
    assert (line.sent(), line.held) == ([], ["t3", "t1"])
    assert held(line.acknowledge("t2")) == ["t2"]
    assert line.sent() == [("subscribe", ["t4", "t5"])]
    assert held(line.acknowledge("t4", "t5")) == ["t4", "t5"]
    assert line.sent() == []
    assert line.acknowledge("t5") == []


def test_frames_keep_to_the_count_and_the_bytes() -> None:
    """Spot takes 20 topics a frame, futures about 2,000 bytes."""
    spot = Line("spot")
    spot.want(*(f"spot/ticker:{n}_USDT" for n in range(45)))
    counts = []
    while frames := spot.sent():
        ((_, topics),) = frames
        counts.append(len(topics))
        spot.acknowledge(*topics)
    assert counts == [20, 20, 5]
    futures = Line("futures")
    futures.want(*(f"futures/depthIncrease50:LONGNAME{n:03}USDT@100ms" for n in range(100)))
    sizes = []
    while texts := futures.protocol.take_outgoing(futures.now):
        sizes.append(len(texts[0].encode()))
        futures.acknowledge(*json.loads(texts[0])["args"])
    assert max(sizes) <= 2000
    assert len(futures.held) == 100


def test_a_subscription_that_is_never_answered_is_the_end() -> None:
    """Then the connection is of no use; the reason names the topics."""
    line = Line()
    line.want("t1", "t2")
    line.acknowledge("t1", after=1)
    assert line.protocol.deadline() == 100 + ACKNOWLEDGE
    assert line.tick(ACKNOWLEDGE - 1.01) == []
    (event,) = line.tick(0.01)
    assert isinstance(event, Dead)
    assert "t2" in event.reason
    assert "t1" not in event.reason


def test_an_answer_may_lack_or_bear_a_speed() -> None:
    """Futures names come back with or without their suffix."""
    line = Line("futures")
    line.want("futures/x:A@100ms", "futures/x:A", "futures/x:B")
    assert held(line.acknowledge("futures/x:A", "futures/x:A", "futures/x:B@200ms")) == [
        "futures/x:A",
        "futures/x:A@100ms",
        "futures/x:B",
    ]
    line.want("futures/x:C@100ms")
    assert refusals(line.hear(futures_error("futures/x:C"))) == {"futures/x:C@100ms": SubscriptionRefused}


def test_an_answer_to_nothing_is_held_to_nothing() -> None:
    """An acknowledgement without a topic, of an unsubscribe, or of what was never asked, disturbs nothing."""
    line = Line()
    line.want("t1")
    line.sent()
    assert line.hear('{"event":"subscribe"}') == [Unknown('{"event":"subscribe"}')]
    assert line.acknowledge("t1", verb="unsubscribe") == []
    assert held(line.acknowledge("t1")) == ["t1"]
    assert (line.sent(), line.held) == ([], ["t1"])
    assert line.acknowledge("stranger") == []
    assert line.sent() == [("unsubscribe", ["stranger"])]


# ---- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [None, "subscribe"])
def test_an_error_without_a_topic_means_the_only_one_asked_for(event: str | None) -> None:
    """The topic is refused with the exchange's code, and is not asked for again."""
    line = Line()
    line.want("bad")
    line.sent()
    (refused,) = line.hear(spot_error(92001, event))
    assert isinstance(refused, TopicRefused)
    assert isinstance(refused.error, SubscriptionRefused)
    assert (refused.topic, refused.error.topic, refused.error.code) == ("bad", "bad", 92001)
    assert (line.sent(), line.held, line.tick(1)) == ([], [], [])


def test_an_error_for_a_batch_is_tracked_down() -> None:
    """The good ones' answers are waited for, then the rest is asked for one by one."""
    line = Line()
    line.want("a", "bad", "c", "d")
    line.sent()
    assert held(line.acknowledge("a")) == ["a"]
    assert line.hear(spot_error(90004, "subscribe")) == []
    assert line.protocol.deadline() == line.now + 0.5
    assert held(line.acknowledge("d", after=0.1)) == ["d"]
    assert (line.tick(0.49), line.sent()) == ([], [])
    line.tick(0.01)
    assert line.sent() == [("subscribe", ["bad"])]
    assert refusals(line.hear(spot_error(90004))) == {"bad": SubscriptionRefused}
    assert line.sent() == [("subscribe", ["c"])]
    assert held(line.hear(spot_error(90008))) == ["c"]
    assert (line.sent(), sorted(line.held)) == ([], ["a", "c", "d"])


def test_answers_that_trickle_in_after_an_error_are_waited_for() -> None:
    """As long as they keep coming: a late one would be taken for the answer to the next frame."""
    line = Line()
    line.want("a", "bad", "c", "d")
    line.sent()
    line.hear(spot_error(92001))
    for topic in ("a", "c", "d"):
        assert (line.tick(0.4), line.sent()) == ([], [])
        assert held(line.acknowledge(topic)) == [topic]
    line.tick(0.5)
    assert line.sent() == [("subscribe", ["bad"])]
    assert refusals(line.hear(spot_error(92001))) == {"bad": SubscriptionRefused}


def test_new_topics_go_before_the_doubtful_ones() -> None:
    """One bad topic among many does not hold up those that were wanted later."""
    line = Line()
    line.want("x", "bad")
    line.sent()
    line.hear(spot_error(92001))
    line.want("new1", "new2")
    line.tick(0.5)
    assert line.sent() == [("subscribe", ["new1", "new2"])]
    line.acknowledge("new1", "new2")
    assert line.sent() == [("subscribe", ["x"])]


def test_a_duplicate_is_a_success() -> None:
    """90008: alone at once; in a batch once all open topics are accounted for, else one by one."""
    line = Line()
    line.want("a")
    line.sent()
    assert held(line.hear(spot_error(90008, "subscribe"))) == ["a"]
    line.want("b", "c", "d")
    line.sent()
    assert line.hear(spot_error(90008), spot_error(90008)) == []
    assert held(line.acknowledge("d")) == ["d"]
    assert held(line.tick(0.5)) == ["b", "c"]
    line.want("e", "f")
    line.sent()
    line.hear(spot_error(90008))
    assert line.tick(0.5) == []
    assert line.sent() == [("subscribe", ["e"])]
    assert held(line.hear(spot_error(90008))) == ["e"]
    assert line.sent() == [("subscribe", ["f"])]
    assert held(line.acknowledge("f")) == ["f"]


def test_a_repeated_success_on_futures_changes_nothing() -> None:
    """There a topic that is held is simply acknowledged again."""
    line = Line("futures")
    line.want("a")
    assert held(line.acknowledge("a", "a")) == ["a"]
    assert line.sent() == [("subscribe", ["a"])]


@pytest.mark.parametrize("code", [90005, 90006, 90009, 12345])
def test_other_codes_refuse_the_topic(code: int) -> None:
    """A connection that is full refuses a topic; it is not the end of the others."""
    line = Line()
    line.want("a")
    (event,) = line.hear(spot_error(code))
    assert isinstance(event, TopicRefused)
    assert event.error.code == code
    assert line.protocol.deadline() < NEVER


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (91006, AuthenticationError),
        (90007, RateLimited),
        (94001, RateLimited),
        (94002, RateLimited),
        (95000, ExchangeFault),
    ],
)
@pytest.mark.parametrize("topics", [[], ["a"], ["a", "b"]])
def test_some_codes_mean_the_whole_connection(code: int, cause: type[Exception], topics: list[str]) -> None:
    """Limits, faults and a lost login: give it up, whatever was outstanding."""
    line = Line()
    line.want(*topics)
    *_, event = line.hear(spot_error(code), line.answer("a"))
    assert isinstance(event, Dead)
    assert type(event.cause) is cause
    assert (line.sent(), line.protocol.deadline(), line.tick(1000)) == ([], NEVER, [])


def test_futures_errors_name_their_topic() -> None:
    """The others of the frame are not touched."""
    line = Line("futures")
    line.want("a", "bad", "c")
    line.sent()
    assert refusals(line.hear(futures_error("bad"))) == {"bad": SubscriptionRefused}
    assert held(line.acknowledge("c", "a")) == ["c", "a"]
    assert line.sent() == []


def test_a_private_topic_on_a_connection_without_login() -> None:
    """The server's misspelt complaint is an authentication error of that topic."""
    line = Line("futures")
    line.want("futures/order")
    events = line.hear(futures_error("futures/order", text="futures/order need authenication"))
    assert refusals(events) == {"futures/order": AuthenticationError}


def test_futures_may_be_temporarily_unable() -> None:
    """That is no refusal of the topic: the connection is tried again later."""
    line = Line("futures")
    line.want("a")
    (event,) = line.hear(futures_error("a", text="authentication is temporarily unavailable"))
    assert isinstance(event, Dead)


def test_an_error_about_something_else_is_not_blamed_on_the_topic() -> None:
    """A named stranger, another verb, or nothing outstanding: told, but nothing is given up for it."""
    futures = Line("futures")
    futures.want("a")
    (event,) = futures.hear(futures_error("stranger"))
    assert isinstance(event, Complaint)
    (event,) = futures.hear(futures_error("a", "unsubscribe"))
    assert isinstance(event, Complaint)
    assert held(futures.acknowledge("a")) == ["a"]
    spot = Line()
    spot.want("a")
    (event,) = spot.hear(spot_error(90009, "unsubscribe"))
    assert isinstance(event, Complaint)
    assert held(spot.acknowledge("a")) == ["a"]
    (event,) = spot.hear(spot_error(92001))
    assert isinstance(event, Complaint)
    assert isinstance(event.error, InvalidSymbol)


# ---- letting go -----------------------------------------------------------------------------------------------------


def test_what_is_dropped_is_unsubscribed() -> None:
    """And the acknowledgement is the end of it."""
    line = Line()
    line.want("a", "b", "c")
    line.acknowledge("a", "b", "c")
    line.sent()
    line.drop("a", "c", "never wanted")
    assert line.sent() == [("unsubscribe", ["a", "c"])]
    assert line.acknowledge("c", "a", verb="unsubscribe") == []
    assert (line.held, line.sent()) == (["b"], [])


def test_what_is_dropped_while_it_is_asked_for_is_unsubscribed_when_it_comes() -> None:
    """Not before: the answers tell whether there is something to let go. Nobody is told that it is held."""
    line = Line()
    line.want("a", "b")
    line.sent()
    line.drop("a")
    assert line.sent() == []
    assert held(line.acknowledge("a", "b")) == ["b"]
    assert line.sent() == [("unsubscribe", ["a"])]


def test_what_is_dropped_and_refused_is_nobodys_concern() -> None:
    """No event, no second try."""
    line = Line()
    line.want("bad")
    line.drop("bad")
    assert line.hear(spot_error(92001)) == []
    line.want("x", "worse")
    line.sent()
    line.hear(spot_error(92001))
    line.drop("worse", "x")
    assert line.tick(0.5) == []
    assert line.sent() == []


def test_wanted_again_before_it_was_let_go() -> None:
    """Dropped and wanted while another frame is outstanding, a topic is still held, and whoever waits is told."""
    line = Line()
    line.want("a")
    line.acknowledge("a")
    line.want("other")
    line.sent()
    line.drop("a")
    line.want("a")
    assert line.protocol.deadline() <= line.now
    assert held(line.tick()) == ["a"]
    assert line.protocol.deadline() > line.now
    line.acknowledge("other")
    assert (line.sent(), line.held) == ([], ["a", "other"])


def test_wanted_again_and_dropped_again_is_not_told() -> None:
    """Nobody waits any more."""
    line = Line()
    line.want("a")
    line.acknowledge("a")
    line.want("other")
    line.drop("a")
    line.want("a")
    line.drop("a")
    assert line.tick() == []


def test_wanted_again_while_it_is_let_go() -> None:
    """The unsubscribe is answered first, then the topic is asked for anew."""
    line = Line()
    line.want("a")
    line.acknowledge("a")
    line.drop("a")
    line.sent()
    line.want("a")
    assert (line.sent(), line.tick()) == ([], [])
    assert line.acknowledge("a", verb="unsubscribe") == []
    assert line.sent() == [("subscribe", ["a"])]
    assert held(line.acknowledge("a")) == ["a"]


@pytest.mark.parametrize("answer", [spot_error(90009, "unsubscribe"), spot_error(90009)])
def test_a_refused_unsubscribe_is_as_good_as_done(answer: str) -> None:
    """The server does not hold it: alone, and in a batch."""
    line = Line()
    line.want("a", "b", "c")
    line.acknowledge("a", "b", "c")
    line.drop("a")
    assert line.hear(answer) == []
    assert line.held == ["b", "c"]
    line.drop("b", "c")
    assert line.hear(answer) == []
    assert line.tick(0.5) == []
    assert line.held == []


def test_an_unsubscribe_without_answer_does_no_harm() -> None:
    """Nobody listens any more, so the connection lives on; the same topic can be wanted again."""
    line = Line()
    line.want("a")
    line.acknowledge("a")
    line.drop("a")
    line.sent()
    assert line.tick(ACKNOWLEDGE) == []
    assert line.held == []
    line.want("a")
    assert line.sent() == [("subscribe", ["a"])]
    assert held(line.hear(spot_error(90008))) == ["a"]
