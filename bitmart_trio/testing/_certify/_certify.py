"""`certify` plays seeded bad days for a bot and reports what breaks it."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import IO, Final

import attrs

from ...errors import ConfigurationError
from ._bot import Main, bot_of
from ._certificate import Certificate
from ._day import FAMILIES, read_families, versions
from ._job import Job, packed, run_day, shrink_day
from ._outcome import Outcome
from ._referee import Question, questions_in, referee
from ._runner import Runner, dead_day
from ._shrink import Smallest

DAYS: Final = "days.jsonl"
"""The file in a certificate's folder to which each day is written as soon as it is played."""
SHRUNK: Final = 3
"""The most failing days that are shrunk: the first day of each broken invariant, up to this number."""


@attrs.frozen
class Progress:
    """The progress of a certificate."""

    done: int
    wanted: int
    failed: int
    seconds: float
    """Seconds since the start."""
    outcome: Outcome | None = None
    """The outcome of the most recent day."""
    shrinking: int = 0
    """Failing days that are being shrunk, after all days were played."""


def certify(
    main: Main | str | os.PathLike[str],
    *,
    seeds: int | Iterable[int] = 200,
    days: str | Iterable[str] = FAMILIES,
    minutes: float = 10,
    invariants: str | os.PathLike[str] | Sequence[Question] = (),
    terms: Mapping[str, object] | None = None,
    tape: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    workers: int | None = None,
    executor: Executor | None = None,
    shrink: bool = True,
    progress: Callable[[Progress], None] | None = None,
) -> Certificate:
    """Put a bot through seeded bad days in virtual time, and report what broke it.

    In use::

        certificate = bm.testing.certify("bot.py:main", seeds=200)
        certificate.raise_if_failed()

    Args:
        main: an async function that takes a `Client`, and ``journal`` and ``symbols`` if it names them; or its
            location, such as ``bot.py:main``. A function that no file defines is called in this process.
        seeds: the number of days, from seed 0 on; or the seeds themselves.
        days: the families of trouble that days are drawn from.
        minutes: the length of a day.
        invariants: further invariants to check after each day: functions that take the `Played` day, or the file that
            defines them.
        terms: the bot's declarations, by the names of `Terms`; they are merged with ``CERTIFY`` of its module.
        tape: a recording (see ``bitmart-trio tape``) that is the market of all days.
        out: the folder for the report; each day is stored there as soon as it is played.
        resume: continue with the days that are stored in that folder.
        workers: the number of processes; None: one per core; 0: none, everything runs in this process.
        executor: your own executor, such as Dask's, in place of worker processes; the bot's file and the files beside
            it are sent along. It is not shut down.
        shrink: whether to search for the smallest bad day, of the first three kinds of failure.
        progress: called after each day.

    Returns:
        The certificate; after Ctrl-C, the certificate of the days played until then.

    Raises:
        ConfigurationError: the bot cannot be loaded, or an option is invalid.
        OSError: the folder cannot be written to.
    """
    job = job_of(main, days=days, minutes=minutes, invariants=invariants, terms=terms, tape=tape)
    names = [str(seed) for seed in (range(seeds) if isinstance(seeds, int) else seeds)]
    if not names:
        raise ConfigurationError("a certificate needs at least one day")
    if executor is not None and (job.local is not None or job.questions):
        raise ConfigurationError("another executor needs a bot and invariants in files: functions of files can be sent")
    processes = 0 if job.local is not None or job.questions else (os.cpu_count() or 1) if workers is None else workers
    folder = None if out is None else Path(out)
    return _Run(job, names, folder, resume, processes, executor, progress).run(shrink)


def job_of(
    main: Main | str | os.PathLike[str],
    *,
    days: str | Iterable[str] = FAMILIES,
    minutes: float = 10,
    invariants: str | os.PathLike[str] | Sequence[Question] = (),
    terms: Mapping[str, object] | None = None,
    tape: str | os.PathLike[str] | None = None,
) -> Job:
    """Check the options that all days share; arguments and errors are those of `certify`."""
    if not 0.1 <= minutes <= 24 * 60:
        raise ConfigurationError(f"a day is between 0.1 and {24 * 60} minutes long, not {minutes:g}")
    families = read_families(days)
    if not families:
        raise ConfigurationError("a day needs at least one family of trouble")
    bot = bot_of(main if callable(main) else os.fspath(main))
    declared = {**bot.declared()}
    for name, value in (terms or {}).items():
        before = declared.get(name)
        declared[name] = {**before, **value} if isinstance(before, dict) and isinstance(value, Mapping) else value
    file = str(Path(invariants).resolve()) if isinstance(invariants, str | os.PathLike) else None
    questions = () if isinstance(invariants, str | os.PathLike) else tuple(invariants)
    job = Job(
        bot=bot.name if bot.path is None else f"{bot.path}:{bot.name}",
        minutes=minutes,
        families=families,
        declared=declared,
        invariants=file,
        tape=None if tape is None else str(Path(tape).resolve()),
        local=bot if bot.path is None else None,
        questions=questions,
    )
    referee(
        job.terms, [*questions, *(() if file is None else questions_in(Path(file)))]
    )  # raises if the invariants or terms are invalid
    return job


