"""A record of one day: every call as the bot and the exchange saw it, every order, and the state of the exchange.

The record reads the exchange's own state, never an answer of its API, since faults may alter answers.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, Literal, TypeAlias, cast
from urllib.parse import parse_qsl

import attrs

from ...sim.futures.orders import Order as FuturesOrder
from ...sim.futures.watching import MarketWatcher
from ...sim.kernel.encoding import Json
from ...sim.kernel.eventlog import Event
from ...sim.kernel.messages import Request, Response
from ...sim.spot.orders import SpotOrder
from ...sim.spot.orders import Watcher as SpotWatcher
from ...sim.venue import Venue

CALL: Final = "x-certify-call"
"""The header that holds the number of a request's call."""
ACCOUNT: Final = "1"
SUBMITS: Final = (
    "/spot/v2/submit_order", "/spot/v4/batch_orders", "/spot/v1/margin/submit_order",
    "/contract/private/submit-order",
)  # fmt: skip
Heard: TypeAlias = Literal["", "answered", "lost"]
"""The result of a call for the bot: "" (in flight, or cancelled meanwhile), an answer, or a connection error."""
_KEPT: Final = 3_000
"""The most events that a timeline keeps."""


@attrs.define(eq=False)
class Call:
    """One REST call of the bot."""

    number: int
    run: int
    """The number of the bot's life that made the call, from 1."""
    at: float
    method: str
    path: str
    params: Mapping[str, Json]
    line: str
    """The line of the bot's code that made the call."""
    told: bool
    """True if the bot had been asked to end before the call."""
    stale_for: float = 0.0
    """Seconds for which the bot's own book of the symbol had been stale; 0 if it was live, or there is none."""
    blind_for: float = 0.0
    """Seconds for which the bot had received nothing about the symbol although its price moved; 0 if it had."""
    off: Decimal | None = None
    """The distance of the order's price from the last price, as a share."""
    heard: Heard = ""
    heard_at: float | None = None
    heard_before: int | None = None
    """The number of the first call that was made after the bot learned that this call failed."""
    status: int | None = None
    """The HTTP status that the bot received."""
    code: str = ""
    reached: bool = False
    """True if the exchange processed the call."""
    accepted: str = ""
    """The id of the order that the exchange accepted; "" if none."""

    @property
    def symbol(self) -> str:
        """The symbol in the call's parameters; "" if none."""
        return str(self.params.get("symbol", ""))

    @property
    def submits(self) -> bool:
        """True if the call submits an order."""
        return self.path in SUBMITS

    @property
    def reads_account(self) -> bool:
        """True if the call reads orders, trades or positions of the account."""
        return self.path.startswith("/spot/v4/query/") or (
            self.method == "GET" and self.path.startswith("/contract/private/")
        )

    @property
    def shown(self) -> str:
        """The call's main parameters, as a readable text."""
        names = ("symbol", "side", "type", "size", "price", "notional", "client_order_id", "clientOrderId")
        return " ".join(str(self.params[name]) for name in names if self.params.get(name) not in (None, ""))


@attrs.frozen
class Happening:
    """One event of a day's timeline."""

    at: float
    kind: Literal["order", "fill", "fault", "call", "run", "socket", "finding"]
    text: str
    price: float | None = None


@attrs.frozen
class Truth:
    """One order of the bot, in its current state at the exchange."""

    order_id: str
    client_order_id: str
    symbol: str
    side: str
    type: str
    price: Decimal | None
    size: Decimal | None
    filled: Decimal
    open: bool


