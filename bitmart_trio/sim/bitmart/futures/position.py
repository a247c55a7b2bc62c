"""REST chapter: positions, their risk, leverage and the position mode."""

from __future__ import annotations

from ...futures.engine import Engine
from ...futures.listing import Listing
from ...futures.market import FuturesMarket
from ...futures.orders import Trader
from ...futures.positions import Position
from ...kernel.calls import Call, Refusal
from ...kernel.contracts import ZERO, Direction, plain
from ...kernel.encoding import Json
from ..wire import Chapter
from . import params
from .orders import mode_name

routes: Chapter[FuturesMarket] = Chapter()

DIRECTIONS: tuple[Direction, Direction] = ("long", "short")


def _common(listing: Listing, held: Position, now_ms: int) -> dict[str, Json]:
    """Return the common fields of both versions of the position list."""
    entry, value = plain(held.entry), plain(held.value(listing.mark))
    return {
        "symbol": held.contract.symbol,
        "leverage": plain(held.leverage),
        "timestamp": now_ms,
        # The amount of the next settlement; see `rules.CURRENT_FEE`.
        "current_fee": plain(held.value(listing.mark) * listing.funding.expected),
        "open_timestamp": held.opened_ms,
        "current_value": value,
        "mark_price": plain(listing.mark),
        "position_value": plain(held.cost),
        "position_cross": plain(held.margin),
        "maintenance_margin": plain(held.maintenance),
        "close_vol": plain(held.closed_size),
        "close_avg_price": plain(held.close_average),
        "open_avg_price": entry,
        "entry_price": entry,
        "current_amount": plain(held.size),
        "realized_value": plain(held.realized),
        "mark_value": value,
        "account": "futures",
    }


def _wanted(futures: FuturesMarket, call: Call) -> list[tuple[Position, Listing]]:
    symbol = params.optional_symbol(futures, call)
    held = () if params.elsewhere(call) else params.trader_of(futures, call).open_positions()
    return [(each, futures.listings[each.contract.symbol]) for each in held if symbol in (None, each.contract.symbol)]


@routes.get("/contract/private/position", auth="keyed", limit=(6, 2, "key"))
def position(futures: FuturesMarket, call: Call) -> Json:
    """Return open positions, first version."""
    trader = params.trader_of(futures, call)
    return [
        {
            **_common(listing, held, call.now_ms),
            # This is not the price; see `rules.MARK_PRICE_V1`.
            "mark_price": plain(held.value(listing.mark)),
            "margin_type": held.open_type.capitalize(),
            "position_mode": mode_name(trader),
            "unrealized_value": plain(held.profit(listing.mark)),
            "position_type": 1 if held.direction == "long" else 2,
        }
        for held, listing in _wanted(futures, call)
    ]


@routes.get("/contract/private/position-v2", auth="keyed", limit=(6, 2, "key"))
def position_v2(futures: FuturesMarket, call: Call) -> Json:
    """Return positions; with a symbol, also the empty ones: two rows in hedge mode, one in one-way mode."""
    trader, engine = params.trader_of(futures, call), futures.engine
    symbol = params.optional_symbol(futures, call)
    rows: list[Json] = []
    if params.elsewhere(call):
        return rows
    held = (each.contract.symbol for each in trader.open_positions())
    for name in dict.fromkeys(held) if symbol is None else [symbol]:
        listing, setting = futures.listings[name], trader.setting(name)
        sides: dict[Direction, Position | None] = {each: trader.position(name, each) for each in DIRECTIONS}
        if trader.one_way:
            sides = {"long": sides["long"] or sides["short"]}
        for direction, there in sides.items():
            shown = there or Position(listing.contract, direction, setting.open_type, setting.leverage)
            rows.append(_v2(engine, trader, listing, shown, "both" if trader.one_way else direction, call.now_ms))
    return rows


