"""The completeness report: what was asked, what came, and what the API cannot give."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from .._plan import HistoryGap
from .._values import Plain
from .._walk import moment
from ._store import Reader
from ._tasks import find_walk

MARKDOWN: Final = "report.md"
JSON: Final = "report.json"

NEVER_TOLD: Final = (
    "Orders that are open are no history: they are listed as they were when the archive was made.",
    "Spot orders that were cancelled without a fill are not told after 20 minutes.",
    "Futures orders are told by contract, and contracts are found by fills, ledger, positions and open orders.",
    "An order that was cancelled without a fill on a contract without other traces is not found unless that is named.",
    "A sub-account's own orders and fills need a key of that sub-account: archive it with that key.",
    "Conversions, fiat, P2P, launches, grid and copy-trading settings and log-ins have no endpoint.",
    "Transfers between the spot and the funding wallet have no endpoint that lists them.",
)
"""What no key and no patience can get out of the API."""


@attrs.frozen
class WalkReport:
    """One history of an archive."""

    name: str
    """The endpoint and its arguments."""
    endpoint: str
    since: int
    until: int
    state: str
    """``done``, ``running`` (not at its end), ``refused`` or ``failed``."""
    note: str
    windows: int
    requests: int
    records: int
    gaps: tuple[HistoryGap, ...]
    """What was asked for and not told; neighbours of one reason are one."""
    omits: tuple[str, ...]
    """What the endpoint leaves out by nature."""


@attrs.frozen
class SnapshotReport:
    """One look at the account's present."""

    name: str
    state: str
    note: str


@attrs.frozen
class ArchiveReport:
    """What an archive has and has not."""

    since: int
    """Where its range begins, in milliseconds."""
    until: int
    account: str
    """The account's id; blank where the exchange did not tell it."""
    walks: tuple[WalkReport, ...]
    snapshots: tuple[SnapshotReport, ...]
    ended: bool
    """Whether the last run came to its end; one that was interrupted may not have begun with some histories."""

    @property
    def complete(self) -> bool:
        """Whether everything that the key may read was read to its end; gaps and refusals do not count against it."""
        return self.ended and all(walk.state in ("done", "refused") for walk in self.walks)

    @property
    def records(self) -> int:
        """All records."""
        return sum(walk.records for walk in self.walks)

    @property
    def gaps(self) -> int:
        """How many stretches are missing."""
        return sum(len(walk.gaps) for walk in self.walks)

    def as_json(self) -> str:
        """For machines."""
        return json.dumps(self._plain(), indent=2, ensure_ascii=False) + "\n"

    def _plain(self) -> Plain:
        return {
            "account": self.account,
            "since": self.since,
            "until": self.until,
            "complete": self.complete,
            "records": self.records,
            "walks": [
                {
                    "name": walk.name,
                    "endpoint": walk.endpoint,
                    "since": walk.since,
                    "until": walk.until,
                    "state": walk.state,
                    "note": walk.note,
                    "windows": walk.windows,
                    "requests": walk.requests,
                    "records": walk.records,
                    "gaps": [{"since": gap.since, "until": gap.until, "reason": gap.reason} for gap in walk.gaps],
                    "omits": list(walk.omits),
                }
                for walk in self.walks
            ],
            "snapshots": [{"name": look.name, "state": look.state, "note": look.note} for look in self.snapshots],
            "never_told": list(NEVER_TOLD),
        }

    def as_markdown(self) -> str:
        """For people."""
        verdict = "complete, as far as the exchange tells" if self.complete else "not complete: resume it"
        lines = [
            "# Account archive",
            "",
            f"Account {self.account or 'unknown'}, {moment(self.since)} to {moment(self.until)}: {verdict}.",
            f"{self.records} records in {len(self.walks)} histories, {self.gaps} gaps.",
            "",
            "## Histories",
            "",
            "| history | state | windows | requests | records | gaps |",
            "| --- | --- | ---: | ---: | ---: | ---: |",
        ]
        for walk in self.walks:
            state = f"{walk.state}: {_cell(walk.note)}" if walk.note else walk.state
            counts = " | ".join(map(str, (walk.windows, walk.requests, walk.records, len(walk.gaps))))
            lines.append(f"| {_cell(walk.name)} | {state} | {counts} |")
        lines += ["", "## Gaps", ""]
        gaps = [(walk, gap) for walk in self.walks for gap in walk.gaps]
        lines += [
            f"- {_cell(walk.name)}: {moment(gap.since)} to {moment(gap.until)}: {gap.reason}" for walk, gap in gaps
        ] or ["None."]
        lines += ["", "## What the endpoints leave out", ""]
        omits = {walk.endpoint: walk.omits for walk in self.walks if walk.omits}
        lines += [f"- {name}: {'; '.join(each)}" for name, each in omits.items()]
        lines += ["", "## What the API cannot give", "", *(f"- {each}" for each in NEVER_TOLD)]
        lines += ["", "## The account's present", ""]
        lines += [f"- {look.name}: {look.note or look.state}" for look in self.snapshots]
        return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def read_report(reader: Reader) -> ArchiveReport:
    """The report of an archive as it is now."""
    meta = reader.meta()
    walks: list[WalkReport] = []
    requests: dict[int | None, int] = {}
    for reply in reader.replies():
        requests[reply.walk] = requests.get(reply.walk, 0) + 1
    for row in sorted(reader.walks(), key=lambda row: row.name):
        windows = reader.windows(row.walk)
        walks.append(
            WalkReport(
                row.name,
                row.endpoint,
                row.since,
                row.until,
                row.state,
                row.note,
                len(windows),
                requests.get(row.walk, 0),
                sum(window.records for window in windows),
                _joined([window.gap for window in windows if window.gap is not None]),
                find_walk(row.endpoint).omits,
            )
        )
    looks = {look.name: SnapshotReport(look.name, look.state, look.note) for look in reader.snapshots()}
    return ArchiveReport(
        int(meta.get("since", 0)),
        int(meta.get("until", 0)),
        meta.get("account", ""),
        tuple(walks),
        tuple(looks.values()),
        meta.get("ended") == "yes",
    )


def _joined(gaps: Sequence[HistoryGap]) -> tuple[HistoryGap, ...]:
    joined: list[HistoryGap] = []
    for gap in gaps:
        if joined and joined[-1].until == gap.since and joined[-1].reason == gap.reason:
            joined[-1] = attrs.evolve(joined[-1], until=gap.until)
        else:
            joined.append(gap)
    return tuple(joined)


def write_report(directory: Path, report: ArchiveReport) -> None:
    """Write both forms, whole or not at all."""
    for name, text in ((MARKDOWN, report.as_markdown()), (JSON, report.as_json())):
        path = directory / f"{name}.new"
        path.write_text(text, encoding="utf-8")
        path.replace(directory / name)
