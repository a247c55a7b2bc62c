"""Wallets and fee rates over REST; deposits and withdrawals have a file of their own."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ...kernel.accounts import Account
from ...kernel.pairs import money
from ...models.fees import RATE
from ..wire import Call, Json, Refusal, Routes

if TYPE_CHECKING:
    from ...exchange import Exchange

routes: Routes = Routes()

CURRENCIES_MAX = 20

CHAINS: tuple[tuple[str, str, str | None, str, str, str], ...] = (
    # (currency, network, contract, least withdrawal, fee, least deposit)
    ("BTC", "BTC", None, "0.0005", "0.0002", "0.0001"),
    ("ETH", "ERC20", None, "0.01", "0.002", "0.001"),
    ("USDT-TRC20", "TRC20", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "10", "1.5", "0.01"),
    ("USDT-ERC20", "ERC20", "0xdac17f958d2ee523a2206206994597c13d831ec7", "20", "4", "0.01"),
    ("BMX", "ERC20", "0x986ee2b944c42d017f52af21c4c69b84dbea35d8", "50", "20", "1"),
)


@routes.get("/account/v1/wallet", auth="keyed", limit=(12, 2, "key"))
def balances(exchange: Exchange, call: Call) -> Json:
    """Spot and funding balances above zero, valued in US dollars when asked to."""
    account = call.owner
    wanted = call.text("currency")
    if wanted is not None and wanted not in exchange.spot.currencies:
        raise Refusal(60002, "Unknown currency")
    source = call.text("sourceAccount")
    if source not in (None, "SPOT", "FUND"):
        raise Refusal(60001, "Unknown account type")
    valued = (call.text("needUsdValuation") or "").lower() == "true"
    rows: list[Json] = []
    for currency in _held(account):
        spot, fund = account.spot, account.fund
        amounts = {"SPOT": spot.total(currency), "FUND": fund.total(currency)}
        if wanted not in (None, currency) or not (amounts[source] if source else sum(amounts.values())):
            continue
        rows.append(
            {
                "currency": currency,
                "name": exchange.spot.currencies.get(currency, currency),
                "available": money(spot.available(currency)),
                "available_usd_valuation": _value(exchange, currency, spot.available(currency)) if valued else None,
                "frozen": money(spot.frozen(currency)),
                "unAvailable": money(spot.frozen(currency)),
                "fundAvailable": money(fund.available(currency)),
                "fundFrozen": money(fund.frozen(currency)),
            }
        )
    return {"wallet": rows}


def _held(account: Account) -> list[str]:
    return list(dict.fromkeys(currency for wallet in (account.spot, account.fund) for currency, _, _ in wallet.rows()))


def _value(exchange: Exchange, currency: str, amount: Decimal) -> str:
    return money(amount * (exchange.spot.price(currency) or Decimal(0)))


@routes.get("/spot/v1/wallet", auth="keyed", limit=(12, 2, "key"))
def spot_balances(exchange: Exchange, call: Call) -> Json:
    """The spot wallet."""
    return {
        "wallet": [
            {
                "id": currency,
                "name": exchange.spot.currencies.get(currency, currency),
                "available": money(available),
                "frozen": money(frozen),
                "total": money(available + frozen),
            }
            for currency, available, frozen in call.owner.spot.rows()
        ]
    }


@routes.get("/account/v1/currencies", limit=(2, 2, "ip"))
def account_currencies(exchange: Exchange, call: Call) -> Json:
    """Terms of deposit and withdrawal, one row a chain."""
    names = (call.text("currencies") or "").split(",")
    wanted = {name.strip() for name in names} - {""}
    if len(wanted) > CURRENCIES_MAX:
        raise Refusal(60000, f"At most {CURRENCIES_MAX} currencies at once")
    if not wanted <= {name for chain in CHAINS for name in (chain[0], chain[0].partition("-")[0])}:
        raise Refusal(60002, "Unknown currency")
    rows: list[Json] = []
    for currency, network, contract, least, fee, least_deposit in CHAINS:
        coin = currency.partition("-")[0]
        if wanted and not {currency, coin} & wanted:
            continue
        price = exchange.spot.price(coin) or Decimal(0)
        rows.append(
            {
                "currency": currency,
                "name": currency,
                "contract_address": contract,
                "network": network,
                "withdraw_enabled": True,
                "deposit_enabled": True,
                "withdraw_minsize": least,
                # Null or the same fee once more: `rules.WITHDRAW_MINFEE`.
                "withdraw_minfee": fee if contract is None else None,
                "withdraw_fee": fee,
                "withdraw_fee_estimate": f"{Decimal(fee) * price:.4f}",
                "recharge_minsize": least_deposit,
                "withdraw_maxsize": None,
            }
        )
    return {"currencies": rows}


@routes.get("/spot/v1/user_fee", auth="keyed", limit=(2, 2, "key"))
def basic_fee_rate(exchange: Exchange, call: Call) -> Json:
    """The base rates per class of pairs; all pairs here are of class A."""
    rates = {"A": format(RATE, "f"), "B": "0.0025", "C": "0.004", "D": "0.006"}
    answer: dict[str, Json] = {"user_rate_type": 0, "level": "LV1"}
    for pairs, rate in rates.items():
        answer |= {f"taker_fee_rate_{pairs}": rate, f"maker_fee_rate_{pairs}": rate}
    return answer


@routes.get("/spot/v1/trade_fee", auth="keyed", limit=(2, 2, "key"))
def trade_fee_rate(exchange: Exchange, call: Call) -> Json:
    """The rates of one pair."""
    symbol = call.need("symbol")
    if symbol not in exchange.spot.markets:
        raise Refusal(50001, "Symbol not found")
    rate = format(RATE, "f")
    return {
        "symbol": symbol,
        "buy_taker_fee_rate": rate,
        "sell_taker_fee_rate": rate,
        "buy_maker_fee_rate": rate,
        "sell_maker_fee_rate": rate,
    }
