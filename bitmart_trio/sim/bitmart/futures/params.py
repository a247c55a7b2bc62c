"""Read the parameters of futures calls; each kind of mistake is answered with its own code."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

from ...futures.listing import Listing
from ...futures.market import FuturesMarket
from ...futures.orders import Plan, Presets, Trader
from ...kernel.calls import Call, Refusal
from ...kernel.contracts import OpenType, Terms

_CLIENT_ID = re.compile(r"[A-Za-z0-9]+\Z")
_OPEN_TYPES: dict[str, OpenType] = {"cross": "cross", "isolated": "isolated"}
_ORDER_TYPES: dict[str, Literal["limit", "market"]] = {"limit": "limit", "market": "market"}
MAX_DAYS_S = 90 * 86_400
WEEK_S = 7 * 86_400


def trader_of(futures: FuturesMarket, call: Call) -> Trader:
    """Return the futures side of the caller's account."""
    return futures.engine.trader(call.owner)


def missing(name: str) -> Refusal:
    """Return the refusal of a missing parameter."""
    return Refusal(40011, f"Invalid request: {name} is required")


def needed(call: Call, name: str) -> str:
    """Return a required parameter."""
    value = call.text(name)
    if value is None:
        raise missing(name)
    return value


def find(
    futures: FuturesMarket, symbol: str, code: int = 40034, message: str = "The contract does not exist"
) -> Listing:
    """Return the contract with a name; `Refusal` if there is none."""
    found = futures.look(symbol)
    if found is None:
        raise Refusal(code, message)
    return found


def listing_of(futures: FuturesMarket, call: Call) -> Listing:
    """Return the contract that a call names."""
    return find(futures, needed(call, "symbol"))


def optional_symbol(futures: FuturesMarket, call: Call) -> str | None:
    """Return the contract to which a call is limited; None for all."""
    symbol = call.text("symbol")
    return None if symbol is None else find(futures, symbol).contract.symbol


def whole(call: Call, name: str, default: int | None, allowed: tuple[int, ...] | range, code: int = 40011) -> int:
    """Return a whole number from a set; required if ``default`` is None."""
    if default is None:
        needed(call, name)
    value = call.integer(name, 0 if default is None else default, code=code)
    if value not in allowed:
        raise Refusal(code, f"Invalid parameter {name}")
    return value


def positive(call: Call, name: str, code: int = 40044) -> Decimal | None:
    """Return a number above zero, None if it is missing."""
    value = call.decimal(name, code=40007)
    if value is not None and value <= 0:
        raise Refusal(code, f"{name} is out of range")
    return value


def price(call: Call, contract: Terms, name: str = "price", *, required: bool = True) -> Decimal | None:
    """Return a price on the contract's grid."""
    value = positive(call, name)
    if value is None:
        if required:
            raise missing(name)
        return None
    if value > contract.tick * 10**9:  # first: a remainder of something huge cannot be had
        raise Refusal(40044, f"{name} is out of range")
    if value % contract.tick:
        raise Refusal(40043, f"{name} must be a multiple of {contract.tick}")
    return value


def needed_price(call: Call, contract: Terms, name: str) -> Decimal:
    """Return a required price."""
    value = price(call, contract, name)
    assert value is not None, "price() requires one by default"
    return value


def size(call: Call, contract: Terms, *, market: bool) -> Decimal:
    """Return a number of contracts."""
    needed(call, "size")
    value = call.decimal("size", code=40007)
    assert value is not None, "needed() has looked"
    if value != value.to_integral_value():
        raise Refusal(40043, "size must be a whole number of contracts")
    if not contract.min_volume <= value <= (contract.market_max_volume if market else contract.max_volume):
        raise Refusal(40044, "size is out of range")
    return value


def side(call: Call, allowed: tuple[int, ...] = (1, 2, 3, 4)) -> int:
    """Read the side of an order."""
    return whole(call, "side", None, allowed, 40041)


def client_id(call: Call, trader: Trader) -> str:
    """Return a new client order id, "" if none is given."""
    text = call.text("client_order_id", "") or ""
    if not text:
        return ""
    if len(text) > 32:
        raise Refusal(40049, "The maximum length of client_order_id cannot exceed 32", http=403)
    if not _CLIENT_ID.match(text):
        raise Refusal(40048, "client_order_id only allows a combination of numbers and letters", http=403)
    if text in trader.client_ids:
        raise Refusal(40050, "client_order_id duplicated with existing orders", http=403)
    return text


