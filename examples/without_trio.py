"""A plain script: REST, a table and a stream without a line of Trio."""

from __future__ import annotations

import os

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))


def main() -> None:
    """Ask, make a table of it, and follow a stream for at most half a minute."""
    with bm.blocking.open_client(environment=ENVIRONMENT) as client:
        klines = client.spot.market.klines("BTC_USDT", step=60, limit=24)
        for row in bm.to_rows(klines, times="iso")[:2]:
            print(row["open_time"], row["close"])
        with bm.blocking.fail_after(30), client.streams.spot.trade("BTC_USDT", "ETH_USDT") as trades:
            for _, trade in zip(range(3), trades, strict=False):
                print(trade.symbol, trade.side.value, trade.price)


if __name__ == "__main__":
    main()
