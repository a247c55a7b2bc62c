"""Check every REST request: path, ban, key, quota, body, timestamp, signature, permission.

The order matters: quotas per key and account need the key, and a call with a refused signature still counts. The gate
encodes a handler's result or refusal in the exact envelope of the endpoint, and answers any unforeseen error with HTTP
500 and code 59002.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from urllib.parse import parse_qsl

import attrs

from ..kernel.accounts import Account, Accounts, ApiKey
from ..kernel.calls import Call, Refusal
from ..kernel.clock import Clock
from ..kernel.encoding import Json, encode
from ..kernel.eventlog import EventLog
from ..kernel.messages import Request, Response
from ..kernel.numbers import NumberError, read_decimal, read_integer
from ..kernel.refusal import Refused
from .codes import refusal_of
from .time_spans import TimeSpans
from .wire import JSON_HEADERS, Between, BitMartCall, Route, Routes

logger: logging.Logger = logging.getLogger(__name__)

TIMESTAMP_TOLERANCE_MS = 60_000
RECV_WINDOW_MS = 5_000
RECV_WINDOW_MAX_MS = 60_000
AHEAD_MS = 1_000
"""The lead of a timestamp that is allowed if ``recvWindow`` applies."""
STRIKES = 10
"""The number of refused calls of one address within `STRIKE_SECONDS` that causes a ban."""
STRIKE_SECONDS = 10.0

_PERMISSIONS: tuple[tuple[str, str, str], ...] = (
    # (how the path begins, method or "" for both, permission); the first that fits decides
    ("/spot/v4/query/", "", "read"),
    ("/spot/v1/margin/", "POST", "margin_trade"),
    ("/spot/v1/broker/", "", ""),
    ("/spot/", "POST", "spot_trade"),
    ("/account/v1/withdraw/address/", "", "read"),
    ("/account/v1/withdraw/", "", "withdraw"),
    ("/account/v1/get-deposit-account", "", ""),
    ("/account/sub-account/", "", "sub_transfer"),
    ("/account/contract/sub-account/", "POST", "sub_transfer"),
    ("/newearn/", "POST", "finance"),
    ("/contract/private/affiliate/", "", "contract_agent"),
    ("/contract/private/", "POST", "futures_trade"),
    ("", "GET", "read"),
)


def permission_of(route: Route) -> str:
    """Return the permission that a private route requires of a key; "" if any key will do."""
    for prefix, method, permission in _PERMISSIONS:
        if route.path.startswith(prefix) and method in ("", route.method):
            return permission
    return ""


def signature(secret: str, timestamp: str, memo: str, text: str) -> str:
    """Return HMAC-SHA256 over ``{timestamp}#{memo}#{text}`` as lower-case hex; sockets sign ``bitmart.WebSocket``."""
    message = f"{timestamp}#{memo}#{text}".encode(errors="surrogateescape")
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


@attrs.define
class _Window:
    """One quota window: it opens with the first call and closes after its length."""

    opened_ms: int
    used: int = 0


class Quotas:
    """Fixed windows per route and caller, and the ban for callers that ignore refusals."""

    def __init__(self) -> None:
        self.ban_seconds: float = 60.0
        self._windows: dict[tuple[str, str, str], _Window] = {}
        self._strikes: dict[str, deque[int]] = {}
        self._banned_until: dict[str, int] = {}

    def banned(self, address: str, now_ms: int) -> bool:
        """Return True if an address is banned now."""
        return self._banned_until.get(address, 0) > now_ms

    def ban(self, address: str, now_ms: int) -> None:
        """Ban an address for ``ban_seconds``."""
        self._banned_until[address] = now_ms + round(self.ban_seconds * 1000)
        self._strikes.pop(address, None)

    def spend(self, route: Route, caller: str, now_ms: int) -> tuple[dict[str, str], bool]:
        """Count one call; return the headers to send, and True if the call is within the quota."""
        limit = route.limit
        if limit is None:
            return {}, True
        window = self._windows.setdefault((route.method, route.path, caller), _Window(now_ms))
        if now_ms - window.opened_ms >= limit.seconds * 1000:
            window.opened_ms, window.used = now_ms, 0
        allowed = window.used < limit.count
        if allowed:
            window.used += 1
        # "Remaining" is the number of used calls, as documented and as observed.
        return {
            "X-BM-RateLimit-Remaining": str(window.used),
            "X-BM-RateLimit-Limit": str(limit.count),
            "X-BM-RateLimit-Reset": format(Decimal(str(limit.seconds)).normalize(), "f"),
            "X-BM-RateLimit-Mode": limit.by.upper(),
        }, allowed

    def strike(self, address: str, now_ms: int) -> None:
        """Count a refused call; the tenth in ten seconds causes the ban."""
        strikes = self._strikes.setdefault(address, deque())
        strikes.append(now_ms)
        while strikes[0] <= now_ms - STRIKE_SECONDS * 1000:
            strikes.popleft()
        if len(strikes) >= STRIKES:
            self.ban(address, now_ms)


