"""Define the objects of the account views `streams.spot.account()` and `streams.futures.account()`.

REST and pushes share one shape here, although the exchange spells them differently.
"""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Generic, TypeAlias, TypeVar

import attrs

from ._enums import OpenStr, OrderSide
from ._fields import Millis
from ._futures_enums import FuturesOrderSide, OpenType, PositionSide
from ._model import Model
from ._numbers import total
from .futures_trading import FuturesOrderState
from .spot_trading import SpotOrderMode, SpotOrderState, SpotOrderType


class AccountState(enum.Enum):
    """The state of a view: whether it may be trusted."""

    SYNCING = "syncing"
    """The view has not been read yet."""
    LIVE = "live"
    """The view was read since the pushes (last) began, and nothing is known to be missing."""
    STALE = "stale"
    """The view was live, but lost its connection, has not been read since, or has ended."""


class AccountOrderKind(OpenStr):
    """The kind of a futures order in a view."""

    LIMIT = "limit"
    MARKET = "market"
    TRAILING = "trailing"
    PLAN = "plan"
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"


@attrs.frozen
class Balance(Model):
    """The account's holdings of one currency."""

    available: Decimal
    """Free."""
    frozen: Decimal
    """Held by open orders."""
    position_margin: Decimal = Decimal(0)
    """Margin of open futures positions; always 0 on spot."""

    @property
    def total(self) -> Decimal:
        """Return the whole balance, without unrealised profit."""
        return total((self.available, self.frozen, self.position_margin))


@attrs.frozen(kw_only=True)
class AccountOrder(Model):
    """The common base of `SpotAccountOrder` and `FuturesAccountOrder`."""

    order_id: str
    """The exchange's id."""
    client_order_id: str | None
    """The caller's id; None without one."""
    symbol: str
    """Such as BTC_USDT, or BTCUSDT for a contract."""
    price: Decimal | None
    """Limit price; None for an order without one."""
    size: Decimal | None
    """Base currency or contracts; None for a spot market buy."""
    filled_size: Decimal
    """Base currency or contracts."""
    create_time: Millis
    """The time when it was accepted."""
    update_time: Millis | None
    """The time of its last change; None if a push omits it."""

    @property
    def is_open(self) -> bool:
        """Return True if the order can still fill or trigger."""
        raise TypeError("AccountOrder is a base class")


@attrs.frozen(kw_only=True)
class SpotAccountOrder(AccountOrder):
    """A spot or isolated-margin order."""

    side: OrderSide
    """Buy or sell."""
    type: SpotOrderType
    """Limit, market, and so on."""
    mode: SpotOrderMode | None
    """Spot or isolated margin; None if a push omits it."""
    notional: Decimal | None
    """Quote currency that a market buy spends, else None."""
    filled_notional: Decimal
    """Quote currency."""
    state: SpotOrderState
    """The state of the order."""

    @property
    def is_open(self) -> bool:
        """Return True if the order can still fill. An unknown state does not end an order."""
        state: SpotOrderState | None = getattr(self, "state", None)
        return state is None or not state.is_final


@attrs.frozen(kw_only=True)
class FuturesAccountOrder(AccountOrder):
    """An ordinary, plan, take-profit, stop-loss or trailing order on a contract."""

    side: FuturesOrderSide
    """Buy or sell, opening or closing."""
    kind: AccountOrderKind
    """Limit, market or another."""
    state: FuturesOrderState
    """The state of the order."""
    leverage: Decimal | None
    """Of the position; 0 was seen on closing orders; None if a push omits it."""
    margin_mode: OpenType | None
    """None if a push omits it."""
    average_price: Decimal | None
    """The average of the fills; None before the first."""
    trigger_price: Decimal | None
    """The price that triggers a plan, take-profit or stop-loss order, or activates a trailing one; None for others."""

    @property
    def is_open(self) -> bool:
        """Return True if the order can still fill or trigger."""
        return getattr(self, "state", None) != FuturesOrderState.FINISH


