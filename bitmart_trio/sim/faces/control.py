"""``/sim/...``: inspect the simulated exchange, and control its faults and its clock, from other processes.

    GET    /                  where all this is, as JSON or, for a browser, as a page
    GET    /sim/              a page for people: book, trades, accounts, connections, faults, clock
    GET    /sim/state         time, markets, accounts with orders and positions, connections, faults, counters; with
                              ?symbol=BTC_USDT (several: repeated) books and trades too, ?levels= and ?trades= of them,
                              and ?candles=5 (minutes) as many candles as ?bars= says; with ?since=0 the event log from
                              there on, and the number to go on from
    GET    /sim/faults        the active faults         POST: add one (text or JSON)        DELETE: end all
    GET    /sim/faults/kinds  every kind of fault, with its fields
    DELETE /sim/faults/7      end one, by its id
    GET    /sim/clock         the exchange's time       POST: {"skew_ms": n}, {"hold": true}, {"step_ms": n}: so much
                              time passes at once, and the market lives through it; with "tick_ms": 1000, say, in
                              coarser ticks than its own, which is faster
    GET    /sim/log           the event log as JSON lines; here and with ?since=, ?kind=match (several: repeated) and
                              ?find=text choose events, and ?quiet=1 leaves out frames and the trades of the synthetic
                              market with itself
    POST   /sim/drop          break sockets off; {"kind": pattern} for some of them
    POST   /sim/accounts      {"account_id", "key", "secret", "memo", "balances", "futures", "fund", "permissions"}

Faults, keys and limits do not apply to these paths. Web pages of other sites cannot use them from a browser: see
``hosts.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final, TypeAlias
from urllib.parse import parse_qs

import attrs
import trio

from ..exchange import Exchange
from ..faults import FaultError, describe_fault, fault_kinds, parse_fault
from ..kernel.accounts import PERMISSIONS
from ..kernel.encoding import Json, encode
from ..kernel.messages import Request, Response
from ..kernel.numbers import NumberError, read_decimal, read_integer
from . import inspection
from .page import PAGES
from .websocket import Connection, Sockets
from .welcome import welcome

SAFETY_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
JSON_HEADERS: Final = {"Content-Type": "application/json", **SAFETY_HEADERS}
STEP_MOST_MS: Final = 31 * 24 * 3_600_000
"""The longest step of the clock in one request."""
STEP_PATIENCE: Final = 1.0
"""Seconds that a step waits for a client to read its frames; a client that did not is not waited for again."""
STEP_BACKLOG: Final = 256
"""The number of unread frames of one client above which a step waits for it."""


class _Wrong(Exception):
    """The request is invalid, with the reason."""


class _Missing(Exception):
    """The object of the request does not exist, with the reason."""


@attrs.frozen
class _ClockWishes:
    """The actions on the clock, in this order: time passes, the skew is set, the clock is held or released."""

    skew_ms: int | None
    step_ms: int | None
    tick_ms: int | None
    hold: bool | None


_Action: TypeAlias = "Callable[[Exchange, Sockets, Request], Json]"


def is_below(path: str) -> bool:
    """Return True if a path is one of these."""
    return path in ("/", "/sim") or path.startswith("/sim/")


async def answer(exchange: Exchange, sockets: Sockets, request: Request) -> Response:
    """Answer one request below ``/sim``: a page, or JSON; refusals (400, 404, 405) are ``{"error": reason}``."""
    if request.path == "/" and request.method == "GET":
        content_type, body = welcome(sockets.venue, request.headers.get("accept", ""))
        return Response(200, {"Content-Type": content_type, "Vary": "Accept", **SAFETY_HEADERS}, body)
    if request.path == "/sim":
        return Response(308, {"Location": "/sim/", **SAFETY_HEADERS}, b"")
    path = "/sim/faults/{id}" if _FAULT_PATH.fullmatch(request.path) else request.path
    methods = _ACTIONS.get(path)
    if methods is None:
        return _response(404, {"error": f"there are {', '.join(_ACTIONS)}"})
    action = methods.get(request.method)
    if action is None:
        allowed = ", ".join(methods)
        refusal = _response(405, {"error": f"{request.path} takes {allowed}"})
        return attrs.evolve(refusal, headers={**refusal.headers, "Allow": allowed})
    if path in PAGES:
        content_type, body = PAGES[path]
        return Response(200, {"Content-Type": content_type, **SAFETY_HEADERS}, body)
    if action is _log:
        lines = inspection.log_lines(exchange, _wanted(parse_qs(request.query)))
        return Response(200, {"Content-Type": "application/x-ndjson", **SAFETY_HEADERS}, lines)
    try:
        if action is _set_clock:
            await _step(exchange, sockets, request)
        return _response(200, action(exchange, sockets, request))
    except _Missing as missing:
        return _response(404, {"error": str(missing)})
    except (_Wrong, FaultError) as error:
        return _response(400, {"error": str(error)})


_FAULT_PATH: Final = re.compile(r"/sim/faults/\d{1,15}")


def _response(status: int, body: Json) -> Response:
    return Response(status, JSON_HEADERS, encode(body) + b"\n")


def _members(request: Request) -> dict[str, Json]:
    if not request.body.strip():
        return {}
    try:
        members: Json = json.loads(request.body, parse_float=read_decimal, parse_int=read_integer)
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


def _number(query: dict[str, list[str]], name: str, default: int, most: int) -> int:
    text = query.get(name, [str(default)])[-1]
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise _Wrong(f"{name} must be a whole number")
    return min(int(text), most)


def _page(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    return None


def _state(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    query = parse_qs(request.query)
    state = inspection.overview(exchange, sockets)
    if "symbol" in query:
        levels = _number(query, "levels", 20, inspection.LEVELS_MOST)
        count = _number(query, "trades", 50, inspection.TRADES_MOST)
        state["books"] = inspection.books(exchange, query["symbol"], levels)
        state["trades"] = inspection.trades(exchange, query["symbol"], count)
        if "candles" in query:
            minutes = _number(query, "candles", 1, 10**6)
            if minutes not in inspection.STEPS:
                raise _Wrong(f"candles must be one of {', '.join(map(str, inspection.STEPS))} minutes")
            bars = _number(query, "bars", 100, inspection.CANDLES_MOST)
            state["candles"] = inspection.candles(exchange, query["symbol"], minutes, bars)
    if "since" in query:
        state["events"] = inspection.events(exchange, _number(query, "since", 0, 10**15), _wanted(query))
    return state


def _wanted(query: dict[str, list[str]]) -> inspection.Wanted:
    """Return the choice of events in a query."""
    return inspection.Wanted(
        frozenset(query.get("kind", ())), query.get("find", [""])[-1], query.get("quiet", ["0"])[-1] not in ("0", "")
    )


def _list_faults(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    return {"faults": inspection.active_faults(exchange)}


def _list_kinds(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    return {"kinds": fault_kinds()}


def _add_fault(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    fault = parse_fault(request.body.decode(errors="replace"))
    handle = exchange.faults.add(fault)
    return {"added": {"id": handle.id, **describe_fault(fault)}}


def _clear_faults(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    return {"ended": exchange.faults.clear()}


def _end_fault(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    number = int(request.path.rpartition("/")[2])
    found = next((handle for handle in exchange.faults.active if handle.id == number), None)
    if found is None:
        raise _Missing(f"fault {number} is not active")
    found.remove()
    return {"ended": 1}


def _show_clock(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    clock = exchange.clock
    return {"now_ms": exchange.now_ms(), "skew_ms": clock.skew_ms, "held": clock.held}


def _set_clock(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    wanted = _clock_wishes(request)
    if wanted.skew_ms is not None:
        exchange.clock.skew_ms = wanted.skew_ms
    if wanted.hold is not None:
        (exchange.clock.hold if wanted.hold else exchange.clock.release)()
    return _show_clock(exchange, sockets, request)


async def _step(exchange: Exchange, sockets: Sockets, request: Request) -> None:
    """Advance the clock by the requested time, with the market running and clients receiving its frames."""
    wanted = _clock_wishes(request)
    dead: set[Connection] = set()
    for _ in exchange.live(wanted.step_ms or 0, tick_ms=wanted.tick_ms):
        await trio.lowlevel.checkpoint()
        behind: set[Connection] = set()
        with trio.move_on_after(STEP_PATIENCE):
            # A queue has no event for becoming shorter.
            while behind := _behind(sockets, dead):  # noqa: ASYNC110
                await trio.sleep(0.001)
        dead |= behind


def _behind(sockets: Sockets, dead: set[Connection]) -> set[Connection]:
    return {each for each in sockets.connections if each.queued > STEP_BACKLOG and each not in dead}


def _clock_wishes(request: Request) -> _ClockWishes:
    members = _members(request)
    hold = members.get("hold")
    if not isinstance(hold, bool | None):
        raise _Wrong("hold must be true or false")
    skew, step, tick = (_integer(members, name) for name in ("skew_ms", "step_ms", "tick_ms"))
    if skew is None and step is None and hold is None:
        raise _Wrong("give skew_ms, step_ms or hold")
    if step is not None and step < 0:
        raise _Wrong("time does not run backwards; use skew_ms for a clock that is behind")
    if step is not None and step > STEP_MOST_MS:
        raise _Wrong(f"step_ms must be at most {STEP_MOST_MS}")
    if tick is not None and not 10 <= tick <= 3_600_000:
        raise _Wrong("tick_ms must be from 10 to 3600000")
    return _ClockWishes(skew, step, tick, hold)


def _log(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    return list(exchange.log.lines)


def _drop(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    kind = _members(request).get("kind")
    if kind is not None and not isinstance(kind, str):
        raise _Wrong("kind must be a pattern such as spot/*")
    return {"dropped": sockets.drop(kind)}


def _add_account(exchange: Exchange, sockets: Sockets, request: Request) -> Json:
    members = _members(request)
    account_id, key, secret, memo = (_text(members, name) for name in ("account_id", "key", "secret", "memo"))
    permissions = members.get("permissions", list(PERMISSIONS))
    if not isinstance(permissions, list):
        raise _Wrong("permissions must be a list")
    try:
        exchange.accounts.add(
            account_id,
            key=key,
            secret=secret,
            memo=memo,
            permissions=[str(permission) for permission in permissions],
            balances=_amounts(members, "balances"),
            fund=_amounts(members, "fund"),
            futures=_amounts(members, "futures"),
        )
    except ValueError as error:
        raise _Wrong(str(error)) from None
    return {"added": account_id}


def _text(members: dict[str, Json], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value:
        raise _Wrong(f"{name} must be a text")
    return value


def _amounts(members: dict[str, Json], name: str) -> dict[str, Decimal]:
    given = members.get(name, {})
    if not isinstance(given, dict):
        raise _Wrong(f"{name} must be an object of amounts")
    amounts: dict[str, Decimal] = {}
    for currency, amount in given.items():
        try:
            amounts[currency] = read_decimal(str(amount))
        except NumberError:
            amounts[currency] = Decimal(-1)
        if amounts[currency] < 0:
            raise _Wrong(f"{name}: {currency} is no amount")
    return amounts


_ACTIONS: Final[dict[str, dict[str, _Action]]] = {
    **{path: {"GET": _page} for path in ("/", *PAGES)},
    "/sim/state": {"GET": _state},
    "/sim/faults": {"GET": _list_faults, "POST": _add_fault, "DELETE": _clear_faults},
    "/sim/faults/kinds": {"GET": _list_kinds},
    "/sim/faults/{id}": {"DELETE": _end_fault},
    "/sim/clock": {"GET": _show_clock, "POST": _set_clock},
    "/sim/log": {"GET": _log},
    "/sim/drop": {"POST": _drop},
    "/sim/accounts": {"POST": _add_account},
}
