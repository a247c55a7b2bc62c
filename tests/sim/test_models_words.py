"""Models by the words of the command line, and what a wrong word is answered with."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from bitmart_trio.sim import Fees
from bitmart_trio.sim.models import (
    FREE,
    TIERED,
    Chance,
    Constant,
    First,
    Fixed,
    Flat,
    InBought,
    InQuote,
    Instant,
    Jittered,
    ModelError,
    OfValue,
    QueuePosition,
    Reverting,
    Tiered,
    Tiers,
    parse_fees,
    parse_fills,
    parse_funding,
    parse_latency,
    parse_margin,
)

D = Decimal

RIGHT: list[tuple[Callable[[str], Any], str, Any]] = [
    (parse_fees, "recorded", Fees()),
    (parse_fees, "zero", FREE),
    (parse_fees, "tiered", TIERED),
    (parse_fees, "bought", Fees(spot=InBought())),
    (
        parse_fees,
        "0.0010:0.0025",
        Fees(spot=InQuote(D("0.0025"), D("0.0010")), futures=OfValue(D("0.0025"), D("0.0010"))),
    ),
    (parse_fills, "first", First()),
    (parse_fills, "queue", QueuePosition()),
    (parse_fills, "chance:0.25", Chance(0.25)),
    (parse_latency, "none", Instant()),
    (parse_latency, "fixed:50ms", Fixed(50)),
    (parse_latency, "jitter:20ms-80ms", Jittered(20, 80)),
    (parse_funding, "reverting", Reverting()),
    (parse_funding, "none", Constant(D(0))),
    (parse_funding, "constant:-0.0003", Constant(D("-0.0003"))),
    (parse_margin, "tiers", Tiers()),
    (parse_margin, "flat:0.02", Flat(D("0.02"))),
]

WRONG: list[tuple[Callable[[str], Any], str, str]] = [
    (parse_fees, "free", "no fees are called 'free'; there are recorded, zero, tiered, bought, "),
    (parse_fees, "", "no fees are called ''"),
    (parse_fees, "0.002", "written MAKER:TAKER"),
    (parse_fees, "0.003:0.001", "maker <= taker"),
    (parse_fees, "0.001:2", "no share from 0 to 1"),
    (parse_fees, "0.001:NaN", "no number"),
    (parse_fills, "chance:2", "no share from 0 to 1"),
    (parse_fills, "luck", "there are first, queue, chance:0.5"),
    (parse_latency, "fixed:50", "no time such as 50ms"),
    (parse_latency, "fixed:999999ms", "up to 60000ms"),
    (parse_latency, "fixed:\u0665ms", "no time such as 50ms"),
    (parse_latency, "jitter:80ms-20ms", "less than at least 80 ms"),
    (parse_latency, "jitter:80ms", "no time"),
    (parse_latency, "50ms", "there are none, fixed:50ms, jitter:20ms-80ms"),
    (parse_funding, "constant:1", "0.0375 at most"),
    (parse_funding, "x", "there are reverting, none, constant:0.0001"),
    (parse_margin, "flat:-1", "no share from 0 to 1"),
    (parse_margin, "loose", "there are tiers, flat:0.005"),
]


@pytest.mark.parametrize(("parse", "text", "model"), RIGHT, ids=lambda value: value if isinstance(value, str) else "")
def test_words(parse: Callable[[str], Any], text: str, model: object) -> None:
    """Each word is the model of that name."""
    assert parse(text) == model


@pytest.mark.parametrize(("parse", "text", "says"), WRONG, ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_word_is_answered_with_the_right_ones(parse: Callable[[str], Any], text: str, says: str) -> None:
    """The message quotes what was written and says what may be."""
    with pytest.raises(ModelError) as refused:
        parse(text)
    assert says in str(refused.value)
    assert repr(text) in str(refused.value)


def test_tiers_that_make_no_sense() -> None:
    """A table of tiers begins at nothing and ascends."""
    rates = InQuote()
    assert Tiered(((D(0), rates), (D(5), InQuote(D(0))))).rates(D(5)).taker == 0
    for tiers in ((), ((D(1), rates),), ((D(0), rates), (D(5), rates), (D(5), rates))):
        with pytest.raises(ValueError, match="tiers ascend"):
            Tiered(tiers)


def test_models_refuse_nonsense() -> None:
    """Rates that a buy could not set aside, shares above one, leverage below one."""
    for make in (
        lambda: OfValue(D("0.1"), D("0.2")),
        lambda: InQuote(D(-1)),
        lambda: Flat(D(2)),
        lambda: Flat(leverage=0),
    ):
        with pytest.raises(ValueError, match=r"fees must be|share|leverage"):
            make()
