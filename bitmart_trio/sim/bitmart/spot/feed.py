"""The pushes of the spot sockets: market data at the documented pace, the account's own orders and balances at once.

Public frames are built only for topics with listeners. Times are the exchange's. The increments of a book are the
difference between the levels that a client holds and the best hundred levels, so a book kept by the rules is exactly
right after every push.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TypeAlias

import attrs

from ...kernel.accounts import ZERO, Accounts, Wallet
from ...kernel.book import Side, difference
from ...kernel.clock import Clock
from ...kernel.encoding import Json
from ...kernel.feed import Feed, FeedChannel, Frame
from ...kernel.pairs import PairMarket, PublicTrade, money
from ...spot.orders import SpotOrder, Watcher
from .. import models as rules

Levels: TypeAlias = "dict[Side, dict[Decimal, Decimal]]"

PACE_MS = 500
"""The interval at which tickers, candles and depth snapshots are pushed at most."""
INCREMENT_LEVELS = 100
IDLE_MS = 5_000
"""The time without a change after which an empty increment shows that the book is alive."""
INTERVALS = {
    "1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "45m": 45, "1H": 60, "2H": 120, "3H": 180, "4H": 240, "1D": 1440,
    "1W": 10080, "1M": 43200,
}  # fmt: skip
DEPTHS = (5, 20, 50)
_STATES = {
    "new": "4", "partially_filled": "5", "filled": "6", "canceled": "8",
    "partially_canceled": rules.MARKET_BUY_CODE.value, "failed": "8",
}  # fmt: skip
_ORDER_TYPES = {"limit": "0", "market": "0", "limit_maker": "1", "ioc": "3"}


@attrs.define(eq=False)
class _Increments:
    """The increment channel of one pair."""

    held: Levels = attrs.Factory(lambda: {"buy": {}, "sell": {}})
    """The levels that the listeners hold."""
    version: int = 0
    book_version: int = 0
    current: bool = False
    """True if ``held`` is up to date, which it is not without listeners."""
    sent_ms: int = 0


class SpotFeed(Watcher):
    """The spot channels of one exchange, which watch the market."""

    def __init__(self, feed: Feed, markets: Mapping[str, PairMarket], accounts: Accounts, clock: Clock) -> None:
        self._feed = feed
        self._markets = markets
        self._accounts = accounts
        self._clock = clock
        self._unsent: dict[str, list[PublicTrade]] = {}
        """The trades not yet pushed, by symbol, oldest first."""
        self._increments = {symbol: _Increments() for symbol in markets}
        self._sent: dict[str, tuple[int, object]] = {}
        """Topic with listeners -> the time of the last push, and the state that it showed."""
        self._paced: dict[str, tuple[Callable[[PairMarket], object], Callable[[PairMarket], Json]]] = {
            "spot/ticker": (self._ticker_state, self._ticker),
            **{f"spot/depth{level}": (_book_version, self._depth_builder(level)) for level in DEPTHS},
            **{f"spot/kline{interval}": (_last_trade, _kline_builder(step)) for interval, step in INTERVALS.items()},
        }
        """The paced channels: the state whose change causes a push, and the pushed item."""
        self._wanted: list[tuple[str, PairMarket]] = []
        """Table and pair of the paced topics with listeners, as of `_wanted_at`."""
        self._wanted_at = -1
        self._register()

    # -- channels ----------------------------------------------------------------------------------

    def _register(self) -> None:
        add = self._feed.add
        for table, (state, build) in self._paced.items():
            add(self._public(table, build, state))
        add(self._public("spot/bookTicker", self._book_ticker, _top))
        increments = self._public("spot/depth/increase100", self._snapshot, _book_version)
        add(attrs.evolve(increments, asked=increments.first))
        add(FeedChannel("spot/trade", "spot/public", self._markets.__contains__))
        add(FeedChannel("spot/user/order", "spot/private", self._markets.__contains__))
        add(FeedChannel("spot/user/orders", "spot/private", "ALL_SYMBOLS".__eq__))
        add(FeedChannel("spot/user/balance", "spot/private", "BALANCE_UPDATE".__eq__))

    def _public(
        self, table: str, build: Callable[[PairMarket], Json], state: Callable[[PairMarket], object]
    ) -> FeedChannel:
        """Return a channel that sends the present state to a new listener."""

        def first(rest: str, account: object) -> list[Frame]:
            market = self._markets[rest]
            # Not for one of many listeners: the others may not have received this state yet.
            self._sent.setdefault(f"{table}:{rest}", (self._clock.steady_ms(), state(market)))
            return [{"table": table, "data": [build(market)]}]

        return FeedChannel(table, "spot/public", self._markets.__contains__, first)

    def pairs_ticked(self, symbols: Iterable[str]) -> None:
        """Push the frames that are due for these pairs, which may have changed."""
        now = self._clock.steady_ms()
        for symbol in symbols:
            market = self._markets[symbol]
            self.market_moved(market)
            self._push_increments(symbol, market, now)
        if self._wanted_at != self._feed.changes:
            self._find_wanted()
        for table, market in self._wanted:
            state, build = self._paced[table]
            self._push_changed(table, market, state, build, PACE_MS)

    def _find_wanted(self) -> None:
        """Find the topics with listeners; a topic without listeners starts anew."""
        self._wanted_at = self._feed.changes
        self._wanted = [
            (table, market)
            for symbol, market in self._markets.items()
            if self._feed.symbols[symbol]
            for table in self._paced
            if self._feed.wanted(f"{table}:{symbol}")
        ]
        for topic in [topic for topic in self._sent if not self._feed.wanted(topic)]:
            del self._sent[topic]

    def _push_changed(
        self,
        table: str,
        market: PairMarket,
        state: Callable[[PairMarket], object],
        build: Callable[[PairMarket], Json],
        pace_ms: int,
    ) -> None:
        """Push a topic if its state has changed and the last push is long enough ago."""
        topic = f"{table}:{market.pair.symbol}"
        if not self._feed.wanted(topic):
            self._sent.pop(topic, None)
            return
        now = self._clock.steady_ms()
        sent_ms, seen = self._sent.get(topic, (0, None))
        current = state(market)
        if now - sent_ms >= pace_ms and current != seen:
            self._sent[topic] = now, current
            self._feed.publish(topic, {"table": table, "data": [build(market)]})

    # -- what the market reports ---------------------------------------------------------------------

    def traded(self, market: PairMarket, trade: PublicTrade) -> None:
        """Keep a trade until the book shows its effect."""
        self._unsent.setdefault(market.pair.symbol, []).append(trade)

    def market_moved(self, market: PairMarket) -> None:
        """Push new trades, and the best prices if they changed."""
        symbol = market.pair.symbol
        fresh, topic = self._unsent.pop(symbol, None), f"spot/trade:{symbol}"
        if fresh and self._feed.wanted(topic):
            rows: list[Json] = [
                {
                    "symbol": symbol,
                    "price": market.pair.price_text(trade.price),
                    "side": trade.side,
                    "size": market.pair.size_text(trade.size),
                    "s_t": trade.time_ms // 1000,
                    "ms_t": trade.time_ms,
                }
                for trade in fresh
            ]
            self._feed.publish(topic, {"table": "spot/trade", "data": rows})
        self._push_changed("spot/bookTicker", market, _top, self._book_ticker, 0)

    def order_changed(self, order: SpotOrder) -> None:
        """Push the whole state of an order to its owner."""
        symbol = order.form.market.pair.symbol
        for table, rest in (("spot/user/order", symbol), ("spot/user/orders", "ALL_SYMBOLS")):
            topic = f"{table}:{rest}"
            if self._feed.wanted(topic, order.account_id):
                self._feed.publish(topic, {"table": table, "data": [_order(order)]}, order.account_id)

    def money_moved(self, account_id: str, wallet: Wallet, currencies: tuple[str, ...]) -> None:
        """Push the balances that a fill has changed."""
        account = self._accounts.get(account_id)
        if account is not None and wallet is account.spot:
            self.balances_moved(account_id, wallet, currencies, "TRANSACTION_COMPLETED")

    def balances_moved(self, account_id: str, wallet: Wallet, currencies: tuple[str, ...], event: str) -> None:
        """Push the new balances of these currencies; ``event`` names the cause, such as ``ACCOUNT_TRANSFER``."""
        topic = "spot/user/balance:BALANCE_UPDATE"
        if self._feed.wanted(topic, account_id):
            # The two blanks are in the exchange's own sample: clients must strip them.
            item: Json = {
                "event_type": f"{event}  ",
                "event_time": str(self._clock.now_ms()),
                "balance_details": [
                    {"ccy": each, "av_bal": money(wallet.available(each)), "fz_bal": money(wallet.frozen(each))}
                    for each in currencies
                ],
            }
            self._feed.publish(topic, {"table": "spot/user/balance", "data": [item]}, account_id)

    # -- items -------------------------------------------------------------------------------------

    @staticmethod
    def _ticker_state(market: PairMarket) -> object:
        return market.last, market.book.best("buy"), market.book.best("sell")

    def _ticker(self, market: PairMarket) -> Json:
        pair, day, now = market.pair, market.candles.day(), self._clock.now_ms()
        bid, bid_size, ask, ask_size = _top(market)
        return {
            "symbol": pair.symbol,
            "last_price": pair.price_text(market.last),
            "open_24h": pair.price_text(day.open),
            "high_24h": pair.price_text(day.high),
            "low_24h": pair.price_text(day.low),
            "base_volume_24h": pair.size_text(day.volume),
            "quote_volume_24h": f"{day.turnover:.2f}",
            "fluctuation": f"{market.last / day.open - 1:+.4f}",
            "bid_px": pair.price_text(bid),
            "bid_sz": pair.size_text(bid_size),
            "ask_px": pair.price_text(ask),
            "ask_sz": pair.size_text(ask_size),
            "s_t": now // 1000,
            "ms_t": now,
        }

    def _book_ticker(self, market: PairMarket) -> Json:
        pair = market.pair
        bid, bid_size, ask, ask_size = _top(market)
        return {
            "symbol": pair.symbol,
            "bid_px": pair.price_text(bid),
            "bid_sz": pair.size_text(bid_size),
            "ask_px": pair.price_text(ask),
            "ask_sz": pair.size_text(ask_size),
            "ms_t": self._clock.now_ms(),
        }

    def _depth_builder(self, level: int) -> Callable[[PairMarket], Json]:
        def build(market: PairMarket) -> Json:
            return {
                "asks": _rows(market, market.book.levels("sell", level)),
                "bids": _rows(market, market.book.levels("buy", level)),
                "symbol": market.pair.symbol,
                "ms_t": self._clock.now_ms(),
            }

        return build

    # -- increments --------------------------------------------------------------------------------

    def _snapshot(self, market: PairMarket) -> Json:
        channel = self._increments[market.pair.symbol]
        if not channel.current:
            # There were no listeners, so nobody can notice that the version skips unpushed changes.
            channel.held = _best_levels(market)
            channel.book_version = market.book.version
            channel.version += 1
            channel.sent_ms = self._clock.steady_ms()
            channel.current = True
        return self._increment(market, channel, "snapshot", channel.held)

    def _push_increments(self, symbol: str, market: PairMarket, now: int) -> None:
        channel = self._increments[symbol]
        topic = f"spot/depth/increase100:{symbol}"
        if not self._feed.wanted(topic):
            channel.current = False
            return
        if not channel.current:
            return  # the listener has not asked for its snapshot yet
        changes: Levels = {"buy": {}, "sell": {}}
        if channel.book_version != market.book.version:
            levels = _best_levels(market)
            changes = {side: difference(channel.held[side], levels[side]) for side in levels}
            channel.held, channel.book_version = levels, market.book.version
        if changes["buy"] or changes["sell"]:
            channel.version += 1
        elif now - channel.sent_ms < IDLE_MS:
            return
        channel.sent_ms = now
        self._feed.publish(
            topic, {"table": "spot/depth/increase100", "data": [self._increment(market, channel, "update", changes)]}
        )

    def _increment(self, market: PairMarket, channel: _Increments, kind: str, levels: Levels) -> Json:
        return {
            "asks": _rows(market, sorted(levels["sell"].items())),
            "bids": _rows(market, sorted(levels["buy"].items(), reverse=True)),
            "ms_t": self._clock.now_ms(),
            "symbol": market.pair.symbol,
            "type": kind,
            "version": channel.version,
        }


def _book_version(market: PairMarket) -> object:
    return market.book.version


def _last_trade(market: PairMarket) -> object:
    bar = market.candles.current
    return bar.minute, bar.close, bar.volume


def _kline_builder(step: int) -> Callable[[PairMarket], Json]:
    def build(market: PairMarket) -> Json:
        pair, bar = market.pair, market.candles.latest(step)
        return {
            "candle": [
                bar.minute * 60,
                *(pair.price_text(price) for price in (bar.open, bar.high, bar.low, bar.close)),
                pair.size_text(bar.volume),
            ],
            "symbol": pair.symbol,
        }

    return build


def _top(market: PairMarket) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Return best bid, its size, best ask, its size; 0 for an empty side."""
    bid, ask = market.book.best("buy"), market.book.best("sell")
    return (
        bid or ZERO,
        ZERO if bid is None else market.book.size_at("buy", bid),
        ask or ZERO,
        ZERO if ask is None else market.book.size_at("sell", ask),
    )


