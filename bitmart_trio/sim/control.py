"""``/sim/...``: a look inside the simulated exchange, and a hand on its faults and its clock, for other processes.

    GET    /sim/state      time, symbols, accounts, connections, faults, counters
    GET    /sim/faults     the active faults            POST: add one (text or JSON)      DELETE: end all
    GET    /sim/clock      the exchange's time          POST: {"skew_ms": n} or {"step_ms": n}
    GET    /sim/log        the event log as JSON lines
    POST   /sim/drop       break sockets off; {"kind": pattern} for some of them
    POST   /sim/accounts   {"account_id", "key", "secret", "memo", "balances", "futures", "fund", "permissions"}

No faults, keys or limits stand before these paths.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

from .accounts import PERMISSIONS
from .eventlog import encode
from .faults import FaultError
from .faulttext import describe_fault, parse_fault
from .wire import Request, Response

if TYPE_CHECKING:
    from .accounts import Wallet
    from .exchange import Exchange
    from .sockets import Sockets
    from .wire import Json

JSON_HEADERS: Final = {"Content-Type": "application/json"}


class _Wrong(Exception):
    """The request makes no sense, with the reason."""


_Action: TypeAlias = "Callable[[Exchange, Sockets, Request], Json]"


def answer(exchange: Exchange, sockets: Sockets, request: Request) -> Response:
    """Answer one request below ``/sim/``: 200 with a JSON object, or 400, 404, 405 with ``{"error": reason}``."""
    methods = _ACTIONS.get(request.path)
    if methods is None:
        return _response(404, {"error": f"there are {', '.join(_ACTIONS)}"})
    action = methods.get(request.method)
    if action is None:
        return _response(405, {"error": f"{request.path} takes {', '.join(methods)}"})
    if action is _log:
        return Response(200, {"Content-Type": "application/x-ndjson"}, exchange.log.dump())
    try:
        return _response(200, action(exchange, sockets, request))
    except (_Wrong, FaultError) as error:
        return _response(400, {"error": str(error)})


def _response(status: int, body: Json) -> Response:
    return Response(status, JSON_HEADERS, encode(body) + b"\n")


def _members(request: Request) -> dict[str, Json]:
    if not request.body.strip():
        return {}
    try:
        members: Json = json.loads(request.body, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise _Wrong("the body is not JSON") from None
    if not isinstance(members, dict):
        raise _Wrong("the body is not a JSON object")
    return members


def _integer(members: dict[str, Json], name: str) -> int | None:
    value = members.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Wrong(f"{name} must be a whole number")
    return value


def _state(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    return {
        "time": exchange.now_ms(),
        "seed": exchange.seed,
        "symbols": [*exchange.spot.markets, *exchange.futures.listings],
        "endpoints": len(exchange.routes.table),
        "channels": [*sorted(exchange.feed.channels)],
        "topics": [*exchange.feed.topics()],
        "accounts": [
            {
                "account_id": account.account_id,
                "parent": account.parent,
                "spot": _balances(account.spot),
                "fund": _balances(account.fund),
                "futures": _balances(account.futures),
            }
            for account in exchange.accounts.all()
        ],
        "connections": [connection.describe() for connection in sockets.connections],
        "http_connections": [link.names[-1] for link in sockets.links],
        "faults": _active(exchange),
        "counters": {
            "opened": dict(sockets.opened),
            "refused": dict(sockets.refused),
            "fault_hits": dict(exchange.faults.hits),
        },
    }


def _balances(wallet: Wallet) -> Json:
    return {currency: {"available": available, "frozen": frozen} for currency, available, frozen in wallet.rows()}


def _active(exchange: Exchange) -> list[Json]:
    return [{**describe_fault(handle.fault), "hits": handle.hits} for handle in exchange.faults.active]


def _list_faults(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    return {"faults": _active(exchange)}


def _add_fault(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    fault = parse_fault(request.body.decode(errors="replace"))
    exchange.faults.add(fault)
    return {"added": describe_fault(fault)}


def _clear_faults(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    ended = len(exchange.faults.active)
    exchange.faults.clear()
    return {"ended": ended}


def _show_clock(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    return {"now_ms": exchange.now_ms(), "skew_ms": exchange.clock.skew_ms}


def _set_clock(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    members = _members(request)
    skew, step = _integer(members, "skew_ms"), _integer(members, "step_ms")
    if skew is None and step is None:
        raise _Wrong("give skew_ms or step_ms")
    if step is not None and step < 0:
        raise _Wrong("time does not run backwards; use skew_ms for a clock that is behind")
    if skew is not None:
        exchange.clock.skew_ms = skew
    if step is not None:
        exchange.clock.step(step)
    return _show_clock(exchange, sockets, request)


def _log(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    return list(exchange.log.lines)


def _drop(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    kind = _members(request).get("kind")
    if kind is not None and not isinstance(kind, str):
        raise _Wrong("kind must be a pattern such as spot/*")
    return {"dropped": sockets.drop(kind)}


def _add_account(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    members = _members(request)
    texts: dict[str, str] = {}
    for name in ("account_id", "key", "secret", "memo"):
        value = members.get(name)
        if not isinstance(value, str) or not value:
            raise _Wrong(f"{name} must be a text")
        texts[name] = value
    permissions = members.get("permissions", list(PERMISSIONS))
    if not isinstance(permissions, list):
        raise _Wrong("permissions must be a list")
    try:
        exchange.accounts.add(
            texts["account_id"],
            key=texts["key"],
            secret=texts["secret"],
            memo=texts["memo"],
            permissions=[str(permission) for permission in permissions],
            balances=_amounts(members, "balances"),
            fund=_amounts(members, "fund"),
            futures=_amounts(members, "futures"),
        )
    except ValueError as error:
        raise _Wrong(str(error)) from None
    return {"added": texts["account_id"]}


def _amounts(members: dict[str, Json], name: str) -> dict[str, Decimal]:
    given = members.get(name, {})
    if not isinstance(given, dict):
        raise _Wrong(f"{name} must be an object of amounts")
    amounts: dict[str, Decimal] = {}
    for currency, amount in given.items():
        try:
            amounts[currency] = Decimal(str(amount))
        except ArithmeticError:
            raise _Wrong(f"{name}: {currency} is no amount") from None
        if not amounts[currency].is_finite() or amounts[currency] < 0:
            raise _Wrong(f"{name}: {currency} is no amount")
    return amounts


_ACTIONS: Final[dict[str, dict[str, _Action]]] = {
    "/sim/state": {"GET": _state},
    "/sim/faults": {"GET": _list_faults, "POST": _add_fault, "DELETE": _clear_faults},
    "/sim/clock": {"GET": _show_clock, "POST": _set_clock},
    "/sim/log": {"GET": _log},
    "/sim/drop": {"POST": _drop},
    "/sim/accounts": {"POST": _add_account},
}
