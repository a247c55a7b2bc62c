"""Use the client in programs without Trio: scripts, notebooks, threads beside asyncio.

    with bm.blocking.open_client() as client:
        print(client.spot.market.ticker("BTC_USDT").last_price)

It has every method of the asynchronous client, as a plain method; streams are plain iterators. One background thread
runs Trio.
"""

from __future__ import annotations

from ._base import Iterating, Opened
from ._client import Client, Held, hold, open_client
from ._methods import (
    Futures,
    FuturesAccountView,
    FuturesStreams,
    OrderBook,
    Spot,
    SpotAccountView,
    SpotStreams,
    Streams,
    Subscription,
)
from ._portal import fail_after

__all__ = [
    "Client",
    "Futures",
    "FuturesAccountView",
    "FuturesStreams",
    "Held",
    "Iterating",
    "Opened",
    "OrderBook",
    "Spot",
    "SpotAccountView",
    "SpotStreams",
    "Streams",
    "Subscription",
    "fail_after",
    "hold",
    "open_client",
]
