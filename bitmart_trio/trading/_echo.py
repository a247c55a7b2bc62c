"""Check that the exchange gives client order ids back as they were sent.

All proof of absence rests on it: an order that is listed under another id, or under none, is missing from every look-up
by its own. So each session checks its first accepted order once, by the exchange's id.
"""

from __future__ import annotations

import logging
from enum import Enum, auto
from typing import Final

import trio

from ..errors import BitMartError
from ._adapter import MarketAdapter
from ._order import Intent

log = logging.getLogger(__name__)

_PAUSES: Final = (0.0, 0.5, 2.0, 10.0, 30.0)
_ENOUGH: Final = 2
"""Readings that differ: one may be a member that was blank for a moment."""


class Kept(Enum):
    """The fate of client order ids at the exchange."""

    UNCHECKED = auto()
    AS_SENT = auto()
    CHANGED = auto()


class Echo:
    """The check of client order ids that one session makes.

    Attributes:
        kept: the result.
        checking: True once an order is being checked, or was.
    """

    def __init__(self, adapter: MarketAdapter) -> None:
        self.kept: Kept = Kept.UNCHECKED
        self.checking: bool = False
        self._adapter = adapter
        self._differing = 0

    def compare(self, sent: str, shown: str | None) -> None:
        """Compare the id that was sent with the one that the exchange shows for the order."""
        if self.kept is not Kept.UNCHECKED:
            return
        if shown == sent:
            self.kept = Kept.AS_SENT
            return
        self._differing += 1
        if self._differing >= _ENOUGH:
            self.kept = Kept.CHANGED
            log.error(
                "the exchange shows the order %s under the client order id %r: orders of this session are known by the "
                "exchange's ids only, and one whose request is cut off cannot be proven absent",
                sent,
                shown,
            )

    async def check(self, intent: Intent, order_id: str) -> None:  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        """Look the order up by the exchange's id until it shows."""
        for pause in _PAUSES:
            await trio.sleep(pause)
            if self.kept is not Kept.UNCHECKED:
                return
            try:
                self.compare(intent.client_order_id, await self._adapter.named(intent, order_id))
            except BitMartError as error:
                log.debug("the client order id of %s could not be read yet: %s", order_id, error)
        self.checking = False  # the next accepted order is checked
