"""``httpx.AsyncClient`` on Trio as its manual shows it: replies as plain JSON, signing by hand."""

from __future__ import annotations

import hashlib
import hmac
import json
import time

import httpx
import trio

from . import meter

PLAN = meter.plan()


async def main() -> None:
    """Calls one after the other, or many at once."""
    async with httpx.AsyncClient(timeout=10) as client:

        async def get() -> str:
            reply = await client.get(f"{PLAN['url']}/spot/quotation/v3/ticker", params={"symbol": "BTC_USDT"})
            reply.raise_for_status()
            return str(reply.json()["data"]["last"])

        async def post() -> str:
            order = {
                "symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "0.001", "price": "30000",
                "client_order_id": "b1",
            }  # fmt: skip
            body, now = json.dumps(order), str(int(time.time() * 1000))
            signature = hmac.new(b"secret", f"{now}#memo#{body}".encode(), hashlib.sha256).hexdigest()
            reply = await client.post(
                f"{PLAN['url']}/spot/v2/submit_order",
                content=body,
                headers={
                    "Content-Type": "application/json", "X-BM-KEY": "key", "X-BM-TIMESTAMP": now,
                    "X-BM-SIGN": signature,
                },
            )  # fmt: skip
            reply.raise_for_status()
            return str(reply.json()["data"]["order_id"])

        call = get if PLAN["verb"] == "GET" else post
        at_once = PLAN.get("at_once", 1)
        read = ""

        async def work_off(count: int) -> None:
            nonlocal read
            for _ in range(count):
                read = await call()

        watch = meter.Meter()
        for count in (PLAN["warm"], PLAN["count"]):
            watch.start()
            async with trio.open_nursery() as nursery:
                for _ in range(at_once):
                    nursery.start_soon(work_off, count // at_once)
        watch.stop(PLAN["count"] // at_once * at_once, read=read)


trio.run(main)
