"""`streams.spot.account()` and `streams.futures.account()`: live, reconciled, honest about what they do not know."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio
from account_kit import Replica, View, buy, cancel, contents, ledger_of, opener
from trio.testing import MockClock, assert_checkpoints, wait_all_tasks_blocked

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.models import AccountState
from bitmart_trio.sim.faults import Delay, Fail5xx, Gap, RefuseLogin, RefuseUpgrade, SlowLink
from bitmart_trio.sim.venue import open_exchange
from bitmart_trio.streams._account_futures import FuturesAccountView
from bitmart_trio.streams._account_spot import SpotAccountView

both_markets = pytest.mark.parametrize("market", ["spot", "futures"])


def ordered(found: list[object]) -> list[models.OrderChanged[models.AccountOrder]]:
    """What they say of orders."""
    return [change for change in found if isinstance(change, models.OrderChanged)]


async def changes(view: View) -> list[object]:
    """All changes that are ready."""
    found: list[object] = []
    while True:
        with trio.move_on_after(0.001) as patience:
            found.append(await anext(view))
        if patience.cancelled_caught:
            return found


@both_markets
async def test_the_view_begins_with_what_is_there(autojump_clock: MockClock, market: str) -> None:
    """Entering does not wait for the first reading; wait_live does. The changes begin with it, too."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        order_id = await buy(client, market, client_order_id="mine")
        async with opener(client, market) as account:
            assert repr(account).endswith("syncing>")
            await account.wait_live()
            assert account.state is AccountState.LIVE
            assert account.settled
            assert list(account.orders) == [order_id]
            assert account.order_by_client_id("mine") == account.orders[order_id]
            assert account.order_by_client_id("another") is None
            assert contents(account) == ledger_of(exchange, market)
            replica = Replica()
            for change in await changes(account):
                replica.apply(change)
            replica.assert_equals(account)
            assert replica.resynced == ["opened"]
            assert account.statistics().resyncs == 1
        assert "closed" in repr(account)


@both_markets
async def test_orders_come_and_go(autojump_clock: MockClock, market: str) -> None:
    """At once, by push, whoever placed them; an order leaves with its final state."""
    async with (
        open_exchange(seed=1) as exchange,
        exchange.open_client() as client,
        exchange.open_client() as other,
        opener(client, market) as account,
    ):
        await account.wait_live()
        await changes(account)
        order_id = await buy(other, market)
        opened = await anext(account)
        assert isinstance(opened, models.OrderChanged)
        assert (opened.order, opened.previous, opened.closed) == (account.orders[order_id], None, False)
        await cancel(other, market, order_id)
        await wait_all_tasks_blocked()
        assert account.orders == {}
        closed = ordered(await changes(account))
        assert [(change.closed, change.order.is_open, change.previous) for change in closed] == [
            (True, False, opened.order)
        ]


async def test_what_spot_holds_is_known_a_moment_later(autojump_clock: MockClock) -> None:
    """Placing an order pushes no balance there: the view is live but not settled until a read has found the hold."""
    async with (
        open_exchange(seed=1) as exchange,
        exchange.open_client() as client,
        client.streams.spot.account(verify_after=0.5) as account,
    ):
        await account.wait_live()
        await buy(client, "spot")
        await wait_all_tasks_blocked()
        assert (account.state, account.settled) == (AccountState.LIVE, False)
        assert account.balances["USDT"].frozen == 0
        started = trio.current_time()
        await account.wait_settled()
        assert trio.current_time() - started == pytest.approx(0.5, abs=0.01)
        assert account.balances["USDT"] == models.Balance(Decimal("99699.7"), Decimal("300.3"))  # with its fee
        assert account.balances["USDT"].total == 100_000
        assert account.statistics().corrections == 1


