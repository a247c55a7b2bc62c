"""What the tests of account views share: the exchange's own ledger to compare with, orders, random trading."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

import trio

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.sim.venue import Venue
from bitmart_trio.streams._account import AccountView
from bitmart_trio.streams._account_futures import FuturesAccountView

PAIRS = {"BTC_USDT": ("0.00100", 2), "ETH_USDT": ("0.0200", 2), "BMX_USDT": ("50.00", 4)}
"""Symbol -> a size worth a few dollars, and the decimals of a price."""
CONTRACTS = {"BTCUSDT": 1, "ETHUSDT": 2}
"""Symbol -> decimals of a price."""


View = AccountView[Any, Any]


def opener(client: bm.Client, market: str, **options: Any) -> AbstractAsyncContextManager[View]:
    """The market's account."""
    if market == "spot":
        return client.streams.spot.account(**options)
    return client.streams.futures.account(**options)


async def buy(client: bm.Client, market: str, *, price: str = "30000", client_order_id: str | None = None) -> str:
    """Place a limit order; at this price it rests."""
    if market == "spot":
        placed = await client.spot.trading.submit_order(
            symbol="BTC_USDT", side="buy", type="limit", size="0.01", price=price, client_order_id=client_order_id
        )
        return placed.order_id
    accepted = await client.futures.trading.submit_order(
        symbol="BTCUSDT", side=1, type="limit", size=10, price=price, client_order_id=client_order_id
    )
    return str(accepted.order_id)


async def cancel(client: bm.Client, market: str, order_id: str) -> None:
    """Take an order back."""
    if market == "spot":
        await client.spot.trading.cancel_order(symbol="BTC_USDT", order_id=order_id)
    else:
        await client.futures.trading.cancel_order(symbol="BTCUSDT", order_id=order_id)


def ledger_of(venue: Venue, market: str) -> dict[object, object]:
    """What the default account has, by the exchange's own books."""
    exchange = venue.exchange
    account = exchange.accounts.get("1")
    assert account is not None
    if market == "spot":
        found: dict[object, object] = {
            ("balance", currency): (available, frozen, Decimal(0))
            for currency, available, frozen in account.spot.rows()
            if available or frozen
        }
        for order in exchange.spot.engine.open_orders("1"):
            found["order", order.order_id] = (
                order.form.market.pair.symbol,
                order.form.client_order_id or None,
                order.form.price,
                order.form.size,
                order.filled_size,
                order.state,
            )
        return found
    trader = exchange.futures.engine.trader(account)
    margins: dict[str, Decimal] = {}
    for held in trader.open_positions():
        currency = held.contract.settle
        margins[currency] = margins.get(currency, Decimal(0)) + held.margin
    found = {
        ("balance", currency): (available, frozen, margins.get(currency, Decimal(0)))
        for currency, available, frozen in account.futures.rows()
        if available or frozen or currency in margins
    }
    for live in trader.orders.values():
        found["order", live.order_id] = (
            live.contract.symbol,
            live.client_order_id or None,
            live.price,
            live.size,
            live.deal_size,
            live.state,
        )
    for plan in trader.plans.values():
        found["order", plan.order_id] = (
            plan.contract.symbol,
            plan.client_order_id or None,
            plan.executive_price,
            plan.size,
            Decimal(0),
            plan.state,
        )
    for held in trader.open_positions():
        found["position", held.contract.symbol, held.direction] = (held.size, round(held.entry, 6), held.open_type)
    return found


def contents(view: View) -> dict[object, object]:
    """The same of a view."""
    found: dict[object, object] = {
        ("balance", currency): (balance.available, balance.frozen, balance.position_margin)
        for currency, balance in view.balances.items()
        if balance.total
    }
    for order_id, order in view.orders.items():
        assert order.order_id == order_id
        found["order", order_id] = (
            order.symbol,
            order.client_order_id,
            order.price,
            order.size,
            order.filled_size,
            order.state,
        )
        if order.client_order_id is not None:
            assert view.order_by_client_id(order.client_order_id) == order
    for (symbol, side), position in positions_of(view).items():
        found["position", symbol, side] = (position.size, round(position.entry_price, 6), position.margin_mode)
    return found


def positions_of(view: View) -> dict[tuple[str, str], models.AccountPosition]:
    """The positions of a view; a spot account has none."""
    return dict(view.positions) if isinstance(view, FuturesAccountView) else {}


class Replica:
    """What a reader knows who looks at nothing but the changes."""

    def __init__(self) -> None:
        self.orders: dict[str, models.AccountOrder] = {}
        self.balances: dict[str, models.Balance] = {}
        self.positions: dict[tuple[str, str], models.AccountPosition] = {}
        self.ended: dict[str, models.AccountOrder] = {}
        self.resynced: list[str] = []
        self.missed = 0

    def apply(self, change: object) -> None:
        """Take a change; it must follow from what is known."""
        match change:
            case models.OrderChanged():
                order = change.order
                assert change.previous == self.orders.get(order.order_id)
                assert order.order_id not in self.ended, "a closed order has come back"
                if change.closed:
                    self.orders.pop(order.order_id, None)
                    if not order.is_open:
                        self.ended[order.order_id] = order
                else:
                    self.orders[order.order_id] = order
            case models.BalanceChanged():
                assert change.previous == self.balances.get(change.currency)
                self.balances[change.currency] = change.balance
            case models.PositionChanged():
                key = (change.position.symbol, change.position.side)
                assert change.previous == self.positions.get(key)
                if change.position.size:
                    self.positions[key] = change.position
                else:
                    self.positions.pop(key, None)
            case models.Resynced():
                self.resynced.append(change.reason)
            case models.ChangesMissed():
                self.missed += change.dropped
            case _:
                raise AssertionError(f"not a change: {change!r}")

    async def follow(self, view: View, pause: Callable[[], float]) -> None:
        """Read a view's changes until cancelled, at one's leisure."""
        async for change in view:
            self.apply(change)
            await trio.sleep(pause())

    def assert_equals(self, view: View) -> None:
        """The changes have told it all."""
        assert self.missed == 0
        assert self.orders == dict(view.orders)
        assert self.balances == dict(view.balances)
        assert self.positions == positions_of(view)


