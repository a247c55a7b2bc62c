"""Collect the content of ``/sim/state``: markets, books, trades, candles, accounts, faults, events.

Reading changes nothing: it creates no account, trader or order. Only the requested parts are built, so that a page may
ask twice per second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Final

import attrs

from ..exchange import Exchange
from ..faults import FaultHandle, describe_fault
from ..futures.orders import Order, Plan
from ..kernel.accounts import Account, Wallet
from ..kernel.book import Book
from ..kernel.candles import Candles
from ..kernel.encoding import Json, encode
from ..kernel.eventlog import Event
from ..spot.algo import AlgoOrder
from ..spot.orders import Form, SpotOrder
from .websocket import Sockets

LEVELS_MOST: Final = 200
TRADES_MOST: Final = 200
EVENTS_MOST: Final = 500
"""The maximum number of events in one answer, which has the latest."""
STEPS: Final = (1, 5, 15, 60, 240, 1440)
"""The lengths of candles in minutes."""
CANDLES_MOST: Final = 500

_FUTURES_SIDES: Final = {1: "open long", 2: "close short", 3: "close long", 4: "open short"}
_ONE_WAY_SIDES: Final = {1: "buy", 2: "buy, reduce only", 3: "sell, reduce only", 4: "sell"}


def overview(exchange: Exchange, sockets: Sockets) -> dict[str, Json]:
    """Return the state of the exchange, without books, trades and events."""
    return {
        "time": exchange.now_ms(),
        "skew_ms": exchange.clock.skew_ms,
        "held": exchange.clock.held,
        "seed": exchange.seed,
        "symbols": [*exchange.spot.markets, *exchange.futures.listings],
        "markets": _markets(exchange),
        "endpoints": sockets.venue.endpoints,
        "channels": [*sorted(exchange.feed.channels)],
        "topics": [*exchange.feed.topics()],
        "accounts": [_account(exchange, account) for account in exchange.accounts.all()],
        "connections": [connection.describe() for connection in sockets.connections],
        "http_connections": [link.names[-1] for link in sockets.links],
        "faults": active_faults(exchange),
        "schedule": {
            "ticks": exchange.schedule.ticks,
            "skipped": exchange.schedule.skipped,
            "worst_ms": round(exchange.schedule.worst_ms, 3),
        },
        "counters": {
            "opened": dict(sockets.opened),
            "refused": dict(sockets.refused),
            "fault_hits": dict(exchange.faults.hits),
        },
    }


def books(exchange: Exchange, symbols: Iterable[str], levels: int) -> Json:
    """Return the best levels per side of these symbols' books, best first, as [price, size] texts; skip unknown."""
    found = ((symbol, _book(exchange, symbol)) for symbol in symbols)
    return {
        symbol: {
            "version": book.version,
            "bids": [[price, size] for price, size in book.levels("buy", levels)],
            "asks": [[price, size] for price, size in book.levels("sell", levels)],
        }
        for symbol, book in found
        if book is not None
    }


def trades(exchange: Exchange, symbols: Iterable[str], count: int) -> Json:
    """Return the latest public trades of these symbols, newest first; sizes on futures are in contracts."""
    return {symbol: list(islice(_trades(exchange, symbol), count)) for symbol in symbols if _book(exchange, symbol)}


def candles(exchange: Exchange, symbols: Iterable[str], minutes: int, count: int) -> Json:
    """Return the latest candles of these symbols, oldest first: [ms, open, high, low, close, volume].

    Unknown symbols are skipped; ``minutes`` is one of `STEPS`.
    """
    now = exchange.clock.steady_ms() // 60_000
    found = ((symbol, _series(exchange, symbol)) for symbol in symbols)
    return {
        symbol: [
            [bar.minute * 60_000, bar.open, bar.high, bar.low, bar.close, bar.volume]
            for bar in reversed(series.newest(minutes, count, 0, now))
        ]
        for symbol, series in found
        if series is not None
    }


@attrs.frozen
class Wanted:
    """A choice of events in the log; all events by default."""

    kinds: frozenset[str] = frozenset()
    text: str = ""
    """A part of the event as JSON; case is ignored."""
    quiet: bool = False
    """Skip frames, and the trades of the synthetic market with itself, which would hide all else."""

    def takes(self, event: Event) -> bool:
        """Return True if an event is wanted."""
        kind, owners = event["kind"], (event.get("maker"), event.get("taker"))
        noise = kind == "frame" or (kind == "match" and owners == (None, None))
        if (self.kinds and kind not in self.kinds) or (self.quiet and noise):
            return False
        return not self.text or self.text.lower() in encode(event).decode().lower()


def events(exchange: Exchange, since: int, wanted: Wanted) -> Json:
    """Return the chosen events after the first ``since`` events of the log, oldest first, with their numbers.

    ``next`` is the ``since`` of the next request. ``missed`` is the number of events that no answer had: they were
    dropped from the log, or exceed the `EVENTS_MOST` of one answer. ``first_ms`` is the time of the oldest event that
    the log still has.
    """
    log = exchange.log
    numbers: list[Json] = []
    found: list[Json] = []
    first = kept_from = log.written - len(log.lines)
    for number, event in zip(range(log.written - 1, kept_from - 1, -1), reversed(log.lines), strict=True):
        if number < since:
            break
        if wanted.takes(event):
            if len(found) == EVENTS_MOST:
                first = number + 1
                break
            numbers.append(number)
            found.append(event)
    return {
        "next": log.written,
        "missed": max(min(first, log.written) - since, 0),
        "first_ms": log.lines[0]["ms"] if log.lines else None,
        "numbers": numbers[::-1],
        "lines": found[::-1],
    }


