"""Backfill gaps of public streams: trades, and bars of klines.

Trades have no id over REST, so a gap is filled by joining: REST's list must contain the trades received before the gap
and those received after it; the trades in between were missed. Trades are compared as multisets of time, price, size
and side, in the coarser of the two spellings (futures: REST has base currency and whole seconds).

* The front seam holds if REST reaches back beyond the moment of the last trade received. Trades of one moment can be
  distinguished only if all of them are known, so the first moment of an unbroken run cannot serve.
* The back seam holds if REST, read after a live push, has that push. Until one has come, REST's trades are delivered at
  once and the gap stays open: REST is a cache of unknown age.

A bar needs no such care: its last state replaces all earlier ones, and REST's is final once it lists a later bar.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

import trio

from .._bitmart.channel import Channel
from .._io.pending_gap import PendingGap
from ..models.futures_market import ContractDetails, FuturesMarketTrade
from ..models.futures_streams import FuturesKlineUpdate, FuturesTrade
from ..models.spot_market import SpotKline
from ..models.spot_streams import SpotKlineUpdate, SpotTrade
from ..rest.futures import Futures
from ..rest.spot import Spot

T = TypeVar("T")
Bar = TypeVar("Bar", bound=SpotKlineUpdate | FuturesKlineUpdate)

Clock: TypeAlias = Callable[[], int]
"""A function that returns the exchange's time in milliseconds."""

# Seconds between two tries if REST's answer is older than the stream.
_WAITS: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
# Seconds after which a moment counts as over everywhere, even if nothing later has come.
_SETTLED_FINE: Final = 1.0
_SETTLED_COARSE: Final = 3.0
# The number of remembered trades per topic: several times what REST lists.
_REMEMBERED: Final = 512
# Seconds within which trades that REST listed before the first push must have been pushed.
_LATE: Final = 30.0
_AT_ONCE: Final = 2

_SPOT_TRADES: Final = 50
_FUTURES_TRADES: Final = 100
_SPOT_BARS: Final = 200
_FUTURES_BARS: Final = 500

_STALE: Final = "REST did not catch up with the stream"


class Fillable(Generic[T]):
    """The base of all backfillers: a channel, and a bound on concurrent reads."""

    def __init__(self, channel: Channel[T]) -> None:
        self._channel = channel
        self._slots = trio.CapacityLimiter(_AT_ONCE)

    async def begin(self) -> None:
        """Do nothing: nothing need be known before the first gap."""
        await trio.lowlevel.checkpoint()

    def state(self, topic: str, item: T) -> Hashable:
        """Return the topic as the router names it."""
        return topic if self._channel.key is None else (topic, self._channel.key(item))


def subject(topic: str) -> str:
    """Return the symbol or currency of a topic."""
    return topic.partition(":")[2]


# ---- trades ---------------------------------------------------------------------------------------------------------


class Trade(NamedTuple):
    """The members that identify a trade in REST and in pushes."""

    time: int
    price: Decimal
    size: Decimal
    side: str


class Unknowable(Exception):
    """An error: REST's trades and the stream's cannot be compared."""


Row: TypeAlias = tuple[Trade, T]


