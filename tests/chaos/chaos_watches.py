"""The kinds of subscription that the chaos run watches: every opener, backfill, books, account views, raw topics."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import trio
from account_kit import contents, ledger_of
from book_kit import Truth, rows
from chaos_kit import Default, Exact, Moving, Opening, Tally, Watch, World, name_of
from tape_kit import Market, OrderState, order_heard, order_told, trade_heard, trade_told

import bitmart_trio as bm
from bitmart_trio.models.account_views import AccountState
from bitmart_trio.models.stream_events import Backfilled
from bitmart_trio.sim.kernel.feed import Frame


class Filled(Exact):
    """A subscription whose gaps are filled over REST.

    Trades and orders are compared one by one: only a `Gap` excuses a missing one. Of states the ones inside a gap are
    gone, and what was read stands for them.
    """

    _heard_from = 0.0
    """When the first order was pushed of which anything was received."""

    def declared(self, topic: str, at: float) -> bool:
        """A gap that was filled excuses what was pushed in it, for states."""
        return super().declared(topic, at) or any(
            isinstance(item, Backfilled) and item.topic == topic and item.since <= at <= item.until for item in self.got
        )

    def tally(self, world: World) -> Tally:
        """See `Watch.tally`."""
        counts = self.sub.statistics()
        assert counts.received + counts.backfilled == (
            counts.delivered + counts.conflated + counts.dropped + counts.repeated + counts.buffer_used
        )
        assert counts.gaps == len(self.gaps)
        assert counts.backfilled == sum(item.count for item in self.got if isinstance(item, Backfilled))
        found = Tally(ended=self.error is not None, gaps=len(self.gaps), received=counts.received)
        (topic,) = self.topics
        market: Market = "spot" if topic.startswith("spot") else "futures"
        told = [
            (at, row)
            for at, data in world.tape(topic).frames[self.begun[topic] :]
            for row in (data if isinstance(data, list) else [data])
        ]
        found.sent = len(told)
        if "/trade:" in topic:
            self._account_trades(world, found, market, told)
        elif "order" in topic:
            self._account_orders(world, found, market, told)
        else:
            self._account_states(world, found)
        return found

    def _excused(self, topic: str, at: float) -> bool:
        """Only what is said to be missing for good.

        That contracts never heard of are not told is no excuse once the only contract here was heard of.
        """
        if self.error is not None and at >= (self.sub.statistics().last_message or self.opened):
            return True
        return any(
            gap.since <= at <= gap.until
            for gap in self.gaps
            if self._heard_from > gap.since or not gap.reason.endswith("orders, fills or plans only")
        )

    def _account_trades(self, world: World, found: Tally, market: Market, told: list[tuple[float, Any]]) -> None:
        received = Counter(map(trade_heard, self.items))
        for at, row in told:
            name = trade_told(market, row)
            if received[name] > 0:
                received[name] -= 1
            elif self._excused(self.topics[0], at):
                found.declared += 1
            elif world.unseeable:
                found.unseeable += 1
            else:
                found.undeclared += 1
        known = {trade_told(market, row) for _, data in world.tape(self.topics[0]).frames for row in data}
        assert not set(+received) - known, f"{self.name}: never published"
        found.repeated = received.total()
        assert world.repeats or not found.repeated, f"{self.name}: came twice"

    def _account_orders(self, world: World, found: Tally, market: Market, told: list[tuple[float, Any]]) -> None:
        heard = [order_heard(item) for item in self.items]
        ids = {state.order_id for state in heard}
        # Not the first that was pushed: lost in the very moment in which a gap began, it made no contract known.
        self._heard_from = min((at for at, row in told if order_told(market, row).order_id in ids), default=math.inf)
        fills = {(state.order_id, state.trade) for state in heard}
        now: dict[str, OrderState] = {}
        for state in heard:
            before = now.get(state.order_id)
            if before is not None and not world.unseeable:
                further = (state.filled, state.closed) > (before.filled, before.closed)
                assert further or world.repeats, f"{self.name}: repeated, or turned back"
            if before is None or (state.filled, state.closed) >= (before.filled, before.closed):
                now[state.order_id] = state
        ends: dict[str, tuple[float, OrderState]] = {}
        missing = 0
        for at, row in told:
            order = order_told(market, row)
            ends[order.order_id] = at, order
            lacks = order.trade is not None and (order.order_id, order.trade) not in fills
            if lacks and not self._excused(self.topics[0], at):
                missing += 1
        for name, (at, order) in ends.items():
            mine = now.get(name)
            if mine is None or (mine.filled, mine.closed) != (order.filled, order.closed):
                missing += not self._excused(self.topics[0], at)
        found.declared = max(0, len(told) - len(heard))
        if world.unseeable:
            found.unseeable = missing
        else:
            found.undeclared = missing

    def _account_states(self, world: World, found: Tally) -> None:
        found.sent = 0
        received = Counter(map(name_of, self.items))
        tape, excused = world.tape(self.topics[0]), list[object]()
        for number in range(self.begun[self.topics[0]], len(tape.frames)):
            names = tape.items(number)
            found.sent += len(names)
            if self.declared(self.topics[0], tape.frames[number][0]):
                excused += names
                continue
            lacking = 0
            for name in names:
                if received[name] > 0:
                    received[name] -= 1
                else:
                    lacking += 1
            if world.unseeable:
                found.unseeable += lacking
            else:
                found.undeclared += lacking
        for name in excused:
            if received[name] > 0:
                received[name] -= 1
            else:
                found.declared += 1


class Book(Watch):
    """A book: whenever it is live, it is the exchange's at that version."""

    def __init__(self, name: str, opening: Opening, topic: str, symbol: str, level: int) -> None:
        super().__init__(name)
        self._opening = opening
        self._where = topic, symbol, level
        self._truth: Truth | None = None
        self._book: Any = None
        self._wrong = 0
        self._pushes = 0

    def prepare(self, world: World) -> None:
        """See `Watch.prepare`."""
        self._truth = Truth(world.venue, *self._where)
        world.venue.exchange.feed.listen(self._where[0], None, self._count)

    def _count(self, frame: Frame) -> None:
        self._pushes += 1

    async def follow(self, world: World, *, task_status: trio.TaskStatus[None]) -> None:
        """See `Watch.follow`."""
        try:
            async with self._opening(world.client) as self._book:
                task_status.started()
                async for _ in self._book:
                    self._look()
        except bm.BitMartError as error:
            self.error = error

    def _look(self) -> None:
        assert self._truth is not None
        self._truth.checked += 1
        held = self._truth.versions.get(self._book.version)
        self._wrong += held != (rows(self._book.bids), rows(self._book.asks))

    def tally(self, world: World) -> Tally:
        """See `Watch.tally`."""
        assert self._truth is not None
        assert self._truth.checked
        counts = self._book.statistics()
        received = counts.updates + counts.snapshots + counts.stale_dropped + counts.gaps
        if self.error is None:
            assert self._book.state is bm.BookState.LIVE, f"{self.name}: the book never came back"
            self._look()
            self._wrong += self._book.version != max(self._truth.versions)
        return Tally(
            sent=self._pushes,
            received=received,
            declared=max(0, self._pushes - counts.updates - counts.stale_dropped),
            undeclared=self._wrong,
            gaps=counts.gaps,
            resynced=counts.resyncs,
            ended=self.error is not None,
        )


