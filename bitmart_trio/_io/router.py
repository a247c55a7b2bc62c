"""Topics to subscribers. The router decodes each push once and puts its items into sinks; it never waits for anybody.

A push has a name, and belongs to the topics that have this name among their `keys`: to the topic of exactly that text,
or to the topic without the name's suffix, otherwise to all of them. Where pushes of one name are for several topics,
the symbol of each item names its topic (`Topic.subject`). A push without a subscriber is counted and not decoded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Final, TypeAlias, cast

import attrs

from .._core import codec
from .._core.channel import Channel
from .._core.dialect import Topic
from .._core.silence import Pulse
from ..errors import AbsentMember
from ..models.stream_events import Gap, RawPush
from ..text import printable
from .drift import DriftLog
from .sink import Sink

logger = logging.getLogger(__name__)


_LONGEST_NAME: Final = 200
_MOST_COPIES: Final = 256
"""The most items whose second copy is awaited: the two pushes of one item follow each other closely."""

Followers: TypeAlias = tuple[str, list[Sink]]
"""A topic, as on the wire, and the sinks that it is for."""


@attrs.define
class _Table:
    """Those who follow the pushes of one name."""

    channel: Channel[Any] | None
    known: dict[str, Topic] = attrs.field(factory=dict)
    topics: dict[str, list[Sink]] = attrs.field(factory=dict)
    """The sinks of each topic."""
    read: Callable[[bytes], list[Any] | None] | None = None
    """Reads the items of a whole push; None where a push is read in steps."""
    key: Callable[[Any], object] | None = None
    """The channel's `key`."""
    by_symbol: dict[str, Followers] | None = None
    """The followers by symbol, where each item is for the one topic that its symbol names, else None."""
    shared: dict[str, Followers] | None = None
    """The followers by symbol, where items are also for topics without a subject (`Topic.shared`), else None."""
    pulses: dict[str, Pulse] = attrs.field(factory=dict)
    """The pulses of the timed topics."""

    def of_all_items(self) -> tuple[Followers, ...]:
        """Return the topics that all items are for."""
        return tuple((text, self.topics[text]) for text, topic in self.known.items() if topic.subject is None)


@attrs.frozen
class RouterStatistics:
    """The counts of a client's pushes."""

    routed: int
    """Pushes of topics that are subscribed to."""
    unasked: int
    """Pushes of topics without a subscriber; not decoded."""
    malformed: int
    """Pushes that could not be read."""