class TradeBackfiller(Fillable[T]):
    """Fills gaps between trades. See the head of this file.

    Args:
        channel: the channel of the trades.
        key: returns the identity of a stream's trade; raises `Unknowable`.
        read: reads REST's latest trades of a symbol, newest first.
        coarse: True if a moment is long enough for equal trades before and after the end of a gap.
    """

    def __init__(
        self,
        channel: Channel[T],
        key: Callable[[T], Trade],
        read: Callable[[str], Awaitable[list[Row[T]]]],
        *,
        coarse: bool,
    ) -> None:
        super().__init__(channel)
        self._coarse = coarse
        self._settle = _SETTLED_COARSE if coarse else _SETTLED_FINE
        self._key = key
        self._rows = read
        self._runs: dict[str, deque[T]] = {}
        """The newest trades of each topic since its last gap."""
        self._early: dict[str, Counter[Trade]] = {}
        """Trades that were delivered from REST and may still be pushed."""
        self._until: dict[str, float] = {}
        """The time when that is over."""

    def notice(self, topic: str, item: T) -> bool:
        """See `Backfiller.notice`."""
        early = self._early.get(topic)
        if early and (trade := self._known(item)) is not None and early[trade] > 0:
            early[trade] -= 1
            return False
        if early is not None and trio.current_time() > self._until.get(topic, 0.0):
            del self._early[topic]
        run = self._runs.get(topic)
        if run is None:
            run = self._runs[topic] = deque(maxlen=_REMEMBERED)
        run.append(item)
        return True

    def _known(self, item: T) -> Trade | None:
        try:
            return self._key(item)
        except Unknowable:
            return None

    def missed(self, topic: str) -> None:
        """See `Backfiller.missed`."""
        self._runs.pop(topic, None)
        self._until[topic] = trio.current_time() + _LATE

    async def fill(self, pending: PendingGap[T]) -> str | None:
        """See `Backfiller.fill`."""
        topic = pending.topic
        run = self._runs.get(topic)
        if not run:
            return "no trade had been received before the gap to join with"  # noqa: ASYNC910  # part of a task of ours
        try:
            return await self._join(pending, run)
        except Unknowable as error:
            return str(error)  # noqa: ASYNC910  # part of a task of ours

    async def _join(self, pending: PendingGap[T], run: deque[T]) -> str | None:
        early = self._early[pending.topic] = self._early.get(pending.topic, Counter())
        waits = iter(_WAITS)
        deadline: float | None = None
        while True:
            seen, asked = len(pending.held), trio.current_time()
            async with self._slots:
                rows = await self._rows(subject(pending.topic))
            seam = _Seam(rows, [self._key(item) for item in run])
            if not seam.agrees:
                if seam.current:
                    return "REST lists other trades than those received before the gap"
                if not await _again(waits):
                    return _STALE
                continue
            if not pending.held and seam.flaw is not None:
                # Without a later push, missed trades cannot be distinguished from those that are yet to be pushed.
                with trio.move_on_after(self._settle):
                    await pending.more(0)
                if not pending.held:
                    return seam.flaw
            elif not pending.held:
                pending.deliver([item for _, item in seam.left])
                run.extend(item for _, item in seam.left)
                early.update(trade for trade, _ in seam.left)
                self._until[pending.topic] = float("inf")
                await pending.more(0)
            if not seen:
                continue  # only a read that began after a push is certain to have it
            deadline = deadline or asked + self._settle
            tail = _Tail(seam, [self._key(item) for item in pending.live], early)
            if tail.behind:
                if not await _again(waits):
                    return seam.flaw or _STALE
            elif tail.closed or asked >= deadline or (not self._coarse and not tail.open):
                pending.deliver([item for _, item in tail.missed])
                run.extend(item for _, item in tail.missed)
                tail.settle(early)
                self._until[pending.topic] = trio.current_time() + _LATE
                return seam.flaw
            else:
                with trio.move_on_at(deadline):
                    await pending.more(len(pending.held))
                    await trio.sleep(_WAITS[1])


class _Seam(Generic[T]):
    """REST's latest trades, compared with the known ones."""

    def __init__(self, rows: Sequence[Row[T]], known: Sequence[Trade]) -> None:
        # Newest first as documented, and stable: trades of one moment keep their order.
        newest_first = len(rows) > 1 and rows[0][0].time >= rows[-1][0].time
        ordered = sorted(reversed(rows) if newest_first else rows, key=lambda row: row[0].time)
        start, end = min(trade.time for trade in known), max(trade.time for trade in known)
        oldest = self.oldest = ordered[0][0].time if ordered else end
        newest = ordered[-1][0].time if ordered else 0
        listed = Counter(trade for trade, _ in ordered)
        self.agrees = Counter(trade for trade in known if trade.time > oldest) <= listed
        """True if REST lists the known trades."""
        self.newest = newest
        self.current = newest > end
        """True if REST lists later trades."""
        self.flaw: str | None = None
        """The reason why the front seam does not hold."""
        if start == end:
            self.flaw = "too few trades had been received before the gap to join with"
        elif oldest >= end:
            self.flaw = f"REST lists only the last {len(ordered)} trades"
        taken = Counter(known)
        self.left: list[Row[T]] = []
        """The unknown trades, oldest first."""
        for trade, item in ordered:
            if taken[trade] > 0:
                taken[trade] -= 1
            elif trade.time > start:
                self.left.append((trade, item))


class _Tail(Generic[T]):
    """REST's unknown trades, compared with those pushed since."""

    def __init__(self, seam: _Seam[T], live: Sequence[Trade], early: Counter[Trade]) -> None:
        self._first = min(trade.time for trade in live)
        """The moment of the first push: earlier trades were missed, later ones are pushed."""
        self._pushed = Counter(trade for trade in live if trade.time == self._first)
        self._told = Counter({trade: count for trade, count in early.items() if trade.time == self._first})
        fresh = self._pushed - self._told
        same = Counter(trade for trade, _ in seam.left if trade.time == self._first)
        moved_on = seam.oldest >= self._first
        self.behind = not moved_on and not fresh <= same
        """True if REST does not have the push."""
        self._passed = max(trade.time for trade in live) > self._first
        self.closed = moved_on or (self._passed and seam.newest > self._first)
        """True if both have all trades of the first push's moment."""
        self._extra = Counter[Trade]() if moved_on else same - fresh
        self.open = bool(self._extra or self._told - self._pushed)
        """True if trades of that moment were missed, or are still to be pushed."""
        self.missed: list[Row[T]] = []
        if not moved_on:
            extra = self._extra.copy()
            for row in seam.left:
                if row[0].time < self._first:
                    self.missed.append(row)
                elif extra[row[0]] > 0:
                    extra[row[0]] -= 1
                    self.missed.append(row)

    def settle(self, early: Counter[Trade]) -> None:
        """Keep those of the trades delivered early that may yet be pushed."""
        for trade in [trade for trade in early if trade.time < self._first]:
            del early[trade]
        if self._passed:
            for trade in self._told - self._pushed:
                early[trade] = self._pushed[trade]
        else:
            early += self._extra


