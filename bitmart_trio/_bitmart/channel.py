"""BitMart's channels and topics: how they are spelled, which ones there are, and what their pushes are called.

Rows live in ``bitmart_trio/streams/<market>.py`` right above the openers that use them, and register themselves here.

Spot pushes name a table, and each item names its symbol. Futures pushes name the whole topic, with or without the
requested ``@100ms`` suffix.
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal, TypeVar

import attrs

from .._core import channel
from .._core.suggest import as_sentence, question, suggest
from ..config import Market
from ..errors import InvalidRequest
from ..models._numbers import excerpt

T = TypeVar("T")

_WORD: Final = r"[^\s:\ud800-\udfff]+"
"""A part of a topic; a lone surrogate cannot be sent."""
_MOST_CHARACTERS: Final = 200
"""The most characters of a topic. The exchange does not answer a frame that is too long, or closes the connection."""
_SPEED: Final = re.compile(r"@\d+ms$")


def _is_name(subject: object) -> bool:
    """Whether it can stand behind the colon.

    A list in place of names is a common mistake, and not every user runs a type checker: hence the check of the type.
    """
    return isinstance(subject, str) and re.fullmatch(r"[^\s:@,\ud800-\udfff]+", subject) is not None


@attrs.frozen(eq=False)
class Channel(channel.Channel[T]):
    """One row of BitMart's stream API.

    Args:
        filter: what follows the colon: "symbol", "currency", a fixed word, or "" for nothing at all.
        levels, intervals, speeds: the values that the placeholders ``{level}`` and ``{interval}`` of the name and the
            ``@`` suffix may have.
        status: "current", "deprecated" or "removed".
    """

    filter: str = attrs.field(default="symbol", kw_only=True)
    levels: tuple[int, ...] = attrs.field(default=(), kw_only=True)
    intervals: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    speeds: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    status: Literal["current", "deprecated", "removed"] = attrs.field(default="current", kw_only=True)
    _pattern: re.Pattern[str] = attrs.field(
        init=False, repr=False, default=attrs.Factory(lambda self: self._make_pattern(), takes_self=True)
    )

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
        """Return True if the topic belongs to this channel."""
        return self._pattern.fullmatch(topic) is not None


CHANNELS: Final[list[Channel[Any]]] = []
"""Every row, in the order of import."""


def find(topic: str) -> Channel[Any] | None:
    """The channel that a topic belongs to, None for one that we do not know; current rows go first."""
    for row in CHANNELS:
        if row.matches(topic):
            return row
    return None


def hint_for(topic: str) -> str:
    """Return advice about a refused topic; blank for a known channel."""
    if find(topic) is not None:
        return ""
    market, _, _ = topic.partition("/")
    name, _, rest = topic.partition(":")
    current = [row for row in CHANNELS if row.market == market and row.status == "current"]
    rows = {each: row for row in reversed(current) for each in row.names()}
    return as_sentence(question([_whole_topic(rows[each], each, rest) for each in suggest(name, rows)]))


_EXAMPLES: Final = {"spot": "BTC_USDT", "futures": "BTCUSDT"}


def _whole_topic(row: Channel[Any], name: str, rest: str) -> str:
    """The topic of a channel that somebody meant.

    Args:
        row: the channel.
        name: the name of the channel, with level or interval.
        rest: the text after the colon.
    """
    if row.filter == "":
        return name
    if row.filter not in ("symbol", "currency"):
        return f"{name}:{row.filter}"
    subject = rest or (_EXAMPLES[row.market] if row.filter == "symbol" else "USDT")
    topic = f"{name}:{subject}"
    return topic if row.matches(topic) else f"{name}:{subject.partition('@')[0]}"


def market_of(topic: str) -> Market:
    """The market that serves a topic.

    Raises:
        InvalidRequest: the text is not spelled like a topic, or is too long for one.
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


# Topics without a row that every source calls private. The row of a known channel states it.
_PRIVATE: Final = re.compile(r"spot/user/|futures/(?:asset|position|order|unicast)\b")


def is_private(topic: str) -> bool:
    """Return True if a topic needs a login."""
    row = find(topic)
    return row.private if row is not None else _PRIVATE.match(topic) is not None


def without_speed(topic: str) -> str:
    """The topic without its ``@100ms`` suffix: futures pushes may have or lack one whatever was asked for."""
    return _SPEED.sub("", topic)
