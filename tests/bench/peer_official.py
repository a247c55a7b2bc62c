"""The exchange's own Python client, sockets and REST."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from . import meter, work

PLAN = meter.plan()


def stream() -> None:
    """Read all messages in its callback."""
    from bitmart.websocket.futures_socket_client import FuturesSocketClient
    from bitmart.websocket.spot_socket_client import SpotSocketClient

    watch, done = meter.Meter(), threading.Event()
    seen = 0

    def take(told: Any) -> None:
        nonlocal seen
        if "data" not in told:
            return
        item = told["data"][0] if isinstance(told["data"], list) else told["data"]
        if PLAN["kind"] == "depth":
            read = item["bids"][0][0]
        else:
            read = item.get("price") or item.get("deal_price") or item["last_price"]
        seen += 1
        if seen == PLAN["warm"]:
            time.sleep(meter.SETTLE)
            watch.start()
        if seen == PLAN["warm"] + PLAN["count"]:
            watch.stop(PLAN["count"], read=read)
            done.set()

    client = SpotSocketClient if PLAN["market"] == "spot" else FuturesSocketClient
    url = f"{PLAN['url'].replace('http', 'ws', 1)}/ws/{PLAN['market']}/public"
    client(stream_url=url, on_message=take).subscribe(work.topics(PLAN["market"], PLAN["kind"], PLAN["topics"]))
    done.wait()


def rest() -> None:
    """Calls one after the other, or in as many threads as are at once."""
    from bitmart.api_spot import APISpot

    api = APISpot("key", "secret", "memo", url=PLAN["url"])

    def get() -> str:
        return str(api.get_v3_ticker("BTC_USDT")[0]["data"]["last"])

    def post() -> str:
        reply = api.post_submit_order("BTC_USDT", "buy", "limit", client_order_id="b1", size="0.001", price="30000")
        return str(reply[0]["data"]["order_id"])

    call = get if PLAN["verb"] == "GET" else post
    at_once = PLAN.get("at_once", 1)

    def work_off(count: int) -> str:
        return [call() for _ in range(count)][-1]

    with ThreadPoolExecutor(at_once) as pool:
        watch, read = meter.Meter(), ""
        for count in (PLAN["warm"], PLAN["count"]):
            watch.start()
            read = work_off(count) if at_once == 1 else max(pool.map(work_off, [count // at_once] * at_once))
        watch.stop(PLAN["count"] // at_once * at_once, read=read)


(stream if PLAN["do"] == "stream" else rest)()
os._exit(0)  # its timers run for ever
