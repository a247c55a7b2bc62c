"""The control endpoints of the simulated exchange."""

from __future__ import annotations

import json
import re
import tomllib
from decimal import Decimal
from importlib import resources
from pathlib import Path

import httpx
import pytest
import trio
import trio.testing
from faces_support import START, TICKER, open_floor, spot_frame
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim.faces import page
from bitmart_trio.sim.faces.inspection import EVENTS_MOST
from bitmart_trio.sim.faces.page import PAGES
from bitmart_trio.sim.faces.websocket import Limits
from bitmart_trio.sim.faults import FAULTS, Fail5xx, LoseReply
from bitmart_trio.sim.faults.text import fault_from


async def test_state_shows_what_there_is(autojump_clock: MockClock) -> None:
    """Time, accounts with balances, connections, faults, counters; never a key or a secret."""
    async with open_floor() as floor, floor.http() as client:
        socket = await floor.socket("spot/private")
        await socket.login(str(START))
        await socket.ask({"op": "subscribe", "args": ["spot/user/orders:ALL_SYMBOLS"]})
        floor.faults.add(LoseReply("/nowhere"))
        reply = await client.get("/sim/state")
        state = reply.json()
        assert state["time"] == START
        assert state["accounts"][0]["spot"] == {"USDT": {"available": "100", "frozen": "0"}}
        assert state["connections"][0] | {"name": ""} == {
            "name": "",
            "kind": "spot/private",
            "address": "127.0.0.1",
            "topics": ["spot/user/orders:ALL_SYMBOLS"],
            "account": "1",
            "sent": 2,
            "received": 2,
            "queued": 0,
        }
        assert state["faults"][0]["path"] == "/nowhere"
        assert state["counters"]["opened"] == {"spot/private": 1}
        assert "sim-secret" not in reply.text
        assert "sim-key" not in reply.text


async def test_faults_by_request() -> None:
    """Text or JSON adds one, GET lists them with their hits, DELETE ends all; nonsense is refused with the reason."""
    async with open_floor() as floor, floor.http() as client:
        assert (await client.post("/sim/faults", content=f"Fail5xx:path={TICKER},times=2")).status_code == 200
        assert (await client.get(TICKER)).status_code == 503
        added = await client.post("/sim/faults", json={"fault": "MuteTopic", "topic": "spot/*"})
        assert added.json()["added"]["topic"] == "spot/*"
        listed = (await client.get("/sim/faults")).json()["faults"]
        assert [(fault["fault"], fault["hits"]) for fault in listed] == [("Fail5xx", 1), ("MuteTopic", 0)]
        assert (await client.delete("/sim/faults")).json() == {"ended": 2}
        assert (await client.get(TICKER)).status_code == 200
        wrong = await client.post("/sim/faults", content="Nope")
        assert wrong.status_code == 400
        assert "no fault named" in wrong.json()["error"]


async def test_one_fault_is_ended_by_its_id() -> None:
    """Ids are given in the order of adding and never twice; what is not active is not found."""
    async with open_floor() as floor, floor.http() as client:
        first = (await client.post("/sim/faults", content="LatePong")).json()["added"]["id"]
        second = (await client.post("/sim/faults", content="LatePong:seconds=9")).json()["added"]["id"]
        assert second > first
        assert (await client.delete(f"/sim/faults/{first}")).json() == {"ended": 1}
        assert [fault["id"] for fault in (await client.get("/sim/faults")).json()["faults"]] == [second]
        assert (await client.delete(f"/sim/faults/{first}")).status_code == 404
        assert (await client.delete("/sim/faults/x")).status_code == 404
        assert (await client.post("/sim/faults", content="LatePong")).json()["added"]["id"] > second


