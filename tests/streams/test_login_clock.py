"""A login that is refused because of this machine's clock, where there is no REST client beside the streams."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.sim import Venue, open_exchange
from bitmart_trio.sim.faults import ClockSkew, LoseRequest

Market = Literal["spot", "futures"]


def calls(replies: list[models.CallReplied]) -> list[str]:
    return [reply.request.endpoint for reply in replies]


def wrong(exchange: Venue, seconds: float, replies: list[models.CallReplied]) -> bm.Config:
    """A machine whose clock is off."""
    hooks = bm.Hooks(on_reply=replies.append)
    return bm.Config(clock=lambda: exchange.clock() + seconds, hooks=hooks, retry=bm.Retry(attempts=1))


@pytest.mark.parametrize("seconds", [-300.0, 300.0])
@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_the_time_is_asked_for_once_and_the_login_repeated(
    autojump_clock: MockClock, market: str, seconds: float
) -> None:
    """One unsigned call, whatever becomes of the connection later."""
    replies: list[models.CallReplied] = []
    async with open_exchange(seed=1, live=False) as exchange:
        async with exchange.open_streams(config=wrong(exchange, seconds, replies)) as streams:
            opening = streams.spot.user_orders() if market == "spot" else streams.futures.order()
            async with opening:
                assert calls(replies) == ["GET /system/time"]
                exchange.drop_connections()
                await trio.sleep(5)
    assert calls(replies) == ["GET /system/time"]


@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_a_bad_key_is_blamed_on_the_key_when_the_clock_is_right(autojump_clock: MockClock, market: str) -> None:
    """And not on the clock."""
    replies: list[models.CallReplied] = []
    async with open_exchange(seed=1, live=False) as exchange:
        bad = bm.Credentials("sim-key", "wrong", "sim-memo")
        async with exchange.open_streams(bad, config=wrong(exchange, 0.2, replies)) as streams:
            with pytest.raises(bm.AuthenticationError) as refused:
                async with streams.spot.user_orders() if market == "spot" else streams.futures.order():
                    pytest.fail("it opened")
    assert "clock" not in str(refused.value).lower()


async def test_a_bad_key_on_a_machine_with_a_wrong_clock_hears_of_both(autojump_clock: MockClock) -> None:
    """Futures does not say why it refuses: the clock was put right, and that was not all."""
    replies: list[models.CallReplied] = []
    async with open_exchange(seed=1, live=False) as exchange:
        bad = bm.Credentials("sim-key", "wrong", "sim-memo")
        async with exchange.open_streams(bad, config=wrong(exchange, -300, replies)) as streams:
            with pytest.raises(bm.AuthenticationError, match=r"clock was 300\.\d s behind"):
                async with streams.futures.order():
                    pytest.fail("it opened")
    assert calls(replies) == ["GET /system/time"]


@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_a_clock_that_cannot_be_compared_is_named_as_a_possible_reason(
    autojump_clock: MockClock, market: str
) -> None:
    """The key is not blamed when nobody knows."""
    replies: list[models.CallReplied] = []
    async with open_exchange(seed=1, live=False) as exchange:
        exchange.faults.add(LoseRequest("/system/time", times=None))
        async with exchange.open_streams(config=wrong(exchange, -300, replies)) as streams:
            with pytest.raises(bm.BitMartError, match="clock may be the reason"):
                async with streams.spot.user_orders() if market == "spot" else streams.futures.order():
                    pytest.fail("it opened")


@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_a_login_that_was_refused_for_the_clock_is_tried_again(autojump_clock: MockClock, market: Market) -> None:
    """Futures does not say that it was the clock: the stream ended for good."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        streams: Any = getattr(client.streams, market)
        opening = streams.user_orders if market == "spot" else streams.order
        async with opening(gaps="mark") as orders:
            await trio.sleep(1)
            exchange.faults.add(ClockSkew(ms=90_000))
            exchange.drop_connections(f"{market}/private")
            with trio.fail_after(10):
                assert isinstance(await orders.receive(), bm.Gap)
