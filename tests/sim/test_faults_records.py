"""Faults in what a list shows: the answers as they come over the wire, and that the same seed shows the same."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TypeAlias, cast

import httpx
import pytest
from faces_support import START, SUBMIT, Floor, open_floor

from bitmart_trio.sim.faults import (
    BlankIds,
    EdgePage,
    EmptyData,
    Fault,
    GatewayJson,
    LateRecord,
    OddRecord,
    Retention,
    RoundedBounds,
    SharedIds,
    ShiftingPages,
    SmallerCap,
    WrongUnit,
)
from bitmart_trio.sim.kernel.calls import Call
from bitmart_trio.sim.kernel.encoding import Json

ENTRIES = "/contract/private/entries"
DAY = 86_400_000
Row: TypeAlias = "dict[str, Json]"


def entry(number: int) -> Row:
    """The older its number, the smaller; one every 1.5 s before the exchange was opened, the newest first."""
    return {"id": str(700 + number), "amount": f"{number}.5", "note": "n", "time": START - number * 1500}


class List:
    """A list of entries at one path of a small exchange, and a reader of it."""

    def __init__(self, floor: Floor, client: httpx.AsyncClient) -> None:
        self.floor = floor
        self.rows: list[Row] = [entry(number) for number in range(20)]
        self._client = client
        floor.small.get(ENTRIES, self._answer)
        floor.small.get("/contract/private/entry", lambda call: self.rows[3])

    def _answer(self, call: Call) -> Json:
        start, end = call.integer("start_time", 0), call.integer("end_time", START)
        page, size = call.integer("page", 1), call.integer("limit", 100)
        found = [row for row in self.rows if start <= cast("int", row["time"]) <= end]
        rows: list[Json] = [*found[(page - 1) * size : page * size]]
        return {"total": len(found), "list": rows}

    async def read(self, **params: int) -> list[Row]:
        """The rows of one answer."""
        data = (await self._client.get(ENTRIES, params=params)).json()["data"]
        return cast("list[Row]", data["list"])

    async def numbers(self, **params: int) -> list[int]:
        """The entries of one answer by their number."""
        return [int(str(row["id"])) - 700 for row in await self.read(**params)]


@asynccontextmanager
async def open_list(*faults: Fault) -> AsyncIterator[List]:
    async with open_floor() as floor, floor.http() as client:
        entries = List(floor, client)
        for fault in faults:
            floor.faults.add(fault)
        yield entries


@pytest.mark.parametrize(("html", "kind"), [(True, "text/html"), (False, "text/plain; charset=UTF-8")])
@pytest.mark.parametrize("status", [403, 451, 520, 530])
async def test_an_edge_page_is_no_answer_of_the_exchange(status: int, html: bool, kind: str) -> None:
    """No JSON, the headers of the edge, and the request never arrived."""
    async with open_floor() as floor, floor.http() as client:
        floor.faults.add(EdgePage(SUBMIT, status=status, html=html, retry_after=7))
        page = await client.post(SUBMIT, json={"id": "a"})
        assert (page.status_code, page.headers["content-type"], page.headers["retry-after"]) == (status, kind, "7")
        assert page.headers["server"] == "cloudflare"
        with pytest.raises(ValueError, match="Expecting value"):
            page.json()
        assert floor.small.orders == []
        floor.faults.add(EdgePage(SUBMIT, handled=True))
        assert "retry-after" not in (await client.post(SUBMIT, json={"id": "b"})).headers
        assert floor.small.orders == ["b"]


@pytest.mark.parametrize("handled", [True, False])
async def test_a_gateway_speaks_json_of_its_own(handled: bool) -> None:
    """A code that no table knows; whether the exchange took the order is not in it."""
    async with open_floor() as floor, floor.http() as client:
        floor.faults.add(GatewayJson(SUBMIT, status=504, code=408, handled=handled))
        answer = await client.post(SUBMIT, json={"id": "a"})
        assert (answer.status_code, answer.json()) == (504, {"code": 408, "message": "timeout"})
        assert floor.small.orders == (["a"] if handled else [])


async def test_empty_data_says_success_and_nothing_else() -> None:
    """As recorded: status 200, code 1000, an empty object where a list belongs."""
    async with open_floor() as floor, floor.http() as client:
        floor.faults.add(EmptyData(SUBMIT))
        answer = await client.post(SUBMIT, json={"id": "a"})
        assert answer.status_code == 200
        assert answer.json() | {"trace": ""} == {
            "code": 1000, "message": "This service is down", "trace": "", "data": {},
        }  # fmt: skip
        assert floor.small.orders == []


async def test_two_by_two_records_share_an_id() -> None:
    """Their contents differ, the id is the same, and it stays so in every later answer."""
    async with open_list(SharedIds()) as entries:
        rows = await entries.read()
        ids = [row["id"] for row in rows]
        assert len(set(ids)) == 10
        assert all(ids.count(each) == 2 for each in ids)
        assert len({json.dumps({**row, "id": ""}) for row in rows}) == 20
        assert await entries.read() == rows
        assert await entries.read(end_time=START - 4500) == rows[3:]


async def test_blank_ids() -> None:
    """Nothing else is changed, and a look-up has none either."""
    async with open_list(BlankIds()) as entries, entries.floor.http() as client:
        assert await entries.read() == [{**entry(number), "id": ""} for number in range(20)]
        assert (await client.get("/contract/private/entry")).json()["data"] == {**entry(3), "id": ""}


@pytest.mark.parametrize(
    ("fault", "numbers"),
    [
        (RoundedBounds(), [2, 3, 4]),
        (RoundedBounds(inwards=True), [3]),
        (RoundedBounds(unit_ms=60_000), [*range(20)]),
        (RoundedBounds(unit_ms=60_000, inwards=True), []),
    ],
)
async def test_bounds_are_rounded(fault: Fault, numbers: list[int]) -> None:
    """Asked for the half second around the third entry: more, or less, is shown."""
    async with open_list() as entries:
        window = {"start_time": START - 5900, "end_time": START - 3100}
        assert await entries.numbers(**window) == [3]
        handle = entries.floor.faults.add(fault)
        found = await entries.numbers(**window)
        assert found == numbers
        assert handle.hits == 1


async def test_bounds_on_the_grid_are_no_hit() -> None:
    """Only what was changed counts."""
    async with open_list(RoundedBounds()) as entries:
        assert await entries.numbers(start_time=START - 6000, end_time=START - 3000) == [2, 3, 4]
        assert entries.floor.faults.hits["RoundedBounds"] == 0


@pytest.mark.parametrize(("how", "lost", "twice"), [("lost", {6}, set()), ("twice", set(), {5})])
async def test_pages_shift_while_they_are_turned(how: str, lost: set[int], twice: set[int]) -> None:
    """The total says twenty; one is never shown, or one is shown twice."""
    async with open_list(ShiftingPages(how=how)) as entries:
        shown: list[int] = []
        for page in range(1, 6):
            shown += await entries.numbers(page=page, limit=6)
        assert {each for each in range(20) if each not in shown} == lost
        assert {each for each in shown if shown.count(each) > 1} == twice


async def test_a_smaller_cap_cuts_lists_and_divides_pages() -> None:
    """What a page leaves out is on the next one."""
    async with open_list(SmallerCap(n=4)) as entries:
        assert await entries.numbers() == [0, 1, 2, 3]
        assert await entries.numbers(limit=10) == [0, 1, 2, 3]
        assert await entries.numbers(limit=3) == [0, 1, 2]
        pages = [await entries.numbers(page=page, limit=6) for page in range(1, 7)]
        assert pages == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15], [16, 17, 18, 19], []]


@pytest.mark.parametrize("how", ["missing", "blank"])
async def test_an_odd_record_is_odd_again(how: str) -> None:
    """Some of the records, the same ones each time; the others are as they were."""
    async with open_list(OddRecord(how=how, every=4)) as entries:
        rows = await entries.read()
        odd = [number for number in range(20) if rows[number] != entry(number)]
        assert 1 <= len(odd) <= 12
        for number in odd:
            changed = [name for name, value in entry(number).items() if rows[number].get(name) != value]
            assert len(changed) == 1
            assert rows[number].get(changed[0], "missing") in (("missing",) if how == "missing" else ("", None))
        assert await entries.read() == rows


async def test_an_odd_record_lacks_the_member_that_is_named() -> None:
    """Every record, one member."""
    async with open_list(OddRecord(member="amount", every=1)) as entries:
        assert all(set(row) == {"id", "note", "time"} for row in await entries.read())


async def test_a_wrong_unit() -> None:
    """Seconds where milliseconds belong."""
    async with open_list(WrongUnit()) as entries:
        assert [row["time"] for row in await entries.read()] == [
            (START - number * 1500) // 1000 for number in range(20)
        ]


async def test_old_records_are_left_out_or_refused() -> None:
    """By their own time; a window that begins earlier is refused by the other kind."""
    async with open_list(Retention(days=11_000 / DAY)) as entries:
        assert await entries.numbers() == [*range(8)]
        assert await entries.numbers(start_time=START - 9000) == [*range(7)]
    async with open_list(Retention(days=11_000 / DAY, how="refused")) as entries, entries.floor.http() as client:
        assert await entries.numbers() == [*range(8)]
        refused = await client.get(ENTRIES, params={"start_time": START - 60_000})
        assert refused.json()["code"] == 40039
        assert (await client.get(ENTRIES, params={"start_time": START - 9000})).json()["code"] == 1000


async def test_late_records_appear_one_by_one() -> None:
    """A later one may be there before an earlier one; after the longest delay all are."""
    async with open_list(LateRecord(seconds=20)) as entries:
        seen: list[list[int]] = []
        for _ in range(21):
            seen.append(await entries.numbers())
            entries.floor.small.clock.step(1000)
        assert all(set(before) <= set(after) for before, after in pairwise(seen))
        assert seen[-1] == [*range(20)]
        assert any(shown != [*range(shown[0], 20)] for shown in seen)
    async with open_list(LateRecord(seconds=4, spread=False)) as entries:
        assert await entries.numbers() == [*range(3, 20)]


async def test_faults_compose() -> None:
    """Each spoils what the one before it made, and each counts its own hits."""
    async with open_list(SmallerCap(n=5), BlankIds(), WrongUnit(), OddRecord(member="note", every=1)) as entries:
        assert await entries.read() == [
            {"id": "", "amount": f"{number}.5", "time": (START - number * 1500) // 1000} for number in range(5)
        ]
        assert entries.floor.faults.hits == {"SmallerCap": 1, "BlankIds": 1, "WrongUnit": 1, "OddRecord": 1}


async def test_chance_times_and_writes() -> None:
    """Faults of answers can end and be left to chance like all others; what writes is not theirs."""
    async with open_list(BlankIds(times=2), WrongUnit(chance=0.5)) as entries, entries.floor.http() as client:
        rows = [(await entries.read())[0] for _ in range(40)]
        assert [row["id"] == "" for row in rows] == [True, True] + [False] * 38
        assert 8 < sum(row["time"] == START for row in rows) < 32
        entries.floor.faults.add(BlankIds(SUBMIT))
        assert (await client.post(SUBMIT, json={"id": "a"})).json()["data"] == {"order_id": "a"}
