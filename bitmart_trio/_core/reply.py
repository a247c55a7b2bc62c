"""Status, headers and body to a `Reply`, or to the exception that fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar

import attrs

from ..errors import ApiError, MalformedReply, RateLimited, ServiceUnavailable
from ..models._model import Model
from . import codec, edge, tolerant
from .dialect import RestDialect, Unwrapped
from .endpoint import Endpoint
from .quota import QuotaUse
from .tolerant import Reading, Unreadable

T = TypeVar("T")

_EXCERPT: Final = 200


@attrs.frozen(repr=False)
class Reply(Model, Generic[T]):
    """A good answer, with everything that came with it."""

    data: T
    """The payload as a model."""
    trace: str | None
    """The exchange's request id, for support."""
    http_status: int
    headers: Mapping[str, str]
    """Lower-case names."""
    quota: QuotaUse | None
    """None when the reply said nothing of it."""
    raw: bytes
    """The exact body."""
    endpoint: Endpoint[T]
    deviations: Mapping[str, str | None] = attrs.field(factory=dict[str, "str | None"])
    """The absent members of `data`, by path without indices (``[].status``), each with the JSON found in place of the
    first; None where there was none. Empty for nearly every reply.
    """
    unreadable: tuple[Unreadable, ...] = ()
    """Elements of lists that were left out of `data`: array rows (a kline, a level) with an unreadable column."""

    def __repr__(self) -> str:
        return f"Reply({self.endpoint}, data={self.data!r}, trace={self.trace!r})"


@attrs.frozen
class RawReply(Model):
    """A good answer of a raw request: nothing but the envelope was looked at."""

    data: object
    """The payload as plain JSON values, fractions as Decimal."""
    trace: str | None
    http_status: int
    headers: Mapping[str, str]
    quota: QuotaUse | None
    raw: bytes = attrs.field(repr=False)


class ReplyReader:
    """Reads the replies of one venue.

    Args:
        dialect: the dialect of the venue.
    """

    def __init__(self, dialect: RestDialect) -> None:
        self._unwrap = dialect.unwrap
        self._quota_use = dialect.quota_use
        self._error_class = dialect.codes.error_class

    def parse(
        self, endpoint: Endpoint[T], status: int, headers: Mapping[str, str], body: bytes, *, strict: bool = False
    ) -> Reply[T]:
        """Read a typed reply.

        Args:
            endpoint: the endpoint that was called.
            status: the HTTP status.
            headers: the headers, with names in lower case.
            body: the body, whole and decompressed.
            strict: refuse a reply with any missing or unreadable member.

        Raises:
            ApiError: the exchange refused the call.
            MalformedReply: the reply does not match the API; `__cause__` has the path to what does not fit.
        """
        answer = self._answer(endpoint, str(endpoint), status, headers, body)
        try:
            data, reading = _payload(endpoint, answer, strict)
        except codec.DecodeError as error:
            raise MalformedReply(
                f"{endpoint} answered well but in an unknown shape: {error}",
                http_status=status,
                excerpt=body[:_EXCERPT],
            ) from error
        use = self._quota_use(headers)
        if reading is None:
            return Reply(data, answer.trace, status, headers, use, body, endpoint)
        unreadable = tuple(reading.unreadable)
        return Reply(data, answer.trace, status, headers, use, body, endpoint, reading.members, unreadable)

    def parse_raw(self, where: str, status: int, headers: Mapping[str, str], body: bytes) -> RawReply:
        """Read the reply to a raw request; raises like `parse`."""
        answer = self._answer(None, where, status, headers, body)
        try:
            data = codec.loads(answer.data) if not codec.is_null(answer.data) else None
        except codec.DecodeError as error:
            raise MalformedReply(
                f"{where} answered well but with data that cannot be read: {error}",
                http_status=status,
                excerpt=body[:_EXCERPT],
            ) from error
        return RawReply(data, answer.trace, status, headers, self._quota_use(headers), body)

    def extras(self, reply: Reply[Any]) -> dict[str, object]:
        """Return the fields of a reply that its models do not know, as ``{"[0].new_field": value}``."""
        data = _descend(reply.endpoint, self._unwrap(reply.endpoint.envelope, reply.raw).data)
        return {} if codec.is_null(data) else codec.unknown_fields(codec.loads(data), reply.endpoint.returns)

    def _answer(
        self, endpoint: Endpoint[Any] | None, where: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> Unwrapped:
        try:
            answer = self._unwrap(None if endpoint is None else endpoint.envelope, body)
        except codec.DecodeError as error:
            if status >= 300 or edge.is_page(body):
                raise self._not_the_api(where, status, headers, body) from error
            what = "an empty body" if not body.strip() else f"what is not a reply of the API ({error})"
            raise MalformedReply(
                f"{where} answered HTTP {status} with {what}", http_status=status, excerpt=body[:_EXCERPT]
            ) from error
        if answer.ok and status < 300:
            return answer
        # A gateway that answers with a success code and an HTTP status of its own did not succeed.
        message = f"HTTP {status} with the code of a good reply" if answer.ok else answer.message
        refusal = self._error_class(answer.code, answer.message, status)(
            message, code=answer.code, trace=answer.trace, http_status=status, endpoint=where
        )
        raise self._with_retry_after(refusal, headers)

    def _not_the_api(self, where: str, status: int, headers: Mapping[str, str], body: bytes) -> ApiError:
        hint = "It comes from the network in front of the exchange, not from the API"
        if status == 403 and edge.USER_AGENT_REFUSED in body:
            hint += "; error 1010 means that the user agent was refused (Config.user_agent)"
        if 300 <= status < 400:
            hint += "; redirects are not followed"
        title = edge.title(body)
        what = f'with the page "{title}"' if title else "without a body"
        kind = self._error_class(0, "", status)
        if not issubclass(kind, RateLimited):
            kind = ServiceUnavailable
        error = kind(f"HTTP {status} {what}", http_status=status, endpoint=where, hint=hint)
        return self._with_retry_after(error, headers)

    def _with_retry_after(self, error: ApiError, headers: Mapping[str, str]) -> ApiError:
        asked = edge.retry_after(headers)
        if isinstance(error, RateLimited):
            use = self._quota_use(headers)
            error.retry_after = max(use.window if use is not None else 1.0, asked or 0.0)
            error.hint = f"Wait {error.retry_after:g} s"
        elif isinstance(error, ServiceUnavailable):
            error.retry_after = asked
        return error


def _descend(endpoint: Endpoint[Any], data: bytes) -> bytes:
    """Return the payload below ``data``: b"" where it is missing, b"null" where it is null at any level."""
    for name in endpoint.at:
        if codec.is_null(data):
            break
        data = bytes(codec.members(data).get(name, b""))
    return data


def _payload(endpoint: Endpoint[T], answer: Unwrapped, strict: bool) -> tuple[T, Reading | None]:
    returns: Any = endpoint.returns
    data = _descend(endpoint, answer.data)
    if codec.is_null(data):
        if getattr(returns, "__origin__", None) is not list:
            data = b"{}"  # a model without members
        elif codec.is_missing(data):
            # "This service is down" came with code 1000 and data {} (2021-07): a missing payload is not an empty one.
            raise codec.DecodeError(f"no list at {'.'.join(('data', *endpoint.at))}")
        else:
            data = b"[]"
    if strict:
        return codec.decoder(endpoint.returns)(data), None
    return tolerant.read(endpoint.returns, data, str(endpoint))