class Account(Watch):
    """A view of the account: once it has settled, it is the exchange's ledger."""

    def __init__(self, market: Market) -> None:
        super().__init__(f"{market} account()")
        self._market: Market = market
        self._view: Any = None
        self._changes = 0

    async def follow(self, world: World, *, task_status: trio.TaskStatus[None]) -> None:
        """See `Watch.follow`."""
        streams = world.client.streams
        reconcile = 5.0 if world.unseeable else None
        account: Any = streams.spot.account if self._market == "spot" else streams.futures.account
        try:
            async with account(reconcile=reconcile, verify_after=2.5) as self._view:
                task_status.started()
                async for _ in self._view:
                    self._changes += 1
        except bm.BitMartError as error:
            self.error = error

    def tally(self, world: World) -> Tally:
        """See `Watch.tally`."""
        counts = self._view.statistics()
        found = Tally(
            sent=counts.pushes, received=counts.pushes, gaps=counts.gaps, resynced=counts.resyncs - 1,
            ended=self.error is not None,
        )  # fmt: skip
        if self.error is None:
            assert self._view.state is AccountState.LIVE, f"{self.name}: the view never came back"
            mine, truth = contents(self._view), ledger_of(world.venue, self._market)
            found.undeclared = sum(mine.get(key) != truth.get(key) for key in mine.keys() | truth.keys())
        return found


