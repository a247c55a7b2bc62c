"""Define the moments of a tape, trades and books with their times, and their format in a file.

{"ms":1767225600100,"symbol":"BTC_USDT","price":"60010.50","size":"0.25","side":"buy"}
{"ms":1767225600100,"symbol":"BTC_USDT","bids":[["60010.00","1.5"]],"asks":[["60010.50","0.75"]]}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import TypeAlias, cast

import attrs

from ..kernel.book import Side
from ..kernel.encoding import Json, encode
from ..kernel.eventlog import Event
from ..kernel.numbers import read_integer
from ..kernel.symbols import exact, read_symbols


class TapeError(ValueError):
    """A tape that cannot be read, with the line number, or that does not fit the exchange."""


@attrs.frozen
class TapeTrade:
    """A public trade of the market."""

    ms: int
    symbol: str
    price: Decimal
    size: Decimal
    """The size: base currency on spot, contracts on futures."""
    side: Side
    """The side of the taker."""


Levels: TypeAlias = "tuple[tuple[Decimal, Decimal], ...]"
"""(price, size) of one side of a book, best first."""


@attrs.frozen
class TapeBook:
    """A whole book, or one side of it, from its time on."""

    ms: int
    symbol: str
    bids: Levels | None
    """(price, size); None leaves the side unchanged."""
    asks: Levels | None


Moment: TypeAlias = "TapeTrade | TapeBook"


@cache
def check_symbol(symbol: str) -> None:
    """Refuse a name that is neither a pair's nor a contract's.

    Raises:
        ValueError: the name is neither.
    """
    read_symbols([symbol])


def line_of(moment: Moment) -> bytes:
    """Return a moment as a line of a tape file."""
    line: Event = {"ms": moment.ms, "symbol": moment.symbol}
    if isinstance(moment, TapeTrade):
        line |= {"price": moment.price, "size": moment.size, "side": moment.side}
    else:
        for name, levels in (("bids", moment.bids), ("asks", moment.asks)):
            if levels is not None:
                rows: list[Json] = [[price, size] for price, size in levels]
                line[name] = rows
    return encode(line) + b"\n"


def read_line(line: str | bytes, where: str) -> Moment | None:
    """Return the moment in a line; None for a blank line, and for a log's events that are not moments.

    Raises:
        TapeError: the line is invalid.
    """
    if not line.strip():
        return None
    try:
        found: object = json.loads(line, parse_int=read_integer)
    except ValueError:
        raise TapeError(f"{where} is not JSON") from None
    if not isinstance(found, dict):
        raise TapeError(f"{where} is not an object, as each line of a tape is; a table is read as CSV or Parquet")
    event = cast("dict[str, object]", found)
    return moment_of(event, where) if event.get("kind", "match") in ("match", "book") else None


def moment_of(event: Mapping[str, object], where: str) -> Moment:
    """Return the moment in a JSON object.

    Raises:
        TapeError: the object is not a moment.
    """
    try:
        ms, symbol = event["ms"], event["symbol"]
        if not isinstance(ms, int) or not isinstance(symbol, str):
            raise TapeError(f"{where}: ms is a whole number and symbol a text")
        check_symbol(symbol)
        if "price" not in event:
            bids, asks = (_levels(event.get(name)) for name in ("bids", "asks"))
            if bids is None and asks is None:
                raise TapeError(f"{where} is neither a trade nor a book")
            return TapeBook(ms, symbol, bids, asks)
        price, size = exact(event["price"], "price"), exact(event["size"], "size")
        return TapeTrade(ms, symbol, price, size, _side(event["side"]))
    except KeyError as error:
        raise TapeError(f"{where} has no {error.args[0]}") from None
    except TapeError:
        raise
    except (TypeError, ValueError) as error:
        raise TapeError(f"{where}: {error}") from None


def _levels(value: object) -> Levels | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple):
        raise TypeError("a side of a book is a list of [price, size]")
    levels: list[tuple[Decimal, Decimal]] = []
    for level in cast("list[object]", value):
        if not isinstance(level, list | tuple) or len(cast("list[object]", level)) != 2:
            raise TypeError("a level is [price, size]")
        price, size = cast("list[object]", level)
        levels.append((exact(price, "price"), exact(size, "size")))
    return tuple(levels)


def _side(value: object) -> Side:
    if value == "buy":
        return "buy"
    if value == "sell":
        return "sell"
    raise ValueError(f"side is buy or sell, not {value!r}")
