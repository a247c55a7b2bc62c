"""The same seed and the same inputs at the same exchange times give the same bytes in the event log."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import attrs
import httpx
import pytest
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim import Delay, Duplicate, Gap, LatePong, Tape, Venue, open_exchange, open_server
from bitmart_trio.sim.exchange import START_MS
from bitmart_trio.testing import deterministic

BTC, ETH = "BTC_USDT", "ETH_USDT"


async def busy_program(venue: Venue, client: bm.Client) -> None:
    """Streams, orders on both markets from several tasks at once, cancels, and faults that hit at random."""
    venue.faults.add(Gap("spot/depth*", chance=0.2, times=None))
    venue.faults.add(Duplicate("futures/*", chance=0.3, times=None))
    venue.faults.add(Delay("/spot/v2/*", seconds=0.05, chance=0.5, times=None))

    async def follow(stack: AsyncExitStack, opening: object) -> None:
        stream: AsyncIterator[object] = await stack.enter_async_context(opening)  # type: ignore[arg-type]
        async for _ in stream:
            await trio.lowlevel.checkpoint()

    async def spot(symbol: str, size: str) -> None:
        for number in range(8):
            ticker = await client.spot.market.ticker(symbol)
            placed = await client.spot.trading.submit_order(
                symbol=symbol, side="sell" if number % 2 else "buy", type="limit", size=size, price=ticker.last_price
            )
            await trio.sleep(0.4)
            with suppress(bm.ApiError):  # filled before
                await client.spot.trading.cancel_order(symbol=symbol, order_id=placed.order_id)

    async def futures() -> None:
        for side in (1, 4, 3, 2):
            await client.futures.trading.submit_order(
                symbol="BTCUSDT", side=side, type="market", size=20, leverage="10", open_type="cross"
            )
            await trio.sleep(0.7)

    async with AsyncExitStack() as stack, trio.open_nursery() as nursery:
        for opening in (
            client.streams.spot.trade(BTC, ETH),
            client.streams.spot.depth(BTC, level=20),
            client.streams.futures.depth("BTCUSDT", level=20),
            client.streams.spot.user_orders(),
        ):
            nursery.start_soon(follow, stack, opening)
        async with trio.open_nursery() as bots:
            bots.start_soon(spot, BTC, "0.01")
            bots.start_soon(spot, ETH, "0.2")
            bots.start_soon(futures)
        nursery.cancel_scope.cancel()


def log_of(seed: int, path: Path) -> bytes:
    """The whole event log of one run of the program, whole processes apart as far as it can tell."""

    async def main() -> None:
        async with open_exchange(seed=seed, log=path) as venue, venue.open_client() as client:
            await busy_program(venue, client)

    with deterministic(seed):
        trio.run(main, clock=MockClock(autojump_threshold=0))
    return path.read_bytes()


def test_two_runs_give_equal_logs(tmp_path: Path) -> None:
    """Byte for byte, with four streams, three bots and three random faults at work; nothing secret is in them."""
    one, other = log_of(3, tmp_path / "one.jsonl"), log_of(3, tmp_path / "other.jsonl")
    assert one == other
    kinds = {json.loads(line)["kind"] for line in one.splitlines()}
    assert kinds >= {"request", "frame", "reply", "match", "fault", "fault_added", "spot_order", "futures_order"}
    assert kinds >= {"socket_opened", "spot_done"}
    for secret in (b"sim-key", b"sim-secret", b"sim-memo"):
        assert secret not in one


def test_ten_seeds_give_ten_logs(tmp_path: Path) -> None:
    """Nothing of the market or its faults is fixed."""
    logs = {log_of(seed, tmp_path / f"{seed}.jsonl") for seed in range(10)}
    assert len(logs) == 10


def test_the_log_names_what_happened(tmp_path: Path) -> None:
    """Requests with account and code, frames with topic, size and connection, matches with orders, faults with hits."""
    lines = [json.loads(line) for line in log_of(1, tmp_path / "log.jsonl").splitlines()]
    first = {kind: next(line for line in lines if line["kind"] == kind) for kind in ("frame", "match", "fault")}
    assert set(first["frame"]) == {"ms", "kind", "connection", "topic", "bytes"}
    assert set(first["match"]) == {"ms", "kind", "symbol", "price", "size", "side", "maker", "taker"}
    assert set(first["fault"]) == {"ms", "kind", "id", "fault", "where", "hits"}
    order = next(line for line in lines if line["kind"] == "request" and line["path"] == "/spot/v2/submit_order")
    assert (order["account"], order["method"], order["code"]) == ("1", "POST", 1000)
    public = next(line for line in lines if line["kind"] == "request" and line["path"].endswith("/ticker"))
    assert public["account"] is None
    placed = {line["order_id"] for line in lines if line["kind"] in ("spot_order", "futures_order")}
    mine = [line for line in lines if line["kind"] == "match" and placed & {line["maker"], line["taker"]}]
    assert mine
    assert [line["ms"] for line in lines] == sorted(line["ms"] for line in lines)


async def test_a_log_cannot_be_kept_where_there_is_no_room(autojump_clock: MockClock, tmp_path: Path) -> None:
    """The reason comes at the opening, not later."""
    with pytest.raises(OSError, match="nowhere"):
        async with open_exchange(log=tmp_path / "nowhere" / "log.jsonl"):
            pass


# -- over loopback ---------------------------------------------------------------------------------


async def loopback_log(path: Path, seed: int) -> bytes:
    """A program over TCP that moves the exchange's clock itself; the log of it."""
    async with (
        open_server(seed=seed, start=START_MS, live=False, log=path) as server,
        httpx.AsyncClient(base_url=server.url) as control,
    ):
        config = attrs.evolve(bm.Config(), clock=server.clock)
        async with (
            bm.open_client(server.credentials, environment=server.environment, config=config) as client,
            client.streams.spot.trade(BTC) as trades,
            client.streams.futures.order_book("BTCUSDT") as book,
        ):
            await book.wait_live()
            for number in range(6):
                ticker = await client.spot.market.ticker(BTC)
                await client.spot.trading.submit_order(
                    symbol=BTC, side="buy" if number % 2 else "sell", type="limit", size="0.01", price=ticker.last_price
                )
                reply = await control.post("/sim/clock", json={"step_ms": 700})
                assert reply.status_code == 200
            assert START_MS <= ((await trades.receive()).time or 0) <= START_MS + 700
            assert server.exchange.now_ms() == START_MS + 6 * 700
            return await trio.Path(path).read_bytes()


