"""Storms on an exchange whose parts agree only after a while, and a referee who knows the exchange's own books."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from decimal import ROUND_DOWN, Decimal
from typing import Final, Literal, TypeAlias

import attrs
import trio
from storm_kit import SYMBOLS, Storm, troubles, truth_of
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim.faults import (
    BlankClientIds,
    BurntIds,
    Cap,
    ClockGlitch,
    Fault,
    GatewayJson,
    Lag,
    LatePush,
    OldPush,
    StaleFields,
)
from bitmart_trio.sim.venue import Venue
from bitmart_trio.testing import deterministic
from bitmart_trio.trading import ExitReport, MemoryJournal, Order, OrderState, OrderStatus, Session

Kind: TypeAlias = Literal["within", "long", "beyond"]
"""Lags that the default `visible_after` allows; up to two minutes, with as large a `visible_after`; and beyond it."""


_LOT: Final = {"BTC_USDT": Decimal("0.00001"), "ETH_USDT": Decimal("0.0001")}


def _apart(symbol: str, price: Decimal | None) -> bool:
    """Whether a trade at this price reaches no order of somebody else: those are at 20,000, of BTC."""
    return price is not None and (price > 20_000 or symbol.startswith("ETH"))


@attrs.frozen
class Bounds:
    """What a kind of storm has."""

    lag: float
    visible_after: float
    deadline: float


KINDS: Final[dict[Kind, Bounds]] = {
    "within": Bounds(28.0, 90.0, 100.0),
    "long": Bounds(120.0, 185.0, 200.0),
    "beyond": Bounds(900.0, 90.0, 100.0),
}
READS: Final = {
    "spot": (
        "/spot/v4/query/order",
        "/spot/v4/query/client-order",
        "/spot/v4/query/open-orders",
        "/spot/v4/query/*trades",
        "/spot/v4/query/*",
    ),
    "futures": (
        "/contract/private/order",
        "/contract/private/order-history",
        "/contract/private/get-open-orders",
        "/contract/private/trades",
        "/contract/private/position-v2",
        "/contract/private/*",
    ),
}
WRITES: Final = {"spot": "/spot/v*/submit_order", "futures": "/contract/private/submit-order"}


def contradictions(rng: random.Random, market: str, longest: float) -> Iterator[Fault]:
    """Everything that an exchange can show late, old, cut off or under another name, at random."""
    while True:
        path, topic = rng.choice(READS[market]), f"{market}/*"
        seconds, lasting = rng.uniform(0.1, longest), rng.uniform(0.5, 2 * longest)
        yield rng.choice(
            (
                Lag(path, seconds=seconds, how=rng.choice(("stale", "missing")), times=None, lasting=lasting),
                Lag(path, seconds=seconds, how=rng.choice(("stale", "missing")), times=None, lasting=lasting),
                Lag(path, seconds=longest, how="missing", times=None, lasting=lasting),
                StaleFields(path, seconds=seconds, times=None, lasting=lasting),
                StaleFields(topic, times=None, lasting=lasting),
                Cap(path, n=rng.choice((1, 10, 50)), times=None, lasting=lasting),
                BlankClientIds(path, how=rng.choice(("blank", "altered")), times=None, lasting=min(lasting, 20)),
                BlankClientIds(topic, how=rng.choice(("blank", "altered")), times=None, lasting=min(lasting, 20)),
                ClockGlitch(times=rng.choice((1, 2)), ms=rng.choice((120_000, 600_000))),
                GatewayJson(
                    WRITES[market],
                    status=rng.choice((400, 403, 408, 500)),
                    code=rng.choice((408, 500, 99_999)),
                    handled=rng.random() < 0.7,
                    times=rng.randint(1, 3),
                    lasting=lasting,
                ),
                BurntIds(WRITES[market], burnt=rng.randint(1, 2), lasting=lasting),
                LatePush(topic, seconds=seconds, chance=rng.choice((0.5, 1.0)), lasting=lasting),
                OldPush(topic, lasting=lasting),
            )
        )


@attrs.define
class EventualStorm(Storm):
    """One run; what must hold after it is in `_referee`."""

    kind: Kind = "within"
    closes: bool = False
    chains: list[tuple[Order, Order]] = attrs.Factory(list)
    """Each replaced order and its successor."""
    lingered: bool = False
    """The bot stayed until all that was late had come through."""

    def run(self) -> Counter[str]:
        """Run it, and check everything."""
        self.rng = random.Random(f"eventual/{self.kind}/{self.market}/{self.seed}")
        self.closes = self.market == "futures" and self.rng.random() < 0.5
        with deterministic(self.seed):
            trio.run(self._main, clock=MockClock(autojump_threshold=0))
        return self.counts

    async def _main(self) -> None:
        rng, journal, bounds = self.rng, MemoryJournal(), KINDS[self.kind]
        async with (
            bm.sim.open_exchange(seed=self.seed, live=False) as venue,
            venue.open_client(config=bm.Config(ban_pause=5)) as client,
            venue.open_client() as other,
        ):
            foreign = await self._foreign_orders(other)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._live_on, venue)
                nursery.start_soon(self._take_parts, venue)
                nursery.start_soon(self._trouble, venue)
                report = await self._bot_once(client, journal, venue)
                self._referee(venue, report, foreign)
                self.calm = True
                venue.faults.clear()
                await trio.sleep(100)
                self._referee(venue, report, foreign)
                if not report.confirmed:
                    self.counts["unconfirmed"] += 1
                    # A healthy exchange: the next run clears up, and is sure of it.
                    async with self._session(client, journal, bounds.deadline) as session:
                        await trio.sleep(rng.choice((0, 1, 70)))
                    assert session.report is not None
                    assert session.report.confirmed, session.report
                    await trio.sleep(100)
                    self.closes = False  # it leaves what an earlier run holds
                    self._referee(venue, session.report, foreign)
                nursery.cancel_scope.cancel()

    def _session(
        self, client: bm.Client, journal: MemoryJournal, deadline: float
    ) -> AbstractAsyncContextManager[Session]:
        symbols, visible_after = SYMBOLS[self.market], KINDS[self.kind].visible_after
        if self.market == "spot":
            return bm.trading.open_spot_session(
                client, *symbols, journal=journal, deadline=deadline, reconcile=10, visible_after=visible_after
            )
        return bm.trading.open_futures_session(
            client,
            *symbols,
            journal=journal,
            deadline=deadline,
            reconcile=10,
            visible_after=visible_after,
            on_exit="close" if self.closes else "cancel",
        )

    async def _bot_once(self, client: bm.Client, journal: MemoryJournal, venue: Venue) -> ExitReport:
        """Trade until cancelled, or an error, or done; the report of the exit."""
        rng, bounds = self.rng, KINDS[self.kind]
        ending = rng.choice(("cancel", "cancel", "error", "return"))
        self.counts[ending] += 1
        self.lingered = ending == "return" and rng.random() < 0.7
        session: Session | None = None
        try:
            with trio.move_on_after(rng.uniform(0.5, 60) if ending == "cancel" else 3000):
                async with self._session(client, journal, bounds.deadline) as session:
                    await self._trade(session, ending)
                    if self.lingered:
                        venue.faults.clear()
                        self.calm = True
                        await trio.sleep(bounds.lag + bounds.visible_after + 30)
        except* bm.errors.ExitUnconfirmed:
            pass
        except* ZeroDivisionError:
            assert ending == "error"
        assert session is not None
        assert session.report is not None
        assert session.report.seconds <= bounds.deadline + 3, session.report
        return session.report

    async def _take_parts(self, venue: Venue) -> None:
        """Others fill resting orders of the bot in part, behind its back."""
        rng = self.rng
        while True:
            await trio.sleep(rng.uniform(0.05, 1))
            self._take_part(venue)

    def _take_part(self, venue: Venue) -> None:
        rng, exchange = self.rng, venue.exchange
        part = rng.choice((Decimal("0.25"), Decimal("0.5"), Decimal(1)))
        if self.market == "spot":
            orders = [
                each
                for each in exchange.spot.engine.open_orders("1")
                if _apart(each.form.market.pair.symbol, each.form.price)
            ]
            if orders:
                order = rng.choice(orders)
                assert order.form.price is not None
                side: Literal["buy", "sell"] = "sell" if order.form.side == "buy" else "buy"
                size = ((order.form.size or part) * part).quantize(_LOT[order.form.market.pair.symbol], ROUND_DOWN)
                exchange.spot.engine.meet(order.form.market, side, order.form.price, size)
                self.counts["taken"] += 1
            return
        account = exchange.accounts.get("1")
        assert account is not None
        live = [
            each
            for each in exchange.futures.engine.trader(account).orders.values()
            if _apart(each.contract.symbol, each.price)
        ]
        if live:
            taken = rng.choice(live)
            assert taken.price is not None
            side = "sell" if int(taken.side) in (1, 2) else "buy"
            listing = exchange.futures.listings[taken.contract.symbol]
            exchange.futures.engine.meet(listing, side, taken.price, max(Decimal(1), taken.size * part // 1))
            self.counts["taken"] += 1

    async def _act(self, session: Session) -> None:
        rng = self.rng
        alive = [order for order in self.orders if not order.is_closed and order.status.price is not None]
        if alive and rng.random() < 0.15:
            order = rng.choice(alive)
            replaced = await order.replace(price=self._far(order.symbol.replace("_", "")))
            if replaced is not order:
                self.chains.append((order, replaced))
                self.orders.append(replaced)
        else:
            await super()._act(session)

    async def _trouble(self, venue: Venue) -> None:
        rng, bounds = self.rng, KINDS[self.kind]
        late, network = contradictions(rng, self.market, bounds.lag), troubles(rng, self.market)
        if self.kind == "beyond":  # from the beginning, and on every path
            for path in READS[self.market]:
                venue.faults.add(Lag(path, seconds=bounds.lag, how="missing", times=None))
            venue.faults.add(LatePush(f"{self.market}/*", seconds=bounds.lag))
            self.counts["contradictions"] += 1
        while trio.current_time() < 60:
            await trio.sleep(rng.uniform(0.05, 4))
            if self.calm:
                break
            if rng.random() < 0.75:
                venue.faults.add(next(late))
                self.counts["contradictions"] += 1
            else:
                venue.faults.add(next(network))
                self.counts["troubles"] += 1

    # What must hold, by the exchange's own books

    def _referee(self, venue: Venue, report: ExitReport, foreign: list[str]) -> None:
        truth = truth_of(venue, self.market)
        for name in foreign:
            (only,) = truth.pop(name)
            assert only.open, "a foreign order was touched"
        for name, found in truth.items():
            assert len(found) == 1, f"{name} was accepted {len(found)} times"
        settled = (*report.cancelled, *report.filled, *report.never_placed)
        for status in settled:
            self._over(status, truth)
            if status not in report.sizes_unconfirmed and self.kind != "beyond":
                filled = truth[status.client_order_id][0].filled if status.client_order_id in truth else Decimal(0)
                assert status.filled_size == filled, f"{status} is confirmed, and {filled} was filled"
        left = [name for name, found in truth.items() if found[0].open]
        if report.confirmed:
            assert not left, f"{left} are open after a confirmed exit"
            if self.closes:
                held = self._held(venue)
                assert not held, f"{held} contracts are held after a confirmed exit"
        for order in self.orders:
            self._told(order, truth)
        for first, second in self.chains:
            one, two = truth.get(first.client_order_id), truth.get(second.client_order_id)
            filled = sum((each[0].filled for each in (one, two) if each), Decimal(0))
            assert first.status.size is None or filled <= first.status.size, f"{first} and {second} filled {filled}"
        self.counts["intents"] += len({order.client_order_id for order in self.orders})
        self.counts["accepted"] += len(truth)
        self.counts["confirmed" if report.confirmed else "not confirmed"] += 1

    @staticmethod
    def _over(status: OrderStatus, truth: dict[str, list]) -> None:  # type: ignore[type-arg]
        found = truth.get(status.client_order_id)
        if status.state is OrderState.REJECTED:
            assert not found, f"{status} is at the exchange: {found}"
        else:
            assert found, f"{status} is not at the exchange"
            assert not found[0].open, f"{status} is open: {found}"

    def _told(self, order: Order, truth: dict[str, list]) -> None:  # type: ignore[type-arg]
        """What a handle says: never more than there was, and all of it once everything has come through."""
        found = truth.get(order.client_order_id)
        filled = found[0].filled if found else Decimal(0)
        assert order.filled_size <= filled, f"{order} says {order.filled_size} of {filled}"
        if order.state is OrderState.FILLED and self.kind != "beyond":
            assert order.filled_size == filled, f"{order} says {order.filled_size} of {filled}"
        if self.lingered and order.is_closed and self.kind != "beyond":
            assert order.filled_size == filled, f"{order} says {order.filled_size} of {filled}"
            assert (order.state is OrderState.REJECTED) == (not found), f"{order}: {found}"

    def _held(self, venue: Venue) -> Decimal:
        account = venue.exchange.accounts.get("1")
        assert account is not None
        return sum((each.size for each in venue.exchange.futures.engine.trader(account).open_positions()), Decimal(0))
