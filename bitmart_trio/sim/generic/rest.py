"""What is answered over REST: symbols of both markets alike, and what an account has and does there.

Contracts are held one way: a sell makes a long position smaller, and opens a short one with what is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal, TypeVar

import attrs

from ..futures import orders as contracts
from ..futures.listing import Listing, Print
from ..futures.market import FuturesMarket
from ..futures.orders import GTC, IOC, LIVE, MAKER_ONLY, Order, Trader
from ..futures.positions import Position
from ..kernel.accounts import Account, Wallet
from ..kernel.book import Side
from ..kernel.calls import Call, Refusal
from ..kernel.contracts import OpenType, plain
from ..kernel.encoding import Json
from ..kernel.pairs import MAX_PRICE, MONEY, PairMarket, PublicTrade
from ..kernel.refusal import Refused
from ..spot.market import SpotMarket
from ..spot.orders import Fill, Form, OrderType, SpotOrder

T = TypeVar("T")
Row = dict[str, Json]

MOST: Final = 500
"""Rows of one answer."""
SIDES: Final[dict[str, Side]] = {"buy": "buy", "sell": "sell"}
MARGINS: Final[dict[str, OpenType]] = {"cross": "cross", "isolated": "isolated"}
TYPES: Final[dict[str, tuple[OrderType, int]]] = {
    "limit": ("limit", GTC), "market": ("market", IOC), "ioc": ("ioc", IOC), "post_only": ("limit_maker", MAKER_ONLY)
}  # fmt: skip
"""The types of orders, as each market calls them."""
STATES: Final = {"new": "open", "partially_filled": "open", "filled": "filled", "failed": "failed"}


@attrs.frozen
class Rest:
    """The handlers."""

    spot: SpotMarket
    futures: FuturesMarket

    def known(self, symbol: str) -> bool:
        """Whether there is such a symbol."""
        return symbol in self.spot.markets or symbol in self.futures.listings

    def _find(self, symbol: str) -> PairMarket | Listing:
        found = self.spot.look(symbol) or self.futures.look(symbol)
        if found is None:
            raise Refusal(404, f"there is no symbol {symbol[:40]!a}", http=404)
        return found

    def markets(self, call: Call) -> Json:
        """Every symbol with its rules."""
        return [*map(pair_row, self.spot.markets.values()), *map(contract_row, self.futures.listings.values())]

    def book(self, call: Call) -> Json:
        """The best levels of both sides."""
        return self.book_row(call.need("symbol"), _count(call, "levels", 20))

    def book_row(self, symbol: str, levels: int) -> Row:
        """A book as replies and pushes show it; its version rises with every change."""
        book = self._find(symbol).book
        bids, asks = book.levels("buy", levels), book.levels("sell", levels)
        rows: list[Json] = [[[plain(price), plain(size)] for price, size in side] for side in (bids, asks)]
        return {"symbol": symbol, "version": book.version, "bids": rows[0], "asks": rows[1]}

    def trades(self, call: Call) -> Json:
        """The latest trades of a symbol, newest first."""
        symbol, count = call.need("symbol"), _count(call, "limit", 50)
        found = self._find(symbol)
        rows = [trade_row(symbol, each) for each in (found.trades if isinstance(found, PairMarket) else found.prints)]
        return [*rows[: -count - 1 : -1]]

    def _trader(self, account: Account) -> Trader:
        trader = self.futures.engine.trader(account)
        trader.one_way = True
        return trader

    def balances(self, call: Call) -> Json:
        """Free and held money of both wallets."""
        return {"spot": wallet_rows(call.owner.spot), "futures": wallet_rows(call.owner.futures)}

    def positions(self, call: Call) -> Json:
        """The open positions in contracts."""
        listings = self.futures.listings
        return [
            position_row(held, listings[held.contract.symbol].mark)
            for held in self._trader(call.owner).open_positions()
        ]

    def fills(self, call: Call) -> Json:
        """What has traded since a time, newest first."""
        symbol, since, account = call.text("symbol"), call.integer("since", 0), call.owner
        placed = self.spot.engine.of_account(account.account_id)
        found = [(fill.time_ms, fill_row(order, fill)) for order in placed for fill in order.fills]
        found += [(fill.time_ms, contract_fill_row(fill)) for fill in self._trader(account).fills]
        found = [each for each in found if symbol in (None, each[1]["symbol"]) and each[0] >= since]
        found.sort(key=lambda each: (each[0], str(each[1]["id"])), reverse=True)
        return [row for _, row in found[: _count(call, "limit", 100)]]

    def orders(self, call: Call) -> Json:
        """One order by either id, open or not; else the open ones of a symbol or all."""
        return [order_row(order) for order in self._chosen(call)]

    def cancel(self, call: Call) -> Json:
        """Accept the cancellation of one order by either id, or of all open ones; it may come too late."""
        chosen = [order for order in self._chosen(call) if order_row(order)["state"] == "open"]
        for order in chosen:
            if isinstance(order, SpotOrder):
                self.spot.engine.request_cancel(order)
            else:
                self.futures.engine.request_cancel(order)
        return [order_row(order) for order in chosen]

    def _chosen(self, call: Call) -> list[SpotOrder | Order]:
        trader, engine, account_id = self._trader(call.owner), self.spot.engine, call.owner.account_id
        order_id, client_id, symbol = call.text("id"), call.text("client_id"), call.text("symbol")
        found: list[SpotOrder | Order] = [*engine.open_orders(account_id), *trader.orders.values()]
        if order_id is None and client_id is None:
            return [order for order in found if symbol in (None, order_row(order)["symbol"])]
        found = [*engine.of_account(account_id), *trader.orders.values(), *trader.finished]
        name, wanted = ("id", order_id) if client_id is None else ("client_id", client_id)
        found = [order for order in found if order_row(order)[name] == wanted]
        if not found:
            raise Refusal(404, "there is no such order", http=404)
        return found

    def submit(self, call: Call) -> Json:
        """Accept an order, which need not mean that it is in the book."""
        engine, account, found = self.spot.engine, call.owner, self._find(call.need("symbol"))
        side, kind = _one_of(call, "side", SIDES), _one_of(call, "type", TYPES, "limit")
        client_id = call.text("client_id", "") or ""
        if len(client_id) > 64:
            raise Refusal(400, "client_id has 64 characters at most")
        if engine.used(account.account_id, client_id) or client_id in self._trader(account).client_ids:
            raise Refused("used")
        if isinstance(found, PairMarket):
            form = _pair_form(call, found, side, kind[0], client_id)
            return order_row(engine.submit(account.account_id, account.spot, form))
        order = self._contract_order(call, found, side, kind[1], client_id, market=kind[0] == "market")
        self.futures.engine.submit(order)
        return order_row(order)

    def _contract_order(
        self, call: Call, listing: Listing, side: Side, mode: int, client_id: str, *, market: bool
    ) -> Order:
        engine, trader, terms = self.futures.engine, self._trader(call.owner), listing.contract
        price = None if market else _number(call, "price", terms.tick)
        size = _number(call, "size", Decimal(1), Decimal(terms.market_max_volume if market else terms.max_volume))
        setting = trader.setting(terms.symbol)
        reduces = call.text("reduce_only") == "true"
        if not reduces:
            leverage = call.decimal("leverage") or setting.leverage
            margin = _one_of(call, "margin_mode", MARGINS, setting.open_type)
            if not terms.min_leverage <= leverage <= terms.max_leverage:
                raise Refused("leverage")
            if any((leverage, margin) != used for used in trader.terms_in_use(terms)):
                raise Refusal(400, "leverage and margin_mode are those of the open position and orders")
            setting.leverage, setting.open_type = leverage, margin
        number = (2 if reduces else 1) if side == "buy" else (3 if reduces else 4)
        kind: Literal["limit", "market"] = "market" if market else "limit"
        chosen = (setting.leverage, setting.open_type, engine.now())
        return Order(engine.new_id(), client_id, trader, terms, number, kind, price, size, *chosen, mode=mode)


def pair_row(market: PairMarket) -> Row:
    """A pair with its rules."""
    pair = market.pair
    return {
        "symbol": pair.symbol, "kind": "spot", "base": pair.base, "quote": pair.quote, "price_step": plain(pair.tick),
        "size_step": plain(pair.lot), "min_value": plain(pair.min_value), "last": plain(market.last),
    }  # fmt: skip


def contract_row(listing: Listing) -> Row:
    """A contract with its rules."""
    terms, funding = listing.contract, listing.funding
    return {
        "symbol": terms.symbol, "kind": "futures", "base": terms.base, "quote": terms.quote, "settle": terms.settle,
        "inverse": terms.inverse, "contract_size": plain(terms.contract_size), "price_step": plain(terms.tick),
        "size_step": "1", "max_leverage": terms.max_leverage, "last": plain(listing.last), "mark": plain(listing.mark),
        "funding_rate": plain(funding.expected), "next_funding": funding.next_ms,
    }  # fmt: skip


def trade_row(symbol: str, trade: PublicTrade | Print) -> Row:
    """A trade; the side is the taker's."""
    side = trade.side if isinstance(trade, PublicTrade) else "sell" if trade.buyer_is_maker else "buy"
    return {
        "symbol": symbol, "price": plain(trade.price), "size": plain(trade.size), "side": side, "time": trade.time_ms
    }  # fmt: skip