class Gate:
    """Checks requests, calls handlers and writes envelopes; ``trace`` makes the ids of requests."""

    def __init__(
        self, routes: Routes, accounts: Accounts, clock: Clock, log: EventLog, trace: Callable[[], str]
    ) -> None:
        self.quotas: Quotas = Quotas()
        self._routes = routes
        self._accounts = accounts
        self._clock = clock
        self._log = log
        self._trace = trace
        self._spans = TimeSpans()

    def answer(self, request: Request, between: Between | None = None) -> Response:
        """Return the answer to one request; never raises. ``between`` runs between the gate and the handler."""
        trace = self._trace()
        route = self._routes.table.get((request.method, request.path))
        headers: dict[str, str] = {**JSON_HEADERS}
        status = 200
        try:
            if self.quotas.banned(request.address, self._clock.steady_ms()):
                raise Refusal(
                    30017,
                    "Your account request is temporarily rejected due to violation of current limiting rules",
                    http=418,
                )
            if route is None:
                raise self._no_route(request)
            data = self._admit(route, request, headers, between)
            body = _success(route, data, trace)
            code = 1000
        except Refusal as refusal:
            status, code = refusal.http, refusal.code
            if status == 405:
                headers["Allow"] = ", ".join(self._methods(request.path))
            body = _refused(route, request.path, refusal, trace)
        except Exception:
            logger.exception("bug in the simulated exchange: %s %s (trace %s)", request.method, request.path, trace)
            status, code = 500, 59002
            body = _refused(route, request.path, Refusal(59002, "Internal error"), trace)
        self._log.write(
            "request",
            method=request.method,
            path=request.path,
            account=self._account_of(route, request),
            status=status,
            code=code,
            trace=trace,
        )
        return Response(status, headers, encode(body))

    def _account_of(self, route: Route | None, request: Request) -> str | None:
        """Return the account of a private call's key; the code says if the call was authentic."""
        if route is None or route.auth == "none":
            return None
        found = self._accounts.by_key(request.headers.get("x-bm-key", ""))
        return None if found is None else found[0].account_id

    def _no_route(self, request: Request) -> Refusal:
        if self._methods(request.path):
            code = 60030 if request.path.startswith("/account/") else 57001
            return Refusal(code, f"Request method '{request.method}' is not supported", http=405)
        return Refusal(30000, "Not found", http=404)

    def _methods(self, path: str) -> list[str]:
        """Return the methods that a path accepts; HEAD wherever GET is accepted."""
        table = self._routes.table
        return [method for method in ("GET", "HEAD", "POST") if (method.replace("HEAD", "GET"), path) in table]

    def _admit(self, route: Route, request: Request, headers: dict[str, str], between: Between | None) -> Json:
        key: ApiKey | None = None
        account: Account | None = None
        if route.auth != "none":
            account, key = self._caller(request)
        self._spend(route, request, key, headers)
        params = _query(request.query) if request.method == "GET" else _body(request)
        if key is not None:
            if route.auth == "signed":
                self._check_time(route, request, params)
                self._check_signature(request, key)
            needed = permission_of(route)
            if needed and needed not in key.permissions:
                raise Refusal(30012, "Forbidden", http=403)
        call, handler = BitMartCall(params, account, self._clock.now_ms(), key), partial(_handled, route)
        try:
            data = handler(call) if between is None else between(route, call, handler)
        except Refused as refused:  # by a fault
            raise refusal_of(refused, route.path) from None
        self._spans.explain(route, call, data)
        return data

    def _caller(self, request: Request) -> tuple[Account, ApiKey]:
        name = request.headers.get("x-bm-key", "")
        if not name:
            raise Refusal(30001, "Header X-BM-KEY is empty", http=401)
        found = self._accounts.by_key(name)
        if found is None:
            raise Refusal(30002, "Header X-BM-KEY not found", http=401)
        account, key = found
        if key.frozen:
            raise Refusal(30003, "Header X-BM-KEY has frozen", http=401)
        if key.expires_ms is not None and self._clock.now_ms() >= key.expires_ms:
            raise Refusal(30011, "Header X-BM-KEY has expired", http=403)
        if key.ips and request.address not in key.ips:
            raise Refusal(30010, "IP forbidden", http=403)
        return account, key

    def _spend(self, route: Route, request: Request, key: ApiKey | None, headers: dict[str, str]) -> None:
        by = "ip" if route.limit is None else route.limit.by
        callers = {"ip": request.address}
        if key is not None:
            callers |= {"key": key.key, "uid": key.account_id}
        caller = callers[by]
        now = self._clock.steady_ms()
        counted, allowed = self.quotas.spend(route, f"{by}:{caller}", now)
        headers.update(counted)
        if not allowed:
            self.quotas.strike(request.address, now)
            raise Refusal(30013, "Request too many requests", http=429)

    def _check_time(self, route: Route, request: Request, params: Mapping[str, Json]) -> None:
        text = request.headers.get("x-bm-timestamp", "")
        if not text:
            raise Refusal(30006, "Header X-BM-TIMESTAMP is invalid", http=401)
        if not (text.isascii() and text.isdigit()):
            # One market calls this a missing timestamp, the other an invalid one.
            raise Refusal(
                30008 if request.path.startswith("/contract/") else 30006,
                "Header X-BM-TIMESTAMP invalid format",
                http=401,
            )
        if len(text) != 13:
            raise Refusal(30008, "Header X-BM-TIMESTAMP invalid format", http=401)
        stamp, now = int(text), self._clock.now_ms()
        if route.recv_window:
            window = _recv_window(params)
            good = 0 < window <= RECV_WINDOW_MAX_MS and stamp < now + AHEAD_MS and now - stamp <= window
        else:
            good = abs(now - stamp) <= TIMESTAMP_TOLERANCE_MS
        if not good:
            raise Refusal(
                30007,
                f"Header X-BM-TIMESTAMP must be within the accepted range, current server time is {now}",
                http=401,
            )

    def _check_signature(self, request: Request, key: ApiKey) -> None:
        given = request.headers.get("x-bm-sign", "")
        if not given:
            raise Refusal(30004, "Header X-BM-SIGN is empty", http=401)
        stamp = request.headers["x-bm-timestamp"]
        if request.method == "GET":
            # Sources differ on the text that a signed GET covers; all three spellings are in use.
            texts = ["", request.query, "?" + request.query]
        else:
            texts = [request.body.decode(errors="surrogateescape")]
        for text in texts:
            if hmac.compare_digest(
                signature(key.secret, stamp, key.memo, text).encode(), given.encode(errors="replace")
            ):
                return
        raise Refusal(30005, "Header X-BM-SIGN is wrong", http=401)


