"""Account views whose orders the exchange gives no id of their own, or a state that nobody knows."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from account_kit import buy, cancel, contents, ledger_of, opener
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio._bitmart.channel import Channel
from bitmart_trio._bitmart.sockets import MarketDialect
from bitmart_trio.models import AccountState
from bitmart_trio.sim.faults import BlankIds, RefuseUpgrade, SharedIds
from bitmart_trio.sim.venue import open_exchange


@pytest.mark.parametrize("market", ["spot", "futures"])
@pytest.mark.parametrize("fault", [BlankIds, SharedIds])
async def test_orders_without_ids_of_their_own_are_held_apart(
    autojump_clock: MockClock, market: str, fault: type[BlankIds | SharedIds]
) -> None:
    """Known ones by everything else, and the view stays live; a new one among them makes it stale until ids return."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client, exchange.open_client() as other:
        async with opener(client, market) as account:
            await account.wait_live()
            known = [await buy(client, market, price=price) for price in ("30000", "31000", "29000")]
            await account.wait_settled()
            active = exchange.faults.add(fault("/spot/v4/*" if market == "spot" else "/contract/private/*"))
            await account.refresh()
            assert active.hits
            assert [*account.orders] == known
            assert account.unidentified == ()
            assert contents(account) == ledger_of(exchange, market)
            exchange.faults.add(RefuseUpgrade(connection=f"{market}/private", times=2))
            exchange.drop_connections(f"{market}/private")
            await account.wait_stale()
            placed = await buy(other, market, price="32000")
            await trio.sleep(20)
            assert account.state is AccountState.STALE
            assert "32000" in repr(account.unidentified)
            assert set(known) <= set(account.orders)
            assert isinstance(account.statistics().last_error, bm.MalformedReply)
            active.remove()
            with trio.fail_after(60):
                await account.wait_live()
            assert [*account.orders] == [*known, placed]
            assert contents(account) == ledger_of(exchange, market)


@pytest.mark.parametrize("fault", [BlankIds, SharedIds])
async def test_balances_that_name_no_currency_of_their_own_are_not_believed(
    autojump_clock: MockClock, fault: type[BlankIds | SharedIds]
) -> None:
    """The others were zero all at once, in a view that was live."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with opener(client, "spot") as account:
            await account.wait_live()
            active = exchange.faults.add(fault("/spot/v1/wallet"))
            await buy(client, "spot")
            await trio.sleep(20)
            assert active.hits
            assert not account.settled
            assert account.balances["BTC"].available == 10
            assert "balances" in str(account.statistics().last_error)
            active.remove()
            with trio.fail_after(60):
                await account.wait_settled()
            assert contents(account) == ledger_of(exchange, "spot")


async def test_a_state_that_the_library_does_not_know_closes_no_order(autojump_clock: MockClock) -> None:
    """The order stays, with the word, and its end is seen."""

    def reviewed(self: Channel[Any], data: bytes) -> Any:
        data = data.replace(b'"order_state":"new"', b'"order_state":"under_review"').replace(
            b'"state":"4"', b'"state":""'
        )
        return read(self, data)

    read = Channel.read
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Channel, "read", reviewed)
            patch.setattr(MarketDialect, "push_reader", lambda self, channel: None)
            async with client.streams.spot.account(verify_after=1000) as account:
                await account.wait_live()
                order_id = await buy(client, "spot")
                await trio.sleep(1)
                assert str(account.orders[order_id].state) == "under_review"
                assert account.orders[order_id].is_open
                await cancel(client, "spot", order_id)
                await trio.sleep(1)
                assert order_id not in account.orders