async def _again(waits: Iterator[float]) -> bool:
    """Wait before another try; return False if none is left."""
    seconds = next(waits, None)
    await trio.sleep(seconds or 0)
    return seconds is not None


def spot_trades(channel: Channel[SpotTrade], reads: Spot) -> TradeBackfiller[SpotTrade]:
    """The backfiller of ``spot.trade``."""

    def key(item: SpotTrade) -> Trade:
        if item.time is None:
            raise Unknowable("the pushes lack milliseconds")
        return Trade(item.time, item.price, item.size, item.side.value)

    async def read(symbol: str) -> list[Row[SpotTrade]]:
        return [
            (
                Trade(row.timestamp, row.price, row.size, row.side.value),
                SpotTrade(symbol=row.symbol, price=row.price, size=row.size, side=row.side, time=row.timestamp),
            )
            for row in await reads.market.trades(symbol, limit=_SPOT_TRADES)
        ]

    return TradeBackfiller(channel, key, read, coarse=False)


def futures_trades(channel: Channel[FuturesTrade], reads: Futures) -> TradeBackfiller[FuturesTrade]:
    """The backfiller of ``futures.trade``."""
    contracts: dict[str, ContractDetails] = {}

    def key(item: FuturesTrade) -> Trade:
        taker_sold = item.buyer_is_maker
        if taker_sold is None:
            if item.way is None:
                raise Unknowable("the pushes lack the taker's side")
            taker_sold = item.way.value > 4
        return Trade(int(item.datetime.timestamp()), item.price, item.size, "sell" if taker_sold else "buy")

    def size(row: FuturesMarketTrade, contract: ContractDetails) -> Decimal:
        # A coin-margined contract is an amount of the quote currency, the others one of the base currency.
        inverse = contract.quote_currency == "USD"
        exact = row.qty * (row.price if inverse else 1) / contract.contract_size
        whole = exact.to_integral_value()
        if abs(exact - whole) > (whole * Decimal("0.001") if inverse else 0):
            raise Unknowable("REST lists a quantity that is not a number of contracts")
        return whole

    async def read(symbol: str) -> list[Row[FuturesTrade]]:
        if symbol not in contracts:
            contracts.update({each.symbol: each for each in await reads.market.contracts(symbol)})
        contract = contracts.get(symbol)
        if contract is None:
            raise Unknowable("REST does not list the contract's size")
        found: list[Row[FuturesTrade]] = []
        for row in await reads.market.trades(symbol, limit=_FUTURES_TRADES):
            try:
                at = datetime.fromtimestamp(row.time, UTC)
            except (ValueError, OverflowError, OSError):
                raise Unknowable("REST lists a trade at an impossible time") from None
            item = FuturesTrade(
                symbol=row.symbol,
                price=row.price,
                size=size(row, contract),
                time=f"{at:%Y-%m-%dT%H:%M:%S}Z",
                buyer_is_maker=row.is_buyer_maker,
            )
            found.append((key(item), item))
        return found

    return TradeBackfiller(channel, key, read, coarse=True)


# ---- bars -----------------------------------------------------------------------------------------------------------


