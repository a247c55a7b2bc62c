"""Define an order: its intent as the journal holds it, its states and outcomes, and the status that users see.

``_evidence.py`` derives the state from what the exchange reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Final, Literal, TypeAlias, cast

import attrs

from ..config import Market
from ..errors import InvalidRequest
from ..models._model import Model
from ..models._numbers import exact

ZERO: Final = Decimal(0)

Kind: TypeAlias = Literal["order", "tp_sl"]
"""An ordinary order, or a futures take-profit or stop-loss that waits for its price."""


class OrderState(StrEnum):
    """The state of an order of a session."""

    PENDING = "pending"
    """Recorded, in flight, or waiting to be sent: no answer yet."""
    UNKNOWN = "unknown"
    """Cut off in flight: the session is looking for it."""
    OPEN = "open"
    """The exchange has it; it may be partly filled."""
    FILLED = "filled"
    """Over: the order is completely filled."""
    CANCELLED = "cancelled"
    """Over: cancelled by anybody, or expired; it may have been partly filled before."""
    TRIGGERED = "triggered"
    """Over: a take-profit or stop-loss that triggered. The exchange sends the order that follows."""
    REJECTED = "rejected"
    """Over: it never became an order."""


_ENDED: Final = (OrderState.FILLED, OrderState.CANCELLED, OrderState.TRIGGERED, OrderState.REJECTED)


@attrs.frozen
class Accepted(Model):
    """The exchange has accepted the order."""

    order_id: str
    """The id that the exchange gave it."""


@attrs.frozen
class Rejected(Model):
    """The intent never became an order: refused, never sent, or proven never to have arrived."""

    error: Exception
    """The reason: an `ApiError`, `InvalidRequest`, `OrderNotPlaced`, ..."""


@attrs.frozen
class Unknown(Model):
    """The outcome is not known yet: no answer has come, or the request was cut off and the session looks for it."""

    error: Exception | None = None
    """The error that cut it off; None while the answer is awaited, or after a cancellation."""


Outcome: TypeAlias = Accepted | Rejected | Unknown
"""The outcome of an intent."""


@attrs.frozen
class OrderFill(Model):
    """One fill of an order of a session."""

    trade_id: str
    """The id that the exchange gave it."""
    price: Decimal
    """Quote currency."""
    size: Decimal
    """Base currency (spot) or contracts (futures)."""
    fee: Decimal | None
    """As the market reports it (futures pushes: negative is a cost); None if it does not."""
    fee_currency: str | None
    """None if the exchange omits it."""
    time: int | None
    """Milliseconds; None if the push omits it."""


@attrs.frozen(kw_only=True)
class OrderStatus(Model):
    """The knowledge of an order at one moment."""

    client_order_id: str
    order_id: str | None
    """The exchange's id; None before the order is accepted."""
    symbol: str
    side: str
    """``buy`` or ``sell`` on spot, the digit 1 to 4 on futures."""
    type: str
    """As submitted: limit, market, ..."""
    price: Decimal | None
    """None for a market order."""
    size: Decimal | None
    """Base currency or contracts; None for a spot market buy, and a take-profit or stop-loss of a whole position."""
    notional: Decimal | None
    """Quote currency that a spot market buy spends, else None."""
    state: OrderState
    filled_size: Decimal
    """Base currency or contracts."""
    average_price: Decimal | None
    """The average price of the fills; None before the first."""

    @property
    def is_closed(self) -> bool:
        """Return True if the order is over."""
        return self.state in _ENDED


