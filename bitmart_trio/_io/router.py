"""Topics to subscribers. The router decodes each push once and puts its items into sinks; it never waits for anybody.

Spot pushes name a table, and each item its symbol; futures pushes name the whole topic, with or without the ``@100ms``
suffix that was asked for:
they go to the exact topic, else to the one without a suffix, else to all that differ only in it. A push that nobody
asked for is counted and not
decoded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Final, cast

import attrs

from .._core import codec
from .._core.channel import Channel, find, without_speed
from .._core.silence import Pulse
from ..errors import AbsentMember
from ..models.stream_events import Gap, RawPush
from ..text import printable
from .drift import DriftLog
from .sink import Sink

logger = logging.getLogger(__name__)


# Order pushes arrive under either table for either kind of subscription (docs and BitMart.Net disagree, 2026). So an
# order goes to both kinds, and
# when the other table brings the same once more, to none.
_ONE_PAIR: Final = "spot/user/order"
_ALL_PAIRS: Final = "spot/user/orders"
_ALL_PAIRS_TOPIC: Final = "spot/user/orders:ALL_SYMBOLS"
# Orders whose second copy may still come. The two tables' pushes follow each other closely.
_LONGEST_NAME: Final = 200
_MOST_COPIES: Final = 256


@attrs.define
class _Table:
    """The subscribers below one spot table or futures topic."""

    channel: Channel[Any] | None
    topics: dict[str, list[Sink]] = attrs.field(factory=dict)
    read: Callable[[bytes], list[Any] | None] | None = None
    """Reads the items of a whole push; None where a push is read in steps."""
    key: Callable[[Any], object] | None = None
    """The channel's."""
    by_symbol: dict[str, tuple[str, list[Sink]]] | None = None
    """Of a spot table whose items name their topics by their symbols: topic and sinks, else None."""
    pulses: dict[str, Pulse] = attrs.field(factory=dict)
    """Of those topics that are timed."""


@attrs.frozen
class RouterStatistics:
    """What became of the pushes of a client."""

    routed: int
    """Pushes that somebody had asked for."""
    unasked: int
    """Pushes that nobody had asked for; not decoded."""
    malformed: int
    """Pushes that could not be read."""