async def test_positions_are_kept_by_symbol_and_side(autojump_clock: MockClock) -> None:
    """Opened, made bigger, closed; the change that closes one has size 0."""
    async with (
        open_exchange(seed=1, live=False) as exchange,
        exchange.open_client() as client,
        client.streams.futures.account() as account,
    ):
        await account.wait_live()
        await changes(account)
        for side, size in ((1, 5), (1, 3), (4, 2), (3, 8)):
            await client.futures.trading.submit_order(
                symbol="BTCUSDT", side=side, type="market", size=size, leverage="10", open_type="cross"
            )
            await wait_all_tasks_blocked()
            if size == 3:
                long = account.positions["BTCUSDT", "long"]
                assert (int(long.size), long.margin_mode) == (8, models.OpenType.CROSS)
                assert account.balances["USDT"].position_margin > 0
        assert list(account.positions) == [("BTCUSDT", "short")]
        moved = [change for change in await changes(account) if isinstance(change, models.PositionChanged)]
        assert [(change.position.side.value, int(change.position.size), change.previous) for change in moved] == [
            ("long", 0, None),
            ("short", 2, None),
        ]
        assert moved[0].merged >= 3
        await account.wait_settled()
        assert contents(account) == ledger_of(exchange, "futures")


async def test_a_quiet_account_is_not_read(autojump_clock: MockClock) -> None:
    """Positions are repeated every ten seconds: what says nothing new asks for no read."""
    async with (
        open_exchange(seed=1, live=False) as exchange,
        exchange.open_client() as client,
        client.streams.futures.account() as account,
    ):
        await account.wait_live()
        await client.futures.trading.submit_order(
            symbol="BTCUSDT", side=1, type="market", size=5, leverage="50", open_type="isolated"
        )
        await trio.sleep(5)
        assert account.settled
        before = account.statistics()
        for _ in range(60):
            exchange.exchange.tick()
            await trio.sleep(10)
        after = account.statistics()
        assert after.pushes - before.pushes >= 59
        assert after.reads == before.reads
        assert account.settled


def kinds(account: FuturesAccountView) -> list[str]:
    """What its orders wait for."""
    return sorted(f"{order.kind} {order.trigger_price:f}" for order in account.orders.values())


async def test_conditional_orders_are_orders_too(autojump_clock: MockClock) -> None:
    """Plan, take-profit, stop-loss and trailing orders, whether they were there before or came by push."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        trading = client.futures.trading

        async def place() -> None:
            await trading.submit_order(
                symbol="BTCUSDT", side=1, type="market", size=5, leverage="10", open_type="cross"
            )
            await trading.submit_plan_order(
                symbol="BTCUSDT", side=1, type="limit", size=1, leverage="10", open_type="cross", mode=1, price_way=2,
                price_type=1, trigger_price="40000", executive_price="39000",
            )  # fmt: skip
            for kind, price in (("take_profit", "90000"), ("stop_loss", "30000")):
                await trading.submit_tp_sl_order(
                    symbol="BTCUSDT",
                    side=3,
                    type=kind,
                    size=1,
                    trigger_price=price,
                    executive_price=price,
                    price_type=1,
                )
            await trading.submit_trailing_order(
                symbol="BTCUSDT", side=3, leverage="10", open_type="cross", size=1, activation_price="90000",
                callback_rate="1", activation_price_type=1,
            )  # fmt: skip

        await place()
        async with client.streams.futures.account() as account:
            await account.wait_live()
            listed = kinds(account)
            assert listed == ["plan 40000", "stop_loss 30000", "take_profit 90000", "trailing 90000"]
            await place()
            await wait_all_tasks_blocked()
            assert kinds(account) == sorted(2 * listed)
            await account.refresh()
            await account.wait_settled()
            assert contents(account) == ledger_of(exchange, "futures")
            # All of them vanish while nobody listens, and each is found in the history.
            exchange.faults.add(RefuseUpgrade(times=None))
            exchange.drop_connections("futures/private")
            await trading.cancel_all_plan_orders(symbol="BTCUSDT")
            await trading.cancel_all_trailing_orders(symbol="BTCUSDT")
            await changes(account)
            exchange.faults.clear()
            await account.refresh()
            ended = ordered(await changes(account))
            assert [(change.closed, change.order.is_open) for change in ended] == [(True, False)] * len(ended)
            assert contents(account) == ledger_of(exchange, "futures")
            assert len(ended) + len(account.orders) == 8


@both_markets
async def test_a_break_makes_the_view_stale_and_is_made_good(autojump_clock: MockClock, market: str) -> None:
    """Stale from the break until it was read anew; what happened meanwhile is told with its final state."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        closed, kept = await buy(client, market), await buy(client, market)
        async with opener(client, market) as account:
            await account.wait_live()
            await changes(account)
            exchange.faults.add(RefuseUpgrade(times=2))
            exchange.drop_connections(f"{market}/private")
            await account.wait_stale()
            assert account.state is AccountState.STALE
            assert set(account.orders) == {closed, kept}
            await cancel(client, market, closed)
            fresh = await buy(client, market)
            await account.wait_live()
            assert set(account.orders) == {kept, fresh}
            told = await changes(account)
            assert {(change.order.order_id, change.closed, change.order.is_open) for change in ordered(told)} == {
                (closed, True, False),
                (fresh, False, True),
            }
            assert isinstance(told[-1], models.Resynced)
            await account.wait_settled()
            assert contents(account) == ledger_of(exchange, market)
            statistics = account.statistics()
            assert statistics.resyncs == 2
            assert statistics.gaps == (2 if market == "spot" else 5)


