"""A simulated BitMart that runs on a laptop: in process and in virtual time, or on loopback for any SDK.

    async with open_exchange(seed=7) as exchange, exchange.open_client() as client:
        ...
    async with open_server(port=8765) as server:
        print(server.url)

It is written from the exchange's documentation by code of its own, so that a mistake of the client is not mirrored
here. What goes wrong on request is in `Faults`; what sockets are allowed is in `Limits`; ``/sim/...`` reaches both from
other processes.
"""

from __future__ import annotations

from .drivers.moments import TapeBook, TapeError, TapeTrade
from .drivers.outline import TapePart
from .drivers.script import BookScript, MarketScript
from .drivers.synthetic import Market
from .drivers.tape import Recorder, Tape
from .exchange import Exchange
from .faces.websocket import Connection, Limits
from .faults import (
    BlankClientIds,
    BlankIds,
    BurntIds,
    Cap,
    ClockGlitch,
    ClockSkew,
    Delay,
    Drop,
    DropDuringLogin,
    Duplicate,
    EdgePage,
    EmptyData,
    Fail5xx,
    Fault,
    FaultError,
    FaultHandle,
    Faults,
    Gap,
    Garbage,
    GarbageReply,
    GatewayJson,
    HalfReply,
    HangHandshake,
    Lag,
    LatePong,
    LatePush,
    LateRecord,
    LongerRow,
    LoseAck,
    LoseReply,
    LoseRequest,
    Maintenance,
    MuteTopic,
    OddRecord,
    OldPush,
    Refuse418,
    Refuse429,
    RefuseConnect,
    RefuseLogin,
    RefuseTopic,
    RefuseUpgrade,
    Reorder,
    Retention,
    RoundedBounds,
    SharedIds,
    ShiftingPages,
    SlowLink,
    SmallerCap,
    StaleFields,
    Stall,
    UnknownField,
    WrongUnit,
    parse_fault,
)
from .kernel.accounts import Account, Accounts, ApiKey, InsufficientFunds, Wallet
from .kernel.messages import Request, Response
from .kernel.symbols import Contract, SpotPair
from .models import Fees, Models
from .venue import Server, Simulation, Venue, open_exchange, open_server, serve_stream

__all__ = [
    "Account", "Accounts", "ApiKey", "BlankClientIds", "BlankIds", "BookScript", "BurntIds", "Cap", "ClockGlitch",
    "ClockSkew", "Connection", "Contract", "Delay", "Drop", "DropDuringLogin", "Duplicate", "EdgePage", "EmptyData",
    "Exchange", "Fail5xx", "Fault", "FaultError", "FaultHandle", "Faults", "Fees", "Gap", "Garbage", "GarbageReply",
    "GatewayJson", "HalfReply", "HangHandshake", "InsufficientFunds", "Lag", "LatePong", "LatePush", "LateRecord",
    "Limits", "LongerRow", "LoseAck", "LoseReply", "LoseRequest", "Maintenance", "Market", "MarketScript", "Models",
    "MuteTopic", "OddRecord", "OldPush", "Recorder", "Refuse418", "Refuse429", "RefuseConnect", "RefuseLogin",
    "RefuseTopic", "RefuseUpgrade", "Reorder", "Request", "Response", "Retention", "RoundedBounds", "Server",
    "SharedIds", "ShiftingPages", "Simulation", "SlowLink", "SmallerCap", "SpotPair", "StaleFields", "Stall", "Tape",
    "TapeBook", "TapeError", "TapePart", "TapeTrade", "UnknownField", "Venue", "Wallet", "WrongUnit", "open_exchange",
    "open_server", "parse_fault", "serve_stream",
]  # fmt: skip
