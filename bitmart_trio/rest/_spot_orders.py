"""Define what endpoints that place or look up spot orders share: parameters, and which of them go together."""

from __future__ import annotations

from .._core.endpoint import Kind, Param, Rule, When
from ..models._enums import OrderSide
from ..models.spot_trading import QueryState, SpotOrderType, SpotStpMode

SYMBOL = Param("symbol", required=True)
SIDE = Param("side", choices=OrderSide, required=True)
TYPE = Param("type", choices=SpotOrderType, required=True)
SIZE = Param("size", Kind.DECIMAL, positive=True)
PRICE = Param("price", Kind.DECIMAL, positive=True)
NOTIONAL = Param("notional", Kind.DECIMAL, positive=True)
STP_MODE = Param("stp_mode", wire="stpMode", choices=SpotStpMode)
QUERY_STATE = Param("query_state", wire="queryState", choices=QueryState)

CLIENT_ORDER_ID_PATTERN = "[0-9A-Za-z]{1,32}"

CLIENT_ORDER_ID = Param("client_order_id", pattern=CLIENT_ORDER_ID_PATTERN)
CLIENT_ORDER_ID_CAMEL = Param("client_order_id", wire="clientOrderId", pattern=CLIENT_ORDER_ID_PATTERN)
"""The same for endpoints that spell it in camel case."""

ORDER_RULES: tuple[Rule, ...] = (
    When((("type", ("limit", "limit_maker", "ioc")),), needs=("size", "price"), refuses=("notional",)),
    # The exchange ignores a size here, and refuses one instead of a notional with 50021.
    When((("type", ("market",)), ("side", ("buy",))), needs=("notional",), refuses=("size", "price")),
    When((("type", ("market",)), ("side", ("sell",))), needs=("size",), refuses=("notional", "price")),
)
"""The amounts that an order needs, by type and side."""
