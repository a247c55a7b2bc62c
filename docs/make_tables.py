"""Writes the tables of ``docs/reference``: every channel from its row, every error code from the library's own table.

With ``--check`` it says whether the pages are current, and changes nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from made_pages import write_or_check

ROOT: Final = Path(__file__).resolve().parent.parent
PAGES: Final = ROOT / "docs" / "reference"
sys.path.insert(0, str(ROOT))

from bitmart_trio import errors  # noqa: E402  # after the path is set
from bitmart_trio._bitmart.channel import Channel  # noqa: E402
from bitmart_trio._bitmart.sockets import LIMITS  # noqa: E402
from bitmart_trio.streams import _futures_private as futures_private  # noqa: E402
from bitmart_trio.streams import futures, spot  # noqa: E402

CHANNELS_HEAD: Final = """# Channels

Every channel of BitMart's sockets and the opener that follows it. Made from the rows in `bitmart_trio/streams/` by
`docs/make_tables.py`; a test keeps it current.

*Overflow* is the default policy of a full buffer. *Quiet* is the deadline after which silence on a living
connection is looked into; a dash: this channel speaks on change only. A topic that is not here can be followed by
name, with `client.streams.subscribe(...)`; it yields `RawPush`.
"""

CODES_HEAD: Final = """# Error codes

What BitMart's codes become. Made from `bitmart_trio/errors.py` by `docs/make_tables.py`; a test keeps it current. A
code that is not here raises the class of its HTTP status, else `ApiError`. [Errors](../errors.md) says what to do about
each class.
"""


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def _spelling(row: Channel[Any]) -> str:
    name = row.name
    if row.filter:
        name += ":" + ({"symbol": "{symbol}", "currency": "{currency}"}.get(row.filter, row.filter))
    return name


def _variants(row: Channel[Any]) -> str:
    parts: list[str] = []
    if row.levels:
        parts.append("level " + ", ".join(map(str, row.levels)))
    if row.intervals:
        parts.append("interval " + ", ".join(row.intervals))
    if any(row.speeds):
        parts.append("speed " + ", ".join(each.removeprefix("@") or "none" for each in row.speeds))
    return "; ".join(parts)


def rows(market: str) -> dict[str, Channel[Any]]:
    """The channels of a market by their openers."""
    names = vars(spot) if market == "spot" else vars(futures) | vars(futures_private)
    return {name: row for name, row in names.items() if isinstance(row, Channel)}


def channels() -> str:
    """The page of channels."""
    page = [CHANNELS_HEAD]
    for market in ("spot", "futures"):
        for private in (False, True):
            limits = LIMITS[market, private]  # type: ignore[index]  # the two markets
            audience = "private" if private else "public"
            page += [
                f"\n## `client.streams.{market}`, {audience}\n",
                f"At most {limits.topics} topics a connection and {limits.connections} connections an address.\n",
                "| opener | topic | variants | yields | overflow | quiet | status |",
                "| --- | --- | --- | --- | --- | --- | --- |",
            ]
            for name, row in rows(market).items():
                if row.private is not private:
                    continue
                quiet = "-" if row.silence is None else f"{row.silence:g} s"
                cells = (
                    f"`{name}`", f"`{_spelling(row)}`", _variants(row), f"`{row.payload.__name__}`", row.overflow,
                    quiet, row.status,
                )  # fmt: skip
                page.append(f"| {' | '.join(map(_cell, cells))} |")
    return "\n".join(page) + "\n"


def codes() -> str:
    """The page of error codes."""
    page = [CODES_HEAD, "\n## REST\n", "| code | raises | meaning |", "| --- | --- | --- |"]
    page += [
        f"| {row.code} | `{row.error.__name__}` | {_cell(row.meaning)} |"
        for row in sorted(errors.CODES.values(), key=lambda row: row.code)
    ]
    page += ["\n## Spot sockets\n", "| code | raises | meaning |", "| --- | --- | --- |"]
    page += [
        f"| {code} | `{row.error.__name__}` | {_cell(row.meaning)} |"
        for code, row in sorted(errors.SOCKET_CODES.items())
    ]
    return "\n".join(page) + "\n"


def main() -> int:
    """Write the pages, or compare."""
    return write_or_check({PAGES / "channels.md": channels(), PAGES / "codes.md": codes()})


if __name__ == "__main__":
    sys.exit(main())
