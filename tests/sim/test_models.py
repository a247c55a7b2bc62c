"""Models of one's own: what a user of the exchange sees of another fee or funding model."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim import Fees, Models, open_exchange
from bitmart_trio.sim.kernel.contracts import FUNDING_CAP
from bitmart_trio.sim.models import (
    TIERED,
    Fixed,
    Flat,
    InBought,
    InQuote,
    OfValue,
    Reverting,
    Still,
    Ways,
)
from bitmart_trio.sim.models.funding import USUAL

FREE = Fees(spot=InQuote(Decimal(0)), futures=OfValue(taker=Decimal(0), maker=Decimal(0)))


class Steady:
    """A funding model: the same rate for ever, if the exchange lets it."""

    def __init__(self, rate: str) -> None:
        self.rate = Decimal(rate)

    def following(self, rate: Decimal, dice: random.Random) -> Decimal:
        return self.rate


async def test_without_fees_nothing_is_paid(autojump_clock: MockClock) -> None:
    """On both markets: the fills say so, the shown rates too, and the exchange has taken nothing."""
    async with open_exchange(models=Models(fees=FREE)) as venue, venue.open_client() as client:
        order = {"symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "500"}
        placed = await client.spot.trading.submit_order(**order)  # type: ignore[arg-type]
        fills = await client.spot.trading.order_trades(order_id=placed.order_id)
        assert {fill.fee for fill in fills} == {Decimal(0)}
        await client.futures.trading.submit_order(
            symbol="BTCUSDT", side=1, type="market", size=10, leverage="10", open_type="cross"
        )
        assert {fill.paid_fees for fill in await client.futures.trading.trades("BTCUSDT")} == {Decimal(0)}
        rates = await client.futures.account.trade_fee_rate("BTCUSDT")
        assert (rates.taker_fee_rate, rates.maker_fee_rate) == (Decimal(0), Decimal(0))
        assert venue.exchange.accounts.fees.rows() == [
            ("USDT", Decimal(0), Decimal(0)),
            ("BTC", Decimal(0), Decimal(0)),
        ]


async def test_a_fee_out_of_what_was_bought(autojump_clock: MockClock) -> None:
    """The coin of the fee is the bought one."""
    models = Models(fees=Fees(spot=InBought(Decimal("0.01"))))
    async with open_exchange(models=models) as venue, venue.open_client() as client:
        placed = await client.spot.trading.submit_order(symbol="BTC_USDT", side="buy", type="market", notional="500")
        for fill in await client.spot.trading.order_trades(order_id=placed.order_id):
            assert fill.fee_coin_name == "BTC"
            assert fill.fee == (fill.size / 100).quantize(Decimal("1E-8"), "ROUND_DOWN")


@pytest.mark.parametrize(("asked", "shown"), [("0.002", Decimal("0.002")), ("-9", -FUNDING_CAP)])
async def test_funding_rates_of_ones_own(autojump_clock: MockClock, asked: str, shown: Decimal) -> None:
    """Every settlement has the rate of the model, within the bounds of the contracts."""
    async with open_exchange(models=Models(funding=Steady(asked))) as venue, venue.open_client() as client:
        history = await client.futures.market.funding_rate_history("BTCUSDT")
        assert {row.funding_rate for row in history} == {shown}


def test_rates_revert() -> None:
    """Without noise half the distance is left each time."""
    model, dice = Reverting(usual=Decimal("0.0003")), random.Random(1)
    rates = [Decimal("0.02")]
    for _ in range(30):
        rates.append(model.following(rates[-1], dice))
    assert abs(rates[-1] - Decimal("0.0003")) < USUAL
    assert abs(rates[1] - Decimal("0.01015")) < USUAL


async def test_the_usual_models_are_the_recorded_ones(autojump_clock: MockClock) -> None:
    """Without a word the rates are those that were recorded."""
    async with open_exchange() as venue, venue.open_client() as client:
        rates = await client.futures.account.trade_fee_rate("BTCUSDT")
        assert (rates.taker_fee_rate, rates.maker_fee_rate) == (Decimal("0.0006"), Decimal("0.0002"))
        assert isinstance(client, bm.Client)


async def test_who_trades_more_pays_less(autojump_clock: MockClock) -> None:
    """Tiers go by what an account has traded in 30 days; its orders and shown rates follow, nobody else's."""
    async with open_exchange(market="scripted", models=Models(fees=TIERED)) as venue, venue.open_client() as client:
        venue.book.set("BTC_USDT", asks=[("60000", "100")], bids=[("59999", "100")])
        paid: list[tuple[Decimal, str]] = []
        for _ in range(3):
            placed = await client.spot.trading.submit_order(symbol="BTC_USDT", side="sell", type="market", size="1")
            fill = (await client.spot.trading.order_trades(order_id=placed.order_id))[0]
            shown = await client.spot.account.trade_fee_rate("BTC_USDT")
            paid.append((fill.fee / (fill.price * fill.size), str(shown.buy_taker_fee_rate)))
        assert [rate for rate, _ in paid] == [Decimal("0.001"), Decimal("0.001"), Decimal("0.0009")]
        assert [shown for _, shown in paid] == ["0.001", "0.0009", "0.0009"]
        desk = bm.Credentials("sim-sub-key", "sim-sub-secret", "sim-sub-memo")
        async with venue.open_client(desk) as other:
            assert (await other.spot.account.trade_fee_rate("BTC_USDT")).buy_taker_fee_rate == Decimal("0.001")
        venue.exchange.clock.step(31 * 86_400_000)
        assert (await client.spot.account.trade_fee_rate("BTC_USDT")).buy_maker_fee_rate == Decimal("0.001")


