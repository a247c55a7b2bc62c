"""How the library names itself to the exchange."""

from __future__ import annotations

from .._version import __version__
from ..config import Config


def user_agent(config: Config) -> str:
    """The User-Agent of REST and sockets.

    BitMart's edge answers the default agents of HTTP libraries with 403, error 1010.
    """
    return config.user_agent or f"bitmart-trio/{__version__}"
