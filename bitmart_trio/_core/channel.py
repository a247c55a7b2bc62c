"""Define a channel: one row with its payload, its audience, and its policy for slow readers.

A venue's rows stand right above the openers that use them; the venue decides how their topics are spelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import attrs

from . import codec, tolerant
from .tolerant import Reading

T = TypeVar("T")

Overflow: TypeAlias = Literal["conflate", "drop_oldest", "fail"]
"""The policy of a full buffer: keep the newest per symbol, drop the oldest, or end the subscription with
`SubscriberTooSlow`.
"""


@attrs.frozen(eq=False)
class Channel(Generic[T]):
    """One row of the stream API.

    Args:
        market: whose socket serves it.
        name: its name on the wire.
        payload: the model of one item.
        private: needs a login.
        overflow: the default policy for slow readers.
        key: returns what identifies the state that an item describes, for conflating; the topic if left out.
        silence: seconds of silence that mean trouble; None where silence is normal, as it is wherever the exchange
            sends on change only.
        prompt: True if the channel sends soon after a subscription, whatever the market does; `silence` then counts
            from the subscription, otherwise from the first item.
        requests: True if the exchange answers the request verb for the channel.
        rests: returns True if silence is normal after an item.
    """

    market: str
    name: str
    payload: type[T]
    private: bool = attrs.field(default=False, kw_only=True)
    overflow: Overflow = attrs.field(default="conflate", kw_only=True)
    key: Callable[[T], object] | None = attrs.field(default=None, kw_only=True)
    silence: float | None = attrs.field(default=None, kw_only=True)
    prompt: bool = attrs.field(default=False, kw_only=True)
    requests: bool = attrs.field(default=False, kw_only=True)
    rests: Callable[[T], bool] | None = attrs.field(default=None, kw_only=True)
    _decode: Callable[[bytes], list[T]] | None = attrs.field(init=False, repr=False, default=None)

    def _decoder(self) -> Callable[[bytes], list[T]]:
        # The decoder is made when it is first needed: most programs need few channels, and one takes a millisecond.
        if self._decode is None:
            payload: Any = self.payload
            object.__setattr__(self, "_decode", codec.decoder(list[payload]))
        assert self._decode is not None
        return self._decode

    def decode(self, data: bytes) -> list[T]:
        """Return the items of a push's ``data``, whether it came as a list or as one object.

        Raises:
            codec.DecodeError: the data does not exactly match the channel's model.
        """
        return self._decoder()(_listed(data))

    def read(self, data: bytes) -> tuple[list[T], Reading | None]:
        """Return the items of a push's ``data`` as well as they can be read, and what they deviate in.

        Raises:
            codec.DecodeError: an item is not an object or lacks what identifies it, or an item lacks a part that has no
                name and so cannot be marked absent: a book without one of its levels would be a wrong book.
        """
        payload: Any = self.payload
        items, reading = tolerant.read(list[payload], _listed(data), self.name)
        if reading is not None:
            if reading.unreadable:
                raise codec.DecodeError(f"unreadable: {reading.unreadable[0].path} {reading.unreadable[0].raw[:100]}")
            for item in items:
                lacks = tolerant.lacks_identity(item)
                if lacks is not None:
                    raise codec.DecodeError(lacks)
        return items, reading


def _listed(data: bytes) -> bytes:
    return data if data[:1] == b"[" else b"[%b]" % data


def unique(topics: Iterable[str]) -> list[str]:
    """The topics without repeats, in order."""
    return list(dict.fromkeys(topics))
