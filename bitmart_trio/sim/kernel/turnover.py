"""The recent turnover of each account."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from .clock import DAY_MS

DAYS: Final = 30
"""The number of counted days of the UTC calendar, today included."""


class Turnover:
    """The volume of accounts on one market, in US dollars."""

    def __init__(self) -> None:
        self._days: dict[str, dict[int, Decimal]] = {}

    def add(self, account_id: str, dollars: Decimal, now_ms: int) -> None:
        """Count a fill of an account."""
        days, today = self._days.setdefault(account_id, {}), now_ms // DAY_MS
        days[today] = days.get(today, Decimal(0)) + dollars

    def of(self, account_id: str, now_ms: int) -> Decimal:
        """Return the turnover of an account in 30 days."""
        first = now_ms // DAY_MS - DAYS + 1
        days = self._days.get(account_id, {})
        for day in [day for day in days if day < first]:
            del days[day]
        return sum(days.values(), Decimal(0))
