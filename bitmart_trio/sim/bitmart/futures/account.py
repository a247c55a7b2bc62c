"""REST chapter: the futures wallet, fees and the ledger."""

from __future__ import annotations

from ...futures.engine import Engine
from ...futures.market import FuturesMarket
from ...futures.orders import Trader
from ...futures.positions import Flow
from ...kernel.calls import Call, Refusal
from ...kernel.contracts import ZERO, plain
from ...kernel.encoding import Json
from ..wire import Chapter
from . import params

routes: Chapter[FuturesMarket] = Chapter()

CURRENCIES = ("USDT", "BTC", "ETH")
"""The currencies that are always listed, even with a zero balance."""
WEEK_MS = params.WEEK_S * 1000


def asset_row(engine: Engine, trader: Trader, currency: str) -> dict[str, Json]:
    """Return one currency of a futures wallet."""
    wallet, marks = trader.account.futures, engine.marks
    positions = list(trader.open_positions(currency))
    deposit = sum((held.margin for held in positions), ZERO)
    unrealized = sum((held.profit(marks[held.contract.symbol]) for held in positions), ZERO)
    available, frozen = wallet.available(currency), wallet.frozen(currency)
    return {
        "currency": currency,
        "position_deposit": plain(deposit),
        "frozen_balance": plain(frozen),
        "available_balance": plain(available),
        "equity": plain(available + frozen + deposit + unrealized),
        "unrealized": plain(unrealized),
    }


@routes.get("/contract/private/assets-detail", auth="keyed", limit=(12, 2, "key"))
def assets_detail(futures: FuturesMarket, call: Call) -> Json:
    """Return every currency of the wallet."""
    trader = params.trader_of(futures, call)
    currencies = dict.fromkeys((*CURRENCIES, *(currency for currency, _, _ in call.owner.futures.rows())))
    return [asset_row(futures.engine, trader, currency) for currency in currencies]


@routes.get("/contract/private/trade-fee-rate", auth="keyed", limit=(2, 2, "key"))
def trade_fee_rate(futures: FuturesMarket, call: Call) -> Json:
    """Return the account's fee rates, which are the same for every contract here."""
    symbol, rates = params.listing_of(futures, call).contract.symbol, futures.engine.rates_of(call.owner)
    return {"symbol": symbol, "taker_fee_rate": plain(rates.taker), "maker_fee_rate": plain(rates.maker)}


@routes.get("/contract/private/transaction-history", auth="keyed", limit=(6, 2, "key"))
def transaction_history(futures: FuturesMarket, call: Call) -> Json:
    """Return the ledger, newest first; times in milliseconds."""
    symbol = params.optional_symbol(futures, call)
    flow_type = params.whole(call, "flow_type", 0, range(6))
    count = params.limit(call, 100, 1000, "page_size")
    end = call.integer("end_time", futures.engine.now(), code=40039)
    start = call.integer("start_time", end - WEEK_MS, code=40039)
    if start < 0 or end < start:
        raise Refusal(40039, "Invalid time range")
    if params.elsewhere(call):
        return []
    rows: list[Json] = []
    for entry in reversed(params.trader_of(futures, call).transactions):
        number, name = FLOW_TYPES[entry.flow]
        if start <= entry.time_ms <= end and symbol in (None, entry.symbol) and flow_type in (0, number):
            rows.append(
                {
                    "symbol": entry.symbol,
                    "flow_type": number,
                    "type": name,
                    "amount": plain(entry.amount),
                    "asset": entry.currency,
                    "account": "futures",
                    "time": str(entry.time_ms),
                    "tran_id": entry.tran_id,
                }
            )
    return rows[:count]


FLOW_TYPES: dict[Flow, tuple[int, str]] = {
    "transfer": (1, "Transfer"),
    "pnl": (2, "Realized PNL"),
    "funding": (3, "Funding Fee"),
    "fee": (4, "Commission Fee"),
    "clearance": (5, "Liquidation Clearance"),
    "insurance": (5, "Liquidation Clearance"),
}
