"""The streams: channel rows with the openers that use them, one file a market."""

from __future__ import annotations

from ._base import Opening as Opening
from ._streams import Streams as Streams
