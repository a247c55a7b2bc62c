"""``aiohttp`` as its manual shows it: replies as plain JSON, signing by hand."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time

import aiohttp

from . import meter

PLAN = meter.plan()


async def main() -> None:
    """Calls one after the other, or many at once."""
    at_once = PLAN.get("at_once", 1)
    async with aiohttp.ClientSession(PLAN["url"], timeout=aiohttp.ClientTimeout(total=10)) as session:

        async def get() -> str:
            async with session.get("/spot/quotation/v3/ticker", params={"symbol": "BTC_USDT"}) as reply:
                reply.raise_for_status()
                return str((await reply.json())["data"]["last"])

        async def post() -> str:
            order = {
                "symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "0.001", "price": "30000",
                "client_order_id": "b1",
            }  # fmt: skip
            body, now = json.dumps(order), str(int(time.time() * 1000))
            signature = hmac.new(b"secret", f"{now}#memo#{body}".encode(), hashlib.sha256).hexdigest()
            headers = {
                "Content-Type": "application/json", "X-BM-KEY": "key", "X-BM-TIMESTAMP": now, "X-BM-SIGN": signature,
            }  # fmt: skip
            async with session.post("/spot/v2/submit_order", data=body, headers=headers) as reply:
                reply.raise_for_status()
                return str((await reply.json())["data"]["order_id"])

        call = get if PLAN["verb"] == "GET" else post
        read = ""

        async def work_off(count: int) -> None:
            nonlocal read
            for _ in range(count):
                read = await call()

        watch = meter.Meter()
        for count in (PLAN["warm"], PLAN["count"]):
            watch.start()
            await asyncio.gather(*(work_off(count // at_once) for _ in range(at_once)))
        watch.stop(PLAN["count"] // at_once * at_once, read=read)


asyncio.run(main())
