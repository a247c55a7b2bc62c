"""An account with a past: records of every kind, written straight into the simulated exchange's own books."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal

import attrs

from bitmart_trio.sim.exchange import START_MS, Exchange
from bitmart_trio.sim.futures.orders import DONE, Order
from bitmart_trio.sim.futures.orders import Fill as FuturesFill
from bitmart_trio.sim.futures.positions import Transaction
from bitmart_trio.sim.spot.algo import AlgoOrder
from bitmart_trio.sim.spot.earn import PRODUCTS, Entry, Event
from bitmart_trio.sim.spot.margin import Loan, Repayment
from bitmart_trio.sim.spot.orders import Fill, Form, SpotOrder
from bitmart_trio.sim.treasury import FamilyTransfer, Kind, Operation, Record, SpotTransfer

DAY = 86_400_000
SINCE = START_MS - 300 * DAY
"""When an account with the usual past was opened."""


@attrs.frozen
class Past:
    """How many records of each kind; a cluster shares one busy hour, and some of it one moment."""

    spot_orders: int = 300
    algo_orders: int = 40
    deposits: int = 30
    withdrawals: int = 20
    loans: int = 30
    repayments: int = 30
    savings: int = 120
    family: int = 20
    futures_orders: int = 260
    transactions: int = 260
    transfers: int = 130
    days: int = 300

    @property
    def since(self) -> int:
        """When the account was opened."""
        return START_MS - self.days * DAY

    def times(self, dice: random.Random, count: int) -> Iterator[int]:
        """Moments in order: half of them spread out, half in one busy hour, a few of them at once."""
        busy = self.since + self.days // 3 * DAY
        spread = [self.since + dice.randrange((self.days - 1) * DAY) for _ in range(count - count // 2)]
        burst = [busy + dice.randrange(3_600_000) for _ in range(count // 2)]
        for number in range(0, min(len(burst), 30), 2):
            burst[number] = busy + 1000 * (number // 10)
        return iter(sorted([*spread, *burst]))


def write_past(exchange: Exchange, past: Past, *, seed: int = 1, account_id: str = "1") -> dict[str, set[str]]:
    """Give an account its past; the keys of what was written, by the endpoint that tells it.

    The exchange's own ids are used, in the order of time.
    """
    dice = random.Random(seed)
    account = exchange.accounts.get(account_id)
    assert account is not None
    ledger: dict[str, set[str]] = {}

    def note(name: str, key: str) -> None:
        ledger.setdefault(name, set()).add(key)

    spot, futures = exchange.spot, exchange.futures
    pairs = list(spot.markets.values())[:3]

    def form() -> Form:
        market = dice.choice(pairs)
        price = Decimal(dice.randrange(10_000, 90_000)).scaleb(-market.pair.price_places)
        size = Decimal(dice.randrange(1, 500)).scaleb(-market.pair.size_places)
        return Form(market, dice.choice(("buy", "sell")), "limit", size, price, None, "", "none")

    orders: list[SpotOrder] = []
    for time in past.times(dice, past.spot_orders):
        what = form()
        assert what.size is not None
        assert what.price is not None
        order = SpotOrder(exchange.ids.new(), account_id, what, account.spot, "spot", time, time + 5, "filled")
        for part in range(dice.choice((1, 1, 2))):
            fee = Decimal(dice.randrange(1, 10**6)).scaleb(-8)
            trade = exchange.ids.new()
            order.fills.append(Fill(trade, what.price, what.size, fee, "USDT", "taker", time + part))
            note("spot.trading.trades", trade)
        order.filled_size, order.filled_notional = what.size, what.size * what.price
        orders.append(order)
        note("spot.trading.order_history", order.order_id)
    for order in orders:
        spot.engine.orders[order.order_id] = order
    spot.engine._by_account.setdefault(account_id, [])[:0] = orders

    for time in past.times(dice, past.algo_orders):
        waited = AlgoOrder(
            exchange.ids.new(), account, "trigger", "limit", Decimal(1), True, form(), time, time + 9, "canceled"
        )
        spot.algo._orders[waited.order_id] = waited
        note("spot.algo.order_history", waited.order_id)

    records = exchange.treasury.funding.records(account)
    for record in records:
        note("spot.account.deposit_withdraw_history", record.record_id)
    operations: tuple[tuple[int, Operation], ...] = ((past.deposits, "deposit"), (past.withdrawals, "withdraw"))
    for count, operation in operations:
        for time in past.times(dice, count):
            amount = Decimal(dice.randrange(1, 10**9)).scaleb(-8)
            tx_id = f"0x{dice.getrandbits(256):064x}"
            record = Record(exchange.ids.new(), operation, "USDT-ERC20", amount, Decimal(0), time, "0xabc", "", tx_id)
            records.append(record)
            note("spot.account.deposit_withdraw_history", record.record_id)
    records.sort(key=lambda each: each.time_ms)

    held = spot.margin.account(account, spot.markets["BTC_USDT"])
    held.opened = True
    for time in past.times(dice, past.loans):
        loan = Loan(exchange.ids.new(), "USDT", Decimal(10), time, time, Decimal(0))
        held.loans.append(loan)
        note("spot.margin.borrow_records", loan.loan_id)
    for time in past.times(dice, past.repayments):
        repayment = Repayment(exchange.ids.new(), "USDT", Decimal(1), Decimal("0.01"), time)
        held.repayments.append(repayment)
        note("spot.margin.repay_records", repayment.repay_id)

    saver = spot.earn.saver(account)
    products, events = list(PRODUCTS.values()), list[Event](("subscribe", "redeem", "interest"))
    for time in past.times(dice, past.savings):
        product = dice.choice(products)
        event = dice.choice(events)
        entry = Entry(event, exchange.ids.new(), product, Decimal("1.5"), time, "MANUAL", "")
        saver.entries.append(entry)
        note(f"spot.earn.{'fixed' if product.days else 'flexible'}_records", entry.record_id)

    other = exchange.accounts.by_name("desk1@example.com")
    assert other is not None
    for number, time in enumerate(
        sorted(START_MS - dice.randrange(min(past.days, 80) * DAY) for _ in range(past.family))
    ):
        for wallet in list[Kind](("spot", "future")):
            amount = Decimal(number + 1)
            exchange.treasury.family._transfers.append(FamilyTransfer(wallet, account, other, "USDT", amount, time))

    trader = futures.engine.trader(account)
    contracts = [listing.contract for listing in futures.listings.values()][:2]
    for time in past.times(dice, past.futures_orders):
        contract = dice.choice(contracts)
        order_id = exchange.contract_ids.new()
        price = contract.on_grid(Decimal(dice.randrange(20_000, 60_000)))
        size = Decimal(dice.randrange(1, 90))
        done = Order(
            order_id, "", trader, contract, dice.choice((1, 4)), "limit", price, size, Decimal(10), "cross", time,
            state=DONE, deal_size=size, deal_value=size, updated_ms=time + 7,
        )  # fmt: skip
        trader.finished.append(done)
        note("futures.trading.order_history", order_id)
        deal = int(exchange.contract_ids.new())
        fee = Decimal(dice.randrange(1, 10**6)).scaleb(-8)
        trader.fills.append(
            FuturesFill(
                deal,
                order_id,
                "",
                contract.symbol,
                done.side,
                price,
                size,
                False,
                Decimal(0),
                False,
                fee,
                "USDT",
                time,
            )
        )
        note("futures.trading.trades", str(deal))
    for time in past.times(dice, past.transactions):
        amount = Decimal(dice.randrange(1, 10**9)).scaleb(-8)
        entry_id = futures.engine.ledger._next_id()
        symbol = dice.choice(contracts).symbol
        trader.transactions.append(Transaction(entry_id, symbol, "funding", -amount, "USDT", time))
        note("futures.account.transaction_history", entry_id)
    moved = exchange.treasury.spot_transfers.of_account(account_id)
    for time in past.times(dice, past.transfers):
        transfer = SpotTransfer(exchange.ids.new(), "spot_to_contract", "USDT", Decimal(5), time)
        moved.append(transfer)
        note("futures.account.transfers", transfer.transfer_id)
    return ledger
