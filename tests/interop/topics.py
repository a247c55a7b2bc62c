"""One topic of each channel, and what its messages must carry: what both foreign clients are tried with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_SPOT_PERIODS: Final = ("3m", "5m", "15m", "30m", "45m", "1H", "2H", "3H", "4H", "1D", "1W", "1M")
_FUTURES_PERIODS: Final = ("5m", "15m", "30m", "1H", "2H", "4H", "1D", "1W")

PUBLIC: Final[dict[str, Mapping[str, str]]] = {
    "spot/public": {
        "spot/ticker:BTC_USDT": "last_price",
        "spot/bookTicker:BTC_USDT": "bid_px",
        "spot/kline1m:BTC_USDT": "candle",
        "spot/depth5:BTC_USDT": "bids",
        "spot/depth20:BTC_USDT": "bids",
        "spot/depth50:BTC_USDT": "bids",
        "spot/depth/increase100:BTC_USDT": "version",
        "spot/trade:BTC_USDT": "price",
        **{f"spot/kline{period}:BTC_USDT": "candle" for period in _SPOT_PERIODS},
    },
    "futures/public": {
        "futures/ticker": "last_price",
        "futures/ticker:ETHUSDT": "last_price",
        "futures/fundingRate:BTCUSDT": "fundingRate",
        "futures/depth20:BTCUSDT@200ms": "depths",
        "futures/depthAll5:BTCUSDT@100ms": "bids",
        "futures/depthIncrease5:BTCUSDT": "version",
        "futures/v2/depthAll5:BTCUSDT": "bids",
        "futures/v2/depthIncrease5:BTCUSDT@100ms": "version",
        "futures/bookticker:BTCUSDT": "best_bid_price",
        "futures/trade:BTCUSDT": "deal_price",
        "futures/klineBin1m:BTCUSDT": "items",
        "futures/markPriceKlineBin1m:BTCUSDT": "items",
        "futures/depth5:BTCUSDT": "depths",
        "futures/depth50:BTCUSDT": "depths",
        "futures/depthAll20:BTCUSDT@100ms": "bids",
        "futures/depthAll50:BTCUSDT": "bids",
        "futures/depthIncrease20:BTCUSDT": "version",
        "futures/depthIncrease50:BTCUSDT@100ms": "version",
        "futures/v2/depthAll20:BTCUSDT": "bids",
        "futures/v2/depthAll50:BTCUSDT": "bids",
        "futures/v2/depthIncrease20:BTCUSDT": "version",
        "futures/v2/depthIncrease50:BTCUSDT": "version",
        **{f"futures/klineBin{period}:BTCUSDT": "items" for period in _FUTURES_PERIODS},
        **{f"futures/markPriceKlineBin{period}:BTCUSDT": "items" for period in _FUTURES_PERIODS},
    },
}
"""By socket: the topic, and a member of each of its messages."""

PRIVATE: Final = {
    "spot/private": ["spot/user/order:BTC_USDT", "spot/user/orders:ALL_SYMBOLS", "spot/user/balance:BALANCE_UPDATE"],
    "futures/private": ["futures/asset:USDT", "futures/position", "futures/order"],
}


def channel(topic: str) -> str:
    """What a message of the topic is marked with: spot names the channel, futures the topic."""
    return topic.partition(":")[0] if topic.startswith("spot/") else topic


def marked(message: Any) -> str:
    """What a message is marked with; "" where it is none of a topic."""
    if not isinstance(message, dict) or "data" not in message:
        return ""
    return str(message.get("table") or message.get("group") or "")


def acknowledged(message: Any) -> str:
    """The topic that a message acknowledges as subscribed; "" where it does not."""
    if not isinstance(message, dict) or "subscribe" not in verbs(message):
        return ""
    assert message.get("success", True) is True
    assert "errorCode" not in message
    return str(message.get("topic") or message.get("group") or "")


def verbs(message: Mapping[str, Any]) -> set[Any]:
    """What a message says it is about; the markets call this differently."""
    return {message.get("event"), message.get("action")}


def items(message: Any) -> list[Any]:
    """The payload of a message, one or several."""
    data = message["data"]
    return data if isinstance(data, list) else [data]
