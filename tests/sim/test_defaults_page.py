"""The tables of what a simulated exchange begins with are what it begins with."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Final

import trio
import trio.testing

import bitmart_trio as bm
from bitmart_trio.sim.kernel.accounts import SIM_SUB_KEYS

PAGE: Final = (Path(__file__).parents[2] / "docs" / "simulated_exchange.md").read_text(encoding="utf-8")
SECTION: Final = PAGE.partition("## Where it begins")[2].partition("\n## ")[0]


def rows() -> dict[str, list[str]]:
    """The rows of both tables by their first cells, without backticks."""
    lines = [line.strip("| ").replace("`", "") for line in SECTION.splitlines() if line.startswith("| ")]
    return {first: rest for first, *rest in (re.split(r" \| ", line) for line in lines)}


def amounts(text: str) -> dict[str, Decimal]:
    """``"1 BTC, 2 ETH"`` as numbers by currency."""
    return {currency: Decimal(amount) for amount, currency in (each.split() for each in text.split(", "))}


async def test_the_symbols(autojump_clock: trio.testing.MockClock) -> None:
    shown = {symbol: cells for symbol, cells in rows().items() if re.fullmatch(r"[A-Z]+_?USDT?", symbol)}
    async with bm.sim.open_exchange() as exchange, exchange.open_client() as client:
        pairs = {each.symbol: each for each in await client.spot.market.symbol_details()}
        contracts = {each.symbol: each for each in await client.futures.market.contracts()}
        prices = {each.symbol: each.last_price for each in await client.spot.market.tickers()}
    assert [*shown] == [*pairs, *contracts]
    for symbol, (price, tick, step, least) in shown.items():
        quote = price.split()[1]
        last: Decimal | None
        if symbol in pairs:
            pair = pairs[symbol]
            places = Decimal(1).scaleb(-pair.price_max_precision)
            assert amounts(f"{tick}, {step}") == {quote: places, pair.base_currency: pair.base_min_size}
            assert amounts(least) == {quote: pair.min_buy_amount}
            last = prices[symbol]
        else:
            terms = contracts[symbol]
            assert amounts(tick) == {quote: terms.price_precision}
            size, unit = re.fullmatch(r"1 contract of (\S+) (\S+)", step).groups()  # type: ignore[union-attr]
            assert (Decimal(size), unit) == (terms.contract_size, quote if quote == "USD" else terms.base_currency)
            assert least == f"{terms.min_volume} contract"
            last = terms.last_price
        assert last is not None
        assert abs(last / Decimal(price.split()[0]) - 1) < Decimal("0.02")


async def test_the_clock_the_keys_and_the_wallets(autojump_clock: trio.testing.MockClock) -> None:
    shown = rows()
    async with bm.sim.open_exchange() as exchange, exchange.open_client() as client:
        opened = f"{bm.from_millis((await client.spot.system.time()).server_time):%Y-%m-%d %H:%M:%S}"
        assert shown["clock"][0].startswith(opened)
        assert shown["seed"] == [str(exchange.exchange.seed)] * 2
        key, secret, memo = shown["key, secret, memo"][0].split(", ")
        spot = {each.currency: each.available for each in await client.spot.account.spot_balances()}
        assert spot == amounts(shown["spot wallet"][0])
        futures = {each.currency: each.available_balance for each in await client.futures.account.assets()}
        assert {name: each for name, each in futures.items() if each} == amounts(shown["futures wallet"][0])
        subs = [tuple(each.split(", ")) for each in shown["of its sub-accounts"][0].split("; ")]
        assert subs == [*SIM_SUB_KEYS]
        for credentials in ((key, secret, memo), *subs):
            async with exchange.open_client(bm.Credentials(*credentials)) as other:
                assert await other.spot.trading.open_orders() == []
