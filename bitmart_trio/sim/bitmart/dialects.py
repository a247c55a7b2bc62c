"""The protocols of the sockets: spot uses ``op`` and numeric codes, futures ``action`` and texts.

A dialect handles one message and answers through its connection; it never waits. If the exchange's documentation leaves
a case open, a comment beside the code notes the choice made here.
"""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Callable
from random import Random
from typing import Final

import attrs

from ..kernel.accounts import Account, Accounts, ApiKey
from ..kernel.encoding import Json, read_object
from ..kernel.feed import Feed, FeedChannel, Frame
from ..kernel.talk import Line, listen
from .gate import signature

SIGNED_WORD = "bitmart.WebSocket"
LOGIN_TOLERANCE_MS = 60_000

CODES: Final[dict[str, str]] = {
    "90001": "Invalid message format",
    "90002": "Invalid op param",
    "90003": "Invalid args param",
    "90004": "Invalid channel param",
    "90005": "Topic quantity in single subscription exceeds limit",
    "90006": "Subscribed total topic quantity exceeds limit",
    "90007": "Subscribed message frequency exceeds limit, please try later",
    "90008": "Duplicate subscription",
    "90009": "Invalid subscription",
    "91001": "API KEY is empty",
    "91002": "API KEY not found",
    "91003": "API KEY has frozen",
    "91004": "API KEY over expire time",
    "91005": "Already logged in",
    "91006": "User must be logged in",
    "91010": "Param sign is empty",
    "91011": "Param sign is wrong",
    "91021": "Param timestamp is empty",
    "91022": "Param timestamp range. Within a minute",
    "91023": "Param timestamp invalid format",
    "92001": "Invalid symbol param",
    "94001": "Frequently reestablishing connections in a short period of time",
    "94002": "The number of connections established between a single IP and the server exceeds the upper limit",
    "95000": "Internal system error",
}
"""The spot side's codes and texts."""

TOO_MANY: Final = {"messages": "90007", "connects": "94001", "connections": "94002"}
"""The codes for an exceeded limit."""

MASKED_CHARACTERS = 10
"""The number of characters of a key in a futures refusal."""


class _Login:
    """The checks of a login on both markets: the result is the account, or the code of the first failed check."""

    def __init__(self, accounts: Accounts, now_ms: int, address: str, args: list[Json]) -> None:
        texts = [_word(arg) for arg in args[:3]]
        self.key, self.timestamp, self.sign = (*texts, "", "", "")[:3]
        self._accounts = accounts
        self._now_ms = now_ms
        self._address = address

    def check(self) -> Account | str:
        """Return the account of the key, or a code of `CODES`."""
        if not self.key:
            return "91001"
        found = self._accounts.by_key(self.key)
        if found is None:
            return "91002"
        account, record = found
        return self._check_key(record) or self._check_time() or self._check_sign(record) or account

    def _check_key(self, record: ApiKey) -> str | None:
        if record.frozen:
            return "91003"
        if record.expires_ms is not None and self._now_ms >= record.expires_ms:
            return "91004"
        # No code is documented for an address that the key does not allow; the key counts as unknown there.
        return "91002" if record.ips and self._address not in record.ips else None

    def _check_time(self) -> str | None:
        if not self.timestamp:
            return "91021"
        if not (self.timestamp.isascii() and self.timestamp.isdigit() and len(self.timestamp) <= 16):
            return "91023"
        apart = abs(int(self.timestamp) - self._now_ms)
        return "91022" if apart > LOGIN_TOLERANCE_MS else None

    def _check_sign(self, record: ApiKey) -> str | None:
        if not self.sign:
            return "91010"
        right = signature(record.secret, self.timestamp, record.memo, SIGNED_WORD)
        return None if hmac.compare_digest(right.encode(), self.sign.encode(errors="replace")) else "91011"


def _word(value: Json) -> str:
    """Return an argument as text: some clients send the timestamp as a number."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _verb(message: dict[str, Json], name: str) -> str:
    value = message.get(name)
    return value if isinstance(value, str) else ""


def _topics(args: Json) -> list[str] | None:
    """Return the arguments as topics; None unless they are a non-empty list of texts."""
    if not isinstance(args, list) or not args:
        return None
    topics = [arg for arg in args if isinstance(arg, str) and arg]
    return topics if len(topics) == len(args) else None


def _answer_request(connection: Line, topic: str, channel: FeedChannel, rest: str) -> bool:
    """Send the newest state of a channel; return False if the channel does not accept the request verb."""
    if channel.asked is None:
        return False
    for frame in channel.asked(rest, connection.account):
        connection.push(topic, frame)
    return True


@attrs.frozen
class _Dialect:
    """The common base of both markets' dialects."""

    line: Line
    feed: Feed
    accounts: Accounts
    now_ms: Callable[[], int]


