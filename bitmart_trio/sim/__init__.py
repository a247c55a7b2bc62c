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

from .accounts import Account, Accounts, ApiKey, InsufficientFunds, Wallet
from .exchange import Exchange
from .faults import (
    BlankIds,
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
    LatePong,
    LateRecord,
    LongerRow,
    LoseAck,
    LoseReply,
    LoseRequest,
    Maintenance,
    MuteTopic,
    OddRecord,
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
    Stall,
    UnknownField,
    WrongUnit,
    parse_fault,
)
from .flow import Market
from .glue import Server, Venue, open_exchange, open_server
from .http import serve_stream
from .script import BookScript, MarketScript
from .sockets import Connection, Limits
from .symbols import Contract, SpotPair
from .tape import Recorder, Tape, TapeBook, TapeError, TapeTrade
from .wire import Request, Response

__all__ = [
    "Account",
    "Accounts",
    "ApiKey",
    "BlankIds",
    "BookScript",
    "ClockSkew",
    "Connection",
    "Contract",
    "Delay",
    "Drop",
    "DropDuringLogin",
    "Duplicate",
    "EdgePage",
    "EmptyData",
    "Exchange",
    "Fail5xx",
    "Fault",
    "FaultError",
    "FaultHandle",
    "Faults",
    "Gap",
    "Garbage",
    "GarbageReply",
    "GatewayJson",
    "HalfReply",
    "HangHandshake",
    "InsufficientFunds",
    "LatePong",
    "LateRecord",
    "Limits",
    "LongerRow",
    "LoseAck",
    "LoseReply",
    "LoseRequest",
    "Maintenance",
    "Market",
    "MarketScript",
    "MuteTopic",
    "OddRecord",
    "Recorder",
    "Refuse418",
    "Refuse429",
    "RefuseConnect",
    "RefuseLogin",
    "RefuseTopic",
    "RefuseUpgrade",
    "Reorder",
    "Request",
    "Response",
    "Retention",
    "RoundedBounds",
    "Server",
    "SharedIds",
    "ShiftingPages",
    "SlowLink",
    "SmallerCap",
    "SpotPair",
    "Stall",
    "Tape",
    "TapeBook",
    "TapeError",
    "TapeTrade",
    "UnknownField",
    "Venue",
    "Wallet",
    "WrongUnit",
    "open_exchange",
    "open_server",
    "parse_fault",
    "serve_stream",
]
