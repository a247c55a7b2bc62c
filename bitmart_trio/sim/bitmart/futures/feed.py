"""The pushes of the futures market: public frames at each tick, private ones as events happen.

Changes of orders are pushed at once. Balances and positions are pushed once, at the end of a call or tick, so that no
client sees a half-finished transfer; every ten seconds the open positions are repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ...futures.engine import MATCHED
from ...futures.listing import Listing, Print
from ...futures.market import FuturesMarket
from ...futures.orders import Order, Plan, Trader
from ...futures.positions import Position
from ...futures.watching import MarketWatcher
from ...kernel.candles import Candles
from ...kernel.contracts import Terms, plain
from ...kernel.encoding import Json
from ...kernel.feed import Feed, FeedChannel, Frame
from .account import asset_row
from .orders import mode_name, order_row
from .streams import (
    DEPTHS,
    INTERVALS,
    BookTicker,
    CandlePush,
    Depth,
    Increments,
    Steady,
    Stream,
    funding_data,
    ticker_data,
    trade_data,
)

SPEEDS = {"": 200, "@100ms": 100, "@200ms": 200}
ASSETS = ("USDT", "BTC", "ETH")
REPEAT_MS = 10_000
_PRICE_TYPES = {1: "last_price", 2: "fair_price"}


class FuturesFeed(MarketWatcher):
    """All futures channels of one exchange."""

    def __init__(self, feed: Feed, market: FuturesMarket) -> None:
        self._feed = feed
        self._market = market
        self._fresh: dict[str, list[Print]] = {
            symbol: list(listing.prints) for symbol, listing in market.listings.items()
        }
        """The trades not yet pushed, by symbol."""
        self._makers: dict[str, Callable[[str, str], Stream]] = {}
        self._streams: dict[str, Stream] = {}
        self._assets: dict[tuple[str, str], Trader] = {}
        self._positions: dict[tuple[str, str], Trader] = {}
        self._closed: set[Position] = set()
        """The positions that have become empty and must be pushed as such once."""
        self._pushed_assets: dict[tuple[str, str], Json] = {}
        self._slot = -1
        self._wanted: list[tuple[str, Stream]] = []
        """The topics with listeners, as of `_wanted_at`."""
        self._wanted_at = -1
        self._register()

    # ------------------------------------------------------------ channels

    def _register(self) -> None:
        self._public("futures/ticker", self._ticker, lambda rest: not rest or rest in self._market.listings)
        self._public("futures/fundingRate", self._funding, self._is_symbol, self._funding_now, self._funding_now)
        self._public("futures/bookticker", lambda topic, rest: BookTicker(topic, self._listing(rest)), self._is_symbol)
        self._feed.add(FeedChannel("futures/trade", "futures/public", self._is_symbol))
        for level in DEPTHS:
            self._depth(f"futures/depth{level}", level, together=False)
            for version in ("", "v2/"):
                self._depth(f"futures/{version}depthAll{level}", level, together=True, arrays=bool(version))
                self._increments(f"futures/{version}depthIncrease{level}", level, arrays=bool(version))
        for word, minutes in INTERVALS.items():
            self._candles(f"futures/klineBin{word}", minutes, lambda listing: listing.series)
            self._candles(f"futures/markPriceKlineBin{word}", minutes, lambda listing: listing.mark_series)
        self._feed.add(FeedChannel("futures/asset", "futures/private", lambda rest: rest in ASSETS))
        self._feed.add(FeedChannel("futures/position", "futures/private", lambda rest: not rest))
        self._feed.add(FeedChannel("futures/order", "futures/private", lambda rest: not rest))

    def _public(
        self,
        name: str,
        make: Callable[[str, str], Stream],
        takes: Callable[[str], bool],
        first: Callable[[str, str], Iterable[Frame]] | None = None,
        asked: Callable[[str, str], Iterable[Frame]] | None = None,
    ) -> None:
        self._makers[name] = make
        self._feed.add(
            FeedChannel(
                name,
                "futures/public",
                takes,
                first=lambda rest, account: () if first is None else first(f"{name}:{rest}", rest),
                asked=None if asked is None else lambda rest, account: asked(f"{name}:{rest}", rest),
            )
        )

    def _depth(self, name: str, level: int, *, together: bool, arrays: bool = False) -> None:
        def make(topic: str, rest: str) -> Stream:
            return Depth(topic, self._listing(rest), level, _speed(rest), together=together, arrays=arrays)

        self._public(name, make, self._is_book)

    def _increments(self, name: str, level: int, *, arrays: bool) -> None:
        def make(topic: str, rest: str) -> Increments:
            return Increments(topic, self._listing(rest), level, _speed(rest), arrays=arrays)

        def snapshot(topic: str, rest: str) -> Iterable[Frame]:
            stream = self._streams.get(topic)
            if not isinstance(stream, Increments):
                stream = self._streams[topic] = make(topic, rest)
            return (stream.snapshot(self._market.engine.now()),)

        self._public(name, make, self._is_book, snapshot, snapshot)

    def _candles(self, name: str, minutes: int, series: Callable[[Listing], Candles]) -> None:
        def make(topic: str, rest: str) -> Stream:
            return CandlePush(topic, rest, series(self._listing(rest)), minutes)

        self._public(name, make, self._is_symbol)

    def _ticker(self, topic: str, rest: str) -> Stream:
        listings = [self._listing(rest)] if rest else list(self._market.listings.values())
        return Steady(topic, 1000, lambda now_ms: [ticker_data(listing) for listing in listings])

    def _funding(self, topic: str, rest: str) -> Stream:
        return Steady(topic, 60_000, lambda now_ms: [funding_data(self._listing(rest), now_ms)])

    def _funding_now(self, topic: str, rest: str) -> Iterable[Frame]:
        stream = self._stream(topic)
        if stream is not None:
            stream.mark_sent(self._market.engine.now())
        return ({"group": topic, "data": funding_data(self._listing(rest), self._market.engine.now())},)

    def _listing(self, rest: str) -> Listing:
        return self._market.listings[rest.partition("@")[0]]

    def _is_symbol(self, rest: str) -> bool:
        return rest in self._market.listings

    def _is_book(self, rest: str) -> bool:
        symbol, _, _ = rest.partition("@")
        return symbol in self._market.listings and rest[len(symbol) :] in SPEEDS

    # ------------------------------------------------------------ pushes

    def ticked(self, now_ms: int) -> None:
        """Push the frames that are due."""
        for listing in self._market.listings.values():
            self._trades(listing)
        if self._wanted_at != self._feed.changes:
            self._wanted_at = self._feed.changes
            found = ((topic, self._stream(topic)) for topic in self._feed.topics())
            self._wanted = [(topic, stream) for topic, stream in found if stream is not None]
        for topic, stream in self._wanted:
            if stream.waits(now_ms):
                for frame in stream.due(now_ms):
                    self._feed.publish(topic, frame)
        if now_ms // REPEAT_MS != self._slot:
            self._slot = now_ms // REPEAT_MS
            for trader in self._market.engine.traders.values():
                self._push_positions(trader, list(trader.open_positions()))
        self.settled()

    def _stream(self, topic: str) -> Stream | None:
        stream = self._streams.get(topic)
        if stream is None:
            name, _, rest = topic.partition(":")
            make = self._makers.get(name)
            if make is not None:
                stream = self._streams[topic] = make(topic, rest)
        return stream

    def _trades(self, listing: Listing) -> None:
        fresh = self._fresh[listing.contract.symbol]
        if not fresh:
            return
        topic = f"futures/trade:{listing.contract.symbol}"
        if self._feed.wanted(topic):
            self._feed.publish(topic, {"group": topic, "data": trade_data(listing, fresh)})
        fresh.clear()

    # ------------------------------------------------------------ private pushes

    def matched(self, listing: Listing, trade: Print, maker: str | None, taker: str | None) -> None:
        """Keep a trade until the next tick, or the push of a user's fill."""
        self._fresh[listing.contract.symbol].append(trade)

    def order_event(self, order: Order, action: int) -> None:
        """Push a change of an order to its owner, and the public side of a fill to all listeners."""
        account_id = order.owner.account.account_id
        if self._feed.wanted("futures/order", account_id):
            self._order(account_id, action, _order_data(order))
        if action == MATCHED:
            symbol = order.contract.symbol
            self._trades(self._market.listings[symbol])
            topic = f"futures/bookticker:{symbol}"
            if self._feed.wanted(topic):
                stream = self._stream(topic)
                if stream is not None:
                    for frame in stream.due(self._market.engine.now()):
                        self._feed.publish(topic, frame)

    def plan_event(self, plan: Plan, action: int) -> None:
        """Push a change of a conditional order to its owner."""
        account_id = plan.owner.account.account_id
        if self._feed.wanted("futures/order", account_id):
            self._order(account_id, action, _plan_data(plan))

    def _order(self, account_id: str, action: int, data: Json) -> None:
        rows: list[Json] = [{"action": action, "order": data}]
        self._feed.publish("futures/order", {"group": "futures/order", "data": rows}, account_id)

    def asset_changed(self, trader: Trader, currency: str) -> None:
        """Note that a balance must be pushed."""
        self._assets[trader.account.account_id, currency] = trader

    def position_changed(self, trader: Trader, contract: Terms) -> None:
        """Note that the positions of a contract must be pushed."""
        self._positions[trader.account.account_id, contract.symbol] = trader

    def position_closed(self, trader: Trader, held: Position) -> None:
        """Note that a position must be pushed as empty at the next opportunity."""
        self._closed.add(held)
        self.position_changed(trader, held.contract)

    def settled(self) -> None:
        """Push the balances and positions that have changed."""
        positions, self._positions = self._positions, {}
        closed, self._closed = self._closed, set()
        for (_, symbol), trader in positions.items():
            self._push_positions(
                trader,
                [
                    held
                    for held in trader.positions.values()
                    if held.contract.symbol == symbol and (held.size or held in closed)
                ],
            )
        assets, self._assets = self._assets, {}
        for key, trader in assets.items():
            account_id, currency = key
            topic = f"futures/asset:{currency}"
            if not self._feed.wanted(topic, account_id):
                self._pushed_assets.pop(key, None)
                continue
            row = asset_row(self._market.engine, trader, currency)
            data: Json = {
                name: row[name] for name in ("currency", "available_balance", "position_deposit", "frozen_balance")
            }
            if self._pushed_assets.get(key) != data:
                self._pushed_assets[key] = data
                self._feed.publish(topic, {"group": topic, "data": data}, account_id)

    def _push_positions(self, trader: Trader, positions: list[Position]) -> None:
        account_id = trader.account.account_id
        if positions and self._feed.wanted("futures/position", account_id):
            rows: list[Json] = [self._position_data(trader, held) for held in positions]
            self._feed.publish("futures/position", {"group": "futures/position", "data": rows}, account_id)

    def _position_data(self, trader: Trader, held: Position) -> Json:
        entry = plain(held.entry)
        return {
            "symbol": held.contract.symbol,
            "hold_volume": plain(held.size),
            "position_type": 1 if held.direction == "long" else 2,
            "open_type": 1 if held.open_type == "isolated" else 2,
            "frozen_volume": plain(trader.frozen_size(held)),
            "close_volume": plain(held.closed_size),
            "hold_avg_price": entry,
            "close_avg_price": plain(held.close_average),
            "open_avg_price": entry,
            "liquidate_price": plain(self._market.engine.liquidation_price(trader, held)),
            "create_time": held.opened_ms,
            "update_time": held.updated_ms,
            "position_mode": mode_name(trader),
        }


