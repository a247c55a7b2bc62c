"""What each fault of requests looks like to a client, and what the exchange did behind it."""

from __future__ import annotations

import httpx
import pytest
import trio
from faces_support import SUBMIT, TICKER, open_floor
from trio.testing import MockClock

from bitmart_trio.sim.faults import (
    Delay,
    Drop,
    Fail5xx,
    GarbageReply,
    HalfReply,
    LongerRow,
    LoseReply,
    LoseRequest,
    Maintenance,
    Refuse418,
    Refuse429,
    SlowLink,
    UnknownField,
)

ORDER = {"id": "a"}


async def test_a_lost_request_was_never_carried_out() -> None:
    """The connection breaks and there is no order; the next request is well again."""
    async with open_floor() as floor, floor.http() as client:
        floor.faults.add(LoseRequest(SUBMIT))
        with pytest.raises(httpx.ReadError):
            await client.post(SUBMIT, json=ORDER)
        assert floor.small.orders == []
        assert (await client.post(SUBMIT, json=ORDER)).json()["code"] == 1000


async def test_a_lost_reply_hides_an_order() -> None:
    """The connection breaks and there is an order; other paths are not concerned."""
    async with open_floor() as floor, floor.http() as client:
        floor.faults.add(LoseReply(SUBMIT))
        assert (await client.get(TICKER)).status_code == 200
        with pytest.raises(httpx.ReadError):
            await client.post(SUBMIT, json=ORDER)
        assert floor.small.orders == ["a"]


async def test_half_a_reply() -> None:
    """The head and the beginning of the body arrive, then the end; the order is there."""
    async with open_floor() as floor, floor.http() as client:
        floor.faults.add(HalfReply(SUBMIT))
        with pytest.raises(httpx.RemoteProtocolError, match=r"incomplete|without sending complete"):
            await client.post(SUBMIT, json=ORDER)
        assert floor.small.orders == ["a"]


@pytest.mark.parametrize("before", [True, False])
async def test_a_delayed_request_is_carried_out_although_its_sender_gave_up(
    before: bool, autojump_clock: MockClock
) -> None:
    """The client's time-out changes nothing about the order; without one the reply comes late."""
    async with open_floor() as floor, floor.http() as client:
        floor.faults.add(Delay(SUBMIT, 2, seconds=30, before=before))
        with pytest.raises(httpx.ReadTimeout):
            await client.post(SUBMIT, json=ORDER, timeout=5)
        assert floor.small.orders == ([] if before else ["a"])
        await trio.sleep(26)
        assert floor.small.orders == ["a"]
        began = trio.current_time()
        assert (await client.post(SUBMIT, json=ORDER, timeout=None)).status_code == 200
        assert trio.current_time() - began == pytest.approx(30)


async def test_a_connection_cut_during_a_delay_does_not_lose_the_request(autojump_clock: MockClock) -> None:
    """The sender sees the cut at once, the order is placed all the same."""
    async with open_floor() as floor, floor.http() as client:
        floor.faults.add(Delay(SUBMIT, seconds=30))

        async def cut() -> None:
            await trio.sleep(5)
            assert floor.sockets.drop("http") == 1

        async with trio.open_nursery() as nursery:
            nursery.start_soon(cut)
            with pytest.raises(httpx.ReadError):
                await client.post(SUBMIT, json=ORDER, timeout=None)
            assert trio.current_time() == pytest.approx(autojump_clock.current_time())
            assert floor.small.orders == []
        await trio.sleep(30)
        assert floor.small.orders == ["a"]
        assert not [line for line in floor.small.log.lines if line["kind"] == "bug"]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Refuse429(SUBMIT), 429, 30013),
        (Refuse418(SUBMIT), 418, 30017),
        (Maintenance(SUBMIT, 1), 200, 30016),
        (Fail5xx(SUBMIT), 503, 30014),
        (Fail5xx(SUBMIT, status=500), 500, 59002),
    ],
)
async def test_refusals_have_their_code_and_do_nothing(fault: Refuse429, status: int, code: int) -> None:
    """The envelope is the documented one, nothing was carried out, and once is once."""
    async with open_floor() as floor, floor.http() as client:
        floor.faults.add(fault)
        reply = await client.post(SUBMIT, json=ORDER)
        assert (reply.status_code, reply.json()["code"]) == (status, code)
        assert set(reply.json()) == {"message", "code", "trace", "data"}
        assert floor.small.orders == []
        assert (await client.post(SUBMIT, json=ORDER)).json()["code"] == 1000


async def test_an_edge_page_instead_of_an_answer() -> None:
    """HTML with a 5xx; with ``handled`` the order is there."""
    async with open_floor() as floor, floor.http() as client:
        floor.faults.add(Fail5xx(SUBMIT, status=522, html=True, handled=True))
        reply = await client.post(SUBMIT, json=ORDER)
        assert reply.status_code == 522
        assert reply.headers["content-type"] == "text/html"
        assert "<html>" in reply.text
        assert floor.small.orders == ["a"]


async def test_garbage_unknown_fields_and_longer_rows() -> None:
    """A body that is not JSON; a body with more than the client knows."""
    async with open_floor() as floor, floor.http() as client:
        floor.faults.add(UnknownField(TICKER))
        floor.faults.add(LongerRow(TICKER))
        data = (await client.get(TICKER)).json()["data"]
        assert data["sim_unknown_field"] == "new"
        assert data["rows"] == [["1", "2", "new"], ["3", "4", "new"]]
        floor.faults.add(GarbageReply(TICKER))
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            (await client.get(TICKER)).json()


async def test_a_dropped_idle_connection_is_replaced() -> None:
    """A pooled client notices before it sends, and nothing is lost."""
    async with open_floor() as floor, floor.http() as client:
        await client.get(TICKER)
        floor.faults.add(Drop("http"))
        assert floor.faults.active == []
        assert (await client.get(TICKER)).status_code == 200


async def test_a_slow_link_trickles(autojump_clock: MockClock) -> None:
    """A reply takes its time, and arrives whole."""
    async with open_floor() as floor, floor.http() as client:
        handle = floor.faults.add(SlowLink("http", bytes_per_second=50))
        began = trio.current_time()
        reply = await client.get(TICKER, timeout=None)
        assert reply.json()["code"] == 1000
        assert trio.current_time() - began > 2
        assert handle.hits == 1


async def test_a_clock_skew_shows_in_the_exchanges_time() -> None:
    """Until it is taken back."""
    async with open_floor() as floor, floor.http() as client:
        await client.post("/sim/faults", content="ClockSkew:ms=90000")
        clock = (await client.get("/sim/clock")).json()
        assert clock["skew_ms"] == 90_000
        await client.delete("/sim/faults")
        assert (await client.get("/sim/clock")).json()["skew_ms"] == 0
