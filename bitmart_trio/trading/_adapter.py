"""Define what a session needs from a market. Spot and futures have an adapter each, which only translates."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any, Final, Protocol

from .._io.subscription import Subscription
from ..config import Market
from ..errors import (
    CODES,
    ApiError,
    AuthenticationError,
    ConfigurationError,
    EndpointRemoved,
    InvalidRequest,
    PermissionDenied,
    RequestRefused,
)
from ._evidence import OrderReport
from ._order import Intent, OrderFill

_PERMANENT: Final = (
    AuthenticationError,
    ConfigurationError,
    EndpointRemoved,
    InvalidRequest,
    PermissionDenied,
    RequestRefused,
)


def is_transient(error: Exception) -> bool:
    """Return True if the failed call may work when repeated.

    Only an error code of the exchange is final. A page from the network in front of the exchange is not: it may say
    400, 401 or 403 for a moment.
    """
    if isinstance(error, ApiError) and error.code not in CODES:
        return True
    return not isinstance(error, _PERMANENT)


class MarketAdapter(Protocol):
    """A market, as a session sees it. Every method may raise what REST calls raise."""

    @property
    def market(self) -> Market:
        """The name of the market."""
        ...

    @property
    def forgets(self) -> bool:
        """True if the market forgets orders that were cancelled unfilled, after a while."""
        ...

    async def now(self) -> int:
        """Read the exchange's time in milliseconds."""
        ...

    async def place(self, intent: Intent) -> str:
        """Send an order, and return the exchange's id."""
        ...

    async def cancel(self, intent: Intent, order_id: str | None) -> None:
        """Send a cancel of an order."""
        ...

    async def look_up(self, intent: Intent, order_id: str | None) -> OrderReport | None:
        """Look for an order in every list; return None if it is in none.

        Raises:
            TradingError: a list may have been cut off, or holds what may be this order under another id: being missing
                from it proves nothing.
        """
        ...

    async def open_orders(self, symbols: Iterable[str]) -> list[OrderReport]:
        """Read the account's open orders of these symbols, as many as a list holds."""
        ...

    async def fills(self, intent: Intent, order_id: str, known: Decimal) -> list[OrderFill]:
        """Read the fills of an order.

        Orders that end together share one list of the symbol's trades; an order's own list is read if that may be cut
        off, begins too late, or shows less than is known to be filled.
        """
        ...

    async def named(self, intent: Intent, order_id: str) -> str | None:
        """Read the client order id that the exchange shows for an order; None if it shows none."""
        ...

    def pushes(self) -> AbstractAsyncContextManager[Subscription[Any]]:
        """Open the private order stream, with gaps marked."""
        ...

    def read(self, item: object) -> OrderReport | None:
        """Return the report on an order that a stream item holds."""
        ...