async def test_an_end_that_the_exchange_has_forgotten(autojump_clock: MockClock) -> None:
    """Spot forgets orders cancelled unfilled after 20 minutes: the order leaves, and its last known state says so."""
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
        order_id = await buy(client, "spot")
        async with client.streams.spot.account() as account:
            await account.wait_live()
            await changes(account)
            exchange.faults.add(RefuseUpgrade(times=None))
            exchange.drop_connections("spot/private")
            await cancel(client, "spot", order_id)
            await trio.sleep(21 * 60)
            exchange.faults.clear()
            await account.wait_live()
            await account.wait_settled()
            assert account.orders == {}
            ended = ordered(await changes(account))
            assert [(change.closed, change.order.is_open) for change in ended] == [(True, True)]


@both_markets
async def test_a_lost_push_is_found_by_refresh_and_by_reconcile(autojump_clock: MockClock, market: str) -> None:
    """Nothing tells of it on an unbroken connection: the view is wrong, and says live, until somebody reads."""
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
        order_id = await buy(client, market)
        async with opener(client, market) as trusting, opener(client, market, reconcile=30) as careful:
            await trusting.wait_live()
            await careful.wait_live()
            exchange.faults.add(Gap(topic=f"{market}/*", times=None))
            await cancel(client, market, order_id)
            exchange.faults.clear()
            await trio.sleep(29)
            assert list(trusting.orders) == list(careful.orders) == [order_id]
            await trio.sleep(2)
            assert careful.orders == {}
            assert contents(careful) == ledger_of(exchange, market)
            await trio.sleep(300)
            assert list(trusting.orders) == [order_id]
            await trusting.refresh()
            assert trusting.orders == {}
            assert contents(trusting) == ledger_of(exchange, market)
            assert "reconcile" in [each.reason for each in await changes(careful) if isinstance(each, models.Resynced)]


async def test_pushes_older_than_the_snapshot_do_not_undo_it(autojump_clock: MockClock) -> None:
    """The link trickles, REST does not: once read, the balances never go back to an older state."""
    async with (
        open_exchange(seed=1, live=False) as exchange,
        exchange.open_client() as client,
        client.streams.spot.account() as account,
    ):
        await account.wait_live()
        exchange.faults.add(SlowLink(connection="spot/private", bytes_per_second=150))
        for _ in range(5):
            await client.spot.trading.submit_order(symbol="BTC_USDT", side="sell", type="market", size="0.01")
        await trio.sleep(2)
        await account.refresh()
        truth = ledger_of(exchange, "spot")
        assert contents(account) == truth
        before = account.statistics().pushes
        await changes(account)
        await trio.sleep(60)
        assert account.statistics().pushes > before + 5
        assert account.statistics().outdated > 0
        assert not [change for change in await changes(account) if isinstance(change, models.BalanceChanged)]
        await account.wait_settled()
        assert contents(account) == truth


@both_markets
async def test_a_push_that_crosses_the_reply_is_kept(autojump_clock: MockClock, market: str) -> None:
    """The reply was drawn up before the order was placed, and arrives after its push."""
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
        reads = "/spot/*" if market == "spot" else "/contract/private/*"
        async with opener(client, market, reconcile=1000) as account:
            await account.wait_live()
            exchange.faults.add(Delay(path=reads, seconds=3, before=False, times=None))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(account.refresh)
                await trio.sleep(1)
                exchange.faults.clear()
                assert account.orders == {}
                order_id = await buy(client, market)
            assert list(account.orders) == [order_id]
            await account.wait_settled()
            assert contents(account) == ledger_of(exchange, market)


