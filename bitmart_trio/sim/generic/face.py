"""A plain venue on the same markets and accounts; see ``docs/generic_venue.md``.

It uses plain JSON: amounts are texts, times milliseconds. Symbols of both markets are treated alike, and contracts are
in one-way mode: a sell reduces a long position, and opens a short one with the rest.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, Literal, TypeAlias, TypeVar
from urllib.parse import parse_qsl

import attrs

from ..exchange import Exchange
from ..futures import orders as contracts
from ..futures.listing import Listing, Print
from ..futures.market import FuturesMarket
from ..futures.orders import GTC, IOC, LIVE, MAKER_ONLY, Order, Trader
from ..futures.watching import MarketWatcher
from ..kernel.accounts import Account
from ..kernel.book import Side
from ..kernel.calls import Call, Onward, Refusal
from ..kernel.contracts import OpenType, plain
from ..kernel.encoding import Json, encode, read_object
from ..kernel.faults import Trouble
from ..kernel.feed import Feed, FeedChannel, Frame, SocketKind
from ..kernel.messages import Request, Response
from ..kernel.pairs import MAX_PRICE, MONEY, PairMarket, PublicTrade
from ..kernel.refusal import Refused
from ..kernel.talk import Line, Spoiler, Venue, listen
from ..spot.market import SpotMarket
from ..spot.orders import Fill, Form, OrderType, SpotOrder, Watcher

T = TypeVar("T")
Kinds: TypeAlias = tuple[OrderType, int]
logger: logging.Logger = logging.getLogger(__name__)

HEADERS: Final = {"Content-Type": "application/json"}
WORDS: Final = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "not_allowed", 413: "too_large"}
"""The names of errors, by HTTP status; any other error of a request is ``invalid``."""
TROUBLES: Final[dict[Trouble, int]] = {
    "too_many": 429, "banned": 418, "maintenance": 503, "no_data": 200, "unavailable": 503, "broken": 500
}  # fmt: skip
SIDES: Final[dict[str, Side]] = {"buy": "buy", "sell": "sell"}
MARGINS: Final[dict[str, OpenType]] = {"cross": "cross", "isolated": "isolated"}
TYPES: Final[dict[str, Kinds]] = {  # as each market calls them
    "limit": ("limit", GTC), "market": ("market", IOC), "ioc": ("ioc", IOC), "post_only": ("limit_maker", MAKER_ONLY)
}  # fmt: skip


def trade_row(symbol: str, trade: PublicTrade | Print) -> Frame:
    """Return a trade as JSON; the side is the taker's."""
    side = trade.side if isinstance(trade, PublicTrade) else "sell" if trade.buyer_is_maker else "buy"
    return {
        "symbol": symbol, "price": plain(trade.price), "size": plain(trade.size), "side": side, "time": trade.time_ms
    }  # fmt: skip


def order_row(order: SpotOrder | Order) -> Frame:
    """Return an order as replies and pushes show it."""
    if isinstance(order, SpotOrder):
        form, filled, symbol = order.form, order.filled_size, order.form.market.pair.symbol
        client_id, side, price, size = form.client_order_id, form.side, form.price, form.size
        ended = "failed" if order.state == "failed" else "cancelled" if order.cancel_source else "filled"
        state, average = "open" if order.open else ended, order.filled_notional / filled if filled else Decimal(0)
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


def _fill_row(symbol: str, order_id: str, side: Side, fill: Fill | contracts.Fill) -> Frame:
    if isinstance(fill, Fill):
        currency, maker, profit = fill.fee_currency, fill.role == "maker", None
    else:
        currency, maker, profit = fill.currency, fill.maker, plain(fill.profit)
    return {
        "id": str(fill.trade_id), "order_id": order_id, "symbol": symbol, "side": side, "price": plain(fill.price),
        "size": plain(fill.size), "fee": plain(fill.fee), "fee_currency": currency, "maker": maker, "profit": profit,
        "time": fill.time_ms,
    }  # fmt: skip


def _count(call: Call, name: str, default: int) -> int:
    count = call.integer(name, default)
    if not 1 <= count <= 500:
        raise Refusal(400, f"{name} is from 1 to 500")
    return count


def _one_of(call: Call, name: str, words: Mapping[str, T], default: str = "") -> T:
    word = call.text(name, default) or ""
    if word not in words:
        raise Refusal(400, f"{name} is one of {', '.join(words)}")
    return words[word]


