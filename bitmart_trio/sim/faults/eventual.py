"""Faults of an exchange whose parts agree only after a while: what is accepted is not yet shown, or shown as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .base import Asked, AtAnswer
from .rows import fate, own_id, own_time, rows_of, with_rows

if TYPE_CHECKING:
    from ..wire import Json


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
