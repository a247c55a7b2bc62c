"""What is signed and how, against the exchange's own worked examples (their secret is public and worthless)."""

from __future__ import annotations

import inspect

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from bitmart_trio._bitmart import sockets
from bitmart_trio._bitmart.rest import REST
from bitmart_trio._core.endpoint import Auth
from bitmart_trio._core.request import WireRequest
from bitmart_trio.credentials import Credentials
from bitmart_trio.errors import MissingCredentials

SECRET = "6c6c98544461bbe71db2bca4c6d7fd0021e0ba9efc215f9c6ad41852df9d9df9"
KEY = "80618e45710812162b04892c7ee5ead4a3cc3e56"
MEMO = "test001"


def _text_to_sign(timestamp: int, memo: str, body: bytes) -> bytes:
    return REST.string_to_sign(WireRequest("POST", "/any", body), timestamp, memo)


def _signature(credentials: Credentials, message: bytes) -> str:
    signature = credentials.signature(message)
    assert isinstance(signature, str)
    return signature


def test_the_worked_example_of_a_rest_call() -> None:
    """Time, memo and the exact body, joined by #; the same on both hosts."""
    body = b'{"symbol":"BTC_USDT","price":"8600","count":"100"}'
    message = _text_to_sign(1589793796145, MEMO, body)
    assert message == b"1589793796145#test001#" + body
    signature = _signature(Credentials(KEY, SECRET, MEMO), message)
    assert signature == "c31dc326bf87f38bfb49a3f8494961abfa291bd549d0d98d9578e87516cee46d"


def test_the_worked_example_of_a_socket_login() -> None:
    """The body's place is taken by a fixed text."""
    message = sockets.string_to_sign(1589267764859, MEMO)
    assert message == b"1589267764859#test001#bitmart.WebSocket"
    signature = _signature(Credentials(KEY, SECRET, MEMO), message)
    assert signature == "3ceeb7e1b8cb165a975e28a2e2dfaca4d30b358873c0351c1a071d8c83314556"


def test_headers_by_authority() -> None:
    """A KEYED call carries the key and nothing else; a public one nothing at all."""
    assert REST.headers(Auth.NONE, KEY, 1, "s") == {}
    assert REST.headers(Auth.KEYED, KEY, 1, "s") == {"X-BM-KEY": KEY}
    assert REST.headers(Auth.SIGNED, KEY, 1, "s") == {"X-BM-KEY": KEY, "X-BM-TIMESTAMP": "1", "X-BM-SIGN": "s"}


@given(st.lists(st.binary(), min_size=2, max_size=5))
def test_signing_keeps_nothing_from_one_message_to_the_next(messages: list[bytes]) -> None:
    """The prepared HMAC is copied, never used up."""
    credentials = Credentials(KEY, SECRET, MEMO)
    first = [_signature(credentials, message) for message in messages]
    assert first == [_signature(Credentials(KEY, SECRET, MEMO), message) for message in messages]
    assert first == [_signature(credentials, message) for message in messages]


@given(st.integers(0, 10**14), st.text(), st.text())
def test_the_signed_text_is_utf_8(timestamp: int, memo: str, body: str) -> None:
    """Whatever memo and body hold."""
    try:
        expected = f"{timestamp}#{memo}#{body}".encode()
    except UnicodeEncodeError:
        return
    assert _text_to_sign(timestamp, memo, body.encode()) == expected


async def test_a_signer_of_ones_own_replaces_the_secret() -> None:
    """It gets the bytes, and may be async."""
    seen: list[bytes] = []

    async def sign(message: bytes) -> str:
        seen.append(message)
        await trio.lowlevel.checkpoint()
        return "ab"

    credentials = Credentials(KEY, memo=MEMO, sign=sign)
    credentials.require_signing("a call")
    signature = credentials.signature(b"text")
    assert inspect.isawaitable(signature)
    assert await signature == "ab"
    assert seen == [b"text"]


@pytest.mark.parametrize(
    ("credentials", "missing"),
    [
        (Credentials(KEY), "api_secret and memo"),
        (Credentials(KEY, SECRET), "memo"),
        (Credentials(KEY, None, MEMO), "api_secret"),
    ],
)
def test_what_is_missing_is_named(credentials: Credentials, missing: str) -> None:
    """Key alone, no memo, no secret."""
    with pytest.raises(MissingCredentials, match=f"GET /x is signed and needs {missing}$"):
        credentials.require_signing("GET /x")
