"""Define parameters and rules that several futures order endpoints share."""

from __future__ import annotations

from .._core.endpoint import AtLeastOne, ExactlyOne, Kind, Ordered, Param, When
from ..models._futures_enums import FuturesAccountType, FuturesOrderSide, OpenType
from ..models.futures_trading import FuturesOrderMode, FuturesOrderType, PriceType

SYMBOL = Param("symbol", required=True)
ORDER_ID = Param("order_id")
# Ids of existing orders are not checked: the exchange makes some that a new id may not look like.
CLIENT_ORDER_ID = Param("client_order_id")
NEW_CLIENT_ORDER_ID = Param("client_order_id", max_length=32, pattern="[A-Za-z0-9]+")
BY_EITHER_ID = (SYMBOL, ORDER_ID, CLIENT_ORDER_ID)
ONE_ID = (ExactlyOne(("order_id", "client_order_id")),)
AN_ID = AtLeastOne(("order_id", "client_order_id"))

ACCOUNT = Param("account", choices=FuturesAccountType)
LIMIT = Param("limit", Kind.INT, least=1, most=100)
SINCE_UNTIL = (Param("start_time", Kind.SECONDS), Param("end_time", Kind.SECONDS))
IN_ORDER = (Ordered("start_time", "end_time"),)

SIDE = Param("side", Kind.INT, choices=FuturesOrderSide, required=True)
SIZE = Param("size", Kind.INT, least=1, required=True)
SUBMITTED = (FuturesOrderType.LIMIT, FuturesOrderType.MARKET)
MODE = Param("mode", Kind.INT, choices=FuturesOrderMode)
LEVERAGE = Param("leverage", Kind.DECIMAL, positive=True, required=True)
OPEN_TYPE = Param("open_type", choices=OpenType, required=True)
TRIGGER_PRICE = Param("trigger_price", Kind.DECIMAL, positive=True, required=True)
WATCHED = (PriceType.LAST_PRICE, PriceType.FAIR_PRICE)
PRICE_TYPE = Param("price_type", Kind.INT, choices=WATCHED, required=True)
PRESETS = (
    Param("preset_take_profit_price_type", Kind.INT, choices=WATCHED),
    Param("preset_stop_loss_price_type", Kind.INT, choices=WATCHED),
    Param("preset_take_profit_price", Kind.DECIMAL, least=0),
    Param("preset_stop_loss_price", Kind.DECIMAL, least=0),
)
# The exchange silently drops the presets of a closing order.
PRESETS_OPEN = When((("side", (2, 3)),), refuses=tuple(param.name for param in PRESETS))
EXECUTIVE_PRICE = Param("executive_price", Kind.DECIMAL, least=0)
LIMIT_HAS_PRICE = When((("type", (None, "limit")),), needs=("executive_price",))
MARKET_HAS_NONE = When((("type", ("market",)),), refuses=("executive_price",))
