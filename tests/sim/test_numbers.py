"""The simulator's own number guard takes and refuses what the client's does; nothing reaches an engine past it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from chapters_kit import House
from every_case import every_case
from number_cases import BAD, GOOD, label

from bitmart_trio.sim import Simulation
from bitmart_trio.sim.bitmart.direct import Direct
from bitmart_trio.sim.bitmart.gate import signature
from bitmart_trio.sim.faults import FaultError, parse_fault
from bitmart_trio.sim.kernel.accounts import Wallet
from bitmart_trio.sim.kernel.calls import Call, Refusal
from bitmart_trio.sim.kernel.messages import Request
from bitmart_trio.sim.kernel.numbers import NumberError, read_decimal, read_integer
from bitmart_trio.sim.kernel.symbols import exact

JSON_NUMBERS = [text for text in BAD if text[:1] in "-0123456789" and text.isascii() and "_" not in text]


@pytest.mark.parametrize("text", GOOD, ids=label)
def test_good_numbers_are_exact(text: str) -> None:
    """To the last digit."""
    assert read_decimal(text) == Decimal(text)
    assert Call({"size": text}, None, 0).decimal("size") == Decimal(text)


@every_case("text", BAD, ids=label)
def test_bad_numbers_are_refused_at_every_door(text: str) -> None:
    """Of a request, of an account, of a symbol, of a fault."""
    with pytest.raises(NumberError):
        read_decimal(text)
    with pytest.raises(NumberError):
        read_integer(text)
    if text:
        call = Call({"size": text}, None, 0)
        with pytest.raises(Refusal):
            call.decimal("size")
        with pytest.raises(Refusal):
            call.integer("size", 1)
    with pytest.raises(NumberError):
        Wallet({"USDT": text})
    with pytest.raises(ValueError, match="price is no number"):
        exact(text, "price")
    with pytest.raises(FaultError):
        parse_fault(json.dumps({"fault": "Delay", "seconds": text}))


@pytest.mark.parametrize(
    ("value", "error"),
    [(10**400, NumberError), (-(10**400), NumberError), (Decimal("NaN"), NumberError), (Decimal("1e400"), NumberError)],
)
def test_numbers_of_callers_are_bounded_too(value: Any, error: type[Exception]) -> None:
    """Not their text alone."""
    with pytest.raises(error):
        read_decimal(value)


@pytest.mark.parametrize("text", ["\u0661", "1_0", "1e30000000", "NaN", "9" * 401, " 1"], ids=label)
def test_an_order_of_an_odd_size_is_refused_and_costs_nothing(text: str) -> None:
    """Both markets answer with their own code, and the event log holds no long text."""
    simulation = Simulation(seed=1)
    direct = Direct(simulation.bitmart)
    spot = direct.post("/spot/v2/submit_order", symbol="BTC_USDT", side="buy", type="limit", size=text, price="50000")
    contract = direct.post(
        "/contract/private/submit-order", symbol="BTCUSDT", side=1, type="limit", size=text, price="50000",
        leverage="5", open_type="cross",
    )  # fmt: skip
    assert 50_000 <= int(str(spot.code)) < 60_000
    assert 40_000 <= int(str(contract.code)) < 50_000
    assert len(simulation.exchange.log.dump()) < 100_000


@pytest.mark.parametrize("text", [text for text in JSON_NUMBERS if len(text) < 6000], ids=label)
def test_a_json_number_beyond_measure_is_no_json(text: str) -> None:
    """Whatever member it is in."""
    house = House()
    simulation = house.simulation
    body = f'{{"symbol":"BTC_USDT","recvWindow":{text}}}'.encode()
    direct = Direct(simulation.bitmart)
    request = direct_request(direct, "/spot/v4/query/open-orders", body)
    assert request["code"] == 30018


def direct_request(direct: Direct, path: str, body: bytes) -> dict[str, Any]:
    """A signed POST of exactly this body."""
    stamp = "1767225600000"
    headers = {
        "content-type": "application/json",
        "x-bm-key": "sim-key",
        "x-bm-timestamp": stamp,
        "x-bm-sign": signature("sim-secret", stamp, "sim-memo", body.decode()),
    }
    return direct.send(Request("POST", path, "", headers, body, "127.0.0.1")).body
