"""The small parts of the kernel: clock, wallets, the synthetic flow, and the market's life."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from bitmart_trio.sim import Simulation
from bitmart_trio.sim.drivers.synthetic import Quoter
from bitmart_trio.sim.exchange import START_MS
from bitmart_trio.sim.kernel.accounts import Accounts, InsufficientFunds, Wallet
from bitmart_trio.sim.kernel.book import Book, Resting, Side
from bitmart_trio.sim.kernel.clock import Clock


def test_clock_stands_still_outside_trio() -> None:
    """Only stepping moves it there; skew moves what is told, not what has passed."""
    clock = Clock(1_000)
    clock.step(5)
    clock.skew_ms = -2_000
    assert (clock.now_ms(), clock.steady_ms()) == (-995, 1_005)
    with pytest.raises(ValueError, match="backwards"):
        clock.step(-1)


async def test_clock_follows_trio(autojump_clock: trio.testing.MockClock) -> None:
    """Virtual seconds are exchange seconds."""
    clock = Clock(START_MS)
    await trio.sleep(12.5)
    assert clock.now_ms() == START_MS + 12_500


def test_wallet_never_goes_below_zero() -> None:
    """Spending, holding and spending what is held are all refused without cover."""
    wallet = Wallet({"USDT": 10})
    wallet.hold("USDT", Decimal(4))
    for move in (wallet.debit, wallet.hold):
        with pytest.raises(InsufficientFunds):
            move("USDT", Decimal(7))
    with pytest.raises(InsufficientFunds):
        wallet.spend_held("USDT", Decimal(5))
    with pytest.raises(ValueError, match="no amount"):
        wallet.credit("USDT", Decimal(-1))
    wallet.spend_held("USDT", Decimal(1))
    wallet.release("USDT", Decimal(3))
    assert wallet.rows() == [("USDT", Decimal(9), Decimal(0))]


def test_accounts_are_unique() -> None:
    """An id or a key is taken once, and permissions are known words."""
    accounts = Accounts()
    accounts.add("1", key="a", secret="s", memo="m", balances={"BTC": "1.5"}, futures={"USDT": 3})
    with pytest.raises(ValueError, match="exists"):
        accounts.add("1", key="b", secret="s", memo="m")
    with pytest.raises(ValueError, match="exists"):
        accounts.add("2", key="a", secret="s", memo="m")
    with pytest.raises(ValueError, match="permissions"):
        accounts.add("2", key="b", secret="s", memo="m", permissions={"everything"})
    found = accounts.by_key("a")
    assert found is not None
    assert found[0].spot.available("BTC") == Decimal("1.5")
    assert found[0].futures.available("USDT") == 3
    assert accounts.by_key("b") is None
    assert accounts.get("2") is None


class Ground:
    """A bare book under a quoter: takers trade against it and nobody pays."""

    def __init__(self) -> None:
        self.book = Book()
        self.taken: list[tuple[Side, Decimal]] = []
        exchange_random = Simulation(seed=1).exchange.random("quoter")
        self.quoter = Quoter(
            self.book, exchange_random, spacing=Decimal("0.5"), lot=Decimal("0.001"), lots=(1, 5), take=self.take
        )

    def take(self, side: Side, limit: Decimal, size: Decimal | None) -> None:
        everything = sum((order.left for order in self.book.candidates(side, limit)), Decimal(0))
        for match in self.book.match(side, limit, everything if size is None else size):
            self.taken.append((side, match.price))


@given(st.lists(st.integers(-300, 300), max_size=40))
def test_quoter_keeps_the_book_deep_and_uncrossed(moves: list[int]) -> None:
    """Whatever the price does, both sides stay deep and around it, and users' orders in its way are filled."""
    ground = Ground()
    price = Decimal(20_000)
    ground.quoter.step(price)
    for number, move in enumerate(moves):
        low, high = sorted((price, price + move))
        price += move
        side: Side = "sell" if move > 0 else "buy"
        if high - low > 1:
            user = Resting(
                f"user{number}",
                side,
                low + Decimal("0.51") if side == "sell" else high - Decimal("0.51"),
                Decimal(9),
                "1",
            )
            ground.book.add(user)
            ground.quoter.step(price, 50)
            assert not user.left
        else:
            ground.quoter.step(price, 50)
        bid, ask = ground.book.best("buy"), ground.book.best("sell")
        assert bid is not None
        assert ask is not None
        assert bid < ask
        assert abs(bid - price) < 5
        assert min(len(ground.book.levels("buy", 99)), len(ground.book.levels("sell", 99))) >= 50


def test_flow_can_be_pushed() -> None:
    """A test that needs a price sets it, and the spot market is there one tick later."""
    simulation = Simulation()
    simulation.exchange.flow.push("BTC", Decimal(50_000))
    simulation.exchange.tick()
    last = simulation.exchange.spot.markets["BTC_USDT"].last
    assert abs(last - 50_000) < 50


async def test_run_keeps_the_market_moving(autojump_clock: trio.testing.MockClock) -> None:
    """Prices change, trades happen on every pair, and the end of the run is a plain cancellation."""
    simulation = Simulation(seed=2)
    seen: list[str] = []
    for symbol in simulation.exchange.spot.markets:
        simulation.exchange.feed.listen(f"spot/trade:{symbol}", None, lambda frame, symbol=symbol: seen.append(symbol))  # type: ignore[misc]
    async with trio.open_nursery() as nursery:
        await nursery.start(simulation.exchange.run)
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    for symbol in simulation.exchange.spot.markets:
        assert seen.count(symbol) > 60
    assert simulation.exchange.now_ms() == START_MS + 60_000


async def test_two_runs_of_one_seed_are_the_same(autojump_clock: trio.testing.MockClock) -> None:
    """The tape of a run depends on the seed and the time only."""
    tapes: list[list[object]] = []
    for _ in range(2):
        simulation = Simulation(seed=4)
        tape: list[object] = []
        simulation.exchange.feed.listen("spot/trade:ETH_USDT", None, tape.append)
        with trio.move_on_after(20):
            await simulation.exchange.run()
        tapes.append(tape)
    assert tapes[0] == tapes[1]
    assert tapes[0]
