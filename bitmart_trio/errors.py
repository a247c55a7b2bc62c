"""Define every exception of the library, and the table that maps BitMart's codes to them.

The tree (a class exists only if callers handle it differently)::

    BitMartError
    |-- ConfigurationError           the configuration does not allow what was asked for
    |   `-- MissingCredentials       a private call without the key, secret or memo that it needs
    |-- InvalidRequest               a wrong argument, found before anything was sent (also a ValueError)
    |-- AbsentMember                 a member was read that the reply lacked (also an AttributeError)
    |-- TransportError               the network or the reply, not the exchange's decision
    |   |-- ConnectionLost           no connection, or it broke before anything was done
    |   |-- OutcomeUnknown           a write was cut off: look it up before you repeat it
    |   |-- MalformedReply           not what the API sends: cut-off JSON, no envelope, nothing that identifies it
    |   `-- ReplyTooLarge            more bytes than Config.max_reply_bytes
    |-- ApiError                     the exchange said no (code, message, trace, http_status, endpoint)
    |   |-- AuthenticationError      key unknown, frozen, expired, login refused
    |   |   `-- BadSignature         signature missing or wrong
    |   |-- ClockOutOfSync           timestamp refused; nothing was done
    |   |-- PermissionDenied         the key, account or country may not do this
    |   |-- RateLimited              too many requests (retry_after: seconds)
    |   |   `-- AddressBanned        the address is shut out for a while
    |   |-- ServiceUnavailable       down for now (retry_after), or a page of the network in front of the exchange
    |   |   `-- Maintenance          planned: system.status() says how long
    |   |-- ExchangeFault            the exchange failed inside; a write's outcome is unknown
    |   |-- EndpointRemoved          the path is retired
    |   |-- NotFound                 no such path or record
    |   |   |-- NoData               nothing to return
    |   |   `-- OrderNotFound        no such order
    |   |-- RequestRefused           a parameter the exchange does not accept
    |   |   |-- InvalidSymbol        unknown, delisted or paused market
    |   |   |-- InvalidOrder         size, price or value breaks a rule of the market
    |   |   `-- DuplicateRequest     an id that must be unique was used before
    |   |-- InsufficientBalance      not enough funds
    |   |-- OrderClosed              already filled or cancelled
    |   |-- TooManyOrders            the limit of waiting orders is reached
    |   |-- PositionRefused          position or margin state forbids it
    |   |-- MarginRefused            loans and margin accounts
    |   |-- FundingRefused           deposits, withdrawals and transfers
    |   `-- SubscriptionRefused      a topic was refused (topic: which one)
    |-- StreamError                  a subscription cannot go on as it was
    |   |-- StreamGap                messages were missed (gaps="raise")
    |   |-- BookNotLive              an order book was read while it was stale or syncing
    |   |-- AccountNotLive           an account view with a max_age was read while it was not live
    |   `-- SubscriberTooSlow        the buffer filled up (overflow="fail")
    `-- TradingError                 a trading session cannot do what was asked
        |-- OrderNotPlaced           the order is proven not to exist: never sent, or never arrived
        |-- OrderNotFilled           wait_filled: the order ended in another way
        |-- ExitUnconfirmed          a session was left and not everything is confirmed closed (report)
        |-- SwitchFailed             a dead man's switch could not be renewed
        `-- JournalError             the journal cannot be read or written
            `-- JournalLocked        another session writes to it

Misuse of the library's objects (using a closed one, receiving in two tasks at once) raises Trio's own
``ClosedResourceError`` and ``BusyResourceError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from .text import printable

_LONGEST: Final = 4_000
"""Characters of an error's message, at most; text of callers and peers may be of any length."""


def _bounded(text: str) -> str:
    """Return a message, without its middle if it is too long."""
    if len(text) <= _LONGEST:
        return text
    half = _LONGEST // 2 - 30
    return f"{text[:half]} ... ({len(text)} characters) ... {text[-half:]}"


def _shown(text: str) -> str:
    """Return a message that is safe to show in a log and a traceback."""
    return printable(_bounded(text), longest=None)


