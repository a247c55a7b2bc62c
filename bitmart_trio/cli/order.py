"""Implement ``bitmart-trio order``: place or cancel one order, after confirmation where money is real."""

from __future__ import annotations

import json
import secrets
import sys
from decimal import Decimal
from typing import Final

import attrs
import trio

import bitmart_trio as bm

from ..config import Market
from ..models._futures_enums import FuturesOrderSide
from ..text import printable
from ._options import market_of
from ._run import Refusal
from ._show import as_json

_SIDES: Final = {
    ("buy", False): FuturesOrderSide.BUY_OPEN_LONG,
    ("buy", True): FuturesOrderSide.BUY_CLOSE_SHORT,
    ("sell", False): FuturesOrderSide.SELL_OPEN_SHORT,
    ("sell", True): FuturesOrderSide.SELL_CLOSE_LONG,
}


def _own_or_made(given: str | None) -> str:
    return given or secrets.token_hex(12)


@attrs.frozen(kw_only=True)
class NewOrder:
    """An order as typed on the command line.

    Attributes:
        symbol: a spot pair or a contract, distinguished by spelling.
        side: buy or sell.
        type: limit or market; on spot also limit_maker and ioc.
        size: base units, or contracts; None for a spot market buy.
        price: the price of a limit order.
        notional: quote units to spend, for a spot market buy.
        client_order_id: None generates one.
        leverage, margin_mode: for a futures order.
        reduce: only reduce a position, on futures.
    """

    symbol: str
    side: str
    type: str
    size: Decimal | None
    price: Decimal | None
    notional: Decimal | None
    client_order_id: str = attrs.field(converter=_own_or_made)
    leverage: Decimal | None = None
    margin_mode: str | None = None
    reduce: bool = False

    @property
    def market(self) -> Market:
        """The market of the symbol."""
        return market_of(self.symbol)

    def check(self) -> None:
        """Refuse options that belong to the other market.

        Raises:
            Refusal: an option belongs to the other market.
        """
        if self.market == "spot":
            only_futures = (
                ("--leverage", self.leverage),
                ("--margin-mode", self.margin_mode),
                ("--reduce", self.reduce),
            )
            for name, value in only_futures:
                if value:
                    raise Refusal(f"{name} is for futures; {self.symbol} is a spot pair")
        elif self.notional is not None:
            raise Refusal(f"--notional is for spot; {self.symbol} is a contract, give its --size in contracts")
        elif self.size is None or self.size != self.size.to_integral_value():
            raise Refusal("a futures order needs --size, a whole number of contracts")

    def __str__(self) -> str:
        words = [self.type, self.side]
        if self.size is not None:
            words.append(f"{self.size:f}" + (" contracts of" if self.market == "futures" else ""))
        words.append(self.symbol)
        if self.notional is not None:
            words.append(f"for {self.notional:f} {self.symbol.rpartition('_')[2]}")
        if self.price is not None:
            words.append(f"at {self.price:f}")
        if self.market == "spot" and self.price is not None and self.size is not None:
            words.append(f"(worth {self.price * self.size:f} {self.symbol.rpartition('_')[2]})")
        if self.leverage is not None:
            words.append(f"leverage {self.leverage:f}")
        words += [word for word in (self.margin_mode, "reduce only" if self.reduce else None) if word]
        return " ".join(words)


async def submit(
    order: NewOrder, credentials: bm.Credentials | None, environment: bm.Environment, json_wanted: bool
) -> None:
    """Check the order by the market's rules, place it, and print its id.

    Raises:
        Refusal: the order breaks a rule; nothing was sent.
    """
    async with bm.open_client(credentials, environment=environment) as client:
        rules = await _market_rules(client, order)
        if broken := [violation.reason for violation in rules.check(_typed(order))]:
            raise Refusal("; ".join(broken))
        try:
            order_id = await _place(client, order)
        except trio.Cancelled:
            # The answer is no longer awaited, and the order may have been placed.
            print(f"bitmart-trio: cut off; look up client order id {order.client_order_id}", file=sys.stderr)
            raise
        except bm.OutcomeUnknown:
            print(f"bitmart-trio: look up client order id {order.client_order_id}", file=sys.stderr)
            raise
    if json_wanted:
        print(json.dumps({"order_id": order_id, "client_order_id": order.client_order_id}))
    else:
        print(f"placed {order}: order {printable(order_id)}, client order id {order.client_order_id}")


async def _market_rules(client: bm.Client, order: NewOrder) -> bm.models.SpotRules | bm.models.FuturesRules:
    if order.market == "spot":
        return await client.spot.rules(order.symbol)
    return await client.futures.rules(order.symbol)


def _typed(order: NewOrder) -> dict[str, object]:
    return {
        "side": order.side,
        "type": order.type,
        "size": order.size,
        "price": order.price,
        "notional": order.notional,
        "leverage": order.leverage,
    }


async def _place(client: bm.Client, order: NewOrder) -> str:
    if order.market == "spot":
        placed = await client.spot.trading.submit_order(
            order.symbol,
            side=order.side,
            type=order.type,
            size=order.size,
            price=order.price,
            notional=order.notional,
            client_order_id=order.client_order_id,
        )
        return placed.order_id
    on_futures = await client.futures.trading.submit_order(
        symbol=order.symbol,
        side=_SIDES[order.side, order.reduce],
        size=int(order.size or 0),
        type=order.type,
        price=order.price,
        leverage=order.leverage,
        open_type=order.margin_mode,
        client_order_id=order.client_order_id,
    )
    return on_futures.order_id


@attrs.frozen(kw_only=True)
class Cancel:
    """A request to cancel one order or all.

    Attributes:
        symbol: a spot pair or a contract, distinguished by spelling.
        order_id: the exchange's id.
        client_order_id: or the user's own id.
        all: or every open order of the symbol.
    """

    symbol: str
    order_id: str | None
    client_order_id: str | None
    all: bool

    def check(self) -> None:
        """Check that exactly one target is given.

        Raises:
            Refusal: none is given, or several.
        """
        if sum((self.order_id is not None, self.client_order_id is not None, self.all)) != 1:
            raise Refusal("give ORDER_ID, or --client-order-id, or --all")

    def __str__(self) -> str:
        which = "all orders" if self.all else f"order {self.order_id or self.client_order_id}"
        return f"cancel {which} of {self.symbol}"


async def cancel(
    which: Cancel, credentials: bm.Credentials | None, environment: bm.Environment, json_wanted: bool
) -> None:
    """Send the cancel, and print that it was accepted."""
    async with bm.open_client(credentials, environment=environment) as client:
        trading = client.spot.trading if market_of(which.symbol) == "spot" else client.futures.trading
        if which.all:
            await trading.cancel_all_orders(which.symbol)
        else:
            await trading.cancel_order(which.symbol, which.order_id, client_order_id=which.client_order_id)
    if json_wanted:
        print(as_json({"cancelled": which.order_id or which.client_order_id or "all", "symbol": which.symbol}))
    else:
        print(f"accepted: {which}")
