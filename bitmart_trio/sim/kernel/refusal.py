"""Why an exchange says no, in a word that every venue knows; codes and texts are the venue's own."""

from __future__ import annotations

from typing import Literal, TypeAlias

Reason: TypeAlias = Literal[
    "funds", "position", "size", "leverage", "plans", "trigger", "amount", "daily", "used", "time"
]
"""Too little money; no such position; more than there is to close; more leverage than the position's value allows; too
many conditional orders; a trigger price out of all proportion; more than may leave at once, or in a day; a client order
id that was used before; a time that begins too early."""


class Refused(Exception):
    """The exchange does not do what was asked, and nothing has happened."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
