"""A seed is a day, for ever: drawn the same, lived through the same, in every process."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from every_case import every_case

import bitmart_trio as bm
from bitmart_trio.testing._certify._day import FAMILIES, named, read_families
from bitmart_trio.testing._certify._draw import EDGE, EVENTUAL, EXCHANGE, NETWORK, draw

SOUND = Path(__file__).parent / "sound.py"
PLAY = """
import json, sys
from bitmart_trio.testing._certify._certify import job_of
job = job_of(sys.argv[1], minutes=0.5)
print(json.dumps([job.play(job.day(name)).core() for name in sys.argv[2:]]))
"""


def play_elsewhere(hash_seed: str, *names: str) -> str:
    """What days come to in another process."""
    done = subprocess.run(
        [sys.executable, "-c", PLAY, f"{SOUND}:main", *names],
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        check=True,
    )
    return done.stdout.decode()


def test_a_day_is_the_same_in_every_process() -> None:
    """To the last event of the exchange, whatever the hash seed and whatever was played before."""
    once, again = play_elsewhere("1", "3", "5"), play_elsewhere("2", "5", "3")
    assert json.loads(once) == json.loads(again)[::-1]
    assert all(day["digest"] and day["counts"]["orders"] for day in json.loads(once))


def test_a_seed_is_drawn_the_same_for_ever() -> None:
    """What this generator makes of a seed is written down here: whoever changes it raises GENERATOR."""
    day = draw(17, minutes=10, symbols=("BTC_USDT", "BTCUSDT"))
    assert (day.families, day.weather, day.latency, day.ending, len(day.deeds)) == DAY_17
    assert str(day.deeds[0]) == FIRST_OF_17


ALL = ("network", "exchange", "edge", "eventual", "kill", "market")
DAY_17 = (ALL, "crash", "none", "cancel", 37)
FIRST_OF_17 = "0:45.2 Fail5xx lasting=6.8 path=/spot/v*/*submit*order* status=500 handled=True"


def test_a_family_that_is_left_out_changes_nothing_of_the_others() -> None:
    """Each draws from a stream of its own."""
    for seed in range(40):
        whole = draw(seed, minutes=10, symbols=("BTC_USDT",))
        part = draw(seed, minutes=10, families=("network", "kill"), symbols=("BTC_USDT",))
        for family in set(whole.families) & set(part.families):
            assert [deed for deed in whole.deeds if deed.family == family] == [
                deed for deed in part.deeds if deed.family == family
            ]


def test_days_hold_all_there_is() -> None:
    """Over some seeds every family, every weather and every kind of deed comes up; every deed can be done."""
    days = [draw(seed, minutes=10, symbols=("BTC_USDT", "BTCUSDT")) for seed in range(120)]
    assert {family for day in days for family in day.families} == set(FAMILIES)
    assert {day.weather for day in days} == {"calm", "trend", "gap", "crash", "thin"}
    assert {deed.what for day in days for deed in day.deeds} == {"fault", "drop", "skew", "jump", "kill", "stop"}
    faults = [deed.fault for day in days for deed in day.deeds if deed.what == "fault"]
    assert all(fault.lasting is not None and fault.lasting <= 25 for fault in faults)
    kinds = {type(kind(random.Random(0), "spot")) for kind in (*NETWORK, *EXCHANGE, *EDGE, *EVENTUAL)}
    assert {type(fault) for fault in faults} == kinds
    assert all(day.deeds for day in days if day.weather in ("calm", "crash"))


@every_case(
    "name, seed, cuts",
    [
        ("17", 17, {}),
        ("17~k0.4~e212.5~calm", 17, {"keep": [0, 4], "end": 212.5, "calm": True}),
        ("17~k", 17, {"keep": []}),
        ("g1-trio0.35.0-bitmart0.1-BTC_USDT-10m-network+kill-17~e30", 17, {"end": 30.0}),
    ],
)
def test_a_day_is_named(name: str, seed: int, cuts: dict[str, object]) -> None:
    assert named(name) == (seed, cuts)


def test_a_smaller_day_says_what_was_kept() -> None:
    """Its name makes it anew."""
    whole = draw(3, minutes=10, symbols=("BTC_USDT",))
    small = whole.smaller(keep=[0, 2], end=300, calm=True)
    assert small.name == "3~k0.2~e300~calm"
    assert small.deeds == tuple(whole.deeds[number] for number in (0, 2) if whole.deeds[number].at < 300)
    seed, cuts = named(small.full_name)
    assert (seed, whole.smaller(**cuts)) == (3, small)  # type: ignore[arg-type]


@every_case("name", ["", "x", "17~", "17~z3", "-"])
def test_what_is_no_day_is_refused(name: str) -> None:
    with pytest.raises(bm.ConfigurationError, match="is no day"):
        named(name)


def test_an_unknown_family_is_refused() -> None:
    assert read_families("kill,network") == ("network", "kill")
    with pytest.raises(bm.ConfigurationError, match="no family of days named 'wrath'; there are network"):
        read_families("wrath")
