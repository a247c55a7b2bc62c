"""A day as work for another process: all that it takes to play it is in one object that can be sent."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

import attrs

from ...errors import ConfigurationError
from ._bot import Bot, bot_of, named_bot
from ._day import Day, Family, named
from ._draw import draw
from ._outcome import Outcome
from ._play import Onlooker, play
from ._referee import Question, questions_in, referee
from ._shrink import Smallest, shrink
from ._terms import Terms, terms_of

_MOST_SOURCE: Final = 20_000_000
"""Bytes of a bot's package that are sent along."""


@attrs.frozen(kw_only=True)
class Job:
    """What is the same for all days of a certificate."""

    bot: str
    """Such as ``/home/me/bot.py:main``."""
    minutes: float
    families: tuple[Family, ...]
    declared: Mapping[str, object] = attrs.field(hash=False)
    """Of the terms."""
    invariants: str | None = None
    """The file with the user's own."""
    tape: str | None = None
    sources: Mapping[str, bytes] | None = attrs.field(default=None, repr=False, hash=False)
    """The bot's files by their names below its folder, where they must go along."""
    local: Bot | None = attrs.field(default=None, hash=False)
    """A bot that is at hand in this process only."""
    questions: Sequence[Question] = ()
    """Invariants that are at hand in this process only."""

    @property
    def terms(self) -> Terms:
        """What the bot declares."""
        return terms_of(self.declared)

    def day(self, name: str) -> Day:
        """The day of a name.

        Raises:
            ConfigurationError: it is none.
        """
        seed, cuts = named(name)
        whole = draw(seed, minutes=self.minutes, families=self.families, symbols=self.terms.symbols, tape=self.tape)
        try:
            return whole.smaller(**cuts) if cuts else whole  # type: ignore[arg-type]  # as `named` makes them
        except IndexError:
            raise ConfigurationError(f"day {seed} has {len(whole.deeds)} deeds, fewer than {name!r} names") from None

    def play(self, day: Day, onlooker: Onlooker | None = None) -> Outcome:
        """Play a day in this process."""
        own = [*self.questions, *(() if self.invariants is None else questions_in(Path(self.invariants)))]
        terms = self.terms
        bot = self.local if self.local is not None else named_bot(self.bot)
        return play(bot, day, terms, referee(terms, own), onlooker=onlooker)


def packed(job: Job) -> Job:
    """The same job with the bot's files in it, for another machine.

    Raises:
        ConfigurationError: there are too many.
    """
    bot = bot_of(job.bot)
    assert bot.path is not None
    assert bot.folder is not None
    top = bot.path.parent
    while top.parent != bot.folder and (top.parent / "__init__.py").exists():
        top = top.parent
    files = sorted(top.rglob("*.py")) if (top / "__init__.py").exists() else sorted(top.glob("*.py"))
    if sum(file.stat().st_size for file in files) > _MOST_SOURCE:
        raise ConfigurationError(f"the Python files beside {bot.path} are more than {_MOST_SOURCE // 1_000_000} MB")
    sources = {str(file.relative_to(bot.folder)): file.read_bytes() for file in files}
    return attrs.evolve(job, bot=f"{bot.path.relative_to(bot.folder)}:{bot.name}", sources=sources)


def run_day(job: Job, name: str) -> Outcome:
    """Play one day where this is called; in a process of its own unless this is a process's main thread."""
    return cast("Outcome", _in_main_thread(_run_day, job, name))


def shrink_day(job: Job, name: str) -> Smallest:
    """Find the smallest day that breaks the bot as this one does."""
    return cast("Smallest", _in_main_thread(_shrink_day, job, name))


def _run_day(job: Job, name: str) -> Outcome:
    return job.play(job.day(name))


def _shrink_day(job: Job, name: str) -> Smallest:
    return shrink(job.play, job.day(name))


def _in_main_thread(work: object, job: Job, name: str) -> object:
    """Call a function of this module: signals and a seeded scheduler need a main thread."""
    if threading.current_thread() is threading.main_thread() and job.sources is None:
        return work(job, name)  # type: ignore[operator]  # one of the two above
    done = subprocess.run(  # noqa: S603  # ourselves
        [sys.executable, "-m", f"{__package__}._child"],
        input=pickle.dumps((work, job, name)),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise ProcessDied(f"the process of day {name} died with {done.returncode}: {done.stderr.decode()[-500:]}")
    answer = pickle.loads(done.stdout)  # noqa: S301  # what our own child wrote
    if isinstance(answer, BaseException):
        raise answer
    return cast("object", answer)


class ProcessDied(RuntimeError):
    """A process that played a day is gone."""


def here(job: Job) -> Job:
    """The job with its files unpacked into a folder of this machine, for as long as the process lives."""
    if job.sources is None:
        return job
    folder = Path(tempfile.mkdtemp(prefix="certify-"))
    for name, content in job.sources.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return attrs.evolve(job, bot=str(folder / job.bot), sources=None)
