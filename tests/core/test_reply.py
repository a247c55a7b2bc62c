"""Replies to models or exceptions: envelopes, refusals, and everything that is not a reply of the API at all."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import attrs
import pytest
from every_case import every_case
from hypothesis import given
from hypothesis import strategies as st

from bitmart_trio._bitmart.codes import MEANINGS
from bitmart_trio._bitmart.rest import READER, extras
from bitmart_trio._bitmart.rows import REGISTRY, Endpoint, Envelope
from bitmart_trio._core.endpoint import Auth
from bitmart_trio._core.quota import QuotaUse
from bitmart_trio._core.reply import Reply
from bitmart_trio.errors import (
    CODES,
    AddressBanned,
    ApiError,
    BitMartError,
    ExchangeFault,
    InsufficientBalance,
    InvalidSymbol,
    MalformedReply,
    RateLimited,
    ServiceUnavailable,
)


@attrs.frozen
class Thing:
    """A payload."""

    name: str
    size: Decimal | None = None


def row(returns: Any = Thing, envelope: Envelope = Envelope.STANDARD, at: tuple[str, ...] = ()) -> Endpoint[Any]:
    """A row with this payload, which the registry does not keep."""
    endpoint: Endpoint[Any] = Endpoint("GET", "/thing", Auth.NONE, returns=returns, envelope=envelope, at=at)
    REGISTRY.remove(endpoint)
    return endpoint


def read(
    body: object, *, status: int = 200, endpoint: Endpoint[Any] | None = None, headers: dict[str, str] | None = None
) -> Reply[Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return READER.parse(endpoint or row(), status, headers or {}, data)


def good(data: object, **more: object) -> dict[str, object]:
    return {"code": 1000, "message": "OK", "trace": "t-1", "data": data, **more}


class TestGood:
    """Answers that are answers."""

    def test_everything_that_came_with_it(self) -> None:
        """The payload as a model, and trace, status, quota, exact bytes beside it."""
        body = json.dumps(good({"name": "a", "size": "1.50"})).encode()
        headers = {
            "x-bm-ratelimit-remaining": "3",
            "x-bm-ratelimit-limit": "15",
            "x-bm-ratelimit-reset": "2",
            "x-bm-ratelimit-mode": "IP",
        }
        reply = read(body, headers=headers)
        assert reply.data == Thing("a", Decimal("1.50"))
        assert (reply.trace, reply.http_status, reply.raw) == ("t-1", 200, body)
        assert reply.quota == QuotaUse(used=3, limit=15, window=2.0, mode="IP")
        assert "Thing" in repr(reply)

    @pytest.mark.parametrize("code", [1000, "1000"])
    def test_the_code_may_be_text(self, code: object) -> None:
        """The exchange has sent both."""
        assert read(good({"name": "a"}, code=code)).data == Thing("a")

    @pytest.mark.parametrize(
        "message", [b'"\xff"', b'"\\ud800"', b"[1]", b'{"a": ' + b"[" * 80 + b"]" * 80 + b"}", b"9" * 5000]
    )
    def test_odd_words_beside_a_good_code_do_not_undo_it(self, message: bytes) -> None:
        """What was accepted is accepted."""
        body = b'{"code": 1000, "message": ' + message + b', "trace": ' + message + b', "data": {"name": "a"}}'
        assert read(body).data == Thing("a")

    def test_a_byte_order_mark_in_front(self) -> None:
        """Some gateways add one."""
        assert read(b'\xef\xbb\xbf{"code": 1000, "data": {"name": "a"}}').data == Thing("a")

    def test_without_a_trace(self) -> None:
        """Account information sends msg for message and no trace."""
        body: dict[str, object] = {
            "code": 1000,
            "msg": "success",
            "data": {"name": "a"},
            "errorData": None,
            "success": True,
        }
        assert read(body).trace is None

    @pytest.mark.parametrize("data", [None, {}, []])
    def test_nothing_is_nothing(self, data: object) -> None:
        """Endpoints without a payload return None, however nothing is spelled."""
        assert read(good(data), endpoint=row(type(None))).data is None
        assert read({"code": 1000}, endpoint=row(type(None))).data is None

    @pytest.mark.parametrize("data", [{"things": None}, {"things": []}, None])
    def test_a_list_that_is_null_is_empty(self, data: object) -> None:
        """Null means no entries, of the list and of the object that should hold it."""
        assert read(good(data), endpoint=row(list[Thing], at=("things",))).data == []

    @pytest.mark.parametrize("body", [good({}), good({"others": []}), {"code": 1000}], ids=["{}", "others", "no data"])
    def test_a_list_that_is_missing_is_not_empty(self, body: dict[str, object]) -> None:
        """The exchange answers so while a service is down, with the code of a good reply."""
        with pytest.raises(MalformedReply, match=r"no list at data\.things"):
            read(body, endpoint=row(list[Thing], at=("things",)))

    def test_payload_below_data(self) -> None:
        """The wrapper key is taken off."""
        assert read(good({"things": [{"name": "a"}]}), endpoint=row(list[Thing], at=("things",))).data == [Thing("a")]

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"x-bm-ratelimit-remaining": "many", "x-bm-ratelimit-limit": "15", "x-bm-ratelimit-reset": "2"},
            {"x-bm-ratelimit-remaining": "1", "x-bm-ratelimit-limit": "0", "x-bm-ratelimit-reset": "2"},
            {"x-bm-ratelimit-remaining": "-1", "x-bm-ratelimit-limit": "5", "x-bm-ratelimit-reset": "2"},
            {"x-bm-ratelimit-remaining": "1", "x-bm-ratelimit-limit": "5", "x-bm-ratelimit-reset": "inf"},
        ],
    )
    def test_headers_that_make_no_sense(self, headers: dict[str, str]) -> None:
        """Are as good as none."""
        assert read(good({"name": "a"}), headers=headers).quota is None

    def test_extras(self) -> None:
        """Fields that the model does not know are shown on demand, with the path to them."""
        reply = read(good({"things": [{"name": "a", "new": [1]}]}), endpoint=row(list[Thing], at=("things",)))
        assert extras(reply) == {"[0].new": [1]}
        assert extras(read(good(None), endpoint=row(type(None)))) == {}


class TestEnvelopes:
    """The other wrappings."""

    def test_nested(self) -> None:
        """The inner payload comes out; an inner code other than 0 is a refusal although the outer one is good."""
        nested = row(envelope=Envelope.NESTED)
        assert read(good({"code": 0, "msg": "success", "data": {"name": "a"}}), endpoint=nested).data == Thing("a")
        with pytest.raises(InsufficientBalance) as caught:
            read(good({"code": 50020, "msg": "Balance not enough", "data": {}}), endpoint=nested)
        assert (caught.value.code, caught.value.message, caught.value.trace) == (50020, "Balance not enough", "t-1")
        with pytest.raises(InsufficientBalance):
            read({"code": "50020", "message": "no"}, endpoint=nested)

    def test_errno(self) -> None:
        """Words instead of codes."""
        errno = row(envelope=Envelope.ERRNO)
        body: dict[str, object] = {"errno": "OK", "message": "Success", "data": {"name": "a"}, "success": True}
        assert read(body, endpoint=errno).data == Thing("a")
        with pytest.raises(ApiError, match="not now"):
            read({"errno": "ERROR", "message": "not now", "success": False}, endpoint=errno)
        with pytest.raises(ApiError):
            read({"errno": "OK", "message": "odd", "success": False}, endpoint=errno)

    def test_affiliate(self) -> None:
        """Some affiliate endpoints were seen without any envelope."""
        bare = row(list[Thing], envelope=Envelope.AFFILIATE)
        assert read([{"name": "a"}], endpoint=bare).data == [Thing("a")]
        assert read({"name": "a"}, endpoint=row(envelope=Envelope.AFFILIATE)).data == Thing("a")
        assert read(good([{"name": "a"}], code="1000"), endpoint=bare).data == [Thing("a")]
        with pytest.raises(ApiError):
            read({"code": "40012", "message": "x"}, endpoint=bare)


class TestRefusals:
    """The exchange said no."""

    @every_case("code", sorted(CODES))
    @every_case("as_text", [False, True])
    def test_every_code_has_its_class(self, code: int, as_text: bool) -> None:
        """Whatever the HTTP status says, the table decides, and the exception carries all that a bug report needs."""
        body: dict[str, object] = {
            "code": str(code) if as_text else code,
            "message": "words of the exchange",
            "trace": "t-1",
            "data": {},
        }
        with pytest.raises(ApiError) as caught:
            read(body, status=200)
        error = caught.value
        assert type(error) is MEANINGS.error_class(code, "words of the exchange")
        assert (error.code, error.message, error.trace) == (code, "words of the exchange", "t-1")
        assert (error.http_status, error.endpoint) == (200, "GET /thing")
        text = str(error)
        assert str(code) in text
        assert "words of the exchange" in text
        assert "GET /thing" in text
        assert "t-1" in text

    def test_a_refusal_with_status_200(self) -> None:
        """Market data refuses with HTTP 200: the code is what counts."""
        with pytest.raises(InvalidSymbol):
            read({"code": 70002, "message": "symbol not found", "trace": "t", "data": None})

    @pytest.mark.parametrize(
        ("status", "error"),
        [(418, AddressBanned), (429, RateLimited), (404, ApiError), (500, ExchangeFault), (503, ServiceUnavailable)],
    )
    def test_unknown_codes_fall_back_to_the_status(self, status: int, error: type[ApiError]) -> None:
        """A code that nobody has documented still becomes the fitting class."""
        with pytest.raises(error) as caught:
            read({"code": 98765, "message": "?"}, status=status)
        assert caught.value.code == 98765

    def test_an_unknown_code_with_status_200(self) -> None:
        """Is at least an ApiError."""
        with pytest.raises(ApiError) as caught:
            read({"code": 98765, "message": "?"})
        assert type(caught.value) is ApiError

    def test_a_good_code_with_a_bad_status(self) -> None:
        """Both must be good."""
        with pytest.raises(ExchangeFault):
            read(good({"name": "a"}), status=500)

    def test_how_long_to_wait(self) -> None:
        """The exchange sends no Retry-After: the window of its quota headers says it, else one second."""
        headers = {
            "x-bm-ratelimit-remaining": "15",
            "x-bm-ratelimit-limit": "15",
            "x-bm-ratelimit-reset": "2",
        }
        with pytest.raises(RateLimited) as caught:
            read({"code": 30013, "message": "slow down"}, status=429, headers=headers)
        assert caught.value.retry_after == 2.0
        with pytest.raises(RateLimited) as caught:
            read({"code": 30013, "message": "slow down"}, status=429)
        assert caught.value.retry_after == 1.0


class TestNotTheApi:
    """What comes from somewhere else, or half."""

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            *((status, ServiceUnavailable) for status in (200, 302, 400, 401, 403, 404, 405, 451, 500, 502, 503)),
            *((status, ServiceUnavailable) for status in (520, 521, 522, 523, 524, 525, 530, 599)),
            (429, RateLimited),
            (418, AddressBanned),
        ],
    )
    def test_a_page_from_the_edge(self, status: int, error: type[ApiError]) -> None:
        """It means "not now", never that something was refused or does not exist; its title says what it is."""
        page = (
            b"<!DOCTYPE html><html><head><title>Just a\n moment&hellip;\x1b[2J</title></head><body>\xff</body></html>"
        )
        with pytest.raises(ApiError) as caught:
            read(page, status=status)
        assert type(caught.value) is error
        assert caught.value.code == 0
        assert caught.value.http_status == status
        assert f'HTTP {status} with the page "Just a moment\N{HORIZONTAL ELLIPSIS}\\x1b[2J"' in caught.value.message
        assert "network in front" in caught.value.hint or isinstance(caught.value, RateLimited)

    @pytest.mark.parametrize(
        ("body", "shown"),
        [(b"no healthy upstream", "no healthy upstream"), (b"<html><p>Bad</p> <b>gateway</b>", "Bad gateway")],
    )
    def test_a_page_without_a_title(self, body: bytes, shown: str) -> None:
        """Its first words stand in."""
        with pytest.raises(ServiceUnavailable, match=f'page "{shown}"'):
            read(body, status=503)

    def test_the_edge_refuses_the_user_agent(self) -> None:
        """Its error 1010 has a remedy, which the hint names."""
        with pytest.raises(ServiceUnavailable) as caught:
            read(b"<html>error code: 1010</html>", status=403)
        assert "user_agent" in caught.value.hint

    @pytest.mark.parametrize("status", [300, 301, 302, 304, 307, 308])
    def test_a_redirect_is_no_success(self, status: int) -> None:
        """Also with the body of a good reply."""
        with pytest.raises(ServiceUnavailable):
            read(good({"name": "a"}), status=status)

    @pytest.mark.parametrize(("asked", "seconds"), [
        ("7", 7.0), (" 7 ", 7.0), ("Mon, 30 Nov 2026 10:00:30 GMT", 30.0), ("Mon, 30 Nov 2020 10:00:30 GMT", 0.0),
        ("", None), ("soon", None), ("-5", None), ("9" * 5000, None), ("\u0665", None),
        ("Mon, 30 Nov 99999999999999999999 10:00:00 GMT", None),
        ("Mon, 30 Nov 2026 10:00:00 +999999999999999999999", None),
    ])  # fmt: skip
    def test_the_wait_that_the_edge_asks_for(self, asked: str, seconds: float | None) -> None:
        """In seconds or as a date, which counts from the date of the reply."""
        headers = {"retry-after": asked, "date": "Mon, 30 Nov 2026 10:00:00 GMT"}
        with pytest.raises(ServiceUnavailable) as caught:
            read(b"<html>", status=503, headers=headers)
        assert caught.value.retry_after == seconds
        with pytest.raises(RateLimited) as limited:
            read(b"<html>", status=429, headers=headers)
        assert limited.value.retry_after == max(seconds or 0.0, 1.0)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"   ",
            b'{"code": 1000, "message": "OK", "data": {"name": "a"',
            b"[]",
            b'"OK"',
            b"null",
            b'{"message": "OK", "data": {}}',
            b'{"code": null, "data": {}}',
            b'{"code": "OK", "data": {"name": "a"}}',
            b'{"code": true, "data": {"name": "a"}}',
            b'{"code": "\xc2\xb2", "data": {}}',
            b'{"code": 1000, "data": {"name": "\xff"}}',
            b'{"code": 1000, "data": ' + b"[" * 50_000,
            b'{"code": 1000, "data": {"size": "NaN"}}',
            b'{"code": 1000, "data": null}',
            b'{"code": 1000, "data": []}',
            b'{"code": 1000, "data": "a"}',
        ],
    )
    def test_malformed(self, body: bytes) -> None:
        """With a good status: MalformedReply, with the status and the first bytes for the bug report."""
        with pytest.raises(MalformedReply) as caught:
            read(body)
        assert caught.value.http_status == 200
        assert caught.value.excerpt == body[:200]
        assert "GET /thing" in str(caught.value)

    def test_an_empty_body_is_called_so(self) -> None:
        """The message says what is wrong."""
        with pytest.raises(MalformedReply, match="empty body"):
            read(b"")


class TestRaw:
    """Requests to any path."""

    def test_the_payload_stays_plain(self) -> None:
        """Fractions are exact."""
        reply = READER.parse_raw("GET /any", 200, {}, b'{"code": 1000, "trace": "t", "data": {"a": 0.1}}')
        assert reply.data == {"a": Decimal("0.1")}
        assert reply.trace == "t"
        assert READER.parse_raw("GET /any", 200, {}, b'{"code": 1000}').data is None

    def test_refusals(self) -> None:
        """Raise as everywhere, naming the path."""
        with pytest.raises(InsufficientBalance, match="GET /any"):
            READER.parse_raw("GET /any", 400, {}, b'{"code": 50020, "message": "no"}')


ENVELOPES = st.sampled_from(list(Envelope))
STATUSES = st.sampled_from([200, 400, 401, 403, 404, 418, 429, 500, 502, 503])


@given(st.binary(max_size=300), ENVELOPES, STATUSES)
def test_any_bytes(body: bytes, envelope: Envelope, status: int) -> None:
    """Whatever arrives, the caller sees a reply or an exception of this library."""
    try:
        READER.parse(row(envelope=envelope), status, {}, body)
    except BitMartError:
        return


MEMBERS = st.dictionaries(
    st.sampled_from(["code", "message", "msg", "trace", "data", "errno", "success"]),
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([1000, "1000", "OK", "", 0, {}, [], {"name": "a"}, {"code": 0, "data": {"name": "a"}}])
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2),
)


@given(MEMBERS, ENVELOPES, STATUSES)
def test_any_envelope(members: dict[str, Any], envelope: Envelope, status: int) -> None:
    """The same for objects that look like replies; and no success without a good status."""
    try:
        reply = READER.parse(row(envelope=envelope), status, {}, json.dumps(members).encode())
    except BitMartError:
        return
    assert status == 200
    assert reply.data == Thing("a")
