"""Code of ours that reads what a reply or push lacks: books, views, walkers, backfills and rules, a member at a time.

None of them crashes, none takes what it cannot know for something else, and all are right again once the exchange is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import attrs
import pytest
import trio
from account_kit import buy, cancel, contents, ledger_of, opener, positions_of
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio._bitmart.channel import Channel
from bitmart_trio._bitmart.sockets import MarketDialect
from bitmart_trio.models import AccountState
from bitmart_trio.models._fields import WIRE
from bitmart_trio.sim.exchange import START_MS
from bitmart_trio.sim.faults import OddRecord
from bitmart_trio.sim.venue import open_exchange

SLOW = 2.0
"""Seconds between two ticks where the market is of no matter: at its usual pace it is half of the work."""


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
    read, whole = Channel.read, MarketDialect.push_reader

    def lacking(self: Channel[Any], data: bytes) -> Any:
        if self.name.startswith(name):
            data = json.dumps(_without(json.loads(data), member)).encode()
        return read(self, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Channel, "read", lacking)
        patch.setattr(
            MarketDialect,
            "push_reader",
            lambda self, channel: None if channel.name.startswith(name) else whole(self, channel),
        )
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
    async with open_exchange(seed=1, tick_seconds=SLOW) as exchange, exchange.open_client() as client:
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


LISTS = [
    *(("spot", "/spot/v4/query/open-orders", member) for member in wires(models.SpotOrder)),
    *(("spot", "/spot/v1/wallet", member) for member in wires(models.SpotBalance)),
    *(("futures", "/contract/private/get-open-orders", member) for member in wires(models.FuturesOrder)),
    *(("futures", "/contract/private/current-plan-order", member) for member in wires(models.PlanOrder)),
    *(("futures", "/contract/private/position-v2", member) for member in wires(models.FuturesPositionV2)),
    *(("futures", "/contract/private/assets-detail", member) for member in wires(models.FuturesAsset)),
]


async def _have_everything(client: bm.Client, market: str) -> None:
    """Put something into each list that a view reads."""
    await buy(client, market)
    if market == "futures":
        trading = client.futures.trading
        await trading.submit_order(symbol="BTCUSDT", side=1, type="market", size=5)
        await trading.submit_plan_order(
            symbol="BTCUSDT", side=1, size=1, type="limit", leverage="10", open_type="cross", mode=1,
            trigger_price="90000", executive_price="90000", price_way=1, price_type=1,
        )  # fmt: skip


def _lacks(view: Any) -> set[str]:
    """The members that anything in a view lacks."""
    held = [*view.orders.values(), *view.balances.values(), *getattr(view, "positions", {}).values()]
    return {name for each in held for name in bm.absent(each)}


@pytest.mark.parametrize(("market", "path", "member"), LISTS)
async def test_a_view_is_live_whatever_its_lists_lack(
    market: str, path: str, member: str, autojump_clock: MockClock
) -> None:
    """All but what says which order, currency or position it is: the rest is there, and what lacks is absent."""
    async with open_exchange(seed=1, tick_seconds=SLOW) as exchange, exchange.open_client() as client:
        await _have_everything(client, market)
        active = exchange.faults.add(OddRecord(path=path, member=member, every=1))
        async with opener(client, market) as account:
            await trio.sleep(5)
            statistics = account.statistics()
            if account.state is AccountState.LIVE:
                assert statistics.failed_reads == 0
                mine, truth = _comparable(account), ledger_of(exchange, market)
                assert mine.keys() >= truth.keys()
                for key, values in mine.items():
                    true = cast("tuple[object, ...]", truth.get(key, (0, 0, 0)))
                    # None is what a model says where a member may be left out.
                    assert all(value in (_ABSENT, None, truly) for value, truly in zip(values, true, strict=True))
                assert bool(_lacks(account)) <= bool(active.hits)
            else:
                assert _is_essential(path, member)
                assert isinstance(statistics.last_error, bm.AbsentMember | bm.MalformedReply)
            active.remove()
            with trio.fail_after(120):
                await account.wait_live()
                await account.refresh()
            assert _lacks(account) == set()
            assert contents(account) == ledger_of(exchange, market)


def _is_essential(path: str, member: str) -> bool:
    if path.endswith(("wallet", "assets-detail")):
        return member in ("id", "currency")
    if path.endswith("position-v2"):
        return member in ("symbol", "position_side", "current_amount")
    return member in ("orderId", "order_id")


_ABSENT = object()


def _comparable(view: Any) -> dict[object, tuple[object, ...]]:
    """What `ledger_of` says, of a view, with a mark for what is absent."""

    def values(obj: object, *names: str) -> tuple[object, ...]:
        return tuple(getattr(obj, name, _ABSENT) for name in names)

    found: dict[object, tuple[object, ...]] = {}
    for order_id, order in view.orders.items():
        found["order", order_id] = values(order, "symbol", "client_order_id", "price", "size", "filled_size", "state")
    for currency, balance in view.balances.items():
        if bm.absent(balance) or balance.total:
            found["balance", currency] = values(balance, "available", "frozen", "position_margin")
    for (symbol, side), position in getattr(view, "positions", {}).items():
        size, entry, mode = values(position, "size", "entry_price", "margin_mode")
        found["position", symbol, side] = (size, round(cast("Any", entry), 6) if entry is not _ABSENT else entry, mode)
    return found


@pytest.mark.parametrize(
    ("market", "path", "member", "lacks"),
    [
        ("spot", "/spot/v4/query/open-orders", "state", {"state"}),
        ("spot", "/spot/v4/query/open-orders", "type", {"type", "notional"}),
        ("spot", "/spot/v1/wallet", "frozen", {"frozen"}),
        ("futures", "/contract/private/get-open-orders", "create_time", {"create_time"}),
        ("futures", "/contract/private/current-plan-order", "trigger_price", {"trigger_price"}),
        ("futures", "/contract/private/position-v2", "entry_price", {"entry_price"}),
        ("futures", "/contract/private/assets-detail", "available_balance", {"available"}),
    ],
)
async def test_a_view_says_what_its_lists_leave_out(
    autojump_clock: MockClock, market: str, path: str, member: str, lacks: set[str]
) -> None:
    """It goes live all the same; the member is absent in the view, and reading it says which reply lacks it."""
    async with open_exchange(seed=1, tick_seconds=SLOW) as exchange, exchange.open_client() as client:
        await _have_everything(client, market)
        exchange.faults.add(OddRecord(path=path, member=member, every=1))
        async with opener(client, market) as account:
            with trio.fail_after(5):
                await account.wait_live()
            held = [*account.orders.values(), *account.balances.values(), *positions_of(account).values()]
            found = [each for each in held if bm.absent(each)]
            assert found
            assert {name for each in found for name in bm.absent(each)} == lacks
            with pytest.raises(bm.AbsentMember, match=path):
                getattr(found[0], min(lacks))
            assert account.statistics().failed_reads == 0


async def test_rules_of_one_market_do_not_depend_on_the_records_of_others(autojump_clock: MockClock) -> None:
    """Each member left out of some contracts and pairs: the others' rules are there, theirs name what is missing."""
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
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
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
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
