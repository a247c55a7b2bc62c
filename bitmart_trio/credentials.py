"""Hold an API key with its secret and memo, and a proxy's password, such that none of them is ever shown.

Only ``Credentials.from_file`` does IO: it reads one file.
"""

from __future__ import annotations

import hmac
import logging
import os
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Generic, NoReturn, TypeAlias, TypeVar, cast
from urllib.parse import unquote, urlsplit

from .errors import ConfigurationError, MissingCredentials
from .text import encodable

_log = logging.getLogger(__name__)

T = TypeVar("T")

Signer: TypeAlias = Callable[[bytes], "str | Awaitable[str]"]
"""Turns the bytes to sign into the hex signature; may be an async function (remote signers, hardware keys)."""

DEFAULT_CREDENTIALS_FILE: Final = Path("~/.bitmart/config.toml")
"""The file that `Credentials.from_file` reads by default."""


class Secret(Generic[T]):
    """A value that is never shown by accident: not by ``repr``, pickles, or tools that print a frame's variables.

    Our code keeps key, secret, memo, signature and the bytes that carry them in a `Secret` from the first line on, and
    reveals it only in the expression that needs it, so that no variable of any frame holds the plain value.
    """

    __slots__ = ("reveal",)

    reveal: Callable[[], T]
    """Return the plain value."""

    def __init__(self, value: T) -> None:
        # Not an attribute: tools that follow attributes, as error reports do, must not find it.
        self.reveal = lambda: value

    def __repr__(self) -> str:
        return "'***'"

    def __deepcopy__(self, memo: object) -> Secret[T]:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled: it would leave this process")


def _hmac_signer(secret: Secret[str]) -> Callable[[bytes], str]:
    # Only the prepared HMAC is kept: the secret cannot be read back, and each signature saves the key set-up.
    prepared = hmac.new(secret.reveal().encode(), digestmod="sha256")

    def sign(message: bytes) -> str:
        signature = prepared.copy()
        signature.update(message)
        return signature.hexdigest()

    return sign


_LONGEST: Final = 4_000


def _flaw(text: object) -> str:
    """Return what is wrong with a key, a secret or a memo; blank if nothing is."""
    if not isinstance(text, str):
        return f"must be text, not {type(text).__name__}: put it in quotes"
    if text != text.strip():
        return "has surrounding blanks"
    if len(text) > _LONGEST:
        return f"has more than {_LONGEST:,} characters"
    return "" if encodable(text) else "has characters that cannot be sent"


class Credentials:
    """An API key with, for signed calls and logins, its secret and memo.

    The key alone serves KEYED calls. The secret is turned into a prepared HMAC at once and cannot be read back.

    Args:
        api_key: sent with every private call.
        api_secret: signs requests; not needed if ``sign`` is given.
        memo: the label given when the key was made; part of the signed text, never sent.
        sign: replaces HMAC-SHA256: takes the bytes to sign, returns the hex signature, may be async.

    Raises:
        ConfigurationError: an argument is not text, or has surrounding blanks.
        MissingCredentials: the key is empty.
    """

    __slots__ = ("_api_key", "_memo", "_signer")

    def __init__(
        self, api_key: str, api_secret: str | None = None, memo: str | None = None, *, sign: Signer | None = None
    ) -> None:
        key, secret, label = Secret(api_key), Secret(api_secret), Secret(memo)
        del api_key, api_secret, memo  # an error raised below would show them
        self._api_key = Secret("")  # a half-made object can be shown, too
        for name, text in (("api_key", key), ("api_secret", secret), ("memo", label)):
            if text.reveal() is not None and (flaw := _flaw(text.reveal())):
                raise ConfigurationError(f"{name} {flaw}")
        if not key.reveal():
            raise MissingCredentials("api_key is empty")
        if not key.reveal().isascii() or not key.reveal().isprintable():
            raise ConfigurationError("api_key has characters that a header cannot carry")
        self._api_key = key
        self._memo = label
        self._signer: Signer | None = sign
        if sign is None and secret.reveal():
            self._signer = _hmac_signer(cast("Secret[str]", secret))

    @property
    def api_key(self) -> str:
        """Return the plain API key."""
        return self._api_key.reveal()

    @property
    def memo(self) -> str | None:
        """Return the label given when the key was made."""
        return self._memo.reveal()

    @property
    def shown(self) -> str:
        """Return the beginning of the key, enough to recognise it in messages."""
        return f"{self.api_key[:4] if len(self.api_key) > 8 else ''}***"

    @classmethod
    def from_env(cls, prefix: str = "BITMART_API_") -> Credentials:
        """Read ``BITMART_API_KEY``, ``BITMART_API_SECRET`` and ``BITMART_API_MEMO``.

        Raises:
            MissingCredentials: no key is set.
            ConfigurationError: see `Credentials`.
        """
        if not os.environ.get(f"{prefix}KEY"):
            raise MissingCredentials(f"{prefix}KEY is not set")
        return cls(
            os.environ[f"{prefix}KEY"],
            os.environ.get(f"{prefix}SECRET") or None,
            os.environ.get(f"{prefix}MEMO") or None,
        )

    @classmethod
    def from_file(
        cls, path: str | os.PathLike[str] = DEFAULT_CREDENTIALS_FILE, profile: str = "default"
    ) -> Credentials:
        """Read ``api_key``, ``api_secret`` and ``memo`` from the table ``[profile]`` of a TOML file.

        Raises:
            MissingCredentials: the file, the profile or its key is missing.
            ConfigurationError: the file is not TOML, a value is not quoted text, or others may write to the file. If
                others may read it, a warning is logged.
        """
        file = Path(path).expanduser()
        table = _read_profile(file, profile)
        if table.reveal().get("api_key") is None:
            raise MissingCredentials(f"{file} has no api_key in [{profile}]")
        try:
            return cls(*(cast("str", table.reveal().get(name)) for name in ("api_key", "api_secret", "memo")))
        except ConfigurationError as error:
            raise type(error)(f"{file}, [{profile}]: {error}") from None

    @property
    def can_sign(self) -> bool:
        """Return True if signed calls and logins are possible."""
        return self._signer is not None and self._memo.reveal() is not None

    def require_signing(self, what: str) -> None:
        """Raise `MissingCredentials` unless signed calls are possible."""
        if not self.can_sign:
            absent = (("api_secret", self._signer is None), ("memo", self._memo.reveal() is None))
            missing = [name for name, is_absent in absent if is_absent]
            raise MissingCredentials(f"{what} is signed and needs {' and '.join(missing)}")

    def signature(self, message: bytes) -> str | Awaitable[str]:
        """Return the signature of exactly these bytes; awaitable if the signer is async."""
        wrapped = Secret(message)  # the message holds the memo, and a user's signer may raise
        del message
        if self._signer is None:
            raise MissingCredentials("signing needs api_secret")
        return self._signer(wrapped.reveal())

    def __repr__(self) -> str:
        return f"Credentials({self.shown})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials cannot be pickled: the secret would leave this process")


