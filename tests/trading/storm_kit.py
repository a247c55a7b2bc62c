"""A storm: a bot trades at random on an exchange that misbehaves at random, and is cancelled somewhere in it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, suppress
from decimal import Decimal
from typing import Any

import attrs
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim.faults import (
    Delay,
    DropDuringLogin,
    Duplicate,
    Fail5xx,
    Fault,
    Gap,
    GarbageReply,
    HalfReply,
    LatePong,
    LoseReply,
    LoseRequest,
    MuteTopic,
    Refuse418,
    Refuse429,
    RefuseConnect,
    Reorder,
    Stall,
)
from bitmart_trio.sim.venue import Venue
from bitmart_trio.testing import deterministic
from bitmart_trio.trading import FuturesSession, MemoryJournal, Order, OrderState, Session, SpotSession

SYMBOLS = {"spot": ("BTC_USDT", "ETH_USDT"), "futures": ("BTCUSDT", "ETHUSDT")}
PRICES = {"BTC": Decimal(60000), "ETH": Decimal(3000)}
FAULTS_UNTIL = 45.0
"""Seconds after which no new trouble begins; all of it is over twenty seconds later."""
DEADLINE = 150.0


class AnyIdAgain(dict[str, str]):
    """Client order ids that the exchange forgets to check: an order that is sent twice becomes two."""

    def __contains__(self, _: object) -> bool:
        return False


@attrs.frozen
class Truth:
    """One order, as the exchange has it."""

    order_id: str
    open: bool
    filled: Decimal
    over: str
    """filled or cancelled; blank while it is open."""


def truth_of(venue: Venue, market: str) -> dict[str, list[Truth]]:
    """All orders of the default account with a client order id, by that id."""
    exchange = venue.exchange
    found: dict[str, list[Truth]] = {}
    if market == "spot":
        for order in exchange.spot.engine.of_account("1"):
            # A market buy that spent what buys a lot ends as partially cancelled: a session calls it filled.
            spent = order.form.type == "market" and order.form.side == "buy" and order.filled_size > 0
            over = "" if order.open else ("filled" if order.state == "filled" or spent else "cancelled")
            truth = Truth(order.order_id, order.open, order.filled_size, over)
            found.setdefault(order.form.client_order_id, []).append(truth)
    else:
        account = exchange.accounts.get("1")
        assert account is not None
        trader = exchange.futures.engine.trader(account)
        for each in (*trader.orders.values(), *trader.finished):
            live = each.order_id in trader.orders
            over = "" if live else ("filled" if each.deal_size >= each.size else "cancelled")
            found.setdefault(each.client_order_id, []).append(Truth(each.order_id, live, each.deal_size, over))
    found.pop("", None)
    return found


def lenient(venue: Venue) -> None:
    """Let the exchange accept a client order id again and again, so that every double send shows."""
    exchange = venue.exchange
    exchange.spot.engine.used = lambda account_id, client_order_id: False  # type: ignore[method-assign]
    account = exchange.accounts.get("1")
    assert account is not None
    exchange.futures.engine.trader(account).client_ids = AnyIdAgain()


def troubles(rng: random.Random, market: str) -> Iterator[Fault]:
    """Everything that can go wrong, at random."""
    writes, reads, private = (
        ("/spot/v*/*order*", "/spot/v4/query/*", "spot/private")
        if market == "spot"
        else ("/contract/private/*-order*", "/contract/private/*order*", "futures/private")
    )
    while True:
        path = rng.choice((writes, writes, reads, "*"))
        many = rng.randint(1, 4)
        lasting = rng.uniform(0.5, 20)
        chance = rng.uniform(0.2, 1)
        yield rng.choice(
            (
                LoseRequest(path, times=many, lasting=lasting, chance=chance),
                LoseRequest(path, times=None, lasting=rng.uniform(0.5, 6), chance=chance),
                LoseReply(path, times=many, lasting=lasting, chance=chance),
                LoseReply(path, times=None, lasting=rng.uniform(0.5, 6), chance=chance),
                HalfReply(path, times=many, lasting=lasting),
                GarbageReply(path, times=many, lasting=lasting),
                Delay(path, seconds=rng.uniform(0.1, 58), times=many, before=rng.random() < 0.7, lasting=lasting),
                Delay(path, seconds=rng.uniform(55, 90), times=1, before=True, lasting=lasting),
                Refuse418(path),
                Refuse429(path, times=None, lasting=rng.uniform(0.5, 12), chance=chance),
                Fail5xx(
                    path,
                    status=rng.choice((500, 502, 503, 504)),
                    html=rng.random() < 0.5,
                    handled=rng.random() < 0.5,
                    times=rng.choice((1, 3, None)),
                    lasting=rng.uniform(0.5, 8),
                ),
                # A page of the edge network that says nothing about the order, whatever its status.
                Fail5xx(
                    path,
                    status=rng.choice((400, 401, 403, 404)),
                    html=True,
                    times=rng.choice((1, 3, None)),
                    lasting=rng.uniform(0.5, 8),
                ),
                RefuseConnect("*", times=many, lasting=lasting),
                Stall(private, lasting=rng.uniform(1, 20)),
                LatePong(private, seconds=30, times=2, lasting=lasting),
                DropDuringLogin(private, lasting=lasting),
                Gap(f"{market}/*", times=many, lasting=lasting),
                MuteTopic(f"{market}/*", lasting=lasting),
                Duplicate(f"{market}/*", times=many, lasting=lasting),
                Reorder(f"{market}/*", times=many, lasting=lasting),
            )
        )


@attrs.define
class Storm:
    """One run."""

    market: str
    seed: int
    orders: list[Order] = attrs.Factory(list)
    """The handles that the bot got."""
    counts: Counter[str] = attrs.Factory(Counter)
    """What happened, for the record."""
    crashed: bool = False
    """It had no time to leave: its handles know what they knew then."""
    calm: bool = False
    """The bot has left: no more trouble."""
    rng: random.Random = attrs.Factory(lambda self: random.Random(f"storm/{self.market}/{self.seed}"), takes_self=True)

    def run(self) -> Counter[str]:
        """Run it, and check everything."""
        with deterministic(self.seed):
            trio.run(self._main, clock=MockClock(autojump_threshold=0))
        return self.counts

    async def _main(self) -> None:
        rng, journal = self.rng, MemoryJournal()
        async with (
            bm.sim.open_exchange(seed=self.seed, live=False) as venue,
            venue.open_client(config=bm.Config(ban_pause=5)) as client,
            venue.open_client() as other,
        ):
            lenient(venue)
            foreign = await self._foreign_orders(other)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._live_on, venue)
                nursery.start_soon(self._trouble, venue)
                # A run in four "crashes": it has no time to leave, and the next run cleans up.
                crashes = rng.random() < 0.25
                self.crashed = crashes
                await self._bot(client, journal, crashes)
                self.calm = True
                venue.faults.clear()
                if crashes:
                    self.counts["crashes"] += 1
                    async with self._session(client, journal, DEADLINE) as session:
                        await trio.sleep(rng.choice((0, 1, 70)))
                    assert session.report is not None
                    assert session.report.confirmed
                # What the exchange still sits on comes out now, if it ever does.
                await trio.sleep(100)
                self._check(venue, journal, foreign)
                nursery.cancel_scope.cancel()

    def _session(
        self, client: bm.Client, journal: MemoryJournal, deadline: float
    ) -> AbstractAsyncContextManager[Session]:
        symbols = SYMBOLS[self.market]
        if self.market == "spot":
            return bm.trading.open_spot_session(
                client, *symbols, journal=journal, deadline=deadline, rules=None, reconcile=10
            )
        return bm.trading.open_futures_session(client, *symbols, journal=journal, deadline=deadline, reconcile=10)

    async def _bot(self, client: bm.Client, journal: MemoryJournal, crashes: bool) -> None:
        """Open a session and trade in it, until cancelled, or an error, or done."""
        rng = self.rng
        ending = rng.choice(("cancel", "cancel", "error", "return"))
        self.counts[ending] += 1
        session: Session | None = None
        opened = False
        try:
            with trio.move_on_after(rng.uniform(0.01, FAULTS_UNTIL) if ending == "cancel" else 300):
                while not opened:
                    try:
                        async with self._session(client, journal, 0.01 if crashes else DEADLINE) as session:
                            opened = True
                            await self._trade(session, ending)
                    except (bm.TransportError, bm.ApiError):
                        if opened:
                            raise
                        await trio.sleep(0.5)
        except BaseExceptionGroup as group:
            # A cancelled session that could not be confirmed: only those that "crash" may.
            rest = group.split(bm.errors.ExitUnconfirmed)[1]
            assert rest is None
            assert crashes
        except bm.errors.ExitUnconfirmed:
            assert crashes
        except ZeroDivisionError:
            assert ending == "error"
        if not crashes and session is not None and session.report is not None:
            assert session.report.confirmed, session.report
            self.counts["exits confirmed"] += 1

    async def _trade(self, session: Session, ending: str) -> None:
        # Long enough, now and then, for an order that never arrived to be proven absent and sent again.
        with trio.move_on_after(self.rng.choice((self.rng.uniform(1, FAULTS_UNTIL), 130))):
            async with trio.open_nursery() as nursery:
                for _ in range(3):
                    nursery.start_soon(self._worker, session)
        if ending == "error":
            raise ZeroDivisionError

    async def _worker(self, session: Session) -> None:
        rng = self.rng
        while True:
            await trio.sleep(rng.choice((0, 0.01, 0.2, 1.0)))
            with trio.move_on_after(rng.choice((0.0, 0.003, 0.05, 0.5, 5, 100))):
                try:
                    await self._act(session)
                except (bm.TransportError, bm.ApiError, bm.errors.OrderNotPlaced, bm.errors.OrderNotFilled) as error:
                    self.counts[type(error).__name__] += 1

    async def _act(self, session: Session) -> None:
        rng, roll = self.rng, self.rng.random()
        alive = [order for order in self.orders if not order.is_closed]
        if roll < 0.55 or not alive:
            self.orders.append(await self._submit(session))
            self.counts["submitted"] += 1
        elif roll < 0.75:
            await rng.choice(alive).cancel()
        elif roll < 0.85:
            with suppress(TypeError):  # a market order
                self.orders.append(await rng.choice(alive).replace(price=self._far(rng.choice(SYMBOLS[self.market]))))
        elif roll < 0.92:
            await rng.choice(alive).wait_filled()
        elif roll < 0.96:
            await session.reconcile()
        else:
            async for _ in rng.choice(alive).fills:
                pass

    def _far(self, symbol: str) -> Decimal:
        return PRICES[symbol[:3]] // 2

    async def _submit(self, session: Session) -> Order:
        rng = self.rng
        symbol = rng.choice(SYMBOLS[self.market])
        last, far = PRICES[symbol[:3]], self._far(symbol)
        kind = rng.choice(("far", "far", "far", "near", "market", "ioc", "maker"))
        resend, buy = rng.choice((0, 0, 1, 2)), rng.random() < 0.6
        wait = rng.random() < 0.85
        if isinstance(session, SpotSession):
            size = "0.002" if symbol == "BTC_USDT" else "0.05"
            price = far if buy else 2 * last
            if kind in ("near", "ioc"):
                price = last * (Decimal("1.001") if buy else Decimal("0.999"))
            if kind == "market" and buy:
                return await session.submit(
                    side="buy", type="market", notional=100, symbol=symbol, resend=resend, wait=wait
                )
            if kind == "market":
                return await session.submit(
                    side="sell", type="market", size=size, symbol=symbol, resend=resend, wait=wait
                )
            name = {"ioc": "ioc", "maker": "limit_maker"}.get(kind, "limit")
            return await session.submit(
                side="buy" if buy else "sell",
                type=name,
                size=size,
                price=price,
                symbol=symbol,
                resend=resend,
                wait=wait,
            )
        assert isinstance(session, FuturesSession)
        price = (last if kind in ("near", "ioc") else far) * (1 if buy else Decimal("1.6"))
        extra: dict[str, Any] = {"leverage": 5, "open_type": "cross", "symbol": symbol, "resend": resend, "wait": wait}
        if kind == "market":
            return await session.submit(side=1 if buy else 4, size=rng.randint(1, 9), type="market", **extra)
        mode = {"ioc": 3, "maker": 4}.get(kind, 1)
        return await session.submit(
            side=1 if buy else 4, size=rng.randint(1, 9), price=price.quantize(Decimal("0.1")), mode=mode, **extra
        )

    async def _foreign_orders(self, other: bm.Client) -> list[str]:
        """Orders of another program on the same account and the same symbols."""
        ids = ["human1", "bt0000000000000000000001"]
        for name in ids:
            if self.market == "spot":
                await other.spot.trading.submit_order(
                    symbol="BTC_USDT", side="buy", type="limit", size="0.001", price="20000", client_order_id=name
                )
            else:
                await other.futures.trading.submit_order(
                    symbol="BTCUSDT", side=1, size=1, price="20000", leverage=5, open_type="cross", client_order_id=name
                )
        return ids

    async def _live_on(self, venue: Venue) -> None:
        while True:
            venue.exchange.tick()
            await trio.sleep(1)

    async def _trouble(self, venue: Venue) -> None:
        rng, faults = self.rng, troubles(self.rng, self.market)
        while trio.current_time() < FAULTS_UNTIL:
            await trio.sleep(rng.uniform(0.05, 3))
            if self.calm:
                break
            if rng.random() < 0.05:
                venue.exchange.clock.skew_ms += rng.choice((5_000, 20_000))
            elif rng.random() < 0.15:
                venue.drop_connections()
            else:
                venue.faults.add(next(faults))
                self.counts["troubles"] += 1

    def _check(self, venue: Venue, journal: MemoryJournal, foreign: list[str]) -> None:
        truth = truth_of(venue, self.market)
        for name in foreign:
            (only,) = truth.pop(name)
            assert only.open, "a foreign order was touched"
        intents = {str(entry["id"]) for entry in journal.entries if entry["what"] == "intent"}
        ends = {str(entry["id"]): entry for entry in journal.entries if entry["what"] == "end"}
        known = intents | {order.client_order_id for order in self.orders}
        for name, found in truth.items():
            assert len(found) == 1, f"{name} was accepted {len(found)} times"
            assert not found[0].open, f"{name} is still open"
            self.counts["accepted"] += 1
        for name in intents:
            assert name in ends, f"{name} has no end in the journal"
        for name, end in ends.items():
            self._same(name, str(end["state"]), Decimal(str(end["filled"])), truth.get(name, []))
        for order in self.orders:
            if self.crashed and not order.is_closed:
                continue
            assert order.is_closed, f"{order} after a confirmed exit"
            self._same(order.client_order_id, order.state, order.filled_size, truth.get(order.client_order_id, []))
            told = sum((fill.size for fill in order.fills), Decimal(0))
            assert told == order.filled_size if order.fills.complete else told < order.filled_size
        self.counts["intents"] += len(known)

    def _same(self, name: str, state: str, filled: Decimal, found: list[Truth]) -> None:
        if not found:
            assert state == OrderState.REJECTED, f"{name} is {state} here and unknown to the exchange"
            return
        assert (state, filled) == (found[0].over, found[0].filled), f"{name}: {(state, filled)} is not {found[0]}"