class Router:
    """See the head of this file.

    Args:
        malformed: takes every push that cannot be read (one of its topics, reason, first bytes).
        bare: returns the name of a push without the suffix that its topic may lack (`Venue.bare`).
        drift: takes the members that pushes lack; None drops them.
        strict: True to treat a push with any missing or unreadable member as unreadable.
    """

    def __init__(
        self,
        malformed: Callable[[Topic, str, bytes], None],
        bare: Callable[[str], str],
        *,
        drift: DriftLog | None = None,
        strict: bool = False,
    ) -> None:
        self._bare = bare
        self._drift = drift
        self._strict = strict
        self._tables: dict[str, _Table] = {}
        self._sinks: dict[str, list[Sink]] = {}
        self._malformed_push = malformed
        self._routed = 0
        self._unasked = 0
        self._malformed = 0
        self._strangers: set[str] = set()
        self._copies: dict[Hashable, str] = {}

    def attach(self, topic: Topic, sink: Sink) -> None:
        """Send a topic's items to a sink from now on."""
        sinks = self._sinks.get(topic.text)
        if sinks is None:
            sinks = self._sinks[topic.text] = []
            for key in topic.keys:
                table = self._tables.get(key)
                if table is None:
                    table = self._tables[key] = self._new_table(topic)
                table.known[topic.text], table.topics[topic.text] = topic, sinks
                by_subject = table.by_symbol if table.shared is None else table.shared
                if by_subject is not None and topic.subject is not None:
                    by_subject[topic.subject] = topic.text, sinks
        if sink not in sinks:
            sinks.append(sink)

    @staticmethod
    def _new_table(topic: Topic) -> _Table:
        channel = topic.channel
        table = _Table(channel)
        if channel is not None and channel.payload is not RawPush:
            table.read, table.key = topic.dialect.push_reader(channel), channel.key
            if topic.shared:
                table.shared = {}
            elif topic.subject is not None:
                table.by_symbol = {}
        return table

    def detach(self, topic: Topic, sink: Sink) -> None:
        """Stop sending a topic's items to a sink."""
        sinks = self._sinks.get(topic.text, [])
        if sink in sinks:
            sinks.remove(sink)
            if not sinks:
                del self._sinks[topic.text]
                for key in topic.keys:
                    self._leave(key, topic)

    def _leave(self, key: str, topic: Topic) -> None:
        table = self._tables[key]
        del table.known[topic.text], table.topics[topic.text]
        for by_subject in (table.by_symbol, table.shared):
            if by_subject is not None and topic.subject is not None:
                by_subject.pop(topic.subject, None)
        if not table.topics:
            del self._tables[key]

    def watch(self, topic: Topic, pulse: Pulse) -> None:
        """Tell a pulse of every push of its topic, which somebody must be attached to."""
        for key in topic.keys:
            if key in self._tables:
                self._tables[key].pulses[topic.text] = pulse

    def unwatch(self, topic: Topic, pulse: Pulse) -> None:
        """Stop watching a topic's silence."""
        for key in topic.keys:
            if key in self._tables:
                self._tables[key].pulses.pop(topic.text, None)

    def _sinks_of(self, topic: str) -> tuple[Sink, ...]:
        return tuple(self._sinks.get(topic, ()))

    def gap(self, gap: Gap, connection: int | None) -> None:
        """Tell a topic's subscribers of a gap; see `Sink.gap`."""
        for sink in self._sinks_of(gap.topic):
            sink.gap(gap, connection)

    def lost(self, topics: Mapping[str, Gap | None]) -> None:
        """Tell whoever listens to these topics that their connection has broken; see `Sink.lost`."""
        for topic, gap in topics.items():
            for sink in self._sinks_of(topic):
                sink.lost(topic, gap)

    def doubt(self, topic: str) -> None:
        """Tell a topic's subscribers that what they know may be out of date; see `Sink.doubt`."""
        for sink in self._sinks_of(topic):
            sink.doubt(topic)

    def renewed(self, topic: str) -> None:
        """Tell a topic's subscribers that it was acknowledged afresh; see `Sink.renewed`."""
        for sink in self._sinks_of(topic):
            sink.renewed(topic)

    def end(self, topics: Iterable[str], error: Exception) -> None:
        """End whoever listens to these topics."""
        for topic in topics:
            for sink in self._sinks_of(topic):
                sink.end(error)

    def statistics(self) -> RouterStatistics:
        """See `RouterStatistics`."""
        return RouterStatistics(self._routed, self._unasked, self._malformed)

    def _find(self, key: str) -> _Table | None:
        """Whose push it may be, by its name; counts it."""
        table = self._tables.get(key)
        if table is None:
            table = self._tables.get(self._bare(key))
        if table is None:
            self._unasked += 1
            shown = printable(key, longest=_LONGEST_NAME)
            if shown not in self._strangers and len(self._strangers) < 1000:
                self._strangers.add(shown)
                logger.debug("push that nobody asked for: %s (said once, counted always)", shown)
        return table

    def push_frame(self, key: str, frame: bytes, now: float) -> bool:
        """Take what looks like a push, by its whole frame; whether it was taken. If not, the frame must be read."""
        table = self._tables.get(key) or self._find(key)
        if table is None:
            return True
        items = table.read(frame) if table.read is not None else None
        if items is None:
            return False
        self._routed += 1
        if table.by_symbol is not None and not table.pulses and len(items) == 1:
            # The fast path of nearly all pushes, without another call.
            item = items[0]
            meant = table.by_symbol.get(item.symbol)
            if meant is not None and table.key is None:
                topic, sinks = meant
                for sink in tuple(sinks) if len(sinks) > 1 else sinks:
                    sink.put(item, topic, now)
                return True
        self._hand_out(table, key, items, now)
        return True

    def push(self, key: str, raw: bytes, now: float) -> tuple[str, ...]:
        """Decode a push and put its items where they belong.

        Returns:
            The topics that may have missed an item, because the push cannot be read; nearly always none.
        """
        table = self._find(key)
        if table is None:
            return ()
        self._routed += 1
        if table.channel is None or table.channel.payload is RawPush:
            if table.pulses:
                self._beat(table, key, (), now)
            self._put_raw(table, self._meant(table, key), key, raw, now)
            return ()
        try:
            items, reading = (table.channel.decode(raw), None) if self._strict else table.channel.read(raw)
        except codec.DecodeError as error:
            self._malformed += 1
            self._malformed_push(next(iter(table.known.values())), f"{key}: {error}", raw[:200])
            return self._missed(table, key, raw)
        if reading is not None and self._drift is not None:
            self._drift.note(reading.source, reading.members)
        self._hand_out(table, key, items, now)
        return ()

    def _missed(self, table: _Table, key: str, raw: bytes) -> tuple[str, ...]:
        """Return the topics that a push is for which cannot be read: those of the symbols that it names, else all."""
        topics = tuple(topic for topic, _ in self._meant(table, key))
        try:
            symbols = _symbols(codec.loads(raw))
        except codec.DecodeError:
            return topics
        if not symbols:
            return topics
        return tuple(topic for topic in topics if table.known[topic].subject in {*symbols, None})

    def _hand_out(self, table: _Table, key: str, items: list[Any], now: float) -> None:
        channel = table.channel
        assert channel is not None
        if table.pulses:
            self._beat(table, key, items, now)
        if table.by_symbol is not None:
            for item in items:
                meant = table.by_symbol.get(item.symbol)
                if meant is not None:
                    topic, sinks = meant
                    state = topic if channel.key is None else _state(channel, topic, item)
                    for sink in tuple(sinks) if len(sinks) > 1 else sinks:
                        sink.put(item, state, now)
        elif table.shared is not None:
            self._put_shared(table, key, items, now)
        else:
            for topic, sinks in self._meant(table, key):
                self._put(channel, topic, items, sinks, now)

    def _beat(self, table: _Table, key: str, items: Iterable[Any], now: float) -> None:
        """Note whose push it is. Where the items do not say, it is everybody's."""
        if table.by_symbol is not None:
            for item in items:
                meant = table.by_symbol.get(item.symbol)
                pulse = None if meant is None else table.pulses.get(meant[0])
                if pulse is not None:
                    pulse.beat((item,), now)
        elif table.shared is not None:
            every = table.of_all_items()
            for item in items:
                one = table.shared.get(item.symbol)
                for topic, _ in ((one,) if one is not None else ()) + every:
                    if topic in table.pulses:
                        table.pulses[topic].beat((item,), now)
        else:
            for topic, _ in self._meant(table, key):
                if topic in table.pulses:
                    table.pulses[topic].beat(items, now)

    def _meant(self, table: _Table, key: str) -> tuple[Followers, ...]:
        """Whose push it is, by its name alone."""
        exact = table.topics.get(key)
        if exact is not None:
            return ((key, exact),)
        bare = self._bare(key)
        if bare in table.topics:
            return ((bare, table.topics[bare]),)
        return tuple(table.topics.items())

    @staticmethod
    def _put(channel: Channel[Any], topic: str, items: Iterable[Any], sinks: list[Sink], now: float) -> None:
        for item in items:
            state = topic if channel.key is None else _state(channel, topic, item)
            # A sink may be detached during its `put`: then it leaves this list.
            for sink in tuple(sinks) if len(sinks) > 1 else sinks:
                sink.put(item, state, now)

    def _put_shared(self, table: _Table, key: str, items: Iterable[Any], now: float) -> None:
        assert table.channel is not None
        assert table.shared is not None
        every = table.of_all_items()
        for item in items:
            one = table.shared.get(item.symbol)
            if one is not None and every:
                if self._copies.get(item, key) != key:
                    del self._copies[item]
                    continue
                if len(self._copies) >= _MOST_COPIES:
                    del self._copies[next(iter(self._copies))]
                self._copies[item] = key
            for topic, sinks in ((one,) if one is not None else ()) + every:
                self._put(table.channel, topic, (item,), sinks, now)

    @staticmethod
    def _put_raw(table: _Table, targets: Iterable[Followers], key: str, raw: bytes, now: float) -> None:
        try:
            data = codec.loads(raw) if raw else None
        except codec.DecodeError:  # the frame itself was readable, so the payload is not JSON
            data = None
        symbols = _symbols(data)
        for topic, sinks in targets:
            if symbols and table.known[topic].subject not in {*symbols, None}:
                continue
            for sink in tuple(sinks):
                sink.put(RawPush(key, data), topic, now)


def _state(channel: Channel[Any], topic: str, item: Any) -> Hashable:  # noqa: ANN401  # the topic's model
    """Return what an item is a state of; of one that does not say so: only itself."""
    assert channel.key is not None
    try:
        return topic, channel.key(item)
    except AbsentMember:
        return topic, object()


def _symbols(data: object) -> set[str]:
    """The symbols that the items of an undecoded payload name."""
    found: set[str] = set()
    for item in cast("list[object]", data) if isinstance(data, list) else ():
        symbol = cast("dict[str, object]", item).get("symbol") if isinstance(item, dict) else None
        if isinstance(symbol, str):
            found.add(symbol)
    return found