def _read_profile(file: Path, profile: str) -> Secret[Mapping[str, object]]:
    """Read a table of a credentials file; return it empty if it is missing."""
    import tomllib  # most programs never read a file

    refused: ConfigurationError | None = None
    document: Secret[dict[str, object]] = Secret({})
    try:
        with file.open("rb") as opened:
            _check_permissions(file, os.fstat(opened.fileno()).st_mode)
            document = Secret(tomllib.loads(opened.read().decode("utf-8-sig")))
    except FileNotFoundError:
        refused = MissingCredentials(f"there is no credentials file {file}")
    except OSError as error:
        refused = ConfigurationError(f"{file} cannot be read: {error.strerror}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        refused = ConfigurationError(f"{file} is not a TOML file")
    if refused is not None:
        raise refused  # here, without the cause, which would quote the file and perhaps a secret
    found = Secret(document.reveal().get(profile))
    return Secret(cast("dict[str, object]", found.reveal()) if isinstance(found.reveal(), dict) else {})


def _check_permissions(file: Path, mode: int) -> None:
    """Refuse a file that others may write to; warn if others may read it."""
    if os.name != "posix":
        return  # there the mode says nothing about other users
    if mode & 0o022:
        raise ConfigurationError(f"other users may write to {file}; run: chmod 600 {file}")
    if mode & 0o044:
        _log.warning("other users of this machine may read %s; run: chmod 600 %s", file, file)


class Proxy:
    """An HTTP proxy that serves CONNECT. Its user and password are never shown.

    Args:
        url: ``http://[user:password@]host:port``.
    """

    __slots__ = ("_authorization", "host", "port", "usable")

    def __init__(self, url: str) -> None:
        wrapped = Secret(url)
        del url
        self.host: str = ""
        self.port: int = 80
        self.usable: bool = False
        """True if the URL was valid; if not, the other attributes are blank."""
        self._authorization: Secret[str] | None = None
        with suppress(ValueError):
            parts = Secret(urlsplit(wrapped.reveal()))
            self.host = parts.reveal().hostname or ""
            self.port = parts.reveal().port or 80
            self.host.encode("idna")  # as the look-up of its address will do; raises for an invalid name
            if parts.reveal().username is not None:
                user = Secret(f"{unquote(parts.reveal().username or '')}:{unquote(parts.reveal().password or '')}")
                self._authorization = Secret(f"Basic {b64encode(user.reveal().encode()).decode()}")
            self.usable = parts.reveal().scheme == "http" and bool(self.host)

    def authorization(self) -> str | None:
        """Return the value of ``Proxy-Authorization``; None if no user is named."""
        return None if self._authorization is None else self._authorization.reveal()

    def __repr__(self) -> str:
        return f"Proxy('http://{'***@' if self._authorization is not None else ''}{self.host}:{self.port}')"
