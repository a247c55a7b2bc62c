"""Declare the commands below ``archive`` and their options; ``archive.py`` implements them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from . import _history, _options
from ._help import PlainGroup
from ._history import DecimalsOption, ResumeOption, ToOption
from ._options import EnvOption, JsonOption, ProfileOption, examples
from ._run import exiting_on_failure, run

archive: typer.Typer = typer.Typer(
    name="archive",
    cls=PlainGroup,
    help="Save a whole account in a folder: replies, tables, a report. Without options a guide leads through it.",
    rich_markup_mode="rich",
)


@archive.callback(
    invoke_without_command=True,
    epilog=examples(
        "archive",
        "archive --out my-account --profile readonly",
        "archive --out my-account --resume",
        "archive verify my-account --digest 3f6c...",
        "archive export my-account --to my-tables --format xlsx",
    ),
)
def make_archive(
    context: typer.Context,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="The folder of the archive, created if missing. Without it a guide asks."
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="DATE", help="The first day to save; by default the day when the account was opened."
        ),
    ] = None,
    until: ToOption = None,
    resume: ResumeOption = False,
    symbols: Annotated[
        list[str] | None,
        typer.Option(
            "--symbol", metavar="SYMBOL", help="Also save this contract, beside those that the account has records of."
        ),
    ] = None,
    allow_trading_key: Annotated[
        bool, typer.Option("--allow-trading-key", help="Accept a key that can do more than read.")
    ] = False,
    settle: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0, max=3600, help="The time in which the exchange must list new records."),
    ] = 60,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without",
            metavar="sub_accounts|broker|affiliate",
            help="Skip what the account does not have. May be given several times.",
        ),
    ] = None,
    env: EnvOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Save a whole account in a folder. Without --out a guide leads through it, step by step.

    It only reads, and asks for a key that can do no more. After any interruption it goes on with --resume. The exit
    code is 0 only for a complete archive, 4 for one with gaps.
    """
    if context.invoked_subcommand is not None:
        return
    environment = _options.environment(env)
    if out is None:
        from rich.console import Console

        from .guide import Guide, need_terminal

        with exiting_on_failure():
            need_terminal()
            guide = Guide(environment, profile, settle, Console())
            guide.prepare()
        run(guide.run)
    from .archive import Archive, key_of

    wanted = Archive(
        out=out,
        since=_history.moment(since, "--since"),
        until=_history.moment(until, "--to"),
        resume=resume,
        symbols=tuple(symbols or ()),
        allow_trading_key=allow_trading_key,
        settle=settle,
        without=tuple(without or ()),
        json=json,
    )
    run(lambda: wanted.run(key_of(profile, environment), environment))


ArchiveArgument: TypeAlias = Annotated[Path, typer.Argument(metavar="DIR", help="The archive.")]


@archive.command("verify", epilog=examples("archive verify my-account", "archive verify my-account --digest 3f6c..."))
def verify_archive(
    directory: ArchiveArgument,
    digest: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="The digest printed when the archive was made, kept elsewhere since."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Prove offline, from its replies, that an archive is unchanged and holds every record as it was listed.

    With --digest also prove that it is the same archive. The exit code is 1 if there is a problem, 4 for a sound
    archive with gaps.
    """
    from .archive import plain_words, verify

    with exiting_on_failure(), plain_words():
        verify(directory, digest, json)


@archive.command("rebuild", epilog=examples("archive rebuild my-account"))
def rebuild_archive(directory: ArchiveArgument) -> None:
    """Rebuild the tables and the report of an archive from its replies, offline, as this version reads them."""
    from .archive import plain_words, rebuild

    with exiting_on_failure(), plain_words():
        rebuild(directory)


TableFormat: TypeAlias = Literal["csv", "xlsx", "parquet", "koinly", "cointracker", "cryptotaxcalculator"]


@archive.command(
    "export",
    epilog=examples(
        "archive export my-account --to my-tables --format xlsx",
        "archive export my-account --to my-tables --format parquet --decimals float",
        "archive export my-account --to my-tables --format koinly",
    ),
)
def export_archive(
    directory: ArchiveArgument,
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="The folder for the files, created if missing.")],
    format: Annotated[
        TableFormat,
        typer.Option(help="A workbook (extra: xlsx), files for programs, or the layout of a tax tool."),
    ] = "csv",
    formulas: Annotated[
        bool,
        typer.Option(
            "--formulas", help="Keep texts that a spreadsheet would compute; otherwise they become plain text."
        ),
    ] = False,
    decimals: DecimalsOption = "exact",
) -> None:
    """Write an archive's records as tables for a spreadsheet, a program or a tax tool. Needs no network."""
    from .archive import export_tables, plain_words

    with exiting_on_failure(), plain_words():
        export_tables(directory, to, format, formulas=formulas, decimals=decimals)
