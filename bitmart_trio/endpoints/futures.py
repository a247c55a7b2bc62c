"""The chapters of the futures market; each holds its rows under the names of the methods that use them.

A chapter is imported when it is first named.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

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
    _CHAPTERS: Final = {
        "account": "futures_account",
        "affiliate": "futures_affiliate",
        "demo": "futures_demo",
        "market": "futures_market",
        "position": "futures_position",
        "sub_account": "futures_sub_account",
        "trading": "futures_trading",
        "system": "system",
    }

    def __getattr__(name: str) -> object:
        if name in _CHAPTERS:
            return import_module(f"..rest.{_CHAPTERS[name]}", __package__)
        raise AttributeError(f"no chapter {name!r}")


__all__ = ["account", "affiliate", "demo", "market", "position", "sub_account", "system", "trading"]
