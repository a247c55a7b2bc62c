"""Who calls: an API key with its secret and memo, a proxy's password, and how none of them is ever shown.

Nothing here does IO but ``Credentials.from_file``, which reads one file.
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
"""Where `Credentials.from_file` looks."""


class Secret(Generic[T]):
    """A value that shows itself to nobody by accident: not to ``repr``, pickles, or whoever prints a frame's variables.

    Code of ours keeps key, secret, memo, signature and the bytes that carry them in one of these from the first line on
    and reveals it only inside the expression that needs it, so that no variable of any frame holds the plain value.
    """

    __slots__ = ("reveal",)

    reveal: Callable[[], T]
    """Gives the value."""

    def __init__(self, value: T) -> None:
        # Not an attribute: what follows attributes, as reports of errors do, does not find it.
        self.reveal = lambda: value

    def __repr__(self) -> str:
        return "'***'"

    def __deepcopy__(self, memo: object) -> Secret[T]:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled: it would leave this process")


def _hmac_signer(secret: Secret[str]) -> Callable[[bytes], str]:
    # The prepared HMAC is all that is kept: the secret itself cannot be read back, and each signature saves the key
    # set-up.
    prepared = hmac.new(secret.reveal().encode(), digestmod="sha256")

    def sign(message: bytes) -> str:
        signature = prepared.copy()
        signature.update(message)
        return signature.hexdigest()

    return sign


_LONGEST: Final = 4_000


def _flaw(text: object) -> str:
    """What is wrong with a key, a secret or a memo; blank for nothing."""
    if not isinstance(text, str):
        return f"must be text, not {type(text).__name__}: put it in quotes"
    if text != text.strip():
        return "has blanks around it"
    if len(text) > _LONGEST:
        return f"has more than {_LONGEST:,} characters"
    return "" if encodable(text) else "has characters that cannot be sent"


class Credentials:
    """An API key, and for signed calls and logins its secret and memo.

    The key alone serves KEYED calls. The secret is turned into a prepared HMAC at once and cannot be read back.

    Args:
        api_key: sent with every private call.
        api_secret: signs; not needed when ``sign`` is given.
        memo: the label typed in when the key was made; part of what is signed, never sent.
        sign: replaces the HMAC-SHA256: gets the bytes to sign, returns the hex signature, may be async.

    Raises:
        ConfigurationError: one of them is no text, or has blanks around it.
        MissingCredentials: the key is empty.
    """

    __slots__ = ("_api_key", "_memo", "_signer")

    def __init__(
        self, api_key: str, api_secret: str | None = None, memo: str | None = None, *, sign: Signer | None = None
    ) -> None:
        key, secret, label = Secret(api_key), Secret(api_secret), Secret(memo)
        del api_key, api_secret, memo  # what raises below would show them
        self._api_key = Secret("")  # a half-made one can be shown, too
        for name, text in (("api_key", key), ("api_secret", secret), ("memo", label)):
            if text.reveal() is not None and (flaw := _flaw(text.reveal())):
                raise ConfigurationError(f"{name} {flaw}")
        if not key.reveal():
            raise MissingCredentials("api_key is empty")
        if not key.reveal().isascii() or not key.reveal().isprintable():
            raise ConfigurationError("api_key has characters that no header can carry")
        self._api_key = key
        self._memo = label
        self._signer: Signer | None = sign
        if sign is None and secret.reveal():
            self._signer = _hmac_signer(cast("Secret[str]", secret))

    @property
    def api_key(self) -> str:
        """The key."""
        return self._api_key.reveal()

    @property
    def memo(self) -> str | None:
        """The label typed in when the key was made."""
        return self._memo.reveal()

    @property
    def shown(self) -> str:
        """As much of the key as tells it from others of the same person, for messages."""
        return f"{self.api_key[:4] if len(self.api_key) > 8 else ''}***"

    @classmethod
    def from_env(cls, prefix: str = "BITMART_API_") -> Credentials:
        """Read ``BITMART_API_KEY``, ``BITMART_API_SECRET`` and ``BITMART_API_MEMO``.

        Raises:
            MissingCredentials: no key is set.
            ConfigurationError: as of `Credentials`.
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
            MissingCredentials: no such file, profile or key.
            ConfigurationError: the file is not TOML, a value is not text in quotes, or others may write to the file.
                That others may read it is logged as a warning.
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
        """Whether signed calls and logins are possible."""
        return self._signer is not None and self._memo.reveal() is not None

    def require_signing(self, what: str) -> None:
        """Raise `MissingCredentials` unless signed calls are possible."""
        if not self.can_sign:
            absent = (("api_secret", self._signer is None), ("memo", self._memo.reveal() is None))
            missing = [name for name, is_absent in absent if is_absent]
            raise MissingCredentials(f"{what} is signed and needs {' and '.join(missing)}")

    def signature(self, message: bytes) -> str | Awaitable[str]:
        """The signature of exactly these bytes; awaitable when the signer is async."""
        wrapped = Secret(message)  # it holds the memo, and a signer of the user's may raise
        del message
        if self._signer is None:
            raise MissingCredentials("signing needs api_secret")
        return self._signer(wrapped.reveal())

    def __repr__(self) -> str:
        return f"Credentials({self.shown})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled: the secret would leave this process")


def _read_profile(file: Path, profile: str) -> Secret[Mapping[str, object]]:
    """A table of a credentials file; empty when it is not there."""
    import tomllib  # most programs never read one

    refused: ConfigurationError | None = None
    document: Secret[dict[str, object]] = Secret({})
    try:
        with file.open("rb") as opened:
            _check_permissions(file, os.fstat(opened.fileno()).st_mode)
            document = Secret(tomllib.loads(opened.read().decode("utf-8-sig")))
    except FileNotFoundError:
        refused = MissingCredentials(f"no credentials file {file}")
    except OSError as error:
        refused = ConfigurationError(f"{file} cannot be read: {error.strerror}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        refused = ConfigurationError(f"{file} is not a TOML file")
    if refused is not None:
        raise refused  # here, without the cause: that would quote the file, and with it perhaps the secret
    found = Secret(document.reveal().get(profile))
    return Secret(cast("dict[str, object]", found.reveal()) if isinstance(found.reveal(), dict) else {})


def _check_permissions(file: Path, mode: int) -> None:
    """Refuse a file that others may write to; say so when others may read it."""
    if os.name != "posix":
        return  # a mode says nothing about who else may there
    if mode & 0o022:
        raise ConfigurationError(f"others may write to {file}; run: chmod 600 {file}")
    if mode & 0o044:
        _log.warning("others on this machine may read %s; run: chmod 600 %s", file, file)


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
        """Whether it was such a URL; the rest is blank if not."""
        self._authorization: Secret[str] | None = None
        with suppress(ValueError):
            parts = Secret(urlsplit(wrapped.reveal()))
            self.host = parts.reveal().hostname or ""
            self.port = parts.reveal().port or 80
            self.host.encode("idna")  # as the look-up of its address will; it raises for a name that is none
            if parts.reveal().username is not None:
                user = Secret(f"{unquote(parts.reveal().username or '')}:{unquote(parts.reveal().password or '')}")
                self._authorization = Secret(f"Basic {b64encode(user.reveal().encode()).decode()}")
            self.usable = parts.reveal().scheme == "http" and bool(self.host)

    def authorization(self) -> str | None:
        """The value of ``Proxy-Authorization``; None where no user is named."""
        return None if self._authorization is None else self._authorization.reveal()

    def __repr__(self) -> str:
        return f"Proxy('http://{'***@' if self._authorization is not None else ''}{self.host}:{self.port}')"