def _number(call: Call, name: str, step: Decimal, most: Decimal = MAX_PRICE) -> Decimal:
    """Return a required number that is above zero and a multiple of a step."""
    call.need(name)
    value = call.decimal(name) or Decimal(0)
    if not 0 < value <= most or value % step:
        raise Refusal(400, f"{name} is a multiple of {plain(step)} above 0, at most {plain(most)}")
    return value.quantize(step) if step == Decimal(1).scaleb(step.adjusted()) else value


class Markets(Watcher, MarketWatcher):
    """Both markets in one format: REST handlers, pushes of trades and orders at once, pushes of books once per tick."""

    def __init__(self, spot: SpotMarket, futures: FuturesMarket, feed: Feed) -> None:
        self.spot = spot
        self.futures = futures
        self._feed = feed
        self._versions: dict[str, int] = {}  # of the books as they were pushed last
        feed.add(FeedChannel("book", "stream", self.known, lambda symbol, account: [self._book(symbol)]))
        feed.add(FeedChannel("trades", "stream", self.known))
        feed.add(FeedChannel("orders", "stream", lambda symbol: not symbol, private=True))
        spot.watchers.append(self)
        futures.watchers.append(self)

    def known(self, symbol: str) -> bool:
        """Return True if the symbol exists."""
        return symbol in self.spot.markets or symbol in self.futures.listings

    def find(self, symbol: str) -> PairMarket | Listing:
        """Return the market of a symbol."""
        found = self.spot.look(symbol) or self.futures.look(symbol)
        if found is None:
            raise Refusal(404, f"there is no symbol {symbol[:40]!a}", http=404)
        return found

    def symbols(self, call: Call) -> Json:
        """Return every symbol with its rules."""
        pairs: list[Json] = [
            {
                "symbol": (pair := market.pair).symbol, "kind": "spot", "base": pair.base, "quote": pair.quote,
                "price_step": plain(pair.tick), "size_step": plain(pair.lot), "min_value": plain(pair.min_value),
                "last": plain(market.last),
            } for market in self.spot.markets.values()
        ]  # fmt: skip
        contracts: list[Json] = [
            {
                "symbol": (terms := listing.contract).symbol, "kind": "futures", "base": terms.base,
                "quote": terms.quote, "settle": terms.settle, "inverse": terms.inverse, "price_step": plain(terms.tick),
                "size_step": "1", "contract_size": plain(terms.contract_size), "max_leverage": terms.max_leverage,
                "last": plain(listing.last), "mark": plain(listing.mark), "next_funding": listing.funding.next_ms,
                "funding_rate": plain(listing.funding.expected),
            } for listing in self.futures.listings.values()
        ]  # fmt: skip
        return pairs + contracts

    def book(self, call: Call) -> Json:
        """Return the best levels of both sides."""
        return self.book_row(call.need("symbol"), _count(call, "levels", 20))

    def book_row(self, symbol: str, levels: int = 20) -> Frame:
        """Return a book as replies and pushes show it; its version rises with every change."""
        book = self.find(symbol).book
        bids, asks = book.levels("buy", levels), book.levels("sell", levels)
        rows: list[Json] = [[[plain(price), plain(size)] for price, size in side] for side in (bids, asks)]
        return {"symbol": symbol, "version": book.version, "bids": rows[0], "asks": rows[1]}

    def trades(self, call: Call) -> Json:
        """Return the latest trades of a symbol, newest first."""
        found, count = self.find(symbol := call.need("symbol")), _count(call, "limit", 50)
        rows = [trade_row(symbol, each) for each in (found.trades if isinstance(found, PairMarket) else found.prints)]
        return [*rows[: -count - 1 : -1]]

    def _trader(self, account: Account) -> Trader:
        trader = self.futures.engine.trader(account)
        trader.one_way = True
        return trader

    def balances(self, call: Call) -> Json:
        """Return free and held money of both wallets."""
        return {
            market: [{"currency": name, "free": plain(free), "held": plain(held)} for name, free, held in wallet.rows()]
            for market, wallet in (("spot", call.owner.spot), ("futures", call.owner.futures))
        }

    def positions(self, call: Call) -> Json:
        """Return the open positions in contracts; a short position has a negative size."""
        listings = self.futures.listings
        return [
            {
                "symbol": held.contract.symbol, "size": plain(held.size if held.direction == "long" else -held.size),
                "entry": plain(held.entry), "mark": plain(mark := listings[held.contract.symbol].mark),
                "leverage": plain(held.leverage), "margin_mode": held.open_type, "margin": plain(held.margin),
                "maintenance": plain(held.maintenance), "profit": plain(held.profit(mark)),
                "realized": plain(held.realized),
            } for held in self._trader(call.owner).open_positions()
        ]  # fmt: skip

    def fills(self, call: Call) -> Json:
        """Return the caller's fills since a time, newest first."""
        symbol, since = call.text("symbol"), call.integer("since", 0)
        found = [
            (fill.time_ms, _fill_row(order.form.market.pair.symbol, order.order_id, order.form.side, fill))
            for order in self.spot.engine.of_account(call.owner.account_id)
            for fill in order.fills
        ]
        found += [
            (fill.time_ms, _fill_row(fill.symbol, fill.order_id, "buy" if fill.side in (1, 2) else "sell", fill))
            for fill in self._trader(call.owner).fills
        ]
        found = [each for each in found if symbol in (None, each[1]["symbol"]) and each[0] >= since]
        found.sort(key=lambda each: (each[0], str(each[1]["id"])), reverse=True)
        return [row for _, row in found[: _count(call, "limit", 100)]]

    def orders(self, call: Call) -> Json:
        """Return one order by either id, open or not; without an id, the open orders of a symbol or all."""
        return [order_row(order) for order in self._chosen(call)]

    def cancel(self, call: Call) -> Json:
        """Accept the cancellation of one order by either id, or of all open orders; it may come too late."""
        chosen = [order for order in self._chosen(call) if order_row(order)["state"] == "open"]
        for order in chosen:
            if isinstance(order, SpotOrder):
                self.spot.engine.request_cancel(order)
            else:
                self.futures.engine.request_cancel(order)
        return [order_row(order) for order in chosen]

    def _chosen(self, call: Call) -> list[SpotOrder | Order]:
        trader, engine, account_id = self._trader(call.owner), self.spot.engine, call.owner.account_id
        wanted = {name: text for name in ("id", "client_id", "symbol") if (text := call.text(name)) is not None}
        found: list[SpotOrder | Order] = [*engine.open_orders(account_id), *trader.orders.values()]
        if named := wanted.keys() - {"symbol"}:
            found = [*engine.of_account(account_id), *trader.orders.values(), *trader.finished]
        found = [order for order in found if wanted.items() <= order_row(order).items()]
        if named and not found:
            raise Refusal(404, "there is no such order", http=404)
        return found

    def submit(self, call: Call) -> Json:
        """Accept an order, which may still be on its way to the book."""
        engine, account, found = self.spot.engine, call.owner, self.find(call.need("symbol"))
        side, kind = _one_of(call, "side", SIDES), _one_of(call, "type", TYPES, "limit")
        client_id = call.text("client_id", "") or ""
        if len(client_id) > 64:
            raise Refusal(400, "client_id has 64 characters at most")
        if engine.used(account.account_id, client_id) or client_id in self._trader(account).client_ids:
            raise Refused("used")
        if isinstance(found, PairMarket):
            return self._submit_spot(call, found, side, kind[0], client_id)
        return self._submit_contract(call, found, side, kind, client_id)

    def _submit_spot(self, call: Call, market: PairMarket, side: Side, kind: OrderType, client_id: str) -> Json:
        pair, size, price, notional = market.pair, None, None, None
        if kind == "market" and side == "buy":  # by what it may spend, not by a size
            value = notional = _number(call, "value", MONEY)
        else:
            size = _number(call, "size", pair.lot, pair.max_size)
            price = None if kind == "market" else _number(call, "price", pair.tick)
            value = size * (market.last if price is None else price)
        if value < pair.min_value:
            raise Refusal(400, f"an order is worth {plain(pair.min_value)} {pair.quote} at least")
        form = Form(market, side, kind, size, price, notional, client_id, "none")
        return order_row(self.spot.engine.submit(call.owner.account_id, call.owner.spot, form))

    def _submit_contract(self, call: Call, listing: Listing, side: Side, kinds: Kinds, client_id: str) -> Json:
        engine, trader, terms = self.futures.engine, self._trader(call.owner), listing.contract
        market = kinds[0] == "market"
        price = None if market else _number(call, "price", terms.tick)
        size = _number(call, "size", Decimal(1), Decimal(terms.market_max_volume if market else terms.max_volume))
        setting, reduces = trader.setting(terms.symbol), call.text("reduce_only") == "true"
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
        order = Order(engine.new_id(), client_id, trader, terms, number, kind, price, size, *chosen, mode=kinds[1])
        engine.submit(order)
        return order_row(order)

    def _book(self, symbol: str) -> Frame:
        return {"topic": f"book:{symbol}", "data": self.book_row(symbol)}

    def _push(self, topic: str, account_id: str | None, make: Callable[..., Json], *about: object) -> None:
        if self._feed.wanted(topic, account_id):
            self._feed.publish(topic, {"topic": topic, "data": make(*about)}, account_id)

    def traded(self, market: PairMarket, trade: PublicTrade) -> None:
        """Push a trade on a pair."""
        self._push(f"trades:{market.pair.symbol}", None, trade_row, market.pair.symbol, trade)

    def matched(self, listing: Listing, trade: Print, maker: str | None, taker: str | None) -> None:
        """Push a trade on a contract."""
        self._push(f"trades:{listing.contract.symbol}", None, trade_row, listing.contract.symbol, trade)

    def order_changed(self, order: SpotOrder) -> None:
        """Push an order on a pair to its owner."""
        self._push("orders", order.account_id, order_row, order)

    def order_event(self, order: Order, action: int) -> None:
        """Push an order on a contract to its owner."""
        self._push("orders", order.owner.account.account_id, order_row, order)

    def ticked(self, now_ms: int) -> None:
        """Push the books that have changed."""
        for topic in self._feed.topics():
            name, _, symbol = topic.partition(":")
            if name == "book" and self._versions.get(symbol) != (version := self.find(symbol).book.version):
                self._versions[symbol] = version
                self._push(topic, None, self.book_row, symbol)


