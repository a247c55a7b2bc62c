"""``bitmart-trio watch``: what topics deliver, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import trio

import bitmart_trio as bm

from ._show import as_json, as_line


class Watch:
    """Some topics of one client, printed as they come.

    Args:
        topics: by their names on the wire.
        limit: stop after so many messages; None never does.
        as_json: one JSON object a line instead of words.
    """

    def __init__(self, topics: Sequence[str], limit: int | None, as_json: bool) -> None:
        self._topics = topics
        self._left = limit
        self._as_json = as_json

    async def run(self, credentials: bm.Credentials | None, environment: bm.Environment) -> None:
        """Open a client and print until the limit is reached or the command is interrupted."""
        async with bm.open_streams(credentials, environment=environment) as streams, trio.open_nursery() as nursery:
            for topic in self._topics:
                nursery.start_soon(self._follow, streams, topic, nursery.cancel_scope)

    async def _follow(self, streams: bm.Streams, topic: str, all_topics: trio.CancelScope) -> None:
        # A subscription of its own for each topic: so that every line can say which topic it is from.
        async with streams.subscribe(topic) as messages:
            async for message in messages:
                self._print(topic, message)
                if self._left is not None:
                    self._left -= 1
                    if self._left <= 0:
                        all_topics.cancel()
                        return

    def _print(self, topic: str, message: object) -> None:
        if self._as_json:
            line = as_json({"topic": topic, "data": message})
        else:
            line = f"{datetime.now().astimezone():%H:%M:%S.%f} {topic} {as_line(message)}"
        print(line, flush=True)