async def test_a_reader_that_is_behind_gets_merged_changes(autojump_clock: MockClock) -> None:
    """One change an order, currency or position, which says how many it stands for and where it began."""
    async with (
        open_exchange(seed=1) as exchange,
        exchange.open_client() as client,
        client.streams.spot.account() as account,
    ):
        await account.wait_live()
        await changes(account)
        order_id = await buy(client, "spot")
        await cancel(client, "spot", order_id)
        await wait_all_tasks_blocked()
        first = await anext(account)
        assert isinstance(first, models.OrderChanged)
        assert (first.previous, first.closed, first.order.state, first.merged) == (None, True, "canceled", 2)
        assert account.statistics().merged == 1


async def test_a_reader_that_is_too_far_behind_is_told_so(autojump_clock: MockClock) -> None:
    """Above the buffer all unread changes go, and the reader is told how many; the view has them all."""
    async with (
        open_exchange(seed=1) as exchange,
        exchange.open_client() as client,
        client.streams.spot.account(buffer=5) as account,
    ):
        await account.wait_live()
        for _ in range(4):
            await buy(client, "spot")
        await wait_all_tasks_blocked()
        told = await changes(account)
        assert isinstance(told[0], models.ChangesMissed)
        assert told[0].dropped == account.statistics().dropped == 4, "the four balances of the opening"
        assert [type(change) for change in told[1:]] == [models.OrderChanged] * 4
        assert len(account.orders) == 4


async def test_failing_reads_are_tried_again(autojump_clock: MockClock) -> None:
    """As long as another time may be better: the view goes live when REST is back."""
    config = bm.Config(retry=bm.Retry(attempts=1))
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=config) as client:
        exchange.faults.add(Fail5xx(path="/spot/*", times=3))
        async with client.streams.spot.account() as account:
            await account.wait_live()
            statistics = account.statistics()
            assert statistics.failed_reads == 3
            assert isinstance(statistics.last_error, bm.BitMartError)
            assert trio.current_time() >= 0.5 + 1 + 2


async def test_a_key_that_may_not_read_ends_the_view(autojump_clock: MockClock) -> None:
    """Who waits is told, every time, and nothing is tried for ever."""
    async with open_exchange(seed=1) as exchange:
        accounts = exchange.exchange.accounts
        account = accounts.get("1")
        assert account is not None
        accounts.add_key(account, key="k", secret="s", memo="m", permissions=["withdraw"])
        async with (
            exchange.open_client(bm.Credentials("k", "s", "m")) as client,
            client.streams.futures.account() as view,
        ):
            with pytest.raises(bm.PermissionDenied):
                await view.wait_live()
            with pytest.raises(bm.PermissionDenied):
                await view.refresh()
            with pytest.raises(bm.PermissionDenied):
                await anext(view)
            assert view.state is AccountState.SYNCING


@both_markets
async def test_pushes_that_end_for_good_end_the_view(autojump_clock: MockClock, market: str) -> None:
    """A login refused after a reconnect: the view is stale, and raises."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with opener(client, market) as account:
            await account.wait_live()
            await changes(account)
            exchange.faults.add(RefuseLogin())
            exchange.drop_connections(f"{market}/private")
            with pytest.raises(bm.AuthenticationError):
                await anext(account)
            with pytest.raises(bm.AuthenticationError):
                await account.wait_live()
            assert account.state is AccountState.STALE


@both_markets
async def test_a_refused_login_is_raised_where_the_view_is_opened(autojump_clock: MockClock, market: str) -> None:
    """And nothing is left behind."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        exchange.faults.add(RefuseLogin())
        with pytest.raises(bm.AuthenticationError):
            async with opener(client, market):
                pytest.fail("it opened")


