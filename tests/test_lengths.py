"""Arguments of absurd length: refused before anything is sent, in a message that a person can read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import pytest
import trio
from typer.testing import CliRunner

import bitmart_trio as bm
from bitmart_trio import cli
from bitmart_trio.cli.app import app

LONG: Final[Any] = "A" * 100_000
"""Of no type, since it stands where only some words may."""
READABLE: Final = 300
"""Characters of a message that leaves no more of such an argument than is needed to know it by."""


OPENED: Final[tuple[Callable[[bm.Streams], AbstractAsyncContextManager[object]], ...]] = (
    lambda streams: streams.subscribe(f"spot/ticker:{LONG}"),
    lambda streams: streams.subscribe(f"spot/{LONG}"),
    lambda streams: streams.subscribe(f"futures/{LONG}:BTCUSDT"),
    lambda streams: streams.subscribe("spot/ticker:BTC_USDT", f"spot/ticker:{LONG}"),
    lambda streams: streams.subscribe(LONG),
    lambda streams: streams.spot.ticker(LONG),
    lambda streams: streams.spot.trade("BTC_USDT", LONG),
    lambda streams: streams.futures.trade(LONG),
    lambda streams: streams.spot.order_book(LONG),
    lambda streams: streams.futures.order_book(LONG),
)


@pytest.mark.parametrize("opened", OPENED)
async def test_a_topic_is_refused_at_once(
    opened: Callable[[bm.Streams], AbstractAsyncContextManager[object]], autojump_clock: trio.testing.MockClock
) -> None:
    """The exchange would say nothing to such a frame, or cut the connection."""
    async with bm.sim.open_exchange(seed=1, live=False) as venue, venue.open_streams() as streams:
        began = trio.current_time()
        with pytest.raises(bm.errors.InvalidRequest) as caught:
            await opened(streams).__aenter__()
        assert len(str(caught.value)) < READABLE
        assert trio.current_time() == began
        assert venue.connections == []


async def test_a_topic_that_is_added_is_refused_and_the_others_stay(autojump_clock: trio.testing.MockClock) -> None:
    """The subscription goes on."""
    async with (
        bm.sim.open_exchange(seed=1) as venue,
        venue.open_streams() as streams,
        streams.spot.ticker("BTC_USDT") as tickers,
    ):
        with pytest.raises(bm.errors.InvalidRequest):
            await tickers.add(LONG)
        assert (await tickers.receive()).symbol == "BTC_USDT"


CALLS: Final[tuple[Callable[[bm.Client], Awaitable[object]], ...]] = (
    lambda client: client.spot.market.ticker(LONG),
    lambda client: client.futures.market.contracts(LONG),
    lambda client: client.futures.rules(LONG),
    lambda client: client.spot.request("GET", f"/{LONG}"),
    lambda client: client.spot.request("GET", LONG),
    lambda client: client.spot.request(LONG, "/spot"),
    lambda client: client.spot.request("GET", "/spot", params={"a": LONG, "b": "c"}),
    lambda client: client.spot.trading.submit_order(LONG, side="buy", type="limit", size=1, price=1),
    lambda client: client.spot.trading.submit_order("BTC_USDT", side=LONG, type="limit", size=1, price=1),
    lambda client: client.spot.trading.submit_order("BTC_USDT", side="buy", type="limit", size="1" * 9999, price=1),
    lambda client: client.spot.trading.submit_order(
        "BTC_USDT", side="buy", type="limit", size=1, price=1, client_order_id=LONG
    ),
)


@pytest.mark.parametrize("call", CALLS)
async def test_an_argument_of_a_call_is_refused(
    call: Callable[[bm.Client], Awaitable[object]], autojump_clock: trio.testing.MockClock
) -> None:
    """By its length, or as what it is not; nothing is sent."""
    async with bm.sim.open_exchange(seed=1, live=False) as venue, venue.open_client() as client:
        with pytest.raises(bm.errors.InvalidRequest) as caught:
            await call(client)
        assert caught.value.argument is not None
        assert len(str(caught.value)) < READABLE
        assert not [event for event in venue.exchange.log.lines if event["kind"] == "request"]


MADE: Final[tuple[Callable[[], object], ...]] = (
    lambda: bm.Environment.at(f"http://{LONG}"),
    lambda: bm.Environment.at(f"https://127.0.0.1/{LONG}"),
    lambda: bm.Config(user_agent=LONG),
    lambda: bm.Config(broker_id=LONG),
    lambda: bm.Credentials(LONG, "secret", "memo"),
    lambda: bm.Credentials("key", LONG, "memo"),
    lambda: bm.Credentials("key", "secret", LONG),
)


@pytest.mark.parametrize("make", MADE)
def test_what_a_client_is_made_of_is_refused(make: Callable[[], object]) -> None:
    """When it is made."""
    with pytest.raises(bm.errors.ConfigurationError) as caught:
        make()
    assert len(str(caught.value)) < READABLE


def test_no_message_of_an_error_is_longer_than_a_page() -> None:
    """Whoever raises it, and with whatever text of a caller or a peer; both ends of it stay."""
    for error in (
        bm.errors.BitMartError(f"first {LONG} last"),
        bm.errors.InvalidRequest(f"first {LONG} last"),
        bm.errors.OutcomeUnknown(f"first {LONG} last", endpoint="POST /x"),
        bm.errors.ApiError(f"first {LONG} last", code=50000, endpoint="GET /x"),
    ):
        text = str(error)
        assert len(text) < 5_000
        assert "first A" in text
        assert "A last" in text
        assert "characters" in text


def test_a_word_of_a_command_line_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any of it is read: what is wrong with a word is said with the word."""
    monkeypatch.setattr("sys.argv", ["bitmart-trio", "watch", f"spot/ticker:{LONG}"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == "bitmart-trio: a word of this command line has more than 8,000 characters"


@pytest.mark.parametrize(
    "words",
    [
        ("watch", f"spot/ticker:{LONG}", "--env", "http://127.0.0.1:9"),
        ("book", LONG, "--env", "http://127.0.0.1:9"),
        ("call", "spot.market.ticker", f"symbol={LONG}", "--env", "http://127.0.0.1:9"),
        ("sim", "--port", "0", "--host", "A" * 64),
    ],
)
def test_a_command_refuses_what_it_would_send(words: tuple[str, ...]) -> None:
    """In one line, without a word to anybody: nobody listens there."""
    ended = CliRunner().invoke(app, words)
    assert isinstance(ended.exception, SystemExit), ended.exception
    assert ended.exit_code in (1, 2)
    assert ended.stderr.startswith("bitmart-trio: ")
    assert len(ended.stderr) < READABLE