def _exact(market: str, name: str, *subjects: str, **variant: Any) -> Opening:
    def opening(client: bm.Client) -> AbstractAsyncContextManager[Any]:
        streams: Any = getattr(client.streams, market)
        found: AbstractAsyncContextManager[Any] = getattr(streams, name)(*subjects, **variant)
        return found

    return opening


_SPOT, _FUTURES = "BTC_USDT", "BTCUSDT"
CHANNELS: Final[list[tuple[Market, str, tuple[str, ...], dict[str, Any], tuple[str, ...]]]] = [
    ("spot", "ticker", (_SPOT, "ETH_USDT"), {}, ("spot/ticker:BTC_USDT", "spot/ticker:ETH_USDT")),
    ("spot", "kline", (_SPOT,), {"interval": "1m"}, ("spot/kline1m:BTC_USDT",)),
    ("spot", "kline_legacy", (_SPOT,), {"interval": "3m"}, ("spot/kline3m:BTC_USDT",)),
    ("spot", "depth", (_SPOT,), {"level": 5}, ("spot/depth5:BTC_USDT",)),
    ("spot", "depth100", (_SPOT,), {}, ("spot/depth100:BTC_USDT",)),
    ("spot", "depth_increase", ("ETH_USDT",), {}, ("spot/depth/increase100:ETH_USDT",)),
    ("spot", "trade", (_SPOT,), {}, ("spot/trade:BTC_USDT",)),
    ("spot", "book_ticker", (_SPOT,), {}, ("spot/bookTicker:BTC_USDT",)),
    ("spot", "user_order", (_SPOT,), {}, ("spot/user/order:BTC_USDT",)),
    ("spot", "user_orders", (), {}, ("spot/user/orders:ALL_SYMBOLS",)),
    ("spot", "user_balance", (), {}, ("spot/user/balance:BALANCE_UPDATE",)),
    ("futures", "ticker", (_FUTURES,), {}, ("futures/ticker:BTCUSDT",)),
    ("futures", "tickers", (), {}, ("futures/ticker",)),
    ("futures", "funding_rate", (_FUTURES,), {}, ("futures/fundingRate:BTCUSDT",)),
    ("futures", "depth", (_FUTURES,), {"level": 5}, ("futures/depth5:BTCUSDT",)),
    ("futures", "depth_all", (_FUTURES,), {"level": 5, "speed": "100ms"}, ("futures/depthAll5:BTCUSDT@100ms",)),
    ("futures", "depth_increase", (_FUTURES,), {"level": 5}, ("futures/depthIncrease5:BTCUSDT",)),
    ("futures", "depth_all_v2", (_FUTURES,), {"level": 5}, ("futures/v2/depthAll5:BTCUSDT@100ms",)),
    ("futures", "depth_increase_v2", (_FUTURES,), {"level": 5}, ("futures/v2/depthIncrease5:BTCUSDT@100ms",)),
    ("futures", "book_ticker", (_FUTURES,), {}, ("futures/bookticker:BTCUSDT",)),
    ("futures", "trade", (_FUTURES,), {}, ("futures/trade:BTCUSDT",)),
    ("futures", "kline", (_FUTURES,), {"interval": "1m"}, ("futures/klineBin1m:BTCUSDT",)),
    ("futures", "mark_price_kline", (_FUTURES,), {"interval": "1m"}, ("futures/markPriceKlineBin1m:BTCUSDT",)),
    ("futures", "asset", ("USDT",), {}, ("futures/asset:USDT",)),
    ("futures", "position", (), {}, ("futures/position",)),
    ("futures", "order", (), {}, ("futures/order",)),
    ("futures", "unicast", (), {}, ("futures/unicast",)),
]
"""Every opener: market, name, arguments, topics."""
FILLED: Final = [
    "spot.kline", "spot.trade", "spot.user_order", "spot.user_orders", "spot.user_balance",
    "futures.trade", "futures.kline", "futures.asset", "futures.position", "futures.order",
]  # fmt: skip
"""Those whose gaps REST can fill."""
RAISING: Final = ("spot.book_ticker", "spot.user_orders", "futures.depth", "futures.position")
BATCHES: Final = ("spot.trade", "futures.tickers", "futures.order")


