"""Make client order ids that no other process, and no later run, makes again.

Both markets take 1 to 32 letters and digits, case-sensitive (spot: 50037, 50038, 50042; futures: 40048
to 40050). An id here is lower-case only, so that ids stay distinct where case is folded::

    bt  mcq3k2v9  4fj0zq8w  00001a
    |   |         |         `-- a counter, base 36
    |   |         `-- 41 random bits
    |   `-- when the session began, milliseconds since 1970 in base 36
    `-- this library

Everything before the counter is the session's `prefix`, which distinguishes its orders from all others of the account.
"""

from __future__ import annotations

import secrets
import string
from typing import Final

MARK: Final = "bt"
"""The beginning of every id."""

_DIGITS: Final = string.digits + string.ascii_lowercase
_COUNTER: Final = 6


def _base36(number: int, width: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text.rjust(width, "0")


def made_at(client_order_id: str) -> int:
    """Return when the session of an id began, in milliseconds since 1970: the order is no older.

    Raises:
        ValueError: the text is not an id of a session.
    """
    if not client_order_id.startswith(MARK):
        raise ValueError(f"{client_order_id!r} is not a client order id that a session made")
    return int(client_order_id[len(MARK) : len(MARK) + 8], 36)


def ours(client_order_id: str | None) -> bool:
    """Return True if an id looks like one that a session made, this one or another."""
    name = client_order_id or ""
    return len(name) == len(MARK) + 16 + _COUNTER and name.startswith(MARK) and set(name) <= set(_DIGITS)


class OrderIds:
    """The client order ids of one session.

    Args:
        now_ms: when it begins, milliseconds since 1970.
    """

    def __init__(self, now_ms: int) -> None:
        self.began_ms: int = now_ms
        self.prefix: str = f"{MARK}{_base36(now_ms, 8)}{_base36(secrets.randbelow(36**8), 8)}"
        """The beginning of all ids of the session."""
        self._count = 0

    def next(self) -> str:
        """Return a new client order id."""
        self._count += 1
        return self.prefix + _base36(self._count, _COUNTER)

    def owns(self, client_order_id: str | None) -> bool:
        """Return True if an id is one of this session's."""
        return client_order_id is not None and client_order_id.startswith(self.prefix)
