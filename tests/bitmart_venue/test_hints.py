"""The last sentence of a refusal: what a person can do."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from bitmart_trio._bitmart.codes import MEANINGS
from bitmart_trio._bitmart.hints import hint_for
from bitmart_trio.models._enums import OrderSide


def _hint(
    code: int,
    given: Mapping[str, object] | None = None,
    path: str = "/spot/v2/submit_order",
    offset: float = 0.0,
    bound: float = math.inf,
) -> str:
    return hint_for(MEANINGS.error_class(code)(code=code), given or {}, path, offset, bound)


@pytest.mark.parametrize(
    ("offset", "words"), [(1.5, "1500 ms behind"), (-0.25, "250 ms ahead of")], ids=["behind", "ahead"]
)
def test_a_refused_time_says_how_far_off_the_clock_was(offset: float, words: str) -> None:
    """And how sure that is."""
    hint = _hint(30007, offset=offset, bound=0.02)
    assert words in hint
    assert "give or take 20 ms" in hint


def test_a_refused_time_that_was_never_measured() -> None:
    """Says how to measure it."""
    assert "latency()" in _hint(30007)


@pytest.mark.parametrize(
    ("code", "given", "path", "words"),
    [
        (50020, {"symbol": "BTC_USDT", "side": "buy"}, "/spot/v2/submit_order", "paid in USDT"),
        (50020, {"symbol": "BTC_USDT", "side": OrderSide.SELL}, "/spot/v2/submit_order", "paid in BTC"),
        (50020, {"symbol": "BTC_USDT", "side": "buy"}, "/spot/v1/margin/submit_order", "isolated margin account"),
        (50020, {"symbol": "BTC_USDT"}, "/spot/v4/batch_orders", "BTC and USDT"),
        (40027, {"symbol": "BTCUSDT", "side": 1}, "/contract/private/submit-order", "futures account"),
        (60008, {"currency": "ETH"}, "/account/v1/withdraw/apply", "of ETH"),
    ],
)
def test_a_balance_that_is_too_small_is_named(code: int, given: dict[str, object], path: str, words: str) -> None:
    """Quote for a buy, base for a sell, the margin for a contract."""
    assert words in _hint(code, given, path)


def test_a_path_that_does_not_exist_suggests_one_that_does() -> None:
    """A path of ours that is gone at the exchange gets no advice."""
    assert "/spot/quotation/v3/ticker" in _hint(30000, path="/spot/quotation/v3/tickr")
    assert _hint(30000, path="/spot/quotation/v3/ticker") == ""


@pytest.mark.parametrize(
    ("code", "words"), [(30010, "whitelist"), (30011, "new key"), (30012, "/spot/v2"), (30005, "memo")]
)
def test_trouble_with_the_key(code: int, words: str) -> None:
    """What to change in the settings."""
    assert words in _hint(code)


def test_nothing_to_add() -> None:
    """Then nothing is added."""
    assert _hint(50001, {"symbol": "BTC_USDT"}) == ""
    assert _hint(50020) == ""