@attrs.frozen
class StreamDialect:
    """The protocol of one connection."""

    line: Line
    feed: Feed
    account: Callable[[str, str], Account | None]
    """Return the account of a key and its secret."""

    def hear(self, text: str) -> None:
        """Act on one message of the client."""
        message = read_object(text) or {}
        op, topics = message.get("op"), message.get("topics")
        if op == "ping":
            self.line.pong('{"op":"pong"}')
        elif op == "login":
            self._login(str(message.get("key")), str(message.get("secret")))
        elif op in ("subscribe", "unsubscribe") and isinstance(topics, list):
            for topic in topics:
                (self._subscribe if op == "subscribe" else self._unsubscribe)(str(topic))
        else:
            self._refuse("invalid", "op is ping, login, or subscribe or unsubscribe with a list of topics")

    def turn_away(self, why: str) -> None:
        """Report that a limit is exceeded."""
        self._refuse("too_many", f"too many {why}")

    def _login(self, key: str, secret: str) -> None:
        line, fault, account = self.line, self.line.refused_login(), self.account(key, secret)
        if line.breaks_at_login():
            line.drop()
        elif fault is not None or account is None:
            self._refuse("unauthorized", fault[1] if fault else "no such key and secret", op="login")
        else:
            line.account = account
            line.say({"op": "login", "ok": True})

    def _subscribe(self, topic: str) -> None:
        line, found, fault = self.line, self.feed.find("stream", topic), self.line.refused_topic(topic)
        if fault is not None or isinstance(found, str):
            self._refuse("not_found", fault[1] if fault else "there is no such topic", op="subscribe", topic=topic)
        elif found[0].private and line.account is None:
            self._refuse("unauthorized", "log in first", op="subscribe", topic=topic)
        else:
            if not line.loses_ack(topic):
                line.say({"op": "subscribe", "ok": True, "topic": topic})
            if topic not in line.topics:
                listen(self.feed, line, topic, *found)

    def _unsubscribe(self, topic: str) -> None:
        self.line.topics.pop(topic, lambda: None)()
        if not self.line.loses_ack(topic):
            self.line.say({"op": "unsubscribe", "ok": True, "topic": topic})

    def _refuse(self, error: str, message: str, **about: Json) -> None:
        self.line.say({**about, "ok": False, "error": error, "message": message})


