"""Deviations of replies and pushes: each place is reported once, all of them are counted."""

from __future__ import annotations

import json
import logging
from collections.abc import Hashable
from typing import Any

import pytest
import trio
from http_kit import TICKER, TICKER_DATA, Script, bench, good, ticker

import bitmart_trio as bm
from bitmart_trio._bitmart.venue import BitMart
from bitmart_trio._io.drift import DriftLog
from bitmart_trio._io.router import Router
from bitmart_trio.config import LIVE, Config, Hooks
from bitmart_trio.models import Drift
from bitmart_trio.streams import spot as _spot  # noqa: F401  # registers the channels


async def test_a_deviation_is_reported_once_and_counted_always(
    caplog: pytest.LogCaptureFixture, autojump_clock: trio.testing.MockClock
) -> None:
    """By a log line and the hook, a place each; what came there is described and not shown."""
    seen: list[Drift] = []
    odd = {name: value for name, value in TICKER_DATA.items() if name != "open_24h"} | {"high_24h": "secret-ish"}
    at = bench(Script(after=good(odd)), Config(hooks=Hooks(on_drift=seen.append)))
    with caplog.at_level(logging.WARNING, "bitmart_trio"):
        replies = [await at.pipeline.call(TICKER, symbol="BTC_USDT") for _ in range(3)]
    assert bm.absent(replies[0].data) == {"open_24h": None, "high_24h": '"secret-ish"'}
    where = "GET /spot/quotation/v3/ticker"
    assert seen == [
        Drift(source=where, member="open_24h", found="nothing"),
        Drift(source=where, member="high_24h", found="a text"),
    ]
    assert len(caplog.records) == 2
    assert "open_24h is missing or unreadable (found: nothing)" in caplog.text
    assert "secret-ish" not in caplog.text
    assert at.quota_queue.drift.count == 6


async def test_strict_reading_is_configured(autojump_clock: trio.testing.MockClock) -> None:
    """Then the reply is refused, which for a read means that it is asked for again."""
    odd = {**TICKER_DATA, "high_24h": "high"}
    at = bench(script := Script(good(odd), ticker()), Config(strict_reading=True))
    await at.pipeline.call(TICKER, symbol="BTC_USDT")
    assert len(script.seen) == 2


class Sink:
    """Keeps what the router puts."""

    def __init__(self) -> None:
        self.topics: dict[str, None] = {"spot/trade:BTC_USDT": None}
        self.items: list[Any] = []

    def put(self, item: Any, key: Hashable, now: float) -> None:
        self.items.append(item)

    def doubt(self, topic: str) -> None:
        pass

    def renewed(self, topic: str) -> None:
        pass

    def lost(self, topic: str, gap: object) -> None:
        raise AssertionError("not in these tests")

    def gap(self, gap: object, connection: int | None) -> None:
        raise AssertionError("not in these tests")

    def end(self, error: Exception) -> None:
        raise AssertionError("not in these tests")


def _router(*, strict: bool = False) -> tuple[Router, DriftLog, list[str], Sink]:
    complaints: list[str] = []
    drift, sink, venue = DriftLog(None), Sink(), BitMart(LIVE)
    router = Router(lambda _, reason, __: complaints.append(reason), venue.bare, drift=drift, strict=strict)
    router.attach(venue.topic("spot/trade:BTC_USDT"), sink)
    return router, drift, complaints, sink


TRADE = {"symbol": "BTC_USDT", "price": "1", "size": "2", "side": "buy", "s_t": 5, "ms_t": 5000}


@pytest.mark.parametrize("changes", [{"price": "?"}, {"price": None}, {"side": {}}, {"ms_t": "soon"}, {"size": "1_0"}])
def test_a_push_with_an_odd_member_is_delivered(changes: dict[str, object]) -> None:
    """The member is absent, and counted."""
    router, drift, complaints, sink = _router()
    assert router.push("spot/trade", json.dumps([{**TRADE, **changes}]).encode(), 1.0) == ()
    (item,) = sink.items
    assert len(bm.absent(item)) == 1
    assert item.symbol == "BTC_USDT"
    assert (drift.count, complaints) == (1, [])


@pytest.mark.parametrize("raw", [b'""', b"[1]", b'{"price": "1"}', b'[{"symbol": null}]', b"not JSON"])
def test_a_push_that_cannot_be_read_is_counted_and_names_the_topics_that_missed_it(raw: bytes) -> None:
    """The exchange was recorded to push an empty text in place of an order."""
    router, drift, complaints, sink = _router()
    assert router.push("spot/trade", raw, 1.0) == ("spot/trade:BTC_USDT",)
    assert (len(complaints), drift.count, router.statistics().malformed) == (1, 0, 1)
    assert sink.items == []


def test_a_push_that_cannot_be_read_is_no_gap_of_other_symbols() -> None:
    """Where it names its own."""
    router, _, _, _ = _router(strict=True)
    assert router.push("spot/trade", json.dumps([{**TRADE, "symbol": "ETH_USDT", "price": "?"}]).encode(), 1.0) == ()
    assert router.push("spot/trade", json.dumps([{**TRADE, "price": "?"}]).encode(), 1.0) == ("spot/trade:BTC_USDT",)
