"""No combination of the stock models makes or loses money."""

from __future__ import annotations

import random
from itertools import product
from typing import Any, Final

import pytest
from chapters_kit import House
from proof_sizes import MODEL_MIXES
from test_chapters_money import Player, check_wallets

from bitmart_trio.sim.models import (
    Models,
    parse_fees,
    parse_fills,
    parse_funding,
    parse_latency,
    parse_margin,
)

MIXES: Final = list(
    product(
        ("recorded", "zero", "tiered", "bought"),
        ("first", "queue", "chance:0.5"),
        ("none", "fixed:50ms", "jitter:20ms-800ms"),
        ("reverting", "none", "constant:-0.03"),
        ("tiers", "flat:0", "flat:0.05"),
    )
)
"""Every stock model with every other, by the words of the command line."""
CHOSEN: Final = random.Random(19).sample(MIXES, min(MODEL_MIXES, len(MIXES)))
ACTS: Final = 120


class Trader(Player):
    """Presses every button, and trades more: orders that are changed and cancelled while they are on their way."""

    def __init__(self, house: House, dice: random.Random) -> None:
        super().__init__(house, dice)
        self.deeds += [
            self.spot_order,
            self.contract,
            self.contract,
            self.cancel,
            self.change,
            self.close,
            self.wait,
        ] * 2

    def contract(self) -> Any:
        symbol = self.dice.choice(("BTCUSDT", "ETHUSDT", "BTCUSD"))
        listing = self.house.exchange.futures.listings[symbol]
        price = listing.contract.on_grid(listing.last * self.dice.randint(995, 1005) / 1000)
        form = {"symbol": symbol, "side": self.dice.randint(1, 4), "type": "limit", "price": format(price, "f")}
        form |= {"size": self.dice.randint(1, 300), "mode": self.dice.randint(1, 4)}
        return self.house.post("/contract/private/submit-order", self.who(), **form, leverage="10", open_type="cross")

    def cancel(self) -> Any:
        if self.dice.randrange(2):
            return self.house.post("/contract/private/cancel-orders", self.who(), symbol="BTCUSDT")
        return self.house.post("/spot/v4/cancel_all", self.who())

    def change(self) -> Any:
        who = self.who()
        orders = list(self.house.exchange.futures.engine.trader(self.house.account(who)).orders.values())
        if not orders:
            return None
        order = self.dice.choice(orders)
        form = {"symbol": order.contract.symbol, "order_id": order.order_id, "size": self.dice.randint(1, 600)}
        return self.house.post("/contract/private/modify-limit-order", who, **form)

    def close(self) -> Any:
        kind = self.dice.choice((1, 2))
        return self.house.post("/contract/private/close-all-position", self.who(), contractType=kind)

    def wait(self) -> Any:
        self.house.exchange.step(self.dice.randint(1, 400))


@pytest.mark.proof
@pytest.mark.parametrize("mix", CHOSEN, ids="/".join)
def test_money_is_conserved_under_every_model(mix: tuple[str, str, str, str, str]) -> None:
    """The sum over all wallets and ledgers stays the same, and in the end nothing is held but for open orders."""
    fees, fills, latency, funding, margin = mix
    models = Models(
        fees=parse_fees(fees),
        fills=parse_fills(fills),
        latency=parse_latency(latency),
        funding=parse_funding(funding),
        margin=parse_margin(margin),
    )
    house = House(7, models)
    player = Trader(house, random.Random(str(mix)))
    before, succeeded = house.money(), 0
    for _ in range(ACTS):
        deed, code = player.act()
        succeeded += code == 1000
        assert house.money() == before, (deed, mix)
        check_wallets(house)
    assert succeeded > ACTS // 4, "with nearly all refused nothing is proven"
    exchange = house.exchange
    exchange.step(2000)  # all that was on its way has arrived
    for account in exchange.accounts.all():
        for spot_order in exchange.spot.engine.open_orders(account.account_id):
            exchange.spot.engine.cancel(spot_order)
        trader = exchange.futures.engine.trader(account)
        for order in list(trader.orders.values()):
            exchange.futures.engine.cancel(order)
    assert house.money() == before
    for account in exchange.accounts.all():
        for wallet in (account.spot, account.futures):
            assert [row for row in wallet.rows() if row[2]] == [], mix
