"""The control endpoints of the simulated exchange."""

from __future__ import annotations

import json

import pytest
from faces_support import START, TICKER, open_floor
from trio.testing import MockClock

from bitmart_trio.sim.faults import Fail5xx, LoseReply


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


async def test_control_is_beyond_faults() -> None:
    """A fault on every path leaves the way to end it."""
    async with open_floor() as floor, floor.http() as client:
        floor.faults.add(Fail5xx("*", None))
        assert (await client.get("/sim/state")).status_code == 200
        assert (await client.delete("/sim/faults")).status_code == 200


async def test_the_clock_is_read_and_set(autojump_clock: MockClock) -> None:
    """A skew is set, a step is added; time does not run backwards."""
    async with open_floor() as floor, floor.http() as client:
        assert (await client.get("/sim/clock")).json() == {"now_ms": START, "skew_ms": 0}
        assert (await client.post("/sim/clock", json={"skew_ms": -500})).json() == {
            "now_ms": START - 500,
            "skew_ms": -500,
        }
        assert (await client.post("/sim/clock", json={"step_ms": 1000})).json()["now_ms"] == START + 500
        for wrong in ({}, {"step_ms": -1}, {"skew_ms": "1"}, {"skew_ms": True}, [1]):
            assert (await client.post("/sim/clock", json=wrong)).status_code == 400


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
