"""Each fault once, as a user of this library sees it: the column "this library" of ``docs/faults.md``."""
# ruff: noqa: N802  # a case bears the name of its fault

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import attrs
import pytest
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio import models, sim
from bitmart_trio.sim.faults import FAULTS

SUBMIT = "/spot/v2/submit_order"
TICKER = "/spot/quotation/v3/ticker"
TRADED = "/spot/v4/query/trades"
TRADES = "spot/trade:BTC_USDT"
Case: TypeAlias = "Callable[[sim.Venue, bm.Client], Awaitable[None]]"

CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    """A case is named like the fault that it is about."""
    CASES[function.__name__] = function
    return function


@pytest.mark.parametrize("name", FAULTS)
async def test_what_a_user_sees(name: str, autojump_clock: MockClock) -> None:
    """As the page of faults has it; and the fault did happen."""
    async with sim.open_exchange(seed=7) as exchange, exchange.open_client() as client:
        await CASES[name](exchange, client)
        assert exchange.faults.hits[name] > 0


async def submit(client: bm.Client, name: str = "mine1") -> models.OrderPlaced:
    return await client.spot.trading.submit_order(
        "BTC_USDT", side="buy", type="limit", size="0.001", price="30000", client_order_id=name
    )


async def unknown(client: bm.Client) -> bm.OutcomeUnknown:
    """Place an order whose outcome must be said to be unknown."""
    with pytest.raises(bm.OutcomeUnknown) as caught:
        await submit(client)
    assert caught.value.client_order_id == "mine1"
    return caught.value


def placed(exchange: sim.Venue) -> int:
    return len(exchange.exchange.spot.engine.orders)


async def own_fills(client: bm.Client) -> list[models.SpotFill]:
    """Trade four times, a second apart; the list of it, newest first."""
    for _ in range(4):
        await client.spot.trading.submit_order("BTC_USDT", side="buy", type="market", notional="10")
        await trio.sleep(1)
    return await client.spot.trading.trades("BTC_USDT")


async def reads(client: bm.Client) -> None:
    assert (await client.spot.market.ticker("BTC_USDT")).last_price > 0


def told(events: bm.Subscription[models.AnyStreamEvent]) -> str:
    """All events that are ready, as text."""
    found: list[models.AnyStreamEvent] = []
    with contextlib.suppress(trio.WouldBlock):
        while True:
            found.append(events.receive_nowait())
    return str(found)


# --- requests ---


@case
async def LoseRequest(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.LoseRequest("*", 2))
    await reads(client)
    exchange.faults.add(sim.LoseRequest(SUBMIT))
    await unknown(client)
    with pytest.raises(bm.OrderNotFound):
        await client.spot.trading.order_by_client_id("mine1")
    assert placed(exchange) == 0


@case
async def LoseReply(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.LoseReply("*", 2))
    await reads(client)
    exchange.faults.add(sim.LoseReply(SUBMIT))
    await unknown(client)
    assert (await client.spot.trading.order_by_client_id("mine1")).client_order_id == "mine1"
    assert placed(exchange) == 1


@case
async def HalfReply(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.HalfReply("*", 2))
    await reads(client)
    exchange.faults.add(sim.HalfReply(SUBMIT))
    await unknown(client)
    assert placed(exchange) == 1


@case
async def Delay(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.Delay(TICKER, seconds=30))
    await reads(client)
    exchange.faults.add(sim.Delay(SUBMIT, seconds=30))
    await unknown(client)
    assert placed(exchange) == 0
    await trio.sleep(30)
    assert placed(exchange) == 1


@case
async def Refuse429(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.Refuse429("*", 2))
    await reads(client)
    exchange.faults.add(sim.Refuse429(SUBMIT))
    await submit(client)
    assert placed(exchange) == 1


@case
async def Refuse418(exchange: sim.Venue, client: bm.Client) -> None:
    begun = trio.current_time()
    exchange.faults.add(sim.Refuse418(TICKER))
    with pytest.raises(bm.AddressBanned):
        await reads(client)
    await submit(client)
    assert trio.current_time() >= begun + 60


