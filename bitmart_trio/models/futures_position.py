"""Futures positions, their risk, leverage and position mode."""

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
    """What contracts are margined in."""

    USDT_MARGINED = 1
    COIN_MARGINED = 2


@attrs.frozen(kw_only=True)
class FuturesPosition(Model):
    """A position, first version of the reply."""

    symbol: str
    """The contract."""
    leverage: Decimal
    """Leverage."""
    timestamp: Millis
    """When the exchange answered."""
    current_fee: Decimal
    """Fees paid so far."""
    open_timestamp: Millis
    """When it was opened."""
    current_value: Decimal
    """Value at the mark price."""
    mark_value: Decimal | None = None
    """The same; None when the reply leaves it out."""
    mark_price: Decimal
    """Mark price."""
    position_value: Decimal
    """Value at the entry price."""
    position_cross: Decimal
    """Margin of the position."""
    maintenance_margin: Decimal
    """Margin below which it is liquidated."""
    margin_type: OpenType | None = None
    """Margin mode; None when the reply leaves it out."""
    position_mode: PositionMode | None = None
    """The account's mode; None when the reply leaves it out."""
    close_vol: Decimal
    """Contracts closed so far."""
    close_avg_price: Decimal
    """Their average price; 0 when nothing was closed."""
    open_avg_price: Decimal
    """Average price of what was opened."""
    entry_price: Decimal
    """Entry price of what is open."""
    current_amount: Decimal
    """Open contracts, never negative."""
    unrealized_value: Decimal
    """Unrealised profit."""
    realized_value: Decimal
    """Realised profit."""
    position_type: PositionType
    """Long or short."""
    account: FuturesAccountType | None = None
    """Which futures account; None when the reply leaves it out."""


@attrs.frozen(kw_only=True)
class FuturesPositionV2(Model):
    """A position. When asked for by symbol, empty ones come too: one is open when `current_amount` is not 0."""

    symbol: str
    """The contract."""
    leverage: Decimal
    """Leverage."""
    timestamp: Millis
    """When the exchange answered."""
    current_fee: Decimal
    """Fees paid so far."""
    open_timestamp: Millis | None = wire(zero_is_none=True, default=None)
    """When it was opened; None for an empty position (0 on the wire)."""
    current_value: Decimal
    """Value at the mark price."""
    mark_price: Decimal
    """Mark price."""
    position_value: Decimal
    """Value at the entry price."""
    position_cross: Decimal | None = None
    """Margin of the position; None when the reply leaves it out."""
    maintenance_margin: Decimal
    """Margin below which it is liquidated."""
    close_vol: Decimal
    """Contracts closed so far."""
    close_avg_price: Decimal
    """Their average price; 0 when nothing was closed."""
    open_avg_price: Decimal
    """Average price of what was opened."""
    entry_price: Decimal
    """Entry price of what is open."""
    current_amount: Decimal
    """Open contracts, never negative."""
    position_amount: Decimal | None = None
    """Open contracts, in one-way mode negative for a short; None in replies from before 2025-07."""
    realized_value: Decimal
    """Realised profit."""
    mark_value: Decimal
    """Value at the mark price."""
    account: FuturesAccountType | None = None
    """Which futures account; None when the reply leaves it out."""
    open_type: OpenType
    """Margin mode."""
    position_side: PositionSide
    """Direction: both in one-way mode, long or short in hedge mode."""
    unrealized_pnl: Decimal
    """Unrealised profit."""
    liquidation_price: Decimal | None = None
    """Where it is liquidated; 0 for an empty position, None when blank."""
    max_notional_value: Decimal
    """Largest position value at this leverage."""
    initial_margin: Decimal
    """Margin it was opened with."""


@attrs.frozen(kw_only=True)
class PositionRisk(Model):
    """How close a position is to liquidation."""

    symbol: str
    """The contract."""
    position_amt: Decimal
    """Open contracts."""
    mark_price: Decimal
    """Mark price."""
    unrealized_profit: Decimal
    """Unrealised profit."""
    liquidation_price: Decimal | None = None
    """Where it is liquidated; None when blank."""
    leverage: Decimal
    """Leverage."""
    max_notional_value: Decimal
    """Largest position value at this leverage."""
    margin_type: OpenType
    """Margin mode."""
    isolated_margin: Decimal
    """Margin put aside for it; 0 in cross mode."""
    position_side: PositionSide
    """Direction."""
    notional: Decimal
    """Position value."""
    update_time: int
    """When it last changed: milliseconds by the documentation, seconds (ten digits) in its own sample."""
    account: FuturesAccountType | None = None
    """Which futures account; None when the reply leaves it out."""


@attrs.frozen
class LeverageResult(Model):
    """Leverage and margin mode of one contract."""

    symbol: str
    """The contract."""
    leverage: Decimal
    """Leverage now."""
    open_type: OpenType
    """Margin mode now."""
    max_value: Decimal
    """Greatest leverage by the documentation; a position value (500000) was seen as well."""


@attrs.frozen
class PositionModeResult(Model):
    """The account's position mode."""

    position_mode: PositionMode
    """Hedge or one-way."""
