"""Implement ``bitmart-trio sim``: run the simulated exchange as a server until interrupted."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import attrs
import trio
import typer

from ..sim import Fault, Limits, Tape, open_server
from ..sim.drivers.files import is_table
from ..sim.kernel.symbols import read_symbols
from ..sim.models import (
    RECORDED,
    ModelError,
    Models,
    parse_fees,
    parse_fills,
    parse_funding,
    parse_latency,
    parse_margin,
)
from ..sim.venue import FaceName
from ._run import Failure


@attrs.frozen(kw_only=True)
class Wishes:
    """The settings of the server.

    Raises:
        ValueError: a symbol is not valid.
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
    models: Models = RECORDED
    venue: FaceName = "bitmart"

    def __attrs_post_init__(self) -> None:
        """Refuse bad names before anything is opened."""
        read_symbols(self.symbols)


M = TypeVar("M")


def read_models(
    *, fees: str | None, fills: str | None, latency: str | None, funding: str | None, margin: str | None
) -> Models:
    """Return the models that options name; options left out choose the recorded ones.

    Raises:
        typer.BadParameter: a word names no model; the message lists those that exist.
    """

    def read(option: str, parse: Callable[[str], M], text: str | None, recorded: M) -> M:
        try:
            return recorded if text is None else parse(text)
        except ModelError as error:
            raise typer.BadParameter(str(error), param_hint=option) from None

    return Models(
        fees=read("--fees", parse_fees, fees, RECORDED.fees),
        fills=read("--fills", parse_fills, fills, RECORDED.fills),
        latency=read("--latency", parse_latency, latency, RECORDED.latency),
        funding=read("--funding", parse_funding, funding, RECORDED.funding),
        margin=read("--margin", parse_margin, margin, RECORDED.margin),
    )


def played(path: Path, symbols: Sequence[str]) -> tuple[Tape, Sequence[str] | None]:
    """Read the tape in a file; return it and the symbols to list, None for those on it.

    A table does not know its market's symbol here: a single --symbol names it.

    Raises:
        OSError: The file cannot be read.
        TapeError: The file is not a tape.
    """
    if len(symbols) == 1 and is_table(path):
        return Tape.read(path, symbols[0]), None
    return Tape.read(path), symbols or None


async def serve(wishes: Wishes) -> None:
    """Serve until cancelled; print one line once connections are accepted."""
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
        models=wishes.models,
        venue=wishes.venue,
        limits=Limits(allowed_hosts=frozenset(name.lower() for name in wishes.allow_hosts)),
    ) as server:
        print(f"listening on {server.url}", flush=True)
        await trio.sleep_forever()