async def test_makers_pay_the_rate_of_makers(autojump_clock: MockClock) -> None:
    """On spot too; what a resting buy had set aside beyond it is free again."""
    models = Models(fees=Fees(spot=InQuote(Decimal("0.0025"), Decimal("0.001"))))
    async with open_exchange(market="scripted", models=models) as venue, venue.open_client() as client:
        placed = await client.spot.trading.submit_order(
            symbol="BTC_USDT", side="buy", type="limit", size="1", price="60000"
        )
        account = venue.exchange.accounts.get("1")
        assert account is not None
        assert account.spot.frozen("USDT") == Decimal(60150)
        venue.market.trade("BTC_USDT", price="60000", size="1", side="sell")
        fill = (await client.spot.trading.order_trades(order_id=placed.order_id))[0]
        assert fill.fee == 60
        assert [account.spot.frozen("USDT"), account.spot.available("USDT")] == [0, 100_000 - 60_060]


@pytest.mark.parametrize(("ratio", "liquidated"), [("0", False), ("0.09", True)])
async def test_margins_of_ones_own(autojump_clock: MockClock, ratio: str, liquidated: bool) -> None:
    """Leverage and maintenance go by the model: the position shows it, and liquidation comes by it."""
    models = Models(margin=Flat(Decimal(ratio), leverage=10))
    async with open_exchange(market="scripted", models=models) as venue, venue.open_client() as client:
        venue.book.set("BTCUSDT", bids=[("59999", "5000")], asks=[("60000", "5000")])
        order = {"symbol": "BTCUSDT", "side": 1, "type": "market", "size": 100, "open_type": "isolated"}
        with pytest.raises(bm.ApiError):
            await client.futures.trading.submit_order(**order, leverage="20")  # type: ignore[arg-type]
        await client.futures.trading.submit_order(**order, leverage="10")  # type: ignore[arg-type]
        row = (await client.futures.position.positions("BTCUSDT"))[0]
        assert row.maintenance_margin == Decimal(6000) * Decimal(ratio)
        venue.market.price("BTCUSDT", "59000")
        venue.tick()
        account = venue.exchange.accounts.get("1")
        assert account is not None
        held = list(venue.exchange.futures.engine.trader(account).open_positions())
        assert (not held) is liquidated


class Wave(Still):
    """A market model: bitcoin goes up by ten dollars with every move, and nobody quotes."""

    def advance(self, ticks: int) -> None:
        self.pin("BTC", self.price("BTC") + 10 * ticks)


async def test_a_market_of_ones_own(autojump_clock: MockClock) -> None:
    """Prices follow the model: the mark price of the contract says so. What is no market is refused."""
    async with open_exchange(market=Wave.of) as venue, venue.open_client() as client:
        before = venue.exchange.futures.listings["BTCUSDT"].mark
        await trio.sleep(60.05)
        assert venue.exchange.futures.listings["BTCUSDT"].mark == before + 6000
        assert not (await client.futures.market.order_book("BTCUSDT")).asks
    with pytest.raises(ValueError, match="no such market: 'wild'"):
        async with open_exchange(market="wild"):  # type: ignore[arg-type]
            raise AssertionError("it opened")


async def test_a_latency_of_ones_own(autojump_clock: MockClock) -> None:
    """A reply takes as long as the model says, and other ways nothing."""
    async with open_exchange(models=Models(latency=Ways(reply=Fixed(700)))) as venue, venue.open_client() as client:
        await client.spot.system.time()
        began = trio.current_time()
        await client.spot.system.time()
        assert trio.current_time() - began == pytest.approx(0.7)