class KlineBackfiller(Fillable[Bar]):
    """Fills gaps between bars: each bar's last state, and the present state of the one in progress.

    Args:
        channel: the channel of the bars.
        clock: the exchange's clock, for a gap before which nothing was received.
        read: reads REST's bars of a symbol from a time in seconds on, oldest first.
        time: returns the time of a bar; REST's is its start.
        width: seconds of a bar; 0 if the pushes have each bar's exact start.
    """

    def __init__(
        self,
        channel: Channel[Bar],
        clock: Clock,
        read: Callable[[str, int], Awaitable[list[Bar]]],
        time: Callable[[Bar], int],
        width: int,
    ) -> None:
        super().__init__(channel)
        self._clock = clock
        self._bars = read
        self._time = time
        self._width = width
        self._last: dict[str, Bar] = {}

    def notice(self, topic: str, item: Bar) -> bool:
        """See `Backfiller.notice`."""
        last = self._last.get(topic)
        if last is None or self._time(item) >= self._time(last):
            self._last[topic] = item
        return True

    def missed(self, topic: str) -> None:
        """See `Backfiller.missed`. The next gap is still filled from the last known bar."""

    async def fill(self, pending: PendingGap[Bar]) -> str | None:
        """See `Backfiller.fill`."""
        known = self._last.get(pending.topic)
        if known is not None:
            begin = self._time(known)
        else:  # nothing has happened since the opening; some seconds for the clock
            begin = self._clock() // 1000 - round(trio.current_time() - pending.gap.since) - 2
        waits = iter(_WAITS)
        while True:
            async with self._slots:
                rows = await self._bars(subject(pending.topic), begin - self._width)
            starts = [self._time(row) for row in rows]
            if not starts or starts[0] > begin:
                return "REST does not reach back to the last bar received"
            first = max(start for start in starts if start <= begin)
            until = self._first_live(pending)
            fresh = [
                row
                for row, start in zip(rows, starts, strict=True)
                if start >= first
                and (until is None or start + max(self._width, 1) <= until)
                and not (start == first and known is not None and self._same(row, known))
            ]
            pending.deliver(fresh)
            if fresh:
                known = self._last[pending.topic] = fresh[-1]
                begin = self._time(known)
            if until is None:
                await pending.more(0)
                until = self._first_live(pending)
                assert until is not None
            # A bar in REST is final if a later one is listed.
            if until < starts[-1] + max(self._width, 1):
                return None
            if not await _again(waits):
                return _STALE

    def _same(self, row: Bar, known: Bar) -> bool:
        return (row.open, row.high, row.low, row.close, row.volume) == (
            known.open,
            known.high,
            known.low,
            known.close,
            known.volume,
        )

    def _first_live(self, pending: PendingGap[Bar]) -> int | None:
        return min((self._time(item) for item in pending.live), default=None)


def spot_klines(
    channel: Channel[SpotKlineUpdate], reads: Spot, clock: Clock, interval: str
) -> KlineBackfiller[SpotKlineUpdate]:
    """The backfiller of ``spot.kline``."""
    step = _STEPS[interval]

    async def read(symbol: str, begin: int) -> list[SpotKlineUpdate]:
        rows = await reads.market.latest_klines(symbol, after=begin - 1, step=step, limit=_SPOT_BARS)
        found: dict[int, SpotKline] = {row.open_time: row for row in rows}
        if not found or min(found) > begin or len(rows) >= _SPOT_BARS:
            found |= await older(symbol, begin)
        return [
            SpotKlineUpdate(symbol, row.open_time, row.open, row.high, row.low, row.close, row.volume)
            for _, row in sorted(found.items())
        ]

    async def older(symbol: str, begin: int) -> dict[int, SpotKline]:
        """Read all bars, page by page."""
        found: dict[int, SpotKline] = {}
        while True:
            rows = await reads.market.klines(symbol, after=begin - 1, step=step, limit=_SPOT_BARS)
            found |= {row.open_time: row for row in rows}
            if len(rows) < _SPOT_BARS or max(found) <= begin:
                return found
            begin = max(found)

    return KlineBackfiller(channel, clock, read, lambda bar: bar.open_time, 0)


def futures_klines(
    channel: Channel[FuturesKlineUpdate], reads: Futures, clock: Clock, interval: str
) -> KlineBackfiller[FuturesKlineUpdate]:
    """The backfiller of ``futures.kline``."""
    step = _STEPS[interval]

    async def read(symbol: str, begin: int) -> list[FuturesKlineUpdate]:
        found: dict[int, FuturesKlineUpdate] = {}
        end = clock() // 1000 + 1
        while begin <= end:
            until = min(end, begin + (_FUTURES_BARS - 1) * step * 60)
            rows = await reads.market.klines(symbol, start_time=begin, end_time=max(until, begin + 1), step=step)
            for row in rows:
                found[row.timestamp] = FuturesKlineUpdate(
                    symbol=symbol,
                    open=row.open_price,
                    high=row.high_price,
                    low=row.low_price,
                    close=row.close_price,
                    volume=row.volume,
                    time=row.timestamp,
                )
            begin = until + 1
        return [bar for _, bar in sorted(found.items())]  # noqa: ASYNC910  # part of a task of ours

    return KlineBackfiller(channel, clock, read, lambda bar: bar.time, step * 60)


_STEPS: Final = {
    "1m": 1,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1H": 60,
    "2H": 120,
    "4H": 240,
    "1D": 1440,
    "1W": 10_080,
    "1M": 43_200,
}
"""The length of a bar in minutes, as REST counts it."""
