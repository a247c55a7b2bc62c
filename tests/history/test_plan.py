"""The planner against a model server: every record once, oldest first, and whatever is not told is a named gap."""

from __future__ import annotations

from itertools import pairwise

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from model_server import Rounding, Server, gaps_of, rows_of, walked
from proof_sizes import EXAMPLES

from bitmart_trio.history._plan import HistoryGap, Plan, Rules, Stamped

START = 1_700_000_000_000


def _records(times: list[int]) -> tuple[Stamped[str], ...]:
    return tuple(
        Stamped(START + time, str(1000 + number), f"r{number}", str(1000 + number))
        for number, time in enumerate(sorted(times))
    )


def _expected(server: Server, since: int, until: int) -> list[str]:
    return [row.key for row in server.records if since <= server.told(row).time < until]


# Times cluster, so that windows overflow and records share a moment.
TIMES = st.lists(
    st.one_of(st.integers(0, 30_000), st.integers(4_990, 5_010), st.sampled_from([0, 999, 1000, 1001, 15_000])),
    max_size=60,
)


@pytest.mark.proof
@settings(max_examples=EXAMPLES)
@given(
    times=TIMES,
    since=st.integers(0, 20_000),
    length=st.integers(0, 20_000),
    most=st.integers(2, 12),
    span=st.sampled_from([1, 7, 1000, 5000, 100_000]),
    open_start=st.booleans(),
    open_end=st.booleans(),
    keeps_oldest=st.booleans(),
)
@example(
    times=[999, 1000, 1000], since=0, length=1000, most=2, span=1, open_start=True, open_end=False, keeps_oldest=False
)
def test_windows_of_milliseconds(
    times: list[int],
    since: int,
    length: int,
    most: int,
    span: int,
    open_start: bool,
    open_end: bool,
    keeps_oldest: bool,
) -> None:
    """Whatever is not in a gap is told once, in order, whatever the endpoint cuts and however it counts its start."""
    length = min(length, 400 * span)  # more windows than that prove no more
    rules = Rules(span=span, most=most)
    server = Server(_records(times), rules, open_start=open_start, open_end=open_end, keeps_oldest=keeps_oldest)
    windows, _ = walked(server, Plan(rules, START + since, START + since + length))
    rows, gaps = rows_of(windows), gaps_of(windows)
    assert [row.time for row in rows] == sorted(row.time for row in rows)
    assert len({row.key for row in rows}) == len(rows)
    told = [row.key for row in rows]
    lost = set(_expected(server, START + since, START + since + length)) - set(told)
    assert set(told) <= set(_expected(server, START + since, START + since + length))
    for row in server.records:
        if row.key in lost:
            assert any(gap.since <= row.time < gap.until for gap in gaps)
    if not gaps:
        assert told == _expected(server, START + since, START + since + length)
    # The windows tile the range.
    edges = [(window.since, window.until) for window in windows]
    assert all(before[1] == after[0] for before, after in pairwise(edges))
    if length:
        assert (edges[0][0], edges[-1][1]) == (START + since, START + since + length)


@given(
    times=TIMES,
    since=st.integers(0, 20_000),
    length=st.integers(0, 20_000),
    most=st.integers(3, 12),
    floor=st.sampled_from([1, 1000]),
    open_end=st.booleans(),
)
def test_windows_of_seconds(times: list[int], since: int, length: int, most: int, floor: int, open_end: bool) -> None:
    """The same where bounds are whole seconds, and where record times are, too."""
    rules = Rules(span=8000, grain=1000, most=most)
    server = Server(_records(times), rules, unit=1000, floor=floor, open_end=open_end)
    windows, _ = walked(server, Plan(rules, START + since, START + since + length))
    rows, gaps = rows_of(windows), gaps_of(windows)
    assert len({row.key for row in rows}) == len(rows)
    assert [row.time for row in rows] == sorted(row.time for row in rows)
    told = [row.key for row in rows]
    wanted = _expected(server, START + since, START + since + length)
    for row in server.records:
        if row.key in set(wanted) - set(told):
            assert any(gap.since <= server.told(row).time < gap.until for gap in gaps)
    if not gaps:
        assert told == wanted


