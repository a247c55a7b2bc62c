"""The tick, step and bounds of a market: rounding and checking orders before they are sent."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, assert_checkpoints

import bitmart_trio as bm
from bitmart_trio.models import BatchOrderParam, FuturesRules, MarketRules, OrderSide, SpotRules
from bitmart_trio.sim.venue import open_exchange

D = Decimal

SPOT = SpotRules(
    symbol="BTC_USDT", tick=D("0.01"), step=D("0.00001"), min_size=D("0.00001"), max_size=D(100), tradable=True,
    min_buy_notional=D(5), min_sell_notional=D(6),
)  # fmt: skip
FUTURES = FuturesRules(
    symbol="BTCUSDT", tick=D("0.1"), step=D(1), min_size=D(1), max_size=D(1000), tradable=True, max_market_size=D(50),
    contract_size=D("0.001"), min_leverage=D(1), max_leverage=D(100),
)  # fmt: skip


@pytest.mark.parametrize(
    ("price", "side", "rounded"),
    [
        ("30000.126", "buy", "30000.12"),
        ("30000.121", "sell", "30000.13"),
        ("30000.121", OrderSide.SELL, "30000.13"),
        ("30000.121", None, "30000.12"),
        ("30000.125", None, "30000.12"),
        (30000, "buy", "30000.00"),
    ],
)
def test_prices_never_become_worse_than_asked(price: str, side: str | None, rounded: str) -> None:
    """A buy rounds down, a sell up, and without a side it is the nearest tick."""
    assert str(SPOT.round_price(price, side=side)) == rounded


def test_sizes_never_grow() -> None:
    """Cut off on the step grid."""
    assert str(SPOT.round_size("0.123456789")) == "0.12345"
    assert str(FUTURES.round_size(D("12.9"))) == "12"


def test_a_small_decimal_context_of_the_caller_changes_nothing() -> None:
    """Three digits are enough for a program that reports per cents, and not for a price."""
    with localcontext() as context:
        context.prec = 3
        assert SPOT.round_price("30000.129", side="buy") == Decimal("30000.12")
        assert str(SPOT.round_size("1234.567891")) == "1234.56789"
        assert SPOT.check({"side": "buy", "type": "limit", "price": "30000.12", "size": "1.00001"}) == []


@pytest.mark.parametrize("amount", ["1_000", "1e2000000", "NaN", "twelve", "\u0661"])
def test_what_is_no_number_is_refused(amount: str) -> None:
    """As the guard of every number says."""
    with pytest.raises(ValueError, match="number"):
        SPOT.round_price(amount)
    with pytest.raises(ValueError, match="number"):
        SPOT.check({"side": "buy", "price": amount, "size": "1"})


def test_floats_are_refused() -> None:
    """As everywhere."""
    with pytest.raises(TypeError, match="exact"):
        SPOT.round_price(0.1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rules", "order", "arguments"),
    [
        (SPOT, {"side": "buy", "type": "limit", "price": "30000", "size": "0.001"}, []),
        (SPOT, {"side": OrderSide.BUY, "type": "market", "notional": 5}, []),
        (SPOT, {"side": "buy", "type": "market", "notional": "4.99"}, ["notional"]),
        (SPOT, {"side": "sell", "type": "limit", "price": "50000", "size": "0.0001"}, ["size"]),
        (SPOT, {"side": "buy", "type": "limit", "price": "30000.001", "size": "0.0010001"}, ["price", "size"]),
        (SPOT, {"side": "sell", "type": "market", "size": "101"}, ["size"]),
        (FUTURES, {"side": 1, "type": "limit", "price": "30000.1", "size": 1000, "leverage": "10"}, []),
        (FUTURES, {"side": 1, "type": "market", "size": 51}, ["size"]),
        (
            FUTURES,
            {"side": 1, "type": "limit", "price": "30000.15", "size": "0", "leverage": 101},
            ["price", "size", "leverage"],
        ),
    ],
)
def test_an_order_is_checked_before_it_is_sent(
    rules: SpotRules | FuturesRules, order: object, arguments: list[str]
) -> None:
    """Each broken rule names its argument and says what would be right."""
    assert [violation.argument for violation in rules.check(order)] == arguments


def test_request_objects_can_be_checked_too() -> None:
    """The entries of a batch as they are."""
    entry = BatchOrderParam(side="buy", type="limit", size="0.00001", price="1")
    assert [violation.argument for violation in SPOT.check(entry)] == ["size"]


@given(st.decimals(min_value="0.00001", max_value=10**6, places=7), st.sampled_from(["buy", "sell", None]))
def test_what_was_rounded_passes(price: D, side: str | None) -> None:
    """A rounded price or size is on the grid, and rounding again changes nothing."""
    rounded = SPOT.round_price(price, side=side)
    assert SPOT.round_price(rounded) == rounded
    assert abs(rounded - price) <= SPOT.tick
    assert MarketRules.round_size(SPOT, SPOT.round_size(price)) == SPOT.round_size(price) <= price


async def test_the_rules_come_from_the_exchange_and_are_kept(autojump_clock: MockClock) -> None:
    """One request for all pairs; a cache hit still checkpoints; refresh asks again."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        rules = await client.spot.rules("BTC_USDT")
        assert (
            rules.check({"side": "buy", "type": "limit", "price": rules.round_price("30000.123"), "size": "0.001"})
            == []
        )
        with assert_checkpoints():
            assert await client.spot.rules("BTC_USDT") is rules
        assert await client.spot.rules("BTC_USDT", refresh=True) is not rules
        with pytest.raises(bm.InvalidSymbol):
            await client.spot.rules("NO_SUCH")

        contract = await client.futures.rules("BTCUSDT")
        assert contract.tick == D("0.1")
        with assert_checkpoints():
            assert await client.futures.rules("BTCUSDT") is contract
        with pytest.raises(bm.InvalidSymbol):
            await client.futures.rules("NOPE")
