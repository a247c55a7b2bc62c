"""A simulated BitMart that runs on a laptop: in process and in virtual time, or on loopback for any SDK.

In use::

    async with open_exchange(seed=7) as exchange, exchange.open_client() as client:
        ...
    async with open_server(port=8765) as server:
        print(server.url)

The simulator is written from the exchange's documentation by code of its own, so it does not mirror the client's
mistakes. `Faults` holds the faults to inject, `Limits` the limits of sockets; ``/sim/...`` gives other
processes access to both.
"""

from __future__ import annotations

from .drivers.moments import TapeBook, TapeError, TapeTrade
from .drivers.outline import TapePart
from .drivers.script import BookScript, MarketScript
from .drivers.synthetic import Market
from .drivers.tape import Recorder, Tape
from .exchange import Exchange
from .faces.websocket import Connection, Limits
from .faults import Fault, FaultError, FaultHandle, Faults, parse_fault
from .faults import edge as _edge
from .faults import eventual as _eventual
from .faults import exchange as _exchange
from .faults import network as _network
from .faults.edge import *  # noqa: F403
from .faults.eventual import *  # noqa: F403
from .faults.exchange import *  # noqa: F403
from .faults.network import *  # noqa: F403
from .kernel.accounts import Account, Accounts, ApiKey, InsufficientFunds, Wallet
from .kernel.messages import Request, Response
from .kernel.symbols import Contract, SpotPair
from .models import Fees, Models
from .venue import Server, Simulation, Venue, open_exchange, open_server, serve_stream

__all__ = [
    "Account", "Accounts", "ApiKey", "BookScript", "Connection", "Contract", "Exchange", "Fault", "FaultError",
    "FaultHandle", "Faults", "Fees", "InsufficientFunds", "Limits", "Market", "MarketScript", "Models", "Recorder",
    "Request", "Response", "Server", "Simulation", "SpotPair", "Tape", "TapeBook", "TapeError", "TapePart",
    "TapeTrade", "Venue", "Wallet", "open_exchange", "open_server", "parse_fault", "serve_stream",
]  # fmt: skip
__all__ += _network.__all__
__all__ += _edge.__all__
__all__ += _exchange.__all__
__all__ += _eventual.__all__