@given(
    times=TIMES,
    since=st.integers(0, 20_000),
    length=st.integers(0, 20_000),
    most=st.integers(1, 6),
    total=st.booleans(),
    span=st.sampled_from([1000, 100_000]),
)
def test_windows_with_pages(times: list[int], since: int, length: int, most: int, total: bool, span: int) -> None:
    """Pages are turned to their end: nothing is lost, nothing doubled."""
    rules = Rules(span=span, most=most, pages=1000)
    server = Server(_records(times), rules, tells_total=total)
    windows, _ = walked(server, Plan(rules, START + since, START + since + length))
    assert gaps_of(windows) == []
    assert [row.key for row in rows_of(windows)] == _expected(server, START + since, START + since + length)


@given(times=TIMES, stop=st.integers(0, 60), most=st.integers(2, 12))
def test_a_cursor_goes_on_where_it_stopped(times: list[int], stop: int, most: int) -> None:
    """Cut after any record, and gone on from its time and the keys of that moment, it is the same history."""
    rules = Rules(span=5000, most=most)
    server = Server(_records(times), rules)
    whole = rows_of(walked(server, Plan(rules, START, START + 30_001))[0])
    first = whole[:stop]
    if not first:
        return
    at = first[-1].time
    seen = [row.key for row in first if row.time == at]
    rest = rows_of(walked(server, Plan(rules, at, START + 30_001, seen=seen))[0])
    gaps = gaps_of(walked(server, Plan(rules, START, START + 30_001))[0])
    if not gaps:
        assert [row.key for row in (*first, *rest)] == [row.key for row in whole]


def test_more_records_in_a_moment_than_a_reply_holds_are_a_gap() -> None:
    """There is no narrower window: what is known is told, and the rest is named."""
    rules = Rules(span=1000, most=3)
    server = Server(_records([10, 20, 20, 20, 20, 30]), rules)
    windows, _ = walked(server, Plan(rules, START, START + 100))
    assert [row.time - START for row in rows_of(windows)] == [10, 20, 20, 20, 30]
    [gap] = gaps_of(windows)
    assert (gap.since, gap.until) == (START + 20, START + 21)
    assert gap.reason == "3 records within 1 ms may not be all: no window is narrower"


@pytest.mark.parametrize("count", [20, 50, 100, 200, 500, 1000])
def test_a_round_number_may_be_a_cut(count: int) -> None:
    """Whatever the sources say of the limit, a reply of a round number is read again in narrower windows."""
    rules = Rules(span=10_000, most=2000)
    for cap in (count, 100_000):
        server = Server(_records(list(range(0, 5 * count, 5))), rules, cap=cap)
        windows, asked = walked(server, Plan(rules, START, START + 10_000))
        assert len(rows_of(windows)) == count
        assert asked > 2
        assert gaps_of(windows) == []


@example(times=[0, 1, *range(1_000_000, 1_000_009)], cap=10, keeps_oldest=False, total=False, pages=0)
@given(
    times=st.lists(
        st.one_of(st.integers(0, 5_000_000), st.integers(1_000_000, 1_002_000)), min_size=10, max_size=150, unique=True
    ),
    cap=st.integers(10, 70),
    keeps_oldest=st.booleans(),
    total=st.booleans(),
    pages=st.sampled_from([0, 1000]),
)
def test_a_smaller_cap_than_documented_loses_nothing(
    times: list[int], cap: int, keeps_oldest: bool, total: bool, pages: int
) -> None:
    """Any cap, round or not: a reply as large as the largest so far is proven by narrower ones."""
    rules = Rules(span=2_000_000, most=200, pages=pages)
    server = Server(_records(times), rules, cap=cap, keeps_oldest=keeps_oldest, tells_total=total and bool(pages))
    windows, _ = walked(server, Plan(rules, START, START + 5_000_001))
    assert gaps_of(windows) == []
    assert [row.key for row in rows_of(windows)] == _expected(server, START, START + 5_000_001)


