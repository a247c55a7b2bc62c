"""The openers of ``client.streams``: what each asks for, and what it refuses before anything is sent."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Final, cast

import attrs
import pytest

from bitmart_trio._bitmart.channel import CHANNELS, Channel
from bitmart_trio._io.connections import Connections
from bitmart_trio.errors import InvalidRequest
from bitmart_trio.streams import Streams
from bitmart_trio.streams import _futures_private as private_module
from bitmart_trio.streams import futures as futures_module
from bitmart_trio.streams import spot as spot_module


@attrs.frozen
class Asked:
    """What an opener asked the connections for."""

    topics: list[str]
    spell: Callable[[str], str]
    options: dict[str, object]


class Recorder:
    """Stands in for the connections."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    def subscribe(
        self, topics: Iterable[str], *, spell: Callable[[str], str], **options: object
    ) -> AbstractAsyncContextManager[None]:
        self.asked.append(Asked(list(topics), spell, options))
        return nullcontext()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def streams(recorder: Recorder) -> Streams:
    return Streams(cast("Connections", recorder))


def _opener(streams: Streams, name: str) -> Any:
    market, _, method = name.partition(".")
    return getattr(getattr(streams, market), method)


# Every opener: its arguments, the topics, and the default policy.
OPENERS: Final[list[tuple[str, tuple[str, ...], dict[str, Any], list[str], str]]] = [
    ("spot.ticker", ("A_B", "C_D"), {}, ["spot/ticker:A_B", "spot/ticker:C_D"], "conflate"),
    ("spot.kline", ("A_B",), {"interval": "4H"}, ["spot/kline4H:A_B"], "conflate"),
    ("spot.kline_legacy", ("A_B",), {"interval": "3H"}, ["spot/kline3H:A_B"], "conflate"),
    ("spot.depth", ("A_B",), {"level": 20}, ["spot/depth20:A_B"], "conflate"),
    ("spot.depth100", ("A_B",), {}, ["spot/depth100:A_B"], "conflate"),
    ("spot.depth_increase", ("A_B",), {}, ["spot/depth/increase100:A_B"], "fail"),
    ("spot.trade", ("A_B",), {}, ["spot/trade:A_B"], "fail"),
    ("spot.book_ticker", ("A_B",), {}, ["spot/bookTicker:A_B"], "conflate"),
    ("spot.user_order", ("A_B", "C_D"), {}, ["spot/user/order:A_B", "spot/user/order:C_D"], "fail"),
    ("spot.user_orders", (), {}, ["spot/user/orders:ALL_SYMBOLS"], "fail"),
    ("spot.user_balance", (), {}, ["spot/user/balance:BALANCE_UPDATE"], "fail"),
    ("futures.ticker", ("AB",), {}, ["futures/ticker:AB"], "conflate"),
    ("futures.tickers", (), {}, ["futures/ticker"], "conflate"),
    ("futures.funding_rate", ("AB",), {}, ["futures/fundingRate:AB"], "conflate"),
    ("futures.depth", ("AB",), {"level": 5}, ["futures/depth5:AB"], "conflate"),
    ("futures.depth_all", ("AB",), {"level": 50, "speed": "100ms"}, ["futures/depthAll50:AB@100ms"], "conflate"),
    ("futures.depth_increase", ("AB",), {"level": 20, "speed": "200ms"}, ["futures/depthIncrease20:AB@200ms"], "fail"),
    ("futures.depth_all_v2", ("AB",), {"level": 5}, ["futures/v2/depthAll5:AB@100ms"], "conflate"),
    ("futures.depth_increase_v2", ("AB",), {"level": 5}, ["futures/v2/depthIncrease5:AB@100ms"], "fail"),
    ("futures.book_ticker", ("AB",), {}, ["futures/bookticker:AB"], "conflate"),
    ("futures.trade", ("AB",), {}, ["futures/trade:AB"], "fail"),
    ("futures.kline", ("AB",), {"interval": "1W"}, ["futures/klineBin1W:AB"], "conflate"),
    ("futures.mark_price_kline", ("AB",), {"interval": "1m"}, ["futures/markPriceKlineBin1m:AB"], "conflate"),
    ("futures.asset", ("USDT", "BTC"), {}, ["futures/asset:USDT", "futures/asset:BTC"], "conflate"),
    ("futures.position", (), {}, ["futures/position"], "conflate"),
    ("futures.order", (), {}, ["futures/order"], "fail"),
    ("futures.unicast", (), {}, ["futures/unicast"], "fail"),
]
OUTDATED: Final = {"spot.kline_legacy": "deprecated", "spot.depth100": "removed", "futures.unicast": "removed"}

each_opener = pytest.mark.parametrize(
    ("name", "subjects", "variant", "topics", "overflow"), OPENERS, ids=[row[0] for row in OPENERS]
)


