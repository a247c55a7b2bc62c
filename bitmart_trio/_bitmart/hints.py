"""Advise the user about a refusal, in the last sentence of an `ApiError`."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .._core.suggest import as_sentence, did_you_mean
from ..errors import ApiError, InsufficientBalance
from .rows import REGISTRY


def hint_for(error: ApiError, arguments: Mapping[str, object], path: str, offset: float, bound: float) -> str:
    """A sentence, or "" when there is nothing to add to what the exchange said.

    Args:
        error: the refusal.
        arguments: the arguments of the call, by Python keyword.
        path: the path of the call.
        offset: seconds by which the local clock is behind the exchange's, as far as known.
        bound: how far `offset` may be off; infinite when it was never measured.
    """
    match error.code:
        case 30007:
            return _clock(offset, bound)
        case 30010:
            return "Add the public address of this machine to the key's IP whitelist, or clear the whitelist"
        case 30011:
            return "Create a new key; this one does not come back"
        case 30012:
            return f"Give the key the permission that {path} needs, in the API settings of the account"
        case 30000:
            known = dict.fromkeys(row.path for row in REGISTRY)
            return as_sentence(did_you_mean(path, known)) if path not in known else ""
        case 30004 | 30005:
            return "Check secret and memo: they belong to this very key"
        case _:
            return _balance(arguments, path) if isinstance(error, InsufficientBalance) else ""


def _clock(offset: float, bound: float) -> str:
    if math.isinf(bound):
        return "How far the local clock is off could not be measured; system.latency() tells"
    side = "behind" if offset >= 0 else "ahead of"
    return (
        f"The local clock was measured {abs(offset) * 1000:.0f} ms {side} the exchange's, give or take "
        f"{bound * 1000:.0f} ms, and that was allowed for: what remains is a slow line, or too small a recv_window"
    )


def _balance(arguments: Mapping[str, object], path: str) -> str:
    currency = arguments.get("currency")
    if isinstance(currency, str):
        return f"The balance that matters is the one of {currency}"
    symbol = arguments.get("symbol")
    if not isinstance(symbol, str):
        return ""
    side = getattr(arguments.get("side"), "value", arguments.get("side"))
    base, underscore, quote = symbol.partition("_")
    if not underscore:
        return (
            f"The futures account's available balance pays for {symbol}: a smaller size or higher leverage needs less"
        )
    if side not in ("buy", "sell"):
        return f"The balances that matter are those of {base} and {quote}"
    account = "isolated margin account" if "/margin/" in path else "spot account"
    paid = quote if side == "buy" else base
    return f"A {side} of {symbol} is paid in {paid}: its available balance in the {account} is too small"