class SpotDialect(_Dialect):
    """The spot side: ``{"op":...,"args":[...]}``, the words ping and pong, one answer per topic, numeric codes."""

    def hear(self, text: str) -> None:
        """Handle one message of the client."""
        if text == "ping":
            self.line.pong("pong")
            return
        message = read_object(text)
        if message is None:
            self._refuse(None, "90001")
            return
        op, args = _verb(message, "op"), message.get("args")
        match op:
            case "login":
                self._login(args if isinstance(args, list) else [])
            case "subscribe" | "unsubscribe" | "request":
                self._each(op, args)
            case _:
                self._refuse(None, "90002")

    def turn_away(self, why: str) -> None:
        """Send the error of an exceeded limit, which answers no message."""
        self._refuse(None, TOO_MANY[why])

    def _each(self, op: str, args: Json) -> None:
        topics = _topics(args)
        most = self.line.most_args
        if topics is None:
            self._refuse(op, "90003")
        elif most is not None and len(topics) > most:
            self._refuse(op, "90005")
        else:
            act = {"subscribe": self._subscribe, "unsubscribe": self._unsubscribe, "request": self._request}[op]
            for topic in topics:
                act(topic)

    def _subscribe(self, topic: str) -> None:
        connection = self.line
        found = self.feed.find(connection.kind, topic)
        fault = connection.refused_topic(topic)
        limit = connection.most_topics
        if fault is not None:
            self._refuse("subscribe", *fault)
        elif found == "channel":
            self._refuse("subscribe", "90004")
        elif connection.kind == "spot/private" and connection.account is None:
            self._refuse("subscribe", "91006")
        elif found == "filter":
            # The only documented example of this code lacks the event.
            self._refuse(None, "92001")
        elif topic in connection.topics:
            self._refuse("subscribe", "90008")
        elif limit is not None and len(connection.topics) >= limit:
            self._refuse("subscribe", "90006")
        else:
            if not connection.loses_ack(topic):
                connection.say({"event": "subscribe", "topic": topic})
            listen(self.feed, connection, topic, *found)

    def _unsubscribe(self, topic: str) -> None:
        stop = self.line.topics.pop(topic, None)
        if stop is None:
            self._refuse("unsubscribe", "90009")
            return
        stop()
        if not self.line.loses_ack(topic):
            self.line.say({"event": "unsubscribe", "topic": topic})

    def _request(self, topic: str) -> None:
        found = self.feed.find(self.line.kind, topic)
        if found == "filter":
            self._refuse(None, "92001")
        elif found == "channel" or not _answer_request(self.line, topic, *found):
            self._refuse("request", "90004")

    def _login(self, args: list[Json]) -> None:
        connection = self.line
        if connection.account is not None:
            self._refuse("login", "91005")
            return
        if connection.breaks_at_login():
            connection.drop()
            return
        outcome = _Login(self.accounts, self.now_ms(), connection.address, args).check()
        fault = connection.refused_login()
        if fault is None and not isinstance(outcome, str):
            connection.account = outcome
            connection.say({"event": "login"})
            return
        if fault is not None:
            self._refuse("login", *fault)
        elif isinstance(outcome, str):
            self._refuse("login", outcome)
        connection.close()

    def _refuse(self, event: str | None, code: str, text: str = "") -> None:
        words: Frame = {"errorCode": code, "errorMessage": text or CODES.get(code, "")}
        if event is None:
            self.line.say({"errorMessage": words["errorMessage"], "errorCode": code})
        else:
            self.line.say({"event": event, **words})


