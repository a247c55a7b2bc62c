"""Spell BitMart's REST API: headers, the signed text, and the envelopes of replies.

Sockets: ``sockets.py``. Codes: ``codes.py``.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any, Final, cast

from .._core import codec, endpoint
from .._core.dialect import Codes, Unwrapped
from .._core.endpoint import Auth
from .._core.quota import QuotaUse
from .._core.reply import Reply, ReplyReader
from .._core.request import WireRequest
from ..config import Config
from .codes import MEANINGS
from .hints import hint_for
from .rows import REGISTRY, Envelope

GOOD: Final = 1000
"""The code of a good reply, as number or text."""

KEY_HEADER: Final = "X-BM-KEY"
TIMESTAMP_HEADER: Final = "X-BM-TIMESTAMP"
SIGNATURE_HEADER: Final = "X-BM-SIGN"
BROKER_HEADER: Final = "X-BM-BROKER-ID"

_WHOLE: Final = re.compile("-?[0-9]{1,18}")

_COUNT: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_TIME: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
"""A time in milliseconds that a clock may be set by."""


def _text(members: Mapping[str, codec.Raw], *names: str) -> str:
    """Return the first of these members as text; "" for none, and for one that cannot be read."""
    for name in names:
        if name in members:
            try:
                value = codec.loads(bytes(members[name]))
            except codec.DecodeError:  # an unreadable message does not undo a good code
                return ""
            if value is not None:
                return value if isinstance(value, str) else str(value)
    return ""


def _code(members: Mapping[str, codec.Raw]) -> int | None:
    text = _text(members, "code").strip()
    return int(text) if _WHOLE.fullmatch(text) else None


def unwrap(envelope: Enum | None, body: bytes) -> Unwrapped:
    """Take a reply out of its envelope.

    Raises:
        codec.DecodeError: the body is not a JSON object, or lacks a code where one is required.
    """
    body = body.removeprefix(BOM_UTF8)
    if envelope is Envelope.AFFILIATE and body.lstrip()[:1] == b"[":
        return Unwrapped(True, GOOD, "", None, body)
    members = codec.members(body)
    code = _code(members)
    message = _text(members, "message", "msg")
    trace = _text(members, "trace", "requestId") or None
    data = bytes(members.get("data", b""))
    if code is None:
        if "errno" in members:
            good = _text(members, "errno") == "OK" and _text(members, "success") != "False"
            return Unwrapped(good, GOOD if good else 0, message, trace, data)
        if envelope is Envelope.AFFILIATE and "code" not in members:
            return Unwrapped(True, GOOD, "", None, body)
        raise codec.DecodeError("no code in the reply")
    if code == GOOD and envelope is Envelope.NESTED and not codec.is_null(data):
        inner = codec.members(data)
        inner_code = _code(inner)
        if inner_code not in (None, 0, GOOD):
            return Unwrapped(False, inner_code or 0, _text(inner, "msg", "message") or message, trace, b"")
        if "data" in inner:
            data = bytes(inner["data"])
    return Unwrapped(code == GOOD, code, message, trace, data)


def quota_use(headers: Mapping[str, str]) -> QuotaUse | None:
    """The quota headers, None when they are missing or make no sense. The one called Remaining means used."""
    if "x-bm-ratelimit-reset" not in headers:
        return None
    try:
        window = float(headers["x-bm-ratelimit-reset"])
    except ValueError:
        return None
    texts = [headers.get(f"x-bm-ratelimit-{name}", "").strip() for name in ("remaining", "limit")]
    if not all(map(_COUNT.fullmatch, texts)) or not 0 < window < 86_400:
        return None
    used, limit = map(int, texts)
    return QuotaUse(used, limit, window, headers.get("x-bm-ratelimit-mode")) if limit else None


class Rest:
    """BitMart's `RestDialect`, of both markets."""

    codes: Codes = MEANINGS
    rows: Collection[endpoint.Endpoint[Any]] = REGISTRY
    time_path: str = "/system/time"

    unwrap = staticmethod(unwrap)
    quota_use = staticmethod(quota_use)
    hint = staticmethod(hint_for)

    def server_time(self, data: object) -> int | None:
        """The milliseconds that the payload of `time_path` says; None if it says none."""
        value = cast("dict[str, object]", data).get("server_time") if isinstance(data, dict) else None
        return int(value) if isinstance(value, int | str) and _TIME.fullmatch(str(value)) else None

    def common_headers(self, config: Config) -> Mapping[str, str]:
        """The header of a broker, if one is configured."""
        return {} if config.broker_id is None else {BROKER_HEADER: config.broker_id}

    def string_to_sign(self, request: WireRequest, timestamp: int, memo: str) -> bytes:
        """Return the signed text of a call: time in milliseconds, memo and the exact body (empty for a GET)."""
        return b"%d#%s#%s" % (timestamp, memo.encode(), request.body)

    def headers(self, auth: Auth, key: str, timestamp: int, signature: str) -> Mapping[str, str]:
        """The headers that prove who calls; KEYED calls carry the key alone."""
        if auth is Auth.NONE:
            return {}
        if auth is Auth.KEYED:
            return {KEY_HEADER: key}
        return {KEY_HEADER: key, TIMESTAMP_HEADER: str(timestamp), SIGNATURE_HEADER: signature}


REST: Final = Rest()
READER: Final = ReplyReader(REST)


def extras(reply: Reply[Any]) -> dict[str, object]:
    """The fields of a reply that its models do not know, as ``{"[0].new_field": value}``; computed when asked for.

    Additional columns of array rows appear by index. ``Reply.raw`` has the exact bytes.
    """
    return READER.extras(reply)
