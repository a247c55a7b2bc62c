"""The futures market's REST API: its chapters in one object.

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
    from ..models.futures_market import ContractDetails
    from ..models.rules import FuturesRules
    from .futures_account import FuturesAccount
    from .futures_affiliate import FuturesAffiliate
    from .futures_demo import FuturesDemo
    from .futures_market import FuturesMarket
    from .futures_position import FuturesPositions
    from .futures_sub_account import FuturesSubAccount
    from .futures_trading import FuturesTrading
    from .system import System


class Futures(MarketApi):
    """``client.futures``: one attribute a chapter of the documentation."""

    def __init__(self, caller: Caller) -> None:
        super().__init__(caller)
        self._details: dict[str, ContractDetails] = {}
        self._rules: dict[str, FuturesRules] = {}

    @property
    def system(self) -> System:
        """The exchange's clock and its maintenance notices."""
        from .system import System

        return self._chapter(System)

    @property
    def market(self) -> FuturesMarket:
        """Contracts, book, trades, candles, funding. Public."""
        from .futures_market import FuturesMarket

        return self._chapter(FuturesMarket)

    @property
    def account(self) -> FuturesAccount:
        """The futures wallet: balances, fees, ledger, transfers."""
        from .futures_account import FuturesAccount

        return self._chapter(FuturesAccount)

    @property
    def trading(self) -> FuturesTrading:
        """Orders of every kind and the account's own fills."""
        from .futures_trading import FuturesTrading

        return self._chapter(FuturesTrading)

    @property
    def position(self) -> FuturesPositions:
        """Positions, leverage and position mode."""
        from .futures_position import FuturesPositions

        return self._chapter(FuturesPositions)

    @property
    def sub_account(self) -> FuturesSubAccount:
        """Transfers with sub-accounts and their balances."""
        from .futures_sub_account import FuturesSubAccount

        return self._chapter(FuturesSubAccount)

    @property
    def affiliate(self) -> FuturesAffiliate:
        """Users brought by an affiliate."""
        from .futures_affiliate import FuturesAffiliate

        return self._chapter(FuturesAffiliate)

    @property
    def demo(self) -> FuturesDemo:
        """Play money of the demo host."""
        from .futures_demo import FuturesDemo

        return self._chapter(FuturesDemo)

    async def rules(self, symbol: str, *, refresh: bool = False) -> FuturesRules:
        """The tick, step and bounds that orders on a contract must keep to.

        Read from ``market.contracts``, and kept.

        Args:
            symbol: such as BTCUSDT.
            refresh: read them anew; the exchange changes them now and then.

        Raises:
            InvalidSymbol: there is no such contract.
            AbsentMember: the reply lacks a rule of it.
        """
        from ..models.rules import FuturesRules

        await trio.lowlevel.checkpoint()
        if refresh or symbol not in self._details:
            found = await self.market.contracts(symbol)
            # One that is odd must not stand in the way of the others: its rules are made when they are asked for.
            self._details |= {each.symbol: each for each in found if "symbol" not in absent(each)}
            self._rules.clear()
        if symbol not in self._details:
            raise InvalidSymbol(f"no contract {excerpt(symbol, 100)}", endpoint="GET /contract/public/details")
        if symbol not in self._rules:
            self._rules[symbol] = FuturesRules.from_details(self._details[symbol])
        return self._rules[symbol]
