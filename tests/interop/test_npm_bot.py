"""A bot in JavaScript on the npm package ``bitmart-api`` trades on the simulated exchange."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from foreign import HERE, Command, started
from proof_sizes import NPM_BOT_SECONDS

import bitmart_trio as bm

pytest_plugins = ["npm_fixture"]
pytestmark = pytest.mark.interop

STEP = 30
START = 1_767_261_600_000
"""Ten in the morning: funding is due at eight and at four."""


@pytest.mark.proof
async def test_a_bot_trades_without_noticing(npm: Path) -> None:
    """No error, no reconnect; each of its orders ended as its streams said; its own books agree with the exchange's."""
    bot: Command = [npm, "--require", HERE / "exchange_time.js", HERE / "bot.js"]
    async with bm.sim.open_server(port=0, seed=7, start=START) as server, started(bot, server.url) as node:
        exchange = server.exchange
        account = exchange.accounts.all()[0]
        before = _all_money(server)
        await node.tell(seconds=NPM_BOT_SECONDS, step=STEP)
        report = await node.hear()
        while "progress" in report:
            report = await node.hear()
        assert report["trouble"] == []
        assert report["elapsed"] >= NPM_BOT_SECONDS * 1000
        assert exchange.now_ms() >= START + NPM_BOT_SECONDS * 1000
        orders = {order.form.client_order_id: order for order in exchange.spot.engine.of_account("1")}
        assert {
            client_id: [order.order_id, order.state, str(order.form.market.pair.size_text(order.filled_size))]
            for client_id, order in orders.items()
        } == report["orders"]
        fills = [(order, fill) for order in orders.values() for fill in order.fills]
        assert len(fills) == report["fills"] > NPM_BOT_SECONDS // 72
        assert {order.state for order in orders.values()} >= {"filled", "canceled"}
        trader = exchange.futures.engine.trader(account)
        finished = {order.order_id: [order.state, format(order.deal_size, "f")] for order in trader.finished}
        assert finished == report["contractOrders"]
        assert not trader.orders
        assert len(trader.fills) >= NPM_BOT_SECONDS // STEP // 8
        # Money: what the bot counted from its streams is what it owns, and none has appeared or vanished anywhere.
        owned = {coin: format(account.spot.total(coin), ".8f") for coin in ("BTC", "USDT")}
        assert report["money"] == report["wallet"] == owned
        earned = sum((fill.profit - fill.fee for fill in trader.fills), Decimal(100_000))
        assert account.futures.total("USDT") == earned == Decimal(report["contracts"])
        assert _all_money(server) == before


def _all_money(server: bm.sim.Server) -> dict[str, Decimal]:
    """Every coin that is anywhere: with accounts, with the exchange, and in the futures house."""
    accounts, house = server.exchange.accounts, server.exchange.futures.engine.ledger.house
    wallets = [wallet for each in accounts.all() for wallet in (each.spot, each.fund, each.futures)]
    return {
        coin: sum((wallet.total(coin) for wallet in (*wallets, *accounts.own)), Decimal(0))
        + sum(
            (amount for (currency, kind), amount in house.items() if currency == coin and kind != "transfer"),
            Decimal(0),
        )
        for coin in ("BTC", "USDT", "ETH", "BMX")
    }
