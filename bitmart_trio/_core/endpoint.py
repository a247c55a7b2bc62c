"""Define an endpoint: one row with its verb, path, authority, quota, parameters and result.

A venue's rows stand right above the methods that use them. The dialect of the venue knows them all.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any, Final, Generic, Literal, TypeVar

import attrs

T = TypeVar("T")


class Auth(Enum):
    """The authentication that a call must carry."""

    NONE = "none"
    """Nothing."""
    KEYED = "keyed"
    """The key header."""
    SIGNED = "signed"
    """Key, timestamp and the signature of the body."""


@attrs.frozen
class Quota:
    """The calls that the exchange allows: ``count`` in ``per`` seconds, counted by address, key or account."""

    count: int
    per: float = attrs.field(default=2.0, kw_only=True)
    by: Literal["ip", "key", "uid"] = attrs.field(default="ip", kw_only=True)


DEFAULT_QUOTA: Final = Quota(10, per=1.0)
"""The quota where the documentation names no limit (its old general rule)."""


class Kind(Enum):
    """The kind of an argument, by which it is checked and spelled."""

    TEXT = "text"
    INT = "int"
    DECIMAL = "decimal"
    BOOL = "bool"
    MILLIS = "milliseconds"
    SECONDS = "seconds"
    TEXTS = "list of text"
    ENTRIES = "list of entries"


@attrs.frozen
class Param:
    """One parameter of an endpoint.

    Args:
        name: the Python keyword.
        kind: the kind of value; enumerations are TEXT or INT with ``choices``.
        required: True if the argument must be given.
        wire: the name on the wire, when it differs.
        choices: the enumeration that its values come from, or those of its members that may be sent.
        least, most: bounds of a number, or of a list's length.
        zero: 0 is allowed below ``least``, as "off".
        max_length, pattern: the limits of a text.
        number: True to send a JSON number in a body where the kind would travel as text (DECIMAL, TEXT ids).
        text: True to send text in a body where the kind would travel as a number (INT, times).
        entry: what each entry of an ENTRIES list may hold.
        positive: True if a decimal must be above 0.
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = attrs.field(default=False, kw_only=True)
    wire: str | None = attrs.field(default=None, kw_only=True)
    choices: type[Enum] | tuple[Enum, ...] | None = attrs.field(default=None, kw_only=True)
    least: int | Decimal | None = attrs.field(default=None, kw_only=True)
    most: int | Decimal | None = attrs.field(default=None, kw_only=True)
    zero: bool = attrs.field(default=False, kw_only=True)
    max_length: int | None = attrs.field(default=None, kw_only=True)
    pattern: str | None = attrs.field(default=None, kw_only=True)
    number: bool = attrs.field(default=False, kw_only=True)
    text: bool = attrs.field(default=False, kw_only=True)
    entry: Entry | None = attrs.field(default=None, kw_only=True)
    positive: bool = attrs.field(default=False, kw_only=True)

    @property
    def wire_name(self) -> str:
        """The name on the wire."""
        return self.wire or self.name


@attrs.frozen
class ExactlyOne:
    """Exactly one of these arguments."""

    names: tuple[str, ...]


@attrs.frozen
class AtLeastOne:
    """One or more of these arguments."""

    names: tuple[str, ...]


@attrs.frozen
class When:
    """While the named arguments have one of the listed wire values, some others are needed and some have no meaning.

    None in ``given`` stands for "left out".
    """

    given: tuple[tuple[str, tuple[str | int | None, ...]], ...]
    needs: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()


@attrs.frozen
class Ordered:
    """The first argument must be below the second, or equal where that is allowed (both times, in whatever form)."""

    first: str
    second: str
    or_equal: bool = attrs.field(default=False, kw_only=True)


Rule = ExactlyOne | AtLeastOne | When | Ordered


@attrs.frozen
class Entry:
    """The parameters of one entry of a batch, and which go together."""

    params: tuple[Param, ...]
    rules: tuple[Rule, ...] = ()


def _a_get_reads(endpoint: Endpoint[Any]) -> bool:
    # A plain function rather than attrs' decorator, which pyright does not take for a default.
    return endpoint.method == "GET"


@attrs.frozen(eq=False)
class Endpoint(Generic[T]):
    """One row of the API.

    Args:
        method, path: the method and path of the request.
        auth: the authentication that the request must carry.
        quota: None where none is documented (`DEFAULT_QUOTA` then applies).
        returns: the type of the payload.
        params: the parameters, in the order of the documentation.
        rules: which arguments go together.
        at: where the payload is below ``data``.
        envelope: how the reply is wrapped, where a venue has more than one way; its dialect knows the ways.
        reads: True if the call changes nothing; left out, a GET reads and a POST writes.
        urgent: True if the call may use the reserve kept for cancels and renewals.
        replaced_by: for retired endpoints, the method to use instead.
        environment: the only environment that has the endpoint; None for all.
    """

    method: Literal["GET", "POST"]
    path: str
    auth: Auth
    quota: Quota | None = None
    returns: type[T] = attrs.field(kw_only=True)
    params: tuple[Param, ...] = attrs.field(default=(), kw_only=True)
    rules: tuple[Rule, ...] = attrs.field(default=(), kw_only=True)
    at: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    envelope: Enum | None = attrs.field(default=None, kw_only=True)
    reads: bool = attrs.field(default=attrs.Factory(_a_get_reads, takes_self=True), kw_only=True)
    urgent: bool = attrs.field(default=False, kw_only=True)
    replaced_by: str | None = attrs.field(default=None, kw_only=True)
    environment: str | None = attrs.field(default=None, kw_only=True)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