def watches() -> Iterator[Watch]:
    """Every kind of subscription, the exact ones first."""
    twins: list[Watch] = []
    for market, name, subjects, variant, topics in CHANNELS:
        row = f"{market}.{name}"
        options: dict[str, Any] = {**variant, "overflow": "fail"}
        exact = Exact(row, _exact(market, name, *subjects, **options, gaps="mark"), *topics)
        yield exact
        if row in RAISING:
            yield Exact(
                f"{row} raise", _exact(market, name, *subjects, **options, gaps="raise"), *topics, reading="raise"
            )
        if row in BATCHES:
            opening = _exact(market, name, *subjects, **options, gaps="mark")
            yield Exact(f"{row} batches", opening, *topics, reading="batches")
        if row in FILLED:
            yield Filled(
                f"{row} backfill", _exact(market, name, *subjects, **options, gaps="mark", backfill=True), *topics
            )
        if name != "depth_increase":
            twins.append(Default(f"{row} skip", _exact(market, name, *subjects, **variant), exact))

    def raw(*topics: str) -> Exact:
        return Exact(
            f"subscribe({topics[0].partition(':')[0]}, ...)",
            lambda client: client.streams.subscribe(*topics, gaps="mark", overflow="fail"),
            *topics,
        )

    yield raw("spot/brandNew:BTC_USDT")
    yield raw("futures/brandNew:BTCUSDT")
    yield raw("spot/ticker:BTC_USDT", "futures/ticker:BTCUSDT", "spot/trade:BTC_USDT")
    yield Moving(
        "spot.trade add/remove",
        _exact("spot", "trade", _SPOT, gaps="mark", overflow="fail"),
        "ETH_USDT", "spot/trade:BTC_USDT", "spot/trade:ETH_USDT",
    )  # fmt: skip
    yield Moving(
        "futures.ticker add/remove",
        _exact("futures", "ticker", _FUTURES, gaps="mark", overflow="fail"),
        "ETHUSDT", "futures/ticker:BTCUSDT", "futures/ticker:ETHUSDT",
    )  # fmt: skip
    yield Exact(
        "spot.depth_increase beside a book",
        _exact("spot", "depth_increase", _SPOT, gaps="mark", overflow="fail"),
        "spot/depth/increase100:BTC_USDT",
    )
    yield Book("spot.order_book", _exact("spot", "order_book", _SPOT), "spot/depth/increase100:BTC_USDT", _SPOT, 100)
    yield Book(
        "futures.order_book",
        _exact("futures", "order_book", _FUTURES, level=20, speed="100ms"),
        "futures/depthIncrease20:BTCUSDT@100ms", _FUTURES, 20,
    )  # fmt: skip
    yield Account("spot")
    yield Account("futures")
    yield from twins
