"""BitMart as a venue of streams: its two markets, its topics, and where an environment has its sockets."""

from __future__ import annotations

from typing import Final, cast

from .._core.dialect import SocketDialect, Topic
from ..config import DEMO, LIVE, Environment, Market
from .channel import find, is_private, market_of, without_speed
from .sockets import dialect

# Order pushes may arrive under either table for either kind of subscription (docs and BitMart.Net disagree, 2026). So
# an order goes to both kinds of subscription; when the other table repeats the same order, it goes to neither.
_ONE_PAIR: Final = "spot/user/order"
_ALL_PAIRS: Final = "spot/user/orders"
_ALL_SYMBOLS: Final = "ALL_SYMBOLS"


class BitMart:
    """See the head of this file.

    Args:
        environment: the hosts.
    """

    bare = staticmethod(without_speed)

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._dialects: dict[str, SocketDialect] = {"spot": dialect("spot"), "futures": dialect("futures")}

    @property
    def environment(self) -> str | None:
        """The environment that endpoint rows may be bound to; None for a simulated exchange, which has all rows."""
        name = self._environment.name
        return name if name in (LIVE.name, DEMO.name) else None

    def rest_url(self, market: str) -> str:
        """The REST host of a market; raises `ConfigurationError` where there is none."""
        return self._environment.rest_url(cast("Market", market))

    def socket_url(self, market: str, private: bool) -> str:
        """The socket URL of a market; raises `ConfigurationError` where there is none."""
        return self._environment.socket_url(cast("Market", market), private)

    def sockets(self, market: str) -> SocketDialect:
        """Return the dialect of a market's sockets."""
        return self._dialects[market]

    def topic(self, text: str) -> Topic:
        """The topic that a text names.

        Raises:
            InvalidRequest: the text is not spelled like a topic, or is too long for one.
        """
        market, channel = market_of(text), find(text)
        name, _, rest = text.partition(":")
        bare = without_speed(text)
        keys = (text,) if bare == text else (text, bare)
        subject: str | None = None
        shared = False
        if market == "spot":
            shared = name in (_ONE_PAIR, _ALL_PAIRS)
            keys = (_ONE_PAIR, _ALL_PAIRS) if shared else (name,)
            # The text after the colon of an unknown topic is a pair if it looks like one.
            named = "_" in rest if channel is None else channel.filter == "symbol" or shared
            subject = rest if named and rest != _ALL_SYMBOLS else None
        return Topic(
            text,
            self._dialects[market],
            is_private(text),
            channel,
            keys,
            name,
            subject,
            shared,
        )
