"""``bitmart-trio archive``: a whole account in a directory, with what is read at the moment; and its proof."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Self

import attrs
import trio
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

import bitmart_trio as bm

from ..history import archive as archives
from ._history import say
from ._run import Failure


class Screen:
    """A bar for each history that is being read, and a line for each that is done."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TaskProgressColumn(),
            TextColumn("{task.fields[detail]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._console = console
        self._tasks: dict[str, TaskID] = {}
        self._all = self._bars.add_task("account", total=None, detail="")
        self._records = self._done = 0
        self._counted: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def tell(self, step: archives.Progress) -> None:
        """Show one step."""
        if step.records:
            self._records += step.records - self._counted.get(step.name, 0)
            self._counted[step.name] = step.records
        if step.state in ("running", "waiting"):
            task = self._tasks.get(step.name)
            if task is None:
                task = self._tasks[step.name] = self._bars.add_task(step.name, total=1.0, detail="")
            if step.state == "waiting":
                self._bars.update(task, detail=f"waits: {step.note}")
            else:
                self._bars.update(task, completed=step.fraction, detail=_detail(step))
        else:
            task = self._tasks.pop(step.name, None)
            if task is not None:
                self._bars.remove_task(task)
            self._done += 1
            if step.requests or step.note:
                note = f": {step.note}" if step.note else ""
                self._bars.console.print(
                    f"{step.name}: {_detail(step)} ({step.state}{note})", markup=False, soft_wrap=True
                )
        self._bars.update(self._all, detail=f"{self._done} parts done, {self._records} records")


def _detail(step: archives.Progress) -> str:
    gaps = f", {step.gaps} gaps" if step.gaps else ""
    return f"{step.records} records, {step.requests} requests{gaps}"


@attrs.frozen
class Archive:
    """What is to be archived, and where.

    Attributes:
        out: the directory.
        since: the first moment; None for all of it.
        until: the end; None for now.
        resume: go on with the archive that is there.
        symbols: contracts to ask for beside those that are found.
        settle: seconds that the newest records may take to show.
        allow_trading_key: take a key that can trade, too.
        json: print the report as JSON.
    """

    out: Path
    since: datetime | None
    until: datetime | None
    resume: bool
    symbols: Iterable[str]
    settle: float
    allow_trading_key: bool
    json: bool

    async def run(self, credentials: bm.Credentials | None, environment: bm.Environment) -> None:
        """Make it or go on with it."""
        try:
            with Screen(Console(stderr=True)) as screen:
                async with bm.open_client(credentials, environment=environment) as client:
                    report = await archives.archive(
                        client,
                        self.out,
                        since=self.since,
                        until=self.until,
                        resume=self.resume,
                        symbols=self.symbols,
                        settle=self.settle,
                        allow_trading_key=self.allow_trading_key,
                        progress=screen.tell,
                    )
        finally:
            if trio.current_effective_deadline() == -inf:
                say(f"interrupted; to go on: bitmart-trio archive --out {self.out} --resume")
        if self.json:
            print(report.as_json(), end="")
        else:
            print(f"{report.records} records in {len(report.histories)} histories, {report.gaps} gaps named")
            print(f"report: {self.out / 'report.md'}")
        if not report.complete:
            left = sum(walk.state not in ("answered", "not_offered") for walk in report.histories)
            raise Failure(f"{left} histories are not whole, {report.gaps} gaps are named; --resume asks again")


def verify(directory: Path, json_wanted: bool) -> None:
    """Prove an archive and print what came out."""
    found = archives.verify(directory)
    if json_wanted:
        print(json.dumps({**attrs.asdict(found), "proven": found.proven}, indent=2))
    else:
        for problem in found.problems:
            print(problem)
        verdict = "proven" if found.proven else f"{len(found.problems)} problems"
        end = "" if found.complete else "; not at its end, resume it"
        print(f"{verdict}: {found.records} records, {found.windows} windows, {found.replies} replies{end}")
    if not found.proven:
        raise Failure(f"{directory} is not what it should be")
