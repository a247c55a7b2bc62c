"""Call the chapter of simulated trading: play money. All other calls on the demo host are those of the live one."""

from __future__ import annotations

from .._bitmart.rows import Endpoint
from .._core.endpoint import Auth, Kind, Param
from ..models.futures_demo import DemoClaimResult
from ._base import Amount, Chapter

claim: Endpoint[DemoClaimResult] = Endpoint(
    "POST",
    "/contract/private/claim",
    Auth.SIGNED,
    returns=DemoClaimResult,
    params=(Param("currency"), Param("amount", Kind.DECIMAL, positive=True)),
    environment="demo",
)


class FuturesDemo(Chapter):
    """The methods of ``client.futures.demo``."""

    __slots__ = ()

    async def claim(
        self, *, currency: str | None = None, amount: Amount | None = None, recv_window: int | None = None
    ) -> DemoClaimResult:
        """Refill the demo account with play money.

        POST /contract/private/claim, signed, no documented quota. Exists on the demo host only, since 2025-11-18.

        Args:
            currency: undocumented, known from another client; the documentation sends nothing.
            amount: likewise.
            recv_window: milliseconds the request stays valid.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section on simulated trading)
        """
        return await self._call(claim, currency=currency, amount=amount, recv_window=recv_window)
