"""Join the chapters of the futures market's REST API in one object.

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
    """``client.futures``: one attribute per chapter of the documentation."""

    def __init__(self, caller: Caller) -> None:
        super().__init__(caller)
        self._details: dict[str, ContractDetails] = {}
        self._rules: dict[str, FuturesRules] = {}

    @property
    def system(self) -> System:
        """Return the chapter on the exchange's clock and maintenance notices."""
        from .system import System

        return self._chapter(System)

    @property
    def market(self) -> FuturesMarket:
        """Return the public chapter on contracts, book, trades, candles and funding."""
        from .futures_market import FuturesMarket

        return self._chapter(FuturesMarket)

    @property
    def account(self) -> FuturesAccount:
        """Return the chapter on the futures wallet: balances, fees, ledger, transfers."""
        from .futures_account import FuturesAccount

        return self._chapter(FuturesAccount)

    @property
    def trading(self) -> FuturesTrading:
        """Return the chapter on orders of every kind and the account's own fills."""
        from .futures_trading import FuturesTrading

        return self._chapter(FuturesTrading)

    @property
    def position(self) -> FuturesPositions:
        """Return the chapter on positions, leverage and position mode."""
        from .futures_position import FuturesPositions

        return self._chapter(FuturesPositions)

    @property
    def sub_account(self) -> FuturesSubAccount:
        """Return the chapter on sub-accounts: transfers and balances."""
        from .futures_sub_account import FuturesSubAccount

        return self._chapter(FuturesSubAccount)

    @property
    def affiliate(self) -> FuturesAffiliate:
        """Return the chapter on users invited by an affiliate."""
        from .futures_affiliate import FuturesAffiliate

        return self._chapter(FuturesAffiliate)

    @property
    def demo(self) -> FuturesDemo:
        """Return the chapter on the demo host's play money."""
        from .futures_demo import FuturesDemo

        return self._chapter(FuturesDemo)

    async def rules(self, symbol: str, *, refresh: bool = False) -> FuturesRules:
        """Return the tick, step and bounds for orders on a contract.

        They are read from ``market.contracts``, and cached.

        Args:
            symbol: such as BTCUSDT.
            refresh: read them again; the exchange changes them now and then.

        Raises:
            InvalidSymbol: the contract does not exist.
            AbsentMember: the reply lacks one of the rules.
        """
        from ..models.rules import FuturesRules

        await trio.lowlevel.checkpoint()
        if refresh or symbol not in self._details:
            found = await self.market.contracts(symbol)
            # Its rules are made on request, so that an odd symbol does not affect the others.
            self._details |= {each.symbol: each for each in found if "symbol" not in absent(each)}
            self._rules.clear()
        if symbol not in self._details:
            raise InvalidSymbol(f"no contract {excerpt(symbol, 100)}", endpoint="GET /contract/public/details")
        if symbol not in self._rules:
            self._rules[symbol] = FuturesRules.from_details(self._details[symbol])
        return self._rules[symbol]
