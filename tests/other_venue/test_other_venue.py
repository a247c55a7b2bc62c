"""A venue that does not exist, on the same core: calls, streams, reconnecting, gaps, cancelling anywhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

import kelpie
import pytest
import trio
from kelpie import KelpieClient, OwnOrder, Trade, open_kelpie
from toy_server import KEY, SECRET, Toy, open_toy
from trio.testing import MockClock

from bitmart_trio._core.endpoint import Endpoint
from bitmart_trio.config import Config
from bitmart_trio.credentials import Credentials
from bitmart_trio.errors import (
    AuthenticationError,
    InvalidRequest,
    InvalidSymbol,
    MissingCredentials,
    OutcomeUnknown,
    RateLimited,
    SubscriptionRefused,
)
from bitmart_trio.models.stream_events import Gap
from bitmart_trio.testing import sweep

MOST_LINES: Final = 250
ORDER: Final = {"pair": "AB-CD", "size": Decimal("0.00000001")}


def client_of(
    toy: Toy, credentials: Credentials | None = None, rate_limit: Literal["wait", "raise"] = "wait"
) -> AbstractAsyncContextManager[KelpieClient]:
    """A client of a toy, with its key unless another is given."""
    config = Config(clock=toy.now, rate_limit=rate_limit)
    return open_kelpie(credentials or Credentials(KEY, SECRET, ""), config, toy, toy.connect)


@asynccontextmanager
async def opened() -> AsyncGenerator[tuple[Toy, KelpieClient]]:
    """A toy and its client."""
    async with open_toy() as toy, client_of(toy) as client:
        yield toy, client


def test_the_adapter_is_small() -> None:
    """What a venue costs: one file."""
    lines = Path(kelpie.__file__).read_text(encoding="utf-8").splitlines()
    assert len(lines) < MOST_LINES, len(lines)


# Calls


async def test_a_read_is_a_model(autojump_clock: MockClock) -> None:
    """With the quota that the headers tell."""
    async with opened() as (toy, client):
        reply = await client.rest.call(kelpie.quote, pair="AB-CD")
        assert reply.data == kelpie.Quote("AB-CD", Decimal("1.50"))
        assert reply.quota is not None
        assert (reply.quota.used, reply.quota.limit) == (1, 10)
        assert toy.calls == ["GET /v9/quote?pair=AB-CD"]


async def test_a_write_is_signed_in_the_venues_own_way(autojump_clock: MockClock) -> None:
    """The toy checks it by its own code."""
    async with opened() as (toy, client):
        assert (await client.rest.call(kelpie.place, **ORDER)).data.order == "0.00000001"
        async with client_of(toy, Credentials(KEY, "another", "")) as stranger:
            with pytest.raises(AuthenticationError, match="who are you"):
                await stranger.rest.call(kelpie.place, **ORDER)
        assert len(toy.calls) == 2


async def test_a_refusal_is_the_exception_of_its_number(autojump_clock: MockClock) -> None:
    """A documented number refuses for good; after any other, nobody knows what became of a write."""
    async with opened() as (toy, client):
        toy.answers = [(400, {"ok": False, "fault": 1, "text": "no such pair"})] * 2
        calls: list[tuple[Endpoint[Any], dict[str, Any]]] = [(kelpie.quote, {"pair": "X"}), (kelpie.place, ORDER)]
        for endpoint, arguments in calls:
            with pytest.raises(InvalidSymbol, match="no such pair") as refused:
                await client.rest.call(endpoint, **arguments)
            assert refused.value.code == 1
        toy.answers = [(400, {"ok": False, "fault": 999_999, "text": "?"})]
        with pytest.raises(OutcomeUnknown):
            await client.rest.call(kelpie.place, **ORDER)


async def test_too_many_calls_wait_or_raise(autojump_clock: MockClock) -> None:
    """A 429 pauses the bucket for a window."""
    busy = (429, {"ok": False, "fault": 77, "text": "slower"})
    async with opened() as (toy, client):
        toy.answers = [busy]
        began = trio.current_time()
        assert (await client.rest.call(kelpie.place, **ORDER)).data.order
        assert trio.current_time() - began >= 1.0
        async with client_of(toy, rate_limit="raise") as hasty:
            toy.answers = [busy]
            with pytest.raises(RateLimited) as refused:
                await hasty.rest.call(kelpie.quote, pair="AB-CD")
            assert refused.value.retry_after == pytest.approx(2.0, abs=0.1)


async def test_a_wrong_clock_is_set_by_the_venues_time(autojump_clock: MockClock) -> None:
    """It is asked for once, and the call repeated."""
    async with opened() as (toy, client):
        toy.ahead = 60.0
        assert (await client.rest.call(kelpie.place, **ORDER)).data.order
        assert toy.calls == ["POST /v9/orders", "GET /v9/time", "POST /v9/orders"]
        assert (await client.rest.latency()).offset == pytest.approx(60_000, abs=50)


# Streams


async def test_a_topic_gets_the_items_of_its_subject(autojump_clock: MockClock) -> None:
    """All trades come under one name."""
    async with opened() as (toy, client), client.subscribe("trades#AB-CD") as trades:
        await toy.push("trades", {"symbol": "EF-GH", "price": "1"}, {"symbol": "AB-CD", "price": "2"})
        assert await trades.receive() == Trade("AB-CD", Decimal(2))
        assert client.connections.statistics().topics == 1
        await trades.add("trades#EF-GH")
        assert toy.held == ["trades#AB-CD", "trades#EF-GH"]
        await toy.push("trades", {"symbol": "EF-GH", "price": "3"})
        assert await trades.receive() == Trade("EF-GH", Decimal(3))


async def test_a_private_stream_logs_in(autojump_clock: MockClock) -> None:
    """With a proof of its own; a wrong one ends at the ``async with``."""
    async with opened() as (toy, client):
        async with client.subscribe("orders") as orders:
            assert toy.logins == 1
            await toy.push("orders", {"order": "7", "state": "filled"})
            assert await orders.receive() == OwnOrder("7", "filled")
        async with client_of(toy, Credentials(KEY, "another", "")) as stranger:
            with pytest.raises(AuthenticationError):
                async with stranger.subscribe("orders"):
                    pass


async def test_what_is_not_there_is_refused(autojump_clock: MockClock) -> None:
    """Before it is sent where that can be known, else by the venue."""
    async with opened() as (toy, client):
        with pytest.raises(InvalidRequest, match="not a topic: candles"):
            async with client.subscribe("candles"):
                pass
        with pytest.raises(SubscriptionRefused, match="no such thing"):
            async with client.subscribe("trades#AB-CD", "trades#NO-NO"):
                pass
        async with open_kelpie(None, Config(), toy, toy.connect) as nobody:
            with pytest.raises(MissingCredentials):
                async with nobody.subscribe("orders"):
                    pass


async def test_a_connection_is_kept_alive_and_put_back(autojump_clock: MockClock) -> None:
    """Pings in the venue's words; after a break the wanted topics, and the gap in the data."""
    async with opened() as (toy, client), client.subscribe("trades#AB-CD", "orders") as stream:
        await trio.sleep(60)
        assert toy.beats >= 8
        await toy.push("trades", {"symbol": "AB-CD", "price": "1"})
        assert await stream.receive() == Trade("AB-CD", Decimal(1))
        cut = trio.current_time()
        toy.deaf = True
        toy.drop()
        await trio.sleep(5)
        toy.deaf = False
        gaps = [await stream.receive(), await stream.receive()]
        assert {gap.topic for gap in gaps if isinstance(gap, Gap)} == {"trades#AB-CD", "orders"}
        assert all(gap.since <= cut + 1 and gap.until >= cut + 5 for gap in gaps)
        assert toy.logins == 2
        await toy.push("trades", {"symbol": "AB-CD", "price": "2"})
        assert await stream.receive() == Trade("AB-CD", Decimal(2))
        assert stream.statistics().gaps == 2