@case
async def Fail5xx(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.Fail5xx("*", 2, html=True, status=502))
    await reads(client)
    exchange.faults.add(sim.Fail5xx(SUBMIT, handled=True))
    await unknown(client)
    assert placed(exchange) == 1


@case
async def Maintenance(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.Maintenance())
    with pytest.raises(bm.Maintenance):
        await reads(client)
    with pytest.raises(bm.Maintenance):
        await submit(client)
    assert placed(exchange) == 0


@case
async def GarbageReply(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.GarbageReply(TICKER))
    await reads(client)
    exchange.faults.add(sim.GarbageReply(SUBMIT))
    await unknown(client)
    assert placed(exchange) == 1


@case
async def EdgePage(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.EdgePage(TICKER, 2, status=520))
    await reads(client)
    exchange.faults.add(sim.EdgePage(TICKER, 2, status=403, retry_after=7))
    begun = trio.current_time()
    await reads(client)
    assert trio.current_time() - begun > 14 - 1e-6
    for number, status in enumerate((403, 404, 451, 530)):
        exchange.faults.add(sim.EdgePage(SUBMIT, status=status, html=status != 530))
        with pytest.raises(bm.OutcomeUnknown):
            await submit(client, f"mine{number}")
    assert placed(exchange) == 0


@case
async def GatewayJson(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.GatewayJson(TICKER, 2, status=504))
    await reads(client)
    exchange.faults.add(sim.GatewayJson(SUBMIT, status=500))
    await unknown(client)
    assert (await client.spot.trading.order_by_client_id("mine1")).client_order_id == "mine1"
    exchange.faults.add(sim.GatewayJson(SUBMIT, status=400, code=408, handled=False))
    with pytest.raises(bm.OutcomeUnknown):
        await submit(client, "mine2")
    assert placed(exchange) == 1


@case
async def EmptyData(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.EmptyData(TICKER, 2))
    await reads(client)
    exchange.faults.add(sim.EmptyData(SUBMIT, handled=True))
    await unknown(client)
    exchange.faults.add(sim.EmptyData("/spot/v4/query/open-orders", None))
    with pytest.raises(bm.MalformedReply):
        await client.spot.trading.open_orders("BTC_USDT")
    assert placed(exchange) == 1


@case
async def UnknownField(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.UnknownField(name="surprise"))
    reply = await client.spot.call(bm.endpoints.spot.market.ticker, symbol="BTC_USDT")
    assert reply.data.last_price > 0
    assert "surprise" in str(bm.extras(reply))
    async with client.streams.spot.trade("BTC_USDT") as trades:
        assert (await trades.receive()).price > 0


@case
async def LongerRow(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.LongerRow())
    assert (await client.spot.market.tickers())[0].last_price > 0
    async with client.streams.spot.depth("BTC_USDT", level=5) as books:
        assert (await books.receive()).bids


# --- records ---


@case
async def SharedIds(exchange: sim.Venue, client: bm.Client) -> None:
    before = await own_fills(client)
    exchange.faults.add(sim.SharedIds(TRADED))
    after = await client.spot.trading.trades("BTC_USDT")
    assert [attrs.evolve(fill, trade_id="") for fill in after] == [attrs.evolve(fill, trade_id="") for fill in before]
    assert len({fill.trade_id for fill in after}) == 2


@case
async def BlankIds(exchange: sim.Venue, client: bm.Client) -> None:
    before = await own_fills(client)
    exchange.faults.add(sim.BlankIds(TRADED))
    after = await client.spot.trading.trades("BTC_USDT")
    assert [fill.create_time for fill in after] == [fill.create_time for fill in before]


@case
async def RoundedBounds(exchange: sim.Venue, client: bm.Client) -> None:
    first = (await own_fills(client))[-2]
    exchange.faults.add(sim.RoundedBounds(TRADED, unit_ms=60_000))
    after = await client.spot.trading.trades("BTC_USDT", end_time=first.create_time)
    # Behind the bound lie the others, unless the minute ended between them.
    assert len(after) > 1
    assert {fill.create_time > first.create_time for fill in after} == {True, False}