class Trading:
    """Orders at random, by several clients of one account."""

    def __init__(self, venue: Venue, clients: list[bm.Client], rng: random.Random) -> None:
        self._venue = venue
        self._clients = clients
        self._rng = rng
        self._count = 0
        self.done = 0
        self.refused = 0

    async def spot(self) -> None:
        """One thing on spot."""
        rng, trading = self._rng, self._rng.choice(self._clients).spot.trading
        symbol, (size, decimals) = rng.choice(list(PAIRS.items()))
        market = self._venue.exchange.spot.markets[symbol]
        price = format(round(market.last * Decimal(rng.uniform(0.97, 1.03)), decimals), "f")
        open_orders = self._venue.exchange.spot.engine.open_orders("1")
        amount = format(Decimal(size) * rng.randint(1, 30), "f")
        side = rng.choice(("buy", "sell"))
        what = rng.random()
        if what < 0.45:
            kind = rng.choice(("limit", "limit", "limit", "limit_maker", "ioc"))
            await self._try(
                lambda: trading.submit_order(
                    symbol=symbol, side=side, type=kind, size=amount, price=price, client_order_id=self._client_id()
                )
            )
        elif what < 0.55:
            if side == "buy":
                await self._try(
                    lambda: trading.submit_order(
                        symbol=symbol, side="buy", type="market", notional=str(rng.randint(10, 900))
                    )
                )
            else:
                await self._try(lambda: trading.submit_order(symbol=symbol, side="sell", type="market", size=amount))
        elif what < 0.9 and open_orders:
            victim = rng.choice(open_orders)
            await self._try(
                lambda: trading.cancel_order(symbol=victim.form.market.pair.symbol, order_id=victim.order_id)
            )
        elif what > 0.97:
            await self._try(lambda: trading.cancel_all_orders(symbol=symbol))

    async def futures(self) -> None:
        """One thing on futures."""
        rng, trading = self._rng, self._rng.choice(self._clients).futures.trading
        symbol, decimals = rng.choice(list(CONTRACTS.items()))
        listing = self._venue.exchange.futures.listings[symbol]
        price = format(round(listing.last * Decimal(rng.uniform(0.97, 1.03)), decimals), "f")
        account = self._venue.exchange.accounts.get("1")
        assert account is not None
        trader = self._venue.exchange.futures.engine.trader(account)
        side, size, what = rng.randint(1, 4), rng.randint(1, 40), rng.random()
        if what < 0.4:
            await self._try(
                lambda: trading.submit_order(
                    symbol=symbol,
                    side=side,
                    type="limit",
                    price=price,
                    size=size,
                    leverage="10",
                    open_type="cross",
                    client_order_id=self._client_id(),
                )
            )
        elif what < 0.6:
            await self._try(
                lambda: trading.submit_order(
                    symbol=symbol, side=side, type="market", size=size, leverage="10", open_type="cross"
                )
            )
        elif what < 0.68:
            await self._try(
                lambda: trading.submit_plan_order(
                    symbol=symbol,
                    side=side,
                    type="limit",
                    size=size,
                    leverage="10",
                    open_type="cross",
                    mode=1,
                    price_way=1 if rng.random() < 0.5 else 2,
                    price_type=1,
                    trigger_price=price,
                    executive_price=price,
                )
            )
        elif what < 0.76 and trader.orders:
            changed = rng.choice(list(trader.orders.values()))
            await self._try(
                lambda: trading.modify_limit_order(
                    symbol=changed.contract.symbol, order_id=changed.order_id, size=size + int(changed.deal_size)
                )
            )
        elif what < 0.93 and trader.orders:
            victim = rng.choice(list(trader.orders.values()))
            await self._try(lambda: trading.cancel_order(symbol=victim.contract.symbol, order_id=victim.order_id))
        elif what < 0.96 and trader.plans:
            plan = rng.choice(list(trader.plans.values()))
            await self._try(lambda: trading.cancel_plan_order(symbol=plan.contract.symbol, order_id=plan.order_id))
        elif what > 0.98:
            await self._try(lambda: trading.cancel_all_orders(symbol=symbol))

    async def _try(self, call: Callable[[], Awaitable[object]]) -> None:
        try:
            await call()
            self.done += 1
        except bm.BitMartError:
            self.refused += 1

    def _client_id(self) -> str | None:
        self._count += 1
        return f"c{self._count}" if self._rng.random() < 0.5 else None
