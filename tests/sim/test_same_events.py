"""A seed gives the same event log, the same answers and the same pushes as ever, byte for byte.

What an exchange does may be rearranged freely as long as the digests in ``event_digests.txt`` stay as they are. Where
behaviour is changed on purpose, make them anew: ``python tests/sim/test_same_events.py``.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from chapters_kit import DESK1, MAIN, House
from test_chapters_money import Player

from bitmart_trio.sim.bitmart.direct import Answer
from bitmart_trio.sim.kernel.feed import Frame

DIGESTS: Final = Path(__file__).with_name("event_digests.txt")
SEEDS: Final = 20
ACTS: Final = 150
RESTS: Final = ("", "BTC_USDT", "BTCUSDT", "BTCUSD", "USDT", "ALL_SYMBOLS", "ETHUSDT@100ms", "BTC_USDT:1")
"""What may come behind the colon of a topic."""


class Bot(Player):
    """Presses every button of all chapters, those of futures more often, and reads whatever can be read."""

    def __init__(self, house: House, dice: random.Random) -> None:
        super().__init__(house, dice)
        self.deeds += [self.futures_limit, self.plan, self.trail, self.guard, self.close, self.gear, self.many] * 2

    def contract(self) -> str:
        return self.dice.choice(("BTCUSDT", "ETHUSDT", "BTCUSD"))

    def price_of(self, symbol: str) -> str:
        listing = self.house.exchange.futures.listings[symbol]
        return format(listing.contract.on_grid(listing.last * self.dice.randint(985, 1015) / 1000), "f")

    def futures_limit(self) -> Any:
        symbol = self.contract()
        form = {"symbol": symbol, "side": self.dice.randint(1, 4), "type": "limit", "price": self.price_of(symbol)}
        mode = self.dice.randint(1, 4)
        return self.house.post("/contract/private/submit-order", **form, size=self.dice.randint(1, 500), mode=mode)

    def plan(self) -> Any:
        symbol = self.contract()
        form = {"symbol": symbol, "side": self.dice.randint(1, 4), "type": self.dice.choice(("limit", "market"))}
        form |= {"size": 3, "trigger_price": self.price_of(symbol), "executive_price": self.price_of(symbol)}
        form |= {"leverage": "10", "open_type": "cross", "mode": 1, "price_way": self.dice.randint(1, 2)}
        return self.house.post("/contract/private/submit-plan-order", **form, price_type=self.dice.randint(1, 2))

    def trail(self) -> Any:
        symbol = self.contract()
        form = {"symbol": symbol, "side": self.dice.randint(1, 4), "size": 4, "activation_price": self.price_of(symbol)}
        form |= {"leverage": "10", "open_type": "cross", "callback_rate": "1", "activation_price_type": 1}
        return self.house.post("/contract/private/submit-trail-order", **form)

    def guard(self) -> Any:
        symbol, kind = self.contract(), self.dice.choice(("take_profit", "stop_loss"))
        form = {"symbol": symbol, "side": self.dice.choice((2, 3)), "type": kind, "size": 2, "category": "market"}
        form |= {"trigger_price": self.price_of(symbol), "price_type": 1, "plan_category": self.dice.randint(1, 2)}
        return self.house.post("/contract/private/submit-tp-sl-order", **form)

    def close(self) -> Any:
        path = self.dice.choice(("close-all-position", "cancel-orders", "cancel-all-after"))
        form: dict[str, Any] = {"symbol": self.contract(), "contractType": 1}
        return self.house.post(f"/contract/private/{path}", **form, timeout=self.dice.choice((0, 5)))

    def gear(self) -> Any:
        form = {"symbol": self.contract(), "leverage": self.dice.choice(("5", "10", "20"))}
        return self.house.post("/contract/private/submit-leverage", self.who(), **form, open_type="isolated")

    def many(self) -> Any:
        orders = [{**self.order(), "symbol": "BTC_USDT", "clientOrderId": f"c{self.dice.randrange(99)}"} for _ in "ab"]
        return self.house.post("/spot/v4/batch_orders", symbol="BTC_USDT", orderParams=orders)

    def read_everything(self) -> list[Answer]:
        """Every path that changes nothing, as two accounts, by two sets of parameters."""
        house, exchange = self.house, self.house.exchange
        now_s, both = exchange.now_ms() // 1000, {"currency": "BTC", "limit": 20, "N": 50, "page": 1, "size": 20}
        spot: dict[str, Any] = {
            **both,
            "symbol": "BTC_USDT",
            "step": 60,
            "operation_type": "withdraw",
            "type": "interest",
        }
        spot |= {"moveType": "spot to spot", "subAccount": "desk1@example.com", "currentPage": 1, "sizePage": 50}
        futures: dict[str, Any] = {**both, "symbol": "BTCUSDT", "step": 60, "currency": "USDT", "type": "limit"}
        futures |= {"start_time": now_s - 86_400, "end_time": now_s, "rebate_type": 1, "user_id": "1", "userId": "1"}
        orders = list(exchange.spot.engine.of_account(house.account().account_id))
        trader = exchange.futures.engine.trader(house.account())
        known: list[Any] = [*trader.finished, *trader.orders.values(), *trader.plans.values()]
        more = [
            (spot, futures | {"cid": "1"}),
            (
                {
                    **{name: value for name, value in spot.items() if name not in ("symbol", "currency")},
                    "orderMode": "spot",
                    "orderId": orders[-1].order_id if orders else "1",
                    "clientOrderId": "c1",
                    "id": "1",
                    "type": "subscribe",
                    "productId": "1002",
                    "operation_type": "deposit",
                },
                {"symbol": "BTCUSDT", "order_id": known[-1].order_id if known else "1", "type": "trailing", "page": 1},
            ),
        ]
        answers: list[Answer] = []
        for method, path in sorted(self.routes()):
            for forms in more:
                params = forms[path.startswith(("/contract/", "/account/contract/"))]
                call = house.get if method == "GET" else house.post
                answers += [call(path, who, **params) for who in (MAIN, DESK1)]
        return answers

    def routes(self) -> list[tuple[str, str]]:
        table = self.house.bitmart.routes.table
        return [key for key, route in table.items() if not route.writes]


def digest(*parts: bytes) -> str:
    """Sixteen characters that stand for some bytes."""
    return hashlib.sha256(b"\n".join(parts)).hexdigest()[:16]


def as_json(value: object) -> bytes:
    return json.dumps(value, default=str).encode()


def run(seed: int) -> str:
    """Digests of the event log, of all answers and of all pushes of one busy exchange."""
    house = House(seed)
    exchange = house.exchange
    frames: list[bytes] = []
    account = house.account()

    def hear(frame: Frame) -> None:
        frames.append(as_json(frame))

    for name, channel in exchange.feed.channels.items():
        for rest in RESTS:
            if channel.takes(rest):
                topic, private = f"{name}:{rest}" if rest else name, channel.socket.endswith("private")
                whose = account if private else None
                exchange.feed.listen(topic, None if whose is None else whose.account_id, hear)
                frames += [as_json(frame) for frame in channel.first(rest, whose)]
    bot = Bot(house, random.Random(seed))
    answers: list[bytes] = []
    post, get = house.post, house.get

    def kept(answer: Answer) -> Answer:
        answers.append(as_json([answer.status, dict(answer.headers), answer.body]))
        return answer

    house.post = lambda *args, **members: kept(post(*args, **members))  # type: ignore[method-assign]
    house.get = lambda *args, **params: kept(get(*args, **params))  # type: ignore[method-assign]
    for _ in range(ACTS):
        bot.act()
    house.tick(40)
    for name, channel in exchange.feed.channels.items():
        if channel.asked is not None and channel.takes("BTCUSDT" if name.startswith("futures") else "BTC_USDT"):
            frames += [as_json(frame) for frame in channel.asked("BTCUSDT" if "futures" in name else "BTC_USDT", None)]
    bot.read_everything()
    assert len(frames) > 1_000, "too few pushes to prove anything"
    assert len(exchange.log.lines) > 400, "too few events to prove anything"
    return " ".join((str(seed), digest(exchange.log.dump()), digest(*answers), digest(*frames)))


@pytest.mark.parametrize("line", DIGESTS.read_text(encoding="ascii").splitlines() if DIGESTS.exists() else ())
def test_a_seed_gives_the_same_events_as_ever(line: str) -> None:
    """Log, answers and pushes, with bots at work in every chapter of both markets."""
    assert run(int(line.split(maxsplit=1)[0])) == line


def test_there_are_twenty_seeds_that_differ() -> None:
    """No digest stands for two of them."""
    rows = [line.split() for line in DIGESTS.read_text(encoding="ascii").splitlines()]
    assert len({row[0] for row in rows}) == SEEDS
    for column in (1, 2, 3):
        assert len({row[column] for row in rows}) == SEEDS


if __name__ == "__main__":
    DIGESTS.write_text("".join(f"{run(seed)}\n" for seed in range(SEEDS)), encoding="ascii")
    sys.stdout.write(f"{DIGESTS}\n")
