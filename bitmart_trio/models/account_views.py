"""What the account views hold and tell: `streams.spot.account()` and `streams.futures.account()`.

One shape whether a thing was read over REST or pushed: the exchange spells the two differently.
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
    """How far a view can be relied on."""

    SYNCING = "syncing"
    """It has not been read for the first time."""
    LIVE = "live"
    """It was read since the pushes (last) began, and nothing is known to be missing."""
    STALE = "stale"
    """It was live. Now its connection is gone, or it has not been read since, or it has ended."""


class AccountOrderKind(OpenStr):
    """What a futures order of a view is."""

    LIMIT = "limit"
    MARKET = "market"
    TRAILING = "trailing"
    PLAN = "plan"
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"


@attrs.frozen
class Balance(Model):
    """What an account holds of one currency."""

    available: Decimal
    """Free."""
    frozen: Decimal
    """Held by open orders."""
    position_margin: Decimal = Decimal(0)
    """Margin of open futures positions; always 0 on spot."""

    @property
    def total(self) -> Decimal:
        """All of it, without unrealised profit."""
        return total((self.available, self.frozen, self.position_margin))


@attrs.frozen(kw_only=True)
class AccountOrder(Model):
    """The base of `SpotAccountOrder` and `FuturesAccountOrder`."""

    order_id: str
    """The exchange's id."""
    client_order_id: str | None
    """The caller's id; None without one."""
    symbol: str
    """Such as BTC_USDT, or BTCUSDT for a contract."""
    price: Decimal | None
    """Limit price; None for one that has none."""
    size: Decimal | None
    """Base currency or contracts; None for a spot market buy."""
    filled_size: Decimal
    """Base currency or contracts."""
    create_time: Millis
    """When it was accepted."""
    update_time: Millis | None
    """When it changed last; None when a push leaves it out."""

    @property
    def is_open(self) -> bool:
        """Whether it can still fill, or fire."""
        raise TypeError("AccountOrder is a base class")


@attrs.frozen(kw_only=True)
class SpotAccountOrder(AccountOrder):
    """A spot or isolated-margin order."""

    side: OrderSide
    """Buy or sell."""
    type: SpotOrderType
    """Limit, market, and so on."""
    mode: SpotOrderMode | None
    """Spot or isolated margin; None when a push leaves it out."""
    notional: Decimal | None
    """Quote currency that a market buy spends, else None."""
    filled_notional: Decimal
    """Quote currency."""
    state: SpotOrderState
    """Where it stands."""

    @property
    def is_open(self) -> bool:
        """Whether it can still fill. A state that this library does not know ends no order."""
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
    """Where it stands."""
    leverage: Decimal | None
    """Of the position; 0 was seen on closing orders, None when a push leaves it out."""
    margin_mode: OpenType | None
    """None when a push leaves it out."""
    average_price: Decimal | None
    """Of the fills; None before the first."""
    trigger_price: Decimal | None
    """What sets a plan, take-profit or stop-loss order off, or a trailing one going; None for ordinary orders."""

    @property
    def is_open(self) -> bool:
        """Whether it can still fill, or fire."""
        return getattr(self, "state", None) != FuturesOrderState.FINISH


@attrs.frozen(kw_only=True)
class AccountPosition(Model):
    """One direction of one contract."""

    symbol: str
    """Such as BTCUSDT."""
    side: PositionSide
    """Long or short, in one-way mode too."""
    size: Decimal
    """Contracts, unsigned; 0 in the change that tells that it was closed."""
    entry_price: Decimal
    """Average price of what is held."""
    margin_mode: OpenType
    """Cross or isolated."""
    liquidation_price: Decimal | None
    """None where there is none. It moves with the mark price and is only as fresh as the last push or read."""
    create_time: Millis | None
    """When it was opened, in milliseconds; None where nothing said so."""
    update_time: Millis | None
    """When it changed last; None until it is pushed."""


OrderT_co = TypeVar("OrderT_co", bound=AccountOrder, covariant=True)


@attrs.frozen(kw_only=True)
class OrderChanged(Model, Generic[OrderT_co]):
    """An order was placed, filled, altered or closed."""

    order: OrderT_co
    """As it is now."""
    previous: OrderT_co | None
    """As the view's reader knew it, None for a new one."""
    closed: bool
    """Whether it has left ``account.orders``. When ``order`` looks open all the same, its end was missed and the
    exchange no longer says what it was (spot forgets orders that were cancelled unfilled after 20 minutes). It comes
    back should the exchange say that it is open.
    """
    merged: int = 1
    """How many changes this one stands for; above 1 when the reader was behind."""


@attrs.frozen(kw_only=True)
class BalanceChanged(Model):
    """The balance of a currency is another one."""

    currency: str
    balance: Balance
    previous: Balance | None
    """As the view's reader knew it, None for a currency that was not there."""
    merged: int = 1
    """How many changes this one stands for; above 1 when the reader was behind."""


@attrs.frozen(kw_only=True)
class PositionChanged(Model):
    """A position was opened, altered or closed (size 0)."""

    position: AccountPosition
    previous: AccountPosition | None
    """As the view's reader knew it, None for a new one."""
    merged: int = 1
    """How many changes this one stands for; above 1 when the reader was behind."""


@attrs.frozen(kw_only=True)
class Resynced(Model):
    """All of the view was read anew. What was found to be different was told before, change by change."""

    reason: str
    """Why: the opening, a gap in the pushes, `refresh` or ``reconcile``."""
    time: float
    """``trio.current_time()``."""


@attrs.frozen(kw_only=True)
class ChangesMissed(Model):
    """Changes were thrown away because they were not read in time: look at the view itself, which has them all."""

    dropped: int
    """How many."""


SpotAccountChange: TypeAlias = OrderChanged[SpotAccountOrder] | BalanceChanged | Resynced | ChangesMissed
"""What ``async for`` over a `SpotAccountView` yields."""
FuturesAccountChange: TypeAlias = (
    OrderChanged[FuturesAccountOrder] | BalanceChanged | PositionChanged | Resynced | ChangesMissed
)
"""What ``async for`` over a `FuturesAccountView` yields."""


@attrs.frozen(kw_only=True)
class AccountStatistics(Model):
    """What has become of a view."""

    pushes: int
    """Items that arrived: orders, balances, positions."""
    outdated: int
    """Pushes that were older than what was known already, and changed nothing."""
    reads: int
    """Lists that were read over REST: orders, balances or positions."""
    failed_reads: int
    """Reads that failed and were tried again."""
    corrections: int
    """Orders, balances and positions that a read found to be different from the view. Most of them are the normal case
    of a change that the exchange does not push (a spot order's hold).
    """
    resyncs: int
    """How often the whole view was read: at the opening, after gaps, on `refresh` and by ``reconcile``."""
    gaps: int
    """Gaps in the pushes: one a topic and break of the connection."""
    merged: int
    """Changes that were merged with an unread one about the same thing."""
    dropped: int
    """Changes that were thrown away because nobody read them."""
    truncated: bool
    """Whether the last list of orders may have been cut off by the exchange (futures: more than 100 in one list)."""
    last_push: float | None
    """``trio.current_time()`` of the newest push, None before the first."""
    last_read: float | None
    """``trio.current_time()`` of the newest whole reading, None before the first."""
    last_error: Exception | None
    """Why the last failed read failed."""