async def test_every_kind_of_fault_is_told_with_what_a_form_needs() -> None:
    """For each fault: what it does, what a client should do, and each field; its defaults make that fault."""
    async with open_floor() as floor, floor.http() as client:
        kinds = (await client.get("/sim/faults/kinds")).json()["kinds"]
        assert [kind["fault"] for kind in kinds] == list(FAULTS)
        for kind in kinds:
            assert kind["does"].endswith(".")
            assert kind["client"].startswith("A client ")
            assert all(field["help"] for field in kind["fields"])
            assert {field["type"] for field in kind["fields"]} <= {"text", "integer", "number", "flag"}
            given = {field["name"]: field["default"] for field in kind["fields"]}
            assert fault_from({"fault": kind["fault"], **given}) == FAULTS[kind["fault"]]()


async def test_state_holds_what_is_asked_for() -> None:
    """Books and trades of the symbols that are named; the event log from an offset, with the offset to go on from."""
    async with bm.sim.open_exchange(seed=3, live=False) as venue:
        async with httpx.AsyncClient(transport=venue.http_transport(), base_url="http://sim.invalid") as client:
            plain = (await client.get("/sim/state")).json()
            assert not {"books", "trades", "events"} & set(plain)
            assert {market["symbol"] for market in plain["markets"]} == set(plain["symbols"])
            asked = "symbol=BTC_USDT&symbol=BTCUSDT&symbol=NOPE&levels=3&trades=2&since=0"
            state = (await client.get(f"/sim/state?{asked}")).json()
            assert list(state["books"]) == list(state["trades"]) == ["BTC_USDT", "BTCUSDT"]
            for book in state["books"].values():
                assert len(book["bids"]) == len(book["asks"]) == 3
                assert Decimal(book["bids"][0][0]) < Decimal(book["asks"][0][0])
            assert [trade["side"] in ("buy", "sell") for trade in state["trades"]["BTC_USDT"]] == [True, True]
            await client.get("/spot/v1/symbols")
            more = (await client.get("/sim/state", params={"since": state["events"]["next"]})).json()["events"]
            assert "/spot/v1/symbols" in [line.get("path") for line in more["lines"]]
            assert more["next"] == state["events"]["next"] + len(more["lines"])
            assert (await client.get("/sim/state", params={"since": "x"})).status_code == 400


async def test_a_long_log_is_told_by_its_end() -> None:
    """More events than an answer carries: the latest, and how many are missing before them."""
    async with open_floor() as floor, floor.http() as client:
        for number in range(EVENTS_MOST + 10):
            floor.small.log.write("test", number=number)
        events = (await client.get("/sim/state?since=3")).json()["events"]
        assert (events["missed"], len(events["lines"])) == (7, EVENTS_MOST)
        assert events["lines"][-1]["number"] == EVENTS_MOST + 9
        ahead = (await client.get("/sim/state?since=999999")).json()["events"]
        assert (ahead["missed"], ahead["lines"], ahead["next"]) == (0, [], EVENTS_MOST + 10)


async def test_events_are_chosen_by_kind_and_text() -> None:
    """Among all that the log has, not among the newest alone; of the same choice, the log is the lines."""
    async with open_floor() as floor, floor.http() as client:
        log = floor.small.log
        log.write("request", path="/early")
        for number in range(EVENTS_MOST * 3):
            log.write("frame", topic="Trade", number=number)
            log.write("match", maker=None, taker="7" if number % 500 == 0 else None, number=number)
        for query, count in (
            ("kind=request", 1), ("find=EARLY", 1), ("quiet=1", 4), ("kind=match&find=%22taker%22:%227%22", 3),
            ("kind=request&kind=frame", EVENTS_MOST), ("find=nothing", 0), ("kind=request&quiet=0&find=", 1),
        ):  # fmt: skip
            events = (await client.get(f"/sim/state?since=0&{query}")).json()["events"]
            assert (len(events["lines"]), len(events["numbers"]), events["next"]) == (count, count, log.written), query
            assert events["numbers"] == sorted(events["numbers"])
            assert [list(log.lines)[number] for number in events["numbers"]] == events["lines"]
            assert bool(events["missed"]) is (count == EVENTS_MOST)
            lines = (await client.get(f"/sim/log?{query}")).text.splitlines()
            assert [json.loads(line) for line in lines][-count or 1 :] == events["lines"]
        later = (await client.get(f"/sim/state?quiet=1&since={log.written - 2}")).json()["events"]
        assert (later["lines"], later["missed"], later["first_ms"]) == ([], 0, log.lines[0]["ms"])


