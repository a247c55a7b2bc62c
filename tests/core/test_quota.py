"""The sliding windows: never too many, the exchange's own count wins, and pauses after 429 and 418."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitmart_trio._core.endpoint import Quota
from bitmart_trio._core.quota import GUARD, Bucket, Quotas, QuotaUse, kept_for_urgent


def _use(bucket: Bucket, now: float, *, urgent: bool = False) -> float:
    """A call that is answered at once."""
    wait = bucket.reserve(now, urgent=urgent)
    if not wait:
        bucket.settle(now)
    return wait


def test_the_first_calls_go_at_once_and_the_next_waits_for_the_oldest() -> None:
    """As many as the quota says, then one window after the first."""
    bucket = Bucket(Quota(3, per=2.0))
    assert [_use(bucket, now) for now in (0.0, 0.5, 1.0)] == [0, 0, 0]
    assert _use(bucket, 1.5) == pytest.approx(0.5 + GUARD)
    assert _use(bucket, 2.0 + GUARD) == 0
    assert _use(bucket, 2.1) == pytest.approx(0.4 + GUARD)


def test_a_call_on_its_way_counts_until_a_window_after_its_reply() -> None:
    """The exchange may have counted it as late as that."""
    bucket = Bucket(Quota(1, per=2.0))
    assert bucket.reserve(0.0) == 0
    assert bucket.reserve(5.0) == pytest.approx(2.0 + GUARD)
    bucket.settle(6.0)
    assert bucket.reserve(7.0) == pytest.approx(1.0 + GUARD)
    assert bucket.reserve(8.0 + GUARD) == 0


def test_a_reservation_given_back_leaves_no_trace() -> None:
    """A call that was never sent does not count."""
    bucket = Bucket(Quota(1))
    assert bucket.reserve(0.0) == 0
    bucket.give_back()
    assert bucket.reserve(0.0) == 0


@pytest.mark.parametrize(("total", "kept"), [(1, 0), (2, 1), (3, 1), (4, 1), (8, 2), (40, 10), (150, 37)])
def test_a_quarter_is_kept_but_never_all(total: int, kept: int) -> None:
    """At least one, unless there is only one."""
    assert kept_for_urgent(total) == kept


def test_urgent_calls_have_a_reserve_that_others_cannot_touch() -> None:
    """Others stop at three quarters; urgent calls go on to the limit."""
    bucket = Bucket(Quota(8), keep=True)
    assert [_use(bucket, 0.0) == 0 for _ in range(7)] == [True] * 6 + [False]
    assert [_use(bucket, 0.0, urgent=True) == 0 for _ in range(3)] == [True, True, False]


def test_a_quota_of_one_is_there_for_everybody() -> None:
    """Keeping one of one would leave nothing."""
    assert _use(Bucket(Quota(1), keep=True), 0.0) == 0


def test_the_exchange_has_seen_more_than_we_have() -> None:
    """Its number is taken over: somebody else uses the same address."""
    bucket = Bucket(Quota(10, per=2.0))
    bucket.reserve(0.0)
    bucket.settle(0.0, QuotaUse(9, 10, 2.0))
    assert _use(bucket, 0.1) == 0
    assert _use(bucket, 0.2) == pytest.approx(1.8 + GUARD)


def test_the_exchange_has_seen_less_than_we_have() -> None:
    """Its window began later than ours; ours stays, which is the careful reading."""
    bucket = Bucket(Quota(2, per=2.0))
    _use(bucket, 0.0)
    bucket.reserve(0.0)
    bucket.settle(0.0, QuotaUse(1, 2, 2.0))
    assert _use(bucket, 0.1) > 0


def test_an_announced_limit_counts_only_when_it_is_stricter() -> None:
    """Fewer calls or a longer window are obeyed, more calls are not believed."""
    bucket = Bucket(Quota(10, per=2.0))
    bucket.reserve(0.0)
    bucket.settle(0.0, QuotaUse(1, 2, 5.0))
    assert _use(bucket, 0.0) == 0
    assert _use(bucket, 0.0) == pytest.approx(5.0 + GUARD)
    generous = Bucket(Quota(1))
    generous.reserve(0.0)
    generous.settle(0.0, QuotaUse(1, 99, 0.1))
    assert _use(generous, 0.1) == pytest.approx(1.9 + GUARD)


def test_a_refusal_pauses_this_bucket_for_a_window() -> None:
    """Others go on."""
    quotas = Quotas(60.0)
    refused, other = (quotas.bucket(("host", path, ""), Quota(10, per=2.0)) for path in ("GET /a", "GET /b"))
    refused.reserve(0.0)
    refused.settle(0.0)
    assert refused.refuse(0.0) == pytest.approx(2.0 + GUARD)
    assert quotas.reserve(refused, 1.0, urgent=True) == pytest.approx(1.0 + GUARD)
    assert quotas.reserve(other, 1.0) == 0
    assert quotas.reserve(refused, 2.0 + GUARD) == 0


def test_a_key_has_one_bucket() -> None:
    """The second asker gets the first one's."""
    quotas = Quotas(60.0)
    assert quotas.bucket(("h", "GET /a", "k"), Quota(1)) is quotas.bucket(("h", "GET /a", "k"), Quota(1))
    assert quotas.bucket(("h", "GET /a", "k"), Quota(1)) is not quotas.bucket(("h", "GET /a", "other"), Quota(1))