class _Run:
    """One run of `certify`."""

    def __init__(
        self,
        job: Job,
        names: Sequence[str],
        folder: Path | None,
        resume: bool,
        workers: int,
        executor: Executor | None,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._job = job
        self._names = names
        self._workers = workers
        self._executor = executor
        self._progress = progress
        self._began = time.monotonic()
        self._outcomes: dict[str, Outcome] = {}
        self._smallest: dict[str, Smallest] = {}
        self._folder = folder
        self._file: IO[str] | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._open(folder / DAYS, resume)
        elif resume:
            raise ConfigurationError("there is nothing to resume without a folder")

    def run(self, shrinking: bool) -> Certificate:
        """Play the days, shrink the failing ones, and write the certificate."""
        sent = self._job if self._executor is None else packed(self._job)
        left = [name for name in self._names if name not in self._outcomes]
        try:
            whole = Runner(
                run_day, sent, workers=self._workers, executor=self._executor, done=self._played, died=dead_day
            ).run(left)
        finally:
            if self._file is not None:
                self._file.close()
        if shrinking and whole:
            self._shrink(sent)
        order = {name: number for number, name in enumerate(self._names)}
        certificate = Certificate(
            job=self._job,
            bot=bot_of(self._job.bot).title if self._job.local is None else self._job.local.title,
            outcomes=tuple(sorted(self._outcomes.values(), key=lambda each: order[each.name])),
            smallest=self._smallest,
            wanted=len(self._names),
            interrupted=not whole,
            seconds=time.monotonic() - self._began,
            workers=self._workers,
        )
        if self._folder is not None:
            certificate.write(self._folder)
        return certificate

    def _played(self, name: str, outcome: Outcome) -> None:
        if name in self._outcomes:
            return  # an executor that lost a worker may play a day twice; it counts once
        self._outcomes[name] = outcome
        if self._file is not None:
            self._file.write(json.dumps(outcome.to_json()) + "\n")
            self._file.flush()
        self._tell(outcome)

    def _tell(self, outcome: Outcome | None, shrinking: int = 0) -> None:
        failed = sum(each.verdict == "failed" for each in self._outcomes.values())
        seconds = time.monotonic() - self._began
        if self._progress is None:
            return
        self._progress(Progress(len(self._outcomes), len(self._names), failed, seconds, outcome, shrinking))

    def _shrink(self, job: Job) -> None:
        """Shrink the first failing day of each invariant."""
        firsts: dict[str, str] = {}
        for name in self._names:
            outcome = self._outcomes.get(name)
            if outcome is not None and outcome.findings and outcome.findings[0].invariant != "process_survives":
                firsts.setdefault(outcome.findings[0].invariant, name)
        chosen = list(firsts.values())[:SHRUNK]

        def done(name: str, small: Smallest | None) -> None:
            if small is not None:
                self._smallest[name] = small
            self._tell(None, len(chosen) - len(self._smallest))

        if chosen:
            self._tell(None, len(chosen))
            Runner[Smallest | None](
                shrink_day, job, workers=self._workers, executor=self._executor, done=done, died=lambda name, how: None
            ).run(chosen)

    def _open(self, path: Path, resume: bool) -> None:
        """Read the days of an earlier run, if they are to be resumed, and append to them."""
        head = json.dumps({"days_of": self._key()})
        lines = path.read_text(encoding="utf-8").splitlines() if resume and path.exists() else []
        if lines and lines[0] != head:
            raise ConfigurationError(f"{path} is of another bot, other options or another version; certify anew")
        wanted = set(self._names)
        for line in lines[1:]:
            try:
                outcome = Outcome.from_json(json.loads(line))
            except (ValueError, TypeError, KeyError):
                continue  # the earlier run stopped while it wrote this line: the day is played again
            if outcome.name in wanted:
                self._outcomes[outcome.name] = outcome
        self._file = path.open("w", encoding="utf-8")
        self._file.write(head + "\n")
        for outcome in self._outcomes.values():
            self._file.write(json.dumps(outcome.to_json()) + "\n")
        self._file.flush()

    def _key(self) -> str:
        """A digest of everything that the days of one certificate must share."""
        job = self._job
        source = b"" if job.local is not None else Path(job.bot.rpartition(":")[0]).read_bytes()
        asked = b"" if job.invariants is None else Path(job.invariants).read_bytes()
        what = [job.bot, job.minutes, job.families, job.terms.to_json(), job.tape, versions()]
        return hashlib.sha256(json.dumps(what).encode() + source + asked).hexdigest()
