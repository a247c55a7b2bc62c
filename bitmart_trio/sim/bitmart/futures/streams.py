"""The public pushes of one topic: when a frame is due, and its content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

from ...futures.listing import Listing, Print
from ...kernel.book import Side, difference
from ...kernel.candles import WEEK, Bar, Candles
from ...kernel.contracts import FUNDING_CAP, FUNDING_MS, ZERO, plain
from ...kernel.encoding import Json
from ...kernel.feed import Frame

Levels: TypeAlias = "list[tuple[Decimal, Decimal]]"
INTERVALS = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1H": 60, "2H": 120, "4H": 240, "1D": 1440, "1W": WEEK}
DEPTHS = (5, 20, 50)
STALE_MS = 1000
"""A book stream that was not read for this long has no listeners and starts anew."""
IDLE_MS = 5000
"""The interval at which an unchanged book pushes an empty update."""


def ratio(number: Decimal) -> str:
    """Return a rate or fraction as text."""
    return plain(number.quantize(Decimal("1E-12")))


def ticker_data(listing: Listing) -> dict[str, Json]:
    """Return the payload of the ticker channels."""
    day, book = listing.series.day(), listing.book
    bid, ask = book.best("buy") or ZERO, book.best("sell") or ZERO
    return {
        "symbol": listing.contract.symbol,
        "last_price": plain(listing.last),
        "volume_24": plain(day.volume),
        "range": ratio(listing.last / day.open - 1),
        "mark_price": plain(listing.mark),
        "index_price": plain(listing.index),
        "ask_price": plain(ask),
        "ask_vol": plain(book.size_at("sell", ask)),
        "bid_price": plain(bid),
        "bid_vol": plain(book.size_at("buy", bid)),
    }


def funding_data(listing: Listing, now_ms: int) -> dict[str, Json]:
    """Return the payload of the funding rate channel."""
    funding = listing.funding
    return {
        "symbol": listing.contract.symbol,
        "fundingRate": plain(funding.last),
        "fundingTime": now_ms // 1000 * 1000,
        "nextFundingRate": plain(funding.expected),
        "nextFundingTime": max(funding.next_ms, now_ms // FUNDING_MS * FUNDING_MS),
        "funding_upper_limit": plain(FUNDING_CAP),
        "funding_lower_limit": plain(-FUNDING_CAP),
        "ts": now_ms,
    }


def book_ticker_data(listing: Listing, now_ms: int) -> dict[str, Json]:
    """Return the payload of the best bid and ask."""
    bid, ask = listing.book.best("buy") or ZERO, listing.book.best("sell") or ZERO
    return {
        "symbol": listing.contract.symbol,
        "best_bid_price": plain(bid),
        "best_bid_vol": plain(listing.book.size_at("buy", bid)),
        "best_ask_price": plain(ask),
        "best_ask_vol": plain(listing.book.size_at("sell", ask)),
        "ms_t": now_ms,
    }


def trade_data(listing: Listing, trades: list[Print]) -> Json:
    """Return the payload of public trades, newest first."""
    rows: list[Json] = []
    for trade in reversed(trades):
        at = datetime.fromtimestamp(trade.time_ms // 1000, UTC)
        rows.append(
            {
                "trade_id": trade.trade_id,
                "symbol": listing.contract.symbol,
                "deal_price": plain(trade.price),
                "deal_vol": plain(trade.size),
                "way": trade.way,
                "m": trade.buyer_is_maker,
                "created_at": f"{at:%Y-%m-%dT%H:%M:%S}.{trade.time_ms % 1000:03d}000000Z",
            }
        )
    return rows


def levels_json(levels: Levels, arrays: bool) -> Json:
    """Return book levels: objects, or pairs in the second version of the channels."""
    rows: list[Json] = []
    for price, size in levels:
        rows.append([plain(price), plain(size)] if arrays else {"price": plain(price), "vol": plain(size)})
    return rows


class Stream:
    """One topic with listeners; `due` is called at every tick."""

    def __init__(self, topic: str, period_ms: int) -> None:
        self.topic = topic
        self.period_ms = period_ms
        self._slot = -1

    def waits(self, now_ms: int) -> bool:
        """Return True if something may be due now."""
        return now_ms // self.period_ms != self._slot

    def due(self, now_ms: int) -> Iterator[Frame]:
        """Return the frames to push now, at most once per period."""
        slot = now_ms // self.period_ms
        if slot != self._slot:
            self._slot = slot
            for data in self.payloads(now_ms):
                yield {"group": self.topic, "data": data}

    def mark_sent(self, now_ms: int) -> None:
        """Note that the state was just sent in another way, so that nothing is due before the next period."""
        self._slot = now_ms // self.period_ms

    def payloads(self, now_ms: int) -> Iterator[Json]:
        """Return the data that is new since the last push."""
        raise TypeError("Stream is a base class")


class Steady(Stream):
    """A topic that repeats its state at a fixed pace."""

    def __init__(self, topic: str, period_ms: int, make: Callable[[int], list[Json]]) -> None:
        super().__init__(topic, period_ms)
        self._make = make

    def payloads(self, now_ms: int) -> Iterator[Json]:
        """Return the present state as a payload."""
        yield from self._make(now_ms)


class BookTicker(Stream):
    """The best bid and ask, pushed whenever they change."""

    def __init__(self, topic: str, listing: Listing) -> None:
        super().__init__(topic, 1)
        self._listing = listing
        self._last: dict[str, Json] = {}

    def payloads(self, now_ms: int) -> Iterator[Json]:
        """Return the best prices if they have changed."""
        data = book_ticker_data(self._listing, now_ms)
        stripped = {key: value for key, value in data.items() if key != "ms_t"}
        if stripped != self._last:
            self._last = stripped
            yield data


class CandlePush(Stream):
    """The bar in progress, pushed whenever it changes."""

    def __init__(self, topic: str, symbol: str, series: Candles, minutes: int) -> None:
        super().__init__(topic, 500)
        self._symbol = symbol
        self._series = series
        self._minutes = minutes
        self._last: Bar | None = None

    def payloads(self, now_ms: int) -> Iterator[Json]:
        """Return the present bar; ``ts`` is the time of the push, as on the live service."""
        bar = self._series.latest(self._minutes)
        if bar != self._last:
            self._last = bar
            item: Json = {
                "o": plain(bar.open),
                "h": plain(bar.high),
                "l": plain(bar.low),
                "c": plain(bar.close),
                "v": plain(bar.volume),
                "ts": now_ms // 1000,
            }
            yield {"symbol": self._symbol, "items": [item]}


class Depth(Stream):
    """Full book sides, pushed whenever they change: one side per frame, or (``together``) both in one."""

    def __init__(
        self, topic: str, listing: Listing, level: int, period_ms: int, *, together: bool, arrays: bool = False
    ) -> None:
        super().__init__(topic, period_ms)
        self._listing = listing
        self._level = level
        self._together = together
        self._arrays = arrays
        self._last: tuple[Levels, Levels] | None = None

    def payloads(self, now_ms: int) -> Iterator[Json]:
        """Return both sides if either has changed."""
        book, symbol = self._listing.book, self._listing.contract.symbol
        bids, asks = book.levels("buy", self._level), book.levels("sell", self._level)
        if (bids, asks) == self._last:
            return
        self._last = (bids, asks)
        if self._together:
            yield {
                "symbol": symbol,
                "asks": levels_json(asks, self._arrays),
                "bids": levels_json(bids, self._arrays),
                "ms_t": now_ms,
            }
        else:
            yield {"symbol": symbol, "way": 1, "depths": levels_json(bids, False), "ms_t": now_ms}
            yield {"symbol": symbol, "way": 2, "depths": levels_json(asks, False), "ms_t": now_ms}


class Increments(Stream):
    """A window of the book as a snapshot and updates; the version rises by one with every push of this topic."""

    def __init__(self, topic: str, listing: Listing, level: int, period_ms: int, *, arrays: bool) -> None:
        super().__init__(topic, period_ms)
        self._listing = listing
        self._level = level
        self._arrays = arrays
        self._version = listing.book.version
        self._window: dict[Side, dict[Decimal, Decimal]] = {"buy": {}, "sell": {}}
        self._looked_ms = -STALE_MS - 1
        self._pushed_ms = 0

    def snapshot(self, now_ms: int) -> Frame:
        """Return the window as of the last push, so that the next update fits a new listener."""
        if now_ms - self._looked_ms > STALE_MS:
            self._window = {"buy": self._seen("buy"), "sell": self._seen("sell")}
            self._version += 1
            self._looked_ms = self._pushed_ms = now_ms
        return {"group": self.topic, "data": self._data(self._window, now_ms, "snapshot")}

    def payloads(self, now_ms: int) -> Iterator[Json]:
        """Return the levels that differ from the last push; those that left the window have size 0."""
        self._looked_ms = now_ms
        window: dict[Side, dict[Decimal, Decimal]] = {side: self._seen(side) for side in self._window}
        changes: dict[Side, dict[Decimal, Decimal]] = {
            side: difference(self._window[side], levels) for side, levels in window.items()
        }
        if changes["buy"] or changes["sell"] or now_ms - self._pushed_ms >= IDLE_MS:
            self._window = window
            self._version += 1
            self._pushed_ms = now_ms
            yield self._data(changes, now_ms, "update")

    def _seen(self, side: Side) -> dict[Decimal, Decimal]:
        return dict(self._listing.book.levels(side, self._level))

    def _data(self, sides: dict[Side, dict[Decimal, Decimal]], now_ms: int, kind: str) -> Json:
        return {
            "symbol": self._listing.contract.symbol,
            "asks": levels_json(sorted(sides["sell"].items()), self._arrays),
            "bids": levels_json(sorted(sides["buy"].items(), reverse=True), self._arrays),
            "ms_t": now_ms,
            "version": self._version,
            "type": kind,
        }
