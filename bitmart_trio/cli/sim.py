"""``bitmart-trio sim``: the simulated exchange as a server, until interrupted."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path

import attrs
import trio

from ..sim import Fault, Limits, Tape, open_server
from ..sim.kernel.symbols import read_symbols
from ._run import Failure


@attrs.frozen(kw_only=True)
class Wishes:
    """What the server is to be like.

    Raises:
        ValueError: A symbol is none.
    """

    host: str
    port: int
    seed: int
    faults: Sequence[Fault]
    symbols: Sequence[str] | None
    tape: Tape | None
    tick: float
    hold: bool
    log: Path | None
    allow_hosts: Sequence[str] = ()

    def __attrs_post_init__(self) -> None:
        """Refuse bad names before anything is opened."""
        read_symbols(self.symbols)


async def serve(wishes: Wishes) -> None:
    """Serve until cancelled; prints one line, when the first connection would be accepted."""
    try:
        await _serve(wishes)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        where = f"port {wishes.port} of {wishes.host}"
        raise Failure(f"{where} is in use by another program; --port 0 takes a free one") from None


async def _serve(wishes: Wishes) -> None:
    async with open_server(
        wishes.host,
        wishes.port,
        seed=wishes.seed,
        faults=wishes.faults,
        symbols=wishes.symbols,
        market=wishes.tape or "synthetic",
        tick_seconds=wishes.tick,
        live=not wishes.hold,
        log=wishes.log,
        limits=Limits(allowed_hosts=frozenset(name.lower() for name in wishes.allow_hosts)),
    ) as server:
        print(f"listening on {server.url}", flush=True)
        await trio.sleep_forever()
