"""No sequence of spot orders creates or destroys money, and nobody ever owes any."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bitmart_trio.sim import Simulation
from bitmart_trio.sim.bitmart.direct import Direct
from bitmart_trio.sim.kernel.encoding import Json

SYMBOL = "BTC_USDT"
USERS = ("1", "2")

order = st.fixed_dictionaries(
    {
        "user": st.sampled_from(USERS),
        "side": st.sampled_from(["buy", "sell"]),
        "type": st.sampled_from(["limit", "market", "limit_maker", "ioc"]),
        "lots": st.integers(1, 400_000),
        "away": st.integers(-300, 300),
        "stpMode": st.sampled_from(["none", "cancel_maker", "cancel_taker", "cancel_both"]),
    }
)
step = st.one_of(order, st.just("tick"), st.just("cancel"), st.integers(-400, 400))


def totals(simulation: Simulation) -> dict[str, Decimal]:
    """All there is of each currency, wherever it lies."""
    wallets = [account.spot for account in simulation.exchange.accounts.all()] + [
        simulation.exchange.accounts.fees,
        simulation.exchange.accounts.house,
    ]
    return {currency: sum((wallet.total(currency) for wallet in wallets), Decimal(0)) for currency in ("BTC", "USDT")}


def play(simulation: Simulation, users: dict[str, Direct], move: object) -> None:
    """One move of the game: an order, a tick, the end of all orders, or a leap of the price."""
    market = simulation.exchange.spot.markets[SYMBOL]
    if isinstance(move, dict):
        price = market.last + Decimal(move["away"]) / 10
        size = move["lots"] * market.pair.lot
        members: dict[str, Json] = {"symbol": SYMBOL, **{name: move[name] for name in ("side", "type", "stpMode")}}
        if move["type"] == "market" and move["side"] == "buy":
            members["notional"] = f"{size * price:f}"
        else:
            members |= {"size": f"{size:f}", "price": f"{price:f}"}
        users[move["user"]].post("/spot/v2/submit_order", **members)
    elif move == "cancel":
        users["2"].post("/spot/v4/cancel_all")
    else:
        if isinstance(move, int):
            simulation.exchange.flow.push("BTC", market.last + Decimal(move) / 5)
        simulation.exchange.tick()


def check_holds(simulation: Simulation) -> None:
    """What is frozen is exactly what open orders hold, and nothing is negative."""
    for account in simulation.exchange.accounts.all():
        orders = simulation.exchange.spot.engine.open_orders(account.account_id)
        for currency, available, frozen in account.spot.rows():
            assert available >= 0
            assert frozen == sum((item.held for item in orders if item.spends == currency), Decimal(0))
        for item in orders:
            resting = item.form.market.book.get(item.order_id)
            assert resting is not None
            assert item.form.size is not None
            assert resting.left == item.form.size - item.filled_size


@given(st.lists(step, max_size=40))
def test_money_is_conserved(moves: list[object]) -> None:
    """Users, fees and the synthetic market together always hold the same."""
    simulation = Simulation(seed=9)
    simulation.exchange.accounts.add(
        "2", key="k2", secret="s2", memo="m2", balances={"USDT": "200000.12345678", "BTC": "3.00000001"}
    )
    users = {"1": Direct(simulation.bitmart), "2": Direct(simulation.bitmart, "k2", "s2", "m2")}
    before = totals(simulation)
    for move in moves:
        simulation.exchange.clock.step(3_000)
        play(simulation, users, move)
        assert totals(simulation) == before
        check_holds(simulation)
    end: list[Callable[[], object]] = [lambda user=user: user.post("/spot/v4/cancel_all") for user in users.values()]  # type: ignore[misc]
    for finish in end:
        simulation.exchange.clock.step(3_000)
        finish()
    assert all(
        account.spot.frozen(currency) == 0
        for account in simulation.exchange.accounts.all()
        for currency in ("BTC", "USDT")
    )
