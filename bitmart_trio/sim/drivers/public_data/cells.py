"""Read the cells of a table: times, numbers, symbols, and sizes in the units of a market."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final, Literal, TypeAlias

from ...kernel.contracts import Terms
from ...kernel.numbers import NumberError, read_decimal
from ...kernel.symbols import exact, read_symbols
from ..moments import TapeError, check_symbol
from .layouts import Layout

Unit: TypeAlias = Literal["base", "contracts"]
"""The unit of sizes: units of the base currency, or contracts."""

_UNITS: Final = ((10**11, 1000, 1), (10**14, 1, 1), (10**17, 1, 1000), (10**20, 1, 1_000_000))
"""Bounds of times in seconds, milliseconds, micro- and nanoseconds: the years 1973 to 5138."""
_FLOAT: Final = Context(prec=15, rounding=ROUND_HALF_EVEN)
"""The number of digits that a float preserves of its source."""


def read_time(text: str) -> int:
    """Return a time as milliseconds since 1970: a number of seconds, milli-, micro- or nanoseconds, or ISO 8601 (UTC).

    Raises:
        ValueError: the text is not a time.
    """
    if text.isascii() and text.isdigit() and len(text) <= 20:
        number = int(text)
        for below, times, parts in _UNITS:
            if number < below:
                return number * times // parts
    try:
        # A float, as data frames write times.
        whole = read_decimal(text)
    except NumberError:
        pass
    else:
        if 0 <= whole < _UNITS[-1][0]:
            _, times, parts = next(unit for unit in _UNITS if whole < unit[0])
            return int(whole * times / parts)
        raise ValueError(f"no time: {text!r}")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"no time: {text!r}") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def read_flag(text: str, what: str) -> bool:
    """Return true or false, from a word or from 1 or 0.

    Raises:
        ValueError: the text is neither.
    """
    word = text.strip().lower()
    if word not in ("true", "false", "1", "0"):
        raise ValueError(f"{what} is true or false, not {text!r}")
    return word in ("true", "1")


def unfloated(number: Decimal) -> Decimal:
    """Return a number that went through floats, without the digits that this added: 0.30000000000000004 is 0.3."""
    return _FLOAT.plus(number).normalize() if len(number.as_tuple().digits) > _FLOAT.prec else number


class Names:
    """The names of a file's markets, and the choice of rows.

    Args:
        layout: the layout of the columns.
        symbol: the market's name on the exchange; None: taken from the rows, in files of this package.
        only: the wanted market's name in the file; None: the file has only one market.
    """

    def __init__(self, layout: Layout, symbol: str | None, only: str | None) -> None:
        self._symbol = symbol
        self._only = only
        self._column = layout.column("symbol")
        self._seen: str | None = None
        if symbol is not None:
            try:
                check_symbol(symbol)
            except ValueError as error:
                raise TapeError(str(error)) from None
        # A name such as BTCUSDT is a pair at one venue and a contract here.
        elif self._column is None or layout.column("exchange") is not None:
            raise TapeError("the file does not name the symbol as it is named here; give one, such as BTC_USDT")
        if only is not None and self._column is None:
            raise TapeError("the file has no column symbol to choose by")

    def of(self, row: Sequence[str]) -> str | None:
        """Return the symbol of a row; None if the row is not wanted.

        Raises:
            ValueError: the file has a second market, and the wanted one was not named.
        """
        if self._column is None:
            return self._symbol
        name = row[self._column].strip()
        if self._only is not None and name != self._only:
            return None
        if self._symbol is None:
            check_symbol(name)
            return name
        if name != self._seen:
            if self._seen is not None:
                raise ValueError(f"this row is of {name}, those before of {self._seen}: choose one with only=")
            self._seen = name
        return self._symbol


class Sizes:
    """Sizes in a market's own unit: base currency on spot, whole contracts on futures.

    The fraction of a contract in an amount is carried to the next amount, so that the sum stays right; no size is
    smaller than one contract.

    Args:
        symbol: a pair or contract.
        unit: the unit in the file; None: contracts if they are worth dollars, else units of the coin, as usual in
            files.
    """

    def __init__(self, symbol: str, unit: Unit | None) -> None:
        contracts = read_symbols([symbol]).contracts
        self._terms: Terms | None = contracts[0] if contracts else None
        if self._terms is None and unit == "contracts":
            raise TapeError(f"{symbol} is a pair: its sizes are no contracts")
        self._in_contracts = unit == "contracts" or (unit is None and self._terms is not None and self._terms.inverse)
        self._carried = Decimal(0)

    def of(self, amount: Decimal, price: Decimal, *, least: int = 1, carry: bool = True) -> Decimal:
        """Return an amount at a price in the market's own unit.

        Args:
            amount: the amount in the file.
            price: the price of the trade.
            least: the least number of contracts to return.
            carry: True if the fraction of a contract is carried to the next amount.
        """
        if self._terms is None:
            return amount
        if not self._in_contracts:
            amount = (amount * price if self._terms.inverse else amount) / self._terms.contract_size
        wanted = amount + self._carried if carry else amount
        contracts = max(Decimal(least), wanted.to_integral_value(ROUND_HALF_EVEN))
        if carry:
            self._carried = wanted - contracts
        return contracts


def amount(text: str, what: str) -> Decimal:
    """Return a number above zero.

    Raises:
        ValueError: the text is not such a number.
    """
    return exact(text.strip(), what)
