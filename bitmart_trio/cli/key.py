"""``bitmart-trio key``: put an API key into the desktop's keyring, or take it out. Nothing that is typed is shown."""

from __future__ import annotations

import getpass
import sys

from ..credentials import Secret
from . import _keyring
from ._run import Refusal


def set_key(profile: str) -> None:
    """Ask for key, secret and memo, and store them.

    Raises:
        Refusal: there is nobody to ask.
    """
    _keyring.need()
    if not sys.stdin.isatty():
        raise Refusal("key, secret and memo are typed at a terminal")
    typed = [Secret(getpass.getpass(f"{name}: ").strip()) for name in ("API key", "Secret", "Memo")]
    if not all(text.reveal() for text in typed):
        raise Refusal("nothing was stored: all three are needed")
    _keyring.store(profile, *typed)
    print(f"stored; use it with --profile {profile}")


def forget_key(profile: str) -> None:
    """Remove the key."""
    _keyring.forget(profile)
    print(f"forgotten: {profile}")