async def test_a_topic_is_given_up_with_its_last_subscriber(autojump_clock: MockClock) -> None:
    """Two share it on the wire."""
    async with opened() as (toy, client), client.subscribe("trades#AB-CD") as one:
        async with client.subscribe("trades#AB-CD") as other:
            await toy.push("trades", {"symbol": "AB-CD", "price": "1"})
            assert await one.receive() == await other.receive()
        await trio.sleep(1)
        assert toy.held == ["trades#AB-CD"]
    assert (toy.held, toy.sockets) == ([], 0)


def test_cancelled_anywhere_nothing_is_left() -> None:
    """A call, a private stream, a break and the next message, cancelled at each checkpoint in turn, tasks' too."""

    @asynccontextmanager
    async def around() -> AsyncGenerator[Toy]:
        async with open_toy() as toy:
            yield toy
            await trio.sleep(10)
            assert toy.sockets == 0

    async def body(toy: Toy) -> None:
        async with client_of(toy) as client, client.subscribe("orders") as orders:
            await client.rest.call(kelpie.place, **ORDER)
            toy.drop()
            assert isinstance(await orders.receive(), Gap)
            await toy.push("orders", {"order": "7", "state": "open"})
            assert await orders.receive() == OwnOrder("7", "open")

    report = sweep(body, around=around, counted="subtree")
    assert report.checkpoints > 40
