"""Implement ``bitmart-trio archive``: save a whole account in a folder, show progress, verify and export it."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Final, Literal, Self

import attrs
import trio
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

import bitmart_trio as bm

from ..history import ExportError
from ..history import archive as archives
from ..text import json_text, printable
from . import _options
from ._history import say
from ._run import Failure, Incomplete, Refusal

NO_KEY: Final = (
    "`bitmart-trio archive` in a terminal shows how to make a read-only key and uses it; "
    "or store one with `bitmart-trio key set NAME` and use --profile NAME here"
)


@contextmanager
def plain_words() -> Generator[None]:
    """Raise a failure that says what the user can do, instead of an exception's name.

    Raises:
        Failure: in place of the library's errors about keys, archives and exports.
    """
    try:
        yield
    except archives.UnsafeKey as error:
        raise Failure(f"{error}. --allow-trading-key accepts it all the same") from error
    except (archives.ArchiveError, ExportError) as error:
        raise Failure(str(error)) from error
    except bm.ConnectionLost as error:
        raise Failure(
            f"the exchange cannot be reached ({printable(str(error))}). Check this computer's connection to the "
            "internet, then run again with --resume: what was saved is safe"
        ) from error
    except bm.AuthenticationError as error:
        raise Failure(
            f"the exchange does not accept this key ({printable(str(error))}). Check that key, secret and memo were "
            "copied completely and belong together, and that the exchange's site still lists the key"
        ) from error


def key_of(profile: str | None, environment: bm.Environment) -> bm.Credentials:
    """Return the key of a profile, or the default one.

    Raises:
        Refusal: there is no key; the message says how to make one.
    """
    try:
        found = _options.credentials(profile, environment)
    except bm.MissingCredentials as error:
        raise Refusal(f"the key was not found: {error}. {NO_KEY}") from error
    if found is None:
        raise Refusal(f"there is no key. {NO_KEY}")
    return found


class Screen:
    """A progress bar for each history that is being read, and a line for each finished one."""

    def __init__(self, console: Console) -> None:
        # Names and notes may come from the exchange: no column interprets markup.
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TaskProgressColumn(),
            TextColumn("{task.fields[detail]}", markup=False),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._all = self._bars.add_task("account", total=None, detail="")
        self._records = self._done = 0
        self._counted: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, step: archives.Progress) -> None:
        """Show one step of progress."""
        name, note = printable(step.name), printable(step.note)
        if step.state == "notice":
            self._bars.console.print(note, markup=False, highlight=False, soft_wrap=True)
            return
        if step.records:
            self._records += step.records - self._counted.get(step.name, 0)
            self._counted[step.name] = step.records
        if step.state in ("running", "waiting"):
            task = self._tasks.get(step.name)
            if task is None:
                task = self._tasks[step.name] = self._bars.add_task(name, total=1.0, detail="")
            if step.state == "waiting":
                self._bars.update(task, detail=f"waits: {note}")
            else:
                self._bars.update(task, completed=step.fraction, detail=_detail(step))
        else:
            task = self._tasks.pop(step.name, None)
            if task is not None:
                self._bars.remove_task(task)
            self._done += 1
            if step.requests or step.note:
                state = step.state.replace("_", " ")
                line = f"{name}: {_detail(step)} ({state}{f': {note}' if note else ''})"
                self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)
        self._bars.update(self._all, detail=f"{self._done} parts done, {self._records} records")


def _detail(step: archives.Progress) -> str:
    gaps = f", {_count(step.gaps, 'gap')}" if step.gaps else ""
    return f"{_count(step.records, 'record')}, {_count(step.requests, 'request')}{gaps}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@attrs.frozen(kw_only=True)
class Archive:
    """A request to archive an account.

    Attributes:
        out: the folder.
        since: the start; None for the whole account.
        until: the end; None for now.
        resume: continue the existing archive.
        symbols: contracts to read beside those that are found.
        allow_trading_key: accept a key that can trade.
        settle: seconds in which new records must be listed.
        without: what the account does not have.
        json: print the report as JSON.
    """

    out: Path
    since: datetime | None
    until: datetime | None
    resume: bool
    symbols: Iterable[str]
    allow_trading_key: bool
    settle: float
    without: Iterable[str]
    json: bool

    async def run(self, credentials: bm.Credentials, environment: bm.Environment) -> None:
        """Make the archive, or continue it.

        Raises:
            Failure: the archive could not be made or continued.
            Incomplete: the archive is finished, but incomplete.
        """
        try:
            with plain_words(), Screen(Console(stderr=True)) as screen:
                async with bm.open_client(credentials, environment=environment) as client:
                    report = await archives.archive(
                        client,
                        self.out,
                        since=self.since,
                        until=self.until,
                        resume=self.resume,
                        symbols=self.symbols,
                        allow_trading_key=self.allow_trading_key,
                        settle=self.settle,
                        without=self.without,
                        progress=screen.show,
                    )
        finally:
            if trio.current_effective_deadline() == -inf:
                say(f"interrupted; to continue: bitmart-trio archive --out {self.out} --resume")
        if self.json:
            print(report.as_json(), end="")
        else:
            self._print(report)
        if not report.complete:
            raise Incomplete(
                f"finished with gaps: {report.gaps} parts are missing or in doubt; {self.out / 'report.md'} names them "
                "and says what to do. --resume retries what failed"
            )

    def _print(self, report: archives.ArchiveReport) -> None:
        print(f"{report.records} records in {len(report.histories)} histories")
        print(f"complete: {'yes' if report.complete else 'no'}")
        print(f"report: {self.out / 'report.html'}")
        print(f"digest: {report.digest}")
        print("Keep the digest somewhere else: with it, this command proves that nothing was changed since:")
        print(f"  bitmart-trio archive verify {self.out} --digest {report.digest}")
        print(f"For a spreadsheet: bitmart-trio archive export {self.out} --to {self.out}-export --format xlsx")


def verify(directory: Path, digest: str | None, json_wanted: bool) -> None:
    """Verify an archive and print the result.

    Raises:
        Failure: the archive is damaged or was changed.
        Incomplete: the archive is sound, but incomplete.
    """
    found = archives.verify(directory, digest=digest)
    if json_wanted:
        print(json_text(json.dumps({**attrs.asdict(found), "proven": found.proven}, indent=2, ensure_ascii=False)))
    else:
        for problem in found.problems:
            print(printable(problem))
        verdict = "proven" if found.proven else f"{len(found.problems)} problems"
        print(f"{verdict}: {found.records} records, {found.windows} windows, {found.replies} replies")
        print(f"complete: {'yes' if found.complete else 'no'}")
        print(f"digest: {found.digest}")
        for doubt in found.unproven:
            print(printable(doubt))
    if not found.proven:
        raise Failure(f"{directory} is damaged or was changed")
    if not found.complete:
        raise Incomplete(f"{directory} is sound, but incomplete: {directory / 'report.md'} names what is missing")


def rebuild(directory: Path) -> None:
    """Rebuild the tables and reports of an archive from its replies, and print their counts."""
    report = archives.rebuild(directory)
    print(f"rebuilt from {directory / 'replies.jsonl'}: {report.records} records in {len(report.histories)} histories")
    print(f"complete: {'yes' if report.complete else 'no'}")
    print(f"digest: {report.digest}")


def export_tables(
    directory: Path,
    to: Path,
    format: archives.Format,
    *,
    formulas: bool = False,
    decimals: Literal["exact", "float"] = "exact",
) -> None:
    """Write an archive's records to files and print their names."""
    exported = archives.export(directory, to, format=format, formulas=formulas, decimals=decimals)
    for file in exported.files:
        print(file)
    print(f"{exported.rows} rows in {len(exported.files)} files")
    for each in exported.left_out:
        print(f"left out: {each.count} records of {each.kind}, {printable(each.reason)} (the csv format has them)")
