"""``on_exit="close"``: undo what a session has done to positions, and nothing else.

What is to be closed is what the session's own orders have filled, side by side; never more than the position still has,
since somebody else may have closed it, and reduce-only, since somebody might be doing so right now.

A take-profit or stop-loss of the session that went off has closed a part already, by an order of the exchange's own.
How much is read from that order; until it is known and over, nothing is closed on the contract.
"""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Final, NamedTuple

import trio

from ..errors import ApiError, BitMartError, PositionRefused
from ..models._futures_enums import PositionSide
from ..models.futures_trading import FuturesOrderState
from ..rest.futures import Futures
from ._engine import Engine
from ._order import ZERO, Intent, OrderRecord, OrderState
from ._tracked import Tracked
from ._venue import passing

log = logging.getLogger(__name__)

_LOOKS: Final = (0.0, 0.1, 0.2, 0.4, 0.8)
_PAUSE: Final = 0.5
ONCE_SENT: Final = (None, "", "0")
"""How the history says that a waiting order has sent none."""


class _Open(NamedTuple):
    """What the session has open of one direction of one contract."""

    symbol: str
    long: bool
    size: Decimal


class Closer:
    """Closes the positions of one session.

    Args:
        futures: reads positions and rules.
        engine: of the session; places the closing orders, with intents in the journal like all others.
        one_way: whether the account nets long and short.
    """

    def __init__(self, futures: Futures, engine: Engine, *, one_way: bool) -> None:
        self._futures = futures
        self._engine = engine
        self._one_way = one_way
        self._closing: list[Tracked] = []
        self._gone: set[tuple[str, bool]] = set()
        self._told = 0
        """How many of the orders that went off are counted."""
        self._unclear = list[OrderRecord]()

    async def close(self) -> None:
        """Close everything, and return once that is certain."""
        await trio.lowlevel.checkpoint()
        while (found := self._open()) or self._untold():
            if self._untold():
                await self._learn()
                found = self._open()
            for each in found:
                try:
                    await self._close(each)
                except PositionRefused as error:
                    log.info("%s: %s; the position is read again", each.symbol, error)
                    await trio.sleep(_PAUSE)
                except BitMartError as error:
                    if not passing(error):
                        raise
                    log.info("the position in %s could not be closed yet: %s", each.symbol, error)
                    await trio.sleep(_PAUSE)

    def closing(self) -> list[Tracked]:
        """The orders that did it."""
        return self._closing

    def still_open(self) -> list[str]:
        """The symbols where something may be left."""
        return sorted({each.symbol for each in self._open()} | {each.intent.symbol for each in self._untold()})

    def _untold(self) -> list[OrderRecord]:
        self._unclear += self._engine.triggered[self._told :]
        self._told = len(self._engine.triggered)
        return self._unclear

    async def _learn(self) -> None:
        """Read what those that went off have filled."""
        await trio.lowlevel.checkpoint()
        for record in list(self._unclear):
            symbol = record.intent.symbol
            try:
                filled = await self._executed(record)
                if filled is None and not any([await self._held(_Open(symbol, long, ZERO)) for long in (True, False)]):
                    filled = ZERO  # whatever it did, there is nothing left to close
            except BitMartError as error:
                log.info("what %s has closed is not known yet: %s", record.intent.client_order_id, error)
                filled = None
            if filled is not None:
                key = symbol, record.intent.side
                self._engine.net[key] = self._engine.net.get(key, ZERO) + filled
                self._unclear.remove(record)
        if self._unclear:
            await trio.sleep(_PAUSE)

    async def _executed(self, record: OrderRecord) -> Decimal | None:
        """What the order filled that a take-profit or stop-loss sent; None while that is not known or not over."""
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
                net = bought + covered - sold_long - sold
                sizes = [(True, net), (False, -net)]
            else:
                sizes = [(True, bought - sold_long), (False, sold - covered)]
            found += [
                _Open(symbol, long, size) for long, size in sizes if size > 0 and (symbol, long) not in self._gone
            ]
        return found

    async def _close(self, what: _Open) -> None:
        held = await self._held(what)
        if not held:
            self._gone.add((what.symbol, what.long))
            return
        most = (await self._futures.rules(what.symbol)).max_market_size
        intent = Intent(
            client_order_id=self._engine.ids.next(),
            market="futures",
            symbol=what.symbol,
            side="3" if what.long else "2",
            type="market",
            size=min(what.size, held, most),
            at=self._engine.clock(),
        )
        tracked = self._engine.adopt(intent)
        self._closing.append(tracked)
        self._engine.send(tracked)
        record = tracked.record
        await tracked.until(lambda: record.decided)
        for pause in _LOOKS:
            await trio.sleep(pause)
            if record.closed:
                break
            await self._engine.look(tracked)
        if not record.closed:
            await self._engine.cancel(tracked)
        if record.state is OrderState.REJECTED:
            raise record.error if isinstance(record.error, BitMartError) else ApiError(str(record.error))

    async def _held(self, what: _Open) -> Decimal:
        """How many contracts the account has of it."""
        sides = (PositionSide.LONG,) if what.long else (PositionSide.SHORT,)
        total = ZERO
        for row in await self._futures.position.positions_v2(what.symbol):
            if row.symbol != what.symbol:
                continue
            if row.position_side == PositionSide.BOTH:
                signed = row.current_amount if row.position_amount is None else row.position_amount
                total += max(ZERO, signed if what.long else -signed)
            elif row.position_side in sides:
                total += row.current_amount
        return total
