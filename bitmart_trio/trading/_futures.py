"""Adapt the futures market to a session, and open one (`open_futures_session`).

Open orders cannot be looked up by client order id: an order is found by scanning the open orders of its contract, then
in the history by client id, and by pushes. A list with a round number of rows may have been cut off, and a list with a
row that may be the order under another id may hold it: neither proves absence.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from functools import partial
from typing import Any, Final, Literal

import trio

from .._io.subscription import Subscription
from .._scopes import opener, protected
from ..client import Client
from ..config import Market
from ..errors import InvalidRequest, OrderNotFound, RequestRefused, TradingError
from ..models._enums import by_word, spelled
from ..models._futures_enums import FuturesOrderSide, FuturesSideWord, OpenType, PositionMode
from ..models._numbers import excerpt, total
from ..models.futures_streams import FuturesOrderAction, FuturesOrderUpdate, FuturesPushedOrderType
from ..models.futures_trading import (
    FuturesFill,
    FuturesOrder,
    FuturesOrderMode,
    FuturesOrderState,
    FuturesOrderType,
    FuturesStpMode,
    PlanCategory,
    PlanOrder,
    PlanOrderType,
    PriceType,
)
from ..rest import futures_trading as rows
from ._closer import ONCE_SENT, Closer, positions_held
from ._engine import Engine
from ._evidence import OrderReport, Source
from ._guard import ExitReport, OnExit
from ._handle import Order
from ._ids import made_at, ours
from ._order import Intent, OrderFill, OrderState, amount
from ._session import AnyJournal, Leftovers, RulesMode, Session, as_journal, log, opened
from ._shared import LATELY_MS, Lately, SharedRead, cut_off
from ._switch import DeadMansSwitch

_LIST: Final = 100
_CANCELS: Final = (
    FuturesOrderAction.CANCEL,
    FuturesOrderAction.LIQUIDATION_CANCEL,
    FuturesOrderAction.ADL_CANCEL,
)
_SLACK_MS: Final = 3_600_000
"""The largest error assumed of an order's time, in milliseconds."""
_SHOWN_MS: Final = 6 * 86_400_000
"""Orders younger than this are in the history without naming times: it then shows the last seven days."""
_ASKED_MS: Final = 89 * 86_400_000
"""The longest span that the history accepts: ninety days."""


