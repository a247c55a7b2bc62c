"""What is said on the socket: ``{"op": ...}`` with an answer to each, and ``{"topic": ..., "data": ...}``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from ..futures.listing import Listing, Print
from ..futures.orders import Order
from ..futures.watching import MarketWatcher
from ..kernel.accounts import Account
from ..kernel.encoding import Json, read_object
from ..kernel.feed import Feed, FeedChannel, Frame
from ..kernel.pairs import PairMarket, PublicTrade
from ..kernel.talk import Line, listen
from ..spot.orders import SpotOrder, Watcher
from .rest import Rest, order_row, trade_row

LEVELS = 20
"""Of a book, a side."""


class Pushes:
    """The topics: trades and orders as they happen, books once a tick if they have changed."""

    def __init__(self, feed: Feed, rest: Rest) -> None:
        self._feed = feed
        self._rest = rest
        self._versions: dict[str, Json] = {}
        """Of each book, the one that was pushed last."""
        feed.add(FeedChannel("book", "stream", rest.known, self._first_book))
        feed.add(FeedChannel("trades", "stream", rest.known))
        feed.add(FeedChannel("orders", "stream", lambda symbol: not symbol, private=True))
        rest.spot.watchers.append(_OnPairs(self))
        rest.futures.watchers.append(_OnContracts(self))

    def _first_book(self, symbol: str, account: Account | None) -> Iterable[Frame]:
        return [{"topic": f"book:{symbol}", "data": self._rest.book_row(symbol, LEVELS)}]

    def say(self, topic: str, account_id: str | None, make: Callable[[], Json]) -> None:
        """Push something if anybody listens."""
        if self._feed.wanted(topic, account_id):
            self._feed.publish(topic, {"topic": topic, "data": make()}, account_id)

    def tick(self) -> None:
        """Push the books that have changed."""
        for topic in self._feed.topics():
            name, _, symbol = topic.partition(":")
            if name == "book":
                row = self._rest.book_row(symbol, LEVELS)
                if self._versions.get(symbol) != row["version"]:
                    self._versions[symbol] = row["version"]
                    self._feed.publish(topic, {"topic": topic, "data": row})


class _OnPairs(Watcher):
    def __init__(self, pushes: Pushes) -> None:
        self._pushes = pushes

    def traded(self, market: PairMarket, trade: PublicTrade) -> None:
        symbol = market.pair.symbol
        self._pushes.say(f"trades:{symbol}", None, partial(trade_row, symbol, trade))

    def order_changed(self, order: SpotOrder) -> None:
        self._pushes.say("orders", order.account_id, partial(order_row, order))


class _OnContracts(MarketWatcher):
    def __init__(self, pushes: Pushes) -> None:
        self._pushes = pushes

    def matched(self, listing: Listing, trade: Print, maker: str | None, taker: str | None) -> None:
        symbol = listing.contract.symbol
        self._pushes.say(f"trades:{symbol}", None, partial(trade_row, symbol, trade))

    def order_event(self, order: Order, action: int) -> None:
        self._pushes.say("orders", order.owner.account.account_id, partial(order_row, order))

    def ticked(self, now_ms: int) -> None:
        self._pushes.tick()


class StreamDialect:
    """One connection's."""

    def __init__(self, line: Line, feed: Feed, caller: Callable[[str, str], Account | None]) -> None:
        self._line = line
        self._feed = feed
        self._caller = caller

    def hear(self, text: str) -> None:
        """Act on one message of the client."""
        message = read_object(text) or {}
        op, topics = message.get("op"), message.get("topics")
        if op == "ping":
            self._line.pong('{"op":"pong"}')
        elif op == "login":
            self._login(str(message.get("key")), str(message.get("secret")))
        elif op in ("subscribe", "unsubscribe") and isinstance(topics, list):
            for topic in topics:
                (self._subscribe if op == "subscribe" else self._unsubscribe)(str(topic))
        else:
            self._refuse("invalid", "op is ping, login, or subscribe or unsubscribe with a list of topics")

    def turn_away(self, why: str) -> None:
        """Say that there is one too many."""
        self._refuse("too_many", f"too many {why}")

    def _login(self, key: str, secret: str) -> None:
        line = self._line
        fault, account = line.refused_login(), self._caller(key, secret)
        if line.breaks_at_login():
            line.drop()
        elif fault is not None or account is None:
            self._refuse("unauthorized", fault[1] if fault else "no such key and secret", op="login")
        else:
            line.account = account
            line.say({"op": "login", "ok": True})

    def _subscribe(self, topic: str) -> None:
        line, found, fault = self._line, self._feed.find("stream", topic), self._line.refused_topic(topic)
        if fault is not None or isinstance(found, str):
            self._refuse("not_found", fault[1] if fault else "there is no such topic", op="subscribe", topic=topic)
        elif found[0].private and line.account is None:
            self._refuse("unauthorized", "log in first", op="subscribe", topic=topic)
        else:
            if not line.loses_ack(topic):
                line.say({"op": "subscribe", "ok": True, "topic": topic})
            if topic not in line.topics:
                listen(self._feed, line, topic, *found)

    def _unsubscribe(self, topic: str) -> None:
        self._line.topics.pop(topic, lambda: None)()
        if not self._line.loses_ack(topic):
            self._line.say({"op": "unsubscribe", "ok": True, "topic": topic})

    def _refuse(self, error: str, message: str, **about: Json) -> None:
        self._line.say({**about, "ok": False, "error": error, "message": message})
