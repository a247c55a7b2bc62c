"""Show models as JSON and as tables; hold the pieces that the live views share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias, cast

from rich.table import Table
from rich.text import Text

import bitmart_trio as bm

from ..models._plain import ABSENT
from ..text import json_text, printable

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"

MOST_ROWS: Final = 500
"""The most rows of a table, which says if it was cut; ``--json`` never cuts."""


# The year 1973 in each unit: a smaller number is not read as a time.
_MILLIS_FROM: Final = 100_000_000_000
_SECONDS_FROM: Final = 100_000_000


def jsonable(value: object) -> Json:
    """Return a model as JSON values, as `bm.to_builtins` does: amounts are strings, so that no reader rounds them."""
    return cast("Json", bm.to_builtins(value))


def as_json(value: object, indent: int | None = None) -> str:
    """Return a model as JSON text that is safe to print."""
    return json_text(json.dumps(jsonable(value), ensure_ascii=False, indent=indent))


def word(value: Json) -> str:
    """Return a value as one word; for a list its first entry and the number of others."""
    if isinstance(value, Mapping):
        return "/".join(word(each) for each in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        more = f" and {len(value) - 1} more" if len(value) > 1 else ""
        return f"[{word(value[0])}{more}]" if value else "[]"
    return "-" if value is None else printable(str(value))


def cell(name: str, value: Json) -> str:
    """Return a field as a table shows it: a time as date and time of day (UTC), None as blank."""
    if value is None:
        return ""
    if name == ABSENT and isinstance(value, Mapping):
        return ", ".join(value)
    return _moment(name, value) or word(value)


def _moment(name: str, value: Json) -> str:
    """Return a time as date and time of day; blank if it is not a time."""
    if isinstance(value, int) and not isinstance(value, bool) and is_time(name):
        for unit, least in ((1000, _MILLIS_FROM), (1, _SECONDS_FROM)):
            if least <= value < least * 100:
                moment = datetime.fromtimestamp(value / unit, UTC)
                return f"{moment:%Y-%m-%d %H:%M:%S}" + (f".{value % 1000:03}" if unit == 1000 else "")
    return ""


def is_time(name: str) -> bool:
    """Return True if a field of that name is a time."""
    return name in ("time", "timestamp") or name.endswith(("_time", "_timestamp"))


def as_table(value: object) -> Table:
    """Return a list of models as one row each, and anything else as one row per field."""
    plain = jsonable(value)
    rows = plain if isinstance(plain, Sequence) and not isinstance(plain, str) else None
    if rows and all(isinstance(row, Mapping) for row in rows):
        return _rows([row for row in rows if isinstance(row, Mapping)])
    table = Table("field", "value", show_header=False)
    if rows is not None:
        fields: list[tuple[str, Json]] = [(str(number), each) for number, each in enumerate(rows, 1)]
    else:
        fields = list(plain.items()) if isinstance(plain, Mapping) else [("", plain)]
    for name, each in fields:
        table.add_row(Text(heading(name, [each])), Text(cell(name, each)))
    return table


def heading(name: str, values: Iterable[Json]) -> str:
    """Return the head of a column: its name, and the zone of its times."""
    return printable(name) + (" (UTC)" if any(_moment(name, value) for value in values) else "")


def _rows(rows: Sequence[Mapping[str, Json]]) -> Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    cut = f"{MOST_ROWS} of {len(rows)} rows; --json shows all" if len(rows) > MOST_ROWS else None
    table = Table(caption=cut)
    for name in names:
        table.add_column(Text(heading(name, (row.get(name) for row in rows[:MOST_ROWS]))))
    for row in rows[:MOST_ROWS]:
        table.add_row(*(Text(cell(name, row.get(name))) for name in names))
    return table


def fitting(names: Sequence[str], rows: Sequence[Mapping[str, str]], width: int) -> list[str]:
    """Return the columns that fit into so many characters, from the left, at least one; omit empty ones."""
    chosen: list[str] = []
    for name in names:
        widest = max((len(row.get(name, "")) for row in rows), default=0)
        if not widest:
            continue
        width -= max(widest, len(name)) + 2
        if width < 0 and chosen:
            break
        chosen.append(name)
    return chosen


def age(seconds: float) -> str:
    """Return a time span as people read it."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"