def _best_levels(market: PairMarket) -> Levels:
    return {
        "buy": dict(market.book.levels("buy", INCREMENT_LEVELS)),
        "sell": dict(market.book.levels("sell", INCREMENT_LEVELS)),
    }


def _rows(market: PairMarket, levels: list[tuple[Decimal, Decimal]]) -> Json:
    pair = market.pair
    return [[pair.price_text(price), pair.size_text(size)] for price, size in levels]


def _order(order: SpotOrder) -> Json:
    form, nothing = order.form, rules.PUSH_NOTIONAL.value
    pair = form.market.pair
    last = order.fills[-1] if order.fills else None
    return {
        "symbol": pair.symbol,
        "side": form.side,
        "type": "market" if form.type == "market" else "limit",
        "notional": money(form.notional) if form.notional is not None else nothing if form.price is None else "",
        "size": pair.size_text(form.size or ZERO),
        "ms_t": str(order.created_ms),
        "price": pair.price_text(form.price or ZERO),
        "filled_notional": money(order.filled_notional),
        "filled_size": pair.size_text(order.filled_size),
        "margin_trading": "0" if order.mode == "spot" else "1",
        "state": _STATES[order.state],
        "order_id": order.order_id,
        "order_type": _ORDER_TYPES[form.type],
        "last_fill_time": "0" if last is None else str(last.time_ms),
        "last_fill_price": "0" if last is None else pair.price_text(last.price),
        "last_fill_count": "0" if last is None else pair.size_text(last.size),
        "exec_type": "" if last is None else "M" if last.role == "maker" else "T",
        "detail_id": "" if last is None else last.trade_id,
        "client_order_id": order.shown_client_order_id,
        "create_time": str(order.created_ms),
        "update_time": str(order.updated_ms),
        "order_mode": order.mode,
        "entrust_type": form.type if form.type in ("limit_maker", "ioc") else "normal",
        "order_state": order.state,
        "dealFee": "0" if last is None else money(last.fee),
        "deal_fee_coin_name": "" if last is None else last.fee_currency,
    }
