"""Join the chapters of the spot market's REST API in one object.

A chapter is imported on first use: all chapters together take as long as everything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from ..errors import InvalidSymbol
from ..models._absent import absent
from ..models._numbers import excerpt
from ._base import Caller, MarketApi

if TYPE_CHECKING:
    from ..models.rules import SpotRules
    from ..models.spot_market import SymbolDetails
    from .spot_account import SpotAccount
    from .spot_algo import SpotAlgo
    from .spot_broker import SpotBroker
    from .spot_earn import SpotEarn
    from .spot_margin import SpotMargin
    from .spot_market import SpotMarket
    from .spot_sub_account import SpotSubAccount
    from .spot_trading import SpotTrading
    from .system import System


class Spot(MarketApi):
    """``client.spot``: one attribute per chapter of the documentation."""

    def __init__(self, caller: Caller) -> None:
        super().__init__(caller)
        self._details: dict[str, SymbolDetails] = {}
        self._rules: dict[str, SpotRules] = {}

    @property
    def system(self) -> System:
        """Return the chapter on the exchange's clock and maintenance notices."""
        from .system import System

        return self._chapter(System)

    @property
    def market(self) -> SpotMarket:
        """Return the chapter on currencies, pairs, tickers, klines, books and public trades."""
        from .spot_market import SpotMarket

        return self._chapter(SpotMarket)

    @property
    def account(self) -> SpotAccount:
        """Return the chapter on balances, deposits, withdrawals, transfers, fees and keys."""
        from .spot_account import SpotAccount

        return self._chapter(SpotAccount)

    @property
    def trading(self) -> SpotTrading:
        """Return the chapter on orders and fills."""
        from .spot_trading import SpotTrading

        return self._chapter(SpotTrading)

    @property
    def algo(self) -> SpotAlgo:
        """Return the chapter on plan, take-profit and stop-loss orders."""
        from .spot_algo import SpotAlgo

        return self._chapter(SpotAlgo)

    @property
    def margin(self) -> SpotMargin:
        """Return the chapter on isolated margin: accounts, orders, loans."""
        from .spot_margin import SpotMargin

        return self._chapter(SpotMargin)

    @property
    def sub_account(self) -> SpotSubAccount:
        """Return the chapter on transfers and balances of sub-accounts."""
        from .spot_sub_account import SpotSubAccount

        return self._chapter(SpotSubAccount)

    @property
    def broker(self) -> SpotBroker:
        """Return the chapter on rebates of API brokers."""
        from .spot_broker import SpotBroker

        return self._chapter(SpotBroker)

    @property
    def earn(self) -> SpotEarn:
        """Return the chapter on flexible and fixed-term savings."""
        from .spot_earn import SpotEarn

        return self._chapter(SpotEarn)

    async def rules(self, symbol: str, *, refresh: bool = False) -> SpotRules:
        """Return the tick, step and bounds for orders on a pair.

        Read from ``market.symbol_details`` for all pairs at once, and kept.

        Args:
            symbol: such as BTC_USDT.
            refresh: read them again; the exchange changes them now and then.

        Raises:
            InvalidSymbol: there is no such pair.
            AbsentMember: the reply lacks one of the rules.
        """
        from ..models.rules import SpotRules

        await trio.lowlevel.checkpoint()
        if refresh or symbol not in self._details:
            found = await self.market.symbol_details()
            # Its rules are made on request, so that an odd symbol does not affect the others.
            self._details |= {each.symbol: each for each in found if "symbol" not in absent(each)}
            self._rules.clear()
        if symbol not in self._details:
            raise InvalidSymbol(f"no pair {excerpt(symbol, 100)}", endpoint="GET /spot/v1/symbols/details")
        if symbol not in self._rules:
            self._rules[symbol] = SpotRules.from_details(self._details[symbol])
        return self._rules[symbol]