@case
async def ShiftingPages(exchange: sim.Venue, client: bm.Client) -> None:
    for _ in range(25):
        await client.futures.account.submit_transfer(currency="USDT", amount="1", type="spot_to_contract")
    exchange.faults.add(sim.ShiftingPages("/account/v1/transfer-contract-list"))
    pages = [await client.futures.account.transfers(page=page, limit=10) for page in (1, 2, 3)]
    assert sum(len(page) for page in pages) == 24


@case
async def SmallerCap(exchange: sim.Venue, client: bm.Client) -> None:
    before = await own_fills(client)
    exchange.faults.add(sim.SmallerCap(TRADED, n=2))
    assert await client.spot.trading.trades("BTC_USDT", limit=200) == before[:2]


@case
async def OddRecord(exchange: sim.Venue, client: bm.Client) -> None:
    before = await own_fills(client)
    exchange.faults.add(sim.OddRecord(TRADED, member="stpMode", every=1, how="blank"))
    assert [fill.trade_id for fill in await client.spot.trading.trades("BTC_USDT")] == [
        fill.trade_id for fill in before
    ]


@case
async def WrongUnit(exchange: sim.Venue, client: bm.Client) -> None:
    before = await own_fills(client)
    exchange.faults.add(sim.WrongUnit(TRADED))
    after = await client.spot.trading.trades("BTC_USDT")
    assert [fill.create_time for fill in after] == [fill.create_time // 1000 for fill in before]


@case
async def Retention(exchange: sim.Venue, client: bm.Client) -> None:
    before = await own_fills(client)
    await trio.sleep(60)
    handle = exchange.faults.add(sim.Retention(TRADED, days=60 / 86_400))
    assert await client.spot.trading.trades("BTC_USDT") == []
    handle.remove()
    exchange.faults.add(sim.Retention(TRADED, days=60 / 86_400, how="refused"))
    with pytest.raises(bm.ApiError):
        await client.spot.trading.trades("BTC_USDT", start_time=before[-1].create_time)


@case
async def LateRecord(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.LateRecord(TRADED, seconds=30, spread=False))
    assert await own_fills(client) == []
    await trio.sleep(30)
    assert len(await client.spot.trading.trades("BTC_USDT")) == 4


# --- an exchange that agrees with itself later ---


@case
async def Lag(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.Lag("/spot/v4/query/client-order", 30))
    exchange.faults.add(sim.Lag("/spot/v4/query/open-orders", 60, "missing"))
    placed = await submit(client)
    with pytest.raises(bm.OrderNotFound):
        await client.spot.trading.order_by_client_id("mine1")
    assert (await client.spot.trading.order(placed.order_id)).client_order_id == "mine1"
    await trio.sleep(31)
    assert (await client.spot.trading.order_by_client_id("mine1")).order_id == placed.order_id
    assert await client.spot.trading.open_orders("BTC_USDT") == []
    await trio.sleep(31)
    assert len(await client.spot.trading.open_orders("BTC_USDT")) == 1


@case
async def StaleFields(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.StaleFields("*", 30))
    async with client.streams.spot.user_orders() as orders:
        await own_fills(client)
        pushed = [await orders.receive() for _ in range(4)]
    done = (await client.spot.trading.order_history("BTC_USDT"))[0]
    assert done.filled_size == 0
    assert any(order.filled_size == 0 for order in pushed)
    assert sum(fill.size for fill in await client.spot.trading.order_trades(done.order_id)) > 0
    await trio.sleep(31)
    assert (await client.spot.trading.order(done.order_id)).filled_size > 0


@case
async def Cap(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.Cap("/spot/v4/query/open-orders", 2))
    for number in range(4):
        await submit(client, f"mine{number}")
    orders = await client.spot.trading.open_orders("BTC_USDT", limit=200)
    assert [order.client_order_id for order in orders] == ["mine3", "mine2"]


@case
async def BlankClientIds(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.BlankClientIds())
    placed = await submit(client)
    (order,) = await client.spot.trading.open_orders("BTC_USDT")
    assert (order.order_id, order.client_order_id) == (placed.order_id, None)


@case
async def ClockGlitch(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.ClockGlitch())
    first, second = [(await client.spot.system.time()).server_time for _ in range(2)]
    assert 119_000 < first - second < 121_000


@case
async def BurntIds(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.BurntIds())
    for _ in range(2):
        with pytest.raises(bm.ApiError, match="50042"):
            await submit(client)
    with pytest.raises(bm.OrderNotFound):
        await client.spot.trading.order_by_client_id("mine1")
    await submit(client, "mine2")
    assert placed(exchange) == 1


@case
async def LatePush(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.LatePush("spot/user/*", seconds=20))
    async with client.streams.spot.user_orders() as orders:
        begun = trio.current_time()
        await submit(client)
        assert trio.current_time() - begun < 1
        assert (await orders.receive()).client_order_id == "mine1"
        assert trio.current_time() - begun >= 20


@case
async def OldPush(exchange: sim.Venue, client: bm.Client) -> None:
    async with client.streams.spot.user_orders() as orders:
        exchange.faults.add(sim.OldPush("spot/user/*"))
        await submit(client)
        await client.spot.trading.cancel_order("BTC_USDT", client_order_id="mine1")
        states = [str((await orders.receive()).order_state) for _ in range(3)]
    assert states == ["new", "canceled", "new"]


# --- connections ---


@case
async def RefuseConnect(exchange: sim.Venue, client: bm.Client) -> None:
    async with client.streams.spot.trade("BTC_USDT", gaps="mark") as trades:
        exchange.faults.add(sim.RefuseConnect("*/*", 3))
        exchange.drop_connections()
        await _a_gap_then_trades(trades)


@case
async def RefuseUpgrade(exchange: sim.Venue, client: bm.Client) -> None:
    async with client.streams.events() as events, client.streams.spot.trade("BTC_USDT", gaps="mark") as trades:
        exchange.faults.add(sim.RefuseUpgrade(status=403))
        exchange.drop_connections()
        await _a_gap_then_trades(trades)
        assert "403" in told(events)


@case
async def HangHandshake(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.HangHandshake())
    begun = trio.current_time()
    with pytest.raises(bm.ConnectionLost):
        async with client.streams.spot.trade("BTC_USDT"):
            pass
    assert trio.current_time() - begun == pytest.approx(bm.Config().timeouts.connect, abs=1)
    async with client.streams.spot.trade("BTC_USDT") as trades:
        await trades.receive()


@case
async def Drop(exchange: sim.Venue, client: bm.Client) -> None:
    async with client.streams.spot.trade("BTC_USDT", gaps="mark") as trades:
        exchange.faults.add(sim.Drop())
        await _a_gap_then_trades(trades)


@case
async def Stall(exchange: sim.Venue, client: bm.Client) -> None:
    async with client.streams.spot.trade("BTC_USDT", gaps="mark") as trades:
        await trades.receive()
        (old,) = exchange.connections
        exchange.faults.add(sim.Stall(old.name))
        begun = trio.current_time()
        await _a_gap_then_trades(trades)
        assert trio.current_time() - begun < 30


@case
async def SlowLink(exchange: sim.Venue, client: bm.Client) -> None:
    async with client.streams.spot.ticker("BTC_USDT", gaps="mark") as tickers:
        exchange.faults.add(sim.SlowLink(bytes_per_second=400))
        with trio.move_on_after(20):
            async for item in tickers:
                assert not isinstance(item, bm.Gap)
        assert tickers.statistics().reconnects == 0


@case
async def LatePong(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.LatePong(seconds=60))
    async with client.streams.spot.trade("BTC_USDT") as trades:
        with trio.move_on_after(40):
            async for _ in trades:
                pass
        assert trades.statistics().reconnects == 0


@case
async def RefuseLogin(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.RefuseLogin())
    with pytest.raises(bm.AuthenticationError, match="91002"):
        async with client.streams.spot.user_orders():
            pass
    await trio.sleep(40)
    assert exchange.faults.hits["RefuseLogin"] == 1


@case
async def DropDuringLogin(exchange: sim.Venue, client: bm.Client) -> None:
    async with client.streams.spot.user_orders(gaps="mark") as orders:
        exchange.faults.add(sim.DropDuringLogin(times=2))
        exchange.drop_connections()
        assert isinstance(await orders.receive(), bm.Gap)
        await submit(client)
        order = await orders.receive()
        assert isinstance(order, models.SpotOrderUpdate)
        assert order.client_order_id == "mine1"


# --- topics ---


@case
async def RefuseTopic(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.RefuseTopic("spot/ticker:*", None, code="90004"))
    with pytest.raises(bm.SubscriptionRefused, match="spot/ticker:BTC_USDT"):
        async with client.streams.spot.ticker("BTC_USDT"):
            pass


@case
async def LoseAck(exchange: sim.Venue, client: bm.Client) -> None:
    exchange.faults.add(sim.LoseAck())
    begun = trio.current_time()
    async with client.streams.spot.trade("BTC_USDT") as trades:
        await trades.receive()
    assert 0 < trio.current_time() - begun < 30


@case
async def MuteTopic(exchange: sim.Venue, client: bm.Client) -> None:
    async with client.streams.spot.depth_increase("BTC_USDT", gaps="mark") as book:
        await book.receive()
        exchange.faults.add(sim.MuteTopic("spot/depth/increase100:*", lasting=70))
        with trio.fail_after(120):
            while not isinstance(await book.receive(), bm.Gap):
                pass


@case
async def Gap(exchange: sim.Venue, client: bm.Client) -> None:
    await _a_book_that_mends(exchange, client, sim.Gap("spot/depth/increase100:*", 3))


@case
async def Duplicate(exchange: sim.Venue, client: bm.Client) -> None:
    await _a_book_that_mends(exchange, client, sim.Duplicate("spot/depth/increase100:*", 3))


@case
async def Reorder(exchange: sim.Venue, client: bm.Client) -> None:
    await _a_book_that_mends(exchange, client, sim.Reorder("spot/depth/increase100:*", 3))


@case
async def Garbage(exchange: sim.Venue, client: bm.Client) -> None:
    async with client.streams.events() as events, client.streams.spot.trade("BTC_USDT") as trades:
        exchange.faults.add(sim.Garbage(TRADES))
        for _ in range(5):
            await trades.receive()
        assert trades.statistics().reconnects == 0
        assert "Malformed" in told(events)


# --- the whole exchange ---


@case
async def ClockSkew(exchange: sim.Venue, client: bm.Client) -> None:
    await submit(client, "before")
    exchange.faults.add(sim.ClockSkew(-3_600_000))
    await submit(client, "after")
    assert placed(exchange) == 2


async def _a_gap_then_trades(trades: bm.Subscription[models.SpotTrade | bm.Gap | bm.Backfilled]) -> None:
    with trio.fail_after(120):
        while not isinstance(await trades.receive(), bm.Gap):
            pass
        assert not isinstance(await trades.receive(), bm.Gap)


async def _a_book_that_mends(exchange: sim.Venue, client: bm.Client, fault: sim.Fault) -> None:
    """Whenever the book says that it is live it equals the exchange's."""
    real = exchange.exchange.spot.markets["BTC_USDT"].book
    async with client.streams.spot.order_book("BTC_USDT") as book:
        await book.wait_live()
        handle = exchange.faults.add(fault)
        with trio.move_on_after(10):
            async for _ in book:
                if book.version == real.version:
                    assert book.best_bid is not None
                    assert book.best_bid.price == real.best("buy")
        assert not handle.active
        await book.wait_live()
