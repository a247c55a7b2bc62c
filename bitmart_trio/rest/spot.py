"""The spot market's REST API: its chapters in one object."""

from __future__ import annotations

from ._base import Caller, MarketApi
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

    __slots__ = ("account", "algo", "broker", "earn", "margin", "market", "sub_account", "system", "trading")

    def __init__(self, caller: Caller) -> None:
        super().__init__(caller)
        self.system: System = System(caller)
        """The exchange's clock and its maintenance notices."""
        self.market: SpotMarket = SpotMarket(caller)
        """Currencies, pairs, tickers, klines, books, public trades."""
        self.account: SpotAccount = SpotAccount(caller)
        """Balances, deposits, withdrawals, transfers, fees, keys."""
        self.trading: SpotTrading = SpotTrading(caller)
        """Orders and fills."""
        self.algo: SpotAlgo = SpotAlgo(caller)
        """Plan, take-profit and stop-loss orders."""
        self.margin: SpotMargin = SpotMargin(caller)
        """Isolated margin: accounts, orders, loans."""
        self.sub_account: SpotSubAccount = SpotSubAccount(caller)
        """Transfers and balances of sub-accounts."""
        self.broker: SpotBroker = SpotBroker(caller)
        """Rebates of API brokers."""
        self.earn: SpotEarn = SpotEarn(caller)
        """Flexible and fixed-term savings."""
