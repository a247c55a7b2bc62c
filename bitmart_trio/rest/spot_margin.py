"""Isolated margin on the spot market: accounts, transfers, orders, loans.

Margin orders are queried and cancelled through the trading chapter.
"""

from __future__ import annotations

from .._bitmart.rows import Endpoint
from .._core.endpoint import Auth, Kind, Ordered, Param, Quota
from ..models._enums import OrderSide
from ..models.margin import (
    BorrowingRate,
    BorrowPlaced,
    BorrowRecord,
    MarginAccount,
    MarginTransferPlaced,
    MarginTransferSide,
    RepayPlaced,
    RepayRecord,
)
from ..models.spot_trading import OrderPlaced, SpotOrderType
from ._base import Amount, Chapter, TimeMs
from ._spot_orders import CLIENT_ORDER_ID_CAMEL, NOTIONAL, ORDER_RULES, PRICE, SIDE, SIZE, SYMBOL, TYPE

_CURRENCY = Param("currency", required=True)
_AMOUNT = Param("amount", Kind.DECIMAL, positive=True, required=True)

_START_TIME = Param("start_time", Kind.MILLIS)
_END_TIME = Param("end_time", Kind.MILLIS)
_LIMIT = Param("limit", Kind.INT, wire="N", least=1, most=100)

accounts: Endpoint[list[MarginAccount]] = Endpoint(
    "GET",
    "/spot/v1/margin/isolated/account",
    Auth.KEYED,
    Quota(12, by="key"),
    returns=list[MarginAccount],
    params=(Param("symbol"),),
    at=("symbols",),
)
submit_transfer: Endpoint[MarginTransferPlaced] = Endpoint(
    "POST",
    "/spot/v1/margin/isolated/transfer",
    Auth.SIGNED,
    Quota(2, by="key"),
    returns=MarginTransferPlaced,
    params=(SYMBOL, _CURRENCY, _AMOUNT, Param("side", choices=MarginTransferSide, required=True)),
)
# Only the client order id is in camel case: client_order_id, which other clients send here, would be ignored.
submit_order: Endpoint[OrderPlaced] = Endpoint(
    "POST",
    "/spot/v1/margin/submit_order",
    Auth.SIGNED,
    Quota(20, per=1.0, by="uid"),
    returns=OrderPlaced,
    params=(SYMBOL, SIDE, TYPE, SIZE, PRICE, NOTIONAL, CLIENT_ORDER_ID_CAMEL),
    rules=ORDER_RULES,
)
borrow: Endpoint[BorrowPlaced] = Endpoint(
    "POST",
    "/spot/v1/margin/isolated/borrow",
    Auth.SIGNED,
    Quota(2, by="key"),
    returns=BorrowPlaced,
    params=(SYMBOL, _CURRENCY, _AMOUNT),
)
repay: Endpoint[RepayPlaced] = Endpoint(
    "POST",
    "/spot/v1/margin/isolated/repay",
    Auth.SIGNED,
    Quota(2, by="key"),
    returns=RepayPlaced,
    params=(SYMBOL, _CURRENCY, _AMOUNT),
)
borrow_records: Endpoint[list[BorrowRecord]] = Endpoint(
    "GET",
    "/spot/v1/margin/isolated/borrow_record",
    Auth.KEYED,
    Quota(150, by="key"),
    returns=list[BorrowRecord],
    params=(SYMBOL, Param("borrow_id"), _START_TIME, _END_TIME, _LIMIT),
    rules=(Ordered("start_time", "end_time", or_equal=True),),
    at=("records",),
)
repay_records: Endpoint[list[RepayRecord]] = Endpoint(
    "GET",
    "/spot/v1/margin/isolated/repay_record",
    Auth.KEYED,
    Quota(150, by="key"),
    returns=list[RepayRecord],
    params=(SYMBOL, Param("repay_id"), Param("currency"), _START_TIME, _END_TIME, _LIMIT),
    rules=(Ordered("start_time", "end_time", or_equal=True),),
    at=("records",),
)
borrowing_rates: Endpoint[list[BorrowingRate]] = Endpoint(
    "GET",
    "/spot/v1/margin/isolated/pairs",
    Auth.KEYED,
    Quota(2, by="key"),
    returns=list[BorrowingRate],
    params=(Param("symbol"),),
    at=("symbols",),
)


