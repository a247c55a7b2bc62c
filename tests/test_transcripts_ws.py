"""Every channel against its transcript: the exact frames that we send, and what a reader gets of the answers.

A transcript is one file a channel. After a line on its source come scenes, each a connection of its own:

* ``open:`` the opener with its arguments;
* ``>`` a frame that we send, ``<`` one that the exchange sends;
* ``=`` an item that is delivered then, its class and its fields;
* ``!`` a refusal: of which topic (or of the login), the exception, its code and text;
* ``close:`` the subscription is left.

Each scene is played twice: with the exchange's frames as text, and as raw deflate.
"""

from __future__ import annotations

import functools
import json
import warnings
import zlib
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from decimal import Decimal, InvalidOperation
from enum import Enum
from pathlib import Path
from typing import Any, Final, cast

import attrs
import trio
from every_case import every_case

from bitmart_trio._bitmart.channel import CHANNELS, Channel, find
from bitmart_trio._bitmart.venue import BitMart
from bitmart_trio._core import codec
from bitmart_trio._core.connection_events import Event, LoginRefused, Ready, TopicHeld, TopicRefused
from bitmart_trio._core.connection_protocol import ConnectionProtocol, Waits
from bitmart_trio._core.dialect import Data, Push
from bitmart_trio._io.connections import Connections
from bitmart_trio._io.gate import Gate
from bitmart_trio._io.router import Router
from bitmart_trio._io.subscription import Subscription
from bitmart_trio.config import LIVE
from bitmart_trio.credentials import Credentials
from bitmart_trio.models._rows import Levels, Row
from bitmart_trio.models.stream_events import RawPush
from bitmart_trio.streams import _futures_private as private
from bitmart_trio.streams import futures, spot

_FOLDER: Final = Path(__file__).parent / "transcripts" / "ws"

# The exchange's own worked example of a login (its secret is public and worthless).
_KEY: Final = "80618e45710812162b04892c7ee5ead4a3cc3e56"
_CREDENTIALS: Final = Credentials(_KEY, "6c6c98544461bbe71db2bca4c6d7fd0021e0ba9efc215f9c6ad41852df9d9df9", "test001")
_TIMESTAMP: Final = 1589267764859


@attrs.frozen
class Scene:
    """One connection of a transcript."""

    opener: str
    arguments: dict[str, Any]
    lines: list[tuple[str, str]]
    """Mark and text."""


@attrs.frozen
class Transcript:
    """One file, read."""

    name: str
    source: str
    scenes: list[Scene]


def _read(path: Path) -> Transcript:
    source, *rest = path.read_text(encoding="utf-8").splitlines()
    scenes: list[Scene] = []
    for line in filter(None, rest):
        mark, _, text = line.partition(" ")
        if mark == "open:":
            arguments = json.loads(text)
            scenes.append(Scene(arguments.pop("opener"), arguments, []))
        else:
            assert mark in (">", "<", "=", "!", "close:"), line
            scenes[-1].lines.append((mark, text))
    return Transcript(path.stem, source, scenes)


TRANSCRIPTS: Final = [_read(path) for path in sorted(_FOLDER.glob("*.txt"))]
ROWS: Final = {
    f"{value.market}.{name}": value
    for module in (spot, futures, private)
    for name, value in vars(module).items()
    if isinstance(value, Channel)
}

_each = functools.partial(every_case, "transcript", ids=lambda transcript: transcript.name)


class _Connections:
    """Notes what an opener asks for."""

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.overflow: Any = None

    def subscribe(self, topics: list[str], *, overflow: str, **_: object) -> AbstractAsyncContextManager[None]:
        self.topics, self.overflow = topics, overflow
        return nullcontext()


