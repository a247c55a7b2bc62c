"""Choose the backfiller of a channel. Imported when a subscription first needs one."""

from __future__ import annotations

from typing import Any

from .._bitmart.channel import Channel
from .._io.pending_gap import Backfiller
from ..rest.futures import Futures
from ..rest.spot import Spot
from . import _backfill, _backfill_orders, _backfill_state
from ._backfill import Clock


def spot_backfiller(channel: Channel[Any], reads: Spot, clock: Clock, interval: str | None) -> Backfiller[Any]:
    """Return the backfiller of a spot channel."""
    match channel.name:
        case "spot/trade":
            return _backfill.spot_trades(channel, reads)
        case "spot/kline{interval}":
            return _backfill.spot_klines(channel, reads, clock, interval or "")
        case "spot/user/balance":
            return _backfill_state.SpotBalanceBackfiller(channel, reads, clock)
        case name:
            assert name.startswith("spot/user/order"), f"nothing fills {name}"
            return _backfill_orders.SpotOrderBackfiller(channel, reads, clock)


def futures_backfiller(channel: Channel[Any], reads: Futures, clock: Clock, interval: str | None) -> Backfiller[Any]:
    """Return the backfiller of a futures channel."""
    match channel.name:
        case "futures/trade":
            return _backfill.futures_trades(channel, reads)
        case "futures/klineBin{interval}":
            return _backfill.futures_klines(channel, reads, clock, interval or "")
        case "futures/asset":
            return _backfill_state.FuturesAssetBackfiller(channel, reads)
        case "futures/position":
            return _backfill_state.FuturesPositionBackfiller(channel, reads, clock)
        case name:
            assert name == "futures/order", f"nothing fills {name}"
            return _backfill_orders.FuturesOrderBackfiller(channel, reads, clock)