async def test_candles_of_both_markets() -> None:
    """As REST has them, oldest first; of lengths that there are, and no more than is asked for."""
    async with bm.sim.open_exchange(seed=3, live=False) as venue:
        async with httpx.AsyncClient(transport=venue.http_transport(), base_url="http://sim.invalid") as client:
            asked = "symbol=BTC_USDT&symbol=BTCUSDT&symbol=NOPE&candles=5&bars=4"
            candles = (await client.get(f"/sim/state?{asked}")).json()["candles"]
            assert list(candles) == ["BTC_USDT", "BTCUSDT"]
            rest = (await client.get("/spot/quotation/v3/klines?symbol=BTC_USDT&step=5&limit=4")).json()["data"]
            shown = [[ms // 1000, *map(Decimal, prices)] for ms, *prices in candles["BTC_USDT"]]
            assert shown == [[int(row[0]), *map(Decimal, row[1:6])] for row in reversed(rest)]
            assert [row[0] for row in candles["BTCUSDT"]] == [row[0] for row in candles["BTC_USDT"]]
            for wrong in ("candles=7", "candles=x", "candles=5&bars=-1"):
                assert (await client.get(f"/sim/state?symbol=BTC_USDT&{wrong}")).status_code == 400
            assert "candles" not in (await client.get("/sim/state?candles=5")).json()


def test_what_the_page_is_drawn_with_keeps_its_licence() -> None:
    """The library's file says whose it is, and its licence is with it in the package and named in the project."""
    (_, script), licence = PAGES["/sim/uplot.js"], resources.files(page).joinpath("uplot.LICENSE").read_text()
    assert script.startswith(b"/*! https://github.com/leeoniya/uPlot (v1.6.32) */")
    assert licence.startswith("The MIT License (MIT)")
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "bitmart_trio/sim/faces/page/uplot.LICENSE" in project["license-files"]


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
    ],
)
async def test_the_root_says_where_things_are(accept: str | None, content_type: str) -> None:
    """JSON to programs, a page to browsers; every place that is named is there."""
    async with bm.sim.open_exchange(seed=3, live=False) as venue:
        async with httpx.AsyncClient(transport=venue.http_transport(), base_url="http://sim.invalid") as client:
            client.headers.pop("Accept")
            reply = await client.get("/", headers={} if accept is None else {"Accept": accept})
            assert (reply.status_code, reply.headers["content-type"]) == (200, content_type)
            assert reply.headers["vary"].startswith("Accept")
            assert reply.headers["content-security-policy"].startswith("default-src 'none'")
            if content_type == "application/json":
                found = reply.json()
                places, sockets = list(found["places"]), found["sockets"]
                assert found["account"] == {"key": "sim-key", "secret": "sim-secret", "memo": "sim-memo"}
            else:
                places = re.findall(r'<a href="([^"]+)">', reply.text)
                sockets = re.findall(r"<code>(/ws/[^<]+)</code>", reply.text)
            assert len(places) == 5
            assert sockets == ["/ws/spot/public", "/ws/spot/private", "/ws/futures/public", "/ws/futures/private"]
            for place in places:
                assert (await client.get(place)).status_code == 200
            for socket in sockets:
                assert (await client.get(socket)).status_code == 426
            assert (await client.post("/")).status_code == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": "evil.example:8765", "Origin": "http://evil.example:8765"},
        {"Host": "evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://sim.invalid"},
        {"Host": "[evil"},
        {"Host": "evil.example\\@127.0.0.1"},
    ],
)
async def test_a_page_of_somebody_else_has_no_say(headers: dict[str, str]) -> None:
    """Neither across origins nor by a name that was made to lead here; nothing is changed."""
    async with open_floor() as floor, floor.http() as client:
        floor.faults.add(LoseReply("/nowhere"))
        for method, path in (
            ("POST", "/sim/faults"),
            ("DELETE", "/sim/faults"),
            ("POST", "/sim/clock"),
            ("POST", "/sim/drop"),
            ("POST", "/sim/accounts"),
        ):
            refused = await client.request(method, path, content="LatePong", headers=headers)
            assert refused.status_code in (400, 403), (method, path)
            assert "access-control-allow-origin" not in refused.headers
        assert [type(handle.fault) for handle in floor.faults.active] == [LoseReply]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "127.0.0.1:8765", "Origin": "http://127.0.0.1:8765", "Sec-Fetch-Site": "same-origin"},
        {"Host": "[::1]:8765", "Origin": "http://[::1]:8765"},
        {"Host": "localhost:8765", "Origin": "http://localhost:8765"},
        {"Host": "exchange:8765"},
        {"Host": "exchange.lab.example"},
    ],
)
async def test_our_own_page_and_programs_may(headers: dict[str, str]) -> None:
    """By address, by local name, by a name without dots, by a name that the limits allow."""
    limits = Limits(allowed_hosts=frozenset({"exchange.lab.example"}))
    async with open_floor(limits) as floor, floor.http() as client:
        assert (await client.post("/sim/faults", content="LatePong", headers=headers)).status_code == 200
        assert (await client.get("/sim/state", headers=headers)).status_code == 200


