"""Faults on request: each is a small frozen object that says what goes wrong, and where, how often and how likely.

Faults compose: any number is active at once, each counts its own hits and ends by itself when it is used up. The faces
(HTTP and sockets) consult them; handlers and engines never do, so what the exchange *did* stays true whatever its
clients were told.

    handle = exchange.faults.add(LoseReply("/spot/v2/submit_order"))      # handled, never answered, once
    exchange.faults.add(parse_fault("LatePong:seconds=30"))               # as text: see text.py
    handle.remove()

Where a fault happens is a pattern with ``*``: of request paths (``/spot/*``), of topics (``spot/ticker:*``), or of
connections. A connection is named by its kind (``spot/public``, ``spot/private``, ``futures/public``,
``futures/private``, ``http``) and by its number (``ws-3``).

A fault is one class in the file of its family: ``network.py`` (lost, late, cut off), ``edge.py`` (the network in front
of the exchange answers), ``exchange.py`` (the exchange itself refuses or answers oddly).
"""

from __future__ import annotations

from ..kernel.faults import LEAST, SOCKETS, Fault, FaultError, FaultHandle, Faults, StandIn
from .edge import EdgePage, Fail5xx, GarbageReply, GatewayJson, RefuseUpgrade, edge_page
from .eventual import BlankClientIds, BurntIds, Cap, ClockGlitch, Lag, LatePush, LateRecord, OldPush, StaleFields
from .exchange import (
    BlankIds,
    ClockSkew,
    EmptyData,
    LongerRow,
    Maintenance,
    OddRecord,
    Refuse418,
    Refuse429,
    RefuseLogin,
    RefuseTopic,
    Retention,
    RoundedBounds,
    SharedIds,
    ShiftingPages,
    SmallerCap,
    UnknownField,
    WrongUnit,
    stretch,
)
from .kinds import FAULTS
from .network import (
    Delay,
    Drop,
    DropDuringLogin,
    Duplicate,
    Gap,
    Garbage,
    HalfReply,
    HangHandshake,
    LatePong,
    LoseAck,
    LoseReply,
    LoseRequest,
    MuteTopic,
    RefuseConnect,
    Reorder,
    SlowLink,
    Stall,
)
from .rows import subject_of
from .text import describe_fault, fault_from, fault_kinds, parse_fault

__all__ = [
    "FAULTS", "LEAST", "SOCKETS", "BlankClientIds", "BlankIds", "BurntIds", "Cap", "ClockGlitch", "ClockSkew",
    "Delay", "Drop", "DropDuringLogin", "Duplicate", "EdgePage", "EmptyData", "Fail5xx", "Fault", "FaultError",
    "FaultHandle", "Faults", "Gap", "Garbage", "GarbageReply", "GatewayJson", "HalfReply", "HangHandshake", "Lag",
    "LatePong", "LatePush", "LateRecord", "LongerRow", "LoseAck", "LoseReply", "LoseRequest", "Maintenance",
    "MuteTopic", "OddRecord", "OldPush", "Refuse418", "Refuse429", "RefuseConnect", "RefuseLogin", "RefuseTopic",
    "RefuseUpgrade", "Reorder", "Retention", "RoundedBounds", "SharedIds", "ShiftingPages", "SlowLink", "SmallerCap",
    "StaleFields", "Stall", "StandIn", "UnknownField", "WrongUnit", "describe_fault", "edge_page", "fault_from",
    "fault_kinds", "parse_fault", "stretch", "subject_of",
]  # fmt: skip
