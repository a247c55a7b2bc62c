"""``bitmart-trio sim``: the simulated exchange as a server, until interrupted."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from ..sim import Fault, open_server


async def serve(host: str, port: int, seed: int, faults: Sequence[Fault]) -> None:
    """Serve until cancelled; prints one line, when the first connection would be accepted."""
    async with open_server(host, port, seed=seed, faults=faults) as server:
        print(f"listening on {server.url}", flush=True)
        await trio.sleep_forever()
