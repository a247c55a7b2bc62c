"""Futures positions, their risk, leverage and position mode."""

from __future__ import annotations

from .._bitmart.rows import Endpoint
from .._core.endpoint import Auth, Kind, Param, Quota
from ..models._futures_enums import FuturesAccountType, OpenType, PositionMode, PositionSide
from ..models.futures_position import (
    ContractMargin,
    FuturesPosition,
    FuturesPositionV2,
    LeverageResult,
    PositionModeResult,
    PositionRisk,
)
from ._base import Amount, Chapter

_OF_ACCOUNT = (Param("symbol"), Param("account", choices=FuturesAccountType))

positions: Endpoint[list[FuturesPosition]] = Endpoint(
    "GET",
    "/contract/private/position",
    Auth.KEYED,
    Quota(6, by="key"),
    returns=list[FuturesPosition],
    params=_OF_ACCOUNT,
)
positions_v2: Endpoint[list[FuturesPositionV2]] = Endpoint(
    "GET",
    "/contract/private/position-v2",
    Auth.KEYED,
    Quota(6, by="key"),
    returns=list[FuturesPositionV2],
    params=_OF_ACCOUNT,
)
risk: Endpoint[list[PositionRisk]] = Endpoint(
    "GET",
    "/contract/private/position-risk",
    Auth.KEYED,
    Quota(24, by="key"),
    returns=list[PositionRisk],
    params=_OF_ACCOUNT,
)
mode: Endpoint[PositionModeResult] = Endpoint(
    "GET", "/contract/private/get-position-mode", Auth.KEYED, Quota(2, by="key"), returns=PositionModeResult
)
set_mode: Endpoint[PositionModeResult] = Endpoint(
    "POST",
    "/contract/private/set-position-mode",
    Auth.SIGNED,
    Quota(2, by="key"),
    returns=PositionModeResult,
    params=(Param("position_mode", choices=PositionMode, required=True),),
)
set_leverage: Endpoint[LeverageResult] = Endpoint(
    "POST",
    "/contract/private/submit-leverage",
    Auth.SIGNED,
    Quota(24, by="key"),
    returns=LeverageResult,
    params=(
        Param("symbol", required=True),
        Param("open_type", choices=OpenType, required=True),
        Param("leverage", Kind.DECIMAL, positive=True),
    ),
)
close_all: Endpoint[None] = Endpoint(
    "POST",
    "/contract/private/close-all-position",
    Auth.SIGNED,
    returns=type(None),
    params=(
        Param("contract_type", Kind.INT, wire="contractType", choices=ContractMargin, required=True),
        Param("symbol"),
        Param("position_side", choices=(PositionSide.LONG, PositionSide.SHORT)),
    ),
)


class FuturesPositions(Chapter):
    """The methods of ``client.futures.position``."""

    __slots__ = ()

    async def positions(
        self, symbol: str | None = None, *, account: FuturesAccountType | str | None = None
    ) -> list[FuturesPosition]:
        """Read the open positions, first version. `positions_v2` adds side, liquidation price and margin.

        GET /contract/private/position, key, 6 calls in 2 s by key.

        Args:
            symbol: only this contract.
            account: the ordinary futures account if left out.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Current Position (KEYED)")
        """
        return await self._call(positions, symbol=symbol, account=account)

    async def positions_v2(
        self, symbol: str | None = None, *, account: FuturesAccountType | str | None = None
    ) -> list[FuturesPositionV2]:
        """Read the positions with side, liquidation price and margin.

        GET /contract/private/position-v2, key, 6 calls in 2 s by key.

        Args:
            symbol: only this contract.
            account: the ordinary futures account if left out.

        Returns:
            Without a symbol only open positions. With one also empty ones, one row in one-way mode, long and short in
            hedge mode. A position is open if its ``current_amount`` is not 0.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Current Position V2 (KEYED)")
        """
        return await self._call(positions_v2, symbol=symbol, account=account)

    async def risk(
        self, symbol: str | None = None, *, account: FuturesAccountType | str | None = None
    ) -> list[PositionRisk]:
        """Read liquidation price, margin and value of the positions.

        GET /contract/private/position-risk, key, 24 calls in 2 s by key.

        Args:
            symbol: only this contract.
            account: the ordinary futures account if left out.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Current Position Risk Details (KEYED)")
        """
        return await self._call(risk, symbol=symbol, account=account)

    async def mode(self) -> PositionModeResult:
        """Read whether the account is in hedge or one-way mode.

        GET /contract/private/get-position-mode, key, 2 calls in 2 s by key.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Position Mode (KEYED)")
        """
        return await self._call(mode)

    async def set_mode(
        self, position_mode: PositionMode | str, *, recv_window: int | None = None
    ) -> PositionModeResult:
        """Switch the whole account between hedge and one-way mode.

        POST /contract/private/set-position-mode, signed, 2 calls in 2 s by key.

        Args:
            position_mode: for all contracts at once.
            recv_window: milliseconds the request stays valid.

        Raises:
            PositionRefused: there are open positions, or open orders (40059).

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Set Position Mode (SIGNED)")
        """
        return await self._call(set_mode, position_mode=position_mode, recv_window=recv_window)

    async def set_leverage(
        self,
        symbol: str,
        *,
        open_type: OpenType | str,
        leverage: Amount | None = None,
        recv_window: int | None = None,
    ) -> LeverageResult:
        """Set leverage and margin mode of one contract.

        POST /contract/private/submit-leverage, signed, 24 calls in 2 s by key.

        Args:
            symbol: such as BTCUSDT.
            open_type: margin mode.
            leverage: within the contract's bounds and those of the position's risk tier. It may be left out; what then
                happens is not documented.
            recv_window: milliseconds the request stays valid.

        Raises:
            RequestRefused: leverage out of bounds or in conflict with an open position (40029, 40030, 40040).

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Submit Leverage (SIGNED)")
        """
        return await self._call(
            set_leverage, symbol=symbol, open_type=open_type, leverage=leverage, recv_window=recv_window
        )

    async def close_all(
        self,
        contract_type: ContractMargin | int,
        *,
        symbol: str | None = None,
        position_side: PositionSide | str | None = None,
        recv_window: int | None = None,
    ) -> None:
        """Close positions at market: all of one margin currency, or those of one contract or direction.

        POST /contract/private/close-all-position, signed, no documented quota. Since 2026-06-16; known from the
        official Python SDK 2.8.0.

        Args:
            contract_type: 1 USDT-margined, 2 coin-margined.
            symbol: only this contract; left out, ALL contracts of that type.
            position_side: only long or short; left out, both.
            recv_window: milliseconds the request stays valid.

        Returns:
            Nothing; accepted, not yet done. The position stream tells when they are closed.

        Raises:
            OutcomeUnknown: the connection failed after sending.
        """
        return await self._call(
            close_all, contract_type=contract_type, symbol=symbol, position_side=position_side, recv_window=recv_window
        )
