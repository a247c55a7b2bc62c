"""Keep API keys in the desktop's keyring (extra ``keyring``): ``key set`` stores them, ``--profile`` uses them."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Final, Literal, Protocol, TypeVar, cast

from ..credentials import Credentials, Secret
from ..errors import MissingCredentials
from ._run import Failure

T = TypeVar("T")

SERVICE: Final = "bitmart-trio"
"""The service name of the keyring's entries; the profile is the user name."""


class Keyring(Protocol):
    """The interface of the module ``keyring``."""

    def get_password(self, service_name: str, username: str, /) -> str | None:
        """Read a secret of the keyring."""
        ...

    def set_password(self, service_name: str, username: str, password: str, /) -> None:
        """Store a secret in the keyring."""
        ...

    def delete_password(self, service_name: str, username: str, /) -> None:
        """Remove a secret from the keyring."""
        ...


def find() -> Keyring | None:
    """Return the module ``keyring``; None if it is not installed."""
    try:
        return cast("Keyring", import_module("keyring"))
    except ModuleNotFoundError as missing:
        if missing.name != "keyring":
            raise
        return None


def need() -> Keyring:
    """Return the module ``keyring``.

    Raises:
        Failure: the module is not installed.
    """
    found = find()
    if found is None:
        raise Failure("the keyring needs an extra: pip install 'bitmart-trio[keyring]'")
    return found


def load(profile: str) -> Credentials | None:
    """Read a profile's credentials; return None if the keyring has none, is not installed or cannot be reached."""
    ring = find()
    if ring is None:
        return None
    text = Secret(_guarded(lambda: ring.get_password(SERVICE, profile), profile, absent=None))
    if text.reveal() is None:
        return None
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        entry = Secret(json.loads(text.reveal() or ""))
        return Credentials(*(entry.reveal()[name] for name in ("api_key", "api_secret", "memo")))
    # Without the cause, which would quote the secret text.
    raise MissingCredentials(f"the keyring's entry {profile!r} was not stored by this program")


def store(profile: str, api_key: Secret[str], api_secret: Secret[str], memo: Secret[str]) -> None:
    """Store the credentials of a profile in the keyring, replacing older ones.

    Raises:
        Failure: the credentials were not stored: some keyrings store nothing without an error.
    """
    Credentials(api_key.reveal(), api_secret.reveal(), memo.reveal())  # refuses credentials that could never work
    ring = need()
    entry = {"api_key": api_key, "api_secret": api_secret, "memo": memo}
    text = Secret(json.dumps({name: value.reveal() for name, value in entry.items()}))
    _guarded(lambda: ring.set_password(SERVICE, profile, text.reveal()), profile)
    if _guarded(lambda: ring.get_password(SERVICE, profile) == text.reveal(), profile) is not True:
        raise Failure(f"the keyring did not store {profile!r}: check that a keyring service runs on this machine")


def forget(profile: str) -> None:
    """Remove a profile from the keyring.

    Raises:
        Failure: the keyring has no profile of that name.
    """
    ring = need()
    if _guarded(lambda: ring.get_password(SERVICE, profile), profile) is None:
        raise Failure(f"the keyring has no profile {profile!r}")
    _guarded(lambda: ring.delete_password(SERVICE, profile), profile)


def _guarded(ask: Callable[[], T], profile: str, absent: T | Literal["refuse"] = "refuse") -> T:
    """Call the keyring; return ``absent`` if there is no desktop, as on servers and in containers."""
    try:
        return ask()
    except Exception as error:  # noqa: BLE001  # whatever the desktop's service raises
        if absent != "refuse" and type(error).__name__ == "NoKeyringError":
            return absent
        # From None: the error may hold the secret.
        raise Failure(f"the keyring does not give access to {profile!r} ({type(error).__name__})") from None
