"""What it costs a server to answer: the simulated exchange, or the least that aiohttp can do.

The clients are a process of their own, over plain sockets; what counts is the processor time of this one.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from functools import partial

import trio

from . import meter, work
from .runs import ROOT

PLAN = meter.plan()

LOAD = """
import hashlib, hmac, json, socket, sys, time
port, verb = int(sys.argv[1]), sys.argv[2]
connected = socket.create_connection(("127.0.0.1", port))
reader = connected.makefile("rb")
order = {"symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "0.001", "price": "%d"}
def ask(number):
    if verb == "GET":
        connected.sendall(b"GET /spot/quotation/v3/ticker?symbol=BTC_USDT HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
    else:
        body, now = json.dumps({**order, "price": str(20000 + number % 100)}), str(int(time.time() * 1000))
        signature = hmac.new(b"sim-secret", f"{now}#sim-memo#{body}".encode(), hashlib.sha256).hexdigest()
        head = (f"POST /spot/v2/submit_order HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Type: application/json\\r\\n"
            f"Content-Length: {len(body)}\\r\\nX-BM-KEY: sim-key\\r\\nX-BM-TIMESTAMP: {now}\\r\\n"
            f"X-BM-SIGN: {signature}\\r\\n\\r\\n")
        connected.sendall((head + body).encode())
    length = 0
    while (line := reader.readline()) not in (b"\\r\\n", b""):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return reader.read(length)
for line in sys.stdin:
    for number in range(int(line)):
        told = ask(number)
    print(told.decode(), flush=True)
"""


def _run(port: int) -> tuple[str, meter.Meter]:
    """Let the load warm this process up, then do what counts."""
    command = [sys.executable, "-c", LOAD, str(port), PLAN["verb"]]
    watch = meter.Meter()
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load:
        assert load.stdin is not None
        assert load.stdout is not None
        told = ""
        for count in (PLAN["warm"], PLAN["count"]):
            watch.start()
            load.stdin.write(f"{count}\n")
            load.stdin.flush()
            told = load.stdout.readline()
        load.kill()
    if json.loads(told)["code"] != 1000:
        raise AssertionError(told)
    return told, watch


async def ours() -> None:
    """The simulated exchange, its market held still: what ticks cost is another row."""
    from bitmart_trio.sim import open_server
    from bitmart_trio.sim.bitmart.gate import Quotas
    from bitmart_trio.sim.bitmart.wire import Route

    class Endless(Quotas):
        """Counts as ever, and refuses nobody."""

        def spend(self, route: Route, caller: str, now_ms: int) -> tuple[dict[str, str], bool]:
            return super().spend(route, caller, now_ms)[0], True

    async with open_server(port=0, seed=7, live=False) as server:
        server.simulation.bitmart.gate.quotas = Endless()
        _, watch = await trio.to_thread.run_sync(partial(_run, server.port))
        watch.stop(PLAN["count"], read="")


async def echo() -> None:
    """A handler that returns a canned reply, to an order after reading its JSON."""
    from aiohttp import web

    async def ticker(request: web.Request) -> web.Response:  # noqa: ASYNC124 - aiohttp takes no other
        return web.Response(body=work.TICKER, content_type="application/json")

    async def order(request: web.Request) -> web.Response:
        await request.json()
        return web.Response(body=work.ORDER, content_type="application/json")

    application = web.Application()
    application.router.add_get("/spot/quotation/v3/ticker", ticker)
    application.router.add_post("/spot/v2/submit_order", order)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    _, watch = await asyncio.to_thread(_run, port)
    watch.stop(PLAN["count"], read="")
    await runner.cleanup()


if __name__ == "__main__":
    if PLAN["who"] == "ours":
        trio.run(ours)
    else:
        asyncio.run(echo())