@both_markets
async def test_a_closed_view_says_so(autojump_clock: MockClock, market: str) -> None:
    """Whoever waits gets ClosedResourceError: when the block is left, and when the client is left under it."""
    async with open_exchange(seed=1) as exchange:
        caught: list[str] = []
        opened = trio.Event()

        async def iterate(account: View) -> None:
            with pytest.raises(trio.ClosedResourceError):
                async for _ in account:
                    pass
            caught.append("block left")

        async def follow(client: bm.Client) -> None:
            async with opener(client, market) as account:
                opened.set()
                with pytest.raises(trio.ClosedResourceError):
                    await account.wait_live()
            caught.append("client left")

        async with trio.open_nursery() as nursery:
            async with exchange.open_client() as client:
                async with opener(client, market) as account:
                    nursery.start_soon(iterate, account)  # noqa: ASYNC111  # it is about what is left too early
                    await account.wait_live()
                with pytest.raises(trio.ClosedResourceError):
                    await account.wait_live()
                with pytest.raises(trio.ClosedResourceError):
                    await account.refresh()
                # The first reading of this one is under way when the client is left.
                exchange.faults.add(Delay(path="*", seconds=5, times=None))
                nursery.start_soon(follow, client)  # noqa: ASYNC111  # likewise
                await opened.wait()
                await trio.sleep(1)
        assert sorted(caught) == ["block left", "client left"]


async def test_an_error_in_the_block_leaves_as_it_is(autojump_clock: MockClock) -> None:
    """Never in a group of ours."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        with pytest.raises(KeyError, match="mine"):
            async with client.streams.spot.account():
                raise KeyError("mine")


async def test_a_view_needs_rest(autojump_clock: MockClock) -> None:
    """Streams alone cannot have one, and say so before anything is opened."""
    async with open_exchange(seed=1) as exchange, exchange.open_streams() as streams:
        with pytest.raises(bm.ConfigurationError, match="open_client"):
            streams.spot.account()
        with pytest.raises(bm.ConfigurationError, match="open_client"):
            streams.futures.account()


@pytest.mark.parametrize("options", [{"verify_after": 0}, {"reconcile": -1}, {"buffer": 0}])
@both_markets
async def test_arguments_without_sense_are_refused(
    autojump_clock: MockClock, market: str, options: dict[str, int]
) -> None:
    """Before anything is subscribed."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        with pytest.raises(bm.InvalidRequest) as refused:
            async with opener(client, market, **options):
                pytest.fail("it opened")
        assert [refused.value.argument] == list(options)
        assert exchange.connections == []


async def test_more_orders_than_a_list_holds_and_older_ones(autojump_clock: MockClock) -> None:
    """Spot lists 200 orders of one week: the view has the 201st, and that of last month."""
    async with open_exchange(seed=1, live=False) as exchange:
        async with exchange.open_client() as client:
            old = await buy(client, "spot")
        await trio.sleep(30 * 24 * 3600)
        async with exchange.open_client() as client:
            for batch in range(21):
                await client.spot.trading.submit_orders(
                    symbol="BTC_USDT",
                    orders=[
                        models.BatchOrderParam(side="buy", type="limit", size="0.001", price=f"{20000 + batch}")
                        for _ in range(10)
                    ],
                )
                await trio.sleep(0.1)
            async with client.streams.spot.account() as account:
                await account.wait_live()
                assert len(account.orders) == 211
                assert old in account.orders
                assert contents(account) == ledger_of(exchange, "spot")
                assert account.statistics().truncated is False


async def test_more_contract_orders_than_a_list_holds(autojump_clock: MockClock) -> None:
    """Futures lists 100: the view asks contract by contract, and says that there may be more."""
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
        for symbol, price in (("BTCUSDT", "30000"), ("ETHUSDT", "1500")):
            for _ in range(60):
                await client.futures.trading.submit_order(symbol=symbol, side=1, type="limit", size=1, price=price)
        async with client.streams.futures.account() as account:
            await account.wait_live()
            assert len(account.orders) == 120
            assert account.statistics().truncated
            await account.refresh()
            assert contents(account) == ledger_of(exchange, "futures")


@both_markets
async def test_every_wait_is_a_checkpoint(autojump_clock: MockClock, market: str) -> None:
    """Also when there is nothing to wait for."""
    async with (
        open_exchange(seed=1) as exchange,
        exchange.open_client() as client,
        opener(client, market) as account,
    ):
        await account.wait_live()
        for wait in (account.wait_live, account.wait_settled, account.refresh, account.__anext__):
            with assert_checkpoints():
                await wait()
        exchange.drop_connections()
        await account.wait_stale()
        with assert_checkpoints():
            await account.wait_stale()


async def test_the_types_of_the_views(autojump_clock: MockClock) -> None:
    """What a user's editor knows."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.spot.account() as spot, client.streams.futures.account() as futures:
            assert type(spot) is SpotAccountView
            assert type(futures) is FuturesAccountView
            assert not hasattr(spot, "positions")
