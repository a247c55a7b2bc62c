"""Check the permissions of an archive's key, and estimate how long reading the account takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import attrs
import trio

from ..._core.endpoint import DEFAULT_QUOTA
from ...client import Client
from ...errors import ApiError, AuthenticationError, ConnectionLost, MalformedReply
from ...models._model import Model
from ...models.spot_account import AccountInfo
from .._units import DAY, scaled
from .._walk import When, millis
from ._codes import refusal
from ._folder import ArchiveError
from ._kinds import find_endpoint
from ._tasks import SPOT_OPEN, History, past, present

_OPENED: Final = 1_514_764_800_000
"""2018-01-01: the exchange opened that year."""
_LOOKS_AFTER: Final = 6
_ROUND_TRIP: Final = 0.3
"""Seconds."""

_HARMLESS: Final = frozenset({"read", "read_only", "read-only", "readonly", "sub_transfer", "broker", "contract_agent"})
"""Permissions that allow neither trading nor withdrawing. No source documents the words, so any other is suspect."""


class UnsafeKey(ArchiveError):
    """The key can, or may be able to, trade or withdraw. An archive needs a key that can only read."""


@attrs.frozen
class KeyLook(Model):
    """The exchange's report on an account and its key."""

    account: str
    """The account's id; blank if the exchange does not report it."""
    permissions: tuple[str, ...]
    """The exchange's words for the key's permissions."""
    opened: int
    """When the account was opened, in milliseconds, as far as it is known."""
    problems: tuple[str, ...] = ()
    """The reasons why the key is not known to be read-only."""

    @property
    def harmless(self) -> bool:
        """Return True if the key can only read."""
        return not self.problems


async def look_at_key(client: Client) -> KeyLook:
    """Ask what the key may do. One request, and nothing is written.

    Raises:
        AuthenticationError: the key does not work.
        ConnectionLost, MalformedReply, ServiceUnavailable, RateLimited, ExchangeFault: there was no answer; retry.
    """
    try:
        info = await client.spot.account.info()
    except (AuthenticationError, ConnectionLost, MalformedReply):
        raise
    except ApiError as error:
        if refusal(error.code, "spot.account.info") is None:
            raise
        return KeyLook("", (), _OPENED, (f"the exchange does not say what this key may do ({error})",))  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
    return _judged(info)


def _judged(info: AccountInfo) -> KeyLook:
    opened = max(scaled(int(getattr(info, "register_time", 0))), _OPENED)
    account = str(getattr(info, "cid", ""))
    current = [key for key in getattr(info, "api_keys", ()) if getattr(key, "is_current", False)]
    if len(current) != 1:
        return KeyLook(account, (), opened, ("the exchange does not say which of the account's keys this is",))
    words = tuple(getattr(current[0], "permissions", ()))
    beyond = sorted({word for word in words if word.strip().lower() not in _HARMLESS})
    problems: tuple[str, ...] = ()
    if beyond or not words:
        problems = (
            (
                f"this key may do more than read: {', '.join(beyond) or 'its permissions are not given'}; "
                "make a key that can only read"
            ),
        )
    return KeyLook(account, words, opened, problems)


@attrs.frozen
class Estimate(Model):
    """The estimated number of requests, before anything is known of the account's records."""

    requests: int
    """The least number of requests: an account with many records takes more."""
    seconds: float
    """The least time, within the exchange's limits."""


async def estimate(
    client: Client, *, since: When | None = None, until: When | None = None, without: Iterable[str] = ()
) -> Estimate:
    """Count the requests that an account without records takes. Asks what the range of an archive would be.

    Args:
        client: a client with the account's credentials.
        since: the start; the opening of the account if left out.
        until: the end; the exchange's present time if left out.
        without: the parts to skip, as for `archive`.
    """
    await trio.lowlevel.checkpoint()  # there may be nothing left to request
    first = (await look_at_key(client)).opened if since is None else millis(since, "since")
    last = int((await client.spot.system.time()).server_time) if until is None else millis(until, "until")
    return counted(first, last, without)


def counted(since: int, until: int, without: Iterable[str]) -> Estimate:
    """The same of a range in milliseconds."""
    left_out = set(without)
    asked = Counter[str]()
    for history in (*past(), *(History(name) for name in SPOT_OPEN for _ in range(2))):
        if history.group in left_out:
            continue
        rules = history.rules
        span = 89 * DAY if rules.stretches else rules.span
        asked[history.endpoint] += -(-max(until - since, 1) // span) if span and not rules.sums else 1
        asked[history.endpoint] += 1  # the newest hour is read twice
    for look in present():
        if look.group not in left_out:
            asked[look.endpoint] += 1
    slowest, requests = 0.0, sum(asked.values()) + _LOOKS_AFTER
    for name, count in asked.items():
        quota = find_endpoint(name).quota or DEFAULT_QUOTA
        slowest = max(slowest, count * quota.per / quota.count)
    return Estimate(requests, max(slowest, requests * _ROUND_TRIP / 6))
