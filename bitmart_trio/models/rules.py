"""Check and round orders by a market's rules. Pure: no client, no IO."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from typing import cast

import attrs

from ..errors import AbsentMember
from ._model import Model
from ._numbers import EXACT, MOST_DIGITS, exact, excerpt
from .futures_market import ContractDetails, ContractStatus
from .spot_market import SymbolDetails, TradeStatus


@attrs.frozen
class Violation(Model):
    """A rule that an order breaks."""

    argument: str
    """The wrong argument: price, size, notional, symbol or leverage."""
    reason: str
    """The error and the allowed values, for the user."""


def _number(value: object) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, bool | float) or not isinstance(value, Decimal | int | str):
        raise TypeError(f"an exact amount must be a Decimal, an int or a str, not {type(value).__name__}")
    return exact(value)


def _text(value: Decimal) -> str:
    return format(value, "f")


def _argument(order: object, name: str) -> object:
    known = cast("Mapping[str, object]", order) if isinstance(order, Mapping) else {name: getattr(order, name, None)}
    value = known.get(name)
    return getattr(value, "value", value)


def _multiple(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    if not step:
        return value
    with localcontext(EXACT):
        return ((value / step).to_integral_value(rounding=rounding) * step).quantize(step)


@attrs.frozen(kw_only=True)
class MarketRules(Model):
    """The rules that both markets share: tick, step and bounds of the size."""

    symbol: str
    """Such as BTC_USDT."""
    tick: Decimal
    """Prices are multiples of it."""
    step: Decimal
    """Sizes are multiples of it: base units on spot, contracts on futures."""
    min_size: Decimal
    """Smallest size of an order."""
    max_size: Decimal | None
    """Largest size of an order; None if the exchange names none."""
    tradable: bool
    """True if the market takes orders now."""

    def round_price(self, price: Decimal | int | str, *, side: str | None = None) -> Decimal:
        """Return the price, rounded to the tick.

        Args:
            price: quote currency.
            side: a buy is rounded down and a sell up, so that it never trades worse than asked; if left out, to the
                nearest tick.
        """
        side = getattr(side, "value", side)
        rounding = {"buy": ROUND_FLOOR, "sell": ROUND_CEILING}.get(str(side), ROUND_HALF_EVEN)
        value = _number(price)
        assert value is not None
        return _multiple(value, self.tick, rounding)

    def round_size(self, size: Decimal | int | str) -> Decimal:
        """Return the size, rounded down to the step. It may fall below the smallest size; see `check`."""
        value = _number(size)
        assert value is not None
        return _multiple(value, self.step, ROUND_DOWN)

    def _violations(self, price: Decimal | None, size: Decimal | None, most: Decimal | None) -> list[Violation]:
        found: list[Violation] = []
        if not self.tradable:
            found.append(Violation("symbol", f"{self.symbol} takes no orders now"))
        if price is not None and _multiple(price, self.tick, ROUND_HALF_EVEN) != price:
            found.append(Violation("price", f"{_text(price)} is not a multiple of the tick {_text(self.tick)}"))
        if size is not None:
            if _multiple(size, self.step, ROUND_HALF_EVEN) != size:
                found.append(Violation("size", f"{_text(size)} is not a multiple of the step {_text(self.step)}"))
            if size < self.min_size:
                found.append(Violation("size", f"{_text(size)} is below the smallest size {_text(self.min_size)}"))
            if most is not None and size > most:
                found.append(Violation("size", f"{_text(size)} is above the largest size {_text(most)}"))
        return found


@attrs.frozen(kw_only=True)
class SpotRules(MarketRules):
    """The rules of a spot pair, from the exchange's own details."""

    min_buy_notional: Decimal
    """Least value of a buy, quote currency."""
    min_sell_notional: Decimal
    """Least value of a sell, quote currency."""

    @classmethod
    def from_details(cls, details: SymbolDetails) -> SpotRules:
        """Return the rules in a reply of ``market.symbol_details``.

        Raises:
            AbsentMember: the reply lacks a rule.
        """
        places = details.price_max_precision
        if not -MOST_DIGITS <= places <= MOST_DIGITS:
            raise AbsentMember(member="price_max_precision", model="SymbolDetails", raw=excerpt(places))
        return cls(
            symbol=details.symbol,
            tick=Decimal(1).scaleb(-places, EXACT),
            step=details.quote_increment,
            min_size=details.base_min_size,
            max_size=details.base_max_size,
            tradable=details.trade_status == TradeStatus.TRADING,
            min_buy_notional=details.min_buy_amount,
            min_sell_notional=details.min_sell_amount,
        )

    def check(self, order: object) -> list[Violation]:
        """Return the rules that an order breaks; an empty list if it keeps them all.

        The exchange silently truncates surplus digits of a price; here they are a violation, so that an order means
        what it says.

        Args:
            order: a mapping or an object with the arguments of ``trading.submit_order``: side, type, and price, size
                or notional.
        """
        price, size, notional = (_number(_argument(order, name)) for name in ("price", "size", "notional"))
        found = self._violations(price, size, self.max_size)
        side = _argument(order, "side")
        least = self.min_sell_notional if side == "sell" else self.min_buy_notional
        value = notional
        if value is None and price is not None and size is not None:
            value = EXACT.multiply(price, size)
        if value is not None and value < least:
            found.append(Violation(
                "size" if notional is None else "notional",
                f"a {side} is worth {_text(value)} and must be worth at least {_text(least)}",
            ))  # fmt: skip
        return found


@attrs.frozen(kw_only=True)
class FuturesRules(MarketRules):
    """The rules of a contract, from the exchange's own details."""

    max_market_size: Decimal
    """Largest market order, contracts."""
    contract_size: Decimal
    """Base units of one contract; a fixed amount of USD on coin-margined contracts."""
    min_leverage: Decimal
    """The lowest leverage allowed."""
    max_leverage: Decimal
    """The highest leverage allowed."""

    @classmethod
    def from_details(cls, details: ContractDetails) -> FuturesRules:
        """Return the rules in a reply of ``market.contracts``.

        A contract without a status counts as trading, since it is listed; a missing largest market order is that of
        limit orders.

        Raises:
            AbsentMember: the reply lacks one of the other rules.
        """
        status = getattr(details, "status", None)
        most = getattr(details, "market_max_volume", None)
        return cls(
            symbol=details.symbol,
            tick=details.price_precision,
            step=details.vol_precision,
            min_size=details.min_volume,
            max_size=details.max_volume,
            tradable=status is None or status == ContractStatus.TRADING,
            max_market_size=details.max_volume if most is None else most,
            contract_size=details.contract_size,
            min_leverage=details.min_leverage,
            max_leverage=details.max_leverage,
        )

    def check(self, order: object) -> list[Violation]:
        """Return the rules that an order breaks; an empty list if it keeps them all.

        Args:
            order: a mapping or an object with the arguments of ``trading.submit_order``: type, size, and price or
                leverage.
        """
        price, size, leverage = (_number(_argument(order, name)) for name in ("price", "size", "leverage"))
        found = self._violations(
            price, size, self.max_market_size if _argument(order, "type") == "market" else self.max_size
        )
        if leverage is not None and not self.min_leverage <= leverage <= self.max_leverage:
            found.append(Violation(
                "leverage", f"{_text(leverage)} is outside {_text(self.min_leverage)} to {_text(self.max_leverage)}"
            ))  # fmt: skip
        return found
