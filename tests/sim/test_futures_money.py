"""Money is neither made nor lost: random sequences of everything, checked to the last digit after every step."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

import pytest
from futures_kit import Venue

CURRENCIES = ("USDT", "BTC")
SYMBOLS = ("BTCUSDT", "ETHUSDT", "BTCUSD")


def check(venue: Venue, before: dict[str, Decimal], started: dict[tuple[str, str], Decimal]) -> None:
    engine = venue.exchange.futures.engine
    for currency in CURRENCIES:
        assert venue.money(currency) == before[currency]
        for who in ("1", "2", "3"):
            trader = venue.trader(who)
            booked = sum((t.amount for t in trader.transactions if t.currency == currency), Decimal(0))
            assert engine.ledger.total(trader, currency) == started[who, currency] + booked
            wallet = trader.account.futures
            assert wallet.available(currency) >= 0
            held = sum((o.held for o in trader.orders.values() if o.contract.settle == currency), Decimal(0))
            assert wallet.frozen(currency) == held
    for trader in engine.traders.values():
        for order in trader.orders.values():
            resting = engine.listings[order.contract.symbol].book.get(order.order_id)
            assert resting is not None
            assert resting.left == order.left > 0
        for position in trader.positions.values():
            assert position.size >= 0
            assert position.margin >= 0
            assert trader.frozen_size(position) <= position.size
            if not position.size:
                assert position.cost == position.margin == 0
    for listing in engine.listings.values():
        bid, ask = listing.book.best("buy"), listing.book.best("sell")
        assert bid is None or ask is None or bid < ask
        held_by_users = sum(
            (p.size for t in engine.traders.values() for p in t.positions.values() if p.contract is listing.contract),
            Decimal(0),
        )
        assert listing.user_interest == held_by_users


@pytest.mark.parametrize("seed", range(8))
def test_conservation(seed: int) -> None:
    """Whatever three accounts do, users and house together keep what they had, and every ledger explains its wallet."""
    dice = random.Random(seed)
    venue = Venue(seed)
    for who in ("1", "2", "3"):
        if dice.random() < 0.5:
            venue.ok(venue.post("set-position-mode", who, position_mode="one_way_mode"))
        for symbol in SYMBOLS:
            leverage = str(dice.choice((3, 20, 50, 100)))
            open_type = dice.choice(("cross", "isolated"))
            venue.ok(venue.post("submit-leverage", who, symbol=symbol, leverage=leverage, open_type=open_type))
    before = {currency: venue.money(currency) for currency in CURRENCIES}
    ledger = venue.exchange.futures.engine.ledger
    started = {(who, c): ledger.total(venue.trader(who), c) for who in ("1", "2", "3") for c in CURRENCIES}
    codes: set[int] = set()

    def act() -> None:
        who, symbol = dice.choice(("1", "2", "3")), dice.choice(SYMBOLS)
        listing = venue.exchange.futures.listings[symbol]
        tick = listing.contract.tick
        near = listing.mark + tick * dice.randint(-60, 60)
        size = dice.choice((1, 7, 50, 400, 3000, 20_000))
        side = dice.randint(1, 4)
        deeds: list[Callable[[], tuple[int, int, object]]] = [
            lambda: venue.post("submit-order", who, symbol=symbol, side=side, size=size, type="market"),
            lambda: venue.post(
                "submit-order",
                who,
                symbol=symbol,
                side=side,
                size=size,
                price=str(near),
                mode=dice.choice((1, 1, 1, 2, 3, 4)),
                stp_mode=dice.randint(1, 3),
            ),
            lambda: venue.post("cancel-order", who, symbol=symbol),
            lambda: venue.post("close-all-position", who, contractType=dice.choice((1, 2))),
            lambda: venue.post(
                "submit-plan-order",
                who,
                symbol=symbol,
                side=side,
                size=size,
                type="market",
                trigger_price=str(near),
                price_way=dice.choice((1, 2)),
                price_type=dice.choice((1, 2)),
                leverage=str(venue.trader(who).setting(symbol).leverage),
                open_type=venue.trader(who).setting(symbol).open_type,
            ),
        ]
        live = venue.trader(who).live(symbol)
        if live:
            chosen = dice.choice(live)
            deeds.append(
                lambda: venue.post(
                    "modify-limit-order", who, symbol=symbol, order_id=int(chosen.order_id), price=str(near), size=size
                )
            )
        status, code, _ = dice.choices(deeds, [5, 8, 0.3, 0.4, 1, 3][: len(deeds)])[0]()
        assert status != 500
        codes.add(code)

    for step in range(350):
        act()
        check(venue, before, started)
        if step % 5 == 0:
            venue.tick(dice.randint(1, 3))
            check(venue, before, started)
        if step % 50 == 49:
            coin = dice.choice(("BTC", "ETH"))
            factor = Decimal(dice.choice((88, 95, 99, 101, 105, 112))) / 100
            venue.move(venue.exchange.flow.price(coin) * factor, coin)
            check(venue, before, started)
        if step == 200:
            venue.tick(ms=8 * 3_600_000)
            check(venue, before, started)
    assert 1000 in codes


def test_the_house_explains_the_users() -> None:
    """What users have paid in fees is what the house has taken in fees."""
    venue = Venue()
    venue.order(1, 100)
    venue.order(3, 100)
    house = venue.exchange.futures.engine.ledger.house
    fees = sum(Decimal(fill["paid_fees"]) for fill in venue.ok(venue.get("trades")))
    assert house["USDT", "fee"] == fees
    profits = sum(Decimal(fill["realised_profit"]) for fill in venue.ok(venue.get("trades")))
    assert house["USDT", "pnl"] == -profits