class FuturesAdapter:
    """See `MarketAdapter`."""

    market: Market = "futures"
    forgets: bool = False

    def __init__(self, client: Client) -> None:
        self._client = client
        self._futures = client.futures
        self._server_time = 0, 0.0
        """The exchange's time when last read, and Trio's time then."""
        self._open_lists: dict[str, SharedRead[list[FuturesOrder]]] = {}
        self._done = Lately(self._finished, self._now)
        self._trades = Lately(self._traded, self._now)

    async def now(self) -> int:
        """See `MarketAdapter`."""
        server_time = (await self._futures.system.latency()).server_time
        self._server_time = server_time, trio.current_time()
        return server_time

    def _now(self) -> int:
        return self._server_time[0] + int((trio.current_time() - self._server_time[1]) * 1000)

    def _span(self, intent: Intent) -> tuple[int | None, int | None]:
        """Return the times to ask the history for: without any it shows a week."""
        try:
            made = made_at(intent.client_order_id) if intent.at is None else intent.at
        except ValueError:  # an id that another program made says nothing
            return None, None
        now = self._now()
        since = made - _SLACK_MS
        if now - since < _SHOWN_MS:
            return None, None
        if now - since > _ASKED_MS:
            raise TradingError(f"{intent.client_order_id} is too old for the order history: its outcome stays unknown")
        return since // 1000, now // 1000 + 60

    async def _live(self, symbol: str) -> list[FuturesOrder]:
        if symbol not in self._open_lists:
            read = partial(self._futures.trading.open_orders, symbol, limit=_LIST)
            self._open_lists[symbol] = SharedRead(read)
        return await self._open_lists[symbol]()

    async def _finished(self, symbol: str, since: int, until: int) -> list[FuturesOrder] | None:
        """The history by client id allows three calls a second: too few if many orders were cut off together."""
        await trio.lowlevel.checkpoint()
        try:
            return await self._futures.trading.order_history(symbol, start_time=since // 1000, end_time=until // 1000)
        except RequestRefused:  # the exchange refuses these times: ask for each order
            return None

    async def _traded(self, symbol: str, since: int, until: int) -> list[FuturesFill] | None:
        return await self._futures.trading.trades(symbol, start_time=since // 1000, end_time=until // 1000)

    async def place(self, intent: Intent) -> str:
        """See `MarketAdapter`."""
        if intent.kind == "tp_sl":
            attached = await self._futures.call(
                rows.submit_tp_sl_order,
                symbol=intent.symbol,
                type=intent.type,
                side=int(intent.side),
                size=None if intent.size is None else int(intent.size),
                executive_price=intent.price or 0,
                client_order_id=intent.client_order_id,
                **intent.extras,
            )
            return attached.data.order_id
        placed = await self._futures.call(
            rows.submit_order,
            symbol=intent.symbol,
            type=intent.type,
            side=int(intent.side),
            size=None if intent.size is None else int(intent.size),
            price=intent.price,
            client_order_id=intent.client_order_id,
            **intent.extras,
        )
        return placed.data.order_id

    async def cancel(self, intent: Intent, order_id: str | None) -> None:
        """See `MarketAdapter`."""
        trading = self._futures.trading
        send = trading.cancel_plan_order if intent.kind == "tp_sl" else trading.cancel_order
        if order_id is not None:
            await send(intent.symbol, order_id)
        else:
            await send(intent.symbol, client_order_id=intent.client_order_id)

    async def look_up(self, intent: Intent, order_id: str | None) -> OrderReport | None:
        """Look for an order; see `MarketAdapter`. Open orders first: one that ends then is in the history."""
        trading, name = self._futures.trading, intent.client_order_id
        doubt = ""
        if intent.kind == "tp_sl":
            waiting = await trading.plan_orders(intent.symbol, limit=_LIST)
            doubt = cut_off(waiting)
            for plan in waiting:
                if plan.client_order_id == name:
                    return _waiting(plan)
        elif order_id is not None:
            try:
                return _listed(await trading.order(intent.symbol, order_id), name)
            except OrderNotFound:
                pass
        else:
            live = await self._live(intent.symbol)
            doubt = cut_off(live) or _alike(live, intent)
            for order in live:
                if order.client_order_id == name:
                    return _listed(order, name)
            if (recent := await self._done.since(intent.symbol, intent.at)) is not None:
                for order in recent:
                    if order.client_order_id == name:
                        return _listed(order, name)
                doubt = doubt or _alike(recent, intent)
                if not doubt:
                    return None
        since, until = self._span(intent)
        for order in await trading.order_history(intent.symbol, client_order_id=name, start_time=since, end_time=until):
            if order.client_order_id == name:
                return _finished_plan(order) if intent.kind == "tp_sl" else _listed(order, name)
        if doubt:
            raise TradingError(f"the open orders of {intent.symbol} {doubt}: {name} may be among them")
        return None

    async def open_orders(self, symbols: Iterable[str]) -> list[OrderReport]:
        """See `MarketAdapter`."""
        names = list(symbols)
        only = names[0] if len(names) == 1 else None
        trading = self._futures.trading
        live = await trading.open_orders(only, limit=_LIST)
        return [_listed(order, order.client_order_id) for order in live]

    async def fills(self, intent: Intent, order_id: str, known: Decimal) -> list[OrderFill]:
        """See `MarketAdapter`."""
        rows = await self._trades.since(intent.symbol, intent.at)
        found = [row for row in rows or () if row.order_id == order_id]
        if rows is None or total(row.vol for row in found) < known:
            found = await self._futures.trading.trades(intent.symbol, order_id=order_id)
        return [_fill(row) for row in sorted(found, key=lambda row: row.create_time)]

    async def named(self, intent: Intent, order_id: str) -> str | None:
        """See `MarketAdapter`."""
        return (await self._futures.trading.order(intent.symbol, order_id)).client_order_id

    def pushes(self) -> AbstractAsyncContextManager[Subscription[Any]]:
        """See `MarketAdapter`."""
        return self._client.streams.futures.order(gaps="mark")

    def read(self, item: object) -> OrderReport | None:
        """See `MarketAdapter`."""
        return _pushed(item) if isinstance(item, FuturesOrderUpdate) else None


def _alike(rows: Iterable[FuturesOrder], intent: Intent) -> str:
    """Return why a row may be the order under another id: it is alike, and bears no id of a session."""
    since = (intent.at or 0) - LATELY_MS
    for row in rows:
        same = (str(int(row.side)), row.type, row.size) == (intent.side, intent.type, intent.size)
        priced = intent.type == "market" or row.price == intent.price
        if same and priced and row.create_time >= since and not ours(row.client_order_id):
            return f"have one like it with the id {row.client_order_id!r}"
    return ""


def _state(state: FuturesOrderState, filled: Decimal, size: Decimal) -> OrderState:
    if state != FuturesOrderState.FINISH:
        return OrderState.OPEN
    return OrderState.FILLED if filled >= size else OrderState.CANCELLED


def _listed(order: FuturesOrder, client_order_id: str | None) -> OrderReport:
    state = _state(order.state, order.deal_size, order.size)
    return OrderReport(
        client_order_id=client_order_id,
        order_id=order.order_id,
        state=state,
        filled_size=order.deal_size,
        average_price=order.deal_avg_price or None,
        # The exchange only reports it finished: cancelled, or filled and shown with an older size.
        fits=state is not OrderState.CANCELLED,
    )


def _waiting(plan: PlanOrder) -> OrderReport:
    return OrderReport(client_order_id=plan.client_order_id, order_id=plan.order_id, state=OrderState.OPEN)


def _finished_plan(order: FuturesOrder) -> OrderReport:
    gone_off = order.executive_order_id not in ONCE_SENT
    return OrderReport(
        client_order_id=order.client_order_id,
        order_id=order.order_id,
        state=OrderState.TRIGGERED if gone_off else OrderState.CANCELLED,
    )


def _pushed(item: FuturesOrderUpdate) -> OrderReport:
    order, fill = item.order, None
    if order.type in (FuturesPushedOrderType.TAKE_PROFIT, FuturesPushedOrderType.STOP_LOSS):
        state = OrderState.OPEN
        if order.state == FuturesOrderState.FINISH:
            cancelled = item.event in _CANCELS
            state = OrderState.CANCELLED if cancelled else OrderState.TRIGGERED
        return OrderReport(
            client_order_id=order.client_order_id, order_id=order.order_id, state=state, source=Source.PUSH
        )
    last = order.last_trade
    if last is not None and last.size:
        fill = OrderFill(str(last.trade_id), last.price, last.size, last.fee, last.fee_currency, order.update_time)
    state = _state(order.state, order.filled_size, order.size)
    return OrderReport(
        client_order_id=order.client_order_id,
        order_id=order.order_id,
        state=state,
        source=Source.PUSH,
        filled_size=order.filled_size,
        average_price=order.average_price or None,
        fill=fill,
        fits=state is not OrderState.CANCELLED or item.event in _CANCELS,
    )


def _fill(row: FuturesFill) -> OrderFill:
    return OrderFill(row.trade_id, row.price, row.vol, row.paid_fees, None, row.create_time)


@protected
class FuturesSession(Session):
    """A session of futures orders that survive cancellation. Made by `open_futures_session`.

    Limit, market, take-profit and stop-loss orders. Plan and trailing orders take no client order id at this exchange,
    so nothing can be proven about them: send those with ``client.futures.trading``.
    """

    def __init__(self, engine: Engine, rules: dict[str, Any], rounds: bool, switch: DeadMansSwitch | None) -> None:
        super().__init__(engine, rules, rounds)
        self.dead_mans_switch: DeadMansSwitch | None = switch

    async def submit(
        self,
        *,
        side: FuturesOrderSide | FuturesSideWord | int,
        size: Decimal | int | str,
        type: FuturesOrderType | str = "limit",
        price: Decimal | int | str | None = None,
        mode: FuturesOrderMode | int | None = None,
        leverage: Decimal | int | str | None = None,
        open_type: OpenType | str | None = None,
        stp_mode: FuturesStpMode | int | None = None,
        symbol: str | None = None,
        resend: int = 0,
        wait: bool = True,
    ) -> Order:
        """Submit one limit or market order, under a client order id that is in the journal before it is sent.

        Waiting, cancellation and errors are those of ``SpotSession.submit``.

        Args:
            side: 1 or "buy_open_long", 2 or "buy_close_short", 3 or "sell_close_long", 4 or "sell_open_short"; in
                one-way mode 1 buys, 2 buys to reduce, 3 sells to reduce, 4 sells.
            size: contracts, a whole number.
            type: limit or market.
            price: quote currency; for limit orders.
            mode: how long the order stays open; good till cancelled if left out.
            leverage: of the position, with the opening sides.
            open_type: cross or isolated, with the opening sides.
            stp_mode: self-trade prevention.
            symbol: may be left out when the session trades one.
            resend: how often to send it again once it is proven never to have arrived.
            wait: False returns the handle at once, before the answer.

        Raises:
            InvalidRequest, ApiError, OrderNotPlaced, JournalError, trio.ClosedResourceError: see
                ``SpotSession.submit``.
        """
        extras = {"mode": mode, "leverage": leverage, "open_type": open_type, "stp_mode": stp_mode}
        intent = Intent(
            client_order_id="",
            market="futures",
            symbol=self._symbol(symbol),
            side=_side(side),
            type=str(getattr(type, "value", type)),
            price=amount(price, "price"),
            size=_contracts(size),
            extras={name: value for name, value in extras.items() if value is not None},
        )
        return await self._submit(intent, resend=resend, wait=wait)

    async def submit_tp_sl(
        self,
        *,
        type: PlanOrderType | Literal["take_profit", "stop_loss"],
        side: FuturesOrderSide | FuturesSideWord | int,
        trigger_price: Decimal | int | str,
        executive_price: Decimal | int | str | None = None,
        price_type: PriceType | int = 1,
        size: Decimal | int | str | None = None,
        plan_category: PlanCategory | int | None = None,
        symbol: str | None = None,
        resend: int = 0,
        wait: bool = True,
    ) -> Order:
        """Attach a take-profit or a stop-loss to an open position; otherwise like `submit`.

        When it triggers, its handle ends as ``triggered``; the exchange sends the order that follows. The dead man's
        switch does not cover it.

        Args:
            type: take_profit or stop_loss.
            side: 2 or "buy_close_short", 3 or "sell_close_long".
            trigger_price: the price that triggers it.
            executive_price: the price of the order that follows; a market order if left out.
            price_type: 1 watches the last price, 2 the mark price.
            size: contracts, with plan category 1; the whole position if left out.
            plan_category: 1 part of the position, 2 all of it.
            symbol: may be left out when the session trades one.
            resend: see `submit`.
            wait: see `submit`.

        Raises:
            PositionRefused: there is no position to close. Others see `submit`.
        """
        extras: dict[str, object] = {"trigger_price": trigger_price, "price_type": price_type}
        extras["category"] = "market" if executive_price is None else "limit"
        if plan_category is not None or size is not None:
            extras["plan_category"] = 1 if plan_category is None else plan_category
        intent = Intent(
            client_order_id="",
            market="futures",
            symbol=self._symbol(symbol),
            kind="tp_sl",
            side=_side(side),
            type=str(getattr(type, "value", type)),
            price=amount(executive_price, "executive_price"),
            size=None if size is None else _contracts(size),
            extras=extras,
        )
        return await self._submit(intent, resend=resend, wait=wait)


def _side(side: FuturesOrderSide | FuturesSideWord | int) -> str:
    number = by_word(FuturesOrderSide, side)
    for each in FuturesOrderSide:
        if number == each and not isinstance(number, bool):
            return str(each.value)
    raise InvalidRequest(f"side must be one of {spelled(FuturesOrderSide)}, not {excerpt(side)}", argument="side")


def _contracts(size: Decimal | int | str) -> Decimal | None:
    contracts = amount(size, "size")
    if contracts is not None and contracts != contracts.to_integral_value():
        raise TypeError(f"size must be a whole number of contracts, not {contracts}")
    return contracts


@opener
async def open_futures_session(
    client: Client,
    *symbols: str,
    journal: AnyJournal = None,
    on_exit: OnExit = "cancel",
    leftovers: Leftovers | None = None,
    deadline: float = 100.0,
    reconcile: float = 30.0,
    visible_after: float = 90.0,
    rules: RulesMode = None,
    dead_mans_switch: int | None = None,
) -> AsyncGenerator[FuturesSession]:
    """Trade futures so that no order is doubled, forgotten or left open unknowingly; see `open_spot_session`.

    Args:
        client: with credentials that may trade.
        symbols: such as BTCUSDT; one or more.
        journal: where intents are written before they are sent; see `open_spot_session`.
        on_exit: also ``"close"``: after the cancels, reduce-only market orders close what this session's own fills have
            added to positions, never more than the position has. What earlier runs opened is left.
        leftovers: see `open_spot_session`.
        deadline: seconds that leaving may take; see `open_spot_session`.
        reconcile: seconds between two readings of the open orders.
        visible_after: see `open_spot_session`.
        rules: ``"check"`` or ``"round"``, by the contract's rules.
        dead_mans_switch: seconds after which the exchange cancels all ordinary orders of the symbols unless it hears
            from this program; see `dead_mans_switch`. It is disarmed once the exit is confirmed, and left armed
            otherwise.

    Raises:
        SwitchFailed: the switch could not be armed or, inside the block, could not be renewed.
        JournalLocked, JournalError, AuthenticationError, ConnectionLost, InvalidRequest: see `open_spot_session`.
    """
    switch = None
    if dead_mans_switch is not None:
        switch = DeadMansSwitch(client.futures, symbols, dead_mans_switch, client.clock)

    async def make(engine: Engine) -> FuturesSession:
        await trio.lowlevel.checkpoint()
        found = {symbol: await client.futures.rules(symbol) for symbol in symbols if rules is not None}
        return FuturesSession(engine, found, rules == "round", switch)

    one_way, held = False, dict[tuple[str, bool], Decimal]()
    if on_exit == "close":
        one_way = (await client.futures.position.mode()).position_mode == PositionMode.ONE_WAY
        held = await positions_held(client.futures, symbols)

    def closer(engine: Engine) -> Closer:
        return Closer(client.futures, engine, held, one_way=one_way)

    async def left(report: ExitReport) -> None:
        await trio.lowlevel.checkpoint()
        if switch is None:
            return
        if not report.confirmed:
            log.warning("the dead man's switch stays armed: it fires in %.0f s at the earliest", switch.fires_in)
            return
        for symbol in await switch.disarm():
            log.error("the dead man's switch of %s may still be armed", symbol)

    async with opened(
        FuturesAdapter(client),
        symbols,
        make,
        journal=as_journal(journal),
        on_exit=on_exit,
        leftovers=leftovers,
        deadline=deadline,
        reconcile=reconcile,
        visible_after=visible_after,
        guards=() if switch is None else (switch.run,),
        positions=closer,
        left=left,
    ) as session:
        yield session
