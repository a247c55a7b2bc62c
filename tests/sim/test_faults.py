"""Faults as objects: how they are written, where and how often they hit, and how they end."""

from __future__ import annotations

from random import Random

import pytest
import trio
from every_case import every_case
from trio.testing import MockClock

from bitmart_trio import sim
from bitmart_trio.sim.faults import (
    FAULTS,
    ClockSkew,
    Delay,
    Drop,
    Fail5xx,
    FaultError,
    Faults,
    LatePong,
    LoseReply,
    MuteTopic,
    RefuseConnect,
    Stall,
    stretch,
)
from bitmart_trio.sim.faults.text import describe_fault, fault_from, parse_fault
from bitmart_trio.sim.kernel.clock import Clock

SUBMIT = "/spot/v2/submit_order"


def bound(seed: int = 0) -> Faults:
    faults = Faults()
    faults.bind(Clock(0), Random(seed))
    return faults


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("LoseReply:path=/spot/v2/submit_order,times=1", LoseReply(SUBMIT, 1)),
        ("LoseReply", LoseReply()),
        ("lose-reply:/spot/v2/submit_order", LoseReply(SUBMIT)),
        ("mute_topic:spot/ticker:BTC_USDT", MuteTopic("spot/ticker:BTC_USDT")),
        ("MuteTopic:topic=futures/depth20:BTCUSDT@200ms,times=3", MuteTopic("futures/depth20:BTCUSDT@200ms", 3)),
        ("Delay: seconds=2.5 , before=no, times=none", Delay(seconds=2.5, before=False, times=None)),
        ("ClockSkew:-5000", ClockSkew(-5000)),
        ("RefuseConnect:http", RefuseConnect("http", 1)),
        ("Stall:spot/*", Stall("spot/*")),
        ("Drop:after=3,chance=0.5,lasting=60", Drop(after=3, chance=0.5, lasting=60)),
        (
            '{"fault": "Fail5xx", "status": 502, "html": true, "times": null}',
            Fail5xx(status=502, html=True, times=None),
        ),
    ],
)
def test_faults_are_read_from_text_and_json(text: str, fault: object) -> None:
    """A command line or a control request can say every fault."""
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no fault named"),
        ("Nope", "there are LoseRequest"),
        ("LoseReply:pfad=/x", "no field 'pfad'"),
        ("LoseReply:times=many", "does not fit times"),
        ("LoseReply:times=0", "at least 1"),
        ("Delay:seconds=nan", "does not fit seconds"),
        ("Delay:seconds=-1", "at least 0"),
        ("Fail5xx:html=perhaps", "does not fit html"),
        ("Fail5xx:status=502,html", "field=value"),
        ('{"fault": "LoseReply", "path": ["x"]}', "does not fit path"),
        ('{"fault": "LoseReply", "times": true}', "does not fit times"),
        ("{", "not JSON"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(text: str, reason: str) -> None:
    """The error says what would have been right."""
    with pytest.raises(FaultError, match=reason):
        parse_fault(text)


@every_case("name", sorted(FAULTS))
def test_every_fault_says_what_a_client_should_do_and_survives_being_described(name: str) -> None:
    """Its docstring is its manual; its description reads back as itself."""
    kind = FAULTS[name]
    assert kind.__doc__ is not None
    assert "client" in kind.__doc__
    fault = kind()
    assert fault_from(describe_fault(fault)) == fault


@every_case("name", sorted(FAULTS))
def test_every_fault_is_at_the_front_door(name: str) -> None:
    """A user writes `bm.sim.NAME`."""
    assert getattr(sim, name) is FAULTS[name]
    assert name in sim.__all__


def test_hits_are_counted_and_a_used_up_fault_is_gone() -> None:
    """Two hits, then no more; other paths are not concerned."""
    faults = bound()
    handle = faults.add(LoseReply("/spot/*", 2))
    assert faults.take(LoseReply, "/contract/x") is None
    assert faults.take(Delay, SUBMIT) is None
    assert [faults.take(LoseReply, SUBMIT) is not None for _ in range(3)] == [True, True, False]
    assert (handle.hits, handle.active, faults.active) == (2, False, [])
    assert faults.hits == {"LoseReply": 2}


def test_removal_and_clearing_end_faults() -> None:
    """Ending twice does nothing."""
    faults = bound()
    first, second = faults.add(MuteTopic()), faults.add(MuteTopic())
    first.remove()
    first.remove()
    assert faults.active == [second]
    faults.clear()
    assert faults.take(MuteTopic, "x") is None


def test_faults_compose_in_the_order_of_adding() -> None:
    """The first that matches hits; when it is used up the next one does."""
    faults = bound()
    faults.add(Delay("*", seconds=1))
    faults.add(Delay("*", seconds=2))
    taken = [faults.take(Delay, "/x"), faults.take(Delay, "/x"), faults.take(Delay, "/x")]
    assert [None if fault is None else fault.seconds for fault in taken] == [1, 2, None]


def test_after_lets_occasions_pass() -> None:
    """The third occasion is the first hit."""
    faults = bound()
    faults.add(LoseReply(after=2))
    assert [faults.take(LoseReply, "/x") is not None for _ in range(4)] == [False, False, True, False]


def test_chance_is_drawn_from_the_seed() -> None:
    """The same seed gives the same hits, another one others."""

    def hits(seed: int) -> list[bool]:
        faults = bound(seed)
        faults.add(LoseReply(times=None, chance=0.5))
        return [faults.take(LoseReply, "/x") is not None for _ in range(50)]

    assert hits(1) == hits(1)
    assert hits(1) != hits(2)
    assert 10 < sum(hits(1)) < 40


async def test_a_fault_can_last_for_a_time(autojump_clock: MockClock) -> None:
    """After its seconds it is over, and a skewed clock is right again."""
    clock = Clock(0)
    faults = Faults()
    faults.bind(clock, Random(0))
    faults.add(LatePong(lasting=10))
    faults.add(ClockSkew(5000, lasting=10))
    await trio.sleep(9.9)
    assert faults.find(LatePong, "spot/public") is not None
    assert clock.skew_ms == 5000
    await trio.sleep(0.2)
    assert faults.find(LatePong, "spot/public") is None
    assert clock.skew_ms == 0


def test_clock_skews_add_up_and_are_taken_back() -> None:
    """Two skews are their sum; removing one leaves the other."""
    clock = Clock(0)
    faults = Faults()
    with pytest.raises(FaultError, match="open exchange"):
        faults.add(ClockSkew(1))
    faults.bind(clock, Random(0))
    one = faults.add(ClockSkew(1000))
    faults.add(ClockSkew(-300))
    assert clock.now_ms() == 700
    one.remove()
    assert clock.now_ms() == -300


def test_stretch() -> None:
    """Fields go into objects, columns into rows; a list of plain values is no table."""
    value = {"a": [["1", "2"], []], "b": ["x"], "c": [{"d": 1}]}
    assert stretch({"a": [["1", "2"], []], "b": ["x"], "c": [{"d": 1}]}, None, False) == value
    assert stretch({"a": [["1", "2"], []], "b": ["x"]}, None, True) == {"a": [["1", "2", "new"], []], "b": ["x"]}
    assert stretch({"c": [{"d": 1}]}, "z", False) == {"c": [{"d": 1, "z": "new"}], "z": "new"}
