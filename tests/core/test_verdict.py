"""What becomes of a failed call, as one table: reads on the left, writes on the right."""

from __future__ import annotations

import pytest
from every_case import every_case

from bitmart_trio import errors as e
from bitmart_trio._bitmart.codes import MEANINGS
from bitmart_trio._core.verdict import Verdict, judge

RAISE, REPEAT, RESYNC, UNKNOWN = Verdict.RAISE, Verdict.REPEAT, Verdict.RESYNC, Verdict.UNKNOWN


def _api(code: int, status: int) -> e.ApiError:
    return MEANINGS.error_class(code, "", status)(code=code, http_status=status)


@pytest.mark.parametrize(
    ("error", "read", "write"),
    [
        (e.ConnectionLost("broke"), REPEAT, UNKNOWN),
        (e.ReplyTooLarge("big"), RAISE, UNKNOWN),
        (e.MalformedReply("cut off"), REPEAT, UNKNOWN),
        (e.MalformedReply("unknown shape"), REPEAT, UNKNOWN),
        (_api(30013, 429), REPEAT, REPEAT),
        (_api(0, 429), REPEAT, UNKNOWN),
        (_api(99999, 429), REPEAT, UNKNOWN),
        (_api(40013, 400), REPEAT, RAISE),
        (_api(30017, 418), RAISE, RAISE),
        (_api(0, 418), RAISE, UNKNOWN),
        (_api(30007, 401), RESYNC, RESYNC),
        (_api(30006, 401), RAISE, RAISE),
        (_api(0, 502), REPEAT, UNKNOWN),
        (_api(0, 500), REPEAT, UNKNOWN),
        (_api(0, 522), REPEAT, UNKNOWN),
        (_api(99999, 500), REPEAT, UNKNOWN),
        (_api(30014, 503), REPEAT, UNKNOWN),
        (_api(50022, 400), REPEAT, UNKNOWN),
        (_api(59002, 500), REPEAT, UNKNOWN),
        (_api(40012, 400), REPEAT, UNKNOWN),
        (_api(30016, 200), RAISE, RAISE),
        (_api(30016, 503), REPEAT, UNKNOWN),
        (_api(30018, 503), RAISE, RAISE),
        (_api(50020, 400), RAISE, RAISE),
        (_api(50020, 500), RAISE, RAISE),
        (_api(99999, 200), RAISE, UNKNOWN),
        (_api(408, 200), RAISE, UNKNOWN),
        (_api(99999, 403), RAISE, UNKNOWN),
        (_api(53007, 403), RAISE, RAISE),
        (_api(1000, 302), REPEAT, UNKNOWN),
        (_api(1000, 403), RAISE, UNKNOWN),
        (_api(30005, 401), RAISE, RAISE),
        (e.ServiceUnavailable(http_status=403), REPEAT, UNKNOWN),
        (e.InvalidRequest("wrong"), RAISE, RAISE),
    ],
    ids=lambda value: f"{type(value).__name__}-{value}" if isinstance(value, Exception) else None,
)
def test_the_table(error: e.BitMartError, read: Verdict, write: Verdict) -> None:
    """A write is repeated only when it is certain that nothing was done."""
    assert judge(error, MEANINGS, reads=True) is read
    assert judge(error, MEANINGS, reads=False) is write


def test_what_never_left_may_be_sent_again() -> None:
    """No byte of it can have reached the exchange."""
    lost = e.ConnectionLost("no connection")
    assert judge(lost, MEANINGS, reads=False, unsent=True) is REPEAT
    assert judge(lost, MEANINGS, reads=True, unsent=True) is REPEAT


@every_case("code", sorted(e.CODES))
def test_no_write_is_repeated_on_a_code_that_does_not_say_that_nothing_was_done(code: int) -> None:
    """Only "too many requests" does, and a refused timestamp after setting the clock."""
    verdict = judge(_api(code, 400), MEANINGS, reads=False)
    assert (verdict is REPEAT) == (code == 30013)
    assert (verdict is RESYNC) == (code == 30007)
