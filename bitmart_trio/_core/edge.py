"""Replies of the network in front of the exchange: pages that are not the API's, and the wait that they ask for.

Challenges and blocks come with HTTP 400, 403, 404, 405, 429, 451, 503, failures with 520 to 530, captive portals with
200. None of these replies comes from the exchange, so none of them proves that an order was refused or that there are
no records.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from ..text import printable

_LOOKED_AT: Final = 65_536
_SHOWN: Final = 120
_TITLE: Final = re.compile(rb"<title[^>]{0,200}>([^<]{1,400})", re.IGNORECASE)
_TAG: Final = re.compile(rb"<[^>]{0,2000}>")
_WORD: Final = re.compile(rb"\s*(?:null|true|false|-?[0-9.eE+-]+)\s*")
_SECONDS: Final = re.compile(r"[0-9]{1,9}", re.ASCII)

USER_AGENT_REFUSED: Final = b"1010"
"""The error number of a page that rejects a user agent, with HTTP 403."""


def is_page(body: bytes) -> bool:
    """Return whether a body is text that is no attempt at JSON."""
    return body.lstrip()[:1] not in (b"", b"{", b"[", b'"') and _WORD.fullmatch(body) is None


def title(body: bytes) -> str:
    """Return what a page says it is, in one short harmless line: its title, or its first words; "" if it is empty."""
    start = body[:_LOOKED_AT]
    found = _TITLE.search(start)
    words = found[1] if found is not None else _TAG.sub(b" ", start[:4096])
    text = html.unescape(words.decode(errors="replace"))
    return printable(" ".join(text.split()), longest=_SHOWN)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for, None without a usable one.

    A date is measured from the ``Date`` of the same reply: the local clock is not used.
    """
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    until, now = date(text), date(headers.get("date", ""))
    if until is None or now is None:
        return None
    return max(until - now, 0.0)


def date(text: str) -> float | None:
    """Return the seconds since 1970 UTC of an HTTP date, None for whatever is none."""
    try:
        parsed = parsedate_to_datetime(text)
        return parsed.timestamp() if parsed.tzinfo is not None else None
    except (ValueError, TypeError, ArithmeticError, IndexError):  # numbers beyond any date raise all of these
        return None
