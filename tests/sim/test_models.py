"""Models of one's own: what a user of the exchange sees of another fee or funding model."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim import Fees, Models, open_exchange
from bitmart_trio.sim.kernel.contracts import FUNDING_CAP
from bitmart_trio.sim.models import InBought, InQuote, OfValue, Reverting
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