class Witness:
    """Records everything that happens on one exchange.

    Args:
        venue: the simulated exchange.
    """

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.calls: list[Call] = []
        self.spot: dict[str, SpotOrder] = {}
        self.futures: dict[str, FuturesOrder] = {}
        self.moments: list[Happening] = []
        self.counts: Counter[str] = Counter()
        self.seen_at: dict[str, float] = {}
        """The time of the last push of market data about each symbol to the bot."""
        self.seen_price: dict[str, Decimal] = {}
        """The price of each symbol at that time."""
        self.told_at: list[float] = []
        """The times of pushes about the account's orders to the bot."""
        self.on_moment: Callable[[Happening], None] | None = None
        """Called with every event as it happens, calls included."""
        self._now = venue.clock
        self._began = venue.clock()
        exchange = venue.exchange
        exchange.log.watch(self._on_event)
        exchange.spot.watchers.append(_Spot(self))
        exchange.futures.watchers.append(_Futures(self))
        gate = venue.simulation.bitmart.gate
        answer = gate.answer

        def watched(request: Request, between: object = None) -> Response:
            response = answer(request, between)  # type: ignore[arg-type]  # handed through
            self._on_answer(request, response)
            return response

        gate.answer = watched  # type: ignore[method-assign]

    @property
    def at(self) -> float:
        """Seconds since the beginning of the day."""
        return self._now() - self._began

    def note(
        self,
        kind: Literal["order", "fill", "fault", "call", "run", "socket", "finding"],
        text: str,
        price: object = None,
    ) -> None:
        """Add an event to the timeline."""
        moment = Happening(round(self.at, 3), kind, text, None if price is None else float(str(price)))
        if len(self.moments) < _KEPT:
            self.moments.append(moment)
        if self.on_moment is not None:
            self.on_moment(moment)

    def begin(self, run: int, request: Request, line: str, told: bool) -> Call:
        """Record a call that the bot is about to send."""
        params = _params(request)
        call = Call(len(self.calls), run, self.at, request.method, request.path, params, line, told)
        if call.submits and call.params.get("price"):
            call.off = _distance(call.params["price"], self.price(call.symbol))
        self.calls.append(call)
        self.counts["calls"] += 1
        if self.on_moment is not None:
            text = f"{call.method} {call.path} {call.shown}".rstrip()
            self.on_moment(Happening(round(call.at, 3), "call", f"{text}  ({line or 'not from a line of the bot'})"))
        return call

    def price(self, symbol: str) -> Decimal | None:
        """The current price of a symbol."""
        exchange = self.venue.exchange
        market = exchange.spot.markets.get(symbol)
        if market is not None:
            return exchange.flow.rate(market.pair.base, market.pair.quote)
        listing = exchange.futures.listings.get(symbol)
        return None if listing is None else exchange.flow.rate(listing.contract.base, "USDT")

    def orders(self) -> list[Truth]:
        """All orders that the exchange ever accepted from the account, oldest first."""
        found = [
            Truth(
                order.order_id, order.form.client_order_id, order.form.market.pair.symbol, order.form.side,
                order.form.type, order.form.price, order.form.size, order.filled_size, order.open,
            )
            for order in self.spot.values()
        ]  # fmt: skip
        trader = self.venue.exchange.futures.engine.traders.get(ACCOUNT)
        live = {} if trader is None else trader.orders
        return found + [
            Truth(
                order.order_id, order.client_order_id, order.contract.symbol, str(order.side), order.type,
                order.price, Decimal(order.size), Decimal(order.deal_size), order.order_id in live,
            )
            for order in self.futures.values()
        ]  # fmt: skip

    def positions(self) -> dict[str, Decimal]:
        """Contracts that the account holds, by symbol; negative for short."""
        trader = self.venue.exchange.futures.engine.traders.get(ACCOUNT)
        held: dict[str, Decimal] = {}
        for position in () if trader is None else trader.open_positions():
            sign = 1 if position.direction == "long" else -1
            held[position.contract.symbol] = held.get(position.contract.symbol, Decimal(0)) + sign * position.size
        return held

    def bought(self) -> dict[str, Decimal]:
        """Base currency bought less base currency sold, by spot symbol."""
        net: dict[str, Decimal] = {}
        for order in self.spot.values():
            symbol, sign = order.form.market.pair.symbol, 1 if order.form.side == "buy" else -1
            net[symbol] = net.get(symbol, Decimal(0)) + sign * order.filled_size
        return net

    def plans(self) -> int:
        """The number of waiting conditional orders."""
        trader = self.venue.exchange.futures.engine.traders.get(ACCOUNT)
        return 0 if trader is None else len(trader.plans)

    def equity(self) -> Decimal:
        """The value of the account in dollars."""
        exchange = self.venue.exchange
        account = exchange.accounts.get(ACCOUNT)
        assert account is not None
        worth = Decimal(0)
        for currency, free, held in account.spot.rows():
            worth += (free + held) * exchange.flow.rate(currency, "USDT") if exchange.flow.knows(currency) else 0
        engine = exchange.futures.engine
        trader = engine.trader(account)
        worth += engine.ledger.total(trader, "USDT")
        marks = engine.marks
        worth += sum((held.profit(marks[held.contract.symbol]) for held in trader.open_positions("USDT")), Decimal(0))
        return worth

    def exposure(self) -> Decimal:
        """The absolute value in dollars of the bot's spot trades and contracts."""
        exchange, total = self.venue.exchange, Decimal(0)
        for symbol, size in self.bought().items():
            total += abs(size) * (self.price(symbol) or 0)
        for symbol, size in self.positions().items():
            contract = exchange.futures.listings[symbol].contract
            total += abs(contract.value(size, self.price(symbol) or Decimal(1)))
        return total

    def money(self) -> dict[str, Decimal]:
        """The total of each currency over all wallets, which never changes."""
        exchange = self.venue.exchange
        accounts, engine = exchange.accounts, exchange.futures.engine
        wallets = [*accounts.own]
        for account in accounts.all():
            wallets += [account.spot, account.fund]
        wallets += [held.wallet for held in exchange.spot.margin.accounts.values()]
        sums: dict[str, Decimal] = {}
        for wallet in wallets:
            for currency, free, held in wallet.rows():
                sums[currency] = sums.get(currency, Decimal(0)) + free + held
        for account in accounts.all():
            trader = engine.trader(account)
            for currency in [row[0] for row in account.futures.rows()]:
                sums[currency] = sums.get(currency, Decimal(0)) + engine.ledger.total(trader, currency)
        for (currency, _), amount in engine.ledger.house.items():
            sums[currency] = sums.get(currency, Decimal(0)) + amount
        return {currency: amount for currency, amount in sorted(sums.items()) if amount}

    # ---- observation ------------------------------------------------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        kind = str(event["kind"])
        if kind == "frame":
            self.counts["pushes"] += 1
            topic = str(event["topic"])
            symbol = topic.partition(":")[2].partition("@")[0]
            if "order" in topic.partition(":")[0]:
                self.told_at.append(self.at)
            elif symbol:
                self.seen_at[symbol] = self.at
                self.seen_price[symbol] = self.price(symbol) or Decimal(0)
        elif kind == "fault":
            self.counts["fault hits"] += 1
            self.note("fault", f"{event['fault']} hits {event.get('where', '')}")
        elif kind in ("socket_opened", "socket_closed"):
            self.note("socket", f"{event['socket']} {kind.removeprefix('socket_')}")
        elif kind == "match":
            mine = [
                event[role]
                for role in ("maker", "taker")
                if event.get(role) in self.spot or event.get(role) in self.futures
            ]
            if mine:
                self.counts["fills"] += 1
                self.note("fill", f"{event['symbol']} {event['size']} at {event['price']}", event["price"])

    def _on_answer(self, request: Request, response: Response) -> None:
        number = request.headers.get(CALL)
        if number is None:
            return
        call = self.calls[int(number)]
        call.reached = True
        if call.submits and response.status == 200:
            data = _json(response.body).get("data")
            if isinstance(data, dict):
                call.accepted = str(data.get("order_id", data.get("orderId", "")) or "")

    def ordered(self, text: str, price: object) -> None:
        """Record that an order was accepted or has ended."""
        self.note("order", text, price)


