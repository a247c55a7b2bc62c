"""``client.streams``: both markets' openers, any topic by name, and the life of the connections."""

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
    """Everything that BitMart pushes. Connections open on the first subscription and are shared by all.

    Args:
        connections: holds the topics.
        spot, futures: the markets' REST APIs, for what cannot be had by streams alone; None where there is none.
    """

    _elsewhere = (opener_names,)

    def __init__(self, connections: Connections, *, spot: Spot | None = None, futures: Futures | None = None) -> None:
        self._connections = connections
        self._spot_reads = spot
        self._futures_reads = futures

    @cached_property
    def spot(self) -> SpotStreams:
        """One opener a channel of the spot market."""
        from .spot import SpotStreams  # its models are many, and a program may want one market only

        return SpotStreams(self._connections, self._spot_reads)

    @cached_property
    def futures(self) -> FuturesStreams:
        """One opener a channel of the futures market."""
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
            options: ``buffer`` and ``overflow``; the policy's default is the first topic's, ``"fail"`` for an unknown
                one.

        Raises:
            SubscriptionRefused: on entering, when the exchange refuses a topic.
            InvalidRequest: at once, when a text is not a topic.
        """
        for market in {market_of(topic) for topic in topics}:
            getattr(self, market)  # its rows must be known
        known(options)
        return self._connections.subscribe(
            topics, spell=str, buffer=options.get("buffer"), overflow=options.get("overflow"), gaps=gaps
        )

    def events(self, *, buffer: int | None = None) -> AbstractAsyncContextManager[Subscription[AnyStreamEvent]]:
        """Follow the life of this client's connections.

        Opened, authenticated, subscribed, silent, lost, reconnected, refused, closed, malformed, complained.

        Args:
            buffer: events held for a reader that is behind; above it the oldest are dropped and counted.
        """
        return self._connections.events(buffer=buffer)

    async def connect(self, market: Market, *, private: bool = False) -> None:
        """Open a connection ahead of need, and prove it: it is up, and logged in if it is private.

        Without a topic it is not replaced when it breaks: the exchange closes connections that never subscribe.

        Raises:
            ConnectionLost: it could not be made.
            MissingCredentials, AuthenticationError: the login.
        """
        await self._connections.connect(market, private=private)

    def statistics(self) -> StreamsStatistics:
        """Counts over all pushes and subscriptions of this client, those that nobody asked for among them."""
        return self._connections.statistics()
