"""Implement ``client.streams``: both markets' openers, any topic by name, and events of connections."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack, overload

from .._bitmart.channel import market_of
from .._core.suggest import Helpful
from .._io.connections import Connections, StreamsStatistics
from .._io.receivers import Gaps
from .._io.subscription import Subscription
from .._scopes import protected
from ..config import Market
from ..models.stream_events import AnyStreamEvent, Gap
from ._base import Mark, NoMark, Opening, Options, known, opener_names

if TYPE_CHECKING:
    from ..rest.futures import Futures
    from ..rest.spot import Spot
    from .futures import FuturesStreams
    from .spot import SpotStreams


@protected
class Streams(Helpful):
    """All pushes of BitMart. Connections open on the first subscription and are shared by all.

    Args:
        connections: holds the topics.
        spot, futures: the markets' REST APIs, for what streams alone cannot do; None without them.
    """

    _elsewhere = (opener_names,)

    def __init__(self, connections: Connections, *, spot: Spot | None = None, futures: Futures | None = None) -> None:
        self._connections = connections
        self._spot_reads = spot
        self._futures_reads = futures

    @cached_property
    def spot(self) -> SpotStreams:
        """Return the openers of the spot market, one per channel."""
        from .spot import SpotStreams  # it imports many models, and a program may need one market only

        return SpotStreams(self._connections, self._spot_reads)

    @cached_property
    def futures(self) -> FuturesStreams:
        """Return the openers of the futures market, one per channel."""
        from .futures import FuturesStreams

        return FuturesStreams(self._connections, self._futures_reads)

    @overload
    def subscribe(self, *topics: str, gaps: Mark, **options: Unpack[Options]) -> Opening[Any | Gap]: ...
    @overload
    def subscribe(self, *topics: str, gaps: NoMark = "skip", **options: Unpack[Options]) -> Opening[Any]: ...
    def subscribe(self, *topics: str, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opening[Any]:
        """Follow any topics by name, of one market or both.

        Items are the models of the topics' channels; a topic that the library does not know yields `RawPush`.

        Args:
            topics: as on the wire, such as ``futures/klineBin1m:BTCUSDT``.
            gaps: as for every opener.
            options: ``buffer`` and ``overflow``; the default policy is that of the first topic, ``"fail"`` for an
                unknown one.

        Raises:
            SubscriptionRefused: on entering, if the exchange refuses a topic.
            InvalidRequest: at once, if a text is not a topic.
        """
        for market in {market_of(topic) for topic in topics}:
            getattr(self, market)  # registers its channels
        known(options)
        return self._connections.subscribe(
            topics, spell=str, buffer=options.get("buffer"), overflow=options.get("overflow"), gaps=gaps
        )

    def events(self, *, buffer: int | None = None) -> AbstractAsyncContextManager[Subscription[AnyStreamEvent]]:
        """Follow the events of this client's connections.

        Opened, authenticated, subscribed, silent, lost, reconnected, refused, closed, malformed, complained.

        Args:
            buffer: events held for a slow reader; beyond that the oldest are dropped and counted.
        """
        return self._connections.events(buffer=buffer)

    async def connect(self, market: Market, *, private: bool = False) -> None:
        """Open a connection ahead of need, and return once it is open, and logged in if it is private.

        Without a topic it is not replaced if it breaks: the exchange closes connections that never subscribe.

        Raises:
            ConnectionLost: the connection could not be opened.
            MissingCredentials, AuthenticationError: the login failed.
        """
        await self._connections.connect(market, private=private)

    def statistics(self) -> StreamsStatistics:
        """Return the counts of all pushes and subscriptions of this client, including pushes without a subscription."""
        return self._connections.statistics()
