"""The terms that a bot declares about itself, so that the referee can distinguish intent from accident."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType
from typing import Final, cast

import attrs

from ...errors import ConfigurationError

SYMBOLS: Final = ("BTC_USDT", "BTCUSDT")
_NO_AMOUNTS: Final[Mapping[str, Decimal]] = MappingProxyType({})
_NO_REASONS: Final[Mapping[str, str]] = MappingProxyType({})


def _symbols(names: str | Iterable[str]) -> tuple[str, ...]:
    return tuple(names.replace(",", " ").split() if isinstance(names, str) else names)


def _amounts(given: Mapping[str, object]) -> Mapping[str, Decimal]:
    try:
        return MappingProxyType({str(name): Decimal(str(value)) for name, value in given.items()})
    except InvalidOperation:
        raise ConfigurationError(f"a bound is a number for each symbol, not {dict(given)!r}") from None


def _share(given: object) -> Decimal | None:
    try:
        return None if given is None else Decimal(str(given))
    except InvalidOperation:
        raise ConfigurationError(f"price_distance is a share such as 0.05, not {given!r}") from None


def _names(given: Iterable[object]) -> tuple[str, ...]:
    return tuple(each.__name__ if isinstance(each, type) else str(each) for each in given)


def _reasons(given: Mapping[str, object]) -> Mapping[str, str]:
    for name, why in given.items():
        if not str(why).strip():
            raise ConfigurationError(f"the invariant {name} can be switched off with a reason only")
    return MappingProxyType({str(name): str(why).strip() for name, why in given.items()})


@attrs.frozen(kw_only=True)
class Terms:
    """The limits and exceptions that a bot declares; without a declaration the default applies, or nothing is checked.

    A bot file may declare the same in a mapping ``CERTIFY``, with these names.

    Raises:
        ConfigurationError: a value is invalid.
    """

    symbols: tuple[str, ...] = attrs.field(default=SYMBOLS, converter=_symbols)
    """The symbols that the exchange lists; fewer symbols take less time."""
    positions: Mapping[str, Decimal] = attrs.field(default=_NO_AMOUNTS, converter=_amounts, hash=False)
    """The most that the bot may still hold at its end: contracts of a futures symbol (0 unless declared), or base
    currency bought or sold of a spot symbol (not checked unless declared).
    """
    sizes: Mapping[str, Decimal] = attrs.field(default=_NO_AMOUNTS, converter=_amounts, hash=False)
    """The largest single order of a symbol, in base currency or contracts."""
    price_distance: Decimal | None = attrs.field(default=None, converter=_share)
    """The largest distance of a limit price from the last trade, as a share of its price; None: not checked."""
    raises: tuple[str, ...] = attrs.field(default=(), converter=_names)
    """Exceptions, by class or name, that the bot may end with; a base class includes its subclasses."""
    deadline: float = 120.0
    """Virtual seconds that the bot may take to end when it is asked to. Closing a session may take 100."""
    off: Mapping[str, str] = attrs.field(default=_NO_REASONS, converter=_reasons, hash=False)
    """Invariants that are not checked, each with the reason, which the certificate shows."""

    def __attrs_post_init__(self) -> None:
        """Refuse invalid values."""
        if not self.symbols:
            raise ConfigurationError("a day needs at least one symbol")
        if not self.deadline > 0:
            raise ConfigurationError(f"deadline is a number of seconds above 0, not {self.deadline}")

    def to_json(self) -> dict[str, object]:
        """Return the terms as plain data."""
        return {
            "symbols": list(self.symbols),
            "positions": {name: str(value) for name, value in self.positions.items()},
            "sizes": {name: str(value) for name, value in self.sizes.items()},
            "price_distance": None if self.price_distance is None else str(self.price_distance),
            "raises": list(self.raises),
            "deadline": self.deadline,
            "off": dict(self.off),
        }


def terms_of(*declared: Mapping[str, object]) -> Terms:
    """Combine several mappings into terms: later mappings win, and nested mappings are merged.

    Raises:
        ConfigurationError: a name or value is invalid.
    """
    known = {field.name for field in attrs.fields(Terms)}
    joined: dict[str, object] = {}
    for each in declared:
        for name, value in each.items():
            if name not in known:
                raise ConfigurationError(f"a bot declares no {name!r}; it may declare {', '.join(sorted(known))}")
            before = joined.get(name)
            if isinstance(value, Mapping) and isinstance(before, Mapping):
                joined[name] = {**cast("Mapping[str, object]", before), **cast("Mapping[str, object]", value)}
            else:
                joined[name] = value
    return cast("Callable[..., Terms]", Terms)(**joined)


def read_terms(path: Path) -> dict[str, object]:
    """Read the declarations in a TOML file.

    Raises:
        ConfigurationError: the file is not TOML.
        OSError: the file cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is no TOML file: {error}") from None
