"""trio-websocket by itself: messages read with ``get_message()`` and ``json.loads``, nothing typed, nothing routed."""

from __future__ import annotations

import json
import ssl
import time
import zlib
from typing import Any

import trio
from trio_websocket import open_websocket_url

from . import meter, work

PLAN = meter.plan()
TOPICS = work.topics(PLAN["market"], PLAN["kind"], PLAN["topics"])
VERB = "op" if PLAN["market"] == "spot" else "action"


def _read(data: str | bytes) -> Any:
    if isinstance(data, bytes):
        data = zlib.decompress(data, -15).decode()
    told = json.loads(data)
    if "data" not in told:
        return None
    item = told["data"][0] if isinstance(told["data"], list) else told["data"]
    return (
        item["bids"][0][0]
        if PLAN["kind"] == "depth"
        else item.get("price") or item.get("deal_price") or item["last_price"]
    )


async def main() -> None:
    """Read all messages."""
    warm, count, seen = PLAN["warm"], PLAN["count"], 0
    watch = meter.Meter()
    url = f"{PLAN['url'].replace('http', 'ws', 1)}/ws/{PLAN['market']}/public"
    context = ssl.create_default_context(cafile=PLAN["certificate"]) if PLAN.get("certificate") else None
    async with open_websocket_url(url, ssl_context=context) as socket:
        before = meter.memory()
        await socket.send_message(json.dumps({VERB: "subscribe", "args": TOPICS}))
        while True:
            read = _read(await socket.get_message())
            if read is None:
                continue
            seen += 1
            if PLAN["do"] == "first":
                meter.report(cpu=time.process_time(), count=1, read=read, wall=None)
                break
            if seen == warm:
                await trio.sleep(meter.SETTLE)
                watch.start()
            if seen == warm + count:
                watch.stop(count, before=before, read=read)
                break


trio.run(main)
