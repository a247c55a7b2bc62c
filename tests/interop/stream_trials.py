"""What a foreign socket client is tried with, whichever it is: all public topics, and the account's own orders."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import trio
from foreign import Foreign
from topics import PRIVATE, PUBLIC, acknowledged, channel, items, marked

import bitmart_trio as bm


async def subscribe(foreign: Foreign, socket: str, topics: Sequence[str]) -> None:
    """Subscribe topics of one socket; return when all are acknowledged."""
    missing = set(topics)
    await foreign.tell(socket=socket, subscribe=list(topics))

    def complete(report: Any) -> bool:
        missing.discard(acknowledged(report["data"]))
        return not missing

    await foreign.until(complete)


async def hear_public(foreign: Foreign, socket: str) -> None:
    """Each public topic of a socket is acknowledged, and brings a message that carries what it should."""
    missing = dict(PUBLIC[socket])
    unacknowledged = set(missing)
    await foreign.tell(socket=socket, subscribe=list(missing))

    def complete(report: Any) -> bool:
        assert report["event"] != "exception"
        message = report["data"]
        if topic := acknowledged(message):
            unacknowledged.remove(topic)
            return False
        for topic in [each for each in missing if channel(each) == marked(message)]:
            assert all(missing[topic] in item for item in items(message))
            del missing[topic]
        return not missing and not unacknowledged

    await foreign.until(complete)


class Pushes:
    """What comes in on one socket, by channel."""

    def __init__(self, foreign: Foreign) -> None:
        self._foreign = foreign
        self._items: defaultdict[str, list[Any]] = defaultdict(list)

    async def wait(self, name: str, wanted: Callable[[Any], bool]) -> Any:
        """The first item of a channel that is wanted, among those that came already or are to come."""

        def heard(report: Any) -> bool:
            if not acknowledged(report["data"]) and (told := marked(report["data"])):
                self._items[told] += items(report["data"])
            return any(map(wanted, self._items[name]))

        await trio.lowlevel.checkpoint()
        if not any(map(wanted, self._items[name])):
            await self._foreign.until(heard)
        return next(filter(wanted, self._items[name]))


async def hear_own_spot_orders(foreign: Foreign, trader: bm.Spot) -> None:
    """An order placed and cancelled, and one filled, arrive on both order channels, and the fill on the balances'."""
    await subscribe(foreign, "spot/private", PRIVATE["spot/private"])
    pushes = Pushes(foreign)
    placed = await trader.trading.submit_order(
        "BTC_USDT", side="buy", type="limit", size="0.001", price="30000", client_order_id="resting"
    )
    for name in ("spot/user/order", "spot/user/orders"):
        order = await pushes.wait(name, lambda each: each["client_order_id"] == "resting")
        assert (order["order_id"], order["order_state"], order["price"]) == (placed.order_id, "new", "30000.00")
    await trader.trading.cancel_order("BTC_USDT", placed.order_id)
    for name in ("spot/user/order", "spot/user/orders"):
        order = await pushes.wait(name, lambda each: each["order_state"] == "canceled")
        assert order["order_id"] == placed.order_id
    bought = await trader.trading.submit_order("BTC_USDT", side="buy", type="market", notional="50")
    for name in ("spot/user/order", "spot/user/orders"):
        order = await pushes.wait(name, lambda each: each["order_state"] == "partially_canceled")
        assert order["order_id"] == bought.order_id
        assert Decimal(order["filled_size"]) > 0
    balances = await pushes.wait("spot/user/balance", lambda each: True)
    assert {each["ccy"] for each in balances["balance_details"]} == {"BTC", "USDT"}


async def hear_own_futures_orders(foreign: Foreign, trader: bm.Futures) -> None:
    """An order placed and cancelled, and one filled, arrive, and so do the position and the money that it made."""
    await subscribe(foreign, "futures/private", PRIVATE["futures/private"])
    pushes = Pushes(foreign)
    submit = functools.partial(
        trader.trading.submit_order, symbol="BTCUSDT", side=1, size=2, leverage="5", open_type="isolated"
    )
    placed = await submit(type="limit", price="30000")
    order_id = str(placed.order_id)

    def is_in_state(order_id: str, state: int) -> Callable[[Any], bool]:
        return lambda each: (each["order"]["order_id"], each["order"]["state"]) == (order_id, state)

    await pushes.wait("futures/order", is_in_state(order_id, 2))
    await pushes.wait("futures/asset:USDT", lambda each: Decimal(each["frozen_balance"]) > 0)
    await trader.trading.cancel_order("BTCUSDT", order_id)
    cancelled = await pushes.wait("futures/order", is_in_state(order_id, 4))
    assert Decimal(cancelled["order"]["deal_size"]) == 0
    opened = await submit(type="market")
    filled = await pushes.wait("futures/order", is_in_state(str(opened.order_id), 4))
    assert Decimal(filled["order"]["deal_size"]) == 2
    await pushes.wait("futures/position", lambda each: Decimal(each["hold_volume"]) == 2)
    await pushes.wait("futures/asset:USDT", lambda each: Decimal(each["position_deposit"]) > 0)
