"""List every endpoint row by chapter, for ``client.spot.call(...)``: ``bm.endpoints.spot.market.ticker``."""

from __future__ import annotations

from . import futures as futures
from . import spot as spot
