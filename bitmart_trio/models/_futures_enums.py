"""Define the words and numbers of the futures API that several chapters use."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ._enums import OpenInt, OpenStr


class FuturesOrderSide(OpenInt):
    """The side of a futures order, with its effect on the position."""

    BUY_OPEN_LONG = 1
    """Hedge mode: open a long. One-way mode: buy."""
    BUY_CLOSE_SHORT = 2
    """Hedge mode: close a short. One-way mode: buy, reducing only."""
    SELL_CLOSE_LONG = 3
    """Hedge mode: close a long. One-way mode: sell, reducing only."""
    SELL_OPEN_SHORT = 4
    """Hedge mode: open a short. One-way mode: sell."""


FuturesSideWord: TypeAlias = Literal["buy_open_long", "buy_close_short", "sell_close_long", "sell_open_short"]
"""The members of `FuturesOrderSide` as words, for the arguments of order methods."""


class OpenType(OpenStr):
    """The margin mode. Requests take it in lower case; some replies capitalise it, which makes no difference here."""

    CROSS = "cross"
    """The whole balance is margin."""
    ISOLATED = "isolated"
    """Only the position's own margin counts."""


class PositionMode(OpenStr):
    """The position mode: both directions of a contract at once, or one net position."""

    HEDGE = "hedge_mode"
    """A long and a short position of one contract side by side."""
    ONE_WAY = "one_way_mode"
    """One net position per contract."""


class PositionSide(OpenStr):
    """The direction of a position. Some replies capitalise it, which makes no difference here."""

    BOTH = "both"
    """The net position of one-way mode."""
    LONG = "long"
    SHORT = "short"


class FuturesAccountType(OpenStr):
    """The kind of futures account."""

    FUTURES = "futures"
    """The ordinary account, and the default."""
    COPY_TRADING = "copy_trading"
