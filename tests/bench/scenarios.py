"""All that is measured: streams, calls, and what happens within a program."""

from __future__ import annotations

from typing import Final

from .rows_programs import programs
from .rows_protection import protection
from .rows_rest import rest
from .rows_streams import streams
from .scenario import Scenario

SCENARIOS: Final[tuple[Scenario, ...]] = (*streams(), *rest(), *programs(), *protection())
