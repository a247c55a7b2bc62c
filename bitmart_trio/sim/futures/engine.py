"""The matching and margin engine: takes orders, trades them, and moves the money.

Margin works as follows. An opening order needs its value over the leverage plus the taker fee at the worst price at
which it may trade; a resting order holds that amount in the wallet. A fill turns the amount into fee and position
margin. Cross positions are backed by everything in the wallet of their currency, isolated ones by their own margin
only.

An order that may not rest or trade as requested (a maker-only order that would take, a fill-or-kill order that cannot
be filled) is accepted and then cancelled, as on the real exchange, where acceptance only means that the request was
received.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from ..kernel.accounts import Account
from ..kernel.book import Resting, Side
from ..kernel.contracts import ZERO, Terms
from ..kernel.refusal import Refused
from ..kernel.turnover import Turnover
from ..models.fees import FuturesFees, FuturesRates
from ..models.fills import FillModel, let_past
from ..models.latency import Enter
from ..models.margin import MarginModel
from .clearing import Clearing
from .fok import fills_whole
from .ledger import Ledger
from .listing import Listing
from .orders import DONE, FOK, IOC, MAKER_ONLY, Order, Trader
from .positions import Position
from .watching import EngineWatcher

PROTECTIVE_SHARE = Decimal("0.0005")
MATCHED, SUBMITTED, CANCELLED, CANCELLED_BY_LIQUIDATION, BANKRUPT = 1, 2, 3, 4, 7
"""Event codes of order pushes."""


class Engine:
    """All trading of all contracts.

    Args:
        dice: the random stream of the fill model.
        enter: brings orders, changes and cancellations to the book.
    """

    def __init__(
        self,
        listings: dict[str, Listing],
        now: Callable[[], int],
        new_id: Callable[[], str],
        watcher: EngineWatcher,
        *,
        fees: FuturesFees,
        fills: FillModel,
        dice: random.Random,
        margin: MarginModel,
        enter: Enter,
    ) -> None:
        self.fees: FuturesFees = fees
        """The fee model for new orders."""
        self._fills = fills
        self._dice = dice
        self._margin = margin
        self._enter = enter
        self.listings = listings
        self.ledger: Ledger = Ledger()
        self._turnover = Turnover()
        self._clearing = Clearing(listings, self.ledger, margin, self._turnover)
        self.traders: dict[str, Trader] = {}
        self.now = now
        self.new_id = new_id
        self.watcher = watcher
        self._resting: dict[str, Order] = {}

    def trader(self, account: Account) -> Trader:
        """Return the futures side of an account; created on first use."""
        found = self.traders.get(account.account_id)
        if found is None:
            found = self.traders[account.account_id] = Trader(account)
        return found

    def rates_of(self, account: Account) -> FuturesRates:
        """Return the fee rates that a new order of an account would get."""
        return self.fees.rates(self._turnover.of(account.account_id, self.now()))

    def in_use(self) -> set[str]:
        """Return the contracts on which a user has a position or an order of any kind."""
        found: set[str] = set()
        for trader in self.traders.values():
            found.update(held.contract.symbol for held in trader.open_positions())
            found.update(order.contract.symbol for order in trader.orders.values())
            found.update(plan.contract.symbol for plan in trader.plans.values())
        return found

    @property
    def marks(self) -> dict[str, Decimal]:
        """Return the mark price of every contract."""
        return {symbol: listing.mark for symbol, listing in self.listings.items()}

    # ------------------------------------------------------------ orders in

    def submit(self, order: Order) -> None:
        """Accept an order that can be paid for; once it has reached the book, trade it, and rest or drop the remainder.

        Raises:
            Refused: there is too little money, not enough to close, or more leverage than the risk tier allows.
        """
        order.rates = self.rates_of(order.owner.account)
        self._check(order)
        trader, listing = order.owner, self.listings[order.contract.symbol]
        trader.orders[order.order_id] = order
        if order.client_order_id:
            trader.client_ids[order.client_order_id] = order.order_id
        order.updated_ms = order.created_ms
        if order.price is None:
            order.protective_price = self._protective_price(listing, order)
        self.watcher.order_event(order, SUBMITTED)
        self._hold(order)
        self._send(order, partial(self._arrive, order))

    def modify(self, order: Order, price: Decimal, size: Decimal) -> None:
        """Give a live order another price and size; it moves to the end of its new level and may trade at once.

        Raises:
            Refused: the change cannot be paid for.
        """
        self._changing(order, price, size)()
        self._send(order, partial(self._modified, order, price, size))

    def _changing(self, order: Order, price: Decimal, size: Decimal) -> Callable[[], None]:
        """Change an order if the change can be paid for; return the function that undoes it."""
        wallet, currency, before = order.owner.account.futures, order.contract.settle, (order.price, order.size)

        def undo() -> None:
            order.price, order.size = before
            wallet.hold(currency, order.held)

        # The money that the order holds may pay for the change; after a refusal the order keeps its place in the book.
        wallet.release(currency, order.held)
        order.price, order.size = price, size
        try:
            self._check(order)
        except Refused:
            undo()
            raise
        return undo

    def _modified(self, order: Order, price: Decimal, size: Decimal) -> None:
        """Carry out an accepted change, unless fills or other orders have made it impossible meanwhile."""
        if order.state == DONE or size <= order.deal_size:
            return
        try:
            self._changing(order, price, size)
        except Refused:
            return
        order.held = ZERO
        self._unrest(order)
        order.updated_ms = self.now()
        self.watcher.order_event(order, SUBMITTED)
        self._run(self.listings[order.contract.symbol], order)

    def request_cancel(self, order: Order) -> None:
        """Accept a cancellation, which takes effect once it has reached the book."""
        self._send(order, partial(self.cancel, order))

    def cancel(self, order: Order, action: int = CANCELLED) -> None:
        """End a live order and release its held money."""
        if order.state == DONE:
            return
        self._unrest(order)
        self._finish(order)
        self.watcher.order_event(order, action)

    def close_at_market(self, trader: Trader, held: Position) -> Order:
        """Close a whole position at market, after cancelling the closing orders that reserve it."""
        for order in self.closing_orders(trader, held):
            self.cancel(order)
        side = 3 if held.direction == "long" else 2
        order = Order(
            self.new_id(),
            "",
            trader,
            held.contract,
            side,
            "market",
            None,
            held.size,
            held.leverage,
            held.open_type,
            self.now(),
            mode=IOC,
        )
        self.submit(order)
        return order

    def closing_orders(self, trader: Trader, held: Position) -> list[Order]:
        """Return the live orders that close a position, oldest first."""
        return [
            order for order in trader.live(held.contract.symbol) if order.closing and order.direction == held.direction
        ]

    def sweep(self, listing: Listing, side: Side, limit: Decimal | None, size: Decimal, *, opens: bool) -> None:
        """Let the synthetic market take up to ``size`` from the book; with a limit the price has crossed the rest."""
        self._match(listing, side, limit, size, None, opens, ending=limit)

    def meet(self, listing: Listing, side: Side, price: Decimal, size: Decimal, *, through: bool = True) -> Decimal:
        """Trade with the users' orders that a price reaches, and no others; return the rest of the size.

        Orders at exactly that price fill as well if the price has gone ``through`` them, else by the fill model.
        """
        left = self._match(
            listing, side, price, size, None, True, strangers=False, ending=None if through else price, through=through
        )
        assert left is not None, "only users' orders stop"
        return left

    def show(self, listing: Listing, side: Side, price: Decimal, size: Decimal) -> None:
        """Record an outside trade at exactly this price, after the users' orders that it reaches."""
        left = self.meet(listing, side, price, size, through=False)
        if left:
            self._print(listing, price, left, side)
            listing.book.shrink("sell" if side == "buy" else "buy", price, left)

    def liquidation_price(self, trader: Trader, held: Position) -> Decimal:
        """Return the mark price at which a position would be liquidated if nothing else moved; 0 for never."""
        if held.open_type == "isolated":
            return held.liquidation_price(held.margin)
        return held.liquidation_price(self.ledger.backing(trader, held.contract.settle, self.marks, held))

    # ------------------------------------------------------------ checks

    def _check(self, order: Order) -> None:
        trader, contract = order.owner, order.contract
        if order.closing:
            held = trader.position(contract.symbol, order.direction)
            if held is None:
                raise Refused("position")
            if order.left > held.size - trader.frozen_size(held) + (
                order.left if order.order_id in trader.orders else 0
            ):
                raise Refused("size")
        opening = self._opening_size(order)
        if opening <= 0:
            return
        worst = self._worst_price(order)
        if worst is None:
            return
        planned = contract.value(opening, worst) + self._open_value(trader, contract, without=order)
        if order.leverage > self._margin.leverage(contract, planned):
            raise Refused("leverage")
        if contract.cost(opening, worst, order.leverage, order.rates.taker) > self.ledger.free(
            trader, contract.settle, self.marks
        ):
            raise Refused("funds")

    def _opening_size(self, order: Order) -> Decimal:
        """Return how much of the remainder would open a position at present."""
        if order.closing:
            return ZERO
        return order.split(order.left)[2]

    def _worst_price(self, order: Order) -> Decimal | None:
        """Return the price, of those at which the order may trade, with the greatest value; None with an empty book."""
        book = self.listings[order.contract.symbol].book
        prices = [] if order.price is None else [order.price]
        left = order.left
        for maker in book.candidates(order.book_side, order.price):
            prices.append(maker.price)
            left -= maker.left
            if left <= 0:
                break
        if not prices:
            return None
        return min(prices) if order.contract.inverse else max(prices)

    def _open_value(self, trader: Trader, contract: Terms, without: Order) -> Decimal:
        """Return the value that the account holds and may still open on a contract, both directions together."""
        mark = self.listings[contract.symbol].mark
        held = sum(
            (position.value(mark) for position in trader.open_positions() if position.contract is contract), ZERO
        )
        return held + sum(
            (
                contract.value(order.left, order.price or mark)
                for order in trader.live(contract.symbol)
                if not order.closing and order is not without
            ),
            ZERO,
        )

    # ------------------------------------------------------------ matching

    def _send(self, order: Order, deed: Callable[[], object]) -> None:
        self._enter(order.owner.account.account_id, order.contract.symbol, deed)

    def _hold(self, order: Order) -> None:
        """Hold the money that an order may need until it reaches the book."""
        opening = self._opening_size(order)
        worst = self._worst_price(order) if opening > 0 else None
        if worst is not None:
            order.held = order.contract.cost(opening, worst, order.leverage, order.rates.taker)
            order.owner.account.futures.hold(order.contract.settle, order.held)

    def _arrive(self, order: Order) -> None:
        if order.state != DONE:
            order.owner.account.futures.release(order.contract.settle, order.held)
            order.held = ZERO
            if self._too_late(order):
                self.cancel(order)
            else:
                self._run(self.listings[order.contract.symbol], order)

    @staticmethod
    def _too_late(order: Order) -> bool:
        """Return True if the position of a closing order has gone while the order was in flight."""
        if not order.closing:
            return False
        held = order.owner.position(order.contract.symbol, order.direction)
        return held is None or order.owner.frozen_size(held) > held.size

    def _run(self, listing: Listing, order: Order) -> None:
        book, side = listing.book, order.book_side
        if order.mode == MAKER_ONLY and book.crosses(side, order.price):
            self.cancel(order)
            return
        if order.mode == FOK and not fills_whole(listing, order, self._resting):
            self.cancel(order)
            return
        left = self._match(listing, side, order.price, order.left, order, not order.closing)
        if order.state == DONE:
            return
        if left is None or order.price is None or order.mode in (FOK, IOC):
            self.cancel(order)
        else:
            self._rest(listing, order)
        self.watcher.asset_changed(order.owner, order.contract.settle)

    @staticmethod
    def _protective_price(listing: Listing, order: Order) -> Decimal:
        """Return the price that a market order shows: worse than the last price by `PROTECTIVE_SHARE` of it."""
        share = PROTECTIVE_SHARE
        return listing.contract.on_grid(listing.last * (1 + share if order.book_side == "buy" else 1 - share))

    def _match(
        self,
        listing: Listing,
        side: Side,
        limit: Decimal | None,
        size: Decimal,
        taker: Order | None,
        taker_opens: bool,
        *,
        strangers: bool = True,
        ending: Decimal | None = None,
        through: bool = False,
    ) -> Decimal | None:
        """Trade against the book, or against users' orders only.

        Return the rest of the size; None if the taker must stop (self-trade, or its money ran out). A taker without an
        order trades, by the fill model, with the users' orders that the price has not gone through: all of them or, if
        the trade ends at a price, those at that price.
        """
        past = ZERO
        for maker in listing.book.candidates(side, limit):
            if size <= 0:
                break
            if maker.owner is None and not strangers:
                continue
            resting = self._resting.get(maker.order_id)
            if resting is not None and taker is not None and resting.owner is taker.owner:
                if taker.stp_mode in (1, 3):
                    self.cancel(resting)
                if taker.stp_mode in (2, 3):
                    return None
                continue
            if resting is not None and taker is None and not through and ending in (None, maker.price):
                bypassed = let_past(self._fills, listing.book, maker, size, self._dice)
                size -= bypassed
                if strangers and bypassed:
                    self._print(listing, maker.price, bypassed, side)
                else:
                    past += bypassed
            trade = min(size, maker.left)
            if resting is not None:
                if not self._affordable(resting, trade, maker.price):
                    self.cancel(resting)
                    continue
                trade = self._room(resting, trade)
            if taker is not None:
                trade = self._room(taker, trade)
                if trade <= 0 or not self._affordable(taker, trade, maker.price):
                    return None
            if trade <= 0:
                continue
            size -= trade
            self._trade(listing, maker, resting, taker, trade, taker_opens)
            if taker is not None and taker.state == DONE:
                break
        return size + past

    def _print(self, listing: Listing, price: Decimal, size: Decimal, side: Side) -> None:
        """Record a trade of strangers."""
        trade = listing.print(
            self.now(), price, size, buyer_is_maker=side == "sell", taker_opens=True, maker_opens=True
        )
        self.watcher.matched(listing, trade, None, None)

    def _room(self, order: Order, size: Decimal) -> Decimal:
        """Return as much of ``size`` as the order may still fill: a closing one no more than there is to close."""
        if not order.closing:
            return size
        held = order.owner.position(order.contract.symbol, order.direction)
        return ZERO if held is None else min(size, held.size)

    def _affordable(self, order: Order, size: Decimal, price: Decimal) -> bool:
        """Return True if a fill can be paid for; uncertain only if part of an order nets off in one-way mode."""
        held, closing, opening = order.split(size)
        if opening <= 0 or order.closing:
            return True
        contract = order.contract
        there = order.owner.account.futures.available(contract.settle) + order.held
        if held is not None:
            cost, margin = held.share(closing)
            there += margin + contract.profit(held.direction, cost, contract.value(closing, price))
        return contract.cost(opening, price, order.leverage, order.rates.taker) <= there

    def _trade(
        self,
        listing: Listing,
        maker: Resting,
        resting: Order | None,
        taker: Order | None,
        size: Decimal,
        taker_opens: bool,
    ) -> None:
        now, price = self.now(), maker.price
        listing.book.take(maker, size)
        if listing.book.queued and resting is None:
            listing.book.passed(maker.side, maker.price, size)
        trade = listing.print(
            now,
            price,
            size,
            buyer_is_maker=maker.side == "buy",
            taker_opens=taker_opens,
            maker_opens=resting is None or not resting.closing,
        )
        self.watcher.matched(
            listing,
            trade,
            None if resting is None else resting.order_id,
            None if taker is None else taker.order_id,
        )
        # A fill can cancel other orders of its owner, so both sides are filled before positions are read again.
        for order, made in ((resting, True), (taker, False)):
            if order is not None:
                self._fill(order, size, price, made, trade.trade_id, now)
        if resting is not None:
            self._after_fill(resting)
        if taker is not None:
            self._after_fill(taker)

    def _rest(self, listing: Listing, order: Order) -> None:
        assert order.price is not None, "only limit orders rest"
        opening, currency = self._opening_size(order), order.contract.settle
        needed = order.contract.cost(opening, order.price, order.leverage, order.rates.taker) if opening > 0 else ZERO
        wallet = order.owner.account.futures
        if needed > wallet.available(currency):
            self.cancel(order)
            return
        wallet.hold(currency, needed)
        order.held = needed
        self._resting[order.order_id] = order
        account_id, there = order.owner.account.account_id, listing.book.strangers_at(order.book_side, order.price)
        listing.book.add(
            Resting(order.order_id, order.book_side, order.price, order.left, account_id, self._fills.ahead(there))
        )
        self.watcher.asset_changed(order.owner, currency)

    def _unrest(self, order: Order) -> None:
        """Remove an order from the book and release its held money."""
        self.listings[order.contract.symbol].book.cancel(order.order_id)
        self._resting.pop(order.order_id, None)
        if order.held:
            order.owner.account.futures.release(order.contract.settle, order.held)
            order.held = ZERO
        self.watcher.asset_changed(order.owner, order.contract.settle)

    def _finish(self, order: Order) -> None:
        order.state = DONE
        order.updated_ms = max(order.updated_ms, self.now())
        self._resting.pop(order.order_id, None)
        if order.owner.orders.pop(order.order_id, None) is not None:
            order.owner.finished.append(order)
        self.watcher.order_finished(order)

    # ------------------------------------------------------------ fills

    def _fill(self, order: Order, size: Decimal, price: Decimal, maker: bool, trade_id: int, now: int) -> None:
        if order.held:
            order.owner.account.futures.release(order.contract.settle, order.held)
            order.held = ZERO
        self._clearing.fill(order, size, price, maker=maker, trade_id=trade_id, now=now)
        if order.order_id in self._resting and order.left:
            self._hold_rest(order)

    def _hold_rest(self, order: Order) -> None:
        assert order.price is not None, "only limit orders rest"
        opening, wallet = self._opening_size(order), order.owner.account.futures
        if opening > 0:
            needed = order.contract.cost(opening, order.price, order.leverage, order.rates.taker)
            order.held = min(needed, wallet.available(order.contract.settle))
            wallet.hold(order.contract.settle, order.held)

    def _after_fill(self, order: Order) -> None:
        trader = order.owner
        done = not order.left
        if done:
            order.state = DONE
        self.watcher.order_event(order, MATCHED)
        if done:
            self._finish(order)
        for held in [p for p in trader.positions.values() if p.contract is order.contract]:
            self.prune(trader, held)
        self.watcher.asset_changed(trader, order.contract.settle)
        self.watcher.position_changed(trader, order.contract)

    def prune(self, trader: Trader, held: Position) -> None:
        """Cancel the closing orders, newest first, for which there is nothing left to close."""
        surplus = trader.frozen_size(held) - held.size
        for order in reversed(self.closing_orders(trader, held)):
            if surplus <= 0:
                break
            if order.order_id in self._resting:
                surplus -= order.left
                self.cancel(order)
        if not held.size:
            self.watcher.position_closed(trader, held)
