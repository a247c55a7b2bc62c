"""Every fault of records, on every history of an account: each of them is there to be met."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

import pytest
from history_kit import DAY, Past, write_past

from bitmart_trio.sim import Simulation
from bitmart_trio.sim.bitmart.direct import Answer, Direct
from bitmart_trio.sim.exchange import START_MS
from bitmart_trio.sim.faults import FAULTS, Fault, Faults
from bitmart_trio.sim.faults.answers import AtAnswer, Spoiler
from bitmart_trio.sim.faults.rows import PAGES, SIZES, STARTS, first_of, own_id, own_time, records_of, rows_of

SINCE: Final = START_MS - 60 * DAY
SPOT: Final = {"startTime": SINCE, "endTime": START_MS}
SECONDS: Final = {"start_time": SINCE // 1000 + 1, "end_time": START_MS // 1000}
HISTORIES: Final[list[tuple[str, str, dict[str, str | int]]]] = [
    ("POST", "/spot/v4/query/history-orders", {**SPOT}),
    ("POST", "/spot/v4/query/trades", {**SPOT}),
    ("POST", "/spot/v4/query/algo/history-orders", {**SPOT}),
    ("GET", "/account/v2/deposit-withdraw/history", {"operation_type": "deposit", "N": 1000, **SPOT}),
    ("GET", "/account/v2/deposit-withdraw/history", {"operation_type": "withdraw", "N": 1000, **SPOT}),
    ("GET", "/spot/v1/margin/isolated/borrow_record", {"symbol": "BTC_USDT", "start_time": SINCE, "N": 100}),
    ("GET", "/spot/v1/margin/isolated/repay_record", {"symbol": "BTC_USDT", "start_time": SINCE, "N": 100}),
    ("GET", "/newearn/cloud/v1/saving/record", {"type": "subscribe", "currentPage": 1, "sizePage": 100}),
    ("GET", "/newearn/cloud/v1/saving/fixed/record", {"type": "subscribe", "currentPage": 1, "sizePage": 100}),
    ("GET", "/account/sub-account/main/v1/transfer-list", {"moveType": "spot to spot", "N": 100}),
    ("GET", "/contract/private/order-history", {"symbol": "BTCUSDT", **SECONDS}),
    ("GET", "/contract/private/trades", {"symbol": "BTCUSDT", **SECONDS}),
    ("GET", "/contract/private/transaction-history", {"page_size": 1000, "start_time": SINCE}),
    ("POST", "/account/v1/transfer-contract-list", {"page": 1, "limit": 100}),
    ("GET", "/account/contract/sub-account/main/v1/transfer-list", {"subAccount": "desk1@example.com", "limit": 100}),
]
EXAMPLES: Final[dict[str, dict[str, object]]] = {
    "OddRecord": {"every": 2},
    "RoundedBounds": {"unit_ms": 45 * DAY, "inwards": True},
    "SmallerCap": {"n": 2},
    "Cap": {"n": 2},
    "Retention": {"days": 3},
    "LateRecord": {"seconds": 40 * 86_400},
}
NOT_OF_RECORDS: Final = {"Lag", "StaleFields", "BlankClientIds", "ClockGlitch", "BurntIds"}
"""They concern orders, and some histories besides: tests/sim/test_faults_eventual.py."""


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    made = Simulation(seed=7)
    write_past(made.exchange, Past(days=50))
    return made


class Spoiled(Direct):
    """A caller behind faults."""

    def __init__(self, simulation: Simulation, *faults: Fault) -> None:
        spoiling = Faults()
        super().__init__(simulation.bitmart, between=Spoiler(spoiling).answer)
        self._quotas = simulation.bitmart.gate.quotas
        self._spoiling = spoiling
        spoiling.bind(simulation.exchange.clock, simulation.exchange.random("faults"), salt="7")
        for fault in faults:
            spoiling.add(fault)

    def ask(self, method: str, path: str, params: dict[str, str | int]) -> Answer:
        self._quotas._windows.clear()
        return self.get(path, **params) if method == "GET" else self.post(path, **params)

    @property
    def hits(self) -> int:
        return sum(self._spoiling.hits.values())


@pytest.mark.parametrize(("method", "path", "params"), HISTORIES, ids=[each[1] for each in HISTORIES])
def test_every_fault_of_records_meets_every_history(
    method: str, path: str, params: dict[str, str | int], simulation: Simulation
) -> None:
    """Each changes what is shown, in the same way for the same seed; pages shift only where there are pages."""
    plain = Spoiled(simulation).ask(method, path, params)
    rows = rows_of(plain.data)
    assert rows is not None
    assert len(records_of(plain.data)) == len(rows) > 3
    assert all(own_time(row) is not None for row in rows)
    for name, kind in FAULTS.items():
        if not issubclass(kind, AtAnswer) or name in NOT_OF_RECORDS:
            continue
        asked = dict(params)
        if name == "ShiftingPages":
            if not first_of(params, PAGES):
                continue
            asked |= {next(each for each in PAGES if each in params): 2}
            asked |= {next(each for each in SIZES if each in params): 10}
        if name == "RoundedBounds" and not first_of(params, STARTS):
            continue
        if name in ("SharedIds", "BlankIds") and own_id(records_of(plain.data)[0]) is None:
            continue
        fault = cast("Callable[..., Fault]", kind)(path, **EXAMPLES.get(name, {}))
        spoiled, again = Spoiled(simulation, fault), Spoiled(simulation, fault)
        answer = spoiled.ask(method, path, asked)
        assert spoiled.hits == 1, name
        assert answer.data != plain.data, name
        assert again.ask(method, path, asked).data == answer.data, name
