"""Orders that are cancelled at the same moment share requests, and each is told what is true of it alone."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.errors import BitMartError
from bitmart_trio.trading._together import Cancels

BTC = "BTC_USDT"


class Exchange:
    """Cancels what it has, and notes the requests."""

    def __init__(self, has: Collection[str]) -> None:
        self.has = set(has)
        self.batches: list[list[str]] = []
        self.singles: list[str] = []
        self.trouble: BitMartError | None = None
        """What a batch ends with."""
        self.slow = 0.0
        self.cancels = Cancels(self.many, self.one, "POST /cancels")

    async def many(self, order_ids: list[str]) -> list[str]:
        self.batches.append(order_ids)
        await trio.sleep(self.slow)
        if self.trouble is not None:
            raise self.trouble
        done = [each for each in order_ids if each in self.has]
        self.has -= set(done)
        return done

    async def one(self, order_id: str) -> None:
        self.singles.append(order_id)
        await trio.lowlevel.checkpoint()
        if order_id not in self.has:
            raise bm.OrderNotFound(f"no {order_id}")
        self.has.remove(order_id)

    async def cancel(self, *order_ids: str) -> dict[str, str]:
        """A task each; how it ended."""
        ended: dict[str, str] = {}

        async def one(order_id: str) -> None:
            try:
                await self.cancels(order_id)
            except BitMartError as error:
                ended[order_id] = type(error).__name__
            else:
                ended[order_id] = "cancelled"

        async with trio.open_nursery() as nursery:
            for each in order_ids:
                nursery.start_soon(one, each)
        return ended


IDS = [str(number) for number in range(23)]


async def test_ten_share_a_request() -> None:
    """Nothing is asked for twice."""
    exchange = Exchange(IDS)
    assert await exchange.cancel(*IDS) == dict.fromkeys(IDS, "cancelled")
    assert sorted(map(len, exchange.batches)) == [3, 10, 10]
    assert sorted(itertools.chain(*exchange.batches)) == sorted(IDS)
    assert not exchange.singles


async def test_one_by_itself_goes_alone() -> None:
    """With the reason that the exchange gives for it."""
    exchange = Exchange(["1"])
    assert await exchange.cancel("1") == {"1": "cancelled"}
    assert await exchange.cancel("2") == {"2": "OrderNotFound"}
    assert (exchange.batches, exchange.singles) == ([], ["1", "2"])


async def test_what_a_batch_did_not_cancel_is_asked_for_alone() -> None:
    """A batch gives no reason."""
    exchange = Exchange(["1", "2"])
    assert await exchange.cancel("1", "2", "3") == {"1": "cancelled", "2": "cancelled", "3": "OrderNotFound"}
    assert (len(exchange.batches), exchange.singles) == (1, ["3"])


async def test_a_batch_that_is_refused_says_nothing_of_its_orders() -> None:
    """No such order, it says, of whichever: each is asked for alone."""
    exchange = Exchange(["1", "2"])
    exchange.trouble = bm.OrderNotFound("one of them")
    assert await exchange.cancel("1", "2", "3") == {"1": "cancelled", "2": "cancelled", "3": "OrderNotFound"}
    assert sorted(exchange.singles) == ["1", "2", "3"]


@pytest.mark.parametrize(
    "trouble",
    [bm.ConnectionLost("gone"), bm.OutcomeUnknown("cut off", endpoint="x"), bm.RateLimited("later")],
    ids=lambda each: type(each).__name__,
)
async def test_what_may_pass_is_told_to_each(trouble: BitMartError) -> None:
    """Each may have been cancelled, or is to be tried again later: nothing more is sent now."""
    exchange = Exchange(["1", "2"])
    exchange.trouble = trouble
    assert await exchange.cancel("1", "2") == dict.fromkeys(["1", "2"], type(trouble).__name__)
    assert (len(exchange.batches), exchange.singles) == (1, [])


@pytest.mark.parametrize("gives_up", ["1", "2"])
async def test_whoever_gives_up_leaves_nobody_waiting(gives_up: str, autojump_clock: MockClock) -> None:
    """The task that had sent the request is cancelled: what became of the other is unknown, and it is told so."""
    exchange, ended = Exchange(["1", "2"]), list[str]()
    exchange.slow = 1.0

    async def one(order_id: str, scope: trio.CancelScope) -> None:
        with scope:
            try:
                await exchange.cancels(order_id)
            except bm.OutcomeUnknown:
                ended.append("unknown")
            else:
                ended.append("cancelled")

    scopes = {each: trio.CancelScope() for each in ("1", "2")}
    async with trio.open_nursery() as nursery:
        for each, scope in scopes.items():
            nursery.start_soon(one, each, scope)
        await trio.sleep(0.5)
        scopes[gives_up].cancel()
    assert len(ended) == 1
    assert await exchange.cancel("3") == {"3": "OrderNotFound"}


async def leave(own: int, foreign: int, spoil: Callable[[bm.sim.Venue], Awaitable[Any]] | None = None) -> Counter[str]:
    """The requests that leaving a session took, by path."""
    requests: Counter[str] = Counter()

    def count(event: Any) -> None:
        requests[event.endpoint] += 1

    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client(config=bm.Config(hooks=bm.Hooks(on_request=count), clock=venue.clock)) as client,
    ):
        trading = client.spot.trading
        price = (await client.spot.market.ticker(BTC)).last_price - 5_000
        entry = {"side": "buy", "type": "limit", "size": "0.001", "price": str(price)}
        for _ in range(foreign // 10):
            await trading.submit_orders(BTC, [entry] * 10)
        async with bm.trading.open_spot_session(client, BTC) as session:
            for _ in range(own):
                await session.submit(side="buy", type="limit", size="0.001", price=price)
            if spoil is not None:
                await spoil(venue)
            requests.clear()
        sent = Counter(requests)
        assert session.report is not None
        assert session.report.confirmed
        assert len(session.report.cancelled) == own
        assert len(await trading.open_orders(BTC, limit=200)) == foreign
    return sent


async def test_sixty_orders_of_a_session_take_few_requests(autojump_clock: MockClock) -> None:
    """Each is proven to be over, with its size; the orders of others stay."""
    sent = await leave(own=60, foreign=100)
    assert sent["POST /spot/v4/cancel_orders"] == 6
    assert sent.total() <= 8, sent


async def test_a_single_order_is_cancelled_and_looked_up_by_itself(autojump_clock: MockClock) -> None:
    """No list is read for it."""
    sent = await leave(own=1, foreign=10)
    assert sent["POST /spot/v3/cancel_order"] == 1
    assert sent["POST /spot/v4/query/history-orders"] == 0


async def test_old_orders_take_as_few(autojump_clock: MockClock) -> None:
    """The lists begin where the oldest of them was made."""

    async def age(_: bm.sim.Venue) -> None:
        await trio.sleep(3 * 3600)

    sent = await leave(own=25, foreign=10, spoil=age)
    assert sent["POST /spot/v4/query/order-trades"] == 0
    assert sent["POST /spot/v4/cancel_orders"] == 3
