"""Close the positions that a session opened, and nothing else (``on_exit="close"``).

The amount to close is what the session's own orders have filled on each side, taken from their trades once each is
confirmed (``_evidence.py``). It never exceeds the position, which somebody else may have closed; and the closing order
is reduce-only, since somebody may be closing it right now.

A list of positions may lag. If it shows nothing although own fills say otherwise, it is read again, and then the
closing order is sent all the same: it is reduce-only, so the exchange refuses it if there is no position. The position
counts as gone only after that refusal and a list that still shows nothing once the fills must show. If everything was
closed and a list shows more than before the session, the orders are read once more.

A take-profit or stop-loss of the session that triggered has closed a part already, by an order that the exchange sent.
The amount is read from that order; until it is over and its size known, nothing is closed on the contract.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

import trio

from .._scopes import open_nursery, start_soon
from ..errors import ApiError, BitMartError, PositionRefused
from ..models._futures_enums import PositionSide
from ..models._numbers import EXACT, total
from ..models.futures_position import FuturesPositionV2
from ..models.futures_trading import FuturesOrderState
from ..rest.futures import Futures
from ._adapter import is_transient
from ._engine import Engine
from ._evidence import Known, OrderRecord
from ._order import ZERO, Intent, OrderState
from ._placing import Placer
from ._tracked import Tracked

log = logging.getLogger(__name__)

_LOOKS: Final = (0.0, 0.1, 0.2, 0.4, 0.8)
_PAUSE: Final = 0.5
_BETWEEN: Final = 2.0
"""Seconds between two closing orders for a position that no list shows."""
_PATIENCE: Final = 3.0
"""Seconds for which a list of positions that lacks own fills is read again before a closing order is sent."""
ONCE_SENT: Final = (None, "", "0")
"""The id by which the history says that a waiting order has sent none."""


class _Open(NamedTuple):
    """The session's share of one direction of one contract."""

    symbol: str
    long: bool
    size: Decimal


async def positions_held(futures: Futures, symbols: Iterable[str]) -> dict[tuple[str, bool], Decimal]:
    """Return the account's contracts, by symbol and whether long."""
    found = dict[tuple[str, bool], Decimal]()
    for symbol in symbols:
        rows = await futures.position.positions_v2(symbol)
        for long in (True, False):
            found[symbol, long] = _held(rows, symbol, long=long)
    return found  # noqa: ASYNC910  # a part of calls that wait for the network or the disk


def _held(rows: Iterable[FuturesPositionV2], symbol: str, *, long: bool) -> Decimal:
    held = list[Decimal]()
    for row in rows:
        if row.symbol != symbol:
            continue
        if row.position_side == PositionSide.BOTH:
            signed = row.current_amount if row.position_amount is None else row.position_amount
            held.append(max(ZERO, signed if long else signed.copy_negate()))
        elif row.position_side == (PositionSide.LONG if long else PositionSide.SHORT):
            held.append(row.current_amount)
    return total(held)


