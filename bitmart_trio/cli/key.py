"""Implement ``bitmart-trio key``: store an API key in the desktop's keyring, or remove it. Input is not shown."""

from __future__ import annotations

import getpass
import json
import sys
import tomllib
from contextlib import suppress
from pathlib import Path

from ..credentials import DEFAULT_CREDENTIALS_FILE, Credentials, Secret
from ..errors import ConfigurationError, MissingCredentials
from ..history.archive import Folder
from . import _keyring
from ._run import Failure, Refusal


def set_key(profile: str) -> None:
    """Ask for key, secret and memo, and store them.

    Raises:
        Refusal: standard input is not a terminal.
    """
    _keyring.need()
    if not sys.stdin.isatty():
        raise Refusal("key, secret and memo must be typed at a terminal")
    typed = [Secret(getpass.getpass(f"{name}: ").strip()) for name in ("API key", "Secret", "Memo")]
    if not all(text.reveal() for text in typed):
        raise Refusal("nothing was stored: key, secret and memo are all needed")
    _keyring.store(profile, *typed)
    print(f"stored; use it with --profile {profile}")


def forget_key(profile: str) -> None:
    """Remove a key from the credentials file, else from the keyring.

    Raises:
        Failure: there is no key of that name.
    """
    if _forget_in_file(profile):
        print(f"forgotten: {profile} in {DEFAULT_CREDENTIALS_FILE}")
    else:
        _keyring.forget(profile)
        print(f"forgotten: {profile}")


def find(profile: str) -> Credentials | None:
    """Return a stored key by its name, from the keyring or the credentials file; None if there is none."""
    found = _keyring.load(profile)
    if found is not None:
        return found
    try:
        return Credentials.from_file(profile=profile)
    except MissingCredentials:
        return None


def keep(profile: str, api_key: Secret[str], api_secret: Secret[str], memo: Secret[str]) -> str:
    """Store a key in the desktop's keyring or, without one, in the credentials file, readable by its owner only.

    Returns:
        The place of the key, in words for the user.

    Raises:
        Failure: the file has a profile of that name, or cannot be written.
    """
    if _keyring.find() is not None:
        try:
            _keyring.store(profile, api_key, api_secret, memo)
        except Failure:
            pass  # no desktop, or a keyring that stores nothing: try the file
        else:
            return "the keyring of this computer"
    Credentials(api_key.reveal(), api_secret.reveal(), memo.reveal())  # refuses what could never work
    path = Path(DEFAULT_CREDENTIALS_FILE).expanduser()
    with Folder(path.parent, create=True) as folder:
        before = _document(folder, path)
        if profile in tomllib.loads(before.reveal()):
            raise Failure(f"{path} already has a profile {profile!r}; choose another name or remove it")
        members = {"api_key": api_key, "api_secret": api_secret, "memo": memo}
        table = Secret("".join(f"{name} = {_quoted(value.reveal())}\n" for name, value in members.items()))
        gap = "\n" if before.reveal() and not before.reveal().endswith("\n\n") else ""
        folder.write(path.name, f"{before.reveal()}{gap}[{_quoted(profile)}]\n{table.reveal()}".encode())
    return str(path)


def _quoted(text: str) -> str:
    """Return a JSON string, which is a TOML string too."""
    return json.dumps(text, ensure_ascii=False)


def _document(folder: Folder, path: Path) -> Secret[str]:
    """Read the credentials file; return blank if there is none."""
    data = Secret(folder.read(path.name))
    with suppress(ValueError):
        text = Secret((data.reveal() or b"").decode("utf-8-sig"))
        tomllib.loads(text.reveal())
        return text
    # Without the cause, which would quote the file and perhaps a secret.
    raise ConfigurationError(f"{path} is not a TOML file; nothing was written")


def _forget_in_file(profile: str) -> bool:
    """Remove a profile's table from the credentials file; return False if there is none."""
    path = Path(DEFAULT_CREDENTIALS_FILE).expanduser()
    if not path.exists():
        return False
    with Folder(path.parent) as folder:
        before = _document(folder, path)
        kept = Secret(_without(before.reveal(), (f"[{profile}]", f"[{_quoted(profile)}]")))
        found = kept.reveal() != before.reveal()
        if found:
            folder.write(path.name, kept.reveal().encode())
    return found


def _without(document: str, headers: tuple[str, str]) -> str:
    """Return a TOML document without the table that has one of these headers."""
    # One line after the other, and none in a variable, where a traceback would show its secret.
    inside = [False]

    def stays(line: Secret[str]) -> bool:
        if line.reveal().lstrip().startswith("["):
            inside[0] = line.reveal().strip() in headers
        return not inside[0]

    wrapped = Secret(document)
    del document
    return "".join(line for line in wrapped.reveal().splitlines(keepends=True) if stays(Secret(line)))