class _Spot(SpotWatcher):
    """Records the spot orders of the account."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    def order_changed(self, order: SpotOrder) -> None:
        """Record an order that changed."""
        if order.account_id != ACCOUNT:
            return
        form = order.form
        if order.order_id not in self._witness.spot:
            self._witness.spot[order.order_id] = order
            self._witness.counts["orders"] += 1
            text = f"{form.side} {form.size or form.notional} {form.market.pair.symbol} {form.type}"
            self._witness.ordered(text, form.price)
        elif not order.open:
            self._witness.ordered(f"{order.state} {form.side} {form.market.pair.symbol}", form.price)


class _Futures(MarketWatcher):
    """Records the futures orders of the account."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    def order_event(self, order: FuturesOrder, action: int) -> None:
        """Record an order on its first event."""
        if order.owner.account.account_id != ACCOUNT:
            return
        if order.order_id not in self._witness.futures:
            self._witness.futures[order.order_id] = order
            self._witness.counts["orders"] += 1
            self._witness.ordered(f"side {order.side} {order.size} {order.contract.symbol} {order.type}", order.price)


def _distance(price: object, last: Decimal | None) -> Decimal | None:
    try:
        return None if not last else abs(Decimal(str(price)) / last - 1)
    except ArithmeticError:
        return None


def _params(request: Request) -> Mapping[str, Json]:
    if request.method == "GET":
        return dict(parse_qsl(request.query))
    return _json(request.body)


def _json(body: bytes) -> dict[str, Json]:
    try:
        found: object = json.loads(body, parse_float=Decimal)
    except ValueError:
        return {}
    return cast("dict[str, Json]", found) if isinstance(found, dict) else {}
