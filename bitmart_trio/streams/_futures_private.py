"""Open the account's own futures streams: channel rows and their openers.

They are part of ``client.streams.futures``; ``futures.py`` has the public streams.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack, overload

from .._bitmart.channel import Channel
from .._io.receivers import Gaps
from ..models.futures_streams import (
    FuturesAssetUpdate,
    FuturesOrderUpdate,
    FuturesPositionUpdate,
)
from ..models.stream_events import Backfilled, Gap, RawPush
from ..rest.futures import Futures
from ._account import VERIFY_AFTER
from ._account_futures import OpeningFuturesAccount, open_futures_account
from ._base import Mark, MarketStreams, NoMark, Opening, Options


def _position(item: FuturesPositionUpdate) -> object:
    return item.symbol, item.side


def _closed(item: FuturesPositionUpdate) -> bool:
    size = getattr(item, "size", None)  # a position whose size is absent may be open or closed
    return size is not None and not size


asset: Channel[FuturesAssetUpdate] = Channel(
    "futures", "futures/asset", FuturesAssetUpdate, filter="currency", overflow="conflate", private=True
)
position: Channel[FuturesPositionUpdate] = Channel(
    "futures",
    "futures/position",
    FuturesPositionUpdate,
    filter="",
    overflow="conflate",
    key=_position,
    private=True,
    # Open positions are repeated every 10 s; without any, nothing is sent.
    silence=60.0,
    rests=_closed,
)
order: Channel[FuturesOrderUpdate] = Channel(
    "futures", "futures/order", FuturesOrderUpdate, filter="", overflow="fail", private=True
)
unicast: Channel[RawPush] = Channel(
    "futures", "futures/unicast", RawPush, filter="", overflow="fail", private=True, status="removed"
)


class FuturesPrivateStreams(MarketStreams[Futures]):
    """The openers of `FuturesStreams` that need a login."""

    __slots__ = ()

    @overload
    def asset(
        self, *currencies: str, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[FuturesAssetUpdate | Gap | Backfilled]: ...
    @overload
    def asset(
        self, *currencies: str, gaps: NoMark = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[FuturesAssetUpdate]: ...
    def asset(
        self, *currencies: str, gaps: Gaps = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[Any]:
        """Follow your futures balances.

        futures/asset:{currency}, private. Sent on change, always complete; nothing right after subscribing. The
        documentation names USDT, BTC and ETH.

        With ``backfill=True`` the balance is read again after a gap.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Assets Channel")
        """
        return self._open(asset, currencies, gaps, options, backfill=backfill)

    @overload
    def position(
        self, *, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[FuturesPositionUpdate | Gap | Backfilled]: ...
    @overload
    def position(
        self, *, gaps: NoMark = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[FuturesPositionUpdate]: ...
    def position(self, *, gaps: Gaps = "skip", backfill: bool = False, **options: Unpack[Options]) -> Opening[Any]:
        """Follow your positions on every contract.

        futures/position, private. Sent on change and every 10 s, with complete positions; a closed one has size 0. A
        slow reader gets only the newest of each.

        With ``backfill=True`` positions are read again after a gap; a position closed in it comes with size 0.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Position Channel")
        """
        return self._open(position, ("",), gaps, options, backfill=backfill)

    @overload
    def order(
        self, *, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[FuturesOrderUpdate | Gap | Backfilled]: ...
    @overload
    def order(
        self, *, gaps: NoMark = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[FuturesOrderUpdate]: ...
    def order(self, *, gaps: Gaps = "skip", backfill: bool = False, **options: Unpack[Options]) -> Opening[Any]:
        """Follow your orders on every contract, including plan, trailing and TP/SL orders.

        futures/order, private. Sent at once on every change, with the complete state; nothing right after subscribing.
        With ``backfill=True`` fills and last states of a gap are read over REST; the event is inferred. A `Gap` always
        follows them: REST lists the history per contract, so an order on an unknown contract may have come and gone.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Order Channel")
        """
        return self._open(order, ("",), gaps, options, backfill=backfill)

    @overload
    def unicast(self, *, gaps: Mark, **options: Unpack[Options]) -> Opening[RawPush | Gap]: ...
    @overload
    def unicast(self, *, gaps: NoMark = "skip", **options: Unpack[Options]) -> Opening[RawPush]: ...
    def unicast(self, *, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opening[Any]:
        """Follow a channel that is known only from a leftover constant of an SDK.

        futures/unicast, private. Undocumented.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Order Channel")
        """
        return self._open(unicast, ("",), gaps, options)

    def account(
        self,
        *,
        currencies: Iterable[str] = ("USDT", "BTC", "ETH"),
        verify_after: float = VERIFY_AFTER,
        reconcile: float | None = None,
        buffer: int | None = None,
        max_age: float | None = None,
    ) -> OpeningFuturesAccount:
        """Keep a view of the futures account: open orders, positions, balances, read over REST and updated by pushes.

        futures/order, futures/position and futures/asset:{currency}, private. See `FuturesAccountView`. A push that is
        lost on an unbroken connection cannot be noticed: ``reconcile`` bounds how long the view may then be wrong.

        Args:
            currencies: the currencies whose balances are pushed; the documented ones if left out. Others are also in
                the view, but change only when a read finds it.
            verify_after: seconds after which a read confirms a push. Reads are not more frequent.
            reconcile: seconds after which everything is read again, with or without pushes; only for a reason if left
                out.
            buffer: changes that wait for a reader (1024); beyond that a `ChangesMissed` replaces them.
            max_age: seconds; the view is read again before its newest complete read is so old, and is ``STALE`` if it
                gets older. With it, reading a view that is not ``LIVE`` raises `AccountNotLive`.

        Raises:
            ConfigurationError: at once under `open_streams`, which has no REST.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (sections "Order Channel", "Position Channel" and
        "Assets Channel")
        """
        reads = self._rest("account()")
        topics = (order.spell(), position.spell(), *dict.fromkeys(asset.spell(currency) for currency in currencies))
        return open_futures_account(
            self._connections,
            reads,
            topics,
            verify_after=verify_after,
            reconcile=reconcile,
            buffer=buffer,
            max_age=max_age,
        )
