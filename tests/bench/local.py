"""Work within one process: large replies, the order book, imports. ``python -m tests.bench.local '{...}'``.

Who does it is in the plan (``who``), so that each measures itself alone.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from . import meter, work

PLAN = meter.plan()
OURS = PLAN["who"] == "ours"


def imports(everything: bool) -> None:
    """Ourselves, or only what we stand on."""
    begun = time.process_time()
    if not OURS:
        import attrs
        import cattrs
        import h11
        import httpx
        import msgspec
        import trio
        import trio_websocket

        loaded: list[object] = [attrs, cattrs, h11, httpx, msgspec, trio, trio_websocket]
    elif everything:
        from bitmart_trio import open_client

        loaded = [open_client]
    else:
        import bitmart_trio

        loaded = [bitmart_trio]
    meter.report(cpu=time.process_time() - begun, count=1, read=str(len(loaded)))


def _repeat(body: Callable[[], object], look: Callable[[], object] | None = None) -> None:
    """Warm up, then measure; what has come of it is looked at afterwards, or is what the body gives."""
    for _ in range(max(2, PLAN["count"] // 10)):
        body()
    read: object = None
    watch = meter.Meter()
    watch.start()
    for _ in range(PLAN["count"]):
        read = body()
    watch.stop(PLAN["count"], read=str(read if look is None else look()))


def decode(body: bytes, what: str) -> None:
    """A whole reply, from its bytes to models."""
    if OURS:
        import bitmart_trio as bm
        from bitmart_trio._bitmart.rest import READER

        endpoint: Any = getattr(bm.endpoints.spot.market, what)
        last = "last_price" if what == "tickers" else "close"
        _repeat(lambda: getattr(READER.parse(endpoint, 200, {}, body).data[-1], last))
        return
    import attrs
    import cattrs

    names = {
        "tickers": (
            "symbol last volume quote_volume open high low change bid bid_size ask ask_size time", {"symbol"}, {"time"}
        ),
        "klines": ("time open high low close volume quote_volume", set[str](), {"time"}),
    }[what]  # fmt: skip
    fields = names[0].split()
    kinds = {name: str if name in names[1] else int if name in names[2] else Decimal for name in fields}
    model = attrs.make_class("Model", {name: attrs.field(type=kinds[name]) for name in fields}, frozen=True, slots=True)
    converter = cattrs.Converter(detailed_validation=True)
    converter.register_structure_hook(Decimal, lambda value, _: Decimal(value))
    rows: Any = list[model]  # type: ignore[valid-type]

    def read() -> Any:
        data = json.loads(body)["data"]
        found = converter.structure([dict(zip(fields, row, strict=True)) for row in data], rows)
        return found[-1].last if what == "tickers" else found[-1].close

    _repeat(read)


def book() -> None:
    """Ten changes an update on a book of 100 levels a side, texts as they come from the wire; then both best prices.

    Taking the message apart is not part of it (the streams are measured elsewhere): making numbers of its texts is.
    """
    chance = random.Random(7)
    updates: list[bytes] = []

    def level(side: int) -> list[str]:
        away = chance.randrange(1, 100)
        price = 30000 + (away if side else -away) / 100
        return [f"{price:.2f}", "0" if chance.random() < 0.3 else f"{chance.randrange(1, 900) / 100:.5f}"]

    for number in range(2000):
        update = {
            "symbol": "BTC_USDT", "type": "update", "version": number + 2, "ms_t": 1709024652967,
            "asks": [level(1) for _ in range(5)], "bids": [level(0) for _ in range(5)],
        }  # fmt: skip
        updates.append(json.dumps(update).encode())
    asks = [[f"{30000 + step / 100:.2f}", "1.5"] for step in range(1, 101)]
    bids = [[f"{30000 - step / 100:.2f}", "1.5"] for step in range(1, 101)]
    if OURS:
        _our_book(asks, bids, updates)
    else:
        _sorted_dict(asks, bids, updates)


def _our_book(asks: list[list[str]], bids: list[list[str]], updates: list[bytes]) -> None:
    from bitmart_trio._core.book import Change, LocalBook
    from bitmart_trio.models._rows import Level
    from bitmart_trio.models.spot_streams import SpotDepthIncrease
    from bitmart_trio.streams.spot import depth_increase

    whole = {"symbol": "BTC_USDT", "type": "snapshot", "version": 1, "asks": asks, "bids": bids, "ms_t": 1}
    first = depth_increase.decode(json.dumps(whole).encode())[0]
    items: list[SpotDepthIncrease] = [depth_increase.decode(each)[0] for each in updates]
    local = LocalBook(100)
    local.snapshot(Change(1, first.bids, first.asks))
    version, at = 1, 0

    def update() -> tuple[Level, Level]:
        nonlocal version, at
        item = items[at]
        at = (at + 1) % len(items)
        version += 1
        local.update(Change(version, item.bids, item.asks))
        bid, ask = local.best_bid(), local.best_ask()
        assert local.synced
        assert bid is not None
        assert ask is not None
        return bid, ask

    _repeat(update, lambda: [str(level.price) for level in update()])


def _sorted_dict(asks: list[list[str]], bids: list[list[str]], updates: list[bytes]) -> None:
    from sortedcontainers import SortedDict  # type: ignore[import-untyped]

    sides = [SortedDict({Decimal(price): Decimal(size) for price, size in side}) for side in (bids, asks)]
    items = []
    for each in updates:
        told = json.loads(each)
        items.append([told["bids"], told["asks"]])
    at = 0

    def update() -> tuple[tuple[Decimal, Decimal], tuple[Decimal, Decimal]]:
        nonlocal at
        for side, changes in zip(sides, items[at], strict=True):
            for text, amount in changes:
                price, size = Decimal(text), Decimal(amount)
                if size:
                    side[price] = size
                else:
                    side.pop(price, None)
        at = (at + 1) % len(items)
        bid, ask = sides[0].peekitem(-1), sides[1].peekitem(0)
        return bid, ask

    _repeat(update, lambda: [str(price) for price, _ in update()])


if __name__ == "__main__":
    do = PLAN["do"]
    if do.startswith("import"):
        imports(do == "import_client")
    elif do == "book":
        book()
    else:
        what = do.removeprefix("decode_")
        decode(work.tickers(1500) if what == "tickers" else work.klines(500), what)
    sys.exit(0)
