"""API brokers: the rebates that their users' trades brought."""

from __future__ import annotations

from .._bitmart.rows import Endpoint
from .._core.endpoint import Auth, Kind, Ordered, Param
from ..models.broker import BrokerRebates
from ._base import Chapter, TimeS

# Seconds as in the official Java SDK; the docs only say "long".
rebates: Endpoint[BrokerRebates] = Endpoint(
    "GET",
    "/spot/v1/broker/rebate",
    Auth.KEYED,
    returns=BrokerRebates,
    params=(Param("start_time", Kind.SECONDS), Param("end_time", Kind.SECONDS)),
    rules=(Ordered("start_time", "end_time", or_equal=True),),
)


class SpotBroker(Chapter):
    """The methods of ``client.spot.broker``."""

    __slots__ = ()

    async def rebates(self, *, start_time: TimeS | None = None, end_time: TimeS | None = None) -> BrokerRebates:
        """Read rebates by day and currency.

        GET /spot/v1/broker/rebate, keyed (the broker's own key).

        Args:
            start_time: in seconds; without a range the last 180 days.
            end_time: in seconds.

        Raises:
            PermissionDenied: the key is not a broker's (53005).
            RequestRefused: the range is too wide (50041).

        Source: https://developer-pro.bitmart.com/en/broker/ (section "Get Broker Rebate")
        """
        return await self._call(rebates, start_time=start_time, end_time=end_time)
