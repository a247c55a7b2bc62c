"""What a channel is: one row with its spelling, payload, audience and what happens when a reader is slow.

Rows live in ``bitmart_trio/streams/<market>.py`` right above the openers that use them, and register themselves here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

import attrs

from ..config import Market
from ..errors import InvalidRequest
from ..models._numbers import excerpt
from . import codec, tolerant
from .suggest import as_sentence, question, suggest
from .tolerant import Reading

T = TypeVar("T")

Overflow: TypeAlias = Literal["conflate", "drop_oldest", "fail"]
"""What a full buffer does: keep the newest a symbol, drop the oldest, or end the subscription with
`SubscriberTooSlow`.
"""

SPOT_NAME: Final = "table"
FUTURES_NAME: Final = "group"
"""What the name of a push is called in its frame."""

_WORD: Final = r"[^\s:\ud800-\udfff]+"
"""A part of a topic; a lone surrogate cannot be sent."""
_MOST_CHARACTERS: Final = 200
"""Of a topic. The exchange answers a frame that is too long by silence, or by the end of the connection."""
_SPEED: Final = re.compile(r"@\d+ms$")


def _is_name(subject: object) -> bool:
    """Whether it can stand behind the colon.

    A list where names were wanted is a common slip, and not everybody has a type checker: hence the look at the type.
    """
    return isinstance(subject, str) and re.fullmatch(r"[^\s:@,\ud800-\udfff]+", subject) is not None


@attrs.frozen(eq=False)
class Channel(Generic[T]):
    """One row of the stream API.

    Args:
        market: whose socket serves it.
        name: its name on the wire, with ``{level}`` or ``{interval}`` where it has variants.
        payload: the model of one item.
        filter: what follows the colon: "symbol", "currency", a fixed word, or "" for nothing at all.
        private: needs a login.
        overflow: the default policy for slow readers.
        key: what makes two items the same state when conflating; left out, it is the topic.
        levels, intervals, speeds: the values that the placeholders and the ``@`` suffix may have.
        status: "current", "deprecated" or "removed".
        table: for spot, other tables under which its items arrive as well.
        silence: seconds after which quiet means trouble; None where quiet is normal, as it is wherever the exchange
            speaks on change only.
        prompt: it speaks soon after being subscribed, whatever the market does; `silence` counts from there. Else it
            counts from the first item.
        requests: the exchange answers the request verb for it.
        rests: whether quiet is normal after an item.
    """

    market: Market
    name: str
    payload: type[T]
    filter: str = attrs.field(default="symbol", kw_only=True)
    private: bool = attrs.field(default=False, kw_only=True)
    overflow: Overflow = attrs.field(default="conflate", kw_only=True)
    key: Callable[[T], object] | None = attrs.field(default=None, kw_only=True)
    levels: tuple[int, ...] = attrs.field(default=(), kw_only=True)
    intervals: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    speeds: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    status: Literal["current", "deprecated", "removed"] = attrs.field(default="current", kw_only=True)
    silence: float | None = attrs.field(default=None, kw_only=True)
    prompt: bool = attrs.field(default=False, kw_only=True)
    requests: bool = attrs.field(default=False, kw_only=True)
    rests: Callable[[T], bool] | None = attrs.field(default=None, kw_only=True)
    _decode: Callable[[bytes], list[T]] | None = attrs.field(init=False, repr=False, default=None)
    _pattern: re.Pattern[str] = attrs.field(
        init=False, repr=False, default=attrs.Factory(lambda self: self._make_pattern(), takes_self=True)
    )

    def push_reader(self) -> Callable[[bytes], list[T] | None] | None:
        """What reads the items of a whole push at once; see `codec.push_decoder`."""
        return codec.push_decoder(self.payload, SPOT_NAME if self.market == "spot" else FUTURES_NAME)

    def _decoder(self) -> Callable[[bytes], list[T]]:
        # Made when it is first needed: most programs need few channels, and making one takes a millisecond.
        if self._decode is None:
            payload: Any = self.payload
            object.__setattr__(self, "_decode", codec.decoder(list[payload]))
        assert self._decode is not None
        return self._decode

    def _make_pattern(self) -> re.Pattern[str]:
        name = re.escape(self.name).replace(r"\{level\}", f"(?:{'|'.join(map(str, self.levels))})")
        name = name.replace(r"\{interval\}", f"(?:{'|'.join(self.intervals)})")
        if self.filter == "":
            return re.compile(name)
        rest = r"[^:@]+" if self.filter in ("symbol", "currency") else re.escape(self.filter)
        suffix = f"(?:{'|'.join(re.escape(speed) for speed in self.speeds if speed)})?" if any(self.speeds) else ""
        return re.compile(f"{name}:{rest}{suffix}")

    def __attrs_post_init__(self) -> None:
        CHANNELS.append(self)

    def spell(
        self, subject: str = "", *, level: int | None = None, interval: str | None = None, speed: str = ""
    ) -> str:
        """The topic of one symbol or currency.

        Raises:
            InvalidRequest: an unknown level, interval or speed, or a malformed symbol.
        """
        name = self.name
        if self.levels:
            if level not in self.levels:
                raise InvalidRequest(
                    f"level must be one of {', '.join(map(str, self.levels))}, not {excerpt(level)}", argument="level"
                )
            name = name.replace("{level}", str(level))
        if self.intervals:
            if interval not in self.intervals:
                allowed = ", ".join(self.intervals)
                raise InvalidRequest(f"interval must be one of {allowed}, not {excerpt(interval)}", argument="interval")
            name = name.replace("{interval}", interval)
        suffix = ""
        if speed or (self.speeds and "" not in self.speeds):
            suffix = f"@{speed.removeprefix('@')}" if speed else self.speeds[0]
            if suffix not in self.speeds:
                allowed = ", ".join(each.removeprefix("@") for each in self.speeds if each) or "left out"
                raise InvalidRequest(f"speed must be one of {allowed}, not {excerpt(speed)}", argument="speed")
        if self.filter in ("symbol", "currency"):
            if not _is_name(subject):
                raise InvalidRequest(f"not a {self.filter}: {excerpt(subject, 100)}", argument=self.filter)
            return f"{name}:{subject}{suffix}"
        return f"{name}:{self.filter}" if self.filter else name

    def names(self) -> list[str]:
        """Its name on the wire in each of its variants, without what follows the colon."""
        variants = self.levels or self.intervals or ("",)
        return [self.name.replace("{level}", str(each)).replace("{interval}", str(each)) for each in variants]

    def matches(self, topic: str) -> bool:
        """Whether the topic is one of this channel's."""
        return self._pattern.fullmatch(topic) is not None

    def decode(self, data: bytes) -> list[T]:
        """Return the items of a push's ``data``, whether it came as a list or as one object.

        Raises:
            codec.DecodeError: not what the channel sends, to the letter.
        """
        return self._decoder()(_listed(data))

    def read(self, data: bytes) -> tuple[list[T], Reading | None]:
        """Return the items of a push's ``data`` as well as they can be read, and what they deviate in.

        Raises:
            codec.DecodeError: an item is no object or lacks what identifies it, or a part of one is missing that has no
                name to be absent by: a book without one of its levels would be a wrong book.
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


CHANNELS: Final[list[Channel[Any]]] = []
"""Every row, in the order of import."""


def find(topic: str) -> Channel[Any] | None:
    """The channel that a topic belongs to, None for one that we do not know; current rows go first."""
    for channel in CHANNELS:
        if channel.matches(topic):
            return channel
    return None


def hint_for(topic: str) -> str:
    """What a person can do about a refused topic; blank for one whose channel we know."""
    if find(topic) is not None:
        return ""
    market, _, _ = topic.partition("/")
    name, _, rest = topic.partition(":")
    current = [row for row in CHANNELS if row.market == market and row.status == "current"]
    rows = {each: row for row in reversed(current) for each in row.names()}
    return as_sentence(question([_whole_topic(rows[each], each, rest) for each in suggest(name, rows)]))


_EXAMPLES: Final = {"spot": "BTC_USDT", "futures": "BTCUSDT"}


def _whole_topic(channel: Channel[Any], name: str, rest: str) -> str:
    """The topic of a channel that somebody meant.

    Args:
        channel: the channel.
        name: its name, with level or interval.
        rest: what stood behind the colon.
    """
    if channel.filter == "":
        return name
    if channel.filter not in ("symbol", "currency"):
        return f"{name}:{channel.filter}"
    subject = rest or (_EXAMPLES[channel.market] if channel.filter == "symbol" else "USDT")
    topic = f"{name}:{subject}"
    return topic if channel.matches(topic) else f"{name}:{subject.partition('@')[0]}"


def market_of(topic: str) -> Market:
    """The market that serves a topic.

    Raises:
        InvalidRequest: it is not spelled like a topic, or too long for one.
    """
    if len(topic) > _MOST_CHARACTERS:
        raise InvalidRequest(
            f"a topic has at most {_MOST_CHARACTERS} characters, not {len(topic):,}: {excerpt(topic, 100)}",
            argument="topic",
        )
    if re.fullmatch(rf"spot/{_WORD}(:{_WORD})?", topic):
        return "spot"
    if re.fullmatch(rf"futures/{_WORD}(:{_WORD})?", topic):
        return "futures"
    raise InvalidRequest(
        f"not a topic: {excerpt(topic, 100)} (such as spot/ticker:BTC_USDT or futures/ticker:BTCUSDT)", argument="topic"
    )


# Topics without a row: what every source calls private. A known channel says so itself.
_PRIVATE: Final = re.compile(r"spot/user/|futures/(?:asset|position|order|unicast)\b")


def is_private(topic: str) -> bool:
    """Whether a topic needs a login."""
    channel = find(topic)
    return channel.private if channel is not None else _PRIVATE.match(topic) is not None


def without_speed(topic: str) -> str:
    """The topic without its ``@100ms`` suffix: futures pushes may have or lack one whatever was asked for."""
    return _SPEED.sub("", topic)


def unique(topics: Iterable[str]) -> list[str]:
    """The topics without repeats, in order."""
    return list(dict.fromkeys(topics))