def _v2(engine: Engine, trader: Trader, listing: Listing, held: Position, side: str, now_ms: int) -> Json:
    signed = -held.size if side == "both" and held.direction == "short" else held.size
    return {
        **_common(listing, held, now_ms),
        "position_amount": plain(signed),
        "open_type": held.open_type,
        "position_side": side,
        "unrealized_pnl": plain(held.profit(listing.mark)),
        "liquidation_price": plain(engine.liquidation_price(trader, held)),
        "max_notional_value": plain(held.contract.max_value(held.leverage)),
        "initial_margin": plain(held.margin),
    }


@routes.get("/contract/private/position-risk", auth="keyed", limit=(24, 2, "key"))
def position_risk(futures: FuturesMarket, call: Call) -> Json:
    """Return liquidation price and margin of the open positions."""
    trader, engine = params.trader_of(futures, call), futures.engine
    return [
        {
            "symbol": held.contract.symbol,
            "position_amt": plain(held.size),
            "mark_price": plain(listing.mark),
            "unrealized_profit": plain(held.profit(listing.mark)),
            "liquidation_price": plain(engine.liquidation_price(trader, held)),
            "leverage": plain(held.leverage),
            "max_notional_value": plain(held.contract.max_value(held.leverage)),
            "margin_type": held.open_type.capitalize(),
            "isolated_margin": plain(held.margin if held.open_type == "isolated" else ZERO),
            "position_side": held.direction.capitalize(),
            "notional": plain(held.value(listing.mark)),
            "update_time": held.updated_ms // 1000,
            "account": "futures",
        }
        for held, listing in _wanted(futures, call)
    ]


@routes.get("/contract/private/get-position-mode", auth="keyed", limit=(2, 2, "key"))
def get_position_mode(futures: FuturesMarket, call: Call) -> Json:
    """Return the position mode: hedge or one-way."""
    return {"position_mode": mode_name(params.trader_of(futures, call))}


@routes.post("/contract/private/set-position-mode", limit=(2, 2, "key"))
def set_position_mode(futures: FuturesMarket, call: Call) -> Json:
    """Change the position mode; refused while there are positions or orders, conditional ones included."""
    trader = params.trader_of(futures, call)
    mode = params.needed(call, "position_mode")
    if mode not in ("hedge_mode", "one_way_mode"):
        raise Refusal(40011, "Invalid parameter position_mode")
    if mode != mode_name(trader):
        if trader.orders or trader.plans or any(True for _ in trader.open_positions()):
            raise Refusal(40059, "The position mode cannot be switched while there are positions or open orders")
        trader.one_way = mode == "one_way_mode"
    return {"position_mode": mode}


@routes.post("/contract/private/submit-leverage", limit=(24, 2, "key"))
def submit_leverage(futures: FuturesMarket, call: Call) -> Json:
    """Set leverage and margin mode of a contract; refused if an open position has other terms."""
    trader, terms = params.trader_of(futures, call), params.listing_of(futures, call).contract
    params.needed(call, "open_type")
    leverage, open_type = params.terms(call, trader, terms)
    return {
        "symbol": terms.symbol,
        "leverage": plain(leverage),
        "open_type": open_type,
        "max_value": str(terms.max_leverage),
    }


@routes.post("/contract/private/close-all-position")
def close_all_position(futures: FuturesMarket, call: Call) -> Json:
    """Close positions at market: of USDT (1) or coin-margined (2) contracts, of a symbol or all, one side or both."""
    trader, engine = params.trader_of(futures, call), futures.engine
    inverse = params.whole(call, "contractType", None, (1, 2)) == 2
    symbol, direction = params.optional_symbol(futures, call), call.text("position_side")
    if direction not in (None, *DIRECTIONS):
        raise Refusal(40011, "Invalid parameter position_side")
    for held in list(trader.open_positions()):
        contract = held.contract
        if contract.inverse == inverse and symbol in (None, contract.symbol) and direction in (None, held.direction):
            engine.close_at_market(trader, held)
    return {}
