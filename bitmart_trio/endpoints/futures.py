"""List the chapters of the futures market; each holds its rows under the names of the methods that use them.

A chapter is imported on first access.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..rest import futures_account as account
    from ..rest import futures_affiliate as affiliate
    from ..rest import futures_demo as demo
    from ..rest import futures_market as market
    from ..rest import futures_position as position
    from ..rest import futures_sub_account as sub_account
    from ..rest import futures_trading as trading
    from ..rest import system
else:
    from .._lazy import lazy

    __getattr__, __dir__, _ = lazy()

# Type checkers take a renamed import for private unless it is listed.
__all__ = ["account", "affiliate", "demo", "market", "position", "sub_account", "system", "trading"]
