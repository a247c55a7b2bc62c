"""``bitmart-trio certify``: a bot through many bad days, or one of them again."""

from __future__ import annotations

import sys
from bdb import BdbQuit
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ..testing import Happening, Outcome, Played, certify
from ..testing import Progress as Done
from ..testing._certify._certify import job_of
from ..testing._certify._invariants import undeclared
from ..testing._certify._terms import read_terms
from ..text import printable
from ._run import Failure, Incomplete

if TYPE_CHECKING:
    from concurrent.futures import Executor

_REFRESH: Final = 2


class Certifying:
    """One call of the command.

    Args:
        bot: such as ``bot.py:main``.
        options: as of `certify`; ``terms`` is a file.
    """

    def __init__(
        self, *, bot: str, days: str, minutes: float, invariants: Path | None, terms: Path | None, tape: Path | None
    ) -> None:
        self._bot = bot
        self._options: dict[str, Any] = {
            "days": days,
            "minutes": minutes,
            "invariants": () if invariants is None else invariants,
            "terms": None if terms is None else read_terms(terms),
            "tape": tape,
        }
        self._console = Console(stderr=True)

    def certify(
        self,
        seeds: Sequence[int],
        *,
        out: Path | None,
        resume: bool,
        workers: int | None,
        dask: str | None,
        shrink: bool,
    ) -> None:
        """Play all days; raises `Failure` unless the bot passed."""
        with _dask(dask) as executor, self._progress() as bar:
            task = bar.add_task("", total=len(seeds), failed="")

            def show(done: Done) -> None:
                words = f"[red]{done.failed} failed[/]" if done.failed else ""
                if done.shrinking:
                    words += f", making {done.shrinking} smaller"
                bar.update(task, completed=done.done, failed=words)

            certificate = certify(
                self._bot, seeds=seeds, out=out, resume=resume, workers=workers, executor=executor, shrink=shrink,
                progress=show, **self._options,
            )  # fmt: skip
        for line in str(certificate).splitlines():
            print(printable(line, longest=None))
        for name, small in certificate.smallest.items():
            print(printable(f"  again: bitmart-trio certify {self._bot} --replay '{small.day.name}'  (of day {name})"))
        rate = certificate.hours_per_cpu_second
        print(f"{certificate.hours:.2f} virtual hours, {rate:.4f} per second of CPU time, {certificate.seconds:.0f} s")
        if out is not None:
            print(f"the report is in {out}: report.html, report.json and junit.xml")
        if certificate.interrupted:
            raise KeyboardInterrupt
        if certificate.verdict == "failed":
            raise Failure(f"{len(certificate.failures)} of {len(certificate.outcomes)} days broke {certificate.bot}")
        if certificate.verdict == "incomplete":
            raise Incomplete(certificate.headline)

    def replay(self, name: str, *, trace: bool, debug: bool) -> None:
        """Play one day; raises `Failure` when it breaks the bot."""
        job = job_of(self._bot, **self._options)
        day = job.day(name)
        print(
            f"day {day.full_name}: {day.weather} market, latency {day.latency}, ends by {day.ending} at {day.end:g} s"
        )
        for deed in day.deeds:
            print(f"  {deed}")
        outcome = job.play(day, _Onlooker(trace=trace, debug=debug))
        self._tell(outcome)

    def _tell(self, outcome: Outcome) -> None:
        for finding in outcome.findings:
            print(printable(f"at {finding.at:.3f} s {finding}"))
        for remark in outcome.remarks:
            print(printable(f"remark: {remark}"))
        counts = ", ".join(f"{number} {what}" for what, number in sorted(outcome.counts.items()))
        print(f"{outcome.verdict}: {outcome.lives} lives, {counts}")
        if outcome.findings:
            raise Failure(f"day {outcome.name} broke the bot: {outcome.findings[0].invariant}")

    def _progress(self) -> Progress:
        return Progress(
            TextColumn("days"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[failed]}"),
            TimeElapsedColumn(), TimeRemainingColumn(), console=self._console, disable=not self._console.is_terminal,
            refresh_per_second=_REFRESH,
        )  # fmt: skip


class _Onlooker:
    """Prints what happens, and debugs what the bot ended with."""

    def __init__(self, *, trace: bool, debug: bool) -> None:
        self._trace = trace
        self._debug = debug

    def happened(self, moment: Happening) -> None:
        """Print it, where that is wanted."""
        if self._trace:
            print(printable(f"{moment.at:9.3f} {moment.kind:6} {moment.text}"), flush=True)

    def over(self, day: Played) -> None:
        """Open the debugger where the bot raised something that it did not declare."""
        if not self._debug:
            return
        for life in day.lives:
            for error in () if life.error is None else undeclared(life.error, day.terms.raises):
                if life.alive and error.__traceback__ is not None:
                    print(printable(f"life {life.number} ended with {type(error).__name__}: {error}"))
                    _debug(error)
                    return
        print("no exception to debug on this day", file=sys.stderr)


def _debug(error: BaseException) -> None:
    """Open the debugger where an exception was raised."""
    import pdb  # noqa: T100  # this is what the option is for

    with suppress(BdbQuit):
        pdb.post_mortem(error.__traceback__)


def _dask(address: str | None) -> AbstractContextManager[Executor | None]:
    """The executor of a Dask cluster, or none.

    Raises:
        Failure: Dask is not installed, or the cluster does not answer.
    """
    if address is None:
        return nullcontext(None)
    from ..testing._certify._dask import dask_executor  # the extra is needed for this alone

    return dask_executor(address)
