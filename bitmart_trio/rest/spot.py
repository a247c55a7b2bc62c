"""The spot market's REST API: its chapters in one object.

A chapter is imported when it is first used: together they take as long as everything else.
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
    """``client.spot``: one attribute a chapter of the documentation."""

    def __init__(self, caller: Caller) -> None:
        super().__init__(caller)
        self._details: dict[str, SymbolDetails] = {}
        self._rules: dict[str, SpotRules] = {}

    @property
    def system(self) -> System:
        """The exchange's clock and its maintenance notices."""
        from .system import System

        return self._chapter(System)

    @property
    def market(self) -> SpotMarket:
        """Currencies, pairs, tickers, klines, books, public trades."""
        from .spot_market import SpotMarket

        return self._chapter(SpotMarket)

    @property
    def account(self) -> SpotAccount:
        """Balances, deposits, withdrawals, transfers, fees, keys."""
        from .spot_account import SpotAccount

        return self._chapter(SpotAccount)

    @property
    def trading(self) -> SpotTrading:
        """Orders and fills."""
        from .spot_trading import SpotTrading

        return self._chapter(SpotTrading)

    @property
    def algo(self) -> SpotAlgo:
        """Plan, take-profit and stop-loss orders."""
        from .spot_algo import SpotAlgo

        return self._chapter(SpotAlgo)

    @property
    def margin(self) -> SpotMargin:
        """Isolated margin: accounts, orders, loans."""
        from .spot_margin import SpotMargin

        return self._chapter(SpotMargin)

    @property
    def sub_account(self) -> SpotSubAccount:
        """Transfers and balances of sub-accounts."""
        from .spot_sub_account import SpotSubAccount

        return self._chapter(SpotSubAccount)

    @property
    def broker(self) -> SpotBroker:
        """Rebates of API brokers."""
        from .spot_broker import SpotBroker

        return self._chapter(SpotBroker)

    @property
    def earn(self) -> SpotEarn:
        """Flexible and fixed-term savings."""
        from .spot_earn import SpotEarn

        return self._chapter(SpotEarn)

    async def rules(self, symbol: str, *, refresh: bool = False) -> SpotRules:
        """The tick, step and bounds that orders on a pair must keep to.

        Read from ``market.symbol_details`` for all pairs at once, and kept.

        Args:
            symbol: such as BTC_USDT.
            refresh: read them anew; the exchange changes them now and then.

        Raises:
            InvalidSymbol: there is no such pair.
            AbsentMember: the reply lacks a rule of it.
        """
        from ..models.rules import SpotRules

        await trio.lowlevel.checkpoint()
        if refresh or symbol not in self._details:
            found = await self.market.symbol_details()
            # One that is odd must not stand in the way of the others: its rules are made when they are asked for.
            self._details |= {each.symbol: each for each in found if "symbol" not in absent(each)}
            self._rules.clear()
        if symbol not in self._details:
            raise InvalidSymbol(f"no pair {excerpt(symbol, 100)}", endpoint="GET /spot/v1/symbols/details")
        if symbol not in self._rules:
            self._rules[symbol] = SpotRules.from_details(self._details[symbol])
        return self._rules[symbol]