@attrs.frozen(kw_only=True)
class AccountPosition(Model):
    """A position: one direction of one contract."""

    symbol: str
    """Such as BTCUSDT."""
    side: PositionSide
    """Long or short, in one-way mode too."""
    size: Decimal
    """Contracts, unsigned; 0 in the change that reports its close."""
    entry_price: Decimal
    """Average entry price of the position."""
    margin_mode: OpenType
    """Cross or isolated."""
    liquidation_price: Decimal | None
    """None if there is none. It moves with the mark price and is only as fresh as the last push or read."""
    create_time: Millis | None
    """The time when it was opened, in milliseconds; None if no message had it."""
    update_time: Millis | None
    """The time of its last change; None until it is pushed."""


OrderT_co = TypeVar("OrderT_co", bound=AccountOrder, covariant=True)


@attrs.frozen(kw_only=True)
class OrderChanged(Model, Generic[OrderT_co]):
    """An order was placed, filled, altered or closed."""

    order: OrderT_co
    """The order as it is now."""
    previous: OrderT_co | None
    """The state that the view's reader knew before; None for a new one."""
    closed: bool
    """True if it has left ``account.orders``. If ``order`` still looks open, its end was missed and the exchange no
    longer reports it (spot forgets orders that were cancelled unfilled after 20 minutes). It returns if the exchange
    lists it as open.
    """
    merged: int = 1
    """The number of changes merged into this one; above 1 if the reader was behind."""


@attrs.frozen(kw_only=True)
class BalanceChanged(Model):
    """The balance of a currency changed."""

    currency: str
    balance: Balance
    previous: Balance | None
    """The balance that the view's reader knew before; None for a new currency."""
    merged: int = 1
    """The number of changes merged into this one; above 1 if the reader was behind."""


@attrs.frozen(kw_only=True)
class PositionChanged(Model):
    """A position was opened, altered or closed (size 0)."""

    position: AccountPosition
    previous: AccountPosition | None
    """The state that the view's reader knew before; None for a new one."""
    merged: int = 1
    """The number of changes merged into this one; above 1 if the reader was behind."""


@attrs.frozen(kw_only=True)
class Resynced(Model):
    """The whole view was read again. Differences were emitted before this, one change each."""

    reason: str
    """The reason: the opening, a gap in the pushes, `refresh` or ``reconcile``."""
    time: float
    """``trio.current_time()``."""


@attrs.frozen(kw_only=True)
class ChangesMissed(Model):
    """Changes were dropped because they were not read in time; the view itself has all of them."""

    dropped: int
    """The number of dropped changes."""


SpotAccountChange: TypeAlias = OrderChanged[SpotAccountOrder] | BalanceChanged | Resynced | ChangesMissed
"""An item of ``async for`` over a `SpotAccountView`."""
FuturesAccountChange: TypeAlias = (
    OrderChanged[FuturesAccountOrder] | BalanceChanged | PositionChanged | Resynced | ChangesMissed
)
"""An item of ``async for`` over a `FuturesAccountView`."""


@attrs.frozen(kw_only=True)
class AccountStatistics(Model):
    """The counts of a view."""

    pushes: int
    """Items that arrived: orders, balances, positions."""
    outdated: int
    """Pushes that were older than the view, and changed nothing."""
    reads: int
    """Lists that were read over REST: orders, balances or positions."""
    failed_reads: int
    """Reads that failed and were retried."""
    corrections: int
    """Orders, balances and positions that differed between a read and the view. Most are changes that the exchange does
    not push (a spot order's hold).
    """
    resyncs: int
    """Reads of the whole view: at the opening, after gaps, on `refresh` and by ``reconcile``."""
    gaps: int
    """Gaps in the pushes: one per topic and lost connection."""
    merged: int
    """Changes that were merged with an unread one of the same object."""
    dropped: int
    """Changes that were dropped because nobody read them."""
    truncated: bool
    """True if the exchange may have cut off the last list of orders (futures: above 100 in one list)."""
    last_push: float | None
    """``trio.current_time()`` of the newest push, None before the first."""
    last_read: float | None
    """``trio.current_time()`` of the newest complete read, None before the first."""
    last_error: Exception | None
    """The error of the last failed read."""
