"""The words and numbers of the futures API that more than one chapter uses."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ._enums import OpenInt, OpenStr


class FuturesOrderSide(OpenInt):
    """Which way a futures order goes and what it does to the position."""

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
    """Margin mode. Requests take it in lower case; some replies capitalise it, which makes no difference here."""

    CROSS = "cross"
    """The whole balance is margin."""
    ISOLATED = "isolated"
    """Only what was put aside for the position is."""


class PositionMode(OpenStr):
    """Whether the account may hold both directions of a contract at once."""

    HEDGE = "hedge_mode"
    """A long and a short of one contract side by side."""
    ONE_WAY = "one_way_mode"
    """One net position a contract."""


class PositionSide(OpenStr):
    """The direction of a position. Some replies capitalise it, which makes no difference here."""

    BOTH = "both"
    """The net position of one-way mode."""
    LONG = "long"
    SHORT = "short"


class FuturesAccountType(OpenStr):
    """Which of the two futures accounts."""

    FUTURES = "futures"
    """The ordinary one, and the default."""
    COPY_TRADING = "copy_trading"
