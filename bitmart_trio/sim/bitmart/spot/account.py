"""Wallets and fee rates over REST; deposits and withdrawals are in ``funding.py``."""

from __future__ import annotations

from decimal import Decimal

from ...kernel.accounts import Account
from ...kernel.calls import Call, Refusal
from ...kernel.encoding import Json
from ...kernel.pairs import money
from ...spot.market import SpotMarket
from ...treasury import CHAINS
from ..models import name_of
from ..wire import Chapter

routes: Chapter[SpotMarket] = Chapter()

CURRENCIES_MAX = 20
_OTHER_CLASSES = {"B": "0.0025", "C": "0.004", "D": "0.006"}
"""The rates of classes of pairs that are not listed here."""


@routes.get("/account/v1/wallet", auth="keyed", limit=(12, 2, "key"))
def balances(spot: SpotMarket, call: Call) -> Json:
    """Return spot and funding balances above zero, valued in US dollars on request."""
    account = call.owner
    wanted = call.text("currency")
    if wanted is not None and wanted not in spot.currencies:
        raise Refusal(60002, "Unknown currency")
    source = call.text("sourceAccount")
    if source not in (None, "SPOT", "FUND"):
        raise Refusal(60001, "Unknown account type")
    valued = (call.text("needUsdValuation") or "").lower() == "true"
    rows: list[Json] = []
    for currency in _held(account):
        own, fund = account.spot, account.fund
        amounts = {"SPOT": own.total(currency), "FUND": fund.total(currency)}
        if wanted not in (None, currency) or not (amounts[source] if source else sum(amounts.values())):
            continue
        rows.append(
            {
                "currency": currency,
                "name": name_of(currency),
                "available": money(own.available(currency)),
                "available_usd_valuation": _value(spot, currency, own.available(currency)) if valued else None,
                "frozen": money(own.frozen(currency)),
                "unAvailable": money(own.frozen(currency)),
                "fundAvailable": money(fund.available(currency)),
                "fundFrozen": money(fund.frozen(currency)),
            }
        )
    return {"wallet": rows}


def _held(account: Account) -> list[str]:
    return list(dict.fromkeys(currency for wallet in (account.spot, account.fund) for currency, _, _ in wallet.rows()))


def _value(spot: SpotMarket, currency: str, amount: Decimal) -> str:
    return money(amount * (spot.price(currency) or Decimal(0)))


@routes.get("/spot/v1/wallet", auth="keyed", limit=(12, 2, "key"))
def spot_balances(spot: SpotMarket, call: Call) -> Json:
    """Return the balances of the spot wallet."""
    return {
        "wallet": [
            {
                "id": currency,
                "name": name_of(currency),
                "available": money(available),
                "frozen": money(frozen),
                "total": money(available + frozen),
            }
            for currency, available, frozen in call.owner.spot.rows()
        ]
    }


@routes.get("/account/v1/currencies", limit=(2, 2, "ip"))
def account_currencies(spot: SpotMarket, call: Call) -> Json:
    """Return the terms of deposit and withdrawal, one row per chain."""
    names = (call.text("currencies") or "").split(",")
    wanted = {name.strip() for name in names} - {""}
    if len(wanted) > CURRENCIES_MAX:
        raise Refusal(60000, f"At most {CURRENCIES_MAX} currencies at once")
    if not wanted <= {name for chain in CHAINS.values() for name in (chain.name, chain.coin)}:
        raise Refusal(60002, "Unknown currency")
    rows: list[Json] = [
        {
            "currency": chain.name,
            "name": chain.name,
            "contract_address": chain.contract,
            "network": chain.network,
            "withdraw_enabled": True,
            "deposit_enabled": True,
            "withdraw_minsize": chain.least,
            # Null, or the same fee again: `rules.WITHDRAW_MINFEE`.
            "withdraw_minfee": chain.fee if chain.contract is None else None,
            "withdraw_fee": chain.fee,
            "withdraw_fee_estimate": f"{Decimal(chain.fee) * (spot.price(chain.coin) or Decimal(0)):.4f}",
            "recharge_minsize": chain.least_deposit,
            "withdraw_maxsize": None,
        }
        for chain in CHAINS.values()
        if not wanted or {chain.name, chain.coin} & wanted
    ]
    return {"currencies": rows}


@routes.get("/spot/v1/user_fee", auth="keyed", limit=(2, 2, "key"))
def basic_fee_rate(spot: SpotMarket, call: Call) -> Json:
    """Return the base rates per class of pairs; all pairs here are of class A."""
    own = spot.engine.rates_of(call.owner.account_id)
    rates = {"A": (own.taker, own.maker)} | {pairs: (Decimal(rate),) * 2 for pairs, rate in _OTHER_CLASSES.items()}
    answer: dict[str, Json] = {"user_rate_type": 0, "level": "LV1"}
    for pairs, (taker, maker) in rates.items():
        answer |= {f"taker_fee_rate_{pairs}": format(taker, "f"), f"maker_fee_rate_{pairs}": format(maker, "f")}
    return answer


@routes.get("/spot/v1/trade_fee", auth="keyed", limit=(2, 2, "key"))
def trade_fee_rate(spot: SpotMarket, call: Call) -> Json:
    """Return the rates of one pair."""
    symbol = call.need("symbol")
    if symbol not in spot.markets:
        raise Refusal(50001, "Symbol not found")
    rates = spot.engine.rates_of(call.owner.account_id)
    taker, maker = format(rates.taker, "f"), format(rates.maker, "f")
    return {
        "symbol": symbol,
        "buy_taker_fee_rate": taker,
        "sell_taker_fee_rate": taker,
        "buy_maker_fee_rate": maker,
        "sell_maker_fee_rate": maker,
    }
