"""The symbols of a simulated exchange: any number of pairs and contracts, by name or with rules of their own.

    open_exchange(symbols=["BTC_USDT", "SOL_USDT", SpotPair("PEPE_USDT", price="0.00001"), Contract("SOLUSDT")])

A name alone is enough. Missing rules follow from the coin's price: seven digits of price, a step worth some cents,
contracts worth some ten dollars. All markets of one coin follow one price.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, TypeAlias

import attrs

from .coins import COINS, DOLLARS, USUAL, Coin
from .contracts import CONTRACTS, Terms, brackets
from .numbers import NumberError, read_decimal
from .pairs import PAIRS, Pair

Amount: TypeAlias = "Decimal | int | str"

PRICES: Final[dict[str, str]] = {
    "ADA": "0.45", "APT": "6", "ARB": "0.4", "AVAX": "25", "BCH": "450", "BNB": "600", "DOGE": "0.15", "DOT": "5",
    "ETC": "20", "FIL": "4", "LINK": "15", "LTC": "90", "NEAR": "3", "OP": "1", "PEPE": "0.00001", "SHIB": "0.00001",
    "SOL": "150", "SUI": "2", "TON": "4", "TRX": "0.25", "UNI": "8", "XLM": "0.2", "XMR": "200", "XRP": "0.6",
}  # fmt: skip
"""The default prices of well-known coins; any other coin gets a price made from its name."""
OWN_CONTRACTS: Final = ("BTC", "ETH")
"""The coins that a contract may be settled in."""
_SPOT_NAME: Final = re.compile(r"([A-Z0-9]{1,20})_([A-Z0-9]{2,20})")
_CONTRACT_NAME: Final = re.compile(r"([A-Z0-9]{1,20}?)(USDT|USD)")
_FIRST_ID: Final = 2000
_OPENING_WORTH: Final = Decimal(10_000)


def exact(value: object, what: str) -> Decimal:
    """A number above zero, exactly as given.

    Raises:
        TypeError: the value is a float.
        ValueError: the value is not a number, or not above zero.
    """
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise TypeError(f"give the {what} as Decimal, int or str: a float is not exact")
    try:
        number = read_decimal(value)
    except NumberError:
        raise ValueError(f"the {what} is no number: {value!r}") from None
    if number <= 0:
        raise ValueError(f"the {what} must be above zero: {value}")
    return number


def _amount(value: Amount | None) -> Decimal | None:
    return None if value is None else exact(value, "amount")


def _power_of_ten(pair: SpotPair, attribute: attrs.Attribute[Decimal | None], value: Decimal | None) -> None:
    if value is not None and (value > 1 or value != Decimal(1).scaleb(value.adjusted())):
        raise ValueError(f"{attribute.name} must be 1, 0.1, 0.01, ...: the exchange counts decimal places")


@attrs.frozen
class _Named:
    """The coin and currency in the name of a symbol."""

    symbol: str

    @property
    def base(self) -> str:
        """The coin that is traded."""
        return self._parts()[0]

    @property
    def quote(self) -> str:
        """The currency of prices: for a contract USDT, or USD if it is settled in the coin."""
        return self._parts()[1]

    @property
    def plain(self) -> bool:
        """True if only the name was given."""
        return self == type(self)(self.symbol)

    def _parts(self) -> tuple[str, str]:
        raise NotImplementedError


def _parts(symbol: str, name: re.Pattern[str], kind: str) -> tuple[str, str]:
    found = name.fullmatch(symbol)
    if found is None:
        raise ValueError(f"{symbol!r} is not the name of a {kind}")
    return found[1], found[2]


@attrs.frozen
class SpotPair(_Named):
    """A spot pair; missing rules follow from the price.

    Args:
        symbol: the name, such as ``SOL_USDT`` or ``ETH_BTC``.
        price: the price of one unit at the opening, in the quote currency. Of several symbols with the same base coin,
            the first that names a price decides.
        tick: the step of prices: 1, 0.1, 0.01, ...
        step: the step of sizes, and the smallest size: 1, 0.1, 0.01, ...
        min_notional: the smallest value of an order, in the quote currency.
        max_size: the largest size of an order.

    Raises:
        ValueError: the symbol is not a pair, or a number is invalid.
        TypeError: an amount is a float.
    """

    price: Decimal | None = attrs.field(default=None, converter=_amount, kw_only=True)
    tick: Decimal | None = attrs.field(default=None, converter=_amount, validator=_power_of_ten, kw_only=True)
    step: Decimal | None = attrs.field(default=None, converter=_amount, validator=_power_of_ten, kw_only=True)
    min_notional: Decimal | None = attrs.field(default=None, converter=_amount, kw_only=True)
    max_size: Decimal | None = attrs.field(default=None, converter=_amount, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse a name that is not a pair's."""
        if self.base == self.quote or self.base in DOLLARS:
            raise ValueError(f"{self.symbol} is no pair with a price of its own")

    def _parts(self) -> tuple[str, str]:
        return _parts(self.symbol, _SPOT_NAME, "spot pair, such as BTC_USDT")


