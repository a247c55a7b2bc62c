"""What the session tests share: opening one on either market, orders that rest, and the exchange's own view."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import bitmart_trio as bm
from bitmart_trio.sim.venue import Venue
from bitmart_trio.trading import Order, Session, SpotSession

MARKETS = ("spot", "futures")
SYMBOL = {"spot": "BTC_USDT", "futures": "BTCUSDT"}
SUBMIT = {"spot": "/spot/v2/submit_order", "futures": "/contract/private/submit-order"}
CANCEL = {"spot": "/spot/v3/cancel_order", "futures": "/contract/private/cancel-order"}


def opener(client: bm.Client, market: str, *symbols: str, **options: Any) -> AbstractAsyncContextManager[Session]:
    """A session of a market."""
    if market == "spot":
        return bm.trading.open_spot_session(client, *(symbols or ("BTC_USDT",)), **options)
    return bm.trading.open_futures_session(client, *(symbols or ("BTCUSDT",)), **options)


async def rest(session: Session, *, price: str = "30000", **options: Any) -> Order:
    """An order that rests in the book."""
    if isinstance(session, SpotSession):
        return await session.submit(side="buy", type="limit", price=price, **{"size": "0.002", **options})
    assert isinstance(session, bm.trading.FuturesSession)
    return await session.submit(side=1, price=price, leverage=5, open_type="cross", **{"size": 2, **options})


async def take(session: Session, **options: Any) -> Order:
    """An order that is filled at once."""
    if isinstance(session, SpotSession):
        return await session.submit(side="sell", type="market", size="0.002", **options)
    assert isinstance(session, bm.trading.FuturesSession)
    return await session.submit(side=1, size=2, type="market", leverage=5, open_type="cross", **options)


def open_ids(venue: Venue, market: str) -> list[str]:
    """The client order ids of the default account's open orders, by the exchange's own books."""
    exchange = venue.exchange
    if market == "spot":
        return [order.form.client_order_id for order in exchange.spot.engine.open_orders("1")]
    account = exchange.accounts.get("1")
    assert account is not None
    return [order.client_order_id for order in exchange.futures.engine.trader(account).orders.values()]


def requests(venue: Venue, path: str) -> int:
    """How many requests of a path the exchange has handled."""
    return sum(row.get("path") == path for row in venue.exchange.log.lines if row.get("kind") == "request")
