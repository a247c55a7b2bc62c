"""Define open enumerations: an unknown value becomes a member that keeps it, never an exception."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any, Final, cast

# Unknown words come from the exchange, so they are few; the bound only guards against a hostile peer.
_MOST_UNKNOWN: Final = 256


class OpenEnum(Enum):
    """The common base of `OpenStr` and `OpenInt`."""

    @classmethod
    def _unknown(cls, value: Any) -> Any:  # noqa: ANN401
        known = cast("dict[object, Any]", cls.__dict__.get("_unknown_members", {}))
        if value in known:
            return known[value]
        member = cast("Any", (str if issubclass(cls, str) else int).__new__(cls, value))  # type: ignore[type-var]
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        if len(known) < _MOST_UNKNOWN:
            known[value] = member
            type.__setattr__(cls, "_unknown_members", known)
        return member

    @property
    def is_known(self) -> bool:
        """Return True if this library knows the value; False for a member made from an unknown one."""
        return not self.name.startswith("UNKNOWN_")


class OpenStr(str, OpenEnum):
    """A word of the exchange. Members equal their wire value; reading ignores letter case and surrounding blanks."""

    @classmethod
    def _missing_(cls, value: object) -> OpenStr | None:
        if not isinstance(value, str):
            return None
        word = value.strip().casefold()
        for member in cls:
            if member.value.casefold() == word:
                return member
        unknown: OpenStr = cls._unknown(value)
        return unknown

    def __str__(self) -> str:
        return str(self.value)


class OpenInt(int, OpenEnum):
    """A number of the exchange that stands for a word."""

    @classmethod
    def _missing_(cls, value: object) -> OpenInt | None:
        if isinstance(value, str) and value.strip().lstrip("-").isdigit():
            return cls(int(value))
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        unknown: OpenInt = cls._unknown(value)
        return unknown

    def __str__(self) -> str:
        return str(self.value)


def by_word(members: Iterable[Enum], value: object) -> object:
    """Return the member of a word such as ``buy_open_long``; any other value unchanged."""
    return {each.name.lower(): each for each in members}.get(value, value) if isinstance(value, str) else value


def spelled(members: Iterable[Enum]) -> str:
    """Return the allowed values of an argument, for a message: numbers with their meaning."""
    return ", ".join(
        f"{each.value} ({each.name.lower()})" if isinstance(each.value, int) else str(each.value) for each in members
    )


class OrderSide(OpenStr):
    """The side of an order or a taker."""

    BUY = "buy"
    SELL = "sell"
