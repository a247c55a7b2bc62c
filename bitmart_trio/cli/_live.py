"""Fill the terminal with a view that is redrawn as things change, and restore the terminal afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio
from rich.console import Console, RenderableType
from rich.live import Live

FRAMES: Final = 10
"""The most redraws per second."""
IDLE: Final = 1.0
"""Seconds after which an unchanged view is redrawn, because ages and rates change."""


class Screen:
    """Draws a view when it has changed, and when the terminal is resized.

    Args:
        console: a terminal.
        view: makes the content, for the terminal's current size.
    """

    def __init__(self, console: Console, view: Callable[[], RenderableType]) -> None:
        self._console = console
        self._view = view
        self._changed = False

    def touch(self) -> None:
        """Record that the view has changed."""
        self._changed = True

    async def run(self) -> None:
        """Draw the view until cancelled."""
        # A task of ours draws: rich's own refreshing would run in a second thread.
        with Live(console=self._console, screen=True, auto_refresh=False) as live:
            size, drawn = self._console.size, float("-inf")
            while True:
                now = trio.current_time()
                if self._changed or size != self._console.size or now >= drawn + IDLE:
                    self._changed = False
                    size, drawn = self._console.size, now
                    live.update(self._view(), refresh=True)
                await trio.sleep(1 / FRAMES)