class Closer:
    """Closes the positions of one session.

    Args:
        futures: reads positions and rules.
        engine: the session's engine; it follows the closing orders, whose intents are in the journal like all others.
        held: what the account had before the session, by symbol and whether long.
        one_way: whether the account nets long and short.
    """

    def __init__(
        self, futures: Futures, engine: Engine, held: Mapping[tuple[str, bool], Decimal], *, one_way: bool
    ) -> None:
        self._futures = futures
        self._engine = engine
        self._placer = Placer(engine)
        self._before = held
        self._one_way = one_way
        self._began = trio.current_time()
        self._agreed = False
        """True once everything is closed and no evidence contradicts it."""
        self._empty_since: dict[tuple[str, bool], float] = {}
        """When the exchange first refused to close what a list of positions does not show."""
        self._closing: list[Tracked] = []
        self._gone: set[tuple[str, bool]] = set()
        self._told = 0
        """The number of triggered orders that are counted already."""
        self._unclear = list[OrderRecord]()

    async def close(self) -> None:
        """Close everything, and return once that is confirmed."""
        await trio.lowlevel.checkpoint()
        self._agreed = not self._engine.net and not self._engine.orders and not self._untold()
        while not self._agreed:
            try:
                await self._confirm_sizes()
                if self._untold():
                    await self._learn()
                found = self._open()
                for each in found:
                    await self._close(each)
                if not found and not self._untold():
                    self._agreed = await self._nothing_speaks_against_it()
            except PositionRefused as error:
                log.info("%s; the position is read again", error)
                await trio.sleep(_PAUSE)
            except BitMartError as error:
                if not is_transient(error):
                    raise
                log.info("positions could not be closed yet: %s", error)
                await trio.sleep(_PAUSE)

    async def _confirm_sizes(self) -> None:
        """Wait until the executed sizes of all orders that are over are confirmed."""
        await trio.lowlevel.checkpoint()
        engine = self._engine
        ended = [each for each in engine.orders.values() if each.record.known is Known.ENDED]
        async with open_nursery() as nursery:
            for tracked in ended:
                start_soon(nursery, engine.confirm, tracked)

    async def _nothing_speaks_against_it(self) -> bool:
        """Return True if the account has no more than before, or has more for longer than an own fill can hide."""
        engine, since = self._engine, trio.current_time()
        while True:
            asked = trio.current_time()
            now = await positions_held(self._futures, {symbol for symbol, _ in self._before})
            more = [key for key, size in now.items() if size > self._before[key]]
            if not more:
                return True
            parts = [
                each
                for each in engine.orders.values()
                if each.record.intent.symbol in {symbol for symbol, _ in more}
                and each.record.known is Known.SETTLED
                and each.record.state is OrderState.CANCELLED
            ]
            for tracked in parts:
                await engine.refresh(tracked)
            if self._open() or any(each.record.known is Known.ENDED for each in engine.orders.values()):
                return False
            if asked >= since + engine.shows_within:
                log.info("%s: the account holds more than before, but no order of this session explains it", more)
                return True
            await trio.sleep(_PAUSE)

    def closing(self) -> list[Tracked]:
        """Return the orders that closed the session's positions."""
        return self._closing

    def still_open(self) -> list[str]:
        """Return the symbols where a position may be left."""
        if self._agreed:
            return []
        orders = [each.record for each in self._engine.orders.values()]
        return sorted(
            {symbol for symbol, _ in self._engine.net}
            | {each.intent.symbol for each in self._untold()}
            | {each.intent.symbol for each in orders if each.decided and not each.settled}
        )

    def _untold(self) -> list[OrderRecord]:
        self._unclear += self._engine.triggered[self._told :]
        self._told = len(self._engine.triggered)
        return self._unclear

    async def _learn(self) -> None:
        """Read how much the triggered orders have filled."""
        await trio.lowlevel.checkpoint()
        for record in list(self._unclear):
            symbol = record.intent.symbol
            try:
                filled = await self._executed(record)
                if filled is None and not any((await positions_held(self._futures, [symbol])).values()):
                    filled = ZERO  # whatever it filled, there is nothing left to close
            except BitMartError as error:
                log.info("what %s has closed is not known yet: %s", record.intent.client_order_id, error)
                filled = None
            if filled is not None:
                key = symbol, record.intent.side
                self._engine.net[key] = total((self._engine.net.get(key, ZERO), filled))
                self._unclear.remove(record)
        if self._unclear:
            await trio.sleep(_PAUSE)

    async def _executed(self, record: OrderRecord) -> Decimal | None:
        """Return the filled size of the order that a take-profit or stop-loss sent; None until it is known and over."""
        intent, trading = record.intent, self._futures.trading
        for plan in await trading.order_history(intent.symbol, client_order_id=intent.client_order_id):
            if plan.client_order_id == intent.client_order_id and plan.executive_order_id not in ONCE_SENT:
                sent = await trading.order(intent.symbol, str(plan.executive_order_id))
                return sent.deal_size if sent.state == FuturesOrderState.FINISH else None
        return None

    def _open(self) -> list[_Open]:
        found: list[_Open] = []
        unclear = {each.intent.symbol for each in self._untold()}
        for symbol in self._engine.symbols:
            if symbol in unclear:
                continue
            bought, covered, sold_long, sold = (self._engine.net.get((symbol, side), ZERO) for side in "1234")
            if self._one_way:
                net = EXACT.subtract(total((bought, covered)), total((sold_long, sold)))
                sizes = [(True, net), (False, net.copy_negate())]
            else:
                sizes = [(True, EXACT.subtract(bought, sold_long)), (False, EXACT.subtract(sold, covered))]
            found += [
                _Open(symbol, long, size) for long, size in sizes if size > 0 and (symbol, long) not in self._gone
            ]
        return found

    async def _close(self, what: _Open) -> None:
        key, engine = (what.symbol, what.long), self._engine
        asked = trio.current_time()
        held = (await positions_held(self._futures, [what.symbol]))[key]
        if held:
            self._empty_since.pop(key, None)
        elif key in self._empty_since:
            if asked >= self._empty_since[key] + engine.shows_within:
                self._gone.add(key)
                return
            await trio.sleep(_BETWEEN)
        elif asked < self._began + _PATIENCE:
            await trio.sleep(_PAUSE)
            return
        most = (await self._futures.rules(what.symbol)).max_market_size
        intent = Intent(
            client_order_id=engine.ids.next(),
            market="futures",
            symbol=what.symbol,
            side="3" if what.long else "2",
            type="market",
            size=min(what.size, held or what.size, most),
            at=engine.clock(),
            closes=True,
        )
        tracked = engine.adopt(intent)
        self._closing.append(tracked)
        self._placer.send(tracked)
        record = tracked.record
        await tracked.until(lambda: record.decided)
        for pause in _LOOKS:
            await trio.sleep(pause)
            if record.closed:
                break
            await engine.look(tracked)
        if not record.closed:
            await engine.cancel(tracked)
        if record.state is not OrderState.REJECTED:
            await engine.confirm(tracked)  # before the next closing order: by its trades, not by its reported state
            return
        if isinstance(record.error, PositionRefused) and not held:
            self._empty_since.setdefault(key, trio.current_time())
        raise record.error if isinstance(record.error, BitMartError) else ApiError(str(record.error))
