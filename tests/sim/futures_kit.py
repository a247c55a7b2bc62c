"""What the tests of the simulated futures market share: signed calls, an exchange moved by hand, recorded pushes."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from bitmart_trio.sim import Simulation
from bitmart_trio.sim.futures.orders import Trader
from bitmart_trio.sim.kernel.feed import Frame
from bitmart_trio.sim.kernel.messages import Request

Reply = tuple[int, int, Any]
"""HTTP status, code, data."""


class Venue:
    """One exchange whose market moves only when told to; account "1" has USDT and BTC, "2" too."""

    def __init__(self, seed: int = 1) -> None:
        self.simulation = Simulation(seed=seed)
        self.exchange = self.simulation.exchange
        self.bitmart = self.simulation.bitmart
        for account_id in ("2", "3"):
            self.exchange.accounts.add(
                account_id,
                key=f"key-{account_id}",
                secret="secret",
                memo="memo",
                futures={"USDT": "100000", "BTC": "10"},
            )
        first = self.exchange.accounts.get("1")
        assert first is not None
        first.futures.credit("BTC", Decimal(10))

    # ---------------------------------------------------------------- calls

    def get(self, name: str, who: str = "1", /, **params: object) -> Reply:
        """Call ``/contract/private/<name>`` (or a whole path) with a key."""
        query = urlencode({key: str(value) for key, value in params.items()})
        return self._send("GET", name, query, b"", {"x-bm-key": self._key(who)})

    def public(self, name: str, **params: object) -> Reply:
        """Call ``/contract/public/<name>``."""
        return self._send("GET", f"/contract/public/{name}", urlencode({k: str(v) for k, v in params.items()}), b"", {})

    def post(self, name: str, who: str = "1", /, **params: object) -> Reply:
        """Call ``/contract/private/<name>`` with a signature."""
        body = json.dumps(params).encode()
        stamp = str(self.exchange.now_ms())
        secret, memo = ("sim-secret", "sim-memo") if who == "1" else ("secret", "memo")
        sign = hmac.new(secret.encode(), f"{stamp}#{memo}#".encode() + body, hashlib.sha256).hexdigest()
        headers = {
            "x-bm-key": self._key(who),
            "x-bm-sign": sign,
            "x-bm-timestamp": stamp,
            "content-type": "application/json",
        }
        return self._send("POST", name, "", body, headers)

    def ok(self, reply: Reply) -> Any:
        """The data of a call that has to succeed."""
        assert reply[:2] == (200, 1000), reply
        return reply[2]

    def order(self, side: int, size: object, price: object | None = None, who: str = "1", **params: object) -> Any:
        """Place an order that has to be accepted; at market without a price. Its data."""
        params.setdefault("symbol", "BTCUSDT")
        if price is None:
            params["type"] = "market"
        else:
            params["price"] = str(price)
        return self.ok(self.post("submit-order", who, side=side, size=size, **params))

    def _key(self, who: str) -> str:
        return "sim-key" if who == "1" else f"key-{who}"

    def _send(self, method: str, name: str, query: str, body: bytes, headers: dict[str, str]) -> Reply:
        # Quotas are tested elsewhere; here every call has a window of its own.
        self.bitmart.gate.quotas._windows.clear()
        path = name if name.startswith("/") else f"/contract/private/{name}"
        answer = self.bitmart.handle(Request(method, path, query, headers, body, "127.0.0.1"))
        shown = json.loads(answer.body)
        # Some answers wear another envelope or none; what they refuse has a code all the same.
        return answer.status, shown.get("code", 1000), shown.get("data")

    # ---------------------------------------------------------------- time and prices

    def tick(self, count: int = 1, ms: int = 100) -> None:
        """Let the market live on by so many ticks."""
        for _ in range(count):
            self.exchange.clock.step(ms)
            self.exchange.flow.advance(1)
            self.exchange.futures.tick(self.exchange.clock.steady_ms())

    def move(self, price: object, coin: str = "BTC") -> None:
        """Move the underlying price at once and let the market notice."""
        self.exchange.flow.push(coin, Decimal(str(price)))
        self.exchange.clock.step(100)
        self.exchange.futures.tick(self.exchange.clock.steady_ms())

    def inside(self, symbol: str = "BTCUSDT") -> Decimal:
        """A price between the synthetic quotes, one tick above the best bid."""
        listing = self.exchange.futures.listings[symbol]
        bid, ask = listing.book.best("buy"), listing.book.best("sell")
        assert bid is not None
        assert ask is not None
        assert ask - bid > listing.contract.tick, "no room between the quotes; take another seed"
        return bid + listing.contract.tick

    # ---------------------------------------------------------------- pushes and money

    @contextmanager
    def heard(self, topic: str, who: str | None = None) -> Iterator[list[Any]]:
        """The frames of a topic, as JSON would show them; subscribes as a socket does."""
        market = "futures/public" if who is None else "futures/private"
        found = self.exchange.feed.find(market, topic)
        assert not isinstance(found, str), f"{topic}: {found}"
        channel, rest = found
        account = None if who is None else self.exchange.accounts.get(who)
        frames: list[Any] = []

        def deliver(frame: Frame) -> None:
            frames.append(json.loads(json.dumps(frame)))

        stop = self.exchange.feed.listen(topic, who, deliver)
        for frame in channel.first(rest, account):
            deliver(frame)
        try:
            yield frames
        finally:
            stop()

    def trader(self, who: str = "1") -> Trader:
        """The futures side of an account."""
        account = self.exchange.accounts.get(who)
        assert account is not None
        return self.exchange.futures.engine.trader(account)

    def asset(self, currency: str = "USDT", who: str = "1") -> dict[str, Decimal]:
        """One row of assets-detail, as numbers."""
        rows = self.ok(self.get("assets-detail", who))
        row = next(row for row in rows if row["currency"] == currency)
        return {key: Decimal(value) for key, value in row.items() if key != "currency"}

    def money(self, currency: str) -> Decimal:
        """All users' futures money and the house's together."""
        engine = self.exchange.futures.engine
        users = sum((engine.ledger.total(engine.trader(a), currency) for a in self.exchange.accounts.all()), Decimal(0))
        return users + sum((amount for (c, _), amount in engine.ledger.house.items() if c == currency), Decimal(0))
