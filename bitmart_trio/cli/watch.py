"""Implement ``bitmart-trio watch``: show the messages of topics, as live tables in a terminal, else as JSON lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, cast

import attrs
import trio
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

import bitmart_trio as bm

from .._bitmart.channel import Channel, find
from .._scopes import open_nursery, start, start_soon
from ..models.stream_events import Gap, Lost, Reconnected, Refused, Silent, Stalled, Suspended
from ..text import printable
from ._live import Screen
from ._run import one_line
from ._show import Json, age, as_json, cell, fitting, is_time, jsonable

EVENTS: Final = 200
"""The most rows kept of a table of events; no terminal shows more."""
STATES: Final = 2000
"""The most rows of a table with one per symbol; there are fewer symbols."""
GLOW: Final = 1.0
"""Seconds for which a changed cell is coloured."""
RATE_OVER: Final = 2.0
"""Seconds over which a rate is counted."""


class TopicView:
    """A live view of some topics of one client.

    Args:
        topics: the topics' names on the wire.
        limit: stop after so many messages; None never does.
        console: the terminal; None prints one JSON object per line.
    """

    def __init__(self, topics: Sequence[str], limit: int | None, console: Console | None) -> None:
        self._counts = {topic: _Count() for topic in topics}
        self._left = limit
        self._console = console
        self._tables: dict[str, _Rows] = {}
        self._screen = None if console is None else Screen(console, self._view)
        self._where = ""
        self._link = Text("connecting", style="yellow")

    async def run(self, credentials: bm.Credentials | None, environment: bm.Environment) -> None:
        """Open a client and show messages until the limit is reached or the command is interrupted."""
        self._where = environment.name
        try:
            async with bm.open_streams(credentials, environment=environment) as streams, open_nursery() as nursery:
                if self._screen is not None:
                    await start(nursery, self._follow_connections, streams)
                    start_soon(nursery, self._screen.run)
                for topic in self._counts:
                    start_soon(nursery, self._follow, streams, topic, nursery.cancel_scope)
        finally:
            if self._console is not None:
                self._conclude(self._console)

    async def _follow(self, streams: bm.Streams, topic: str, all_topics: trio.CancelScope) -> None:
        # Each topic has a subscription of its own, so that every line can name its topic.
        async with streams.subscribe(topic, gaps="mark") as messages:
            table = self._table(topic)
            self._link = Text("connected", style="green")
            async for message in messages:
                if self._left == 0:
                    return
                count = self._counts[topic]
                if isinstance(message, Gap):
                    count.gaps += 1
                    self._tell(
                        topic, "gap", {"seconds": round(message.until - message.since, 3), "reason": message.reason}
                    )
                    continue
                count.add(trio.current_time())
                table.add(topic, message)
                self._tell(topic, "data", message)
                if self._left is not None:
                    self._left -= 1
                    if self._left == 0:
                        all_topics.cancel()
                        return

    def _tell(self, topic: str, kind: str, value: object) -> None:
        if self._screen is not None:
            self._screen.touch()
        else:
            print(as_json({"topic": topic, kind: value}), flush=True)

    async def _follow_connections(self, streams: bm.Streams, task_status: trio.TaskStatus[None]) -> None:
        async with streams.events() as events:
            task_status.started()
            async for event in events:
                match event:
                    case Lost():
                        text = f"reconnecting in {age(event.retry_in)}: {printable(event.reason)}"
                        self._link = Text(text, style="yellow")
                    case Reconnected():
                        self._link = Text(f"reconnected, connection {event.epoch + 1}", style="green")
                    case Stalled():
                        self._link = Text(f"this program was busy for {age(event.seconds)}", style="yellow")
                    case Suspended():
                        self._link = Text(f"this machine was suspended for {age(event.seconds)}", style="yellow")
                    case Silent():
                        text = f"{printable(event.topic)} has been silent for {age(event.seconds)}"
                        self._link = Text(text, style="yellow")
                    case Refused():
                        self._link = Text(one_line(event.error), style="red")
                    case _:
                        continue
                if self._screen is not None:
                    self._screen.touch()

    def _table(self, topic: str) -> _Rows:
        channel = find(topic)
        name = topic if channel is None else channel.name
        if name not in self._tables:
            self._tables[name] = _Rows(name, channel)
        return self._tables[name]

    # ---- the live view ----------------------------------------------------------------------------------------------

    def _view(self) -> Group:
        assert self._console is not None
        size, now = self._console.size, trio.current_time()
        head = Text.assemble((f" {self._where} ", "reverse"), "  ", self._link, overflow="ellipsis", no_wrap=True)
        topics = Table("topic", box=None, padding=(0, 2, 0, 0), header_style="dim")
        for name in ("messages", "a second", "last", "gaps"):
            topics.add_column(name, justify="right")
        shown = list(self._counts.items())[: max(1, size.height // 3)]
        for topic, count in shown:
            topics.add_row(topic, *count.words(now))
        room = size.height - len(shown) - 3
        parts: list[Text | Table] = [head, topics]
        tables = list(self._tables.values())
        for table, height in zip(
            tables, _shares([len(table) for table in tables], room - 3 * len(tables)), strict=True
        ):
            parts += [Text(), *table.draw(size.width, height, now)]
        return Group(*parts)

    def _conclude(self, console: Console) -> None:
        """Print the summary that stays when the view closes."""
        for topic, count in self._counts.items():
            gaps = f", {count.gaps} gaps" if count.gaps else ""
            console.print(Text(f"{topic}: {count.total} messages{gaps}"))


class _Count:
    """The message count of one topic."""

    def __init__(self) -> None:
        self.total = 0
        self.gaps = 0
        self._last: float | None = None
        self._since = (0.0, 0)
        self._rate: float | None = None

    def add(self, now: float) -> None:
        self.total += 1
        self._last = now

    def words(self, now: float) -> Iterator[str]:
        since, total = self._since
        if now >= since + RATE_OVER:
            self._rate = (self.total - total) / (now - since) if since else None
            self._since = (now, self.total)
        yield str(self.total)
        yield "-" if self._rate is None else f"{self._rate:.1f}"
        yield "-" if self._last is None else age(now - self._last)
        yield str(self.gaps) if self.gaps else ""


@attrs.define
class _Row:
    cells: dict[str, str]
    time: float
    changed: dict[str, str]
    """The style of cells that have changed."""


class _Rows:
    """The table of one channel: states replace their row, events are added on top.

    Args:
        name: the channel's name.
        channel: None if the library does not know it.
    """

    def __init__(self, name: str, channel: Channel[Any] | None) -> None:
        self._name = name
        self._channel = channel
        self._states: dict[Hashable, _Row] = {}
        self._events: deque[_Row] = deque(maxlen=EVENTS)

    def __len__(self) -> int:
        return len(self._states) + len(self._events)

    def add(self, topic: str, item: object) -> None:
        plain = jsonable(item)
        fields: Mapping[str, Json] = plain if isinstance(plain, Mapping) else {"value": plain}
        row = _Row({name: _short(name, value) for name, value in fields.items()}, trio.current_time(), {})
        if self._channel is None or self._channel.overflow != "conflate":
            side = row.cells.get("side")
            if side in ("buy", "sell"):
                row.changed = {"side": "green", "price": "green"} if side == "buy" else {"side": "red", "price": "red"}
            self._events.appendleft(row)
            return
        key: Hashable = (topic, None if self._channel.key is None else self._channel.key(item))
        before = self._states.get(key)
        if before is None and len(self._states) >= STATES:
            del self._states[next(iter(self._states))]
        if before is not None:
            row.changed = {name: _direction(before.cells.get(name, ""), text) for name, text in row.cells.items()}
        self._states[key] = row

    def draw(self, width: int, height: int, now: float) -> list[Text | Table]:
        """Return the table and its title, in so many lines and two more."""
        rows = [*reversed(self._states.values()), *self._events][: max(height, 1)]
        if not rows:
            return [Text(f"{self._name}: no message yet", style="dim")]
        names = list(dict.fromkeys(name for row in rows for name in row.cells))
        chosen = fitting(names, [row.cells for row in rows], width - len(" UTC"))
        hidden = sum(any(row.cells.get(name) for row in rows) for name in names) - len(chosen)
        more = f"  ({hidden} more fields: --json)" if hidden else ""
        title = Text.assemble((self._name, "bold"), (more, "dim"), overflow="ellipsis", no_wrap=True)
        heads = (name.replace("_", " ") + (" UTC" if is_time(name) else "") for name in chosen)
        table = Table(*heads, box=None, padding=(0, 2, 0, 0), header_style="dim")
        for row in rows:
            glows = not self._states or now < row.time + GLOW
            styles = row.changed if glows else cast("dict[str, str]", {})
            table.add_row(*(Text(row.cells.get(name, ""), styles.get(name, ""), no_wrap=True) for name in chosen))
        return [title, table]


def _shares(wanted: Sequence[int], there: int) -> list[int]:
    """Return the lines of each table: what it wants, or an equal share if there is too little room."""
    shares = [0] * len(wanted)
    for done, index in enumerate(sorted(range(len(wanted)), key=lambda each: wanted[each])):
        shares[index] = min(wanted[index], there // (len(wanted) - done))
        there -= shares[index]
    return shares


def _short(name: str, value: Json) -> str:
    """Return a field in few characters: a time without its date, a book as its best level."""
    text = cell(name, value)
    return text.partition(" ")[2] if isinstance(value, int) and " " in text else text


def _direction(before: str, after: str) -> str:
    if before == after:
        return ""
    try:
        return "green" if Decimal(after) > Decimal(before) else "red"
    except ArithmeticError:
        return "bold"
