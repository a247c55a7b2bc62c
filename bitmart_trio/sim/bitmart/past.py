"""Record past states of accounts, for an exchange whose parts lag behind its engines.

While anybody follows it, the past is recorded after every change: copies of each account's wallets, open orders and
positions, and lists of records that no longer change. To answer a call from the past, the engines' own readers are
given that copy for the duration of one handler, so paging, filters and refusals are the handler's own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

import attrs

from ..exchange import Exchange
from ..futures.orders import Trader
from ..kernel.accounts import Account
from ..kernel.calls import Call, Onward
from ..kernel.encoding import Json
from ..kernel.eventlog import Event
from ..spot.orders import SpotOrder

SHOWN: Final = frozenset({
    "/account/v1/wallet", "/spot/v1/wallet", "/spot/v4/query/order", "/spot/v4/query/client-order",
    "/spot/v4/query/open-orders", "/spot/v4/query/history-orders", "/spot/v4/query/trades",
    "/spot/v4/query/order-trades", "/contract/private/assets-detail", "/contract/private/transaction-history",
    "/contract/private/order", "/contract/private/order-history", "/contract/private/get-open-orders",
    "/contract/private/current-plan-order", "/contract/private/trades", "/contract/private/position",
    "/contract/private/position-v2", "/contract/private/position-risk",
})  # fmt: skip
"""The paths whose answers can be made from the recorded past."""
CHANGES: Final = frozenset({"match", "spot_order", "spot_done", "futures_order"})
"""The events that may change an account."""
PAUSE_MS: Final = 1000
"""The interval at which changes without an event (funding, interest) are recorded."""


@attrs.frozen
class _Then:
    """One account at one moment."""

    account: Account
    orders: list[SpotOrder]
    trader: Trader


class Past:
    """The recent past of all accounts.

    Args:
        exchange: the exchange with the accounts.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._spot, self._futures, self._accounts = exchange.spot, exchange.futures.engine, exchange.accounts
        self._clock, self._log, self._after_tick = exchange.clock, exchange.log, exchange.after_tick
        self._followed: list[int] = []
        self._stops: list[Callable[[], None]] = []
        self._moments: deque[tuple[int, dict[str, _Then]]] = deque()
        self._changed = True

    def follow(self, ms: int) -> None:
        """Start recording the states of so many milliseconds ago, until `unfollow`."""
        self._followed.append(ms)
        if not self._stops:
            self._stops = [self._log.watch(self._heard), self._after_tick(self._ticked)]
            self._changed = True
            self._write_down()

    def unfollow(self, ms: int) -> None:
        """Undo one `follow`; recording stops when nobody follows."""
        self._followed.remove(ms)
        if not self._followed:
            for stop in self._stops:
                stop()
            self._stops.clear()
            self._moments.clear()

    def shows(self, path: str) -> bool:
        """Return True if a path can be answered from the past."""
        return path in SHOWN

    def answer(self, call: Call, onward: Onward, age_ms: int, *, missing: bool) -> Json:
        """Return the answer of a handler some time ago.

        Args:
            call: the call; parameters and time stay those of now.
            onward: the handler.
            age_ms: the age of the answer; if that is before the first `follow`, the moment of that `follow`.
            missing: show the records that existed then in their present state; else everything as it was.

        Raises:
            Refusal: as the handler would have refused.
        """
        self._write_down()
        account = call.owner
        then = self._at(self._clock.steady_ms() - age_ms).get(account.account_id)
        if then is None:
            return onward(call)
        if missing:
            then = self._known(account, then)
        with self._shown(then):
            return onward(attrs.evolve(call, account=then.account))

    def _known(self, account: Account, then: _Then) -> _Then:
        """Return the records that existed then, in their present state."""
        before = {order.order_id: len(order.fills) for order in then.orders}
        orders = [
            attrs.evolve(order, fills=order.fills[: before[order.order_id]])
            for order in self._spot.engine.copied(account.account_id)
            if order.order_id in before
        ]
        trader = self._futures.trader(account)
        return _Then(account, orders, trader.without_what_is_newer_than(then.trader))

    @contextmanager
    def _shown(self, then: _Then) -> Generator[None, None, None]:
        account_id, traders = then.account.account_id, self._futures.traders
        engine, trader = self._spot.engine, traders[account_id]
        self._spot.engine, traders[account_id] = engine.showing(account_id, then.orders), then.trader
        try:
            yield
        finally:
            self._spot.engine, traders[account_id] = engine, trader

    def _at(self, ms: int) -> dict[str, _Then]:
        found = self._moments[0][1]
        for moment, accounts in self._moments:
            if moment > ms:
                break
            found = accounts
        return found

    def _heard(self, event: Event) -> None:
        if event["kind"] in CHANGES:
            self._changed = True
        elif event["kind"] == "request" and event["method"] == "POST" and "/query/" not in str(event["path"]):
            self._changed = True
            self._write_down()

    def _ticked(self, now_ms: int) -> None:
        self._changed = self._changed or now_ms >= self._moments[-1][0] + PAUSE_MS
        self._write_down()

    def _write_down(self) -> None:
        if not self._changed:
            return
        self._changed = False
        now = self._clock.steady_ms()
        accounts: dict[str, _Then] = {}
        for account in self._accounts.all():
            copy = account.copied()
            trader = self._futures.trader(account).copied(copy)
            accounts[account.account_id] = _Then(copy, self._spot.engine.copied(account.account_id), trader)
        # Of each moment the last state counts; but only the first state shows what was before the recording.
        if len(self._moments) > 1 and self._moments[-1][0] == now:
            self._moments.pop()
        self._moments.append((now, accounts))
        oldest = now - max(self._followed)
        while len(self._moments) > 1 and self._moments[1][0] <= oldest:
            self._moments.popleft()
