"""Implement ``bitmart-trio orders``, ``balances`` and ``positions``: live views of an account, or one reading."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Final, Literal, TypeAlias

import attrs
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

import bitmart_trio as bm

from .._scopes import open_nursery, start_soon
from ..config import Market
from ..models._futures_enums import FuturesOrderSide
from ..models.account_views import AccountState, FuturesAccountOrder, SpotAccountOrder
from ..models.futures_trading import FuturesOrderState
from ..streams._account_futures import FuturesAccountView
from ..streams._account_spot import SpotAccountView
from ._live import Screen
from ._run import Refusal
from ._show import Json, cell, fitting, jsonable

What: TypeAlias = Literal["orders", "balances", "positions"]
View: TypeAlias = SpotAccountView | FuturesAccountView

_FIRST: Final = (
    "market",
    "symbol",
    "side",
    "type",
    "price",
    "size",
    "filled_size",
    "state",
    "create_time",
    "order_id",
)
"""The first columns of orders: columns that do not fit into the terminal are omitted from the right."""
_SIDES: Final = {"buy": "green", "long": "green", "sell": "red", "short": "red"}
_WORDS: Final = {"side": FuturesOrderSide, "state": FuturesOrderState}
"""The names of values that futures orders hold as numbers."""

_COLOURS: Final = {AccountState.LIVE: "green", AccountState.SYNCING: "yellow", AccountState.STALE: "red"}


@attrs.frozen
class Wanted:
    """The part of an account to show.

    Attributes:
        what: the list: orders, balances or positions.
        markets: the markets; empty for all.
        symbol: the symbol of orders and positions; None for all.
        empty: include zero balances.
    """

    what: What
    markets: Sequence[Market] = ()
    symbol: str | None = None
    empty: bool = False

    def markets_at(self, environment: bm.Environment) -> list[Market]:
        """Return the markets to read.

        Raises:
            Refusal: none of the markets has this list.
        """
        there: list[Market] = ["futures"] if environment.spot_rest is None else ["spot", "futures"]
        if self.what == "positions":
            there = ["futures"]
        found: list[Market] = [market for market in there if market in (self.markets or there)]
        if not found:
            raise Refusal(f"{environment.name} has no {self.what} of {' or '.join(self.markets)}")
        return found

    def rows(self, market: Market, view: View) -> list[dict[str, Json]]:
        """Return the rows of the list as it is now."""
        if self.what == "balances":
            return [
                {"market": market, "currency": currency, **_fields(balance), "total": f"{balance.total:f}"}
                for currency, balance in sorted(view.balances.items())
                if self.empty or balance.total
            ]
        if self.what == "orders":
            orders: Iterable[SpotAccountOrder | FuturesAccountOrder] = view.orders.values()
            return [
                {"market": market, **_fields(order)}
                for order in sorted(orders, key=lambda each: each.create_time)
                if self.symbol in (None, order.symbol)
            ]
        if isinstance(view, SpotAccountView):
            return []
        return [_fields(position) for position in view.positions.values() if self.symbol in (None, position.symbol)]


class Account:
    """A view of a list of an account.

    Args:
        wanted: the list to show.
        console: the terminal; None prints JSON.
        follow: True to continue after the first reading.
    """

    def __init__(self, wanted: Wanted, console: Console | None, *, follow: bool) -> None:
        self._wanted = wanted
        self._console = console
        self._follow = follow
        self._views: dict[Market, View] = {}
        self._screen = Screen(console, self._view) if console is not None and follow else None
        self._where = ""

    async def run(self, credentials: bm.Credentials | None, environment: bm.Environment) -> None:
        """Read the account, and follow it until interrupted if asked to."""
        self._where = environment.name
        markets = self._wanted.markets_at(environment)
        async with bm.open_client(credentials, environment=environment) as client, AsyncExitStack() as stack:
            for market in markets:
                opening = client.streams.spot.account() if market == "spot" else client.streams.futures.account()
                self._views[market] = await stack.enter_async_context(opening)
            async with open_nursery() as nursery:
                if self._screen is not None:
                    start_soon(nursery, self._screen.run)
                for view in self._views.values():
                    await view.wait_live()
                if self._screen is None:
                    self._print()
                if self._follow:
                    for view in self._views.values():
                        start_soon(nursery, self._watch, view)

    async def _watch(self, view: View) -> None:
        changes: AsyncIterator[object] = view
        async for change in changes:
            if self._screen is not None:
                self._screen.touch()
            else:
                print(json.dumps({"change": type(change).__name__, **_fields(change)}), flush=True)

    def _rows(self) -> list[dict[str, Json]]:
        return [row for market, view in self._views.items() for row in self._wanted.rows(market, view)]

    def _print(self) -> None:
        rows = self._rows()
        if self._console is None:
            print(json.dumps(rows, indent=None if self._follow else 2), flush=True)
        else:
            self._console.print(self._table(rows, self._console.width))

    def _view(self) -> Group:
        assert self._console is not None
        states: list[str | tuple[str, str]] = []
        for market, view in self._views.items():
            states += [f"  {market} ", (view.state.value, _COLOURS[view.state])]
        head = Text.assemble((f" {self._where} ", "reverse"), "  ", (self._wanted.what, "bold"), *states)
        size = self._console.size
        rows = self._rows()
        room = max(1, size.height - 4)
        parts: list[Text | Table] = [head, Text(), self._table(rows[-room:], size.width)]
        if len(rows) > room:
            parts.append(Text(f"the newest {room} of {len(rows)}", style="dim"))
        return Group(*parts)

    def _table(self, rows: Sequence[dict[str, Json]], width: int) -> Table | Text:
        if not rows:
            return Text(f"no {self._wanted.what}", style="dim")
        # The type of a spot order corresponds to the kind of a futures order.
        cells = [{"type" if name == "kind" else name: _text(row, name) for name in row} for row in rows]
        names = dict.fromkeys(
            [*(name for name in _FIRST if name in cells[0]), *(name for row in cells for name in row)]
        )
        chosen = fitting(list(names), cells, width)
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for name in chosen:
            numbers = all(_is_number(row.get(name, "")) for row in cells)
            table.add_column(name, justify="right" if numbers else "left", no_wrap=True)
        for row in cells:
            style = _SIDES.get(row.get("side", "").partition(" ")[0], "")
            table.add_row(*(Text(row.get(name, ""), style if name == "side" else "") for name in chosen))
        return table


def _fields(model: object) -> dict[str, Json]:
    plain = jsonable(model)
    assert isinstance(plain, dict)
    return plain


def _text(row: dict[str, Json], name: str) -> str:
    value = row[name]
    if isinstance(value, int) and name in _WORDS:
        return _WORDS[name](value).name.lower().replace("_", " ")
    return cell(name, value)


def _is_number(text: str) -> bool:
    return not text or text.replace(".", "", 1).lstrip("-").isdigit()
