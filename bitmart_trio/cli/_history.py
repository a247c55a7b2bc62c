"""Share what the commands that read histories need: moments as people type them, and a progress bar."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, TypeAlias

import typer

FromOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--from", metavar="DATE", help="The start, such as 2025-01-31 or 2025-01-31T12:00Z."),
]
ToOption: TypeAlias = Annotated[
    str | None, typer.Option("--to", metavar="DATE", help="The end, exclusive; now if left out.")
]
DecimalsOption: TypeAlias = Annotated[
    Literal["exact", "float"],
    typer.Option(metavar="exact|float", help="How Parquet holds amounts: with every digit, or as floats."),
]
ResumeOption: TypeAlias = Annotated[bool, typer.Option("--resume", help="Continue what an earlier run began.")]

STEPS: Final = {
    "1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360, "12h": 720,
    "1d": 1440, "3d": 4320, "1w": 10_080, "1M": 43_200,
}  # fmt: skip
"""Lengths of klines by their usual names, in minutes."""


def moment(text: str | None, option: str) -> datetime | None:
    """Parse a date, or a date and time; UTC unless it names a zone."""
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a date; write 2025-01-31 or 2025-01-31T12:00Z", param_hint=option
        ) from None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def minutes(text: str) -> int:
    """Parse the length of a kline, by name or in minutes."""
    if text in STEPS:
        return STEPS[text]
    if text.isdecimal() and int(text) in STEPS.values():
        return int(text)
    raise typer.BadParameter(f"{text!r} is not one of {', '.join(STEPS)}", param_hint="--step")


def step_name(minutes: int) -> str:
    """Return the usual name of a length of klines."""
    return next(name for name, each in STEPS.items() if each == minutes)


def say(text: str) -> None:
    """Print a line for the user to standard error; standard output is for data."""
    print(text, file=sys.stderr)