class SpotMargin(Chapter):
    """The methods of ``client.spot.margin``."""

    __slots__ = ()

    async def accounts(self, symbol: str | None = None) -> list[MarginAccount]:
        """Read the account's isolated-margin accounts.

        GET /spot/v1/margin/isolated/account, keyed, 12 calls in 2 s by key.

        Args:
            symbol: all pairs if left out.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Margin Account Details (Isolated)")
        """
        return await self._call(accounts, symbol=symbol)

    async def submit_transfer(
        self,
        symbol: str,
        *,
        currency: str,
        amount: Amount,
        side: MarginTransferSide | str,
        recv_window: int | None = None,
    ) -> MarginTransferPlaced:
        """Move funds between the spot wallet and the margin account of a pair.

        POST /spot/v1/margin/isolated/transfer, signed (permission for margin), 2 calls in 2 s by key. The call carries
        no id of the caller: if its outcome is unknown, compare `accounts` before repeating it.

        Args:
            symbol: such as BTC_USDT.
            currency: one of the pair's two.
            amount: in that currency, at most 8 decimals.
            side: into the margin account or out of it.
            recv_window: milliseconds; this endpoint does not send it.

        Raises:
            MarginRefused: the account's loans forbid it.
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Margin Asset Transfer")
        """
        return await self._call(
            submit_transfer, symbol=symbol, currency=currency, amount=amount, side=side, recv_window=recv_window
        )

    async def submit_order(
        self,
        symbol: str,
        *,
        side: OrderSide | str,
        type: SpotOrderType | str,
        size: Amount | None = None,
        price: Amount | None = None,
        notional: Amount | None = None,
        client_order_id: str | None = None,
        recv_window: int | None = None,
    ) -> OrderPlaced:
        """Submit one isolated-margin order.

        POST /spot/v1/margin/submit_order, signed (permission for margin), 20 calls in 1 s by account. Query and cancel
        it through ``client.spot.trading``. Cancelling while it waits leaves the outcome unknown: look the client order
        id up there.

        Args:
            symbol: such as BTC_USDT.
            side: buy or sell.
            type: limit, limit_maker and ioc need size and price; a market buy needs notional, a market sell size.
            size: base currency.
            price: quote currency.
            notional: quote currency to spend.
            client_order_id: 1 to 32 letters and digits, unique.
            recv_window: milliseconds; this endpoint does not send it.

        Raises:
            InvalidRequest: arguments that do not go together; nothing was sent.
            InsufficientBalance: not enough funds (50020).
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "New Margin Order")
        """
        return await self._call(
            submit_order,
            symbol=symbol,
            side=side,
            type=type,
            size=size,
            price=price,
            notional=notional,
            client_order_id=client_order_id,
            recv_window=recv_window,
        )

    async def borrow(
        self, symbol: str, *, currency: str, amount: Amount, recv_window: int | None = None
    ) -> BorrowPlaced:
        """Borrow on a pair.

        POST /spot/v1/margin/isolated/borrow, signed (permission for margin), 2 calls in 2 s by key. The call carries no
        id of the caller: if its outcome is unknown, check `borrow_records` before repeating it.

        Args:
            symbol: such as BTC_USDT.
            currency: one of the pair's two.
            amount: in that currency, at most 8 decimals; `borrowing_rates` says how much is possible.
            recv_window: milliseconds; this endpoint does not send it.

        Raises:
            MarginRefused: the amount or the account's risk forbids it.
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Margin Borrow (Isolated)")
        """
        return await self._call(borrow, symbol=symbol, currency=currency, amount=amount, recv_window=recv_window)

    async def repay(self, symbol: str, *, currency: str, amount: Amount, recv_window: int | None = None) -> RepayPlaced:
        """Pay back a loan on a pair.

        POST /spot/v1/margin/isolated/repay, signed (permission for margin), 2 calls in 2 s by key. The call carries no
        id of the caller: if its outcome is unknown, check `repay_records` before repeating it.

        Args:
            symbol: such as BTC_USDT.
            currency: one of the pair's two.
            amount: in that currency, at most 8 decimals.
            recv_window: milliseconds; this endpoint does not send it.

        Raises:
            MarginRefused: more than is owed (51006).
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Margin Repay (Isolated)")
        """
        return await self._call(repay, symbol=symbol, currency=currency, amount=amount, recv_window=recv_window)

    async def borrow_records(
        self,
        symbol: str,
        *,
        borrow_id: str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        limit: int | None = None,
    ) -> list[BorrowRecord]:
        """List loans on a pair.

        GET /spot/v1/margin/isolated/borrow_record, keyed, 150 calls in 2 s by key.

        Args:
            symbol: such as BTC_USDT.
            borrow_id: only this one.
            start_time: in milliseconds, while the records are in seconds.
            end_time: in milliseconds.
            limit: 1 to 100; 50 if left out.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Borrow Record (Isolated)")
        """
        return await self._call(
            borrow_records, symbol=symbol, borrow_id=borrow_id, start_time=start_time, end_time=end_time, limit=limit
        )

    async def repay_records(
        self,
        symbol: str,
        *,
        repay_id: str | None = None,
        currency: str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        limit: int | None = None,
    ) -> list[RepayRecord]:
        """List repayments on a pair.

        GET /spot/v1/margin/isolated/repay_record, keyed, 150 calls in 2 s by key.

        Args:
            symbol: such as BTC_USDT.
            repay_id: only this one.
            currency: only this one.
            start_time: in milliseconds, while the records are in seconds.
            end_time: in milliseconds.
            limit: 1 to 100; 50 if left out.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Repayment Record (Isolated)")
        """
        return await self._call(
            repay_records,
            symbol=symbol,
            repay_id=repay_id,
            currency=currency,
            start_time=start_time,
            end_time=end_time,
            limit=limit,
        )

    async def borrowing_rates(self, symbol: str | None = None) -> list[BorrowingRate]:
        """Read the costs and limits of borrowing, by pair.

        GET /spot/v1/margin/isolated/pairs, keyed, 2 calls in 2 s by key.

        Args:
            symbol: one pair, or several joined by commas; all if left out.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Trading Pair Borrowing Rate and Amount")
        """
        return await self._call(borrowing_rates, symbol=symbol)
