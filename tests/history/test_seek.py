"""What lies before the first bar, or between two, costs a handful of requests; every bar is found all the same."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, cast

import attrs
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from bitmart_trio._core.endpoint import Endpoint
from bitmart_trio.history._plan import Rules
from bitmart_trio.history._seek import Coarse
from bitmart_trio.history._walk import Cursor, Walk, Walker

MINUTE = 60_000
DAY = 1440 * MINUTE
MONTH = 43_200
SPOT = Coarse((60, 1440, MONTH), most=197)
FUTURES = Coarse((60, 1440, 10_080), most=497)
NOW = int(datetime(2026, 3, 11, 7, 31, tzinfo=UTC).timestamp()) * 1000


@attrs.frozen
class _Time:
    server_time: int


@attrs.frozen
class _Reply:
    data: list[int]
    unreadable: tuple[()] = ()


@attrs.define
class Bars:
    """An exchange that has bars in some spans of minutes, and of longer steps wherever it has shorter ones.

    Args:
        spans: of minutes since 1970, the end not included.
        unfinished: whether a bar in progress is shown.
        week: the weekday on which weeks begin, 0 for Thursday.
        forgets: bars of the walk's own step before this minute are not kept.
    """

    spans: list[tuple[int, int]]
    most: int = 200
    unfinished: bool = True
    week: int = 4
    forgets: int = 0
    asked: list[tuple[int, int]] = attrs.Factory(list[tuple[int, int]])
    """Step and number of bars of every reply."""

    @property
    def system(self) -> Bars:
        return self

    async def time(self) -> Any:
        return _Time(NOW)

    def start(self, minute: int, step: int) -> int:
        if step == MONTH:
            return int(datetime.fromtimestamp(minute * 60, UTC).replace(day=1, hour=0, minute=0).timestamp()) // 60
        off = self.week * 1440 if step == 10_080 else 0
        return (minute - off) // step * step + off

    def times(self, step: int, since: int, until: int) -> list[int]:
        """The bars that begin in a window, newest first, cut without a word."""
        found: set[int] = set()
        for first, last in self.spans:
            begin = max(first, self.forgets if step == 1 else 0)
            for minute in range(max(begin, since // MINUTE - 44_640), min(last, until // MINUTE + 1), min(step, 1440)):
                found.add(self.start(minute, step))
            if last > begin:
                found.add(self.start(last - 1, step))
        if not self.unfinished:
            found = {each for each in found if (each + step) * MINUTE <= NOW}
        inside = sorted((each * MINUTE for each in found if since <= each * MINUTE <= until), reverse=True)
        return inside[: self.most]

    async def call(self, endpoint: Any, /, **arguments: Any) -> Any:
        await trio.lowlevel.checkpoint()
        times = self.times(arguments["step"], arguments["since"], arguments["until"])
        self.asked.append((arguments["step"], len(times)))
        return _Reply(times)


def walker(
    bars: Bars, coarse: Coarse, *, since: int | None, until: int | None = None, cursor: Cursor | None = None
) -> Walker[int]:
    walk: Walk[list[int], int] = Walk(
        name="bars",
        endpoint=cast("Endpoint[list[int]]", None),  # the fake asks nobody
        rules=Rules(span=MINUTE * coarse.most, grain=1000, most=bars.most, even=True),
        pick=lambda data: data,
        time=lambda time: time,
        rank=str,
        start="since",
        end="until",
        size=None,
        coarse=coarse,
    )
    return Walker(walk, bars, {"step": 1}, None, lambda now: now - MINUTE + 1, since=since, until=until, cursor=cursor)


def _minute(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) // 60  # type: ignore[misc,arg-type]


async def _all(walk: Walker[int]) -> list[int]:
    return [time async for time in walk]


@pytest.mark.parametrize(("coarse", "most"), [(SPOT, 200), (FUTURES, 500)])
@pytest.mark.parametrize("since", [None, 1_500_000_000_000])
async def test_years_before_the_first_bar_cost_a_handful_of_requests(
    coarse: Coarse, most: int, since: int | None
) -> None:
    """From 1970 or 2017 to a bar of 2026: everything is found, and no window of the walk is empty but the first."""
    first = _minute(2026, 3, 2, 13, 7)
    bars = Bars([(first, NOW // MINUTE)], most)
    walk = walker(bars, coarse, since=since)
    found = await _all(walk)
    assert found == [each * MINUTE for each in range(first, NOW // MINUTE)]
    assert walk.begins == first * MINUTE
    windows = -(-len(found) // coarse.most)
    assert len(bars.asked) <= windows + 10
    assert sum(count == 0 for step, count in bars.asked if step == 1) == (0 if since is None else 1)
    assert walk.position == walk.until


async def test_windows_join_what_was_passed_to_the_next_one() -> None:
    """No window is empty, and together they tile the range; the requests behind each are there."""
    first = _minute(2026, 3, 9)
    bars = Bars([(first, NOW // MINUTE)])
    walk = walker(bars, SPOT, since=1_500_000_000_000)
    windows = [window async for window in walk.windows()]
    assert all(window.records for window in windows)
    assert windows[0].since == 1_500_000_000_000
    assert all(one.until == two.since for one, two in pairwise(windows))
    assert sum(len(window.reads) for window in windows) == walk.requests == len(bars.asked)


async def test_a_range_without_any_bar_is_one_empty_window() -> None:
    """Eight years of nothing; the present is looked at by the walk's own step."""
    bars = Bars([])
    walk = walker(bars, SPOT, since=1_500_000_000_000)
    [window] = [each async for each in walk.windows()]
    assert (window.since, window.until, window.records) == (1_500_000_000_000, walk.until, ())
    assert len(bars.asked) < 30
    assert walk.begins is None
    assert walker(bars, SPOT, since=None).begins is None