@attrs.frozen(kw_only=True)
class Intent:
    """An order as it was submitted: the journal holds it, and it is sent."""

    client_order_id: str
    market: Market
    symbol: str
    kind: Kind = "order"
    side: str
    type: str
    price: Decimal | None = None
    size: Decimal | None = None
    notional: Decimal | None = None
    extras: Mapping[str, object] = attrs.field(factory=dict[str, object])
    """Further arguments of the market's submit method."""
    whole: bool = True
    """True if `extras` are known; lines that an older version wrote lack them."""
    at: int | None = None
    """The exchange's time in milliseconds when it was made, if known; None in older lines."""
    closes: bool = False
    """True if it closes what the session opened: it is recorded even on a full disk."""

    def entry(self) -> dict[str, object]:
        """Return the intent's journal entry."""
        amounts = {"price": self.price, "size": self.size, "notional": self.notional}
        return {
            "what": "intent",
            "id": self.client_order_id,
            "market": self.market,
            "symbol": self.symbol,
            "kind": self.kind,
            "side": self.side,
            "type": self.type,
            **{name: format(value, "f") for name, value in amounts.items() if value is not None},
            **({"extras": {name: _scalar(value) for name, value in self.extras.items()}} if self.whole else {}),
            **({} if self.at is None else {"at": self.at}),
            **({"closes": True} if self.closes else {}),
        }

    @classmethod
    def from_entry(cls, entry: Mapping[str, object]) -> Intent:
        """Make an intent of a journal entry; raise ValueError for anything that `entry` cannot have written."""
        extras, at = entry.get("extras"), entry.get("at")
        if at is not None and not (isinstance(at, int) and 0 <= at < _LATEST_MS):
            raise ValueError(f"at is not a time: {str(at)[:40]}")
        market, kind = entry.get("market"), entry.get("kind")
        if market not in ("spot", "futures") or kind not in ("order", "tp_sl"):
            raise ValueError("market or kind is unknown")
        if not _text(entry, "id").isalnum():
            raise ValueError("id is not a client order id")
        return cls(
            client_order_id=_text(entry, "id"),
            market=market,
            symbol=_text(entry, "symbol"),
            kind=kind,
            side=_text(entry, "side"),
            type=_text(entry, "type"),
            price=_amount(entry, "price"),
            size=_amount(entry, "size"),
            notional=_amount(entry, "notional"),
            extras=_extras(cast("dict[object, object]", extras)) if isinstance(extras, dict) else {},
            whole=isinstance(extras, dict),
            at=at,
            closes=entry.get("closes") is True,
        )


_LATEST_MS: Final = 2**53
_LONGEST_TEXT: Final = 64
_MOST_EXTRAS: Final = 20
_PLACES: Final = 40


def _text(entry: Mapping[str, object], name: str) -> str:
    value = entry.get(name)
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= _LONGEST_TEXT
        or not (value.isascii() and value.isprintable())
    ):
        raise ValueError(f"{name} is missing, or not a valid text")
    return value


def _amount(entry: Mapping[str, object], name: str) -> Decimal | None:
    if name not in entry:
        return None
    text = _text(entry, name)
    try:
        value = exact(text)
    except ValueError as error:
        raise ValueError(f"{name} is {error}") from None
    if value < 0 or abs(value.adjusted()) > _PLACES:
        raise ValueError(f"{name} is not an amount")
    return value


def _extras(extras: Mapping[object, object]) -> dict[str, object]:
    plain = all(
        isinstance(name, str) and isinstance(value, bool | int | str) and len(str(value)) <= _LONGEST_TEXT
        for name, value in extras.items()
    )
    if len(extras) > _MOST_EXTRAS or not plain:
        raise ValueError("extras are not arguments of an order")
    return cast("dict[str, object]", dict(extras))


def _scalar(value: object) -> object:
    """Return an argument as JSON can hold it and as the submit method accepts it again."""
    value = value.value if isinstance(value, Enum) else value
    return (
        value
        if isinstance(value, bool | int | str)
        else format(value, "f")
        if isinstance(value, Decimal)
        else str(value)
    )


def amount(value: Decimal | int | str | None, name: str) -> Decimal | None:
    """Return an exact amount, checked as in every call."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{name} must be a Decimal, an int or a str, not {type(value).__name__}")
    try:
        return exact(value)
    except ValueError as error:
        raise InvalidRequest(f"{name} is {error}", argument=name) from None
