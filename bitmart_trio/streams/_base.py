"""Implement what the openers of both markets share."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypedDict, TypeVar

from .._bitmart.channel import Channel
from .._core.channel import Overflow
from .._core.suggest import Helpful, public_names
from .._io.connections import Connections
from .._io.pending_gap import Backfiller
from .._io.receivers import Gaps
from .._io.subscription import Subscription
from ..config import Market
from ..errors import ConfigurationError

T = TypeVar("T")
Reads = TypeVar("Reads")

Opening: TypeAlias = AbstractAsyncContextManager[Subscription[T]]
"""The context manager of a subscription: it enters once every topic is acknowledged, and releases them on exit."""


Mark: TypeAlias = Literal["mark"]
"""``gaps=``: a `Gap` stands among the items, so it is one of their types."""
NoMark: TypeAlias = Literal["skip", "raise"]
"""``gaps=``: the items are nothing but items."""


class Options(TypedDict, total=False):
    """The options of a subscription for a slow reader.

    ``buffer``: items held (default: ``Config.buffers``). ``overflow``: what a full buffer does (default: by channel).
    """

    buffer: int | None
    overflow: Overflow | None


def known(options: Options) -> Options:
    """Return the options, checked by name: an annotation alone would accept a misspelt one."""
    for name in options:
        if name not in Options.__annotations__:
            raise TypeError(f"an opener has no keyword argument {name!r}")
    return options


@cache
def opener_names() -> tuple[str, ...]:
    """Return every opener of both markets below ``client.``, such as ``streams.spot.trade``."""
    from ._streams import Streams  # these three import this module
    from .futures import FuturesStreams
    from .spot import SpotStreams

    kinds = (("streams", Streams), ("streams.spot", SpotStreams), ("streams.futures", FuturesStreams))
    return tuple(f"{path}.{name}" for path, kind in kinds for name in public_names(kind))


class MarketStreams(Helpful, ABC, Generic[Reads]):
    """The base of ``client.streams.spot`` and ``client.streams.futures``.

    Args:
        connections: holds the topics.
        reads: the market's REST API; None without one (`open_streams`).
    """

    __slots__ = ("_connections", "_reads")

    _elsewhere = (opener_names,)

    _market: ClassVar[Market]

    def __init__(self, connections: Connections, reads: Reads | None = None) -> None:
        self._connections = connections
        self._reads = reads

    def _rest(self, what: str) -> Reads:
        """Return the market's REST API.

        Raises:
            ConfigurationError: there is no REST API.
        """
        if self._reads is None:
            raise ConfigurationError(f"{what} reads over REST, which open_streams does not have: use open_client")
        return self._reads

    def _now(self) -> int:
        """Return the exchange's estimated time in milliseconds."""
        return self._connections.time(self._market)

    @abstractmethod
    def _backfiller(self, channel: Channel[Any], interval: str | None) -> Backfiller[Any]:
        """Return the backfiller of a channel; raises like `_rest`."""

    def _open(
        self,
        channel: Channel[Any],
        subjects: Iterable[str],
        gaps: Gaps,
        options: Options,
        *,
        backfill: bool = False,
        **variant: Any,  # noqa: ANN401
    ) -> Opening[Any]:
        known(options)
        if channel.status != "current":
            warnings.warn(f"{channel.name} is {channel.status} at the exchange", DeprecationWarning, stacklevel=3)

        def spell(subject: str) -> str:
            return channel.spell(subject, **variant)

        return self._connections.subscribe(
            [spell(subject) for subject in subjects],
            spell=spell,
            buffer=options.get("buffer"),
            overflow=options.get("overflow") or channel.overflow,
            gaps=gaps,
            backfiller=self._backfiller(channel, variant.get("interval")) if backfill else None,
        )
