"""Backfill gaps of state streams: balances and positions are read again and delivered as updates.

Intermediate states are lost, but each last state is delivered. State pushed since the reconnect is newer than the gap,
and is not read.
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from .._bitmart.channel import Channel
from .._io.pending_gap import PendingGap
from ..models._fields import Millis
from ..models._futures_enums import OpenType, PositionSide
from ..models.futures_account import FuturesAsset
from ..models.futures_position import FuturesPositionV2, PositionType
from ..models.futures_streams import FuturesAssetUpdate, FuturesPositionUpdate, MarginModeNumber
from ..models.spot_streams import BalanceEvent, SpotBalanceUpdate, SpotPushedBalance
from ..rest.futures import Futures
from ..rest.spot import Spot
from ._backfill import Clock, Fillable, subject

_ZERO = Decimal(0)


class SpotBalanceBackfiller(Fillable[SpotBalanceUpdate]):
    """The backfiller of ``spot.user_balance``."""

    def __init__(self, channel: Channel[SpotBalanceUpdate], reads: Spot, clock: Clock) -> None:
        super().__init__(channel)
        self._reads = reads
        self._clock = clock
        self._currencies: dict[str, None] = {}

    def notice(self, topic: str, item: SpotBalanceUpdate) -> bool:
        """See `Backfiller.notice`."""
        self._currencies.update(dict.fromkeys(balance.currency for balance in item.balances))
        return True

    def missed(self, topic: str) -> None:
        """See `Backfiller.missed`. A later snapshot does not depend on earlier states."""

    async def fill(self, pending: PendingGap[SpotBalanceUpdate]) -> str | None:
        """See `Backfiller.fill`."""
        async with self._slots:
            rows = {row.currency: row for row in await self._reads.account.spot_balances()}
        pushed = {balance.currency for item in pending.live for balance in item.balances}
        balances = [
            SpotPushedBalance(currency=row.currency, available=row.available, frozen=row.frozen)
            for row in rows.values()
            if row.currency not in pushed
        ]
        # The wallet omits empty balances.
        balances += [
            SpotPushedBalance(currency=currency, available=_ZERO, frozen=_ZERO)
            for currency in self._currencies
            if currency not in rows and currency not in pushed
        ]
        if balances:
            update = SpotBalanceUpdate(event_type=BalanceEvent.SNAPSHOT, time=Millis(self._clock()), balances=balances)
            pending.deliver([update])
            self.notice(pending.topic, update)
        return None


class FuturesAssetBackfiller(Fillable[FuturesAssetUpdate]):
    """The backfiller of ``futures.asset``."""

    def __init__(self, channel: Channel[FuturesAssetUpdate], reads: Futures) -> None:
        super().__init__(channel)
        self._reads = reads

    def notice(self, topic: str, item: FuturesAssetUpdate) -> bool:
        """See `Backfiller.notice`."""
        return True

    def missed(self, topic: str) -> None:
        """See `Backfiller.missed`. A later snapshot does not depend on earlier states."""

    async def fill(self, pending: PendingGap[FuturesAssetUpdate]) -> str | None:
        """See `Backfiller.fill`."""
        currency = subject(pending.topic)
        async with self._slots:
            rows = {row.currency: row for row in await self._reads.account.assets()}
        if not pending.held:
            pending.deliver([_asset(rows.get(currency), currency)])
        return None


def _asset(row: FuturesAsset | None, currency: str) -> FuturesAssetUpdate:
    return FuturesAssetUpdate(
        currency=currency,
        available=_ZERO if row is None else row.available_balance,
        position_margin=_ZERO if row is None else row.position_deposit,
        frozen=_ZERO if row is None else row.frozen_balance,
    )


class FuturesPositionBackfiller(Fillable[FuturesPositionUpdate]):
    """The backfiller of ``futures.position``."""

    def __init__(self, channel: Channel[FuturesPositionUpdate], reads: Futures, clock: Clock) -> None:
        super().__init__(channel)
        self._reads = reads
        self._clock = clock
        self._open: dict[tuple[str, PositionType], FuturesPositionUpdate] = {}

    def notice(self, topic: str, item: FuturesPositionUpdate) -> bool:
        """See `Backfiller.notice`."""
        if item.size:
            self._open[item.symbol, item.side] = item
        else:
            self._open.pop((item.symbol, item.side), None)
        return True

    def missed(self, topic: str) -> None:
        """See `Backfiller.missed`. A later snapshot does not depend on earlier states."""

    async def fill(self, pending: PendingGap[FuturesPositionUpdate]) -> str | None:
        """See `Backfiller.fill`."""
        async with self._slots:
            rows = await self._reads.position.positions_v2()
        pushed = {(item.symbol, item.side) for item in pending.live}
        updates: dict[tuple[str, PositionType], FuturesPositionUpdate] = {}
        for row in rows:
            side = _side(row)
            if side is None:
                return f"REST does not list the side of the position in {row.symbol}"
            if row.current_amount:
                updates[row.symbol, side] = self._update(row, side)
        for key, known in self._open.items():
            if key not in updates:
                closed = attrs.evolve(
                    known,
                    size=_ZERO,
                    frozen_size=_ZERO,
                    closed_size=known.closed_size + known.size,
                    update_time=Millis(self._clock()),
                )
                updates[key] = closed
        fresh = [update for key, update in updates.items() if key not in pushed]
        pending.deliver(fresh)
        for update in fresh:
            self.notice(pending.topic, update)
        return None

    def _update(self, row: FuturesPositionV2, side: PositionType) -> FuturesPositionUpdate:
        known = self._open.get((row.symbol, side))
        return FuturesPositionUpdate(
            symbol=row.symbol,
            size=row.current_amount,
            side=side,
            margin_mode=MarginModeNumber.ISOLATED if row.open_type == OpenType.ISOLATED else MarginModeNumber.CROSS,
            closed_size=row.close_vol,
            hold_avg_price=row.entry_price,
            close_avg_price=row.close_avg_price,
            open_avg_price=row.open_avg_price,
            liquidation_price=row.liquidation_price or _ZERO,
            create_time=row.open_timestamp or row.timestamp,
            update_time=row.timestamp,
            position_mode=None if known is None else known.position_mode,
        )


def _side(row: FuturesPositionV2) -> PositionType | None:
    if row.position_side == PositionSide.LONG:
        return PositionType.LONG
    if row.position_side == PositionSide.SHORT:
        return PositionType.SHORT
    if row.position_amount:
        return PositionType.LONG if row.position_amount > 0 else PositionType.SHORT
    return None if row.current_amount else PositionType.LONG