def _speed(rest: str) -> int:
    return SPEEDS[rest[rest.index("@") :] if "@" in rest else ""]


def _order_data(order: Order) -> Json:
    fill, plan = order.last_fill, order.plan
    last: Json = None
    if fill is not None:
        last = {
            "lastTradeID": fill.trade_id,
            "fillQty": plain(fill.size),
            "fillPrice": plain(fill.price),
            "fee": plain(-fill.fee),
            "feeCcy": fill.currency,
        }
    return {
        **order_row(order),
        "plan_order_id": "" if plan is None else plan.order_id,
        "last_trade": last,
        "trigger_price": "-",
        "trigger_price_type": "-",
        "execution_price": "-",
        "activation_price_type": "-",
        "activation_price": "-",
        "callback_rate": "-",
    }


def _plan_data(plan: Plan) -> Json:
    trailing = plan.kind == "trailing"
    price, price_type = plain(plan.trigger_price), _PRICE_TYPES[plan.price_type]
    execution = "market" if plan.executive_price is None else plain(plan.executive_price)
    row = order_row(plan, {"plan": "plan_order", "trailing": "trailing_order"}.get(plan.kind, plan.kind))
    del row["position_mode"]  # it comes last here
    return {
        **row,
        "plan_order_id": "",
        "last_trade": None,
        "trigger_price": "-" if trailing else price,
        "trigger_price_type": "-" if trailing else price_type,
        "execution_price": "-" if trailing else execution,
        "activation_price_type": price_type if trailing else "-",
        "activation_price": price if trailing else "-",
        "callback_rate": plain(plan.callback_rate) if trailing else "-",
        "position_mode": mode_name(plan.owner),
    }
