"""A view that fills the terminal and is redrawn as things change; leaving it gives the terminal back as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio
from rich.console import Console, RenderableType
from rich.live import Live

FRAMES: Final = 10
"""Drawings a second, at most."""
IDLE: Final = 1.0
"""Seconds after which it is drawn again although nothing has happened: ages and rates go on."""


class Screen:
    """Draws a view when it has changed, and when the terminal has another size.

    Args:
        console: a terminal.
        view: makes what is to be seen, for the terminal's size of that moment.
    """

    def __init__(self, console: Console, view: Callable[[], RenderableType]) -> None:
        self._console = console
        self._view = view
        self._changed = False

    def touch(self) -> None:
        """Something has changed."""
        self._changed = True

    async def run(self) -> None:
        """Draw until cancelled."""
        # Drawn from a task of ours: rich's own refreshing would run in a thread beside us.
        with Live(console=self._console, screen=True, auto_refresh=False) as live:
            size, drawn = self._console.size, float("-inf")
            while True:
                now = trio.current_time()
                if self._changed or size != self._console.size or now >= drawn + IDLE:
                    self._changed = False
                    size, drawn = self._console.size, now
                    live.update(self._view(), refresh=True)
                await trio.sleep(1 / FRAMES)
