"""List the chapters of the spot market; each holds its rows under the names of the methods that use them.

A chapter is imported on first access.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..rest import spot_account as account
    from ..rest import spot_algo as algo
    from ..rest import spot_broker as broker
    from ..rest import spot_earn as earn
    from ..rest import spot_margin as margin
    from ..rest import spot_market as market
    from ..rest import spot_sub_account as sub_account
    from ..rest import spot_trading as trading
    from ..rest import system
else:
    from .._lazy import lazy

    __getattr__, __dir__, _ = lazy()

# Type checkers take a renamed import for private unless it is listed.
__all__ = ["account", "algo", "broker", "earn", "margin", "market", "sub_account", "system", "trading"]
