"""What a session needs from a market: an adapter each for spot and futures, with nothing in it but translation."""

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
from ._evidence import Sighting
from ._order import Intent, OrderFill

_PERMANENT: Final = (
    AuthenticationError,
    ConfigurationError,
    EndpointRemoved,
    InvalidRequest,
    PermissionDenied,
    RequestRefused,
)


def passing(error: Exception) -> bool:
    """Whether a call that failed so may work when it is repeated.

    A refusal is final only by a code of the exchange: a page of the network in front of it, which may say 400, 401 or
    403 for a moment, is not its word.
    """
    if isinstance(error, ApiError) and error.code not in CODES:
        return True
    return not isinstance(error, _PERMANENT)


class Venue(Protocol):
    """One market, as a session sees it. Every method may raise what REST calls raise."""

    @property
    def market(self) -> Market:
        """Which one."""
        ...

    @property
    def forgets(self) -> bool:
        """Whether it forgets orders that were cancelled unfilled, after a while."""
        ...

    async def now(self) -> int:
        """The exchange's own time in milliseconds, asked for now."""
        ...

    async def place(self, intent: Intent) -> str:
        """Send an order; gives the exchange's id."""
        ...

    async def cancel(self, intent: Intent, order_id: str | None) -> None:
        """Send a cancel."""
        ...

    async def look_up(self, intent: Intent, order_id: str | None) -> Sighting | None:
        """Look for an order everywhere; None when it is nowhere.

        Raises:
            TradingError: a list may have been cut off, or holds what may be this order under another name: missing from
                it means nothing.
        """
        ...

    async def open_orders(self, symbols: Iterable[str]) -> list[Sighting]:
        """The account's open orders of these symbols, as many as a list holds."""
        ...

    async def fills(self, intent: Intent, order_id: str, known: Decimal) -> list[OrderFill]:
        """The fills of an order.

        Orders that end together are looked for in one list of the contract's or pair's trades; an order's own are read
        where that may be cut off, begins too late, or shows less than is known to be filled.
        """
        ...

    async def named(self, intent: Intent, order_id: str) -> str | None:
        """The client order id that the exchange shows for an order; None when it shows none."""
        ...

    def pushes(self) -> AbstractAsyncContextManager[Subscription[Any]]:
        """The private order stream, gaps marked."""
        ...

    def read(self, item: object) -> Sighting | None:
        """What an item of the stream says of an order."""
        ...