@attrs.frozen
class FuturesDialect(_Dialect):
    """The futures side: ``{"action":...,"args":[...]}``, JSON pings, one answer per topic, texts for errors."""

    random: Random

    def hear(self, text: str) -> None:
        """Handle one message of the client."""
        message = read_object(text)
        if message is None:
            self._say({"success": False, "error": f"Invalid message: message must be JSON: {text}"})
            return
        action, args = _verb(message, "action"), message.get("args")
        match action:
            case "ping":
                self.line.pong(json.dumps({"group": "System", "data": f"pong+{self._uuid()}"}, separators=(",", ":")))
            case "access" | "login":
                self._login(action, args if isinstance(args, list) else [])
            case "subscribe" | "unsubscribe" | "request":
                topics = _topics(args)
                if topics is None:
                    # Undocumented: the text is invented, its format is not.
                    self._say({"action": action, "success": False, "error": "Invalid args", "request": message})
                    return
                act = {"subscribe": self._subscribe, "unsubscribe": self._unsubscribe, "request": self._request}[action]
                for topic in topics:
                    act(topic, message)
            case _:
                topic = (_topics(args) or [""])[0]
                self._say({"action": "", "success": False, "error": f"Invalid action [{action}] for group [{topic}]"})

    def turn_away(self, why: str) -> None:
        """Send the error of an exceeded limit; this market has no codes."""
        self._say({"success": False, "error": CODES[TOO_MANY[why]]})

    def _subscribe(self, topic: str, request: dict[str, Json]) -> None:
        connection = self.line
        found = self.feed.find(connection.kind, topic)
        fault = connection.refused_topic(topic)
        if fault is not None:
            self._fail("subscribe", topic, fault[1] or "Internal system error", request)
        elif self._needs_login(topic):
            error = f"{topic.partition(':')[0]} need authenication"
            self._say({"action": "subscribe", "group": topic, "success": False, "error": error})
        elif found == "channel" or found == "filter":
            self._fail("subscribe", topic, _not_found(topic), request)
        else:
            held = topic in connection.topics
            if not connection.loses_ack(topic):
                self._confirm("subscribe", topic, request)
            if not held:
                listen(self.feed, connection, topic, *found)

    def _unsubscribe(self, topic: str, request: dict[str, Json]) -> None:
        connection = self.line
        stop = connection.topics.pop(topic, None)
        if stop is not None:
            stop()
        elif isinstance(self.feed.find(connection.kind, topic), str):
            self._say({"action": "unsubscribe", "group": topic, "success": False, "error": _not_found(topic)})
            return
        # An existing topic without a subscription is confirmed too, like a second subscription.
        if not connection.loses_ack(topic):
            self._confirm("unsubscribe", topic, request)

    def _request(self, topic: str, request: dict[str, Json]) -> None:
        connection = self.line
        found = self.feed.find(connection.kind, topic)
        if found == "channel" or found == "filter":
            self._fail("request", topic, _not_found(topic), request)
        elif not _answer_request(connection, topic, *found):
            self._fail("request", topic, f"Invalid action [request] for group [{topic}]", request)

    def _login(self, action: str, args: list[Json]) -> None:
        connection = self.line
        if connection.breaks_at_login():
            connection.drop()
            return
        login = _Login(self.accounts, self.now_ms(), connection.address, args)
        outcome = login.check()
        fault = connection.refused_login()
        if fault is None and not isinstance(outcome, str):
            connection.account = outcome
            self._say({"action": action, "success": True})
            return
        error = f"access failed: openapi auth: apiKey {login.key[:MASKED_CHARACTERS]}**** failed: openapi auth failed"
        if fault is not None and fault[1]:
            error = fault[1]
        self._say({"action": action, "success": False, "error": error})
        connection.close()

    def _needs_login(self, topic: str) -> bool:
        """Return True if the topic is private and the connection has no login, or does not allow one."""
        if isinstance(self.feed.find("futures/private", topic), str):
            return False
        return self.line.account is None or self.line.kind != "futures/private"

    def _confirm(self, action: str, topic: str, request: dict[str, Json]) -> None:
        self._say({"action": action, "group": topic, "success": True, "request": request})

    def _fail(self, action: str, topic: str, error: str, request: dict[str, Json]) -> None:
        self._say({"action": action, "group": topic, "success": False, "error": error, "request": request})

    def _say(self, frame: Frame) -> None:
        self.line.say(frame)

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))


def _not_found(topic: str) -> str:
    """Return the text for a topic that does not exist; another text is documented for a topic of no futures channel."""
    return f"Invalid channel: not found {topic}" if topic.startswith("futures/") else f"group [{topic}] not exist"