def _handled(route: Route, call: Call) -> Json:
    """Return the handler's answer; a refusal of the exchange gets the path's code."""
    try:
        return route.handler(call)
    except Refused as refused:
        raise refusal_of(refused, route.path) from None


def _query(query: str) -> dict[str, Json]:
    return dict(parse_qsl(query, keep_blank_values=True))


def _body(request: Request) -> dict[str, Json]:
    futures = request.path.startswith("/contract/")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        if futures:
            raise Refusal(30018, "Invalid request body: content type is not JSON", http=503)
        code = 60031 if request.path.startswith("/account/") else 58001
        raise Refusal(code, "Content type not supported", http=415)
    try:
        members: Json = json.loads(
            request.body, parse_float=read_decimal, parse_int=read_integer, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        raise Refusal(30018, "Invalid request body: not JSON", http=503) from None
    if not isinstance(members, dict):
        raise Refusal(40011 if futures else 50000, "Bad Request: the body is not an object")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _recv_window(params: Mapping[str, Json]) -> int:
    value = params.get("recvWindow")
    if value is None or value == "":
        return RECV_WINDOW_MS
    try:
        return read_integer(str(value))
    except NumberError:
        return 0  # out of range: refused with the same code


def _message(path: str) -> str:
    if path.startswith(("/contract/", "/account/v1/transfer-contract")):
        return "Ok"
    return "success" if path.startswith(("/spot/quotation/", "/spot/v4/query/")) else "OK"


def _success(route: Route, data: Json, trace: str) -> Json:
    match route.envelope:
        case "standard":
            return {"message": _message(route.path), "code": 1000, "trace": trace, "data": data}
        case "affiliate":
            return {"code": "1000", "message": "OK", "success": True, "data": data, "requestId": trace, "trace": None}
        case "errno":
            return {"errno": "OK", "message": "Success", "data": data, "success": True}
        case "info":
            return {"code": 1000, "msg": "success", "data": data, "errorData": None, "success": True}
        case "bare":
            return data


def _refused(route: Route | None, path: str, refusal: Refusal, trace: str) -> dict[str, Json]:
    if route is not None and route.envelope == "affiliate":
        return {
            "code": str(refusal.code),
            "message": refusal.message,
            "success": False,
            "data": None,
            "requestId": trace,
        }
    if route is not None and route.envelope == "errno":
        return {"errno": "ERROR", "message": refusal.message, "code": refusal.code, "data": None, "success": False}
    if route is not None and route.envelope == "info":
        return {"code": refusal.code, "msg": refusal.message, "data": None, "errorData": None, "success": False}
    # The futures side writes msg in place of message for its two codes about paths.
    word = "msg" if refusal.code in (30000, 30030) and path.startswith("/contract/") else "message"
    return {word: refusal.message, "code": refusal.code, "trace": trace, "data": {}}