async def test_a_symbol_listed_this_month_is_found_where_bars_in_progress_are_not_shown() -> None:
    """Its month, its day and its hour are not over, so no longer bar says anything of it."""
    first = NOW // MINUTE - 20
    bars = Bars([(first, NOW // MINUTE)], unfinished=False)
    assert await _all(walker(bars, SPOT, since=None)) == [each * MINUTE for each in range(first, NOW // MINUTE)]


async def test_what_short_bars_have_lost_is_looked_for_one_by_one() -> None:
    """Long bars that reach back further than short ones prove nothing, and nothing is skipped for them."""
    first, kept = _minute(2026, 3, 1), _minute(2026, 3, 4)
    bars = Bars([(first, NOW // MINUTE)], forgets=kept)
    assert await _all(walker(bars, SPOT, since=None)) == [each * MINUTE for each in range(kept, NOW // MINUTE)]


async def test_a_resumed_walk_still_says_where_the_data_begin() -> None:
    """The cursor keeps it."""
    first = _minute(2026, 3, 9)
    bars = Bars([(first, NOW // MINUTE)])
    walk = walker(bars, SPOT, since=None)
    for _ in range(300):
        await anext(walk)
    rest = walker(bars, SPOT, since=None, cursor=json.loads(json.dumps(walk.cursor)))
    assert rest.begins == first * MINUTE
    assert len(await _all(rest)) == NOW // MINUTE - first - 300


SPANS = st.lists(st.tuples(st.integers(_minute(2024, 1, 1), NOW // MINUTE - 1), st.integers(1, 3000)), max_size=4)


@given(
    spans=SPANS,
    since=st.one_of(st.none(), st.integers(_minute(2023, 1, 1) * MINUTE, NOW)),
    length=st.integers(0, 1200 * DAY),
    futures=st.booleans(),
    unfinished=st.booleans(),
    week=st.sampled_from((0, 4)),
)
def test_every_bar_is_found(
    spans: Iterable[tuple[int, int]], since: int | None, length: int, futures: bool, unfinished: bool, week: int
) -> None:
    """Wherever they lie, however weeks are aligned, and whether or not those in progress are shown."""
    coarse, most = (FUTURES, 500) if futures else (SPOT, 200)
    bars = Bars([(first, first + size) for first, size in spans], most, unfinished, week)
    until = None if since is None else since + length
    walk = walker(bars, coarse, since=since, until=until)
    found = trio.run(_all, walk)
    assert walk.until is not None
    wanted = {each * MINUTE for first, last in bars.spans for each in range(first, last)}
    assert found == sorted(each for each in wanted if (since or 0) <= each < min(walk.until, NOW - MINUTE + 1))
    assert len(bars.asked) <= len(found) // (coarse.most // 2) + 40 + 25 * len(bars.spans)
