"""The chapters of the spot market; each holds its rows under the names of the methods that use them.

A chapter is imported when it is first named.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

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
    _CHAPTERS: Final = {
        "account": "spot_account",
        "algo": "spot_algo",
        "broker": "spot_broker",
        "earn": "spot_earn",
        "margin": "spot_margin",
        "market": "spot_market",
        "sub_account": "spot_sub_account",
        "trading": "spot_trading",
        "system": "system",
    }

    def __getattr__(name: str) -> object:
        if name in _CHAPTERS:
            return import_module(f"..rest.{_CHAPTERS[name]}", __package__)
        raise AttributeError(f"no chapter {name!r}")


__all__ = ["account", "algo", "broker", "earn", "margin", "market", "sub_account", "system", "trading"]
