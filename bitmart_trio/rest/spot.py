"""The spot market's REST API: its chapters in one object.

A chapter is imported when it is first used: together they take as long as everything else.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ._base import MarketApi

if TYPE_CHECKING:
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

    @cached_property
    def system(self) -> System:
        """The exchange's clock and its maintenance notices."""
        from .system import System

        return System(self._caller)

    @cached_property
    def market(self) -> SpotMarket:
        """Currencies, pairs, tickers, klines, books, public trades."""
        from .spot_market import SpotMarket

        return SpotMarket(self._caller)

    @cached_property
    def account(self) -> SpotAccount:
        """Balances, deposits, withdrawals, transfers, fees, keys."""
        from .spot_account import SpotAccount

        return SpotAccount(self._caller)

    @cached_property
    def trading(self) -> SpotTrading:
        """Orders and fills."""
        from .spot_trading import SpotTrading

        return SpotTrading(self._caller)

    @cached_property
    def algo(self) -> SpotAlgo:
        """Plan, take-profit and stop-loss orders."""
        from .spot_algo import SpotAlgo

        return SpotAlgo(self._caller)

    @cached_property
    def margin(self) -> SpotMargin:
        """Isolated margin: accounts, orders, loans."""
        from .spot_margin import SpotMargin

        return SpotMargin(self._caller)

    @cached_property
    def sub_account(self) -> SpotSubAccount:
        """Transfers and balances of sub-accounts."""
        from .spot_sub_account import SpotSubAccount

        return SpotSubAccount(self._caller)

    @cached_property
    def broker(self) -> SpotBroker:
        """Rebates of API brokers."""
        from .spot_broker import SpotBroker

        return SpotBroker(self._caller)

    @cached_property
    def earn(self) -> SpotEarn:
        """Flexible and fixed-term savings."""
        from .spot_earn import SpotEarn

        return SpotEarn(self._caller)
