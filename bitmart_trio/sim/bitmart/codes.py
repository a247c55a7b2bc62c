"""BitMart's codes and texts for the refusals of an exchange, by market."""

from __future__ import annotations

from typing import Final

from ..kernel.calls import Refusal
from ..kernel.faults import Trouble
from ..kernel.messages import Response
from ..kernel.refusal import Reason, Refused
from .wire import json_response

_SPOT: Final[dict[Reason, tuple[int, str]]] = {
    "funds": (50020, "Balance not enough"),
    "used": (50042, "The client order id has been used before"),
    "time": (50021, "Invalid parameter: the time begins too early"),
}
_FUTURES: Final[dict[Reason, tuple[int, str]]] = {
    "funds": (40027, "Balance not enough"),
    "position": (40021, "The position does not exist"),
    "size": (40020, "Position size insufficient to close"),
    "leverage": (40029, "The leverage is too large for a position of this value"),
    "plans": (40028, "The number of plan orders exceeds the limit"),
    "trigger": (40031, "The trigger price deviates too much from the market price"),
    "used": (40050, "client_order_id duplicated with existing orders"),
    "time": (40039, "Invalid time range"),
}
_TREASURY: Final[dict[Reason, tuple[int, str]]] = {
    "funds": (60008, "Balance not enough"),
    "amount": (60009, "The amount is above the limit"),
    "daily": (60064, "The daily quota is used up"),
}
_FORBIDDEN: Final = (40050, 60064)
"""Codes that come with HTTP 403."""
_TROUBLES: Final[dict[Trouble, tuple[int, int, str]]] = {
    "too_many": (429, 30013, "Request too many requests"),
    "banned": (418, 30017, "Your account request is temporarily rejected due to violation of current limiting rules"),
    "maintenance": (200, 30016, "Service maintenance, the function is temporarily unavailable"),
    "no_data": (200, 1000, "This service is down"),
    "unavailable": (503, 30014, "Service unavailable"),
    "broken": (500, 59002, "Internal error"),
}


def refusal_of(refused: Refused, path: str) -> Refusal:
    """Return the refusal of a path for a refusal of the exchange."""
    codes = _FUTURES if path.startswith("/contract/") else _TREASURY if path.startswith("/account/") else _SPOT
    code, text = codes.get(refused.reason) or _SPOT[refused.reason]
    return Refusal(code, text, http=403 if code in _FORBIDDEN else 400)


def trouble_response(what: Trouble, status: int | None, trace: str) -> Response:
    """Return the answer of an exchange in trouble."""
    usual, code, text = _TROUBLES[what]
    return json_response(usual if status is None else status, code, text, trace=trace)
