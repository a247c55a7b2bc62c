"""The two endpoints both hosts share: the clock and the maintenance notices."""

from __future__ import annotations

from ..kernel.calls import Call
from ..kernel.encoding import Json
from .wire import Chapter

HOUR_MS = 3_600_000


class Notices:
    """The maintenance notices of an exchange, initially one per market, of the day before the opening (finished)."""

    def __init__(self, start_ms: int) -> None:
        self.services: list[Json] = [
            {
                "title": title,
                "service_type": kind,
                "status": "2",
                "start_time": start_ms - 24 * HOUR_MS,
                "end_time": start_ms - 22 * HOUR_MS,
            }
            for title, kind in (("Spot API upgrade", "spot"), ("Contract API upgrade", "contract"))
        ]
        """The notices that ``/system/service`` lists."""


routes: Chapter[Notices] = Chapter()


@routes.get("/system/time", limit=(10, 1, "ip"))
def time(notices: Notices, call: Call) -> Json:
    """Return the time of the exchange's clock."""
    return {"server_time": call.now_ms}


@routes.get("/system/service", limit=(10, 1, "ip"))
def service(notices: Notices, call: Call) -> Json:
    """Return the maintenance notices of `Notices.services`."""
    return {"service": list(notices.services)}
