"""Names that do not exist find those that were meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bitmart_trio._core.channel import hint_for
from bitmart_trio._core.suggest import did_you_mean, suggest
from bitmart_trio.cli.call import all_endpoints
from bitmart_trio.streams import futures, spot

MIGRATION = Path(__file__).parents[2] / "docs" / "migration" / "npm.md"
_ROW = re.compile(r"\| `\w+` \| `(\w+)` \| `await client\.([\w.]+)\(")


def test_most_functions_of_the_npm_client_find_ours() -> None:
    """Ours is among three suggestions for at least three in four of its functions, and nearly all get one."""
    names = list(all_endpoints())
    pairs = [row.groups() for row in map(_ROW.match, MIGRATION.read_text(encoding="utf-8").splitlines()) if row]
    found = {theirs: suggest(theirs, names) for theirs, _ in pairs}
    assert len(pairs) > 150
    assert sum(ours in found[theirs] for theirs, ours in pairs) > 0.75 * len(pairs)
    assert sum(bool(near) for near in found.values()) > 0.9 * len(found)


@pytest.mark.parametrize(
    ("name", "best"),
    [
        ("getSpotKlinesV3", "spot.market.klines"),
        ("submitFuturesOrder", "futures.trading.submit_order"),
        ("spot.market.tikcer", "spot.market.ticker"),
    ],
)
def test_the_nearest_name_comes_first(name: str, best: str) -> None:
    assert suggest(name, all_endpoints())[0] == best


@pytest.mark.parametrize("name", ["", "zzz", "x" * 100_000, "получить"])
def test_nothing_near_is_no_suggestion(name: str) -> None:
    assert did_you_mean(name, all_endpoints()) == ""


@pytest.mark.parametrize(
    ("topic", "hint"),
    [
        ("futures/user/order:BTCUSDT", "Did you mean futures/order?"),
        ("spot/trades:BTC_USDT", "Did you mean spot/trade?"),
        ("spot/order:BTC_USDT", "Did you mean spot/user/order or spot/user/orders?"),
        ("spot/trade:NO_SUCH", ""),
        ("futures/nonsense", ""),
    ],
)
def test_a_refused_topic_suggests_the_one_that_was_meant(topic: str, hint: str) -> None:
    """A topic of a channel that we know was refused for another reason."""
    assert spot.trade.market == "spot"
    assert futures.ticker.market == "futures"  # the rows of both markets are there
    assert hint_for(topic) == hint