def log_lines(exchange: Exchange, wanted: Wanted) -> bytes:
    """Return the chosen events of the log as JSON lines, oldest first."""
    return b"".join(encode(event) + b"\n" for event in exchange.log.lines if wanted.takes(event))


def fault(handle: FaultHandle) -> dict[str, Json]:
    """Return one active fault as JSON, with the id that ends it, and its hits."""
    return {"id": handle.id, **describe_fault(handle.fault), "hits": handle.hits}


def active_faults(exchange: Exchange) -> list[Json]:
    """Return the active faults in the order in which they were added."""
    return [fault(handle) for handle in exchange.faults.active]


def _markets(exchange: Exchange) -> list[Json]:
    rows: list[Json] = []
    for symbol, market in exchange.spot.markets.items():
        rows.append({"symbol": symbol, "market": "spot", **_prices(market.book, market.last)})
    for symbol, listing in exchange.futures.listings.items():
        row = {"symbol": symbol, "market": "futures", **_prices(listing.book, listing.last)}
        rows.append({**row, "mark": listing.mark, "funding_rate": listing.funding.expected})
    return rows


def _prices(book: Book, last: Decimal) -> dict[str, Json]:
    return {"last": last, "bid": book.best("buy"), "ask": book.best("sell")}


def _book(exchange: Exchange, symbol: str) -> Book | None:
    market = exchange.spot.markets.get(symbol) or exchange.futures.listings.get(symbol)
    return None if market is None else market.book


def _series(exchange: Exchange, symbol: str) -> Candles | None:
    market, listing = exchange.spot.markets.get(symbol), exchange.futures.listings.get(symbol)
    return market.candles if market is not None else listing.series if listing is not None else None


def _trades(exchange: Exchange, symbol: str) -> Iterator[Json]:
    market = exchange.spot.markets.get(symbol)
    if market is not None:
        for trade in reversed(market.trades):
            yield {"ms": trade.time_ms, "price": trade.price, "size": trade.size, "side": trade.side}
        return
    for made in reversed(exchange.futures.listings[symbol].prints):
        side = "sell" if made.buyer_is_maker else "buy"
        yield {"ms": made.time_ms, "price": made.price, "size": made.size, "side": side}


def _account(exchange: Exchange, account: Account) -> Json:
    return {
        "account_id": account.account_id,
        "name": account.name,
        "parent": account.parent,
        "spot": _balances(account.spot),
        "fund": _balances(account.fund),
        "futures": _balances(account.futures),
        "orders": [*_orders(exchange, account)],
        "positions": _positions(exchange, account),
    }


def _balances(wallet: Wallet) -> Json:
    return {currency: {"available": available, "frozen": frozen} for currency, available, frozen in wallet.rows()}


def _orders(exchange: Exchange, account: Account) -> Iterator[Json]:
    for order in exchange.spot.engine.open_orders(account.account_id):
        form, market = order.form, "spot" if order.mode == "spot" else "margin"
        yield _order(market, order, form, form.market.pair.symbol, form.side, form.type, form.price, order.filled_size)
    for algo in exchange.spot.algo.of_account(account.account_id):
        form = algo.form
        if algo.state == "new":
            yield _order("spot", algo, form, form.market.pair.symbol, form.side, algo.type, algo.trigger_price)
    trader = exchange.futures.engine.traders.get(account.account_id)
    if trader is None:
        return
    sides = _ONE_WAY_SIDES if trader.one_way else _FUTURES_SIDES
    for live in reversed(trader.orders.values()):
        symbol, side = live.contract.symbol, sides[live.side]
        yield _order("futures", live, live, symbol, side, live.type, live.price, live.deal_size)
    for plan in reversed(trader.plans.values()):
        yield _order("futures", plan, plan, plan.contract.symbol, sides[plan.side], plan.kind, plan.trigger_price)


def _order(
    market: str,
    order: SpotOrder | AlgoOrder | Order | Plan,
    asked: Form | Order | Plan,
    symbol: str,
    side: str,
    kind: str,
    price: Decimal | None,
    filled: Decimal | int = 0,
) -> Json:
    return {
        "market": market,
        "order_id": order.order_id,
        "client_order_id": asked.client_order_id,
        "symbol": symbol,
        "side": side,
        "type": kind,
        "price": price,
        "size": asked.size,
        "filled": filled,
        "created_ms": order.created_ms,
    }


def _positions(exchange: Exchange, account: Account) -> list[Json]:
    engine = exchange.futures.engine
    trader = engine.traders.get(account.account_id)
    if trader is None:
        return []
    return [
        {
            "symbol": held.contract.symbol,
            "side": held.direction,
            "size": held.size,
            "entry": held.entry,
            "mark": (mark := exchange.futures.listings[held.contract.symbol].mark),
            "margin": held.margin,
            "margin_mode": held.open_type,
            "leverage": held.leverage,
            "profit": held.profit(mark),
            "liquidation": engine.liquidation_price(trader, held),
        }
        for held in trader.open_positions()
    ]