def test_a_ban_pauses_everything_and_each_further_one_twice_as_long() -> None:
    """Until an hour has passed without one."""
    quotas = Quotas(60.0)
    bucket = quotas.bucket(("host", "GET /a", ""), Quota(10))
    assert quotas.ban(0.0) == 60
    assert quotas.ban(10.0) == 50, "a reply to a call that was on its way is not another ban"
    assert quotas.reserve(bucket, 20.0, urgent=True) == 40
    assert quotas.reserve(bucket, 60.0) == 0
    assert quotas.ban(61.0) == 120
    assert quotas.ban(182.0) == 240
    assert quotas.ban(182.0 + 240 + 3600) == 60


def test_a_ban_pause_of_nothing_pauses_nothing() -> None:
    """Who configures that must want it."""
    quotas = Quotas(0.0)
    assert quotas.ban(5.0) == 0
    assert quotas.banned_for(5.0) == 0


@given(
    count=st.integers(1, 6),
    per=st.sampled_from([0.5, 1.0, 2.0]),
    keep=st.booleans(),
    steps=st.lists(
        st.tuples(
            st.floats(0, 1.5),  # idle time before
            st.floats(0, 1.0),  # from sending to arrival
            st.floats(0, 1.0),  # from arrival to reply
            st.booleans(),  # urgent
        ),
        max_size=60,
    ),
)
def test_never_more_than_the_count_in_any_window(
    count: int, per: float, keep: bool, steps: list[tuple[float, float, float, bool]]
) -> None:
    """Wherever a window of the exchange begins, by the time at which requests arrive there, and replies may overlap."""
    bucket = Bucket(Quota(count, per=per), keep=keep)
    now = 0.0
    on_their_way: list[float] = []
    arrivals: list[float] = []
    for idle, there, back, urgent in steps:
        now += idle
        for _ in range(1000):
            due = [reply for reply in on_their_way if reply <= now]
            on_their_way = [reply for reply in on_their_way if reply > now]
            for reply in sorted(due):
                bucket.settle(reply)
            wait = bucket.reserve(now, urgent=urgent)
            if not wait:
                break
            # Wait as told, but replies come in their own time.
            now = min([now + wait, *on_their_way])
        else:
            pytest.fail("it never gets a place")
        arrivals.append(now + there)
        on_their_way.append(now + there + back)
    arrivals.sort()
    for index, arrival in enumerate(arrivals):
        inside = [other for other in arrivals[index:] if other < arrival + per]
        assert len(inside) <= count