@example(times=[0] * 5, busy=[7_000_000] * 16, rounds=60_000, how="down", most=15)
@example(
    times=[],
    busy=[
        7_000_001,
        *[7_002_002] * 3,
        *[7_007_245] * 6,
        7_061_220,
        7_065_720,
        7_084_130,
        7_096_918,
        7_113_395,
        7_120_617,
        *[7_202_136] * 8,
    ],
    rounds=60_000,
    how="inward",
    most=15,
)  # one before the busy minutes: the window that ended just behind it showed nothing
@given(
    times=st.lists(st.integers(0, 20_000_000), max_size=80),
    busy=st.lists(st.integers(7_000_000, 7_300_000), max_size=80),
    rounds=st.sampled_from([1000, 60_000, 3_600_000]),
    how=st.sampled_from(["down", "up", "nearest", "inward", "outward"]),
    most=st.sampled_from([15, 40, 200]),
)
def test_bounds_that_are_rounded_lose_nothing(
    times: list[int], busy: list[int], rounds: int, how: Rounding, most: int
) -> None:
    """To seconds, minutes or hours: every record once, in order, or in a named gap.

    Not so within the first and the last unit: a request for more is refused where the exchange's memory begins or ends.
    """
    rules = Rules(span=8_000_000, most=most)
    server = Server(_records([*times, *busy]), rules, rounds=rounds, how=how)
    windows, _ = walked(server, Plan(rules, START, START + 20_000_001))
    rows, gaps = rows_of(windows), gaps_of(windows)
    assert len({row.key for row in rows}) == len(rows)
    found = {row.key for row in rows}
    for row in server.records:
        first = START if rounds <= 60_000 else -(-START // rounds) * rounds
        if row.key not in found and first <= row.time < (START + 20_000_000) // rounds * rounds - rounds:
            assert any(gap.since <= row.time < gap.until for gap in gaps), row


def test_equal_records_of_one_reply_all_count() -> None:
    """Five entries of one content are five; read again in overlapping windows they are no more."""
    rules = Rules(span=1000, most=200)
    same = Stamped(START + 1000, "same", "x")
    other = Stamped(START + 999, "other", "y")

    def answer(since: int, until: int) -> list[Stamped[str]]:
        return [row for row in (same, same, other, same) if since <= row.time <= until]

    plan, found = Plan[str](rules, START, START + 3000), list[Stamped[str]]()
    while (ask := plan.ask()) is not None:
        settled = plan.took(answer(ask.since, ask.until))
        found += () if settled is None else settled.rows
    assert [row.record for row in found] == ["y", "x", "x", "x"]


def test_pages_that_lose_a_record_are_read_in_narrower_windows() -> None:
    """The total says 150, the pages show 149: windows of a single page show them all."""
    rules = Rules(span=1_000_000, most=100, pages=1000)
    server = Server(_records(list(range(0, 150_000, 1000))), rules, tells_total=True, shifts=True)
    windows, _ = walked(server, Plan(rules, START, START + 1_000_000))
    assert gaps_of(windows) == []
    assert len(rows_of(windows)) == 150


def test_what_was_listed_before_and_is_not_listed_again_is_kept_and_named() -> None:
    """A record that a wide request has shown and the narrow one has not: the window is read again, then it is a gap."""
    rules = Rules(span=7_200_000, most=20)
    rows = [Stamped(START + number * 60_000, str(number), "") for number in range(60)]
    plan, found, gaps, first = (
        Plan[str](rules, START, START + 3_600_000),
        list[Stamped[str]](),
        list[HistoryGap](),
        True,
    )
    while (ask := plan.ask()) is not None:
        listed = [row for row in rows if ask.since <= row.time <= ask.until and (first or row.key != "7")][:20]
        first = False
        settled = plan.took(listed)
        if settled is not None:
            found += settled.rows
            gaps += [] if settled.gap is None else [settled.gap]
    assert [row.key for row in found] == [str(number) for number in range(60)]
    [gap] = gaps
    assert gap.reason == "1 records that were listed before are missing now"
    assert gap.since <= START + 420_000 < gap.until


def test_records_without_a_time_are_kept_once() -> None:
    """In the first window that lists them."""
    rules = Rules(span=1000, most=200)
    odd = Stamped(-1, "odd", "?")
    plan, found = Plan[str](rules, START, START + 3000), list[Stamped[str]]()
    while plan.ask() is not None:
        settled = plan.took([odd])
        found += () if settled is None else settled.rows
    assert found == [odd]


def test_windows_grow_again_in_quiet_times() -> None:
    """A busy hour does not make the quiet years behind it slow."""
    rules = Rules(span=1_000_000, most=10)
    server = Server(_records(list(range(0, 1000, 5))), rules)
    windows, requests = walked(server, Plan(rules, START, START + 100_000_000))
    assert len(rows_of(windows)) == 200
    assert requests < 220


def test_the_newest_only() -> None:
    """Without windows there is one request; what it does not reach is a gap up to the oldest record told."""
    rules = Rules(span=0, most=3)
    server = Server(_records([10, 20, 30, 40]), rules)
    [window], requests = walked(server, Plan(rules, START, START + 100))
    assert requests == 1
    assert [row.time - START for row in window.rows] == [20, 30, 40]
    # Another record of the oldest moment may be cut off too.
    assert window.gap == HistoryGap(START, START + 21, "only the newest 3 records are listed")
    [window], _ = walked(Server(_records([10, 20]), rules), Plan(rules, START, START + 100))
    assert window.gap is None


def test_the_newest_only_with_a_floor() -> None:
    """What is longer ago than the exchange tells is a gap, though the reply was not full."""
    rules = Rules(span=0, most=3)
    server = Server(_records([50]), rules)
    [window], _ = walked(server, Plan(rules, START, START + 100, floor=START + 40))
    assert window.gap == HistoryGap(START, START + 40, "it is longer ago than the exchange lists")


def test_an_empty_range_asks_nothing() -> None:
    """Neither windows nor the newest."""
    for rules in (Rules(span=1000, most=3), Rules(span=0, most=3)):
        assert Plan[str](rules, START, START).ask() is None


def test_pages_that_change_while_they_are_turned_are_turned_again() -> None:
    """A total that differs from page to page starts the window anew; one that never agrees is a gap."""
    rules = Rules(span=1000, most=2, pages=100)
    records = _records([10, 20, 30])
    plan = Plan[str](rules, START, START + 1000)
    assert plan.took(records[:2], 3) is None
    assert plan.took(records[:1], 4) is None
    ask = plan.ask()
    assert ask is not None
    assert ask.page == 1
    assert plan.took(records[:2], 3) is None
    settled = plan.took(records[2:], 3)
    assert settled is not None
    assert settled.gap is None
    assert len(settled.rows) == 3

    # A page alone that never agrees with its total is a gap.
    plan = Plan[str](rules, START, START + 1000)
    settled, requests = None, 0
    while settled is None:
        asked = plan.ask()
        assert asked is not None
        settled = plan.took(records[:1] if asked.page == 1 else [], 2)
        requests += 1
    assert settled.gap is not None
    assert settled.gap.reason == "of 2 records 1 are listed"
    assert requests < 100


def test_sums_are_one_window() -> None:
    """What is counted over the range asked for is never split, whatever it holds."""
    rules = Rules(span=1000, most=2, pages=100, sums=True)
    plan = Plan[str](rules, START, START + 10_000)
    rows = [Stamped(0, str(number), "") for number in range(5)]
    asks = list[tuple[int, int, int]]()
    settled = None
    for page in range(3):
        ask = plan.ask()
        assert ask is not None
        asks.append((ask.since, ask.until, ask.page))
        settled = plan.took(rows[page * 2 : page * 2 + 2], 5)
    assert asks == [(START, START + 9_999, page) for page in (1, 2, 3)]
    assert settled is not None
    assert [row.key for row in settled.rows] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("count", [3, 7])
def test_records_whose_own_time_lies_elsewhere_are_kept(count: int) -> None:
    """Should an endpoint filter by another time than the one it tells, nothing it tells is thrown away."""
    rules = Rules(span=1000, most=100)
    plan = Plan[str](rules, START, START + 1000)
    rows = [Stamped(START + 500, str(number), "") for number in range(count)]
    plan = Plan[str](attrs.evolve(rules, span=100), START, START + 1000)
    settled = plan.took(rows)
    assert settled is not None
    assert len(settled.rows) == count