async def test_the_same_inputs_at_the_same_exchange_times(tmp_path: Path) -> None:
    """Real sockets and real time, and yet equal logs: the clock is held and stepped by the client."""
    with trio.fail_after(30):
        one = await loopback_log(tmp_path / "one.jsonl", 5)
        await trio.sleep(0.05)
        other = await loopback_log(tmp_path / "other.jsonl", 5)
        third = await loopback_log(tmp_path / "third.jsonl", 6)
    assert one == other
    assert one != third


async def test_a_held_clock_stands_until_it_is_stepped_or_released(autojump_clock: MockClock) -> None:
    """Nothing moves while it is held; released, it goes on from where it stands."""
    async with open_exchange(seed=1) as venue:
        exchange = venue.exchange
        await trio.sleep(1)
        exchange.clock.hold()
        versions = exchange.spot.markets[BTC].book.version
        await trio.sleep(100)
        assert exchange.now_ms() == START_MS + 1_000
        assert exchange.spot.markets[BTC].book.version == versions
        exchange.step(5_000)
        assert exchange.now_ms() == START_MS + 6_000
        assert exchange.spot.markets[BTC].book.version > versions
        exchange.clock.release()
        await trio.sleep(2)
        assert exchange.now_ms() == START_MS + 8_000


async def test_faults_last_by_the_exchange_clock(autojump_clock: MockClock) -> None:
    """While it is held a fault does not grow old; a step ends it."""
    async with open_exchange(seed=1) as venue:
        venue.exchange.clock.hold()
        handle = venue.faults.add(LatePong(lasting=10))
        await trio.sleep(100)
        assert [found.fault for found in venue.faults.active] == [handle.fault]
        venue.exchange.step(10_000)
        assert venue.faults.active == []
        kinds = [line["kind"] for line in venue.exchange.log.lines if str(line["kind"]).startswith("fault")]
        assert kinds == ["fault_added", "fault_ended"]


async def test_a_step_may_be_divided(autojump_clock: MockClock) -> None:
    """A second in one go and the same second in odd pieces are the same to the market."""
    tapes: list[bytes] = []
    for pieces in ([1000], [333, 1, 66, 600], [10] * 100):
        async with open_exchange(seed=4, live=False) as venue:
            venue.exchange.clock.hold()
            with Tape.record(venue, levels=5) as recorder:
                for piece in pieces:
                    venue.exchange.step(piece)
            tapes.append(repr(recorder.tape.moments).encode())
    assert tapes[0] == tapes[1] == tapes[2]
    async with open_exchange() as venue:
        with pytest.raises(ValueError, match="backwards"):
            venue.exchange.step(-1)


async def test_late_pongs_leave_no_line(autojump_clock: MockClock) -> None:
    """Pongs are not in the log: they answer the client's clock, not the exchange's."""
    async with open_exchange(seed=1) as venue, venue.open_client() as client:
        async with client.streams.spot.trade(BTC):
            replies = [line for line in venue.exchange.log.lines if line["kind"] == "reply"]
            venue.faults.add(LatePong(seconds=1))
            await trio.sleep(60)
        after = [line for line in venue.exchange.log.lines if line["kind"] == "reply"]
        assert len(after) - len(replies) <= 1
