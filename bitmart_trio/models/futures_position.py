"""Define futures positions, their risk, leverage and position mode."""

from __future__ import annotations

from decimal import Decimal

import attrs

from ._enums import OpenInt
from ._fields import Millis, wire
from ._futures_enums import FuturesAccountType, OpenType, PositionMode, PositionSide
from ._model import Model


class PositionType(OpenInt):
    """The direction of a position, as a number."""

    LONG = 1
    SHORT = 2


class ContractMargin(OpenInt):
    """The margin currency of contracts."""

    USDT_MARGINED = 1
    COIN_MARGINED = 2


@attrs.frozen(kw_only=True)
class FuturesPosition(Model):
    """A position, in the first version of the reply."""

    symbol: str
    """The contract."""
    leverage: Decimal
    """Leverage."""
    timestamp: Millis
    """The time of the reply."""
    current_fee: Decimal
    """Fees paid so far."""
    open_timestamp: Millis
    """The time when it was opened."""
    current_value: Decimal
    """Value at the mark price."""
    mark_value: Decimal | None = None
    """The same; None if the reply omits it."""
    mark_price: Decimal
    """Mark price."""
    position_value: Decimal
    """Value at the entry price."""
    position_cross: Decimal
    """Margin of the position."""
    maintenance_margin: Decimal
    """The margin below which it is liquidated."""
    margin_type: OpenType | None = None
    """Margin mode; None if the reply omits it."""
    position_mode: PositionMode | None = None
    """The account's mode; None if the reply omits it."""
    close_vol: Decimal
    """Contracts closed so far."""
    close_avg_price: Decimal
    """Their average price; 0 if nothing was closed."""
    open_avg_price: Decimal
    """The average price of all opening fills."""
    entry_price: Decimal
    """The entry price of the open position."""
    current_amount: Decimal
    """Open contracts, never negative."""
    unrealized_value: Decimal
    """Unrealised profit."""
    realized_value: Decimal
    """Realised profit."""
    position_type: PositionType
    """Long or short."""
    account: FuturesAccountType | None = None
    """The kind of futures account; None if the reply omits it."""


@attrs.frozen(kw_only=True)
class FuturesPositionV2(Model):
    """A position. Replies for one symbol include empty ones: a position is open if `current_amount` is not 0."""

    symbol: str
    """The contract."""
    leverage: Decimal
    """Leverage."""
    timestamp: Millis
    """The time of the reply."""
    current_fee: Decimal
    """Fees paid so far."""
    open_timestamp: Millis | None = wire(zero_is_none=True, default=None)
    """The time when it was opened; None for an empty position (0 on the wire)."""
    current_value: Decimal
    """Value at the mark price."""
    mark_price: Decimal
    """Mark price."""
    position_value: Decimal
    """Value at the entry price."""
    position_cross: Decimal | None = None
    """Margin of the position; None if the reply omits it."""
    maintenance_margin: Decimal
    """The margin below which it is liquidated."""
    close_vol: Decimal
    """Contracts closed so far."""
    close_avg_price: Decimal
    """Their average price; 0 if nothing was closed."""
    open_avg_price: Decimal
    """The average price of all opening fills."""
    entry_price: Decimal
    """The entry price of the open position."""
    current_amount: Decimal
    """Open contracts, never negative."""
    position_amount: Decimal | None = None
    """Open contracts, in one-way mode negative for a short; None in replies before 2025-07."""
    realized_value: Decimal
    """Realised profit."""
    mark_value: Decimal
    """Value at the mark price."""
    account: FuturesAccountType | None = None
    """The kind of futures account; None if the reply omits it."""
    open_type: OpenType
    """Margin mode."""
    position_side: PositionSide
    """Direction: both in one-way mode, long or short in hedge mode."""
    unrealized_pnl: Decimal
    """Unrealised profit."""
    liquidation_price: Decimal | None = None
    """The price at which it is liquidated; 0 for an empty position, None if blank."""
    max_notional_value: Decimal
    """Largest position value at this leverage."""
    initial_margin: Decimal
    """The margin at its opening."""


@attrs.frozen(kw_only=True)
class PositionRisk(Model):
    """The liquidation risk of a position."""

    symbol: str
    """The contract."""
    position_amt: Decimal
    """Open contracts."""
    mark_price: Decimal
    """Mark price."""
    unrealized_profit: Decimal
    """Unrealised profit."""
    liquidation_price: Decimal | None = None
    """The price at which it is liquidated; None if blank."""
    leverage: Decimal
    """Leverage."""
    max_notional_value: Decimal
    """Largest position value at this leverage."""
    margin_type: OpenType
    """Margin mode."""
    isolated_margin: Decimal
    """The position's own margin; 0 in cross mode."""
    position_side: PositionSide
    """Direction."""
    notional: Decimal
    """Position value."""
    update_time: int
    """The time of its last change: documented in milliseconds, but seconds (ten digits) in the documented sample."""
    account: FuturesAccountType | None = None
    """The kind of futures account; None if the reply omits it."""


@attrs.frozen
class LeverageResult(Model):
    """Leverage and margin mode of one contract."""

    symbol: str
    """The contract."""
    leverage: Decimal
    """Leverage now."""
    open_type: OpenType
    """The margin mode now."""
    max_value: Decimal
    """The greatest leverage according to the documentation; a position value (500000) was also seen."""


@attrs.frozen
class PositionModeResult(Model):
    """The account's position mode."""

    position_mode: PositionMode
    """Hedge or one-way."""
