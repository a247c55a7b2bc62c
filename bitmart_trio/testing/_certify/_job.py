"""A day as work for another process: everything needed to play it is in one object that can be sent."""

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
"""The most bytes of a bot's package that are sent along."""


@attrs.frozen(kw_only=True)
class Job:
    """The options that all days of a certificate share."""

    bot: str
    """The bot's location, such as ``/home/me/bot.py:main``."""
    minutes: float
    families: tuple[Family, ...]
    declared: Mapping[str, object] = attrs.field(hash=False)
    """The declared `Terms`, as a mapping."""
    invariants: str | None = None
    """The file with the user's own invariants."""
    tape: str | None = None
    sources: Mapping[str, bytes] | None = attrs.field(default=None, repr=False, hash=False)
    """The bot's files by their paths below its folder, if they must be sent along."""
    local: Bot | None = attrs.field(default=None, hash=False)
    """A bot that exists in this process only."""
    questions: Sequence[Question] = ()
    """Invariants that exist in this process only."""

    @property
    def terms(self) -> Terms:
        """The terms that the bot declares."""
        return terms_of(self.declared)

    def day(self, name: str) -> Day:
        """Return the day that has a given name.

        Raises:
            ConfigurationError: no day can have this name.
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
    """Return the same job with the bot's files in it, for another machine.

    Raises:
        ConfigurationError: the files are too large.
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
    """Play one day in the calling process if this is its main thread, else in a child process."""
    return cast("Outcome", _in_main_thread(_run_day, job, name))


def shrink_day(job: Job, name: str) -> Smallest:
    """Find the smallest day that breaks the bot in the same way as a given day."""
    return cast("Smallest", _in_main_thread(_shrink_day, job, name))


def _run_day(job: Job, name: str) -> Outcome:
    return job.play(job.day(name))


def _shrink_day(job: Job, name: str) -> Smallest:
    return shrink(job.play, job.day(name))


def _in_main_thread(work: object, job: Job, name: str) -> object:
    """Call a function of this module: signals and a seeded scheduler need a main thread."""
    if threading.current_thread() is threading.main_thread() and job.sources is None:
        return work(job, name)  # type: ignore[operator]  # one of the two functions above
    done = subprocess.run(  # noqa: S603  # this module's own child
        [sys.executable, "-m", f"{__package__}._child"],
        input=pickle.dumps((work, job, name)),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise ProcessDied(f"the process of day {name} died with {done.returncode}: {done.stderr.decode()[-500:]}")
    answer = pickle.loads(done.stdout)  # noqa: S301  # written by our own child
    if isinstance(answer, BaseException):
        raise answer
    return cast("object", answer)


class ProcessDied(RuntimeError):
    """A process died while it played a day."""


def here(job: Job) -> Job:
    """Return the job with its files unpacked into a temporary folder of this machine."""
    if job.sources is None:
        return job
    folder = Path(tempfile.mkdtemp(prefix="certify-"))
    for name, content in job.sources.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return attrs.evolve(job, bot=str(folder / job.bot), sources=None)
