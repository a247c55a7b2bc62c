"""Open streams: channel rows with the openers that use them, one file per market."""

from __future__ import annotations

from ._base import Opening as Opening
from ._streams import Streams as Streams
