"""An account view is cancelled at every pause of its life: nothing is left, and the next one works."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from account_kit import buy, cancel, contents, ledger_of, opener
from sweep import sweep
from trio.testing import wait_all_tasks_blocked

import bitmart_trio as bm
from bitmart_trio.sim.glue import Venue, open_exchange

Body = Callable[[], Awaitable[None]]

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


@both_markets
def test_a_view_that_is_cancelled_anywhere_leaves_no_topic(market: str) -> None:
    """Opening, reading, waiting, iterating, closing: what others hold stays on the wire, and the next view works."""
    clients: list[bm.Client] = []

    async def around(body: Body) -> None:
        async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
            clients[:] = [client]
            keep = (
                client.streams.spot.user_order("ETH_USDT") if market == "spot" else client.streams.futures.asset("ETH")
            )
            async with keep as kept:
                topics = _topics(exchange)
                await body()
                await trio.sleep(40)
                assert _topics(exchange) == topics
                async with opener(client, market) as account:
                    await account.wait_settled()
                    assert contents(account) == ledger_of(exchange, market)
                assert kept.statistics().gaps == 0

    async def body() -> None:
        await _live(clients[0], market)

    assert sweep(around, body) > 15


@both_markets
def test_a_client_with_a_view_that_is_cancelled_anywhere_leaves_nothing(market: str) -> None:
    """No task and no socket."""
    venues: list[Venue] = []

    def tasks() -> int:
        root = trio.lowlevel.current_root_task()
        assert root is not None
        found, queue = 0, [root]
        while queue:
            task = queue.pop()
            found += 1
            queue += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
        return found

    async def around(body: Body) -> None:
        async with open_exchange(seed=1, live=False) as exchange:
            venues[:] = [exchange]
            await wait_all_tasks_blocked()
            before = tasks()
            await body()
            await trio.sleep(10)
            assert exchange.connections == []
            await wait_all_tasks_blocked()
            assert tasks() == before, "a task is left"

    async def body() -> None:
        async with venues[0].open_client() as client:
            await _live(client, market)

    assert sweep(around, body) > 15


def _topics(exchange: Venue) -> list[list[str]]:
    return [sorted(connection.topics) for connection in exchange.connections]
