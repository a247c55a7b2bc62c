"""Read an account's present state: each read is complete, or its state says that it is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import attrs
import trio

from .._plan import ROUND
from .._threads import Runner
from ._asking import Asker, Judged, Progress
from ._entries import LookTaken, Noted, State
from ._tasks import Look
from ._wire import Wire, canonical
from ._writer import Store

_PAGE: Final = 100
_PAGES: Final = 1000
_TRIES: Final = 3
"""The most times that a list is read if its pages have fewer entries than its total."""


@attrs.frozen
class Seen:
    """The result of a look."""

    state: State
    entries: tuple[Wire, ...] = ()
    full: bool = False
    """True if there may be more entries than the exchange lists."""


class Looks:
    """Takes the looks of one run.

    Args:
        store: keeps the looks.
        run: runs blocking code.
        asker: sends the requests.
        tell: is called with each step.
    """

    def __init__(self, store: Store, run: Runner, asker: Asker, tell: Callable[[Progress], None]) -> None:
        self._store = store
        self._run = run
        self._asker = asker
        self._tell = tell
        self.answered: set[str] = set()
        """The names of looks that were answered, in this run or an earlier one."""
        self.tried: set[str] = set()
        """The names of looks that this run has taken, or need not take."""

    async def resume(self) -> None:
        """Know the looks of earlier runs."""

        def answered() -> set[str]:
            return {row.name for row in self._store.reader().looks() if row.state.complete}

        self.answered = await self._run(answered)

    async def take(self, look: Look, *, anew: bool = False) -> Seen:
        """Take a look, unless an earlier run has.

        Args:
            look: the look.
            anew: True to take the look again in any case.
        """
        self.tried.add(look.name)
        if look.name in self.answered and not anew:
            await trio.lowlevel.checkpoint()
            return Seen(State.ANSWERED)
        pages, entries, total = await self._pages(look)
        for _ in range(_TRIES):
            if total is None or len(entries) >= total or pages[-1].judgement.state is not State.ANSWERED:
                break
            pages, entries, total = await self._pages(look)
        last = pages[-1].judgement
        numbers = tuple(page.reply for page in pages if page.reply is not None)
        taken = LookTaken(look.name, look.endpoint, look.arguments, last.state, numbers, last.reason, last.code)
        await self._run(partial(self._store.look, taken))
        full = bool(look.full) and last.state is State.ANSWERED and _may_be_cut(len(entries), look.full)
        if last.state is State.ANSWERED:
            self.answered.add(look.name)
            short = total is not None and len(entries) < total
            await self._note(look, "below_total", f"of {total} entries {len(entries)} are listed", suspect=short)
            await self._note(
                look,
                "full_list",
                f"{len(entries)} entries are listed, and the exchange lists no more than {look.full}: "
                "there may be others",
                suspect=full,
            )
        gaps = int(full)
        self._tell(Progress(look.name, last.state, 1.0, 0, len(pages), gaps, last.reason))
        return Seen(last.state, tuple(entries), full)

    async def _pages(self, look: Look) -> tuple[list[Judged], list[Wire], int | None]:
        pages: list[Judged] = []
        entries: dict[str, Wire] = {}
        total: int | None = None
        while True:
            arguments: dict[str, object] = dict(look.arguments)
            if look.paged:
                arguments |= {"page": len(pages) + 1, "page_size": _PAGE}
            judged = await self._asker.ask(look.name, look.endpoint, arguments)
            pages.append(judged)
            found = judged.judgement
            if found.state is not State.ANSWERED:
                return pages, list(entries.values()), total
            before = len(entries)
            for number, entry in enumerate(found.records):
                entries.setdefault(canonical(entry) if look.paged else str(number), entry)
            total = found.total
            if not look.paged or not found.records or len(pages) >= _PAGES:
                break
            if total is not None and len(entries) >= total and len(found.records) < _PAGE:
                break
            if len(entries) == before:
                break  # the exchange repeats the same page
        return pages, list(entries.values()), total

    async def _note(self, look: Look, what: str, text: str, *, suspect: bool) -> None:
        """Write a suspicion down, or that an earlier one is over."""
        if not suspect:

            def known() -> bool:
                return any(note.what == what for note in self._store.reader().notes(look.name))

            if not await self._run(known):
                return
        await self._run(partial(self._store.note, Noted(look.name, what, text, resolved=not suspect)))

    async def resolve(self, look: Look, what: str, text: str) -> None:
        """A suspicion about a look is over."""
        await self._run(partial(self._store.note, Noted(look.name, what, text, resolved=True)))


def _may_be_cut(count: int, full: int) -> bool:
    return count >= full or count in ROUND


def ids_and_times(
    entries: Sequence[Wire] | Sequence[Mapping[str, object]], id_member: str, time_member: str
) -> dict[str, tuple[int, str]]:
    """The ids of orders, each with its time in milliseconds and its symbol."""
    found: dict[str, tuple[int, str]] = {}
    for entry in entries:
        if isinstance(entry, Mapping) and entry.get(id_member):
            time = str(entry.get(time_member, ""))
            found[str(entry[id_member])] = (int(time) if time.isdecimal() else 0, str(entry.get("symbol", "")))
    return found
