"""What the tests of the simulator's account chapters share: callers, the sum of all money, and the shape of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from bitmart_trio.sim import Exchange, Simulation
from bitmart_trio.sim.bitmart.direct import Answer, Direct
from bitmart_trio.sim.kernel.accounts import Account, Wallet
from bitmart_trio.sim.kernel.feed import Frame
from bitmart_trio.sim.kernel.messages import Request
from bitmart_trio.sim.models import RECORDED, Models

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MAIN, DESK1, DESK2, OTHER = "main", "desk1", "desk2", "other"
CURRENCIES = ("USDT", "BTC", "ETH", "BMX")


class House:
    """An exchange with its default family (main, desk1, desk2) and one account of somebody else (other)."""

    def __init__(self, seed: int = 5, models: Models = RECORDED) -> None:
        self.simulation = Simulation(seed=seed, models=models)
        self.exchange = self.simulation.exchange
        self.bitmart = self.simulation.bitmart
        self.exchange.accounts.add(
            "7",
            key="other-key",
            secret="other-secret",
            memo="other-memo",
            permissions={"read", "spot_trade", "futures_trade"},
            name="other@example.com",
        )
        self._keys = {
            MAIN: ("sim-key", "sim-secret", "sim-memo"),
            DESK1: ("sim-sub-key", "sim-sub-secret", "sim-sub-memo"),
            DESK2: ("sim-sub2-key", "sim-sub2-secret", "sim-sub2-memo"),
            OTHER: ("other-key", "other-secret", "other-memo"),
        }
        self._callers = {who: Direct(self.bitmart, *keys) for who, keys in self._keys.items()}
        self._number = 10**19

    # -- calls -------------------------------------------------------------------------------------

    def get(self, path: str, who: str = MAIN, /, **params: Any) -> Answer:
        """A GET with a key; a trailing underscore of a name is dropped."""
        self.bitmart.gate.quotas._windows.clear()
        query = urlencode({name.rstrip("_"): str(value) for name, value in params.items()})
        headers = {"x-bm-key": self._keys[who][0]}
        return self._callers[who].send(Request("GET", path, query, headers, b"", "127.0.0.1"))

    def post(self, path: str, who: str = MAIN, /, **members: Any) -> Answer:
        """A signed POST."""
        self.bitmart.gate.quotas._windows.clear()
        return self._callers[who].post(path, **members)

    def ok(self, answer: Answer) -> Any:
        """The payload of an answer that has to be a success."""
        assert answer.status == 200, answer.body
        assert str(answer.body.get("code", "1000")) == "1000", answer.body
        return answer.data

    def number(self) -> str:
        """A fresh request number of 20 digits."""
        self._number += 1
        return str(self._number)

    # -- the inside --------------------------------------------------------------------------------

    def account(self, who: str = MAIN) -> Account:
        """The account behind a caller."""
        found = self.exchange.accounts.by_key(self._keys[who][0])
        assert found is not None
        return found[0]

    @property
    def last(self) -> Decimal:
        """The last price of BTC_USDT."""
        return self.exchange.spot.markets["BTC_USDT"].last

    def tick(self, count: int = 1, ms: int = 100) -> None:
        """Let the market live on."""
        for _ in range(count):
            self.exchange.clock.step(ms)
            self.exchange.tick()

    def move(self, price: Decimal, coin: str = "BTC") -> None:
        """Push the price of a coin and let the market follow."""
        self.exchange.flow.push(coin, price)
        self.tick()

    def money(self) -> dict[str, Decimal]:
        """All there is of each currency, wherever it lies."""
        return money_of(self.exchange)

    @contextmanager
    def heard(self, topic: str, who: str = MAIN) -> Iterator[list[Any]]:
        """The frames of a private topic, as JSON would show them."""
        frames: list[Any] = []

        def deliver(frame: Frame) -> None:
            frames.append(json.loads(json.dumps(frame)))

        stop = self.exchange.feed.listen(topic, self.account(who).account_id, deliver)
        try:
            yield frames
        finally:
            stop()


def money_of(exchange: Exchange) -> dict[str, Decimal]:
    """All there is of each currency, wherever it lies."""
    wallets: list[Wallet] = [*exchange.accounts.own]
    for account in exchange.accounts.all():
        wallets += [account.spot, account.fund]
    wallets += [held.wallet for held in exchange.spot.margin.accounts.values()]
    engine = exchange.futures.engine
    sums = {currency: sum((wallet.total(currency) for wallet in wallets), Decimal(0)) for currency in CURRENCIES}
    for currency in sums:
        for account in exchange.accounts.all():
            sums[currency] += engine.ledger.total(engine.trader(account), currency)
        sums[currency] += sum(
            (amount for (settled, _), amount in engine.ledger.house.items() if settled == currency), Decimal(0)
        )
    return sums


def differences(example: Any, seen: Any, where: str = "$") -> list[str]:
    """Where a piece of JSON has other keys or types than an example; null may stand for anything."""
    if example is None or seen is None:
        return []
    if isinstance(example, dict):
        if not isinstance(seen, dict):
            return [f"{where}: no object"]
        if any(key[:2] == "20" for key in example):  # keyed by day
            return differences(next(iter(example.values())), next(iter(seen.values())), where + ".*")
        found = [f"{where}: {sorted(example.keys() ^ seen.keys())}"] if example.keys() != seen.keys() else []
        return found + [
            line
            for key in example.keys() & seen.keys()
            for line in differences(example[key], seen[key], f"{where}.{key}")
        ]
    if isinstance(example, list):
        if not isinstance(seen, list):
            return [f"{where}: no array"]
        if not example:
            return []
        if not seen:
            return [f"{where}: empty"]
        return [line for row in seen for line in differences(example[0], row, where + "[]")]
    if _kind(example) != _kind(seen):
        return [f"{where}: {_kind(seen)} in place of {_kind(example)}"]
    return []


def _kind(value: object) -> str:
    return (
        "number" if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else type(value).__name__
    )