async def test_the_page_is_there_and_can_load_nothing_from_elsewhere() -> None:
    """Three files, found from ``/sim`` too; the browser is told to take scripts from here alone and no frame around."""
    async with open_floor() as floor, floor.http() as client:
        assert (await client.get("/sim")).headers["location"] == "/sim/"
        for path, content_type in (("", "text/html"), ("page.css", "text/css"), ("page.js", "text/javascript")):
            reply = await client.get(f"/sim/{path}")
            assert (reply.status_code, reply.headers["content-type"].partition(";")[0]) == (200, content_type)
            policy = reply.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert "://" not in reply.text
        assert (await client.post("/sim/")).status_code == 405


async def test_control_is_beyond_faults() -> None:
    """A fault on every path leaves the way to end it."""
    async with open_floor() as floor, floor.http() as client:
        floor.faults.add(Fail5xx("*", None))
        assert (await client.get("/sim/state")).status_code == 200
        assert (await client.delete("/sim/faults")).status_code == 200


async def test_the_clock_is_read_and_set(autojump_clock: MockClock) -> None:
    """A skew is set, a step is added; time does not run backwards."""
    async with open_floor() as floor, floor.http() as client:
        assert (await client.get("/sim/clock")).json() == {"now_ms": START, "skew_ms": 0, "held": False}
        assert (await client.post("/sim/clock", json={"skew_ms": -500})).json() == {
            "now_ms": START - 500,
            "skew_ms": -500,
            "held": False,
        }
        assert (await client.post("/sim/clock", json={"step_ms": 1000})).json()["now_ms"] == START + 500
        for wrong in ({}, {"step_ms": -1}, {"step_ms": 10**11}, {"skew_ms": "1"}, {"skew_ms": True}, {"hold": 1}, [1]):
            assert (await client.post("/sim/clock", json=wrong)).status_code == 400


async def test_the_market_lives_through_a_step(autojump_clock: MockClock) -> None:
    """In ticks of its own or as wide as told: nothing that is due is skipped in one leap."""
    async with open_floor() as floor, floor.http() as client:
        await client.post("/sim/clock", json={"step_ms": 1050})
        assert floor.small.ticks == 11
        await client.post("/sim/clock", json={"step_ms": 3_600_000, "tick_ms": 1000})
        assert floor.small.ticks == 11 + 3600
        assert (await client.get("/sim/clock")).json()["now_ms"] == START + 1050 + 3_600_000
        assert (await client.post("/sim/clock", json={"step_ms": 10_000, "tick_ms": 1})).status_code == 400