@attrs.frozen
class Contract(_Named):
    """A perpetual contract; missing rules follow from the price.

    Args:
        symbol: the name, such as ``SOLUSDT``; ``BTCUSD`` and ``ETHUSD`` are settled in their coin.
        price: the price of the coin at the opening, in US dollars; see `SpotPair`.
        tick: the step of prices.
        size: the size of one contract: units of the coin, or US dollars if the contract is settled in the coin.
        max_leverage: the greatest leverage, 1 to 100.

    Raises:
        ValueError: the symbol is not a contract, or a number is invalid.
        TypeError: an amount is a float.
    """

    price: Decimal | None = attrs.field(default=None, converter=_amount, kw_only=True)
    tick: Decimal | None = attrs.field(default=None, converter=_amount, kw_only=True)
    size: Decimal | None = attrs.field(default=None, converter=_amount, kw_only=True)
    max_leverage: int | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse a name that is not a contract's, and impossible leverages."""
        if self.max_leverage is not None and not 1 <= self.max_leverage <= 100:
            raise ValueError("max_leverage is 1 to 100")
        if self.inverse and self.base not in OWN_CONTRACTS:
            raise ValueError(f"{self.symbol}: only {' and '.join(OWN_CONTRACTS)} contracts are settled in their coin")

    @property
    def inverse(self) -> bool:
        """Return True if the contract is settled in the coin."""
        return self.quote == "USD"

    def _parts(self) -> tuple[str, str]:
        return _parts(self.symbol, _CONTRACT_NAME, "contract, such as BTCUSDT")


Symbol: TypeAlias = "str | SpotPair | Contract"


@attrs.frozen
class Listed:
    """The symbols that one exchange trades, with all their rules."""

    pairs: tuple[Pair, ...]
    contracts: tuple[Terms, ...]
    coins: tuple[Coin, ...]
    """The coins with prices, which always include the usual three."""

    def currencies(self) -> tuple[str, ...]:
        """Every currency of the spot market."""
        return tuple(dict.fromkeys((*USUAL, *(each for pair in self.pairs for each in (pair.base, pair.quote)))))

    def traded(self) -> frozenset[str]:
        """The coins whose prices affect a traded symbol."""
        pairs = {currency for pair in self.pairs for currency in (pair.base, pair.quote)}
        return frozenset(pairs | {terms.base for terms in self.contracts})

    def gifts(self) -> dict[str, Decimal]:
        """The default account's opening balances of unusual coins: about 10,000 US dollars' worth of each."""
        prices = {coin.name: coin.base * coin.point for coin in self.coins}
        gifts: dict[str, Decimal] = {}
        for currency in self.currencies():
            if currency not in USUAL:
                price = prices.get(currency, Decimal(1))
                gifts[currency] = Decimal(1).scaleb((_OPENING_WORTH / price).adjusted())
        return gifts


def usual() -> tuple[Symbol, ...]:
    """Return the symbols that are traded by default."""
    return (*(pair.symbol for pair in PAIRS), *(terms.symbol for terms in CONTRACTS))


def read_symbols(symbols: Iterable[Symbol] | None) -> Listed:
    """Return the rules of names and requested symbols.

    Raises:
        ValueError: a name is not a symbol, or is given twice.
    """
    wishes = [_wish(symbol) for symbol in (usual() if symbols is None else symbols)]
    seen: set[str] = set()
    for wish in wishes:
        if wish.symbol in seen:
            raise ValueError(f"{wish.symbol} is listed twice")
        seen.add(wish.symbol)
    coins = _coins(wishes)
    prices = {name: coin.base * coin.point for name, coin in coins.items()}
    pairs = [
        _pair(wish, prices, _FIRST_ID + number) for number, wish in enumerate(wishes) if isinstance(wish, SpotPair)
    ]
    contracts = [_terms(wish, prices[wish.base]) for wish in wishes if isinstance(wish, Contract)]
    return Listed(tuple(pairs), tuple(contracts), tuple(coins.values()))


