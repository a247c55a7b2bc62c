"""What streams read over REST: to fill gaps, to start and to check views of an account.

Streams stand beside ``rest`` and do not import it. `SpotReads` and `FuturesReads` list only the methods that are
needed; the objects ``client.spot`` and ``client.futures`` have them, and so may a fake.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..models.futures_account import FuturesAsset
    from ..models.futures_market import ContractDetails, FuturesKline, FuturesMarketTrade, FuturesOrderBook
    from ..models.futures_position import FuturesPositionV2
    from ..models.futures_trading import FuturesFill, FuturesOrder, PlanOrder
    from ..models.spot_account import SpotBalance
    from ..models.spot_market import SpotKline, SpotMarketTrade, SpotOrderBook
    from ..models.spot_trading import SpotFill, SpotOrder


class SpotMarketReads(Protocol):
    """Of ``client.spot.market``."""

    async def klines(
        self,
        symbol: str,
        *,
        before: int | datetime | None = None,
        after: int | datetime | None = None,
        step: int | None = None,
        limit: int | None = None,
    ) -> list[SpotKline]:
        """Historical klines of a pair."""
        ...

    async def latest_klines(
        self,
        symbol: str,
        *,
        before: int | datetime | None = None,
        after: int | datetime | None = None,
        step: int | None = None,
        limit: int | None = None,
    ) -> list[SpotKline]:
        """The most recent klines of a pair."""
        ...

    async def order_book(self, symbol: str, *, limit: int | None = None) -> SpotOrderBook:
        """The best levels of a pair's book."""
        ...

    async def trades(self, symbol: str, *, limit: int | None = None) -> list[SpotMarketTrade]:
        """The latest public trades of a pair."""
        ...


class SpotAccountReads(Protocol):
    """Of ``client.spot.account``."""

    async def spot_balances(self) -> list[SpotBalance]:
        """The balances of the spot wallet."""
        ...


class SpotTradingReads(Protocol):
    """Of ``client.spot.trading``."""

    async def order(self, order_id: str) -> SpotOrder:
        """One order by the exchange's id."""
        ...

    async def open_orders(
        self,
        symbol: str | None = None,
        *,
        start_time: int | datetime | None = None,
        end_time: int | datetime | None = None,
        limit: int | None = None,
    ) -> list[SpotOrder]:
        """Open orders."""
        ...

    async def order_history(
        self,
        symbol: str | None = None,
        *,
        start_time: int | datetime | None = None,
        end_time: int | datetime | None = None,
        limit: int | None = None,
    ) -> list[SpotOrder]:
        """Finished orders."""
        ...

    async def trades(
        self,
        symbol: str | None = None,
        *,
        start_time: int | datetime | None = None,
        end_time: int | datetime | None = None,
        limit: int | None = None,
    ) -> list[SpotFill]:
        """The account's fills."""
        ...


class SpotReads(Protocol):
    """What of ``client.spot`` the spot streams use."""

    @property
    def market(self) -> SpotMarketReads:
        """Public market data."""
        ...

    @property
    def account(self) -> SpotAccountReads:
        """Balances."""
        ...

    @property
    def trading(self) -> SpotTradingReads:
        """Orders and fills."""
        ...


class FuturesMarketReads(Protocol):
    """Of ``client.futures.market``."""

    async def contracts(self, symbol: str | None = None) -> list[ContractDetails]:
        """The contracts and what one of each is worth."""
        ...

    async def order_book(self, symbol: str) -> FuturesOrderBook:
        """The book of a contract."""
        ...

    async def trades(self, symbol: str, *, limit: int | None = None) -> list[FuturesMarketTrade]:
        """The latest public trades of a contract."""
        ...

    async def klines(
        self, symbol: str, *, start_time: int | datetime, end_time: int | datetime, step: int | None = None
    ) -> list[FuturesKline]:
        """Klines of a contract."""
        ...


class FuturesAccountReads(Protocol):
    """Of ``client.futures.account``."""

    async def assets(self) -> list[FuturesAsset]:
        """The balances of the futures wallet."""
        ...


class FuturesTradingReads(Protocol):
    """Of ``client.futures.trading``."""

    async def order(self, symbol: str, order_id: str) -> FuturesOrder:
        """One order by the exchange's id."""
        ...

    async def order_history(
        self,
        symbol: str,
        *,
        order_id: str | None = None,
        start_time: int | datetime | None = None,
        end_time: int | datetime | None = None,
    ) -> list[FuturesOrder]:
        """Finished orders of a contract."""
        ...

    async def open_orders(self, symbol: str | None = None, *, limit: int | None = None) -> list[FuturesOrder]:
        """Open orders."""
        ...

    async def plan_orders(self, symbol: str | None = None, *, limit: int | None = None) -> list[PlanOrder]:
        """Plan, take-profit and stop-loss orders that wait for their trigger."""
        ...

    async def trades(
        self,
        symbol: str | None = None,
        *,
        start_time: int | datetime | None = None,
        end_time: int | datetime | None = None,
    ) -> list[FuturesFill]:
        """The account's fills."""
        ...


class FuturesPositionReads(Protocol):
    """Of ``client.futures.position``."""

    async def positions_v2(self, symbol: str | None = None) -> list[FuturesPositionV2]:
        """Positions."""
        ...


class FuturesReads(Protocol):
    """What of ``client.futures`` the futures streams use."""

    @property
    def market(self) -> FuturesMarketReads:
        """Public market data."""
        ...

    @property
    def account(self) -> FuturesAccountReads:
        """Balances."""
        ...

    @property
    def trading(self) -> FuturesTradingReads:
        """Orders and fills."""
        ...

    @property
    def position(self) -> FuturesPositionReads:
        """Positions."""
        ...
