"""The two endpoints both hosts share: the clock and the maintenance notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .wire import Call, Json, Routes

if TYPE_CHECKING:
    from ..exchange import Exchange

routes: Routes = Routes()

HOUR_MS = 3_600_000


def completed_services(start_ms: int) -> list[Json]:
    """The notices a fresh exchange shows: one finished maintenance a market, a day before it opened."""
    return [
        {
            "title": title,
            "service_type": kind,
            "status": "2",
            "start_time": start_ms - 24 * HOUR_MS,
            "end_time": start_ms - 22 * HOUR_MS,
        }
        for title, kind in (("Spot API upgrade", "spot"), ("Contract API upgrade", "contract"))
    ]


@routes.get("/system/time", limit=(10, 1, "ip"))
def time(exchange: Exchange, call: Call) -> Json:
    """The exchange's clock."""
    return {"server_time": call.now_ms}


@routes.get("/system/service", limit=(10, 1, "ip"))
def service(exchange: Exchange, call: Call) -> Json:
    """Maintenance notices, as ``Exchange.services`` holds them."""
    return {"service": list(exchange.services)}
