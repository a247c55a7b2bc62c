"""Models as JSON, as one line, and as tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import TypeAlias, cast

import attrs
from rich.table import Table

from ..models._rows import Row

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | bool | None"

MOST_ROWS = 500
"""A longer list is cut in a table, and says so; ``--json`` never cuts."""


def jsonable(value: object) -> Json:
    """A model as plain JSON values. Amounts become text, so that no reader rounds them."""
    if isinstance(value, Enum):
        return jsonable(cast("object", value.value))
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Row):
        return {name: jsonable(getattr(value, name)) for name in type(value).__struct_fields__}
    kind = type(value)
    if attrs.has(kind):
        return {field.name: jsonable(getattr(value, field.name)) for field in attrs.fields(kind)}
    if isinstance(value, Mapping):
        return {str(name): jsonable(each) for name, each in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [jsonable(each) for each in cast("Sequence[object]", value)]
    raise TypeError(f"nothing to show for {type(value).__name__}")


def as_json(value: object, indent: int | None = None) -> str:
    """A model as JSON text."""
    return json.dumps(jsonable(value), ensure_ascii=False, indent=indent)


def as_line(value: object) -> str:
    """A model as ``name=value`` words on one line; lists are counted, and show their first entry."""
    plain = jsonable(value)
    if not isinstance(plain, Mapping):
        return _word(plain)
    return " ".join(f"{name}={_word(each)}" for name, each in plain.items() if each is not None)


def _word(value: Json) -> str:
    if isinstance(value, Mapping):
        return "/".join(_word(each) for each in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        more = f" and {len(value) - 1} more" if len(value) > 1 else ""
        return f"[{_word(value[0])}{more}]" if value else "[]"
    return "-" if value is None else str(value)


def as_table(value: object) -> Table:
    """A list of models as one row each, anything else as one row a field."""
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
        table.add_row(name, _word(each))
    return table


def _rows(rows: Sequence[Mapping[str, Json]]) -> Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    cut = f"{MOST_ROWS} of {len(rows)} rows; --json shows all" if len(rows) > MOST_ROWS else None
    table = Table(*names, caption=cut)
    for row in rows[:MOST_ROWS]:
        table.add_row(*(_word(row.get(name)) for name in names))
    return table
