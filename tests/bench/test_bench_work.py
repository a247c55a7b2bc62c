"""The bench does the work that it says it measures. Nothing here looks at a clock: how fast is for people to read."""

from __future__ import annotations

import json
import re
import zlib
from typing import Any

import pytest

from . import __main__ as command
from . import runs, virtual_day, work
from .events import Costs
from .scenario import OURS, Scenario
from .scenarios import SCENARIOS

BY_NAME = {each.name: each for each in SCENARIOS}


@pytest.mark.parametrize(
    "name",
    [
        "stream futures trade text",
        "stream spot depth deflate",
        "REST signed POST, one after the other",
        "decode 1,500 tickers",
        "paced at 1,000/s futures trade text",
        "stream futures depth, 30 % removals, unevenly spelled",
    ],
)
def test_we_do_the_work_right(name: str) -> None:
    """A tiny part of it, over real sockets where there are some: as many messages as asked for, the right one last."""
    runs.prove(BY_NAME[name], OURS)


def test_both_books_end_with_the_same_prices() -> None:
    """Ours and, where it is installed, the sorted dictionary's, after the same updates."""
    scenario = BY_NAME["order book, 10 changes and best prices"]
    peers = [peer for peer in (OURS, "sorted_dict") if runs.installed(peer)]
    found = {runs.run_once(scenario, peer, shrink=20)["read"] for peer in peers}
    assert found == {"['29999.99', '30000.02']"}


def test_names_are_unique_and_goals_have_peers() -> None:
    """A goal against somebody who is not asked would never be looked at."""
    assert len(BY_NAME) == len(SCENARIOS)
    for each in SCENARIOS:
        assert set(each.goals) <= set(each.peers)
        assert set(each.variants) <= set(each.peers)


@pytest.mark.parametrize("market", ["spot", "futures"])
@pytest.mark.parametrize("kind", work.KINDS)
def test_frames_hold_what_the_exchange_would_push(market: work.Market, kind: work.Kind) -> None:
    """Text and deflated frames carry the same JSON, with the price that readers are checked by."""
    topic = work.topics(market, kind, 1)[0]
    told = json.loads(work.message(market, kind, topic, 7))
    assert work.price(7) in json.dumps(told)
    text, packed = work.frames(market, kind, "text", [topic])[7], work.frames(market, kind, "deflate", [topic])[7]
    assert json.loads(text[_head(text) :]) == told
    assert json.loads(zlib.decompress(packed[_head(packed) :], -15)) == told


def _head(frame: bytes) -> int:
    return {126: 4, 127: 10}.get(frame[1], 2)


def test_a_goal_is_met_by_the_median() -> None:
    """A cost must not be above it, a rate not below."""
    cpu = Scenario(name="x", server="", plan={}, peers=("a",), goals={"a": 0.5})
    assert runs.Result(cpu, {OURS: [1, 1, 9], "a": [2, 2, 2]}).met("a")
    assert not runs.Result(cpu, {OURS: [1.2, 1.2, 0.1], "a": [2, 2, 2]}).met("a")
    rate = Scenario(name="x", server="", plan={}, peers=("a", "b"), goals={"a": 1.3}, cost="rate")
    assert runs.Result(rate, {OURS: [14], "a": [10], "b": [1]}).met("a")
    assert runs.Result(rate, {OURS: [12], "a": [10], "b": [1]}).met("a") is False
    assert runs.Result(rate, {OURS: [12], "a": [10], "b": [1]}).met("b") is None


def test_a_slide_is_flagged() -> None:
    """More than 15 % worse than the baseline, whichever direction is worse; new scenarios and peers have no slide."""

    def result(ratio: float, cost: str = "cpu") -> dict[str, Any]:
        return {"cost": cost, "ratios": {"npm": {"ratio": ratio}}}

    before = {"a": result(1.0), "b": result(1.0, "rate")}
    assert command.slides({"a": result(1.14), "b": result(0.9, "rate"), "c": result(9)}, before) == []
    assert len(command.slides({"a": result(1.16), "b": result(0.8, "rate")}, before)) == 2


def test_events_of_the_exchange_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """A short virtual day has ticks, matches and pushes, each with a cost of its own, and leaves nothing timed."""
    from bitmart_trio.sim.exchange import Exchange

    tick = Exchange.tick
    assert virtual_day.main(["--hours", "0.02", "--tick", "0.5"]) == 0
    shown = capsys.readouterr().out
    for event in ("tick", "match", "push"):
        found = re.search(rf"^  {event} +([\d.,]+) us, ([\d,]+) times: ", shown, re.MULTILINE)
        assert found is not None, shown
        assert float(found[1].replace(",", "")) > 0
        assert int(found[2].replace(",", "")) > 20
    assert Exchange.tick is tick


def test_time_spent_in_another_event_is_not_counted_twice() -> None:
    """An event inside another one is taken out of it."""
    costs = Costs()

    def inner() -> None:
        sum(range(200_000))

    def outer() -> None:
        costs.timed("match", inner)()
        costs.timed("match", inner)()

    costs.timed("tick", outer)()
    assert costs.count == {"tick": 1, "match": 2, "push": 0}
    assert costs.nanoseconds["tick"] < costs.nanoseconds["match"] / 4
    assert set(costs.microseconds()) == {"tick", "match"}


def test_a_paced_message_says_when_it_was_sent() -> None:
    """Nothing but its id is another, and the frame around it fits."""
    plain = work.message("futures", "trade", "futures/trade:BTCUSDT", 7)
    stamped = work.stamped(work.frame(plain, "text"), 12_345)
    told, before = json.loads(stamped[_head(stamped) :]), json.loads(plain)
    assert told["data"][0].pop("trade_id") == 12_345
    del before["data"][0]["trade_id"]
    assert told == before


def test_one_run_gives_several_costs() -> None:
    """A row that is another cost of the same runs says what those have told."""
    scenario = Scenario(name="p99", server="", plan={}, peers=("a",), cost="p99", goals={"a": 1.0}, of="p50")
    told = {OURS: [{"p50": 1.0, "p99": 4.0}], "a": [{"p50": 1.0, "p99": 2.0}]}
    result = runs.Result(scenario, {}, {}, told).by(scenario)
    assert result.costs == {OURS: [4.0], "a": [2.0]}
    assert result.met("a") is False


def test_rows_of_the_same_runs_do_the_same_work() -> None:
    """Otherwise the second would say something of the first that nobody has measured."""
    for each in SCENARIOS:
        if each.of:
            other = BY_NAME[each.of]
            assert (other.plan, other.peers, other.server_plan) == (each.plan, each.peers, each.server_plan)
