"""Faults of an exchange whose parts agree only after a while: what is accepted is not yet shown, or shown as it was.

Each list, look-up, balance and position reading may have its own lag: add one `Lag` a path.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar, Final, cast

import attrs

from ..kernel.calls import Refusal
from ..kernel.encoding import Json, encode
from ..kernel.faults import AtTopic, FaultError, Stage
from ..kernel.feed import Frame
from ..kernel.refusal import Refused
from .answers import Asked, AtAnswer, OfThePast
from .rows import Pages, Record, edited, fate, own_id, own_time, records_of, rows_of, with_records, with_rows

__all__ = [
    "BlankClientIds", "BurntIds", "Cap", "ClockGlitch", "Lag", "LatePush", "LateRecord", "OldPush", "StaleFields",
]  # fmt: skip

AMOUNTS: Final = (
    "filledSize", "filledNotional", "priceAvg", "filled_size", "filled_notional", "deal_size", "deal_avg_price",
)  # fmt: skip
"""Members that say how much of an order is done."""
CLIENT_IDS: Final = ("clientOrderId", "client_order_id")


# --- reads ---


@attrs.frozen
class Lag(OfThePast):
    """Answers come from the past: what the exchange did in the last ``seconds`` does not show in them yet.

    Orders, fills, positions, balances and ledgers are shown as they were; other lists leave out what is newer. What was
    before the fault was added is not known to it. A client must take a miss for "not seen yet", not for "not there",
    and an old state for old: ask again until it agrees with what was accepted, filled or pushed.
    """

    words: ClassVar[Mapping[str, tuple[str, ...]]] = {"how": ("stale", "missing")}
    how: str = "stale"
    """stale: everything as it was then; missing: what is newer is not there, the rest is as it is now."""

    def begin(self, stage: Stage) -> bool:
        """It makes no sense where nothing is written down."""
        if stage.past is None:
            raise FaultError("a lag needs an open exchange that writes its past down")
        return super().begin(stage)

    def answer(self, asked: Asked) -> Json:
        """The answer of then; it may be another one, or a refusal, or an answer where there is a refusal now."""
        now: Json | Refusal
        try:
            now = asked.plain()  # it brings the market up to date, too
        except Refusal as refusal:
            now = refusal
        if asked.past is None or not asked.past.shows(asked.route.path):
            if isinstance(now, Refusal):
                raise now
            rows, limit = rows_of(now), asked.now_ms - self.seconds * 1000
            return now if rows is None else with_rows(now, [row for row in rows if (own_time(row) or 0) <= limit])
        try:
            then = asked.earlier(self.seconds, missing=self.how == "missing")
        except Refusal as refusal:
            if isinstance(now, Refusal) and now.code == refusal.code:
                raise now from None
            raise
        return now if not isinstance(now, Refusal) and now == then else then


@attrs.frozen
class StaleFields(OfThePast):
    """An order's state is the present one, but the amounts beside it are older: "filled", and nothing is filled.

    In answers they are as old as ``seconds``; in pushes whose topic ``path`` matches they are those of the push before.
    A client must not take an executed amount for final by the state alone: the order's trades are the evidence.
    """

    at_pushes: ClassVar[bool] = True

    def answer(self, asked: Asked) -> Json:
        """The records of now with the amounts of then."""
        answer = asked.plain()
        if not any(name in record for record in records_of(answer) for name in AMOUNTS):
            return answer
        try:
            then = {self._key(record): record for record in records_of(asked.earlier(self.seconds))}
        except Refusal:  # it was not there yet
            then = {}
        return with_records(
            answer, [_with_amounts(record, then.get(self._key(record), {})) for record in records_of(answer)]
        )

    def push(self, frame: Frame, memory: dict[str, str]) -> Frame:
        """The frame with the amounts of the one before it."""

        def older(record: Record) -> Record:
            key = self._key(record)
            if not key or not any(name in record for name in AMOUNTS):
                return record
            before = json.loads(memory.get(key, "{}"))
            memory[key] = encode({name: record[name] for name in AMOUNTS if name in record}).decode()
            return _with_amounts(record, before)

        return cast("Frame", edited(cast("Json", frame), older))

    @staticmethod
    def _key(record: Record) -> str:
        name = own_id(record)
        return "" if name is None else str(record[name])


def _with_amounts(record: Record, then: Mapping[str, Json]) -> Record:
    return {name: then.get(name, "0") if name in AMOUNTS else value for name, value in record.items()}


@attrs.frozen
class Cap(AtAnswer):
    """A list never shows more than ``n`` records, and no page leads to the others.

    A client must not read absence out of a list of a round length: what is not in it may be behind its end.
    """

    n: int = 50

    def answer(self, asked: Asked) -> Json:
        """Return only the first records."""
        answer, pages = asked.plain(), Pages.of(asked)
        rows = rows_of(answer)
        if rows is None:
            return answer
        before = 0 if pages is None else (pages.number - 1) * pages.size
        return with_rows(answer, rows[: max(0, self.n - before)])


@attrs.frozen
class BlankClientIds(AtAnswer):
    """Orders are shown without their client order ids, or with altered ones; in pushes too, where ``path`` matches.

    A client must not rest on finding its own id: an order may be there under the exchange's id alone.
    """

    words: ClassVar[Mapping[str, tuple[str, ...]]] = {"how": ("blank", "altered")}
    at_pushes: ClassVar[bool] = True
    how: str = "blank"
    """blank: an empty text; altered: in upper case with one more character before it."""

    def answer(self, asked: Asked) -> Json:
        """Change them wherever they are."""
        return edited(asked.plain(), self._changed)

    def push(self, frame: Frame, memory: dict[str, str]) -> Frame:
        """The same in a push."""
        return cast("Frame", edited(cast("Json", frame), self._changed))

    def _changed(self, record: Record) -> Record:
        return {
            name: ("" if self.how == "blank" else f"x{str(value).upper()}") if name in CLIENT_IDS and value else value
            for name, value in record.items()
        }


@attrs.frozen
class ClockGlitch(AtAnswer):
    """A reading of the exchange's clock is wrong, once; the clock is right.

    A client must not conclude from one reading that a minute has passed: its own clock has to agree.
    """

    path: str = "/system/time"
    times: int | None = attrs.field(default=1, kw_only=True)
    ms: int = 120_000

    def answer(self, asked: Asked) -> Json:
        """Every ``server_time`` in the answer, so much later."""

        def later(record: Record) -> Record:
            time = record.get("server_time")
            return {**record, "server_time": time + self.ms} if isinstance(time, int) else record

        return edited(asked.plain(), later)


# --- writes ---


@attrs.frozen
class BurntIds(AtAnswer):
    """An order is refused because its id was used (50042, on futures 40050), which it never was; so it stays.

    There is no order of that id. A client must not wait for one for ever: when none can be found the order is not
    placed, and the next one needs another id.
    """

    at_writes: ClassVar[bool] = True
    path: str = "*submit*order*"
    burnt: int = 1
    """The number of ids that are burnt, from the first on."""

    def answer(self, asked: Asked) -> Json:
        """Refuse the order, or let it through."""
        name = next((name for name in CLIENT_IDS if asked.call.params.get(name)), None)
        if name is None:
            return asked.plain()
        key = str(asked.call.params[name])
        if len(asked.memory) < self.burnt:
            asked.memory.setdefault(key, "burnt")
        if key not in asked.memory:
            return asked.plain()
        raise Refused("used")


# --- pushes ---


@attrs.frozen
class LatePush(AtTopic):
    """A push comes so many seconds late; with a ``chance`` below 1 it comes after newer ones.

    So it comes after the reply of the request that caused it, or after a later look-up. A client must neither wait for
    a push that a reply has preceded, nor believe an older state after a newer one.
    """

    times: int | None = None
    seconds: float = 2.0


@attrs.frozen
class OldPush(AtTopic):
    """A push is followed by the one before it about the same order or symbol: an older state after a newer one.

    A client must not go back: what is executed does not become less.
    """

    times: int | None = None


# --- histories ---


@attrs.frozen
class LateRecord(AtAnswer):
    """A record appears in lists some time after it came about, each one with a delay of its own up to ``seconds``.

    So a later record may be there before an earlier one. A client must read the newest stretch of a history once more,
    later.
    """

    seconds: float = 2.0
    spread: bool = True
    """Each record has a delay of its own, drawn from the seed; else all have the longest."""

    def answer(self, asked: Asked) -> Json:
        """Leave out what is not to be seen yet."""
        answer = asked.plain()
        rows = rows_of(answer)
        return answer if rows is None else with_rows(answer, [row for row in rows if self._shown(asked, row)])

    def _shown(self, asked: Asked, row: Json) -> bool:
        time_ms = own_time(row)
        if time_ms is None:
            return True
        # By its id, not its content: that may change while it waits.
        name = own_id(row) if isinstance(row, dict) else None
        identity = [time_ms, row[name] if isinstance(row, dict) and name is not None else None]
        part = (fate(asked, identity, "late") + 1) / 2**32 if self.spread else 1
        return asked.now_ms >= time_ms + self.seconds * 1000 * part
