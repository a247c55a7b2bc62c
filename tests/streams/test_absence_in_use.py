"""Code of ours that reads what a reply or push lacks: books, views, walkers, backfills and rules, a member at a time.

None of them crashes, none takes what it cannot know for something else, and all are right again once the exchange is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
import trio
from account_kit import buy, cancel, contents, ledger_of, opener
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio._core.channel import Channel
from bitmart_trio.models import AccountState
from bitmart_trio.models._fields import WIRE
from bitmart_trio.sim.exchange import START_MS
from bitmart_trio.sim.faults import OddRecord
from bitmart_trio.sim.venue import open_exchange


def wires(model: type) -> list[str]:
    """What a model's members are called on the wire."""
    return [field.metadata.get(WIRE) or field.name for field in attrs.fields(model)]


def _without(value: Any, member: str) -> Any:
    if isinstance(value, dict):
        return {name: _without(each, member) for name, each in value.items() if name != member}
    return [_without(each, member) for each in value] if isinstance(value, list) else value


@contextmanager
def pushes_without(member: str, name: str) -> Iterator[None]:
    """Have the pushes of channels of a name lack a member, wherever it stands in them."""
    read, whole = Channel.read, Channel.push_reader

    def lacking(self: Channel[Any], data: bytes) -> Any:
        if self.name.startswith(name):
            data = json.dumps(_without(json.loads(data), member)).encode()
        return read(self, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Channel, "read", lacking)
        patch.setattr(Channel, "push_reader", lambda self: None if self.name.startswith(name) else whole(self))
        yield


@pytest.mark.parametrize(
    ("market", "member"),
    [
        *(("spot", member) for member in wires(models.SpotDepthIncrease)),
        *(("futures", member) for member in wires(models.FuturesDepthIncrease)),
    ],
)
async def test_a_book_is_not_live_on_what_it_cannot_know(market: str, member: str, autojump_clock: MockClock) -> None:
    """Only the push time is of no matter; once the pushes are whole again, the book is right again."""
    async with open_exchange(seed=3) as exchange, exchange.open_client() as client:
        symbol = "BTC_USDT" if market == "spot" else "BTCUSDT"
        streams: Any = client.streams.spot if market == "spot" else client.streams.futures
        with pushes_without(member, f"{market}/depth"):
            async with streams.order_book(symbol) as book:
                await trio.sleep(5)
                assert (book.state is bm.BookState.LIVE) == (member == "ms_t")
        async with streams.order_book(symbol) as book:
            await book.wait_live()
            assert book.best_bid.price < book.best_ask.price


@pytest.mark.parametrize(
    ("market", "channel", "member"),
    [
        *(("spot", "spot/user/order", member) for member in wires(models.SpotOrderUpdate)),
        *(("spot", "spot/user/balance", member) for member in ["event_time", "balance_details", "ccy", "av_bal"]),
        *(("futures", "futures/order", member) for member in wires(models.FuturesPushedOrder)),
        *(("futures", "futures/asset", member) for member in wires(models.FuturesAssetUpdate)),
        *(("futures", "futures/position", member) for member in wires(models.FuturesPositionUpdate)),
    ],
)
async def test_a_view_reads_what_a_push_lacks(
    market: str, channel: str, member: str, autojump_clock: MockClock
) -> None:
    """It is right in the end, by its reads, whatever the pushes say."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        with pushes_without(member, channel):
            async with opener(client, market, verify_after=1) as account:
                await account.wait_live()
                order_id = await buy(client, market)
                await trio.sleep(3)
                with trio.fail_after(60):
                    await account.refresh()
                assert order_id in account.orders
                assert contents(account) == ledger_of(exchange, market)
                await cancel(client, market, order_id)
                await trio.sleep(3)
                with trio.fail_after(60):
                    await account.refresh()
                assert contents(account) == ledger_of(exchange, market)


@pytest.mark.parametrize(
    ("market", "path", "member"),
    [
        *(("spot", "/spot/v4/query/open-orders", member) for member in wires(models.SpotOrder)),
        *(("futures", "/contract/private/get-open-orders", member) for member in wires(models.FuturesOrder)[:16]),
        *(("futures", "/contract/private/position-v2", member) for member in wires(models.FuturesPositionV2)[:12]),
    ],
)
async def test_a_view_is_stale_while_it_cannot_be_read(
    market: str, path: str, member: str, autojump_clock: MockClock
) -> None:
    """It says why, keeps trying, and is live once the lists are whole again."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        await buy(client, market)
        active = exchange.faults.add(OddRecord(path=path, member=member, every=1))
        async with opener(client, market) as account:
            await trio.sleep(5)
            error = account.statistics().last_error
            assert (account.state is AccountState.LIVE) or isinstance(error, bm.AbsentMember)
            active.remove()
            with trio.fail_after(120):
                await account.wait_live()
                await account.refresh()
            assert contents(account) == ledger_of(exchange, market)


async def test_rules_of_one_market_do_not_depend_on_the_records_of_others(autojump_clock: MockClock) -> None:
    """Each member left out of some contracts and pairs: the others' rules are there, theirs name what is missing."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        for path, model, rules, symbols in (
            ("/contract/public/details", models.ContractDetails, client.futures.rules, ("BTCUSDT", "ETHUSDT")),
            ("/spot/v1/symbols/details", models.SymbolDetails, client.spot.rules, ("BTC_USDT", "ETH_USDT")),
        ):
            whole = [await rules(symbol) for symbol in symbols]
            named: set[tuple[str, str]] = set()
            for member in wires(model):
                active = exchange.faults.add(OddRecord(path=path, member=member, every=1))
                for symbol, known in zip(symbols, whole, strict=True):
                    try:
                        assert (await rules(symbol, refresh=True)).symbol == known.symbol
                    except bm.AbsentMember as error:
                        named.add((attrs.fields_dict(model)[error.member].metadata.get(WIRE) or error.member, member))
                    except bm.InvalidSymbol:
                        named.add(("symbol", member))
                active.remove()
            assert {what for what, _ in named} == {member for _, member in named} != set()


@pytest.mark.parametrize("member", [*wires(models.SpotFill), "every"])
@pytest.mark.parametrize("how", ["missing", "blank"])
async def test_a_walk_is_as_long_whatever_its_records_lack(member: str, how: str, autojump_clock: MockClock) -> None:
    """Each record is there once, with an absent member."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        for _ in range(6):
            await client.spot.trading.submit_order(symbol="BTC_USDT", side="buy", type="market", notional="50")
            await trio.sleep(1)
        whole = [fill async for fill in client_walk(client)]
        assert len(whole) >= 6
        named = "" if member == "every" else member
        exchange.faults.add(OddRecord(path="/spot/v4/query/trades", member=named, every=1, how=how))
        found = [fill async for fill in client_walk(client)]
        assert len(found) == len(whole)
        for fill, known in zip(found, whole, strict=True):
            assert repr(fill)
            for field in attrs.fields(models.SpotFill):
                if field.name == "client_order_id":
                    continue  # it repeats the order id where there is none, which cannot be told without that
                if field.name not in bm.absent(fill) and (field.metadata.get(WIRE) or field.name) != member and named:
                    assert getattr(fill, field.name) == getattr(known, field.name)


def client_walk(client: bm.Client) -> Any:
    """The account's fills."""
    return bm.history.spot_fills(client, since=START_MS)
