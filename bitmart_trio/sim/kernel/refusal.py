"""The reasons for which an exchange refuses, as words shared by all venues; each venue has its own codes and texts."""

from __future__ import annotations

from typing import Literal, TypeAlias

Reason: TypeAlias = Literal[
    "funds", "position", "size", "leverage", "plans", "trigger", "amount", "daily", "used", "time"
]
"""In order: too little money; no such position; more than there is to close; more leverage than the position's value
allows; too many conditional orders; a trigger price out of all proportion; more than the limit of one withdrawal; more
than the daily limit; a client order id that was used before; a time range that begins too early."""


class Refused(Exception):
    """The exchange refuses the request, and nothing has happened."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