class Router:
    """See the head of this file.

    Args:
        malformed: gets every push that cannot be read (reason, first bytes).
        drift: gets the members that pushes lack; None drops them.
        strict: a push with any missing or unreadable member cannot be read.
    """

    def __init__(
        self, malformed: Callable[[str, bytes], None], *, drift: DriftLog | None = None, strict: bool = False
    ) -> None:
        self._drift = drift
        self._strict = strict
        self._tables: dict[str, _Table] = {}
        self._malformed_push = malformed
        self._routed = 0
        self._unasked = 0
        self._malformed = 0
        self._strangers: set[str] = set()
        self._orders: dict[Hashable, str] = {}

    def attach(self, topic: str, sink: Sink) -> None:
        """Send a topic's items to a sink from now on."""
        for key in self._keys(topic):
            table = self._tables.get(key)
            if table is None:
                table = self._tables[key] = self._new_table(key, find(topic))
            sinks = table.topics.setdefault(topic, [])
            if table.by_symbol is not None:
                table.by_symbol[topic.partition(":")[2]] = topic, sinks
            if sink not in sinks:
                sinks.append(sink)

    @staticmethod
    def _new_table(key: str, channel: Channel[Any] | None) -> _Table:
        table = _Table(channel)
        if channel is not None and channel.payload is not RawPush:
            table.read, table.key = channel.push_reader(), channel.key
            if key.startswith("spot/") and channel.filter == "symbol" and key not in (_ONE_PAIR, _ALL_PAIRS):
                table.by_symbol = {}
        return table

    def detach(self, topic: str, sink: Sink) -> None:
        """Stop sending a topic's items to a sink."""
        for key in self._keys(topic):
            table = self._tables.get(key)
            sinks = table.topics.get(topic, []) if table is not None else []
            if table is not None and sink in sinks:
                sinks.remove(sink)
                if not sinks:
                    del table.topics[topic]
                    if table.by_symbol is not None:
                        table.by_symbol.pop(topic.partition(":")[2], None)
                if not table.topics:
                    del self._tables[key]

    def watch(self, pulse: Pulse) -> None:
        """Tell a pulse of every push of its topic, which somebody must be attached to."""
        for key in self._keys(pulse.topic):
            if key in self._tables:
                self._tables[key].pulses[pulse.topic] = pulse

    def unwatch(self, pulse: Pulse) -> None:
        """Stop that."""
        for key in self._keys(pulse.topic):
            if key in self._tables:
                self._tables[key].pulses.pop(pulse.topic, None)

    def _sinks(self, topic: str) -> tuple[Sink, ...]:
        table = self._tables.get(self._keys(topic)[0])
        return tuple(table.topics.get(topic, ())) if table is not None else ()

    def gap(self, gap: Gap, connection: int | None) -> None:
        """Tell a topic's subscribers of a gap; see `Sink.gap`."""
        for sink in self._sinks(gap.topic):
            sink.gap(gap, connection)

    def lost(self, topics: Mapping[str, Gap | None]) -> None:
        """Tell whoever listens to these topics that their connection has broken; see `Sink.lost`."""
        for topic, gap in topics.items():
            for sink in self._sinks(topic):
                sink.lost(topic, gap)

    def doubt(self, topic: str) -> None:
        """Tell a topic's subscribers that what they know may be out of date; see `Sink.doubt`."""
        for sink in self._sinks(topic):
            sink.doubt(topic)

    def renewed(self, topic: str) -> None:
        """Tell a topic's subscribers that it was acknowledged afresh; see `Sink.renewed`."""
        for sink in self._sinks(topic):
            sink.renewed(topic)

    def end(self, topics: Iterable[str], error: Exception) -> None:
        """End whoever listens to these topics."""
        for topic in topics:
            for sink in self._sinks(topic):
                sink.end(error)

    def statistics(self) -> RouterStatistics:
        """See `HubStatistics`."""
        return RouterStatistics(self._routed, self._unasked, self._malformed)

    @staticmethod
    def _keys(topic: str) -> tuple[str, ...]:
        """What its pushes may be called: the most exact name first."""
        if topic.startswith("spot/"):
            table = topic.partition(":")[0]
            if table in (_ONE_PAIR, _ALL_PAIRS):
                return (_ONE_PAIR, _ALL_PAIRS)
            return (table,)
        bare = without_speed(topic)
        return (topic,) if bare == topic else (topic, bare)

    def _find(self, key: str) -> _Table | None:
        """Whose push it may be, by its name; counts it."""
        table = self._tables.get(key)
        if table is None and "@" in key:
            table = self._tables.get(without_speed(key))
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
            # What nearly all pushes are, without another call.
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
            self._put_raw(self._meant(table, key), key, raw, now)
            return ()
        try:
            items, reading = (table.channel.decode(raw), None) if self._strict else table.channel.read(raw)
        except codec.DecodeError as error:
            self._malformed += 1
            self._malformed_push(f"{key}: {error}", raw[:200])
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
        named = tuple(topic for topic in topics if topic.partition(":")[2] in {*symbols, "ALL_SYMBOLS"})
        return named if symbols and key.startswith("spot/") else topics

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
        elif key in (_ONE_PAIR, _ALL_PAIRS):
            self._put_orders(table, key, items, now)
        else:
            for topic, sinks in self._meant(table, key):
                self._put(channel, topic, items, sinks, now)

    def _beat(self, table: _Table, key: str, items: Iterable[Any], now: float) -> None:
        """Note whose push it is. Where the items do not say, it is everybody's."""
        if key in (_ONE_PAIR, _ALL_PAIRS):
            for item in items:
                for topic in (f"{_ONE_PAIR}:{item.symbol}", _ALL_PAIRS_TOPIC):
                    if topic in table.pulses:
                        table.pulses[topic].beat((item,), now)
        elif key.startswith("spot/") and table.channel is not None and table.channel.filter == "symbol":
            for item in items:
                pulse = table.pulses.get(f"{key}:{item.symbol}")
                if pulse is not None:
                    pulse.beat((item,), now)
        else:
            for topic, _ in self._meant(table, key):
                if topic in table.pulses:
                    table.pulses[topic].beat(items, now)

    @staticmethod
    def _meant(table: _Table, key: str) -> tuple[tuple[str, list[Sink]], ...]:
        """Whose push it is, by its name alone."""
        exact = table.topics.get(key)
        if exact is not None:
            return ((key, exact),)
        bare = without_speed(key)
        if bare in table.topics:
            return ((bare, table.topics[bare]),)
        return tuple(table.topics.items())

    @staticmethod
    def _put(channel: Channel[Any], topic: str, items: Iterable[Any], sinks: list[Sink], now: float) -> None:
        for item in items:
            state = topic if channel.key is None else _state(channel, topic, item)
            # A sink may be detached while it is put into: then its list loses it.
            for sink in tuple(sinks) if len(sinks) > 1 else sinks:
                sink.put(item, state, now)

    def _put_orders(self, table: _Table, key: str, items: Iterable[Any], now: float) -> None:
        assert table.channel is not None
        for item in items:
            one = table.topics.get(f"{_ONE_PAIR}:{item.symbol}", [])
            every = table.topics.get(_ALL_PAIRS_TOPIC, [])
            if one and every:
                if self._orders.get(item, key) != key:
                    del self._orders[item]
                    continue
                if len(self._orders) >= _MOST_COPIES:
                    del self._orders[next(iter(self._orders))]
                self._orders[item] = key
            self._put(table.channel, f"{_ONE_PAIR}:{item.symbol}", (item,), one, now)
            self._put(table.channel, _ALL_PAIRS_TOPIC, (item,), every, now)

    @staticmethod
    def _put_raw(targets: Iterable[tuple[str, list[Sink]]], key: str, raw: bytes, now: float) -> None:
        try:
            data = codec.loads(raw) if raw else None
        except codec.DecodeError:  # the frame was read, so this is only what never was JSON
            data = None
        symbols = _symbols(data)
        for topic, sinks in targets:
            wanted = topic.partition(":")[2]
            if key.startswith("spot/") and symbols and wanted and "_" in wanted and wanted not in symbols:
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