@each_opener
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_an_opener_asks_for(
    streams: Streams,
    recorder: Recorder,
    name: str,
    subjects: tuple[str, ...],
    variant: dict[str, Any],
    topics: list[str],
    overflow: str,
) -> None:
    """The exchange's spelling of each subject, the channel's own policy, and gaps only counted."""
    _opener(streams, name)(*subjects, **variant)
    (asked,) = recorder.asked
    assert asked.topics == topics
    assert asked.options == {"buffer": None, "overflow": overflow, "gaps": "skip", "backfiller": None}
    # What the user gives to add() later is spelled in the same way.
    assert [asked.spell(subject) for subject in subjects or ("",)] == topics


@each_opener
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_options_are_passed_on(
    streams: Streams,
    recorder: Recorder,
    name: str,
    subjects: tuple[str, ...],
    variant: dict[str, Any],
    topics: list[str],
    overflow: str,
) -> None:
    """A buffer, a policy and a way to tell gaps of the caller's own; a keyword that does not exist is a TypeError."""
    opener = _opener(streams, name)
    opener(*subjects, **variant, buffer=7, overflow="drop_oldest", gaps="mark")
    assert recorder.asked[0].options == {"buffer": 7, "overflow": "drop_oldest", "gaps": "mark", "backfiller": None}
    with pytest.raises(TypeError, match="bufer"):
        opener(*subjects, **variant, bufer=7)


@each_opener
def test_outdated_channels_warn(
    streams: Streams, name: str, subjects: tuple[str, ...], variant: dict[str, Any], topics: list[str], overflow: str
) -> None:
    """Where the caller's line is, and only these."""
    opener = _opener(streams, name)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        opener(*subjects, **variant)
    said = [str(warning.message) for warning in caught]
    if name in OUTDATED:
        assert OUTDATED[name] in said[0]
        assert caught[0].category is DeprecationWarning
        assert caught[0].filename == __file__
    else:
        assert said == []


def test_every_row_has_its_opener() -> None:
    """Of the same name, with a docstring that holds the topic as the exchange spells it, and who may see it."""
    rows = {
        f"{row.market}.{name}": row
        for module in (spot_module, futures_module, private_module)
        for name, row in vars(module).items()
        if isinstance(row, Channel)
    }
    assert {id(row) for row in rows.values()} == {id(row) for row in CHANNELS}
    assert list(rows) == [row[0] for row in OPENERS]
    openers = {"spot": spot_module.SpotStreams, "futures": futures_module.FuturesStreams}
    for name, row in rows.items():
        market, _, method = name.partition(".")
        text = " ".join((inspect.getdoc(getattr(openers[market], method)) or "").split())
        assert re.search(rf"\b{re.escape(row.name)}(:|, )", text), name
        assert (", private." if row.private else ", public.") in text, name
        assert "Source: https://" in text, name


@pytest.mark.parametrize(
    ("name", "subjects", "variant", "argument"),
    [
        ("spot.ticker", ("BTC/USDT:x",), {}, "symbol"),
        ("spot.ticker", ("",), {}, "symbol"),
        ("spot.ticker", ("BTC_USDT", "ETH USDT"), {}, "symbol"),
        ("spot.trade", (["BTC_USDT", "ETH_USDT"],), {}, "symbol"),
        ("spot.kline", ("BTC_USDT",), {"interval": "2m"}, "interval"),
        ("spot.depth", ("BTC_USDT",), {"level": 10}, "level"),
        ("futures.kline", ("BTCUSDT",), {"interval": "1h"}, "interval"),
        ("futures.depth", ("BTCUSDT",), {"level": 100}, "level"),
        ("futures.depth_all", ("BTCUSDT",), {"level": 5, "speed": "50ms"}, "speed"),
        ("futures.depth_increase_v2", ("BTCUSDT",), {"level": 5, "speed": "1s"}, "speed"),
        ("futures.asset", ("US DT",), {}, "currency"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(
    streams: Streams, recorder: Recorder, name: str, subjects: tuple[Any, ...], variant: dict[str, Any], argument: str
) -> None:
    """Before anything is asked for."""
    with pytest.raises(InvalidRequest) as caught:
        _opener(streams, name)(*subjects, **variant)
    assert caught.value.argument == argument
    assert recorder.asked == []


def test_what_is_added_later_is_checked_too(streams: Streams, recorder: Recorder) -> None:
    """The subscription spells what it is given by the same rules."""
    streams.futures.depth("BTCUSDT", level=20, speed="100ms")
    (asked,) = recorder.asked
    assert asked.spell("ETHUSDT") == "futures/depth20:ETHUSDT@100ms"
    with pytest.raises(InvalidRequest):
        asked.spell("ETHUSDT@200ms")


def test_any_topic_by_name(streams: Streams, recorder: Recorder) -> None:
    """Topics are taken as they are; the policy is left to the connections; unknown keywords are refused."""
    streams.subscribe("futures/klineBin1m:BTCUSDT", "spot/brandNew:X", gaps="raise", buffer=3)
    (asked,) = recorder.asked
    assert asked.topics == ["futures/klineBin1m:BTCUSDT", "spot/brandNew:X"]
    assert asked.spell("futures/x") == "futures/x"
    assert asked.options == {"buffer": 3, "overflow": None, "gaps": "raise"}
    with pytest.raises(TypeError, match="interval"):
        streams.subscribe("futures/ticker", interval="1m")  # type: ignore[call-overload]  # what no checker lets pass
