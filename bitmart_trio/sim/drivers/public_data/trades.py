"""Turn the trades of a table into the trades of a tape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from ...kernel.book import Side
from ..moments import TapeTrade
from .cells import Names, Sizes, Unit, amount, read_flag, read_time
from .layouts import TIMES, Layout


def read_trades(layout: Layout, names: Names, unit: Unit | None) -> Callable[[Sequence[str]], Iterator[TapeTrade]]:
    """Return a function that makes trades of rows.

    Args:
        layout: the layout of the columns.
        names: the names of the markets.
        unit: the unit of sizes; None: contracts in a column ``size``, as this package writes it, else units of the base
            currency (contracts, for contracts that are worth dollars).

    Raises:
        TapeError: a column is missing.
    """
    time, price = layout.needed(*TIMES), layout.needed("price")
    size = layout.needed("size", "qty", "quantity", "amount")
    maker = layout.column("isbuyermaker")
    side = layout.needed("side", "isbuyermaker") if maker is None else layout.column("side")
    own = layout.names[size] == "size"
    sizes: dict[str, Sizes] = {}
    last: dict[str, tuple[Decimal, Side]] = {}

    def read(row: Sequence[str]) -> Iterator[TapeTrade]:
        symbol = names.of(row)
        if symbol is None:
            return
        if symbol not in sizes:
            sizes[symbol] = Sizes(symbol, "contracts" if own and unit is None and "_" not in symbol else unit)
        at = amount(row[price], "price")
        taker: Side | None = None
        if side is not None:
            taker = _side(row[side])
        elif maker is not None:
            taker = "sell" if read_flag(row[maker], "is_buyer_maker") else "buy"
        if taker is None:
            # The taker is unknown: the side follows the price.
            before, taker = last.get(symbol, (at, "buy"))
            taker = "buy" if at > before else "sell" if at < before else taker
        last[symbol] = at, taker
        yield TapeTrade(
            read_time(row[time].strip()), symbol, at, sizes[symbol].of(amount(row[size], "size"), at), taker
        )

    return read


def _side(text: str) -> Side | None:
    word = text.strip().lower()
    if word in ("buy", "sell"):
        return "buy" if word == "buy" else "sell"
    if word in ("", "unknown"):
        return None
    raise ValueError(f"side is buy or sell, not {text!r}")
