"""Takes ``docs/images/sim_page.png``: the simulated exchange's page at ``/sim/``, in a headless Chromium.

The same driver tests the page in ``tests/sim/test_page.py``. Pillow, which makes the picture small, is there with the
plots of the bench extra.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Final

import trio
from PIL import Image

ROOT: Final = Path(__file__).resolve().parent.parent
PICTURE: Final = ROOT / "docs" / "images" / "sim_page.png"
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "sim")]

from browser_kit import find_chromium, open_browser  # noqa: E402  # after the path is set

import bitmart_trio as bm  # noqa: E402

START: Final = 1_767_261_600_000


async def main() -> None:
    """Trade a little, let some things go wrong, and take the picture."""
    program = find_chromium()
    if program is None:
        raise SystemExit("needs a Chromium")
    async with (
        bm.sim.open_server(port=0, seed=16, start=START) as server,
        server.open_client() as client,
        client.streams.subscribe("spot/trade:BTC_USDT", "spot/depth/increase100:BTC_USDT", "spot/ticker:ETH_USDT"),
        client.streams.futures.order(),
        client.streams.subscribe("futures/klineBin1m:BTCUSDT", "futures/ticker:BTCUSDT"),
        open_browser(program) as browser,
    ):
        await browser.open(server.url + "/sim/")
        await browser.wait("document.querySelectorAll('#bids tr').length > 4 && view.candles.shown.length === 120")
        server.faults.add(bm.sim.LatePong("spot/*", seconds=7.5))
        await trio.sleep(12)
        for way, part in (("buy", "0.9999"), ("sell", "1.0001")):
            ticker = await client.spot.market.ticker("BTC_USDT")
            price = format((ticker.last_price * Decimal(part)).quantize(Decimal("0.5")), "f")
            await client.spot.trading.submit_order(
                "BTC_USDT", side=way, type="limit", size="0.25", price=price, client_order_id=f"maker{way.title()}"
            )
        await client.futures.trading.submit_order(
            symbol="BTCUSDT", side=1, size=200, leverage="5", open_type="isolated", type="market"
        )
        server.faults.add(bm.sim.Duplicate("spot/trade:*", times=None, chance=0.25))
        await browser.choose("#kind", "LoseReply")
        await trio.sleep(3)
        PICTURE.parent.mkdir(exist_ok=True)
        # A page of plain areas needs no more colours than these, and a quarter of the bytes.
        Image.open(BytesIO(await browser.screenshot())).quantize(96, dither=Image.Dither.NONE).save(
            PICTURE, optimize=True
        )


if __name__ == "__main__":
    trio.run(main)
