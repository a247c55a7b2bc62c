"""System: the exchange's clock and its maintenance notices. The same on both hosts."""

from __future__ import annotations

from .._bitmart.rows import Endpoint
from .._core.endpoint import Auth, Quota
from ..models.system import Latency, ServiceStatus, SystemTime
from ._base import Chapter

time: Endpoint[SystemTime] = Endpoint("GET", "/system/time", Auth.NONE, Quota(10, per=1.0), returns=SystemTime)
status: Endpoint[list[ServiceStatus]] = Endpoint(
    "GET", "/system/service", Auth.NONE, Quota(10, per=1.0), returns=list[ServiceStatus], at=("service",)
)


class System(Chapter):
    """The methods of ``client.spot.system`` and ``client.futures.system``."""

    __slots__ = ()

    async def time(self) -> SystemTime:
        """Read the exchange's clock.

        GET /system/time, no key, 10 calls in 1 s by address.

        Returns:
            The time in milliseconds. `latency` turns it into an offset of the local clock.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get System Time")
        """
        return await self._call(time)

    async def latency(self) -> Latency:
        """Measure the round trip to the exchange and how far the local clock is off.

        Asks for the exchange's time once and corrects the clock that signs calls; a cancelled call corrects nothing.

        Returns:
            Times in milliseconds, with a bound on the offset's error.
        """
        return await self._caller.latency()

    async def status(self) -> list[ServiceStatus]:
        """Read the maintenance notices: done, under way and announced.

        GET /system/service, no key, 10 calls in 1 s by address.

        Returns:
            One notice per service and maintenance, with start and end in milliseconds; empty if there is none.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get System Service Status")
        """
        return await self._call(status)
