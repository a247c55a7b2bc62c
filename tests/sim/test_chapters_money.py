"""No sequence of calls, through whatever chapters, creates or destroys money."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from chapters_kit import DAY_MS, DESK1, DESK2, HOUR_MS, MAIN, House
from proof_sizes import MONEY_WALKS

SAVING = "/newearn/cloud/v1/saving"
ISOLATED = "/spot/v1/margin/isolated"
WHO = (MAIN, MAIN, DESK1, DESK2)
COINS = ("USDT", "USDT", "BTC", "ETH", "BMX")


class Player:
    """Somebody who presses every button."""

    def __init__(self, house: House, dice: random.Random) -> None:
        self.house = house
        self.dice = dice
        self.deeds = [
            self.between_wallets,
            self.spot_and_futures,
            self.funding_and_futures,
            self.family,
            self.withdraw,
            self.deposit,
            self.margin_transfer,
            self.margin_transfer,
            self.borrow_or_repay,
            self.margin_order,
            self.margin_order,
            self.gear_up,
            self.spot_order,
            self.algo_order,
            self.futures_order,
            self.save,
            self.redeem,
            self.switch,
            self.claim,
            self.time,
            self.time,
            self.price,
        ]

    def act(self) -> tuple[str, int]:
        """Do something: what it was, and the code it was answered with."""
        deed = self.dice.choice(self.deeds)
        answer: Any = deed()
        if answer is None:
            return deed.__name__, 1000
        assert answer.status != 500, (deed.__name__, answer.body)
        return deed.__name__, int(answer.body["code"])

    def who(self) -> str:
        return self.dice.choice(WHO)

    def amount(self, coin: str) -> str:
        most = {"USDT": 30_000, "BTC": 3, "ETH": 40, "BMX": 6_000}[coin]
        share = Decimal(self.dice.randint(1, 10**6)) / 10**6
        return format((most * share).quantize(Decimal("1E-8")), "f")

    def money(self) -> dict[str, Any]:
        coin = self.dice.choice(COINS)
        return {"currency": coin, "amount": self.amount(coin)}

    def between_wallets(self) -> Any:
        kind = self.dice.choice(("spot_to_fund", "fund_to_spot"))
        return self.house.post("/account/v1/transfer", self.who(), **self.money(), type=kind)

    def spot_and_futures(self) -> Any:
        form = {"currency": "USDT", "amount": self.amount("USDT")}
        kind = self.dice.choice(("spot_to_contract", "contract_to_spot"))
        return self.house.post("/account/v1/transfer-contract", self.who(), **form, type=kind)

    def funding_and_futures(self) -> Any:
        kind = self.dice.choice(("fund_to_contract", "contract_to_fund"))
        return self.house.post("/contract/private/account/v1/transfer", self.who(), **self.money(), type=kind)

    def family(self) -> Any:
        base = self.dice.choice(("/account/sub-account", "/account/contract/sub-account"))
        coin = "USDT" if "contract" in base else self.dice.choice(COINS)
        form = {"requestNo": str(self.dice.randrange(500)), "currency": coin, "amount": self.amount(coin)}
        names = self.dice.sample(("desk1@example.com", "desk2@example.com"), 2)
        match self.dice.randrange(4):
            case 0:
                return self.house.post(f"{base}/main/v1/main-to-sub", **form, subAccount=names[0])
            case 1:
                return self.house.post(f"{base}/main/v1/sub-to-main", **form, subAccount=names[0])
            case 2:
                return self.house.post(f"{base}/sub/v1/sub-to-main", self.dice.choice((DESK1, DESK2)), **form)
            case _:
                path = "/account/sub-account/main/v1/sub-to-sub"
                return self.house.post(path, **form, fromAccount=names[0], toAccount=names[1])

    def withdraw(self) -> Any:
        house, path = self.house, "/account/v1/withdraw/apply"
        if self.dice.randrange(2):
            return house.post(
                path, **self.money(), type=2, value=self.dice.choice(("other@", "desk1@")) + "example.com"
            )
        saved = self.dice.choice(house.exchange.treasury.funding.saved(house.account()))
        return house.post(path, **self.money(), address=saved.address, address_memo=saved.memo)

    def deposit(self) -> Any:
        house, who = self.house, self.who()
        house.post("/account/v1/set-deposit-account", who, account_type=self.dice.choice(("SPOT", "FUND", "CONTRACT")))
        coin = self.dice.choice(COINS)
        house.exchange.treasury.funding.deposit(house.account(who), coin, Decimal(self.amount(coin)))

    def pair(self) -> tuple[str, str]:
        symbol = self.dice.choice(("BTC_USDT", "ETH_USDT", "BMX_USDT"))
        return symbol, self.dice.choice(symbol.split("_"))

    def margin_transfer(self) -> Any:
        symbol, coin = self.pair()
        form = {"symbol": symbol, "currency": coin, "amount": self.amount(coin)}
        return self.house.post(f"{ISOLATED}/transfer", self.who(), **form, side=self.dice.choice(("in", "in", "out")))

    def borrow_or_repay(self) -> Any:
        symbol, coin = self.pair()
        form = {"symbol": symbol, "currency": coin, "amount": self.amount(coin)}
        return self.house.post(f"{ISOLATED}/{self.dice.choice(('borrow', 'repay'))}", self.who(), **form)

    def order(self) -> dict[str, Any]:
        symbol, _ = self.pair()
        market = self.house.exchange.spot.markets[symbol]
        side = self.dice.choice(("buy", "sell"))
        size = format(Decimal(self.amount(market.pair.base)).quantize(market.pair.lot), "f")
        price = market.last * self.dice.randint(990, 1010) / 1000
        form: dict[str, Any] = {"symbol": symbol, "side": side, "type": self.dice.choice(("limit", "market", "ioc"))}
        if form["type"] == "market" and side == "buy":
            return form | {"notional": self.amount("USDT")}
        return form | {"size": size, "price": format(price, "f")}

    def gear_up(self) -> Any:
        """Borrow all that can be had and put it into the coin, so that a fall of the price hurts."""
        who = self.who()
        market = self.house.exchange.spot.markets["BTC_USDT"]
        margin = self.house.exchange.spot.margin
        form = {"symbol": "BTC_USDT", "currency": "USDT"}
        self.house.post(f"{ISOLATED}/transfer", who, **form, amount="300", side="in")
        held = margin.account(self.house.account(who), market)
        borrowed = self.house.post(f"{ISOLATED}/borrow", who, **form, amount=str(margin.borrowable(held, "USDT")))
        # The fee comes on top of what is bought.
        free = (held.wallet.available("USDT") / Decimal("1.001")).quantize(Decimal("0.01"), "ROUND_DOWN")
        order = {"symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": str(free)}
        self.house.post("/spot/v1/margin/submit_order", who, **order)
        return borrowed

    def margin_order(self) -> Any:
        return self.house.post("/spot/v1/margin/submit_order", self.who(), **self.order())

    def spot_order(self) -> Any:
        if self.dice.randrange(8):
            return self.house.post("/spot/v2/submit_order", self.who(), **self.order())
        return self.house.post("/spot/v4/cancel_all", self.who())

    def algo_order(self) -> Any:
        form = self.order()
        last = self.house.exchange.spot.markets[form["symbol"]].last
        trigger = format(last * self.dice.randint(980, 1020) / 1000, "f")
        kind = "market" if form["type"] == "market" else "limit"
        form |= {"type": self.dice.choice(("trigger", "tp/sl")), "trigger_type": kind, "trigger_price": trigger}
        return self.house.post("/spot/v4/algo/submit_order", self.who(), **form)

    def futures_order(self) -> Any:
        form = {
            "symbol": self.dice.choice(("BTCUSDT", "ETHUSDT", "BTCUSD")),
            "side": self.dice.randint(1, 4),
            "type": "market",
            "size": self.dice.choice((1, 10, 200)),
        }
        return self.house.post("/contract/private/submit-order", self.who(), **form)

    def save(self) -> Any:
        form: dict[str, Any] = {"amount": self.amount("USDT"), "requestNo": self.house.number()}
        if self.dice.randrange(2):
            product = self.dice.choice(("1001", "1002", "1003"))
            form["amount"] = {"1001": form["amount"], "1002": self.amount("BTC"), "1003": self.amount("ETH")}[product]
            return self.house.post(f"{SAVING}/subscribe", self.who(), **form, productId=product)
        renewal = self.dice.choice(("OFF", "REINVEST_FLEXIBLE", "REINVEST_FIXED"))
        form |= {"productId": self.dice.choice(("2001", "2002")), "autoSubscribe": renewal}
        return self.house.post(f"{SAVING}/fixed/subscribe", self.who(), **form)

    def redeem(self) -> Any:
        who = self.who()
        holdings = list(self.house.exchange.spot.earn.saver(self.house.account(who)).holdings.values())
        if not holdings:
            return None
        held = self.dice.choice(holdings)
        form: dict[str, Any] = {"earnId": held.earn_id, "requestNo": self.house.number()}
        if held.product.days:
            return self.house.post(f"{SAVING}/fixed/redeem", who, **form)
        amount = held.amount if self.dice.randrange(2) else (held.amount / 2).quantize(Decimal("1E-8"))
        return self.house.post(f"{SAVING}/redeem", who, **form, amount=format(amount, "f"))

    def switch(self) -> Any:
        form = {"productId": "1002", "autoSubscribe": self.dice.choice(("open", "close"))}
        return self.house.post(f"{SAVING}/subscribe/operate", self.who(), **form)

    def claim(self) -> Any:
        return self.house.post("/contract/private/claim", self.who())

    def time(self) -> Any:
        if self.dice.randrange(4):
            self.house.tick(self.dice.randint(1, 3))
        else:
            self.house.tick(ms=self.dice.choice((HOUR_MS, 7 * HOUR_MS, DAY_MS, 5 * DAY_MS)))

    def price(self) -> Any:
        coin = self.dice.choice(("BTC", "ETH", "BMX"))
        factor = Decimal(self.dice.choice((85, 93, 98, 99, 101, 102, 107, 115))) / 100
        self.house.move(self.house.exchange.flow.price(coin) * factor, coin)


def check_wallets(house: House) -> None:
    """Nobody but the exchange owes anything, and what is frozen is what open orders hold."""
    exchange = house.exchange
    for account in exchange.accounts.all():
        orders = exchange.spot.engine.open_orders(account.account_id)
        wallets = [account.spot, account.fund, account.futures]
        margin = [
            held.wallet for held in exchange.spot.margin.accounts.values() if held.account_id == account.account_id
        ]
        for wallet in wallets + margin:
            for currency, available, frozen in wallet.rows():
                assert available >= 0
                if wallet is not account.futures:
                    spoken_for = sum(
                        (o.held for o in orders if o.wallet is wallet and o.spends == currency), Decimal(0)
                    )
                    assert frozen == spoken_for
    for debtor in exchange.spot.margin.accounts.values():
        assert all(loan.principal >= 0 and loan.interest >= 0 for loan in debtor.loans)
    earn = exchange.spot.earn
    for account in exchange.accounts.all():
        assert all(saved.amount > 0 for saved in earn.saver(account).holdings.values())


@pytest.mark.proof
@pytest.mark.parametrize("seed", [*range(MONEY_WALKS), 1051])
def test_money_is_conserved(seed: int) -> None:
    """Users, sub-accounts, loans, savings, positions, fees and the world outside always add up to the same.

    The last seed brings several liquidations of margin accounts.
    """
    house = House(seed)
    player = Player(house, random.Random(seed))
    before = house.money()
    done: dict[str, set[int]] = {}
    for _ in range(400):
        deed, code = player.act()
        done.setdefault(deed, set()).add(code)
        assert house.money() == before, deed
        check_wallets(house)
    liquidations = sum(line["kind"] == "margin_liquidated" for line in house.exchange.log.lines)
    assert seed != 1051 or liquidations > 1
    # With all that is refused the game would prove nothing; so nearly every deed has to have succeeded too.
    assert len(done) == len(set(player.deeds))
    assert sum(1000 in codes for codes in done.values()) >= len(done) - 2


@pytest.mark.parametrize("seed", range(3))
def test_the_same_calls_give_the_same_ledger(seed: int) -> None:
    """All chapters together are deterministic: the same seed and the same calls, the same wallets and event log."""
    ends = []
    for _ in range(2):
        house = House(seed)
        player = Player(house, random.Random(seed))
        for _ in range(60):
            player.act()
        ends.append((house.exchange.log.dump(), [wallet.rows() for wallet in house.exchange.accounts.own]))
    assert ends[0] == ends[1]


JUNK: tuple[Any, ...] = (
    *("BTC_USDT", "USDT", "BTC", "in", "buy", "market", "limit", "trigger", "1001", "2001", "OFF", "open", "subscribe"),
    *(0, 1, 2, 10, -1, "", None, True, 1.5, "1e40", "1e-40", "NaN", "Infinity", "9" * 60, "\u0663", [], {}, ["a"]),
    *(
        10**30,
        "x" * 500,
        "spot_to_fund",
        "fund_to_contract",
        "deposit",
        "withdraw",
        "spot to spot",
        "desk1@example.com",
    ),
)
NAMES = (
    *("symbol", "currency", "amount", "side", "type", "size", "price", "notional", "requestNo", "subAccount", "N"),
    *("fromAccount", "toAccount", "moveType", "accountName", "limit", "page", "start_time", "end_time", "startTime"),
    *("endTime", "operation_type", "id", "address", "address_memo", "value", "sourceAccount", "account_type"),
    *("productId", "earnId", "coinName", "currentPage", "sizePage", "autoSubscribe", "trigger_price", "trigger_type"),
    *("client_order_id", "order_id", "orderId", "clientOrderId", "queryState", "orderMode", "borrow_id", "repay_id"),
    *("cid", "user_id", "userId", "time_start", "time_end", "from_coin_code", "coin_code", "recvWindow"),
)


@pytest.mark.parametrize("seed", range(4))
def test_junk_is_refused_politely(seed: int) -> None:
    """Random values for random parameters of every private route: a documented answer, and no money made of it."""
    dice = random.Random(seed)
    house = House(seed)
    before = house.money()
    routes = [route for route in house.bitmart.routes.table.values() if route.auth != "none"]
    for _ in range(1500):
        route = dice.choice(routes)
        members = {name: dice.choice(JUNK) for name in dice.sample(NAMES, dice.randint(0, len(NAMES)))}
        members.pop("recvWindow" if dice.random() < 0.9 else "", None)
        who = dice.choice(WHO)
        answer = (house.post if route.method == "POST" else house.get)(route.path, who, **members)
        assert answer.status in (200, 400, 401, 403), (route.path, members, answer.body)
        if dice.random() < 0.02:
            house.tick()
    assert house.money() == before
