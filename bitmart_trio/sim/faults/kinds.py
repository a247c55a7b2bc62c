"""Collect every kind of fault by its name from the families: a class in one of their files is enough."""

from __future__ import annotations

from inspect import isclass
from typing import Final

from ..kernel.faults import Fault
from . import edge, eventual, exchange, network

FAULTS: Final[dict[str, type[Fault]]] = {
    name: kind
    for family in (network, edge, exchange, eventual)
    for name, kind in vars(family).items()
    if isclass(kind) and issubclass(kind, Fault) and kind.__module__ == family.__name__
}
"""Every fault by its name, in the order of the families' files."""
