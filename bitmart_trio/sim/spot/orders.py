"""The matching engine of the simulated spot market: orders, holds, fees and fills.

A fee is taken by the rates that the order got on acceptance. A fee that a buy pays in the quote currency is held with
the order's value, so the wallet always covers a fill. All money is exact at eight decimals. Orders of the synthetic
market have no owner; users' trades with them go through the house wallet, so money neither appears nor vanishes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from decimal import Decimal
from functools import partial
from typing import Final, Literal, TypeAlias

import attrs

from ..kernel.accounts import InsufficientFunds, Wallet
from ..kernel.book import Resting, Side
from ..kernel.clock import Clock
from ..kernel.eventlog import EventLog
from ..kernel.pairs import PairMarket, PublicTrade
from ..kernel.refusal import Refused
from ..kernel.turnover import Turnover
from ..models.fees import InQuote, SpotFees, SpotRates
from ..models.fills import FillModel, let_past
from ..models.latency import Enter

OrderType: TypeAlias = Literal["limit", "market", "limit_maker", "ioc"]
State: TypeAlias = Literal["new", "partially_filled", "filled", "canceled", "partially_canceled", "failed"]
Stp: TypeAlias = Literal["none", "cancel_maker", "cancel_taker", "cancel_both"]
Mode: TypeAlias = Literal["spot", "iso_margin"]
Source: TypeAlias = Literal["", "user", "system", "stp"]

ZERO = Decimal(0)
MARKET_BUY_ENDS: Final[Literal["partially_canceled", "filled"]] = "partially_canceled"
"""The final state of a market buy whose remaining money buys no whole lot."""
MARKET_BUY_EXACT: Final[Literal["partially_canceled", "filled"]] = "filled"
"""The final state of a market buy that has spent its whole notional."""
FORGOTTEN_MS = 20 * 60_000
"""The time after which an order cancelled without a fill can no longer be looked up by id."""


@attrs.frozen
class Fill:
    """One fill of one order, as its owner sees it."""

    trade_id: str
    price: Decimal
    size: Decimal
    fee: Decimal
    fee_currency: str
    role: Literal["taker", "maker"]
    time_ms: int


@attrs.frozen
class Form:
    """An order as requested: checked for form, not yet for funds."""

    market: PairMarket
    side: Side
    type: OrderType
    size: Decimal | None
    """The size in base currency; None for a market buy."""
    price: Decimal | None
    """The limit price; None for market orders."""
    notional: Decimal | None
    """The quote currency to spend, for a market buy only."""
    client_order_id: str
    stp: Stp


@attrs.define(eq=False)
class SpotOrder:
    """One order of a user, open or finished."""

    order_id: str
    account_id: str
    form: Form
    wallet: Wallet
    mode: Mode
    created_ms: int
    updated_ms: int
    rates: SpotRates = attrs.field(factory=InQuote, kw_only=True)
    """The fee rates of its fills."""
    state: State = "new"
    cancel_source: Source = ""
    filled_size: Decimal = ZERO
    filled_notional: Decimal = ZERO
    held: Decimal = ZERO
    """The amount still held for the order, in the currency that it spends."""
    fills: list[Fill] = attrs.Factory(list[Fill])

    @property
    def open(self) -> bool:
        """Return True if the order can still fill."""
        return self.state in ("new", "partially_filled")

    @property
    def shown_client_order_id(self) -> str:
        """Return the client's id in replies and pushes: its own, else the order's."""
        return self.form.client_order_id or self.order_id

    @property
    def spends(self) -> str:
        """Return the currency that the order spends."""
        pair = self.form.market.pair
        return pair.quote if self.form.side == "buy" else pair.base

    def wants(self, price: Decimal) -> Decimal:
        """Return the size that the order would still take at a price, in whole lots."""
        form = self.form
        if form.size is not None:
            return form.size - self.filled_size
        assert form.notional is not None
        lot = form.market.pair.lot
        return (form.notional - self.filled_notional) // (price * lot) * lot


class EngineWatcher:
    """A watcher of the engine: the market, which passes every call on. The methods do nothing unless overridden."""

    def traded(self, market: PairMarket, trade: PublicTrade) -> None:
        """A trade has been recorded."""

    def order_changed(self, order: SpotOrder) -> None:
        """An order was accepted, filled or closed."""

    def money_moved(self, account_id: str, wallet: Wallet, currencies: tuple[str, ...]) -> None:
        """A fill changed these balances of an account."""

    def market_moved(self, market: PairMarket) -> None:
        """A book changed, and there may be new trades."""


class Watcher(EngineWatcher):
    """A watcher of the market, such as the pushes of a venue."""

    def balances_moved(self, account_id: str, wallet: Wallet, currencies: tuple[str, ...], event: str) -> None:
        """Handle balances that changed without a fill."""

    def pairs_ticked(self, symbols: Iterable[str]) -> None:
        """Handle the end of a tick; these pairs may have changed."""


class Engine:
    """All user orders of the spot market.

    Args:
        house: the wallet of the synthetic market.
        takings: the wallet that fees go to.
        dice: the random stream of the fill model.
        dollars: returns the price of a coin, for the volume on which fees may depend.
        enter: brings orders and cancellations to the book.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        log: EventLog,
        new_id: Callable[[], str],
        house: Wallet,
        takings: Wallet,
        fees: SpotFees,
        fills: FillModel,
        dice: random.Random,
        dollars: Callable[[str], Decimal],
        enter: Enter,
        watcher: EngineWatcher,
    ) -> None:
        self.orders: dict[str, SpotOrder] = {}
        self.fees: SpotFees = fees
        """The fee model for new orders."""
        self._fills = fills
        self._dice = dice
        self._dollars = dollars
        self._enter = enter
        self._turnover = Turnover()
        self._clock = clock
        self._log = log
        self._new_id = new_id
        self._house = house
        self._takings = takings
        self._watcher = watcher
        self._by_account: dict[str, list[SpotOrder]] = {}
        self._by_client_id: dict[tuple[str, str], SpotOrder] = {}
        self._open: dict[str, dict[str, SpotOrder]] = {}

    # -- looking up --------------------------------------------------------------------------------

    def of_account(self, account_id: str) -> Iterator[SpotOrder]:
        """Return every order of an account, newest first."""
        return reversed(self._by_account.get(account_id, []))

    def open_orders(self, account_id: str) -> list[SpotOrder]:
        """Return the open orders of an account, newest first."""
        return list(reversed(self._open.get(account_id, {}).values()))

    def find(
        self, account_id: str, *, order_id: str | None = None, client_order_id: str | None = None
    ) -> SpotOrder | None:
        """Return one order of an account; None if there is none or the exchange has forgotten it."""
        order = (
            self.orders.get(order_id or "")
            if order_id is not None
            else self._by_client_id.get((account_id, client_order_id or ""))
        )
        if order is None or order.account_id != account_id:
            return None
        forgotten = order.state == "canceled" and self._clock.now_ms() - order.updated_ms > FORGOTTEN_MS
        return None if forgotten else order

    def copied(self, account_id: str) -> list[SpotOrder]:
        """Return an account's orders in their present state, oldest first; finished ones are final, so not copied."""
        return [
            attrs.evolve(order, fills=list(order.fills)) if order.open else order
            for order in self._by_account.get(account_id, [])
        ]

    def showing(self, account_id: str, orders: list[SpotOrder]) -> Engine:
        """Return an engine for look-ups that knows only these orders of an account, oldest first."""
        shown = copy(self)
        shown.orders = {order.order_id: order for order in orders}
        shown._by_account = {account_id: orders}
        shown._by_client_id = {
            (account_id, order.form.client_order_id): order for order in orders if order.form.client_order_id
        }
        shown._open = {account_id: {order.order_id: order for order in orders if order.open}}
        return shown

    def used(self, account_id: str, client_order_id: str) -> bool:
        """Return True if an account has used a client order id before."""
        return (account_id, client_order_id) in self._by_client_id

    def rates_of(self, account_id: str) -> SpotRates:
        """Return the fee rates that a new order of an account would get."""
        return self.fees.rates(self._turnover.of(account_id, self._clock.steady_ms()))

    # -- placing and cancelling --------------------------------------------------------------------

    def submit(self, account_id: str, wallet: Wallet, form: Form, mode: Mode = "spot") -> SpotOrder:
        """Accept an order; once it has reached the book, match it, and rest what is left if allowed.

        Raises:
            Refused: the wallet cannot cover the order; nothing has happened then.
        """
        order = self._new(account_id, wallet, form, mode)
        hold = self._cost(order)
        try:
            wallet.hold(order.spends, hold)
        except InsufficientFunds:
            raise Refused("funds") from None
        order.held = hold
        self._register(order)
        self._watcher.order_changed(order)
        self._enter(account_id, form.market.pair.symbol, partial(self._arrive, order))
        return order

    def submit_or_fail(self, account_id: str, wallet: Wallet, form: Form) -> SpotOrder:
        """Accept an order like `submit`, but one that cannot be paid for gets the state ``failed``."""
        try:
            return self.submit(account_id, wallet, form)
        except Refused:
            order = self._new(account_id, wallet, form, "spot")
            order.state = "failed"
            self._register(order)
            self._watcher.order_changed(order)
            return order

    def request_cancel(self, order: SpotOrder) -> bool:
        """Accept a cancellation, which takes effect at the book; return False for a closed order."""
        if not order.open:
            return False
        self._enter(order.account_id, order.form.market.pair.symbol, partial(self.cancel, order))
        return True

    def cancel(self, order: SpotOrder, source: Source = "user") -> bool:
        """Close an open order and release the money that it held; return False if it was closed already."""
        if not order.open:
            return False
        self._close(order, source)
        self._watcher.market_moved(order.form.market)
        return True

    def take(self, market: PairMarket, side: Side, limit: Decimal, size: Decimal | None) -> None:
        """Let a synthetic taker trade up to ``size`` within a limit; None: everything."""
        for maker in market.book.candidates(side, limit):
            if size is not None and maker.owner is not None:
                past = let_past(self._fills, market.book, maker, size, self._dice)
                if past:
                    self._record(market, PublicTrade(self._clock.now_ms(), maker.price, past, side), None, None)
                    size -= past
                if not size:
                    break
            part = maker.left if size is None else min(size, maker.left)
            self._trade(market, maker, part, side, None)
            if size is not None:
                size -= part
                if not size:
                    break
        self._watcher.market_moved(market)

    def meet(self, market: PairMarket, side: Side, price: Decimal, size: Decimal, *, through: bool = True) -> Decimal:
        """Trade with the users' orders that a price reaches, and no others; return the rest of the size.

        Orders at exactly that price fill as well if the price has gone ``through`` them, else by the fill model.
        """
        past = ZERO
        for maker in market.book.candidates(side, price):
            if not size:
                break
            if maker.owner is not None:
                if not through and maker.price == price:
                    bypassed = let_past(self._fills, market.book, maker, size, self._dice)
                    past += bypassed
                    size -= bypassed
                part = min(size, maker.left)
                if part:
                    self._trade(market, maker, part, side, None)
                    size -= part
        return size + past

    def show(self, market: PairMarket, side: Side, price: Decimal, size: Decimal) -> None:
        """Record an outside trade at exactly this price, after the users' orders that it reaches."""
        left = self.meet(market, side, price, size, through=False)
        if left:
            self._record(market, PublicTrade(self._clock.now_ms(), price, left, side), None, None)
            market.book.shrink("sell" if side == "buy" else "buy", price, left)
        self._watcher.market_moved(market)

    # -- helpers ---------------------------------------------------------------------------------------

    def _new(self, account_id: str, wallet: Wallet, form: Form, mode: Mode) -> SpotOrder:
        now = self._clock.now_ms()
        return SpotOrder(self._new_id(), account_id, form, wallet, mode, now, now, rates=self.rates_of(account_id))

    def _cost(self, order: SpotOrder) -> Decimal:
        """Return the amount that an order must hold, including the fee of a buy."""
        form = order.form
        if form.side == "sell":
            assert form.size is not None
            return form.size
        value = form.notional
        if value is None:
            assert form.size is not None
            assert form.price is not None
            value = form.size * form.price
        return value + order.rates.in_quote("buy", value, maker=False)

    def _needed(self, order: SpotOrder) -> Decimal:
        """Return the amount that a buy must still hold after a fill."""
        form = order.form
        if form.price is None or form.size is None:
            return order.held
        value = (form.size - order.filled_size) * form.price
        return value + order.rates.in_quote("buy", value, maker=False)

    def _register(self, order: SpotOrder) -> None:
        self.orders[order.order_id] = order
        self._by_account.setdefault(order.account_id, []).append(order)
        if order.form.client_order_id:
            self._by_client_id[order.account_id, order.form.client_order_id] = order
        if order.open:
            self._open.setdefault(order.account_id, {})[order.order_id] = order
        self._log.write(
            "spot_order",
            account=order.account_id,
            order_id=order.order_id,
            symbol=order.form.market.pair.symbol,
            side=order.form.side,
            type=order.form.type,
            state=order.state,
        )

    def _arrive(self, order: SpotOrder) -> None:
        if order.open:
            self._run(order)
            self._watcher.market_moved(order.form.market)

    def _run(self, order: SpotOrder) -> None:
        form = order.form
        market = form.market
        if form.type == "limit_maker":
            assert form.price is not None
            assert form.size is not None
            # Not an error on this exchange: the order is accepted, and the system cancels it without giving a reason.
            if market.book.crosses(form.side, form.price) or form.size * form.price < market.pair.min_value:
                self._close(order, "system")
                return
        else:
            self._match(order)
        if not order.open:
            return
        if form.type in ("limit", "limit_maker"):
            assert form.price is not None
            assert form.size is not None
            left, there = form.size - order.filled_size, market.book.strangers_at(form.side, form.price)
            market.book.add(
                Resting(order.order_id, form.side, form.price, left, order.account_id, self._fills.ahead(there))
            )
        elif form.size is None and order.fills and not order.wants(market.book.best("sell") or order.fills[-1].price):
            # Everything that buys a whole lot was bought.
            self._finish(order, MARKET_BUY_EXACT if order.filled_notional == form.notional else MARKET_BUY_ENDS)
        else:
            self._close(order, "system")

    def _match(self, order: SpotOrder) -> None:
        form = order.form
        for maker in form.market.book.candidates(form.side, form.price):
            if maker.owner == order.account_id and form.stp != "none":
                if form.stp != "cancel_taker":
                    self._close(self.orders[maker.order_id], "stp")
                if form.stp != "cancel_maker":
                    self._close(order, "stp")
                    return
                continue
            part = min(order.wants(maker.price), maker.left)
            if part <= 0:
                return
            self._trade(form.market, maker, part, form.side, order)
            if not order.open:
                return

    def _trade(self, market: PairMarket, maker: Resting, size: Decimal, side: Side, taker: SpotOrder | None) -> None:
        """Make a trade of a taker (None: a synthetic one) with a resting order: book, money, states, public record."""
        match = market.book.take(maker, size)
        if market.book.queued and maker.owner is None:
            market.book.passed(maker.side, maker.price, size)
        resting = None if maker.owner is None else self.orders[maker.order_id]
        now = self._clock.now_ms()
        self._record(market, PublicTrade(now, match.price, size, side), resting, taker)
        if resting is None and taker is None:
            return
        buyer, seller = (taker, resting) if side == "buy" else (resting, taker)
        pair = market.pair
        value = match.price * size
        house = self._house
        if buyer is None:
            house.debit(pair.quote, value)
            house.credit(pair.base, size)
        else:
            self._fill(buyer, match.price, size, "taker" if buyer is taker else "maker", now)
        if seller is None:
            house.debit(pair.base, size)
            house.credit(pair.quote, value)
        else:
            self._fill(seller, match.price, size, "taker" if seller is taker else "maker", now)
        # Watchers are called only now, when both sides are settled.
        for order in (resting, taker):
            if order is not None:
                self._watcher.order_changed(order)
                self._watcher.money_moved(order.account_id, order.wallet, (pair.base, pair.quote))

    def _record(self, market: PairMarket, trade: PublicTrade, maker: SpotOrder | None, taker: SpotOrder | None) -> None:
        market.record(trade, self._clock.steady_ms())
        self._watcher.traded(market, trade)
        self._log.write(
            "match",
            symbol=market.pair.symbol,
            price=trade.price,
            size=trade.size,
            side=trade.side,
            maker=None if maker is None else maker.order_id,
            taker=None if taker is None else taker.order_id,
        )

    def _fill(self, order: SpotOrder, price: Decimal, size: Decimal, role: Literal["taker", "maker"], now: int) -> None:
        pair, side, value = order.form.market.pair, order.form.side, price * size
        made = role == "maker"
        in_quote, in_base = order.rates.in_quote(side, value, maker=made), order.rates.in_base(side, size, maker=made)
        self._turnover.add(order.account_id, value * self._dollars(pair.quote), self._clock.steady_ms())
        wallet, takings = order.wallet, self._takings
        spent = value + in_quote if side == "buy" else size + in_base
        wallet.spend_held(order.spends, spent)
        order.held -= spent
        if side == "buy":
            wallet.credit(pair.base, size - in_base)
        else:
            wallet.credit(pair.quote, value - in_quote)
        takings.credit(pair.quote, in_quote)
        takings.credit(pair.base, in_base)
        fee, currency = (in_base, pair.base) if in_base else (in_quote, pair.quote)
        order.fills.append(Fill(self._new_id(), price, size, fee, currency, role, now))
        order.filled_size += size
        order.filled_notional += value
        order.updated_ms = now
        order.state = "partially_filled"
        if side == "buy":
            # A better price than the order's limit leaves money over.
            surplus = order.held - self._needed(order)
            wallet.release(order.spends, surplus)
            order.held -= surplus
        if order.form.size is not None and order.filled_size == order.form.size:
            order.state = "filled"
            self._settle(order)

    def _close(self, order: SpotOrder, source: Source) -> None:
        order.form.market.book.cancel(order.order_id)
        order.cancel_source = source
        self._finish(order, "partially_canceled" if order.filled_size else "canceled")

    def _finish(self, order: SpotOrder, state: State) -> None:
        order.state = state
        order.updated_ms = self._clock.now_ms()
        given_back = order.held
        self._settle(order)
        self._watcher.order_changed(order)
        if given_back and order.fills:
            # The pushes of the fills showed a balance in which this money was still held; without another push a
            # follower would keep a wrong balance.
            pair = order.form.market.pair
            self._watcher.money_moved(order.account_id, order.wallet, (pair.base, pair.quote))

    def _settle(self, order: SpotOrder) -> None:
        """Release money that a finished order no longer needs."""
        order.wallet.release(order.spends, order.held)
        order.held = ZERO
        self._open.get(order.account_id, {}).pop(order.order_id, None)
        self._log.write("spot_done", account=order.account_id, order_id=order.order_id, state=order.state)
