"""Define the exchange's clock and service notices, which both hosts share."""

from __future__ import annotations

from typing import ClassVar

import attrs

from ._enums import OpenInt, OpenStr
from ._fields import Millis
from ._model import Model


class ServiceType(OpenStr):
    """The service of a notice."""

    SPOT = "spot"
    CONTRACT = "contract"
    ACCOUNT = "account"


class MaintenanceStatus(OpenInt):
    """The state of a maintenance."""

    WAITING = 0
    WORKING = 1
    COMPLETED = 2


@attrs.frozen
class SystemTime(Model):
    """A reading of the exchange's clock."""

    server_time: Millis
    """Milliseconds since 1970 UTC."""

    _identity_: ClassVar[tuple[str, ...]] = ("server_time",)


@attrs.frozen
class ServiceStatus(Model):
    """A notice of a maintenance."""

    title: str
    """Headline."""
    service_type: ServiceType
    """The service that it concerns."""
    status: MaintenanceStatus
    """The state of the maintenance."""
    start_time: Millis
    """The time when it begins."""
    end_time: Millis
    """The planned time of its end."""


@attrs.frozen
class Latency(Model):
    """The round trip to the exchange and the offset of its clock, in milliseconds."""

    server_time: Millis
    """The exchange's clock in the reply."""
    local_time: Millis
    """The local clock when the reply arrived."""
    round_trip: float
    """The time from sending to the complete reply, by a monotonic clock."""
    one_way: float
    """Half of the round trip: an estimate, since both ways may differ."""
    offset: float
    """The offset of the exchange's clock from the local one; the best estimate of all replies so far."""
    bound: float
    """The true offset lies within this distance of `offset`, unless a clock has jumped since."""
