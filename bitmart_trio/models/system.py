"""The exchange's clock and service notices; the same on both hosts."""

from __future__ import annotations

from typing import ClassVar

import attrs

from ._enums import OpenInt, OpenStr
from ._fields import Millis
from ._model import Model


class ServiceType(OpenStr):
    """Which service a notice is about."""

    SPOT = "spot"
    CONTRACT = "contract"
    ACCOUNT = "account"


class MaintenanceStatus(OpenInt):
    """How far a maintenance is."""

    WAITING = 0
    WORKING = 1
    COMPLETED = 2


@attrs.frozen
class SystemTime(Model):
    """The exchange's clock."""

    server_time: Millis
    """Milliseconds since 1970 UTC."""

    _identity_: ClassVar[tuple[str, ...]] = ("server_time",)


@attrs.frozen
class ServiceStatus(Model):
    """A maintenance notice."""

    title: str
    """Headline."""
    service_type: ServiceType
    """Which service it is about."""
    status: MaintenanceStatus
    """How far the maintenance is."""
    start_time: Millis
    """When it begins."""
    end_time: Millis
    """When it is meant to be over."""


@attrs.frozen
class Latency(Model):
    """How far away the exchange is, in distance and in time. All in milliseconds."""

    server_time: Millis
    """The exchange's clock as it answered."""
    local_time: Millis
    """The local clock when the answer had arrived."""
    round_trip: float
    """From sending to the whole answer, by a monotonic clock."""
    one_way: float
    """Half of it: an estimate, the two ways may differ."""
    offset: float
    """What must be added to the local clock to have the exchange's; best estimate of all replies so far."""
    bound: float
    """The true offset lies within this distance of `offset`, unless a clock has jumped since."""
