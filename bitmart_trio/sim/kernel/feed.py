"""The push side of the simulated exchange: its topics, the first frames of each, and their listeners.

Chapters register a `FeedChannel` for each channel; matching and the market flow call `Feed.publish`. This module does
not know sockets: a listener is a function that takes a frame and never waits. With latency a push arrives later, with
the content of the moment when it was published, at the listeners of that moment that are still subscribed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Literal, TypeAlias

import attrs

from .accounts import Account
from .encoding import Json

SocketKind: TypeAlias = str
"""A kind of socket that a venue has, such as ``spot/public``."""
Frame: TypeAlias = "dict[str, Json]"
Deliver: TypeAlias = "Callable[[Frame], None]"

Way: TypeAlias = "Callable[[str, str | None, Callable[[], object]], None]"
"""Delivers a push of a topic and, if the topic is private, of an account."""


def _at_once(topic: str, account_id: str | None, deed: Callable[[], object]) -> None:
    deed()


@attrs.frozen
class FeedChannel:
    """One channel, such as ``spot/ticker`` or ``futures/depthAll20``: the part of a topic before the colon."""

    name: str
    socket: SocketKind
    takes: Callable[[str], bool]
    """Returns True if the part after the colon ("" if there is none) names something that exists."""
    first: Callable[[str, Account | None], Iterable[Frame]] = lambda rest, account: ()
    """The frames sent right after the acknowledgement."""
    asked: Callable[[str, Account | None], Iterable[Frame]] | None = None
    """The answer to the request verb; None if the channel does not accept it."""
    private: bool = attrs.Factory(lambda self: self.socket.endswith("private"), takes_self=True)
    """True if each account receives only its own frames."""


class Feed:
    """Topics and their listeners.

    Args:
        way: delivers the pushes of a topic to its listeners.
    """

    def __init__(self, way: Way = _at_once) -> None:
        self._way = way
        self.channels: dict[str, FeedChannel] = {}
        self.changes: int = 0
        """The number of times that a topic gained its first listener or lost its last one."""
        self.symbols: Counter[str] = Counter()
        """The number of topics with listeners, by their symbol ("" for topics without one)."""
        self._listeners: dict[tuple[str, str | None], list[Deliver]] = {}

    def add(self, channel: FeedChannel) -> None:
        """Register one channel of pushes."""
        if channel.name in self.channels:
            raise ValueError(f"two channels named {channel.name}")
        self.channels[channel.name] = channel

    def find(self, socket: SocketKind, topic: str) -> tuple[FeedChannel, str] | Literal["channel", "filter"]:
        """Return the channel of a topic and its filter, or the error.

        The error is an unknown channel on this socket, or an unknown filter.
        """
        name, _, rest = topic.partition(":")
        channel = self.channels.get(name)
        if channel is None or channel.socket != socket:
            return "channel"
        return (channel, rest) if channel.takes(rest) else "filter"

    def listen(self, topic: str, account_id: str | None, deliver: Deliver) -> Callable[[], None]:
        """Call ``deliver`` with every frame of a topic until the returned function is called."""
        key = (topic, account_id)
        symbol = topic.partition(":")[2].partition("@")[0]
        if key not in self._listeners:
            self._listeners[key] = []
            self.changes += 1
            self.symbols[symbol] += 1
        self._listeners[key].append(deliver)

        def stop() -> None:
            listeners = self._listeners.get(key, [])
            if deliver in listeners:
                listeners.remove(deliver)
                if not listeners:
                    del self._listeners[key]
                    self.changes += 1
                    self.symbols[symbol] -= 1

        return stop

    def wanted(self, topic: str, account_id: str | None = None) -> bool:
        """Return True if a topic has listeners, so that unread frames are never built."""
        return (topic, account_id) in self._listeners

    def topics(self) -> list[str]:
        """Return the topics with listeners, in the order of their first subscription."""
        return list(dict.fromkeys(topic for topic, _ in self._listeners))

    def publish(self, topic: str, frame: Frame, account_id: str | None = None) -> None:
        """Send a frame to the topic's listeners; private topics reach only one account's listeners."""
        listeners = self._listeners.get((topic, account_id))
        if listeners:
            self._way(topic, account_id, partial(self._hand, (topic, account_id), tuple(listeners), frame))

    def _hand(self, key: tuple[str, str | None], listeners: tuple[Deliver, ...], frame: Frame) -> None:
        still = set(self._listeners.get(key, ()))
        for deliver in listeners:
            if deliver in still:
                deliver(frame)