async def test_a_client_that_reads_hears_of_all_that_a_step_brings(autojump_clock: MockClock) -> None:
    """A step waits for its listeners, so that a leap drops none of them; a dead one is not waited for."""
    async with open_floor() as floor, floor.http() as client:
        dead = await floor.socket("futures/public")
        await dead.ask({"action": "subscribe", "args": ["futures/ticker:BTCUSDT"]})
        heard: list[object] = []
        small = floor.small

        def tick() -> None:
            small.feed.publish("spot/ticker:BTC_USDT", spot_frame("BTC_USDT", str(floor.small.ticks)))
            small.feed.publish("futures/ticker:BTCUSDT", {"group": "futures/ticker:BTCUSDT", "data": {"x": "y" * 1000}})
            small.ticks += 1

        small.tick = tick  # type: ignore[method-assign]
        async with trio.open_nursery() as nursery:

            async def listen() -> None:
                socket = await floor.socket("spot/public")
                await socket.ask({"op": "subscribe", "args": ["spot/ticker:BTC_USDT"]})
                subscribed.set()
                while True:
                    heard.append(await socket.get())

            subscribed = trio.Event()
            nursery.start_soon(listen)
            await subscribed.wait()
            await client.post("/sim/clock", json={"step_ms": 6_000_000, "tick_ms": 1000})
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert len([frame for frame in heard if "first" not in str(frame)]) == 6000


async def test_the_clock_can_be_held(autojump_clock: MockClock) -> None:
    """Held, only steps move it; let go, it runs on from where it stood."""
    async with open_floor() as floor, floor.http() as client:
        assert (await client.post("/sim/clock", json={"hold": True})).json()["held"] is True
        await trio.sleep(60)
        assert (await client.post("/sim/clock", json={"step_ms": 1000})).json()["now_ms"] == START + 1000
        assert (await client.post("/sim/clock", json={"hold": False})).json()["held"] is False
        await trio.sleep(1)
        assert (await client.get("/sim/clock")).json()["now_ms"] == START + 2000


async def test_the_log_is_json_lines() -> None:
    """Each line is one event with its kind."""
    async with open_floor() as floor, floor.http() as client:
        await client.get(TICKER)
        lines = [json.loads(line) for line in (await client.get("/sim/log")).text.splitlines()]
        assert any(line["kind"] == "request" and line["path"] == TICKER for line in lines)


async def test_drop_breaks_sockets_off() -> None:
    """All of them, or those of a kind."""
    async with open_floor() as floor, floor.http() as client:
        await floor.socket("spot/public")
        await floor.socket("futures/public")
        assert (await client.post("/sim/drop", json={"kind": "spot/*"})).json() == {"dropped": 1}
        assert (await client.post("/sim/drop")).json() == {"dropped": 1}
        assert (await client.post("/sim/drop", json={"kind": 3})).status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"account_id": "1"},
        {"key": "sim-key"},
        {"memo": ""},
        {"balances": {"USDT": "much"}},
        {"balances": {"USDT": "-1"}},
        {"balances": ["USDT"]},
        {"permissions": ["fly"]},
        {"permissions": "read"},
    ],
)
async def test_accounts_can_be_added(wrong: dict[str, object]) -> None:
    """A new account can be used at once; what makes no sense is refused."""
    account = {
        "account_id": "2",
        "key": "k2",
        "secret": "s2",
        "memo": "m2",
        "balances": {"USDT": "5.5"},
        "permissions": ["read"],
    }
    async with open_floor() as floor, floor.http() as client:
        assert (await client.post("/sim/accounts", json=account | wrong)).status_code == 400
        assert floor.small.accounts.by_key("k2") is None
        assert (await client.post("/sim/accounts", json=account)).json() == {"added": "2"}
        found = floor.small.accounts.by_key("k2")
        assert found is not None
        assert str(found[0].spot.available("USDT")) == "5.5"
        assert (await client.put("/sim/accounts")).status_code == 405