def _wish(symbol: Symbol) -> SpotPair | Contract:
    if not isinstance(symbol, str):
        return symbol
    return SpotPair(symbol) if "_" in symbol else Contract(symbol)


def _coins(wishes: Iterable[SpotPair | Contract]) -> dict[str, Coin]:
    coins = {coin.name: coin for coin in COINS}
    asked: dict[str, Decimal] = {}
    needed: dict[str, None] = {}
    for wish in wishes:
        for currency in (wish.quote, wish.base):
            if currency not in DOLLARS:
                needed[currency] = None
    # Prices in dollars first: a price in another coin depends on that coin's price.
    for wish in sorted(wishes, key=lambda wish: wish.quote not in DOLLARS):
        if wish.price is not None and wish.base not in asked:
            asked[wish.base] = wish.price * _price(wish.quote, asked)
    for name in needed:
        if name in asked or name not in coins:
            coins[name] = Coin.at(name, _price(name, asked))
    return coins


def _price(name: str, asked: dict[str, Decimal]) -> Decimal:
    """Return the price of a coin at the opening, in dollars."""
    if name in DOLLARS:
        return Decimal(1)
    if name in asked:
        return asked[name]
    usual_coin = next((coin for coin in COINS if coin.name == name), None)
    if usual_coin is not None:
        return usual_coin.base * usual_coin.point
    if name in PRICES:
        return Decimal(PRICES[name])
    dice = random.Random(f"price/{name}")
    return Decimal(dice.randint(1_000_000, 9_999_999)).scaleb(dice.randint(-8, -5))


def _pair(wish: SpotPair, prices: dict[str, Decimal], symbol_id: int) -> Pair:
    price = prices[wish.base] / prices.get(wish.quote, Decimal(1))
    known = next((pair for pair in PAIRS if pair.symbol == wish.symbol), None)
    if known is not None and wish.plain:
        return known
    keep = known if wish.price is None else None
    tick = wish.tick or (keep.tick if keep else Decimal(1).scaleb(max(-8, min(0, price.adjusted() - 5))))
    step = wish.step or (keep.lot if keep else Decimal(1).scaleb(min(0, -prices[wish.base].adjusted() - 1)))
    grid = price / tick
    worth = step * prices[wish.base]
    least = wish.min_notional or (
        Decimal(5) if wish.quote in DOLLARS else (5 / prices[wish.quote]).quantize(Decimal("1E-8"), ROUND_HALF_EVEN)
    )
    return Pair(
        wish.symbol,
        symbol_id if known is None else known.symbol_id,
        wish.base,
        wish.quote,
        -step.adjusted(),
        -tick.adjusted(),
        min_value=least,
        max_size=wish.max_size or Decimal(100_000_000),
        spacing=tick * max(1, int(grid * 15 / 1_000_000)),
        lots=(max(1, int(1_200 / worth)), max(10, int(60_000 / worth))),
    )


def _terms(wish: Contract, price: Decimal) -> Terms:
    known = next((terms for terms in CONTRACTS if terms.symbol == wish.symbol), None)
    if known is not None and wish.plain:
        return known
    keep = known if wish.price is None else None
    tick = wish.tick or (keep.tick if keep else Decimal(1).scaleb(price.adjusted() - 5))
    unit = Decimal(100) if wish.inverse else Decimal(1).scaleb(1 - price.adjusted())
    size = wish.size or (known.contract_size if known else unit)
    most = wish.max_leverage or 100
    model = known or CONTRACTS[2 if wish.inverse else 1]
    tiers = [
        (min(tier.leverage, most), format(tier.cap, "f"), format(tier.ratio, "f"))
        for tier in model.brackets
        if tier.leverage <= most or tier is model.brackets[0]
    ]
    return Terms(
        wish.symbol,
        wish.base,
        wish.quote,
        wish.inverse,
        size,
        tick,
        brackets(*tiers),
        1_000_000 if known is None else known.open_interest,
        max_leverage=most,
    )