def terms(call: Call, trader: Trader, contract: Terms) -> tuple[Decimal, OpenType]:
    """Return leverage and margin mode of an opening order: as sent, else the contract's settings.

    Sent values become the settings; they must agree with an open position and with live opening orders.
    """
    setting = trader.setting(contract.symbol)
    leverage = read_leverage(call, contract) or setting.leverage
    open_type = read_open_type(call) or setting.open_type
    if (leverage, open_type) != (setting.leverage, setting.open_type):
        check_terms(trader, contract, leverage, open_type)
        setting.leverage, setting.open_type = leverage, open_type
    return leverage, open_type


def plan_terms(call: Call, trader: Trader, contract: Terms, side: int) -> tuple[Decimal, OpenType]:
    """Return leverage and margin mode of a conditional order, which must name both; a closing one uses the settings."""
    for name in ("leverage", "open_type"):
        needed(call, name)
    if side in (1, 4):
        return terms(call, trader, contract)
    read_leverage(call, contract)
    read_open_type(call)
    setting = trader.setting(contract.symbol)
    return setting.leverage, setting.open_type


def check_terms(trader: Trader, contract: Terms, leverage: Decimal, open_type: OpenType) -> None:
    """Refuse terms that differ from those of a position or a live opening order."""
    for used_leverage, used_type in trader.terms_in_use(contract):
        if used_type != open_type:
            raise Refusal(40012, "The margin mode differs from that of the existing position or orders")
        if used_leverage != leverage:
            raise Refusal(40040, "The leverage differs from that of the existing position or orders")


def read_leverage(call: Call, contract: Terms) -> Decimal | None:
    """Return a leverage within the contract's bounds, None if none is sent."""
    value = call.decimal("leverage", code=40040)
    if value is None:
        return None
    if value > contract.max_leverage:
        raise Refusal(40029, "Leverage is too large")
    if value < contract.min_leverage:
        raise Refusal(40030, "Leverage is too small")
    return value


def read_open_type(call: Call) -> OpenType | None:
    """Return a margin mode, None if none is sent."""
    text = call.text("open_type")
    if text not in (None, "cross", "isolated"):
        raise Refusal(40045, "open_type is invalid")
    return _OPEN_TYPES.get(text or "")


def order_type(call: Call, name: str = "type", default: str | None = "limit") -> Literal["limit", "market"]:
    """Read the type of an order."""
    text = call.text(name, default)
    if text is None:
        raise missing(name)
    if text not in _ORDER_TYPES:
        raise Refusal(40042, f"{name} is invalid")
    return _ORDER_TYPES[text]


def presets(call: Call, contract: Terms) -> Presets:
    """Return attached take-profit and stop-loss prices."""
    return Presets(
        price(call, contract, "preset_take_profit_price", required=False),
        whole(call, "preset_take_profit_price_type", 1, (1, 2)),
        price(call, contract, "preset_stop_loss_price", required=False),
        whole(call, "preset_stop_loss_price_type", 1, (1, 2)),
    )


def plan_of(call: Call, trader: Trader, symbol: str, kinds: tuple[str, ...], order_id: str | None) -> Plan:
    """Return a waiting conditional order by its id."""
    found = None if order_id is None else trader.plans.get(order_id)
    if found is not None and found.contract.symbol == symbol and found.kind in kinds:
        return found
    if any(
        plan.order_id == order_id and plan.contract.symbol == symbol and plan.kind in kinds
        for plan in trader.finished_plans
    ):
        raise Refusal(40036, "The order status is invalid")
    raise Refusal(40035, "The order does not exist")


def span_s(call: Call, now_ms: int) -> tuple[int, int]:
    """Return ``start_time`` and ``end_time`` in seconds; without both, the last seven days."""
    now = now_ms // 1000
    end = call.integer("end_time", now + 1, code=40039)
    start = call.integer("start_time", end - WEEK_S, code=40039)
    if start < 0 or end <= start or end - start > MAX_DAYS_S:
        raise Refusal(40039, "Invalid time range")
    return start, end


def limit(call: Call, default: int, most: int, name: str = "limit") -> int:
    """Read the requested number of rows."""
    return whole(call, name, default, range(1, most + 1))


def elsewhere(call: Call) -> bool:
    """Return True if the call names the copy-trading account, which is always empty here."""
    account = call.text("account", "futures")
    if account not in ("futures", "copy_trading"):
        raise Refusal(40011, "Invalid parameter account")
    return account == "copy_trading"
