"""``bitmart-trio key``: put an API key into the desktop's keyring, or take it out. Nothing that is typed is shown."""

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
    """Remove the key from the credentials file, else from the keyring.

    Raises:
        Failure: there is none of that name.
    """
    if _forget_in_file(profile):
        print(f"forgotten: {profile} in {DEFAULT_CREDENTIALS_FILE}")
    else:
        _keyring.forget(profile)
        print(f"forgotten: {profile}")


def find(profile: str) -> Credentials | None:
    """A stored key by its name, from the keyring or the credentials file; None for none."""
    found = _keyring.load(profile)
    if found is not None:
        return found
    try:
        return Credentials.from_file(profile=profile)
    except MissingCredentials:
        return None


def keep(profile: str, api_key: Secret[str], api_secret: Secret[str], memo: Secret[str]) -> str:
    """Store a key in the desktop's keyring; where there is none, in the credentials file, for its owner's eyes.

    Returns:
        Where it is, for a person.

    Raises:
        Failure: the file has a profile of that name, or cannot be written.
    """
    if _keyring.find() is not None:
        try:
            _keyring.store(profile, api_key, api_secret, memo)
        except Failure:
            pass  # no desktop, or one that keeps nothing: the file is next
        else:
            return "the keyring of this computer"
    Credentials(api_key.reveal(), api_secret.reveal(), memo.reveal())  # refuses what could never work
    path = Path(DEFAULT_CREDENTIALS_FILE).expanduser()
    with Folder(path.parent, create=True) as folder:
        before = _document(folder, path)
        if profile in tomllib.loads(before.reveal()):
            raise Failure(f"{path} has a profile {profile!r} already; choose another name or remove it")
        members = {"api_key": api_key, "api_secret": api_secret, "memo": memo}
        table = Secret("".join(f"{name} = {_quoted(value.reveal())}\n" for name, value in members.items()))
        gap = "\n" if before.reveal() and not before.reveal().endswith("\n\n") else ""
        folder.write(path.name, f"{before.reveal()}{gap}[{_quoted(profile)}]\n{table.reveal()}".encode())
    return str(path)


def _quoted(text: str) -> str:
    """A JSON string, which is a TOML string too."""
    return json.dumps(text, ensure_ascii=False)


def _document(folder: Folder, path: Path) -> Secret[str]:
    """The credentials file as it is; blank when there is none."""
    data = Secret(folder.read(path.name))
    with suppress(ValueError):
        text = Secret((data.reveal() or b"").decode("utf-8-sig"))
        tomllib.loads(text.reveal())
        return text
    # Without the cause, which would quote the file, and with it perhaps the secret.
    raise ConfigurationError(f"{path} is not a TOML file; nothing was written")


def _forget_in_file(profile: str) -> bool:
    """Remove a profile's table from the credentials file; False when there is none."""
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
    """A TOML document without the table that has one of these headers."""
    # One after the other, and no line in a variable: it would hold a secret.
    inside = [False]

    def stays(line: Secret[str]) -> bool:
        if line.reveal().lstrip().startswith("["):
            inside[0] = line.reveal().strip() in headers
        return not inside[0]

    wrapped = Secret(document)
    del document
    return "".join(line for line in wrapped.reveal().splitlines(keepends=True) if stays(Secret(line)))
