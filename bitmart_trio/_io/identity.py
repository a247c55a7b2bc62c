"""How the library names itself to the exchange."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from ..config import Config

_NAME: Final = "bitmart-trio"


@cache
def _agent() -> str:
    try:
        return f"{_NAME}/{version(_NAME)}"
    except PackageNotFoundError:  # run from a source tree that was never installed
        return _NAME


def user_agent(config: Config) -> str:
    """The User-Agent of REST and sockets.

    BitMart's edge answers the default agents of HTTP libraries with 403, error 1010.
    """
    return config.user_agent or _agent()
