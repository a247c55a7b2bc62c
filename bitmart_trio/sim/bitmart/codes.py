"""The codes and texts of BitMart for what an exchange refuses, market by market."""

from __future__ import annotations

from typing import Final

from ..kernel.refusal import Reason, Refused
from .wire import Refusal

_SPOT: Final[dict[Reason, tuple[int, str]]] = {"funds": (50020, "Balance not enough")}
_FUTURES: Final[dict[Reason, tuple[int, str]]] = {
    "funds": (40027, "Balance not enough"),
    "position": (40021, "The position does not exist"),
    "size": (40020, "Position size insufficient to close"),
    "leverage": (40029, "The leverage is too large for a position of this value"),
    "plans": (40028, "The number of plan orders exceeds the limit"),
    "trigger": (40031, "The trigger price deviates too much from the market price"),
}
_TREASURY: Final[dict[Reason, tuple[int, str]]] = {
    "funds": (60008, "Balance not enough"),
    "amount": (60009, "The amount is above the limit"),
    "daily": (60064, "The daily quota is used up"),
}


def refusal_of(refused: Refused, path: str) -> Refusal:
    """What a path answers when the exchange has refused."""
    codes = _FUTURES if path.startswith("/contract/") else _TREASURY if path.startswith("/account/") else _SPOT
    code, text = codes[refused.reason]
    return Refusal(code, text, http=403 if refused.reason == "daily" else 400)
