"""API keys in the desktop's keyring (extra ``keyring``): stored by ``bitmart-trio key set``, used by ``--profile``."""

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
"""What the keyring files them under; the profile is the user's name."""


class Keyring(Protocol):
    """What the module ``keyring`` offers."""

    def get_password(self, service_name: str, username: str, /) -> str | None:
        """Read a secret."""
        ...

    def set_password(self, service_name: str, username: str, password: str, /) -> None:
        """Store a secret."""
        ...

    def delete_password(self, service_name: str, username: str, /) -> None:
        """Remove a secret."""
        ...


def find() -> Keyring | None:
    """The module, None when it is not installed."""
    try:
        return cast("Keyring", import_module("keyring"))
    except ModuleNotFoundError as missing:
        if missing.name != "keyring":
            raise
        return None


def need() -> Keyring:
    """The module.

    Raises:
        Failure: it is not installed.
    """
    found = find()
    if found is None:
        raise Failure("the keyring needs its extra: pip install 'bitmart-trio[keyring]'")
    return found


def load(profile: str) -> Credentials | None:
    """The credentials of a profile, None when the keyring has none, is not installed, or has no desktop to ask."""
    ring = find()
    if ring is None:
        return None
    text = Secret(_guarded(lambda: ring.get_password(SERVICE, profile), profile, absent=None))
    if text.reveal() is None:
        return None
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        entry = Secret(json.loads(text.reveal() or ""))
        return Credentials(*(entry.reveal()[name] for name in ("api_key", "api_secret", "memo")))
    # Without the cause, which would quote the text.
    raise MissingCredentials(f"the keyring's entry {profile!r} was not stored by this program")


def store(profile: str, api_key: Secret[str], api_secret: Secret[str], memo: Secret[str]) -> None:
    """Put the credentials of a profile into the keyring, in place of those that are there.

    Raises:
        Failure: it was not stored: some keyrings store nothing and say nothing.
    """
    Credentials(api_key.reveal(), api_secret.reveal(), memo.reveal())  # refuses what could never work
    ring = need()
    entry = {"api_key": api_key, "api_secret": api_secret, "memo": memo}
    text = Secret(json.dumps({name: value.reveal() for name, value in entry.items()}))
    _guarded(lambda: ring.set_password(SERVICE, profile, text.reveal()), profile)
    if _guarded(lambda: ring.get_password(SERVICE, profile) == text.reveal(), profile) is not True:
        raise Failure(f"the keyring did not keep {profile!r}: is there a keyring service on this machine?")


def forget(profile: str) -> None:
    """Remove a profile from the keyring.

    Raises:
        Failure: there is none of that name.
    """
    ring = need()
    if _guarded(lambda: ring.get_password(SERVICE, profile), profile) is None:
        raise Failure(f"the keyring has no profile {profile!r}")
    _guarded(lambda: ring.delete_password(SERVICE, profile), profile)


def _guarded(ask: Callable[[], T], profile: str, absent: T | Literal["refuse"] = "refuse") -> T:
    """Ask the keyring; ``absent`` is the answer where there is no desktop, as on servers and in containers."""
    try:
        return ask()
    except Exception as error:  # noqa: BLE001  # whatever the desktop's service raises
        if absent != "refuse" and type(error).__name__ == "NoKeyringError":
            return absent
        # From None: nobody knows what else such an error holds.
        raise Failure(f"the keyring does not give access to {profile!r} ({type(error).__name__})") from None
