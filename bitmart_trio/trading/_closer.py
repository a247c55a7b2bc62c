"""``on_exit="close"``: undo what a session has done to positions, and nothing else.

What is to be closed is what the session's own orders have filled, side by side; never more than the position still has,
since somebody else may have closed it, and reduce-only, since somebody might be doing so right now.
"""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Final, NamedTuple

import trio

from ..errors import ApiError, BitMartError, PositionRefused
from ..models._futures_enums import PositionSide
from ..rest.futures import Futures
from ._engine import Engine
from ._order import ZERO, Intent, OrderState
from ._tracked import Tracked
from ._venue import passing

log = logging.getLogger(__name__)

_LOOKS: Final = (0.0, 0.1, 0.2, 0.4, 0.8)
_PAUSE: Final = 0.5


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

    async def close(self) -> None:
        """Close everything, and return once that is certain."""
        await trio.lowlevel.checkpoint()
        while found := self._open():
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
        return sorted({each.symbol for each in self._open()})

    def _open(self) -> list[_Open]:
        found: list[_Open] = []
        for symbol in self._engine.symbols:
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