class BitMartError(Exception):
    """The root of all exceptions of this library.

    Its ``str()`` is one printable line: control characters in a peer's text are shown as escapes.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(_shown(message))


class ConfigurationError(BitMartError):
    """The configuration does not allow what was asked for, such as spot on the demo environment."""


class MissingCredentials(ConfigurationError):
    """A private call or stream lacks its credentials.

    It needs the key, or for signed calls key, secret and memo. Nothing was sent.
    """


class InvalidRequest(BitMartError, ValueError):
    """An argument is missing, contradicts another or breaks a documented bound. Nothing was sent.

    Attributes:
        argument: the wrong argument's name; None if several contradict each other.
    """

    def __init__(self, message: str, *, argument: str | None = None) -> None:
        super().__init__(message)
        self.argument = argument


class AbsentMember(BitMartError, AttributeError):
    """A member was read that the exchange omitted from a reply or push, or sent with an impossible value.

    The object's other members can be read. ``bm.absent(obj)`` lists what is absent, ``getattr(obj, name, other)``
    and ``hasattr(obj, name)`` work as for any missing attribute.

    Attributes:
        member: its Python name.
        model: the name of the object's class.
        source: its origin: ``"GET /path"`` or the channel; "" if not known.
        raw: the JSON that came in its place; None if nothing came.
    """

    def __init__(self, *, member: str, model: str, source: str = "", raw: str | None = None) -> None:
        where = f" in {source}" if source else ""
        what = "was left out" if raw is None else f"came as {raw[:60]}"
        super().__init__(f"{model}.{member} is absent: it {what}{where}")
        self.member = member
        self.model = model
        self.source = source
        self.raw = raw
        setattr(self, "name", member)  # noqa: B010  # type checkers do not agree on what AttributeError says it is

    def __reduce__(self) -> tuple[object, ...]:
        return _absent_member, (self.member, self.model, self.source, self.raw)


def _absent_member(member: str, model: str, source: str, raw: str | None) -> AbsentMember:
    return AbsentMember(member=member, model=model, source=source, raw=raw)


class TransportError(BitMartError):
    """The network failed, or the reply was unusable."""


class ConnectionLost(TransportError):
    """A connection could not be opened, or it broke.

    For a REST call, nothing was done, or it was a read. For a stream, this is its end.
    """


class OutcomeUnknown(TransportError):
    """A write was cut off after it may have reached the exchange. The library never repeats it.

    Attributes:
        endpoint: verb and path.
        client_order_id: the id by which to look the order up, if one was sent.
    """

    def __init__(self, message: str, *, endpoint: str, client_order_id: str | None = None) -> None:
        super().__init__(message)
        self.endpoint = endpoint
        self.client_order_id = client_order_id


class MalformedReply(TransportError):
    """The reply or frame does not have the API's form.

    Examples are truncated JSON, an empty body, no envelope, or a placed order without its id.

    Attributes:
        http_status: of the reply; None for a stream's frame.
        excerpt: the first bytes, for a bug report.
    """

    def __init__(self, message: str, *, http_status: int | None = None, excerpt: bytes = b"") -> None:
        super().__init__(message)
        self.http_status = http_status
        self.excerpt = excerpt


class ReplyTooLarge(TransportError):
    """A reply exceeds ``Config.max_reply_bytes``; reading stopped there and the connection was closed."""


class ApiError(BitMartError):
    """The exchange refused a request.

    Attributes:
        code: BitMart's code; 0 if only the HTTP status or a futures text says what happened.
        message: the exchange's text, without its middle if it is very long.
        trace: the exchange's request id, for support.
        http_status: of the reply; None on a socket.
        endpoint: verb and path, or the topic.
        hint: advice for the user; "" if there is none.
    """

    def __init__(
        self,
        message: str = "",
        *,
        code: int = 0,
        trace: str | None = None,
        http_status: int | None = None,
        endpoint: str | None = None,
        hint: str = "",
    ) -> None:
        self.code = code
        self.message: str = _bounded(message)
        self.trace: str | None = None if trace is None else _bounded(trace)
        self.http_status = http_status
        self.endpoint = endpoint
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        meaning = CODES[self.code].meaning if self.code in CODES else ""
        parts = [str(self.code)] if self.code else []
        parts += [part for part in (self.message, f"({meaning})" if meaning else "") if part]
        text = " ".join(parts) or "refused"
        where = [
            part
            for part in (
                self.endpoint,
                f"HTTP {self.http_status}" if self.http_status else None,
                f"trace {self.trace}" if self.trace else None,
            )
            if part
        ]
        place = f" [{', '.join(where)}]" if where else ""
        return _shown(text) + _shown(place) + (f". {_shown(self.hint)}" if self.hint else "")


class AuthenticationError(ApiError):
    """The key or login was refused. Retrying does not help."""


class BadSignature(AuthenticationError):
    """The signature is missing or does not match: wrong secret or memo, or bytes changed in transit."""


class ClockOutOfSync(ApiError):
    """The timestamp was refused, so nothing was done.

    The library has already corrected its clock and retried once.
    """


class PermissionDenied(ApiError):
    """The key, address, account or country may not do this."""


class RateLimited(ApiError):
    """The exchange refused a request because there were too many.

    Attributes:
        retry_after: seconds to wait, from the quota's window or a Retry-After of the network in front of the exchange
            (the API itself sends none).
    """

    retry_after: float = 1.0


class AddressBanned(RateLimited):
    """The address is banned for a while after exceeding the limits (30017, HTTP 418)."""


class ServiceUnavailable(ApiError):
    """The service is temporarily not available.

    Every page that does not come from the API raises this, whatever its status: a block, a challenge or a failure of
    the network in front of the exchange says nothing about the requested order or record.

    Attributes:
        retry_after: seconds to wait; None if the reply did not ask for it.
    """

    retry_after: float | None = None


class Maintenance(ServiceUnavailable):
    """The exchange is under maintenance; ``system.status()`` says for how long."""


class ExchangeFault(ApiError):
    """A fault occurred inside the exchange. The outcome of a write is unknown."""


class EndpointRemoved(ApiError):
    """The path has been retired."""


class NotFound(ApiError):
    """The path or record does not exist."""


class NoData(NotFound):
    """The exchange has nothing to return."""


class OrderNotFound(NotFound):
    """The order does not exist (after 20 minutes spot forgets orders that were cancelled unfilled)."""


class RequestRefused(ApiError):
    """A parameter is not accepted."""


class InvalidSymbol(RequestRefused):
    """The market is unknown, delisted, paused or closed to the API."""


class InvalidOrder(RequestRefused):
    """Size, price, value or client order id breaks a rule of the market: see ``rules(symbol)``."""


class DuplicateRequest(RequestRefused):
    """An id that must be unique was used before: the first request with it may have succeeded."""


class InsufficientBalance(ApiError):
    """The account does not have enough funds."""


class OrderClosed(ApiError):
    """The order is already filled or cancelled, or in a state that does not allow this."""


class TooManyOrders(ApiError):
    """The limit of waiting orders is reached."""


class PositionRefused(ApiError):
    """The state of the position or its margin forbids it."""


class MarginRefused(ApiError):
    """A loan, the margin account or its risk forbids it."""


class FundingRefused(ApiError):
    """A deposit, withdrawal or transfer was refused."""


class SubscriptionRefused(ApiError):
    """The exchange refused a topic.

    Attributes:
        topic: the refused topic.
    """

    def __init__(self, message: str = "", *, topic: str, code: int = 0) -> None:
        super().__init__(message, code=code, endpoint=topic)
        self.topic = topic


class StreamError(BitMartError):
    """A subscription or view cannot continue as before."""


class StreamGap(StreamError):
    """Messages were missed between two deliveries; the next ``receive()`` continues after the gap.

    Attributes:
        gap: the gap in the data.
    """

    def __init__(self, message: str, *, gap: object) -> None:
        super().__init__(message)
        self.gap = gap


class BookNotLive(StreamError):
    """An order book was read while it was not live; ``await book.wait_live()`` waits until it is.

    Attributes:
        symbol: the symbol of the book.
        state: its state: ``"syncing"`` or ``"stale"``.
    """

    def __init__(self, message: str = "", *, symbol: str, state: str) -> None:
        super().__init__(message)
        self.symbol = symbol
        self.state = state


class AccountNotLive(StreamError):
    """An account view that was opened with ``max_age`` was read while it was not live or was too old.

    ``await account.wait_live()`` waits until it is live.

    Attributes:
        state: its state: ``"syncing"`` or ``"stale"``.
    """

    def __init__(self, message: str = "", *, state: str) -> None:
        super().__init__(message)
        self.state = state


class SubscriberTooSlow(StreamError):
    """A subscription's buffer was full, and its policy is to fail rather than to drop messages.

    Attributes:
        buffered: the number of messages that were waiting.
    """

    def __init__(self, message: str, *, buffered: int) -> None:
        super().__init__(message)
        self.buffered = buffered


class TradingError(BitMartError):
    """A trading session cannot do what was asked."""


class OrderNotPlaced(TradingError):
    """The order is proven not to exist.

    It was never sent, or it was cut off in flight and was missing when the exchange could no longer accept it. Placing
    another order instead is safe.

    Attributes:
        client_order_id: the id that the order would have had.
    """

    def __init__(self, message: str, *, client_order_id: str) -> None:
        super().__init__(message)
        self.client_order_id = client_order_id


class OrderNotFilled(TradingError):
    """The order ended before it was completely filled (``wait_filled()``); it may be partly filled.

    Attributes:
        status: the final status, a ``trading.OrderStatus``.
    """

    def __init__(self, message: str, *, status: object) -> None:
        super().__init__(message)
        self.status = status


class ExitUnconfirmed(TradingError):
    """A trading session was left, and not everything that it had open is confirmed closed.

    Attributes:
        report: the result of leaving, a ``trading.ExitReport``.
    """

    def __init__(self, message: str, *, report: object) -> None:
        super().__init__(message)
        self.report = report


class SwitchFailed(TradingError):
    """A dead man's switch could not be armed or renewed: the exchange cancels the orders, or does not guard them.

    Attributes:
        symbol: the contract.
    """

    def __init__(self, message: str, *, symbol: str) -> None:
        super().__init__(message)
        self.symbol = symbol


class JournalError(TradingError):
    """A journal cannot be read or written. Orders that cannot be recorded first are not sent."""


class JournalLocked(JournalError):
    """Another session, in this process or another, uses the journal, which has one writer at a time."""


@attrs.frozen
class Code:
    """A row of the table: a code, its meaning and its exception."""

    code: int
    error: type[ApiError]
    meaning: str


_row = Code  # a short name keeps the table readable

_ROWS: Final = (
    _row(25601, Maintenance, "function suspended during a server upgrade"),
    _row(30000, NotFound, "the path does not exist"),
    _row(30001, AuthenticationError, "the key header is missing or empty"),
    _row(30002, AuthenticationError, "no such key"),
    _row(30003, AuthenticationError, "the key has been frozen"),
    _row(30004, BadSignature, "the signature header is missing or empty"),
    _row(30005, BadSignature, "the signature does not match"),
    _row(30006, ClockOutOfSync, "the timestamp header is missing or not an integer"),
    _row(30007, ClockOutOfSync, "the timestamp is out of its window, or recvWindow itself is out of range"),
    _row(30008, ClockOutOfSync, "the timestamp has the wrong format"),
    _row(30010, PermissionDenied, "the caller's IP is not on the key's whitelist"),
    _row(30011, AuthenticationError, "the key has expired"),
    _row(30012, PermissionDenied, "the key lacks the permission this endpoint needs"),
    _row(30013, RateLimited, "too many requests in the window"),
    _row(30014, ServiceUnavailable, "the service is not available"),
    _row(30016, Maintenance, "the service is under maintenance"),
    _row(30017, AddressBanned, "requests are refused for a while after repeated limit violations"),
    _row(30018, RequestRefused, "the body is not JSON"),
    _row(30019, PermissionDenied, "the account may not do this"),
    _row(30030, EndpointRemoved, "futures V1 has been retired"),
    _row(30031, EndpointRemoved, "the endpoint has been retired"),
    _row(40001, PermissionDenied, "no futures account found for the key"),
    _row(40002, RequestRefused, "out_trade_no missing"),
    _row(40003, DuplicateRequest, "out_trade_no used before"),
    _row(40004, RequestRefused, "account number limit reached"),
    _row(40005, RequestRefused, "transfer amount has too many decimals"),
    _row(40006, PermissionDenied, "address not permitted"),
    _row(40007, RequestRefused, "parameters could not be parsed"),
    _row(40008, AuthenticationError, "nonce invalid"),
    _row(40009, RequestRefused, "version invalid"),
    _row(40010, NotFound, "function does not exist"),
    _row(40011, RequestRefused, "invalid request"),
    _row(40012, ExchangeFault, "documented as system error, in practice a catch-all whose message decides"),
    _row(40013, RateLimited, "too frequent requests or client clock invalid; the documented text mixes both"),
    _row(40014, InvalidSymbol, "contract is offline"),
    _row(40015, InvalidSymbol, "contract trading is paused"),
    _row(40016, PositionRefused, "the order would lead to liquidation"),
    _row(40017, PositionRefused, "opening and closing at the same time is not possible"),
    _row(40018, PositionRefused, "position already closed"),
    _row(40019, PositionRefused, "position is being liquidated"),
    _row(40020, PositionRefused, "position has not enough contracts to close"),
    _row(40021, PositionRefused, "no such position"),
    _row(40022, PositionRefused, "position is not isolated"),
    _row(40023, PositionRefused, "taking this margin out would liquidate the position"),
    _row(40024, PositionRefused, "taking this margin out would bring the position to the liquidation warning"),
    _row(40025, PositionRefused, "margin must not fall below the position's base margin"),
    _row(40026, PositionRefused, "cross margin position is being liquidated"),
    _row(40027, InsufficientBalance, "not enough available balance"),
    _row(40028, TooManyOrders, "too many plan orders waiting"),
    _row(40029, RequestRefused, "leverage too large"),
    _row(40030, RequestRefused, "leverage too small"),
    _row(40031, RequestRefused, "trigger price too far from the market"),
    _row(40032, RequestRefused, "plan order's life span too long"),
    _row(40033, RequestRefused, "plan order's life span too short"),
    _row(40034, InvalidSymbol, "contract not found"),
    _row(40035, OrderNotFound, "order does not exist"),
    _row(40036, OrderClosed, "order is in a state that does not allow this"),
    _row(40037, OrderNotFound, "order id does not exist"),
    _row(40038, RequestRefused, "kline step invalid"),
    _row(40039, RequestRefused, "timestamp parameter invalid"),
    _row(40040, RequestRefused, "leverage invalid"),
    _row(40041, RequestRefused, "order side invalid"),
    _row(40042, RequestRefused, "order type invalid"),
    _row(40043, InvalidOrder, "price or size has too many decimals"),
    _row(40044, InvalidOrder, "invalid order size"),
    _row(40045, RequestRefused, "open_type invalid"),
    _row(40046, PermissionDenied, "futures account not opened yet"),
    _row(40047, PermissionDenied, "futures not offered in the account's country or region"),
    _row(40048, InvalidOrder, "client_order_id contains characters other than letters and digits"),
    _row(40049, InvalidOrder, "client_order_id longer than 32 characters"),
    _row(40050, DuplicateRequest, "client_order_id used before"),
    _row(40059, PositionRefused, "position mode cannot be switched now"),
    _row(42000, InsufficientBalance, "not enough balance"),
    _row(49998, RequestRefused, "invalid parameter"),
    _row(50000, RequestRefused, "bad request: the body is malformed or a value has the wrong type"),
    _row(50001, InvalidSymbol, "unknown pair"),
    _row(50002, RequestRefused, "from or to is malformed"),
    _row(50003, RequestRefused, "step is malformed"),
    _row(50004, RequestRefused, "more than 500 candles asked for"),
    _row(50005, OrderNotFound, "no such order"),
    _row(50006, InvalidOrder, "size below the minimum"),
    _row(50007, InvalidOrder, "size above the maximum"),
    _row(50008, InvalidOrder, "price below the minimum"),
    _row(50009, InvalidOrder, "order value below the minimum"),
    _row(50010, InvalidOrder, "size is required"),
    _row(50011, InvalidOrder, "price is required"),
    _row(50012, InvalidOrder, "notional is required"),
    _row(50013, RequestRefused, "limit times offset is too large"),
    _row(50014, RequestRefused, "limit is required"),
    _row(50015, RequestRefused, "limit must be at least 1"),
    _row(50016, RequestRefused, "limit is too large"),
    _row(50017, RequestRefused, "offset is required"),
    _row(50018, RequestRefused, "offset must be at least 1"),
    _row(50019, RequestRefused, "status is invalid"),
    _row(50020, InsufficientBalance, "balance too small"),
    _row(50021, RequestRefused, "an invalid parameter"),
    _row(50022, ServiceUnavailable, "the service is not available"),
    _row(50023, InvalidSymbol, "this pair cannot be traded through the API"),
    _row(50024, RequestRefused, "book size is limited to 200"),
    _row(50025, InvalidOrder, "price above the maximum"),
    _row(50026, InvalidOrder, "a buy price may not be above the opening price"),
    _row(50027, InvalidOrder, "a sell price may not be below the opening price"),
    _row(50028, RequestRefused, "parameters are missing"),
    _row(50029, InvalidOrder, "the parameters contradict each other"),
    _row(50030, OrderClosed, "the order has already been cancelled"),
    _row(50031, OrderClosed, "the order has already been filled"),
    _row(50032, OrderClosed, "the order no longer exists: filled or cancelled"),
    _row(50033, RequestRefused, "a batch must hold 1 to 10 orders"),
    _row(50034, InvalidOrder, "price too high: no depth on the other side"),
    _row(50035, InvalidOrder, "price too low: no depth on the other side"),
    _row(50036, OrderClosed, "the order can no longer be revoked"),
    _row(50037, InvalidOrder, "the client order id is longer than 32 characters"),
    _row(50038, InvalidOrder, "the client order id may hold letters and digits only"),
    _row(50039, RequestRefused, "order id and client order id are both empty"),
    _row(50040, InvalidSymbol, "this pair is not available"),
    _row(50041, RequestRefused, "outside the range of time that can be queried"),
    _row(50042, DuplicateRequest, "the client order id has been used before"),
    _row(51000, RequestRefused, "unknown currency"),
    _row(51001, MarginRefused, "the margin account has not been opened"),
    _row(51002, MarginRefused, "the margin account is not available"),
    _row(51003, MarginRefused, "account limit reached"),
    _row(51004, MarginRefused, "more than can be borrowed"),
    _row(51005, MarginRefused, "less than the smallest loan"),
    _row(51006, MarginRefused, "more than is owed"),
    _row(51007, RequestRefused, "unknown order_mode"),
    _row(51008, PermissionDenied, "the operation is limited, or the pair cannot be traded through the API"),
    _row(51009, InvalidOrder, "size below the minimum"),
    _row(51010, InvalidOrder, "price below the minimum"),
    _row(51011, InvalidOrder, "size times price is below the pair's minimum value"),
    _row(51012, InvalidOrder, "a market buy's notional is below the minimum"),
    _row(51013, InvalidOrder, "a market buy is too small"),
    _row(51014, InvalidOrder, "a market sell is too small"),
    _row(51015, InvalidOrder, "the quantity is too small"),
    _row(51024, MarginRefused, "margin borrowing is not possible"),
    _row(52000, RequestRefused, "orderMode not supported"),
    _row(52001, RequestRefused, "order type not supported"),
    _row(52002, RequestRefused, "side not supported"),
    _row(52003, RequestRefused, "queryState not supported"),
    _row(52004, RequestRefused, "the end time lies before the start time"),
    _row(53000, PermissionDenied, "the account is frozen"),
    _row(53001, PermissionDenied, "identity verification of this country does not allow it"),
    _row(53002, PermissionDenied, "advanced identity verification is required"),
    _row(53003, PermissionDenied, "ask the main account"),
    _row(53004, PermissionDenied, "the pair is not offered in this region"),
    _row(53005, PermissionDenied, "no permission for this interface"),
    _row(53006, PermissionDenied, "starter verification is required"),
    _row(53007, PermissionDenied, "advanced verification is required"),
    _row(53008, PermissionDenied, "not offered in this country"),
    _row(53009, PermissionDenied, "verification by QR code is required"),
    _row(53010, PermissionDenied, "borrowing is restricted"),
    _row(53011, PermissionDenied, "this kind of account may not do it"),
    _row(57001, RequestRefused, "HTTP method not supported"),
    _row(58001, RequestRefused, "content type not supported"),
    _row(59001, ExchangeFault, "no such user"),
    _row(59002, ExchangeFault, "internal fault"),
    _row(59003, ExchangeFault, "the spot wallet could not be reached"),
    _row(59004, MarginRefused, "the margin wallet could not be reached"),
    _row(59005, MarginRefused, "the margin wallet is restricted"),
    _row(59006, ExchangeFault, "the transfer failed"),
    _row(59007, MarginRefused, "risk data could not be read"),
    _row(59008, ExchangeFault, "the order could not be placed"),
    _row(59009, MarginRefused, "the loan was granted but the order failed"),
    _row(59010, MarginRefused, "the loan is too small for the order"),
    _row(59011, ExchangeFault, "the balance service could not be reached"),
    _row(60000, RequestRefused, "invalid request: a body, parameter or value is missing or malformed"),
    _row(60001, RequestRefused, "unknown account type"),
    _row(60002, RequestRefused, "unknown currency"),
    _row(60003, FundingRefused, "deposits of this currency are closed"),
    _row(60004, FundingRefused, "withdrawals of this currency are closed"),
    _row(60005, FundingRefused, "amount below the minimum"),
    _row(60006, FundingRefused, "amount has too many decimals"),
    _row(60007, FundingRefused, "only addresses saved on the website are allowed"),
    _row(60008, InsufficientBalance, "balance too small"),
    _row(60009, FundingRefused, "amount above the limit"),
    _row(60010, NotFound, "no such deposit or withdrawal"),
    _row(60011, FundingRefused, "invalid address"),
    _row(60012, FundingRefused, "not supported for this currency"),
    _row(60013, FundingRefused, "amount must be a multiple of the step"),
    _row(60014, FundingRefused, "missing or invalid memo"),
    _row(60015, FundingRefused, "the address has not been verified"),
    _row(60020, FundingRefused, "this account may not deposit"),
    _row(60021, FundingRefused, "this account may not withdraw"),
    _row(60022, FundingRefused, "withdrawals are blocked for 24 hours"),
    _row(60026, PermissionDenied, "the sub-account lacks permission"),
    _row(60027, PermissionDenied, "only sub-accounts may call this"),
    _row(60028, PermissionDenied, "the account is disabled"),
    _row(60029, PermissionDenied, "the main account has frozen this account"),
    _row(60030, RequestRefused, "HTTP method not supported"),
    _row(60031, RequestRefused, "content type not supported"),
    _row(60050, ExchangeFault, "no such user"),
    _row(60051, ExchangeFault, "internal fault"),
    _row(60052, ExchangeFault, "unspecified failure of the funding service"),
    _row(60053, FundingRefused, "the target email, phone number or id is wrong"),
    _row(60054, FundingRefused, "sub-accounts may not withdraw"),
    _row(60055, FundingRefused, "the currency cannot be used here"),
    _row(60056, FundingRefused, "withdrawals are suspended"),
    _row(60057, FundingRefused, "the user's status forbids it"),
    _row(60058, MarginRefused, "the transfer would push the position's risk past the margin-call line"),
    _row(60059, FundingRefused, "internal withdrawal is not allowed"),
    _row(60060, FundingRefused, "the request is not valid for this account"),
    _row(60061, FundingRefused, "the operation is not supported"),
    _row(60062, FundingRefused, "the operation is forbidden"),
    _row(60063, PermissionDenied, "the account is frozen for security reasons"),
    _row(60064, FundingRefused, "the daily quota is used up, wait 24 hours"),
    _row(60065, FundingRefused, "sender and receiver are the same user"),
    _row(60066, RequestRefused, "without a full range the query covers 0 to 90 days"),
    _row(60067, RequestRefused, "the time span must be under 90 days"),
    _row(61000, RequestRefused, "the amount must be above zero"),
    _row(61001, InsufficientBalance, "balance too small"),
    _row(61002, FundingRefused, "the receiving account (toAccount) was not found"),
    _row(61003, FundingRefused, "the sub-account was not found"),
    _row(61004, DuplicateRequest, "requestNo has been used before"),
    _row(61005, FundingRefused, "transfers are not available at the moment"),
    _row(61006, FundingRefused, "only organisation accounts may do this"),
    _row(61007, FundingRefused, "institution verification is required"),
    _row(61008, FundingRefused, "transfers out are suspended"),
    _row(70000, NoData, "no data"),
    _row(70001, RequestRefused, "a required parameter is missing"),
    _row(70002, InvalidSymbol, "unknown or invalid pair"),
    _row(70003, ExchangeFault, "network fault inside the exchange, try again"),
    _row(71001, RequestRefused, "parameter after is invalid"),
    _row(71002, RequestRefused, "parameter before is invalid"),
    _row(71003, RequestRefused, "the interval of before and after is invalid"),
    _row(71004, RequestRefused, "too many candles asked for"),
    _row(71005, RequestRefused, "parameter step is invalid"),
)

CODES: Final[Mapping[int, Code]] = MappingProxyType({row.code: row for row in _ROWS})
"""BitMart's REST codes, both markets; if the two describe one differently, the caller's remedy is the same."""


@attrs.frozen
class SocketCode:
    """A row of the socket table: a spot socket code and its exception."""

    code: int
    error: type[ApiError]
    meaning: str
    retry: bool = False
    """True if reconnecting later can help."""


SOCKET_CODES: Final[Mapping[int, SocketCode]] = MappingProxyType({row.code: row for row in (
    SocketCode(90001, RequestRefused, "message format"),
    SocketCode(90002, RequestRefused, "op"),
    SocketCode(90003, RequestRefused, "args"),
    SocketCode(90004, RequestRefused, "channel"),
    SocketCode(90005, RequestRefused, "more than 20 topics in one message"),
    SocketCode(90006, RequestRefused, "more topics than a connection may hold"),
    SocketCode(90007, RateLimited, "more than 100 messages in 10 s", retry=True),
    SocketCode(90008, RequestRefused, "topic already subscribed; harmless"),
    SocketCode(90009, RequestRefused, "topic not subscribed"),
    SocketCode(91001, AuthenticationError, "key missing"),
    SocketCode(91002, AuthenticationError, "key unknown"),
    SocketCode(91003, AuthenticationError, "key frozen"),
    SocketCode(91004, AuthenticationError, "key expired"),
    SocketCode(91005, AuthenticationError, "already logged in; harmless"),
    SocketCode(91006, AuthenticationError, "not logged in"),
    SocketCode(91010, BadSignature, "signature missing"),
    SocketCode(91011, BadSignature, "signature wrong"),
    SocketCode(91021, AuthenticationError, "timestamp missing"),
    SocketCode(91022, ClockOutOfSync, "timestamp more than a minute off", retry=True),
    SocketCode(91023, AuthenticationError, "timestamp malformed"),
    SocketCode(92001, InvalidSymbol, "symbol"),
    SocketCode(94001, RateLimited, "connecting too often", retry=True),
    SocketCode(94002, RateLimited, "too many connections from one address", retry=True),
    SocketCode(95000, ExchangeFault, "fault inside the exchange", retry=True),
)})  # fmt: skip
"""The spot sockets' codes. Futures sockets have texts only: ``_bitmart/sockets.py`` reads them."""
