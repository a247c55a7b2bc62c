"""Faults on request: each is a small frozen object that says what goes wrong, and where, how often and how likely.

Faults compose: any number is active at once, each counts its own hits and ends by itself when it is used up. The faces
(HTTP and sockets) consult them; handlers and engines never do, so what the exchange *did* stays true whatever its
clients see.

    handle = exchange.faults.add(LoseReply("/spot/v2/submit_order"))      # handled, never answered, once
    exchange.faults.add(parse_fault("LatePong:seconds=30"))               # as text: see text.py
    handle.remove()

Where a fault happens is a pattern with ``*``: of request paths (``/spot/*``), of topics (``spot/ticker:*``), or of
connections. A connection is named by its kind (``spot/public``, ``spot/private``, ``futures/public``,
``futures/private``, ``http``) and by its number (``ws-3``).

A fault is one class in the file of its family, named in ``__all__`` there: ``network.py`` (lost, late, cut off),
``edge.py`` (the network in front of the exchange answers), ``exchange.py`` (the exchange itself refuses or answers
oddly), ``eventual.py`` (what was a while ago shows up).
"""

from __future__ import annotations

from ..kernel.faults import LEAST, SOCKETS, Fault, FaultError, FaultHandle, Faults, StandIn
from . import edge, eventual, exchange, network
from .edge import *  # noqa: F403
from .edge import edge_page
from .eventual import *  # noqa: F403
from .exchange import *  # noqa: F403
from .exchange import stretch
from .kinds import FAULTS
from .network import *  # noqa: F403
from .rows import subject_of
from .text import describe_fault, fault_from, fault_kinds, parse_fault

__all__ = [
    "FAULTS", "LEAST", "SOCKETS", "Fault", "FaultError", "FaultHandle", "Faults", "StandIn", "describe_fault",
    "edge_page", "fault_from", "fault_kinds", "parse_fault", "stretch", "subject_of",
]  # fmt: skip
__all__ += network.__all__
__all__ += edge.__all__
__all__ += exchange.__all__
__all__ += eventual.__all__
