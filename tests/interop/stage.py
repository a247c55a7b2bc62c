"""What a function of a foreign client needs on the exchange before it can succeed: orders, holdings, debts, names.

Sample arguments name these things: ``@spot_order`` is the id of a spot order that waits in the book, made at the moment
when it is asked for.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import bitmart_trio as bm

SPOT, CONTRACT = "BTC_USDT", "BTCUSDT"
FAR_BELOW, FAR_ABOVE = "30000", "90000"
"""Prices at which nothing trades."""


class Stage:
    """Prepares the default account of one exchange, by our own client."""

    def __init__(self, server: bm.sim.Server, client: bm.Client) -> None:
        self._exchange = server.exchange
        self._quotas = server.simulation.bitmart.gate.quotas
        self._client = client
        self._fresh = count(1)

    async def resolve(self, arguments: Any) -> Any:
        """The same arguments with the things in place of their names."""
        if isinstance(arguments, dict):
            return {name: await self.resolve(value) for name, value in arguments.items()}
        if isinstance(arguments, list):
            return [await self.resolve(value) for value in arguments]
        if isinstance(arguments, str) and arguments.startswith("@"):
            return await getattr(self, arguments[1:])()
        return arguments

    def clear(self) -> None:
        """Nothing waits, nothing is held, no quota is used: each function is tried on the same ground."""
        exchange = self._exchange
        self._quotas._windows.clear()
        self._quotas._strikes.clear()
        for account in exchange.accounts.all():
            for order in exchange.spot.engine.open_orders(account.account_id):
                exchange.spot.engine.cancel(order)
            trader = exchange.futures.engine.trader(account)
            for plan in [*trader.plans.values()]:
                exchange.futures.plans.cancel(plan)
            for waiting in [*trader.orders.values()]:
                exchange.futures.engine.cancel(waiting)
            for held in [*trader.open_positions()]:
                exchange.futures.engine.close_at_market(trader, held)
            trader.settings.clear()
            trader.one_way = False

    async def fresh(self) -> str:
        """Twenty digits that were never used: a client order id, or the number of a request."""
        return f"{next(self._fresh):020d}"

    # --- spot ---

    async def _spot(self, **terms: Any) -> tuple[str, str]:
        name = await self.fresh()
        placed = await self._client.spot.trading.submit_order(SPOT, side="buy", client_order_id=name, **terms)
        return placed.order_id, name

    async def spot_order(self) -> str:
        """A limit order that waits."""
        return (await self._spot(type="limit", size="0.001", price=FAR_BELOW))[0]

    async def spot_client(self) -> str:
        """The client order id of one."""
        return (await self._spot(type="limit", size="0.001", price=FAR_BELOW))[1]

    async def spot_filled(self) -> str:
        """A market order that is done."""
        return (await self._spot(type="market", notional="50"))[0]

    async def _algo(self) -> tuple[str, str]:
        name = await self.fresh()
        placed = await self._client.spot.algo.submit_order(
            SPOT, side="buy", type="trigger", trigger_type="limit", trigger_price=FAR_BELOW, price="29000",
            size="0.001", client_order_id=name,
        )  # fmt: skip
        return placed.order_id, name

    async def algo_order(self) -> str:
        """A spot order that waits for its trigger."""
        return (await self._algo())[0]

    async def algo_client(self) -> str:
        """The client order id of one."""
        return (await self._algo())[1]

    async def margin_pair(self) -> str:
        """A pair with money on its margin account."""
        await self._client.spot.margin.submit_transfer(SPOT, currency="USDT", amount="500", side="in")
        return SPOT

    async def indebted_pair(self) -> str:
        """A pair for which a little was borrowed."""
        pair = await self.margin_pair()
        await self._client.spot.margin.borrow(pair, currency="BTC", amount="0.0001")
        return pair

    async def address(self) -> str:
        """A saved address for tethers on the chain TRC20."""
        saved = self._exchange.treasury.funding.saved(self._exchange.accounts.all()[0])
        return next(each.address for each in saved if each.network == "TRC20")

    async def withdrawal(self) -> str:
        """A withdrawal on its way."""
        placed = await self._client.spot.account.submit_withdrawal(
            "USDT-TRC20", "100", destination="To Digital Address", address=await self.address()
        )
        return str(placed.withdraw_id)

    async def flexible_holding(self) -> str:
        """Savings that can be taken back at any time."""
        await self._client.spot.earn.subscribe_flexible("1001", "100", request_no=await self.fresh())
        return str((await self._client.spot.earn.flexible_holdings()).items[0].earn_id)

    async def fixed_holding(self) -> str:
        """Savings for thirty days."""
        await self._client.spot.earn.subscribe_fixed(
            "2001", "100", request_no=await self.fresh(), auto_subscribe="REINVEST_FIXED"
        )
        return str((await self._client.spot.earn.fixed_holdings()).items[0].earn_id)

    # --- futures ---

    async def _order(self, **terms: Any) -> tuple[str, str]:
        name = await self.fresh()
        placed = await self._client.futures.trading.submit_order(
            symbol=CONTRACT, side=1, size=10, leverage="5", open_type="isolated", client_order_id=name, **terms
        )
        return str(placed.order_id), name

    async def contract_order(self) -> str:
        """A limit order that waits."""
        return (await self._order(type="limit", price=FAR_BELOW))[0]

    async def contract_order_number(self) -> int:
        """The same, as a number."""
        return int(await self.contract_order())

    async def contract_client(self) -> str:
        """The client order id of one."""
        return (await self._order(type="limit", price=FAR_BELOW))[1]

    async def position(self) -> str:
        """A contract of which ten are held long."""
        await self._order(type="market")
        return CONTRACT

    async def plan_order(self) -> str:
        """An order that waits for its trigger."""
        placed = await self._client.futures.trading.submit_plan_order(
            symbol=CONTRACT, side=1, leverage="5", open_type="isolated", size=10, trigger_price=FAR_BELOW,
            executive_price="29000", price_way=2, price_type=1, type="limit", mode=1, plan_category=1,
        )  # fmt: skip
        return str(placed.order_id)

    async def _exit(self) -> tuple[str, str]:
        name = await self.fresh()
        placed = await self._client.futures.trading.submit_tp_sl_order(
            symbol=await self.position(), type="take_profit", side=3, trigger_price=FAR_ABOVE,
            executive_price=FAR_ABOVE, price_type=1, size=10, plan_category=2, client_order_id=name, category="limit",
        )  # fmt: skip
        return str(placed.order_id), name

    async def exit_order(self) -> str:
        """A take-profit order of a position."""
        return (await self._exit())[0]

    async def exit_client(self) -> str:
        """The client order id of one."""
        return (await self._exit())[1]

    async def trailing_order(self) -> str:
        """A trailing order that is not active yet."""
        placed = await self._client.futures.trading.submit_trailing_order(
            symbol=CONTRACT, side=1, leverage="5", open_type="isolated", size=10, activation_price=FAR_BELOW,
            callback_rate="1", activation_price_type=1,
        )  # fmt: skip
        return str(placed.order_id)

    async def invited(self) -> int:
        """A user whom the account has invited."""
        now = self._exchange.now_ms() // 1000
        page = await self._client.futures.affiliate.invited_users(
            start_time=now - 86_400 * 30, end_time=now, page=1, page_size=10
        )
        return int(page.items[0].cid)