@attrs.frozen
class Route:
    """An endpoint of the exchange."""

    method: str
    path: str
    handler: Onward
    private: bool = False
    writes: bool = False


class Generic(Venue):
    """A plain venue on an exchange; the exchange does not know it."""

    kinds: tuple[SocketKind, ...] = ("stream",)

    def __init__(self, exchange: Exchange) -> None:
        self.exchange: Exchange = exchange
        self._traces = exchange.random("trace")
        markets = Markets(exchange.spot, exchange.futures, exchange.feed)
        routes = (
            Route("GET", "/v1/time", lambda call: {"time": call.now_ms}),
            Route("GET", "/v1/markets", markets.symbols),
            Route("GET", "/v1/book", markets.book),
            Route("GET", "/v1/trades", markets.trades),
            Route("GET", "/v1/balances", markets.balances, private=True),
            Route("GET", "/v1/positions", markets.positions, private=True),
            Route("GET", "/v1/fills", markets.fills, private=True),
            Route("GET", "/v1/orders", markets.orders, private=True),
            Route("POST", "/v1/orders", markets.submit, private=True, writes=True),
            Route("DELETE", "/v1/orders", markets.cancel, private=True, writes=True),
        )
        self._routes: dict[tuple[str, str], Route] = {(route.method, route.path): route for route in routes}
        self.endpoints: int = len(routes)

    def handle(self, request: Request, spoiler: Spoiler | None = None) -> Response:
        """Answer one request, with these faults in the answer; never raises."""
        account: Account | None = None
        try:
            route = self._route(request)
            account = self._caller(request) if route.private else None
            call = Call(_params(request), account, self.exchange.now_ms())
            answer = route.handler(call) if spoiler is None else spoiler.answer(route, call, route.handler)
            response = Response(200, HEADERS, encode(answer))
        except Refusal as refusal:
            headers = {"WWW-Authenticate": 'Basic realm="exchange"'} if refusal.http == 401 else None
            response = self.error(refusal.http, refusal.message, headers)
        except Refused as refused:
            response = Response(409, HEADERS, encode({"error": refused.reason, "message": "the exchange refuses it"}))
        except Exception:
            logger.exception("bug in the simulated exchange: %s %s", request.method, request.path)
            response = self.trouble("broken")
        self.exchange.futures.settled()
        method, path, whose = request.method, request.path, None if account is None else account.account_id
        self.exchange.log.write("request", method=method, path=path, account=whose, status=response.status)
        return response

    def serve(self, request: Request) -> Response:
        """Answer one request, with the faults of the exchange."""
        return self.handle(request, self.spoiler)

    def error(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
        """Return the answer to a malformed request."""
        body: dict[str, Json] = {"error": WORDS.get(status, "invalid"), "message": text}
        return Response(status, {**HEADERS, **(headers or {})}, encode(body))

    def trace(self) -> str:
        """Return the next request id."""
        return f"{self._traces.getrandbits(64):016x}"

    def trouble(self, what: Trouble, status: int | None = None) -> Response:
        """Return the answer of an exchange in trouble."""
        body: Json = {} if what == "no_data" else {"error": what, "message": what.replace("_", " ")}
        return Response(TROUBLES[what] if status is None else status, HEADERS, encode(body))

    def dialect(self, line: Line) -> StreamDialect:
        """Return the dialect of the socket."""
        return StreamDialect(line, self.exchange.feed, self._account)

    def _route(self, request: Request) -> Route:
        if (request.method, request.path) in self._routes:
            return self._routes[request.method, request.path]
        paths = {path for _, path in self._routes}
        if request.path in paths:
            raise Refusal(405, f"{request.path} does not take {request.method}", http=405)
        raise Refusal(404, f"there are {', '.join(sorted(paths))}", http=404)

    def _caller(self, request: Request) -> Account:
        scheme, _, words = request.headers.get("authorization", "").partition(" ")
        try:
            key, _, secret = base64.b64decode(words, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            key = secret = ""
        account = self._account(key, secret) if scheme.lower() == "basic" else None
        if account is None:
            raise Refusal(401, "send a key and its secret by HTTP Basic authentication", http=401)
        return account

    def _account(self, key: str, secret: str) -> Account | None:
        found = self.exchange.accounts.by_key(key)
        if found is None or found[1].frozen or not hmac.compare_digest(found[1].secret.encode(), secret.encode()):
            return None
        return found[0]


def _params(request: Request) -> dict[str, Json]:
    """Return the parameters: the query, or the JSON object in the body of a POST."""
    if request.method != "POST":
        return dict(parse_qsl(request.query, keep_blank_values=True))
    members = read_object(request.body.decode(errors="replace"))
    if members is None:
        raise Refusal(400, "the body is not a JSON object")
    return members
