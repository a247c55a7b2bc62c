"""Implement ``bitmart-trio tape``: make a tape from recorded market data, and show its content."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import attrs

from ..sim import Tape, TapeError, TapePart
from ..sim.drivers.public_data.cells import Unit
from ..sim.drivers.public_data.layouts import Format
from ..text import json_text, printable
from ._run import Failure, Refusal


@attrs.frozen(kw_only=True)
class Import:
    """A request to make a tape from files; its options are those of `Tape.read`."""

    sources: Sequence[Path]
    out: Path
    symbol: str | None
    format: Format
    only: str | None
    unit: Unit | None
    step: int | None
    seed: int
    trades: int
    levels: int
    every: float

    def run(self) -> None:
        """Write the tape, and print its content.

        Raises:
            Refusal: a file of that name exists.
            Failure: a file cannot be read in the given format.
        """
        if self.out.exists():
            raise Refusal(f"{self.out} exists already; choose another name for the tape")
        with _plain_words():
            tapes = [self._read(path) for path in self.sources]
            tape = tapes[0] if len(tapes) == 1 else Tape.merged(*tapes)
            tape.save(self.out)
        _print(tape, as_json=False)

    def _read(self, path: Path) -> Tape:
        return Tape.read(
            path, self.symbol, format=self.format, only=self.only, unit=self.unit, step=self.step, seed=self.seed,
            trades=self.trades, levels=self.levels, every=self.every,
        )  # fmt: skip


def show(path: Path, as_json: bool) -> None:
    """Print the content of a tape.

    Raises:
        Failure: the tape cannot be read.
    """
    with _plain_words():
        tape = Tape.read(path)
    _print(tape, as_json)


@contextmanager
def _plain_words() -> Generator[None]:
    try:
        yield
    except TapeError as error:
        raise Failure(str(error)) from error


def _print(tape: Tape, as_json: bool) -> None:
    for part in tape.parts.values():
        print(json_text(json.dumps(_row(part))) if as_json else "\n".join(_lines(part)))


def _row(part: TapePart) -> dict[str, str | int | None]:
    return {name: _plain(value) if isinstance(value, Decimal) else value for name, value in attrs.asdict(part).items()}


def _lines(part: TapePart) -> list[str]:
    found = [
        f"{printable(part.symbol)}: {part.trades:,} trades, {part.books:,} books",
        f"  from {_time(part.start_ms)} to {_time(part.end_ms)}",
    ]
    if part.trades:
        prices = ", ".join(f"{name} {_plain(getattr(part, name))}" for name in ("first", "high", "low", "last"))
        found.append(f"  {prices}, volume {_plain(part.volume)}")
    if part.gap_ms is not None:
        found.append(f"  longest gap {part.longest_gap_ms / 1000:g} s, from {_time(part.gap_ms)}")
    return found


def _plain(number: Decimal) -> str:
    return format(number, "f")


def _time(ms: int) -> str:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return f"{ms} ms"
