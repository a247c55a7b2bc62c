"""The decimal context is the user's: of few digits, it changes nothing about what we and the exchange calculate."""

from __future__ import annotations

import re
from decimal import ROUND_UP, Context, Decimal, localcontext
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.testing import deterministic

NARROW = Context(prec=2, rounding=ROUND_UP)
OWN_ID = re.compile(r"\bbt[0-9a-z]{22}\b")


async def _trade_spot(client: bm.Client) -> list[object]:
    """What a session says of orders that fill in several parts, are replaced, and are cancelled."""
    said = list[object]()
    async with bm.trading.open_spot_session(client, "BTC_USDT") as session:
        sold = await session.submit(side="sell", type="limit", size="3.12345", price="50000")
        said.append(await sold.wait_filled())
        said.append([fill.size for fill in sold.fills])
        bought = await session.submit(side="buy", type="market", notional="1234.56")
        said.append(await bought.wait_filled())
        resting = await session.submit(side="buy", type="limit", size="0.12345", price="30000.01")
        instead = await resting.replace(size="0.23456")
        said.append(instead.status)
    assert session.report is not None
    said.append(session.report.cancelled)
    return said


async def _trade_futures(client: bm.Client) -> list[object]:
    """The same on a contract, with a position that is closed at the exit."""
    said = list[object]()
    async with bm.trading.open_futures_session(client, "BTCUSDT", on_exit="close") as session:
        terms: dict[str, Any] = {"leverage": 5, "open_type": "cross", "type": "market"}
        for size in (1234, 567):
            order = await session.submit(side="buy_open_long", size=size, **terms)
            said.append(await order.wait_filled())
    assert session.report is not None
    said.append(session.report.closing)
    async with client.streams.futures.account() as account:
        await account.wait_live()
        said.append([(name, each, each.total) for name, each in account.balances.items()])
    return said


def _day(context: Context | None) -> tuple[list[str], list[str]]:
    """What a program hears, and all that the exchange does; without client order ids, which are never the same."""

    async def day() -> tuple[list[object], list[Any]]:
        async with bm.sim.open_exchange(seed=3) as exchange, exchange.open_client() as client:
            heard: list[object] = [
                (await client.spot.rules("BTC_USDT")).step,
                await client.spot.market.ticker("BTC_USDT"),
                await client.futures.market.contracts("BTCUSDT"),
                *await _trade_spot(client),
                *await _trade_futures(client),
            ]
            return heard, list(exchange.exchange.log.lines)

    with localcontext(context), deterministic(3):
        heard, events = trio.run(day, clock=MockClock(autojump_threshold=0))
    return [OWN_ID.sub("", repr(each)) for each in heard], [OWN_ID.sub("", repr(each)) for each in events]


def test_few_digits_change_nothing() -> None:
    """Fills, sizes, averages, what replaces an order, what closes a position, balances, and every event."""
    heard, events = _day(NARROW)
    usual, usual_events = _day(None)
    assert heard == usual
    assert events == usual_events


@pytest.mark.parametrize("context", [None, NARROW])
async def test_a_market_by_hand_is_exact(context: Context | None, autojump_clock: MockClock) -> None:
    """Books and trades stand as they were set."""
    with localcontext(context):
        async with bm.sim.open_exchange(market="scripted") as exchange, exchange.open_client() as client:
            exchange.book.set("BTC_USDT", bids=[("59999.01", "1.23456")], asks=[("60001.02", "2.34567")])
            exchange.market.trade("BTC_USDT", price="60001.02", size="0.54321", side="buy")
            book = await client.spot.market.order_book("BTC_USDT")
            assert [(level.price, level.size) for level in (*book.bids, *book.asks)] == [
                (Decimal("59999.01"), Decimal("1.23456")),
                (Decimal("60001.02"), Decimal("1.80246")),
            ]
