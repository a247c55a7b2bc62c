"""A connection protocol against a server of our own: whatever the order of events, it ends up holding what is wanted.

The server answers as either market's does, late, and in the two ways that a batch with a bad topic may be taken.
Checked all the time: one frame is outstanding, no limit is exceeded, every deadline that the protocol names leads to
progress, and nobody who wants a topic waits for ever.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, Literal

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from proof_sizes import EXAMPLES

from bitmart_trio._bitmart.sockets import dialect
from bitmart_trio._core.connection_events import Dead, Event, TopicHeld, TopicRefused
from bitmart_trio._core.connection_protocol import ConnectionProtocol, Waits
from bitmart_trio._core.dialect import Data, Push, SocketLimits
from bitmart_trio.config import Market

# Narrow, so that a few topics are enough to reach them.
LIMITS: Final = SocketLimits(100, 1, 4, 150, messages=14, messages_per=10.0)
GOOD: Final = tuple(f"m/good:{n}" for n in range(9))
BAD: Final = tuple(f"m/bad:{n}" for n in range(3))

Mood = Literal["takes the good ones", "refuses the batch"]


class Server:
    """The other end: what it holds, and what it is about to say."""

    def __init__(self, market: Market, mood: Mood, delay: float, shuffle: int) -> None:
        self.market = market
        self.mood = mood
        self.delay = delay
        self.shuffle = shuffle
        self.held: set[str] = set()
        self.to_say: deque[tuple[float, str]] = deque()
        self.unanswered = 0
        """Answers to subscribe and unsubscribe frames that have not been given."""
        self.heard: list[float] = []

    def hear(self, text: str, now: float) -> None:
        self.heard.append(now)
        assert len([time for time in self.heard if time > now - LIMITS.messages_per]) <= LIMITS.messages
        assert len(text.encode()) <= LIMITS.frame_bytes
        if text == "ping":
            self.say(now, "pong")
            return
        frame = json.loads(text)
        verb = frame.get("op") or frame["action"]
        if verb == "ping":
            self.say(now, '{"group":"System","data":"pong"}')
            return
        topics = frame["args"]
        assert 1 <= len(topics) <= LIMITS.topics_per_frame
        if verb == "request":
            self.push(now, topics[0])
            return
        assert self.unanswered == 0, "a second frame while one was outstanding"
        answers = self.subscribe(topics) if verb == "subscribe" else self.unsubscribe(topics)
        if self.shuffle % 2:
            answers.reverse()
        self.unanswered += len(answers)
        for answer in answers:
            self.say(now, answer)

    def subscribe(self, topics: list[str]) -> list[str]:
        if self.market == "spot" and self.mood == "refuses the batch" and any(topic in BAD for topic in topics):
            return [self.no(92001)]
        answers: list[str] = []
        for topic in topics:
            if topic in BAD:
                answers.append(self.no(92001, topic))
            elif topic in self.held and self.market == "spot":
                answers.append(self.no(90008))
            else:
                answers.append(self.yes("subscribe", topic))
                self.held.add(topic)
        return answers

    def unsubscribe(self, topics: list[str]) -> list[str]:
        answers: list[str] = []
        for topic in topics:
            known = topic in self.held
            self.held.discard(topic)
            answers.append(self.yes("unsubscribe", topic) if known else self.no(90009, topic, "unsubscribe"))
        return answers

    def yes(self, verb: str, topic: str) -> str:
        if self.market == "spot":
            return json.dumps({"event": verb, "topic": topic})
        return json.dumps({"action": verb, "group": topic, "success": True})

    def no(self, code: int, topic: str = "", verb: str = "subscribe") -> str:
        if self.market == "spot":
            return json.dumps({"errorCode": str(code), "errorMessage": ""})
        return json.dumps({"action": verb, "group": topic, "success": False, "error": "no"})

    def push(self, now: float, topic: str) -> None:
        key = "table" if self.market == "spot" else "group"
        self.say(now, json.dumps({key: topic, "data": []}))

    def say(self, now: float, text: str) -> None:
        due = now + self.delay
        self.to_say.append((max(due, self.to_say[-1][0]) if self.to_say else due, text))


class Conversation(RuleBasedStateMachine):
    """Wants, drops, requests, pushes and the passing of time, in any order."""

    protocol: ConnectionProtocol
    server: Server

    @initialize(
        market=st.sampled_from(["spot", "futures"]),
        mood=st.sampled_from(["takes the good ones", "refuses the batch"]),
        delay=st.sampled_from([0.0, 0.05, 0.3, 0.45, 2.0]),
        shuffle=st.integers(0, 1),
        start=st.sampled_from([0.0, 0.1, 1e6 + 1 / 3]),
    )
    def open(self, market: Market, mood: Mood, delay: float, shuffle: int, start: float) -> None:
        self.now = start
        self.server = Server(market, mood, delay, shuffle)
        self.protocol = ConnectionProtocol(
            dialect(market),
            LIMITS,
            Waits(ping_interval=4.0, pong_timeout=3.0, login_timeout=8.0, acknowledge_timeout=5.0),
            private=False,
            ceiling=10_000,
        )
        self.wanted: dict[str, bool] = {}
        """Topics that somebody wants, and whether he was told that they are held."""
        self.handle(self.protocol.opened(self.now))

    def handle(self, events: Sequence[Event | Push]) -> None:
        for event in events:
            assert not isinstance(event, Dead), event
            if isinstance(event, TopicHeld):
                assert self.wanted[event.topic] is False, "told twice, or told to nobody"
                assert event.topic in GOOD
                self.wanted[event.topic] = True
            elif isinstance(event, TopicRefused):
                assert event.topic in BAD
                assert self.wanted.pop(event.topic) is False
            elif isinstance(event, Data):
                pass

    def flush(self) -> None:
        for text in self.protocol.take_outgoing(self.now):
            self.server.hear(text, self.now)

    def run(self, until: float) -> None:
        """The driver: frames out, frames in, and a tick whenever one is due."""
        self.flush()
        while True:
            deadline = self.protocol.deadline()
            say = self.server.to_say[0][0] if self.server.to_say else until
            upcoming = max(self.now, min(deadline, say))
            if upcoming >= until:
                self.now = max(self.now, until)
                return
            self.now = upcoming
            if self.server.to_say and self.server.to_say[0][0] <= self.now:
                _, text = self.server.to_say.popleft()
                if '"group": "System"' not in text and text != "pong" and '"data"' not in text:
                    self.server.unanswered -= 1
                self.handle(self.protocol.receive([(False, text.encode())], self.now))
            else:
                self.handle(self.protocol.tick(self.now))
                assert self.protocol.deadline() > self.now, "a deadline that would spin"
            self.flush()

    @rule(topics=st.lists(st.sampled_from(GOOD + BAD), min_size=1, max_size=8))
    def want(self, topics: list[str]) -> None:
        for topic in topics:
            self.wanted.setdefault(topic, False)
        self.protocol.want(self.now, topics)
        self.flush()

    @rule(topics=st.lists(st.sampled_from(GOOD + BAD), min_size=1, max_size=8))
    def drop(self, topics: list[str]) -> None:
        for topic in topics:
            self.wanted.pop(topic, None)
        self.protocol.drop(self.now, topics)
        self.flush()

    @rule(topic=st.sampled_from(GOOD + BAD))
    def request(self, topic: str) -> None:
        self.protocol.request(self.now, topic)
        self.flush()

    @rule(topic=st.sampled_from(GOOD))
    def push(self, topic: str) -> None:
        self.server.push(self.now, topic)

    @rule(seconds=st.sampled_from([0.0, 0.01, 0.1, 0.3, 0.5, 1.0, 3.0, 9.99, 10.0]))
    def wait(self, seconds: float) -> None:
        self.run(self.now + seconds)

    @invariant()
    def nobody_is_told_of_what_is_not_held(self) -> None:
        told = {topic for topic, held in getattr(self, "wanted", {}).items() if held}
        if told:
            assert told <= set(self.protocol.held)

    def teardown(self) -> None:
        if not hasattr(self, "session"):
            return
        self.run(self.now + 300.0)
        assert set(self.protocol.held) == set(self.wanted) == self.server.held
        assert all(self.wanted.values()), "somebody waits for ever"
        assert self.protocol.take_outgoing(self.now) == []


Conversation.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=40)
TestConversation: Any = pytest.mark.proof(Conversation.TestCase)