def wallet_rows(wallet: Wallet) -> list[Json]:
    """Each currency of a wallet."""
    return [{"currency": name, "free": plain(free), "held": plain(held)} for name, free, held in wallet.rows()]


def position_row(held: Position, mark: Decimal) -> Row:
    """A position; the size of a short one is negative."""
    size = held.size if held.direction == "long" else -held.size
    return {
        "symbol": held.contract.symbol, "size": plain(size), "entry": plain(held.entry), "mark": plain(mark),
        "leverage": plain(held.leverage), "margin_mode": held.open_type, "margin": plain(held.margin),
        "maintenance": plain(held.maintenance), "profit": plain(held.profit(mark)), "realized": plain(held.realized),
    }  # fmt: skip


def order_row(order: SpotOrder | Order) -> Row:
    """An order as replies and pushes show it."""
    if isinstance(order, SpotOrder):
        form, filled, symbol = order.form, order.filled_size, order.form.market.pair.symbol
        client_id, side, price, size = form.client_order_id, form.side, form.price, form.size
        state, average = STATES.get(order.state, "cancelled"), order.filled_notional / filled if filled else Decimal(0)
        kind = next(name for name, kinds in TYPES.items() if kinds[0] == form.type)
    else:
        filled, average, symbol = order.deal_size, order.deal_average, order.contract.symbol
        client_id, side, price, size = order.client_order_id, order.book_side, order.price, order.size
        state = "open" if order.state == LIVE else "cancelled" if order.left else "filled"
        kind = "market" if price is None else {IOC: "ioc", MAKER_ONLY: "post_only"}.get(order.mode, "limit")
    return {
        "id": order.order_id, "client_id": client_id, "symbol": symbol, "side": side, "type": kind, "state": state,
        "price": None if price is None else plain(price), "size": None if size is None else plain(size),
        "filled": plain(filled), "average": plain(average.quantize(MONEY)), "created": order.created_ms,
        "updated": order.updated_ms,
    }  # fmt: skip


