"""Share quotas, a ban, slots per host, clocks and deviations among one client's REST pipelines.

Calls wait here in the order of arrival. Urgent calls (cancels, renewals) have their own line, and a quarter of the
slots is reserved for them, so a cancel gets through while a thousand ordinary calls wait.
"""

from __future__ import annotations

import random as _random
import time
from collections.abc import Callable, Collection
from typing import Any

import attrs
import trio

from .._core.clock import ServerClock
from .._core.endpoint import DEFAULT_QUOTA, Endpoint, Quota
from .._core.quota import Bucket, Quotas, QuotaUse, kept_for_urgent
from ..config import Config
from ..errors import AddressBanned, RateLimited
from .drift import DriftLog


class Slots:
    """The connections to one host, as tokens: a call holds one from before it is signed until its reply is read."""

    def __init__(self, total: int) -> None:
        self._all = trio.CapacityLimiter(total)
        self._ordinary = trio.CapacityLimiter(total - kept_for_urgent(total))

    @property
    def total(self) -> int:
        """Return the number of slots."""
        return int(self._all.total_tokens)

    @property
    def free(self) -> int:
        """Return the number of free slots."""
        return int(self._all.available_tokens)

    def take(self, urgent: bool) -> _Slot:
        """Hold a slot: ``async with`` it."""
        return _Slot((self._all,) if urgent else (self._ordinary, self._all))


class _Slot:
    """One slot while it is held."""

    def __init__(self, limiters: tuple[trio.CapacityLimiter, ...]) -> None:
        self._limiters = limiters
        self._held: list[trio.CapacityLimiter] = []

    async def __aenter__(self) -> None:  # noqa: ASYNC910  # waits for what it is given
        # The borrower is this object, not the task: one task may hold several slots, for example through a signer's
        # nested calls.
        try:
            for limiter in self._limiters:
                try:
                    # The holder of a slot goes on to the network, where there are enough checkpoints.
                    limiter.acquire_on_behalf_of_nowait(self)
                except trio.WouldBlock:
                    await limiter.acquire_on_behalf_of(self)
                self._held.append(limiter)
        except BaseException:
            self._release()
            raise

    async def __aexit__(self, *_: object) -> None:  # noqa: ASYNC910  # giving back waits for nothing
        self._release()

    def _release(self) -> None:
        while self._held:
            self._held.pop().release_on_behalf_of(self)


class Line:
    """Those who wait for one bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.turns = {False: trio.Lock(), True: trio.Lock()}
        """The lines by urgency: only the first call of each line watches the bucket."""
        self.changed = trio.Event()

    def notify(self) -> None:
        """A place was given back."""
        self.changed.set()
        self.changed = trio.Event()


class Host:
    """One REST host: its slots and its clock."""

    def __init__(self, total: int, wall: Callable[[], float]) -> None:
        self.slots = Slots(total)
        self.clock = ServerClock()
        self.wall = wall
        self.resyncing = trio.Lock()
        self.look_at_date = -1.0
        """When (by Trio's clock) the Date of a reply is checked next."""

    def timestamp(self) -> int:
        """The exchange's time in milliseconds, to sign with."""
        return int(self.clock.now(trio.current_time(), self.wall()) * 1000)


@attrs.frozen
class _Rule:
    """What the rows of one path say together."""

    quota: Quota
    urgent: bool


class QuotaQueue:
    """Decides when a call may go.

    Args:
        config: the client's configuration.
        rows: every endpoint that is known so far; more may be added.
        random: returns numbers from 0 up to but not including 1, for the jitter.
    """

    def __init__(
        self, config: Config, rows: Collection[Endpoint[Any]], *, random: Callable[[], float] = _random.random
    ) -> None:
        self.random = random
        self.quotas = Quotas(config.ban_pause)
        self.drift = DriftLog(config.hooks.on_drift)
        self._config = config
        self._wall = config.clock or time.time
        self._hosts: dict[str, Host] = {}
        self._lines: dict[tuple[str, str, str], Line] = {}
        self._rules: dict[str, _Rule] = {}
        self._rows = rows
        self._rows_read = 0

    def host(self, root_url: str) -> Host:
        """Return the state that all callers of this host share."""
        host = self._hosts.get(root_url)
        if host is None:
            host = self._hosts[root_url] = Host(self._config.max_connections, self._wall)
        return host

    def slept(self, seconds: float) -> None:
        """The machine was suspended, and Trio's clock with it: the hosts' clocks go on from there."""
        for host in self._hosts.values():
            host.clock.slept(seconds)

    def line(self, root_url: str, verb_and_path: str, key: str | None) -> Line:
        """The line of one endpoint, counted by address or by key as its rows say.

        An account (uid) is counted by its key: a client has one account and one key.
        """
        rule = self._rule(verb_and_path)
        whom = "" if rule.quota.by == "ip" else key or ""
        name = (root_url, verb_and_path, whom)
        line = self._lines.get(name)
        if line is None:
            # Buckets are per path, so a reserve helps only where urgent and other calls share a path.
            line = self._lines[name] = Line(self.quotas.bucket(name, rule.quota, keep=rule.urgent))
        return line

    def _rule(self, verb_and_path: str) -> _Rule:
        if len(self._rows) != self._rows_read:  # more chapters have been imported
            self._rows_read = len(self._rows)
            self._rules.clear()
            for row in self._rows:
                quota = row.quota or DEFAULT_QUOTA
                known = self._rules.get(str(row))
                if known is not None and known.quota.count / known.quota.per < quota.count / quota.per:
                    quota = known.quota
                self._rules[str(row)] = _Rule(quota, row.urgent or (known is not None and known.urgent))
        return self._rules.get(verb_and_path) or _Rule(DEFAULT_QUOTA, urgent=False)

    def try_enter(self, line: Line, *, urgent: bool, where: str) -> bool:
        """Reserve a place in the bucket if nobody waits for one and there is one; `leave` must follow.

        Raises:
            RateLimited: the call would have to wait, and the configuration forbids it. Nothing was sent.
        """
        if line.turns[urgent].locked():
            return False
        pause = self.quotas.reserve(line.bucket, trio.current_time(), urgent=urgent)
        if pause and self._config.rate_limit == "raise":
            raise self._refusal(where, pause)
        return not pause

    async def enter(self, line: Line, *, urgent: bool) -> None:
        """Reserve a place in the bucket when our turn comes; `leave` must follow."""
        async with line.turns[urgent]:
            while pause := self.quotas.reserve(line.bucket, trio.current_time(), urgent=urgent):
                with trio.move_on_after(pause):
                    await line.changed.wait()

    def leave(self, line: Line, *, sent: bool, use: QuotaUse | None = None) -> None:
        """The call is over. One that was never sent does not count."""
        if sent:
            line.bucket.settle(trio.current_time(), use)
        else:
            line.bucket.give_back()
            line.notify()

    def _refusal(self, where: str, pause: float) -> RateLimited:
        hint = f"Wait {pause:.3g} s; nothing was sent"
        if self.quotas.banned_for(trio.current_time()):
            error: RateLimited = AddressBanned("the address was banned a moment ago", endpoint=where, hint=hint)
        else:
            error = RateLimited("the quota of this endpoint is used up", endpoint=where, hint=hint)
        error.retry_after = pause
        return error
