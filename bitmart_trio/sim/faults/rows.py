"""The records in an answer, and the members that can be read without knowing the endpoint."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from ..kernel.encoding import Json, encode
from .answers import Asked

IDS: Final = (
    "tradeId", "trade_id", "tran_id", "transfer_id", "withdraw_id", "deposit_id", "borrow_id", "repay_id", "recordId",
    "id", "orderId", "order_id",
)  # fmt: skip
"""Members that hold a record's own id, the most specific first: a fill has an order's id too."""
TIMES: Final = (
    "createTime", "create_time", "time", "apply_time", "repay_time", "funding_time", "interest_time", "submissionTime",
    "dateTime", "timestamp",
)  # fmt: skip
"""Members that hold a record's time, the most specific first."""
SIZES: Final = ("limit", "N", "page_size", "sizePage", "size")
"""Parameters that hold the number of wanted records."""
PAGES: Final = ("page", "currentPage")
"""Parameters that hold the page number."""
STARTS: Final = ("startTime", "start_time", "time_start", "rebate_start_time", "register_start_time", "after")
ENDS: Final = ("endTime", "end_time", "time_end", "rebate_end_time", "register_end_time", "before")
SECONDS_END: Final = 10**11
"""A time below this is in seconds; others are in milliseconds."""

Record = dict[str, "Json"]


def rows_of(data: Json) -> list[Json] | None:
    """Return the records of an answer: the answer if it is a list, or the first list in it; None if there is none."""
    lists = [data] if isinstance(data, list) else [*data.values()] if isinstance(data, dict) else []
    for each in lists:
        if isinstance(each, list) and all(isinstance(row, dict | list) for row in each):
            return each
    return None


def with_rows(data: Json, rows: list[Json]) -> Json:
    """Return the answer with its records replaced; the same object if nothing differs."""
    old = rows_of(data)
    if old == rows or old is None:
        return data
    if isinstance(data, dict):
        return {name: rows if value is old else value for name, value in data.items()}
    return rows


def records_of(data: Json) -> list[Record]:
    """Return the records that are objects; a look-up's answer is one record."""
    rows = rows_of(data)
    if rows is None:
        return [data] if isinstance(data, dict) and own_id(data) is not None else []
    return [row for row in rows if isinstance(row, dict)]


def with_records(data: Json, records: list[Record]) -> Json:
    """Return the answer with the records of `records_of` replaced, one for one."""
    rows = rows_of(data)
    if rows is None:
        return data if not records or records[0] == data else records[0]
    new = iter(records)
    return with_rows(data, [next(new) if isinstance(row, dict) else row for row in rows])


def own_id(record: Record) -> str | None:
    """Return the member that holds the record's own id."""
    return next((name for name in IDS if record.get(name) not in (None, "")), None)


def edited(value: Json, change: Callable[[Record], Record]) -> Json:
    """Return JSON with every object in it changed; the same object if nothing changes."""
    if isinstance(value, dict):
        members = {name: edited(member, change) for name, member in value.items()}
        same = all(members[name] is member for name, member in value.items())
        old = value if same else members
        new = change(old)
        return old if new == old else new
    if isinstance(value, list):
        items = [edited(item, change) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    return value


def subject_of(frame: Mapping[str, Json]) -> str:
    """Return the subject of a push: its first order by id, else a symbol or currency; "" if there is neither."""
    found: list[str] = []

    def look(record: Record) -> Record:
        name = next((each for each in ("order_id", "orderId", "symbol", "currency") if record.get(each)), None)
        found.extend([] if name is None else [str(record[name])])
        return record

    edited([*frame.values()], look)
    return found[0] if found else ""


def own_time(record: Json) -> int | None:
    """Return the record's time in milliseconds."""
    if isinstance(record, dict):
        for name in TIMES:
            value = whole(record.get(name))
            if value:
                return value * 1000 if value < SECONDS_END else value
    return None


def whole(value: Json) -> int | None:
    """Return a number or its text as a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    return None


def fate(asked: Asked, record: Json, purpose: str) -> int:
    """Return a number from 0 to 2^32 - 1 that depends only on the record."""
    return zlib.crc32(encode([asked.salt, purpose, record]))


def first_of(params: Mapping[str, Json], names: tuple[str, ...]) -> tuple[str, int] | None:
    """Return the first of these parameters that is given, as a whole number."""
    for name in names:
        value = whole(params.get(name))
        if value is not None:
            return name, value
    return None


@attrs.frozen
class Pages:
    """The pages of one list, as the handler divides it."""

    asked: Asked
    name: str
    number: int
    size: int

    @classmethod
    def of(cls, asked: Asked) -> Pages | None:
        """Return the pages of a call; None if its endpoint has none."""
        page, size = first_of(asked.call.params, PAGES), first_of(asked.call.params, SIZES)
        if page is None or size is None or page[1] < 1 or size[1] < 1:
            return None
        return cls(asked, page[0], page[1], size[1])

    def rows(self, begin: int, end: int) -> list[Json]:
        """Return the records from one index of the whole list to another."""
        found: list[Json] = []
        first = begin // self.size
        for page in range(first, (end - 1) // self.size + 1):
            found += rows_of(self.asked.with_params({**self.asked.call.params, self.name: page + 1})) or []
        return found[begin - first * self.size : end - first * self.size]
