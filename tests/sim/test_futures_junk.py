"""Whatever is sent to the futures endpoints, the answer is a documented one: never an internal error."""

from __future__ import annotations

import random

import pytest
from futures_kit import Venue

NAMES = [
    *("symbol", "side", "size", "type", "price", "mode", "leverage", "open_type", "client_order_id", "stp_mode"),
    *("preset_take_profit_price", "order_id", "timeout", "trigger_price", "executive_price", "price_way", "price_type"),
    *("plan_category", "category", "activation_price", "callback_rate", "activation_price_type", "limit", "step"),
    *("position_mode", "contractType", "position_side", "start_time", "end_time", "flow_type", "page_size", "account"),
    *("order_state", "plan_type"),
]
JUNK: tuple[object, ...] = (
    "BTCUSDT",
    "BTCUSD",
    "limit",
    "market",
    "take_profit",
    "cross",
    "long",
    1,
    2,
    3,
    10,
    60,
    "60000",
    "61000.1",
    0,
    -1,
    "",
    None,
    True,
    1.5,
    "1e40",
    "1e-40",
    "NaN",
    "Infinity",
    "9" * 60,
    "\u0663",
    [],
    {},
    ["a"],
    10**30,
    "isolated",
    "x" * 500,
)


@pytest.mark.parametrize("seed", range(4))
def test_junk_is_refused_politely(seed: int) -> None:
    """Random values for random parameters of every route: status 200, 400 or 403, and the market lives on."""
    dice = random.Random(seed)
    venue = Venue(seed)
    gift = "/contract/private/claim"  # hands out money from outside the futures wallets that are counted here
    routes = [
        key for key in venue.simulation.bitmart.routes.table if key[1].startswith("/contract/") and key[1] != gift
    ]
    before = {currency: venue.money(currency) for currency in ("USDT", "BTC")}
    codes: set[int] = set()
    for step in range(1500):
        method, path = dice.choice(routes)
        params = {name: dice.choice(JUNK) for name in dice.sample(NAMES, dice.randint(0, len(NAMES)))}
        if dice.random() < 0.8:
            params["symbol"] = dice.choice(("BTCUSDT", "ETHUSDT", "BTCUSD"))
        status, code, _ = venue.post(path, **params) if method == "POST" else venue.get(path, **params)
        assert status in (200, 400, 403), (method, path, params)
        codes.add(code)
        if step % 100 == 0:
            venue.tick(2)
    assert len(codes) > 8
    assert {currency: venue.money(currency) for currency in before} == before