class Play:
    """The stream core over one scene."""

    def __init__(self, scene: Scene, *, binary: bool) -> None:
        market, _, name = scene.opener.partition(".")
        connections = _Connections()
        openers: Any = {"spot": spot.SpotStreams, "futures": futures.FuturesStreams}[market]
        subjects = scene.arguments["subjects"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of channels that are no longer current
            getattr(openers(cast("Connections", connections)), name)(
                *subjects, **{key: value for key, value in scene.arguments.items() if key != "subjects"}
            )
        self.topics = connections.topics
        self.binary = binary
        self.held: set[str] = set()
        self.refusals: list[str] = []
        self.malformed: list[str] = []
        venue = BitMart(LIVE)
        self.router = Router(lambda _, reason, __: self.malformed.append(reason), venue.bare)
        buffer: Gate[Any] = Gate(size=100, overflow=connections.overflow, gaps="skip")
        self.subscription: Subscription[Any] = Subscription(buffer)
        for topic in self.topics:
            self.router.attach(venue.topic(topic), buffer)
        first = venue.topic(self.topics[0])
        private = first.private
        self.protocol = ConnectionProtocol(
            first.dialect,
            first.dialect.limits(private),
            Waits(ping_interval=10.0, pong_timeout=5.0, login_timeout=5.0, acknowledge_timeout=5.0),
            private=private,
            ceiling=100_000,
        )
        self._handle(self.protocol.opened(0.0))
        if private:
            signature = _CREDENTIALS.signature(self.protocol.string_to_sign(_TIMESTAMP, _CREDENTIALS.memo or ""))
            assert isinstance(signature, str)
            self.protocol.login(0.0, _KEY, _TIMESTAMP, signature)
        self.protocol.want(0.0, self.topics)

    def hear(self, text: str) -> None:
        payload = text.encode()
        if self.binary:
            packer = zlib.compressobj(wbits=-15)
            payload = packer.compress(payload) + packer.flush()
        for event in self.protocol.receive([(self.binary, payload)], 1.0):
            if type(event) is tuple:
                key, frame = cast("Push", event)
                if not self.router.push_frame(key, frame, 1.0):
                    self._handle(self.protocol.read(frame, 1.0))
            else:
                self._handle([cast("Event", event)])

    def close(self) -> None:
        self.protocol.drop(1.0, self.topics)

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Data(key, raw):
                    self.router.push(key, raw, 1.0)
                case TopicHeld(topic):
                    self.held.add(topic)
                case TopicRefused(topic, error):
                    self.refusals.append(f"{topic} {type(error).__name__} {error.code} {error.message}")
                case LoginRefused(error, _):
                    self.refusals.append(f"login {type(error).__name__} {error.code} {error.message}")
                case Ready():
                    pass
                case _:
                    raise AssertionError(event)

    def items(self) -> list[object]:
        found: list[object] = []
        while True:
            try:
                found.append(self.subscription.receive_nowait())
            except trio.WouldBlock:
                return found


def _shown(item: object) -> str:
    return f"{type(item).__name__} {json.dumps(_plain(item), separators=(',', ':'))}"


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        return {field.name: _plain(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if isinstance(value, Row | Levels | list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Enum):
        return value.value
    return format(value, "f") if isinstance(value, Decimal) else value


@every_case("binary", [False, True], ids=["text", "deflate"])
@_each(cases=TRANSCRIPTS)
def test_what_is_sent_and_what_is_delivered(transcript: Transcript, binary: bool) -> None:
    """Frame by frame: we send what the transcript says, and a reader gets exactly the items it says."""
    assert transcript.source.startswith("# ")
    for scene in transcript.scenes:
        play = Play(scene, binary=binary)
        sent: list[str] = []
        left: list[str] = []
        for mark, text in scene.lines:
            if mark != "=":
                assert left == [], "delivered, but not in the transcript"
            sent += play.protocol.take_outgoing(1.0)
            if mark == ">":
                assert sent.pop(0) == text
            elif mark == "<":
                play.hear(text)
                left = [_shown(item) for item in play.items()]
            elif mark == "=":
                assert left.pop(0) == text
            elif mark == "!":
                assert play.refusals.pop(0) == text
            else:
                assert play.held == set(play.protocol.held) == set(play.topics)
                play.close()
        assert (left, sent + play.protocol.take_outgoing(1.0), play.refusals, play.malformed) == ([], [], [], [])
        assert set(play.protocol.held) == set()
        assert play.router.statistics().unasked == 0


def _pushes(transcript: Transcript) -> Iterator[tuple[str, Any]]:
    """The topics of each push, spelled by the opener, and the push untyped."""
    for scene in transcript.scenes:
        for mark, text in scene.lines:
            frame = codec.loads(text.encode()) if mark == "<" else {}
            assert isinstance(frame, dict)
            if "data" in frame:
                yield Play(scene, binary=False).topics[0], frame["data"]


@_each(cases=TRANSCRIPTS)
def test_nothing_of_a_push_is_lost(transcript: Transcript) -> None:
    """Each value of the payload is somewhere in the items."""
    row = ROWS[transcript.name]
    if row.payload is RawPush:
        return
    for _, data in _pushes(transcript):
        items = row.decode(codec.dumps(data))
        have = {_canonical(value) for value in _leaves(items)}
        assert {_canonical(value) for value in _leaves(data)} - have <= {"0"}  # a time that has not come is None


@_each(cases=TRANSCRIPTS)
def test_every_field_may_come_as_text_or_number(transcript: Transcript) -> None:
    """Ids, codes, times and amounts read the same with and without quotes."""
    row = ROWS[transcript.name]
    if row.payload is RawPush:
        return
    for _, data in _pushes(transcript):
        items = row.decode(codec.dumps(data))
        assert row.decode(codec.dumps(_as_text(data))) == items
        assert row.decode(codec.dumps(_as_numbers(data))) == items


@_each(cases=TRANSCRIPTS)
def test_new_fields_do_no_harm(transcript: Transcript) -> None:
    """A member or a column that the exchange adds, at any depth, changes nothing."""
    row = ROWS[transcript.name]
    if row.payload is RawPush:
        return
    for _, data in _pushes(transcript):
        assert row.decode(codec.dumps(_grown(data))) == row.decode(codec.dumps(data))


@_each(cases=TRANSCRIPTS)
def test_a_payload_may_be_an_object_or_a_list(transcript: Transcript) -> None:
    """One item is the same whether it comes alone or in a list."""
    row = ROWS[transcript.name]
    if row.payload is RawPush:
        return
    for _, data in _pushes(transcript):
        alone = data if isinstance(data, list) else [data]
        assert [item for each in alone for item in row.decode(codec.dumps(each))] == row.decode(codec.dumps(alone))


def test_every_row_has_a_transcript() -> None:
    """No channel can be added without frames that show a subscription, items and a refusal."""
    assert {id(row) for row in CHANNELS} == {id(row) for row in ROWS.values()}
    assert set(ROWS) == {transcript.name for transcript in TRANSCRIPTS}
    for transcript in TRANSCRIPTS:
        marks = {mark for scene in transcript.scenes for mark, _ in scene.lines}
        assert marks == {">", "<", "=", "!", "close:"}, transcript.name
        assert {scene.opener for scene in transcript.scenes} == {transcript.name}
        refused = [text for scene in transcript.scenes for mark, text in scene.lines if mark == "!"]
        assert any(text.startswith("login ") for text in refused) == ROWS[transcript.name].private


@_each(cases=TRANSCRIPTS)
def test_a_topic_belongs_to_one_row(transcript: Transcript) -> None:
    """What an opener spells is found again, by its own row and no other."""
    for scene in transcript.scenes:
        for topic in Play(scene, binary=False).topics:
            assert find(topic) is ROWS[transcript.name]
            assert [row for row in CHANNELS if row.matches(topic)] == [ROWS[transcript.name]]


def _leaves(value: Any) -> Iterator[object]:
    if attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from _leaves(getattr(value, field.name))
    elif isinstance(value, Row | Levels | list):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif value not in (None, "", "-"):
        yield value


def _canonical(value: object) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return str(value)
    try:
        return str(Decimal(str(value)).normalize())
    except InvalidOperation:
        return str(value).strip().casefold()  # words are read in any letter case, blanks around them are trimmed


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_text(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_numbers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_numbers(each) for each in value]
    if isinstance(value, str):
        try:
            return codec.number(Decimal(value)) if len(value) < 19 else value
        except InvalidOperation:
            return value
    return value


def _grown(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _grown(each) for name, each in value.items()} | {"brandNew": "new"}
    if isinstance(value, list):
        record = bool(value) and not any(isinstance(each, dict | list) for each in value)
        return [_grown(each) for each in value] + (["new"] if record else [])
    return value
