"""The futures market's REST API: its chapters in one object."""

from __future__ import annotations

from ._base import Caller, MarketApi
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

    __slots__ = ("account", "affiliate", "demo", "market", "position", "sub_account", "system", "trading")

    def __init__(self, caller: Caller) -> None:
        super().__init__(caller)
        self.system: System = System(caller)
        """The exchange's clock and its maintenance notices."""
        self.market: FuturesMarket = FuturesMarket(caller)
        """Contracts, book, trades, candles, funding. Public."""
        self.account: FuturesAccount = FuturesAccount(caller)
        """The futures wallet: balances, fees, ledger, transfers."""
        self.trading: FuturesTrading = FuturesTrading(caller)
        """Orders of every kind and the account's own fills."""
        self.position: FuturesPositions = FuturesPositions(caller)
        """Positions, leverage and position mode."""
        self.sub_account: FuturesSubAccount = FuturesSubAccount(caller)
        """Transfers with sub-accounts and their balances."""
        self.affiliate: FuturesAffiliate = FuturesAffiliate(caller)
        """Users brought by an affiliate."""
        self.demo: FuturesDemo = FuturesDemo(caller)
        """Play money of the demo host."""
