"""Identify the library and its user to the exchange."""

from __future__ import annotations

from inspect import isawaitable
from typing import Any

from ..config import USER_AGENT, Config
from ..credentials import Credentials, Secret


def user_agent(config: Config) -> str:
    """The User-Agent of REST and sockets.

    The network in front of an exchange may answer the default agents of HTTP libraries with 403, error 1010.
    """
    return config.user_agent or USER_AGENT


async def signed(credentials: Credentials, message: Secret[bytes]) -> Secret[str]:  # noqa: ASYNC910  # waits for an async signer only
    """Return the signature of a message, whichever kind of signer the credentials have."""
    signature: Secret[Any] = Secret(credentials.signature(message.reveal()))
    if isawaitable(signature.reveal()):
        signature = Secret(await signature.reveal())
    return signature  # noqa: ASYNC910  # a part of calls that wait for the network or the disk


def is_hex(signature: Secret[Any]) -> bool:
    """Return True if a signer returned a signature that a header and a login can carry.

    A user's signer may return anything.
    """
    text = signature.reveal()
    return isinstance(text, str) and text.isascii() and text.isalnum()