def fill_row(order: SpotOrder, fill: Fill) -> Row:
    """A fill on a pair."""
    form = order.form
    return {
        "id": fill.trade_id, "order_id": order.order_id, "symbol": form.market.pair.symbol, "side": form.side,
        "price": plain(fill.price), "size": plain(fill.size), "fee": plain(fill.fee), "fee_currency": fill.fee_currency,
        "maker": fill.role == "maker", "profit": None, "time": fill.time_ms,
    }  # fmt: skip


def contract_fill_row(fill: contracts.Fill) -> Row:
    """A fill on a contract."""
    return {
        "id": str(fill.trade_id), "order_id": fill.order_id, "symbol": fill.symbol,
        "side": "buy" if fill.side in (1, 2) else "sell", "price": plain(fill.price), "size": plain(fill.size),
        "fee": plain(fill.fee), "fee_currency": fill.currency, "maker": fill.maker, "profit": plain(fill.profit),
        "time": fill.time_ms,
    }  # fmt: skip


def _count(call: Call, name: str, default: int) -> int:
    count = call.integer(name, default)
    if not 1 <= count <= MOST:
        raise Refusal(400, f"{name} is from 1 to {MOST}")
    return count


def _one_of(call: Call, name: str, words: Mapping[str, T], default: str = "") -> T:
    word = call.text(name, default) or ""
    if word not in words:
        raise Refusal(400, f"{name} is one of {', '.join(words)}")
    return words[word]


def _number(call: Call, name: str, step: Decimal, most: Decimal = MAX_PRICE) -> Decimal:
    """A number above zero that has to be there, and is a multiple of a step."""
    call.need(name)
    value = call.decimal(name) or Decimal(0)
    if not 0 < value <= most or value % step:
        raise Refusal(400, f"{name} is a multiple of {plain(step)} above 0, at most {plain(most)}")
    return value.quantize(step) if step == Decimal(1).scaleb(step.adjusted()) else value


def _pair_form(call: Call, market: PairMarket, side: Side, kind: OrderType, client_id: str) -> Form:
    pair = market.pair
    size = price = notional = None
    if kind == "market" and side == "buy":  # by what it may spend, not by a size
        value = notional = _number(call, "value", MONEY)
    else:
        size = _number(call, "size", pair.lot, pair.max_size)
        price = None if kind == "market" else _number(call, "price", pair.tick)
        value = size * (market.last if price is None else price)
    if value < pair.min_value:
        raise Refusal(400, f"an order is worth {plain(pair.min_value)} {pair.quote} at least")
    return Form(market, side, kind, size, price, notional, client_id, "none")
