"""What is told about one function of the npm package ``bitmart-api`` 2.5.1: our method for it, and sample arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import attrs

Arguments: TypeAlias = Mapping[str, Any]

RENAMED: Final[dict[str, str]] = {
    "N": "limit",
    "from": "from_",
    "currentPage": "page",
    "sizePage": "page_size",
    "orderParams": "orders",
    "recvwindow": "recv_window",
    "stpmode": "stp_mode",
    "time_start": "start_time",
    "time_end": "end_time",
}
"""Parameters whose name here is not the one there in snake case, whatever the function."""


@attrs.frozen
class NodeFunction:
    """One function and its counterpart."""

    name: str
    method: str
    """Ours, below ``client``: ``spot.market.ticker``."""
    samples: tuple[Arguments, ...]
    """Arguments for the Node function, one call each."""
    renamed: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)
    """Like `RENAMED`, for this function only."""
    values: Arguments = attrs.field(factory=dict, kw_only=True)
    """What our method is given instead, by our names, where the package declares another type."""
    without: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    """Parameters that the endpoint does not have, so that our method does not take them."""

    def ours(self, sample: Arguments) -> dict[str, Any]:
        """The same arguments as our method takes them."""
        names = {**RENAMED, **self.renamed}
        return {**_respelled(sample, names, self.without), **self.values}


def _respelled(arguments: Arguments, names: Mapping[str, str], without: tuple[str, ...]) -> dict[str, Any]:
    return {
        names.get(name, _snake(name)): (
            [_respelled(each, names, without) if isinstance(each, dict) else each for each in value]
            if isinstance(value, list)
            else value
        )
        for name, value in arguments.items()
        if name not in without
    }


def _snake(name: str) -> str:
    return re.sub("(?<!^)[A-Z]", lambda letter: "_" + letter[0].lower(), name)


def row(name: str, method: str, *samples: Arguments, **more: Any) -> NodeFunction:
    """A row of the tables; without samples the function is called without arguments."""
    return NodeFunction(name, method, samples or ({},), **more)
