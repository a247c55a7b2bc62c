"""How BitMart spells things: REST headers, the text that is signed, and the envelopes of replies.

Another venue would replace this file, the rows and the models; the rest of ``_core`` and ``_io`` would stay. (Sockets
have their spelling in
``socket_dialect.py``.)
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from typing import Final

import attrs

from . import codec
from .endpoint import Auth, Envelope

GOOD: Final = 1000
"""The code of a good reply, as number or text."""

KEY_HEADER: Final = "X-BM-KEY"
TIMESTAMP_HEADER: Final = "X-BM-TIMESTAMP"
SIGNATURE_HEADER: Final = "X-BM-SIGN"
BROKER_HEADER: Final = "X-BM-BROKER-ID"

_WHOLE: Final = re.compile("-?[0-9]{1,18}")

SERVER_TIME: Final = "/system/time"


def string_to_sign(timestamp: int, memo: str, body: bytes) -> bytes:
    """What the signature of a REST call covers: time in milliseconds, memo and the exact body (empty for a GET)."""
    return b"%d#%s#%s" % (timestamp, memo.encode(), body)


def headers(auth: Auth, key: str | None, timestamp: int, signature: str) -> dict[str, str]:
    """The headers that prove who calls; KEYED calls carry the key alone."""
    if auth is Auth.NONE or key is None:
        return {}
    if auth is Auth.KEYED:
        return {KEY_HEADER: key}
    return {KEY_HEADER: key, TIMESTAMP_HEADER: str(timestamp), SIGNATURE_HEADER: signature}


@attrs.frozen
class Unwrapped:
    """A reply out of its envelope."""

    ok: bool
    code: int
    """0 when there is none."""
    message: str
    trace: str | None
    data: bytes
    """The payload as JSON, b"" when it is missing."""


def _text(members: Mapping[str, codec.Raw], *names: str) -> str:
    """Return the first of these members as text; "" for none, and for one that cannot be read."""
    for name in names:
        if name in members:
            try:
                value = codec.loads(bytes(members[name]))
            except codec.DecodeError:  # odd words beside a good code do not undo it
                return ""
            if value is not None:
                return value if isinstance(value, str) else str(value)
    return ""


def _code(members: Mapping[str, codec.Raw]) -> int | None:
    text = _text(members, "code").strip()
    return int(text) if _WHOLE.fullmatch(text) else None


def unwrap(envelope: Envelope, body: bytes) -> Unwrapped:
    """Take a reply out of its envelope.

    Raises:
        codec.DecodeError: not a JSON object, or none with a code where one must be.
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
