"""Whether the simulated exchange keeps up: ``python -m tests.bench.exchange_load [--seconds N]``.

It runs in a process of its own and is given 500 REST requests a second and 200 socket subscriptions. It keeps up if
its market ticks at its own pace (no tick left out, none later than its limit), every request is answered with success
within its limit, and every subscription is fed to the end. The client is plain sockets on purpose: what is measured is
the exchange. Requests come from 25 addresses, 127.0.0.2 and up, so that its quotas are as documented and never met.
Last it shows what the events of the exchange have cost, see ``events.py``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import trio
from trio_websocket import connect_websocket_url

SERVER: Final = """
import json, sys, trio
from bitmart_trio.sim import open_server
from tests.bench.events import measured
async def main():
    with measured() as costs:
        async with open_server(port=0, seed=7) as server:
            print(server.port, flush=True)
            await trio.to_thread.run_sync(sys.stdin.read)
        print(json.dumps(costs.lines()), flush=True)
trio.run(main)
"""
"""It ends when its input does, with what its events have cost."""
ROOT: Final = Path(__file__).parents[2]
PATHS: Final = (
    "/spot/quotation/v3/ticker?symbol=BTC_USDT",
    "/spot/quotation/v3/books?symbol=BTC_USDT&limit=35",
    "/spot/quotation/v3/trades?symbol=BTC_USDT&limit=50",
    "/contract/public/depth?symbol=BTCUSDT",
)
ADDRESSES: Final = 25
A_SECOND: Final = 5
"""Requests of one address to one path: ``25 * 4 * 5`` is 500."""
CONNECTIONS: Final = 20
TOPICS: Final = [
    *(
        f"{table}:{symbol}"
        for symbol in ("BTC_USDT", "ETH_USDT")
        for table in ("spot/ticker", "spot/trade", "spot/depth20")
    ),
    *(f"{table}:BTC_USDT" for table in ("spot/depth/increase100", "spot/bookTicker", "spot/kline1m", "spot/depth5")),
]
"""10 topics on each of 20 connections are 200 subscriptions."""

WORST_TICK_MS: Final = 100.0
WORST_REPLY_MS: Final = 500.0


class Load:
    """What was asked and answered."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.pushes: Counter[int] = Counter()
        self.topics: set[tuple[int, str]] = set()


async def ask(load: Load, port: int, address: str, path: str, until: float, offset: float) -> None:
    """One keep-alive connection, at its pace."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    stream = await trio.open_tcp_stream("127.0.0.1", port, local_address=address)
    async with stream:
        due, buffer = trio.current_time() + offset, b""
        while due < until:
            await trio.sleep_until(due)
            await stream.send_all(request)
            while b"\r\n\r\n" not in buffer:
                buffer += await stream.receive_some()
            head, _, buffer = buffer.partition(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            while len(buffer) < length:
                buffer += await stream.receive_some()
            buffer = buffer[length:]
            # From when it was due: a client that is held up by the exchange must not ask less.
            load.seconds.append(trio.current_time() - due)
            load.statuses[head.split(b" ", 2)[1].decode()] += 1
            due += 1 / A_SECOND


async def listen(load: Load, number: int, socket: Any) -> None:
    """Count what one connection is pushed."""
    while True:
        message = await socket.get_message()
        load.pushes[number] += 1
        if isinstance(message, str) and '"event":"subscribe"' in message:
            load.topics.add((number, json.loads(message).get("topic", "")))


async def run(port: int, seconds: float) -> dict[str, Any]:
    """Load it, and read its own account of it."""
    load = Load()
    async with trio.open_nursery() as nursery:
        for number in range(CONNECTIONS):
            socket = await connect_websocket_url(nursery, f"ws://127.0.0.1:{port}/ws/spot/public")
            nursery.start_soon(listen, load, number, socket)
            await socket.send_message(json.dumps({"op": "subscribe", "args": TOPICS}))
        await trio.sleep(2)  # let the first states through
        before = await _state(port)
        until = trio.current_time() + seconds
        async with trio.open_nursery() as asking:
            for number in range(ADDRESSES):
                for index, path in enumerate(PATHS):
                    offset = (number * len(PATHS) + index) / (ADDRESSES * len(PATHS)) / A_SECOND
                    asking.start_soon(ask, load, port, f"127.0.0.{number + 2}", path, until, offset)
        after = await _state(port)
        nursery.cancel_scope.cancel()
    ticks = {name: after["schedule"][name] - before["schedule"][name] for name in ("ticks", "skipped")}
    return {
        "seconds": seconds,
        "requests": len(load.seconds),
        "requests a second": len(load.seconds) / seconds,
        "HTTP statuses": ", ".join(f"{status}: {count:,}" for status, count in load.statuses.items()),
        "reply ms, median": statistics.median(load.seconds) * 1000,
        "reply ms, 99 %": statistics.quantiles(load.seconds, n=100)[98] * 1000,
        "reply ms, worst": max(load.seconds) * 1000,
        "subscriptions": len(load.topics),
        "connections fed": len(load.pushes),
        "pushes a second": sum(load.pushes.values()) / (seconds + 2),
        **ticks,
        "tick ms late, worst": after["schedule"]["worst_ms"],
    }


async def _state(port: int) -> dict[str, Any]:
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with stream:
        await stream.send_all(b"GET /sim/state HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        answer = b"".join([chunk async for chunk in stream])
    state: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return state


def failures(found: dict[str, Any]) -> list[str]:
    """What is not as it must be."""
    asked = found["seconds"] * ADDRESSES * len(PATHS) * A_SECOND
    return [
        name
        for name, good in {
            "every request was answered with success": set(found["HTTP statuses"].split(", "))
            == {f"200: {found['requests']:,}"},
            "500 requests a second were made": found["requests"] >= 0.99 * asked,
            f"no reply took more than {WORST_REPLY_MS:g} ms": found["reply ms, worst"] <= WORST_REPLY_MS,
            "200 subscriptions were held": found["subscriptions"] == CONNECTIONS * len(TOPICS),
            "all connections were fed": found["connections fed"] == CONNECTIONS,
            "no tick was left out": found["skipped"] == 0,
            f"no tick was more than {WORST_TICK_MS:g} ms late": found["tick ms late, worst"] <= WORST_TICK_MS,
        }.items()
        if not good
    ]


def main() -> int:
    """The command."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=20.0)
    seconds = arguments.parse_args().seconds
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        try:
            assert server.stdout is not None
            assert server.stdin is not None
            found = trio.run(run, int(server.stdout.readline()), seconds)
            server.stdin.close()
            costs = json.loads(server.stdout.readline())
        finally:
            server.terminate()
    failed = failures(found)
    lines = [
        f"{name:24} {value:,.1f}" if isinstance(value, float) else f"{name:24} {value}" for name, value in found.items()
    ]
    sys.stdout.write("\n".join([*lines, *costs, *(f"NOT HELD: {name}" for name in failed)]) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
