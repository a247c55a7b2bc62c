"""Faults of the exchange itself: refusals, maintenance, shapes that no documentation shows, a wrong clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..kernel.calls import Refusal
from ..kernel.encoding import Json
from ..kernel.faults import AtConnection, AtPath, AtTopic, Fault, FaultError, Stage, StandIn, Trouble
from ..kernel.refusal import Refused
from .answers import Asked, AtAnswer
from .rows import (
    ENDS,
    IDS,
    SECONDS_END,
    STARTS,
    TIMES,
    Pages,
    Record,
    fate,
    first_of,
    own_id,
    own_time,
    records_of,
    rows_of,
    whole,
    with_records,
    with_rows,
)

__all__ = [
    "BlankIds", "ClockSkew", "EmptyData", "LongerRow", "Maintenance", "OddRecord", "Refuse418", "Refuse429",
    "RefuseLogin", "RefuseTopic", "Retention", "RoundedBounds", "SharedIds", "ShiftingPages", "SmallerCap",
    "UnknownField", "WrongUnit",
]  # fmt: skip

# --- requests ---


@attrs.frozen
class Refuse429(StandIn):
    """Too many requests (code 30013), nothing was done. A client must pause and may repeat."""

    trouble: ClassVar[Trouble] = "too_many"


@attrs.frozen
class Refuse418(StandIn):
    """The address is banned for a while (code 30017), nothing was done.

    A client must stop sending everything for a good while.
    """

    trouble: ClassVar[Trouble] = "banned"


@attrs.frozen
class Maintenance(StandIn):
    """Maintenance: HTTP 200 with code 30016, nothing done.

    Sockets are refused with 503. A client must look at the code, not the status.
    """

    times: int | None = None

    trouble: ClassVar[Trouble] = "maintenance"


@attrs.frozen
class EmptyData(StandIn):
    """The answer is HTTP 200 with code 1000 and ``data: {}``, as seen while a service was down (recorded live).

    A client must not read it as "there are no records": a member that is missing is no empty list. It may repeat a
    read; the outcome of a write is unknown.
    """

    handled: bool = False
    """Carry the request out before."""

    trouble: ClassVar[Trouble] = "no_data"


@attrs.frozen
class UnknownField(AtPath):
    """Objects in replies, or in pushes when ``path`` matches their topic, have an undocumented field.

    A client must not mind.
    """

    times: int | None = None
    name: str = "sim_unknown_field"


@attrs.frozen
class LongerRow(AtPath):
    """Rows in replies, or in pushes when ``path`` matches their topic, have one more column at their end.

    A client must not mind.
    """

    times: int | None = None


# --- records ---


@attrs.frozen
class SharedIds(AtAnswer):
    """Records of a list share an id, two by two, although they differ.

    Seen on the futures ledger, whose ids are times; no source promises unique ids anywhere. A client must keep both
    records.
    """

    def answer(self, asked: Asked) -> Json:
        """Every second id that is shown gives way to the one before it, for good."""
        answer, memory = asked.plain(), asked.memory
        if rows_of(answer) is None:
            return answer
        changed: list[Record] = []
        for record in records_of(answer):
            name = own_id(record)
            value = None if name is None else record[name]
            if name is None or not isinstance(value, str | int):
                changed.append(record)
                continue
            key = f"{asked.route.path} {name} {value}"
            if key not in memory:
                partner = memory.pop(f"{asked.route.path} {name}", None)
                memory[key] = str(value) if partner is None else partner
                if partner is None:
                    memory[f"{asked.route.path} {name}"] = str(value)
            shared = memory[key]
            changed.append({**record, name: int(shared) if isinstance(value, int) else shared})
        return with_records(answer, changed)


@attrs.frozen
class BlankIds(AtAnswer):
    """Records bear no id: the member is there and blank.

    A client must keep them apart by their whole content.
    """

    def answer(self, asked: Asked) -> Json:
        """All ids of each record are blank, those of the order that a fill belongs to too."""
        answer = asked.plain()
        return with_records(
            answer,
            [{name: "" if name in IDS else value for name, value in each.items()} for each in records_of(answer)],
        )


@attrs.frozen
class RoundedBounds(AtAnswer):
    """The bounds of the time asked for are rounded before the exchange looks: to seconds, unless ``unit_ms`` differs.

    A client finds records outside what it asked for, or the same record in two windows; rounded inwards, a record near
    a bound is in neither. A client must ask windows that overlap, and keep records outside them.
    """

    unit_ms: int = 1000
    inwards: bool = False
    """The start is rounded up and the end down; else the start down and the end up."""

    def answer(self, asked: Asked) -> Json:
        """Ask with other bounds, in the unit of the endpoint."""
        params = dict(asked.call.params)
        for names, up in ((STARTS, self.inwards), (ENDS, not self.inwards)):
            found = first_of(params, names)
            if found is not None:
                name, value = found
                unit = self.unit_ms if value >= SECONDS_END else max(1, self.unit_ms // 1000)
                rounded = -(-value // unit) * unit if up else value // unit * unit
                params[name] = params[name] if rounded == value else rounded
        if params == asked.call.params:
            return asked.plain()
        try:
            return asked.with_params(params)
        except Refusal:
            return with_rows(asked.plain(), [])  # nothing is left between the bounds


@attrs.frozen
class ShiftingPages(AtAnswer):
    """The pages of a list shift by one while a client turns them.

    A record that leaves the front makes the second page begin too late: one is never shown, although ``total`` counts
    it. One that arrives makes it begin too early: one is shown twice. A client must compare what it has with the total
    and read again.
    """

    words: ClassVar[Mapping[str, tuple[str, ...]]] = {"how": ("lost", "twice")}
    how: str = "lost"
    """lost: one record is never shown; twice: one is shown on two pages."""

    def answer(self, asked: Asked) -> Json:
        """From the second page on the list begins one record later, or earlier."""
        answer, pages = asked.plain(), Pages.of(asked)
        if pages is None or pages.number == 1:
            return answer
        begin = (pages.number - 1) * pages.size + (1 if self.how == "lost" else -1)
        return with_rows(answer, pages.rows(begin, begin + pages.size))


@attrs.frozen
class SmallerCap(AtAnswer):
    """A list holds at most ``n`` records a page, whatever page size is documented and asked for.

    A client must not take a page for the last because it holds fewer records than were asked for: a full page of any
    round size may be one that was cut.
    """

    n: int = 50

    def answer(self, asked: Asked) -> Json:
        """Page by page where the endpoint has pages, else the first records of the list."""
        answer, pages = asked.plain(), Pages.of(asked)
        if pages is not None and pages.size > self.n:
            begin = (pages.number - 1) * self.n
            return with_rows(answer, pages.rows(begin, begin + self.n))
        rows = rows_of(answer)
        return answer if rows is None or len(rows) <= self.n else with_rows(answer, rows[: self.n])


@attrs.frozen
class OddRecord(AtAnswer):
    """Now and then a record lacks a member, or has it blank.

    Which one, and which member, is drawn from the seed and the record's content: it is the same each time. A client
    must keep the record as it is, read the others, and say what it could not read.
    """

    words: ClassVar[Mapping[str, tuple[str, ...]]] = {"how": ("missing", "blank")}
    how: str = "missing"
    """missing: the member is not there; blank: its value is an empty text, or null where it was no text."""
    every: int = 10
    """One record in so many, on average."""
    member: str = ""
    """The member to spoil; blank: any."""

    def answer(self, asked: Asked) -> Json:
        """Spoil some records of the answer."""
        answer = asked.plain()
        return with_records(answer, [self._odd(asked, record) for record in records_of(answer)])

    def _odd(self, asked: Asked, record: Record) -> Record:
        names = [name for name in record if name == (self.member or name)]
        if not names or fate(asked, record, "odd") % self.every:
            return record
        chosen = names[fate(asked, record, "member") % len(names)]
        if self.how == "missing":
            return {name: value for name, value in record.items() if name != chosen}
        return {**record, chosen: "" if isinstance(record[chosen], str) else None}


@attrs.frozen
class WrongUnit(AtAnswer):
    """The times in records are in seconds where milliseconds are documented, and the other way round.

    A client must notice that they lie outside what it asked for, and keep the records.
    """

    def answer(self, asked: Asked) -> Json:
        """Change the unit of every time in every record."""
        answer = asked.plain()
        return with_records(
            answer,
            [
                {name: _other_unit(value) if name in _ALL_TIMES else value for name, value in each.items()}
                for each in records_of(answer)
            ],
        )


_ALL_TIMES = frozenset({*TIMES, "updateTime", "update_time", "open_timestamp"})


def _other_unit(value: Json) -> Json:
    number = whole(value)
    if not number:
        return value
    other = number * 1000 if number < SECONDS_END else number // 1000
    return str(other) if isinstance(value, str) else other


@attrs.frozen
class Retention(AtAnswer):
    """Records older than some days are not listed any more, on a list without such a documented limit.

    What an exchange answers about such a time is not known. A client must name from when on something was shown, and
    must not take an empty old window for proof.
    """

    words: ClassVar[Mapping[str, tuple[str, ...]]] = {"how": ("empty", "refused")}
    days: float = 90
    how: str = "empty"
    """empty: older records are left out; refused: a time that begins earlier is refused as invalid."""

    def answer(self, asked: Asked) -> Json:
        """Leave out what is older, or refuse."""
        oldest = asked.now_ms - self.days * 86_400_000
        start = first_of(asked.call.params, STARTS)
        answer = asked.plain()
        rows = rows_of(answer)
        if rows is None:
            return answer
        if start is not None and self.how == "refused":
            start_ms = start[1] * 1000 if start[1] < SECONDS_END else start[1]
            if start_ms < oldest:
                raise Refused("time")
        return with_rows(answer, [row for row in rows if (own_time(row) or asked.now_ms) >= oldest])


# --- logins and topics ---


@attrs.frozen
class RefuseLogin(AtConnection):
    """A correct login is refused with this code (spot) or text (futures), then the connection closes.

    A client must report it with the exchange's own words, and stop for good when the key is bad.
    """

    times: int | None = None
    code: str = "91002"
    text: str = ""
    """Blank: the documented text."""


@attrs.frozen
class RefuseTopic(AtTopic):
    """A subscription is refused with this code (spot) or text (futures).

    A client must say so where it was asked for.
    """

    code: str = "95000"
    text: str = ""
    """Blank: the documented text."""


# --- the whole exchange ---


@attrs.frozen
class ClockSkew(Fault):
    """The exchange's clock is off by so many milliseconds.

    A client must measure that, and sign with the exchange's time.
    """

    ms: int = 0

    def begin(self, stage: Stage) -> bool:
        """Turn the exchange's clock."""
        if stage.clock is None:
            raise FaultError("a clock skew needs an open exchange")
        stage.clock.skew_ms += self.ms
        return True

    def finish(self, stage: Stage) -> None:
        """Turn the clock back."""
        if stage.clock is not None:
            stage.clock.skew_ms -= self.ms


def stretch(value: Json, name: str | None, longer: bool) -> Json:
    """JSON with one more field in each object (`UnknownField`), one more column in each row (`LongerRow`), or both."""
    if isinstance(value, dict):
        members = {key: stretch(member, name, longer) for key, member in value.items()}
        return members if name is None else {**members, name: "new"}
    if isinstance(value, list):
        # A row is a list within a list; a list of plain values elsewhere is no table.
        return [
            [*item, "new"]
            if longer and isinstance(item, list) and item and not any(isinstance(cell, dict | list) for cell in item)
            else stretch(item, name, longer)
            for item in value
        ]
    return value
