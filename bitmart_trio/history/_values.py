"""Write records as plain values: text for amounts, so that nothing is rounded, and JSON's types for the rest.

Archives and exported files keep this form permanently, and its digest identifies records. So it is separate from
`bm.to_dict`, which may be extended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TypeAlias, cast

import attrs

from ..models._rows import Row

Plain: TypeAlias = "Mapping[str, Plain] | Sequence[Plain] | str | int | bool | None"
"""A value that JSON keeps without loss; amounts are text."""


def plain(value: object) -> Plain:
    """Return a model or argument as plain values."""
    if isinstance(value, Enum):
        return plain(cast("object", value.value))
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):  # includes datetimes
        return value.isoformat()
    if isinstance(value, Row) or attrs.has(type(value)):
        return {name: plain(getattr(value, name)) for name in columns(type(value))}
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in cast("Mapping[object, object]", value).items()}
    if isinstance(value, Iterable):
        return [plain(each) for each in cast("Iterable[object]", value)]
    raise TypeError(f"there is no plain form of a {type(value).__name__}")


def columns(kind: type[object]) -> tuple[str, ...]:
    """Return the names of a model class's fields, in order."""
    if issubclass(kind, Row):
        return tuple(kind.__struct_fields__)
    return tuple(field.name for field in attrs.fields(cast("type[attrs.AttrsInstance]", kind)))
