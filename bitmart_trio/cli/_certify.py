"""Declare the command ``certify`` and its options; ``certify.py`` implements it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._run import exiting_on_failure


def certify(
    bot: Annotated[str, typer.Argument(metavar="FILE:FUNCTION", help="The bot, such as bot.py:main.")],
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="How many days; day 0 is the first.")] = 200,
    first: Annotated[int, typer.Option(metavar="N", min=0, help="The seed of the first day.")] = 0,
    days: Annotated[
        str, typer.Option(metavar="FAMILIES", help="What trouble days may hold.")
    ] = "network,exchange,edge,eventual,kill,market",
    minutes: Annotated[float, typer.Option(metavar="N", min=0.1, help="How long a day is, in virtual time.")] = 10,
    invariants: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your own questions: its functions of one argument.")
    ] = None,
    terms: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What the bot declares, in TOML; CERTIFY in its file does too.")
    ] = None,
    tape: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A recording that is the market of all days.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where the report goes; each day is kept there.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in --out.")] = False,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Processes; one for each core when left out.")
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Play the days on a Dask cluster (extra: dask): tcp://host:8786."),
    ] = None,
    shrink: Annotated[bool, typer.Option("--shrink/--no-shrink", help="Look for the smallest bad days.")] = True,
    replay: Annotated[
        str | None, typer.Option(metavar="DAY", help="Play just this day, here: a seed, or a name from a certificate.")
    ] = None,
    trace: Annotated[bool, typer.Option("--trace", help="With --replay: print all that happens.")] = False,
    pdb: Annotated[
        bool, typer.Option("--pdb", help="With --replay: debug the exception that the bot ended with.")
    ] = False,
) -> None:
    """Put a bot through seeded bad days in virtual time, and say what breaks it, with the smallest day that does.

    The exit code is 0 if it passed, 1 if a day broke it, and 4 if days are missing or ended early.
    """
    from .certify import Certifying

    with exiting_on_failure():
        work = Certifying(bot=bot, days=days, minutes=minutes, invariants=invariants, terms=terms, tape=tape)
        if replay is not None:
            work.replay(replay, trace=trace, debug=pdb)
        else:
            work.certify(range(first, first + seeds), out=out, resume=resume, workers=workers, dask=dask, shrink=shrink)
