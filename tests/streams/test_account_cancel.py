"""An account view is cancelled at every pause of its life: nothing is left, and the next one works."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio
from account_kit import buy, cancel, contents, ledger_of, opener
from proof_sizes import moments

import bitmart_trio as bm
from bitmart_trio.sim.venue import Venue, open_exchange
from bitmart_trio.testing import sweep

SYMBOLS = ["BTC_USDT", "ETH_USDT", "BTCUSDT", "ETHUSDT"]
both_markets = pytest.mark.parametrize("market", ["spot", "futures"])


async def _live(client: bm.Client, market: str) -> None:
    """All that a view can do."""
    async with opener(client, market, reconcile=5) as account:
        await account.wait_live()
        order_id = await buy(client, market)
        await anext(account)
        await cancel(client, market, order_id)
        await account.wait_settled()
        await account.refresh()


@pytest.mark.proof
@both_markets
def test_a_view_that_is_cancelled_anywhere_leaves_no_topic(market: str) -> None:
    """Opening, reading, waiting, iterating, closing: what others hold stays on the wire, and the next view works."""

    @asynccontextmanager
    async def around() -> AsyncGenerator[bm.Client]:
        async with open_exchange(seed=1, live=False, symbols=SYMBOLS) as exchange, exchange.open_client() as client:
            keep = (
                client.streams.spot.user_order("ETH_USDT") if market == "spot" else client.streams.futures.asset("ETH")
            )
            async with keep as kept:
                topics = _topics(exchange)
                yield client
                await trio.sleep(40)
                assert _topics(exchange) == topics
                async with opener(client, market) as account:
                    await account.wait_settled()
                    assert contents(account) == ledger_of(exchange, market)
                assert kept.statistics().gaps == 0

    async def body(client: bm.Client) -> None:
        await _live(client, market)

    assert sweep(body, around=around, moments=moments(market == "spot")).checkpoints > 15


@pytest.mark.proof
@both_markets
def test_a_client_with_a_view_that_is_cancelled_anywhere_leaves_nothing(market: str) -> None:
    """No task and no socket."""

    @asynccontextmanager
    async def around() -> AsyncGenerator[Venue]:
        async with open_exchange(seed=1, live=False, symbols=SYMBOLS) as exchange:
            yield exchange
            assert exchange.connections == []

    async def body(exchange: Venue) -> None:
        async with exchange.open_client() as client:
            await _live(client, market)

    assert sweep(body, around=around, moments=moments(market == "futures")).checkpoints > 15


def _topics(exchange: Venue) -> list[list[str]]:
    return [sorted(connection.topics) for connection in exchange.connections]
