"""What the tests of order books share: the truth about a book."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Any

import attrs

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.sim.venue import Venue

Rows = list[tuple[Decimal, Decimal]]


def rows(levels: tuple[models.Level, ...]) -> Rows:
    return [(level.price, level.size) for level in levels]


class Truth:
    """What the exchange's matching engine held at each version of a topic, noted at the moment of the push."""

    def __init__(self, venue: Venue, topic: str, symbol: str, level: int) -> None:
        exchange = venue.exchange
        markets = exchange.spot.markets if topic.startswith("spot/") else exchange.futures.listings
        self.topic = topic
        self.symbol = symbol
        self.level = level
        self.versions: dict[int, tuple[Rows, Rows]] = {}
        self.checked: int = 0
        self._book: Any = markets[symbol].book
        self._order: deque[int] = deque()
        exchange.feed.listen(topic, None, self._note)
        name, _, rest = topic.partition(":")
        channel = exchange.feed.channels[name]
        first, asked = channel.first, channel.asked
        assert asked is not None

        def noted(original: Any) -> Any:
            def frames(asked_rest: str, account: Any) -> Any:
                found = list(original(asked_rest, account))
                if asked_rest == rest:
                    for frame in found:
                        self._note(frame)
                return found

            return frames

        exchange.feed.channels[name] = attrs.evolve(channel, first=noted(first), asked=noted(asked))

    def _note(self, frame: Any) -> None:
        data = frame["data"]
        version = (data[0] if isinstance(data, list) else data)["version"]
        # A snapshot tells the state of the last push, and may come between two.
        if version not in self.versions:
            self.versions[version] = self._book.levels("buy", self.level), self._book.levels("sell", self.level)
            self._order.append(version)
            if len(self._order) > 2000:
                del self.versions[self._order.popleft()]

    def check(self, book: bm.OrderBook) -> None:
        """The book is live, and the exchange's at its version."""
        self.checked += 1
        bids, asks = self.versions[book.version]
        assert rows(book.bids) == bids
        assert rows(book.asks) == asks
