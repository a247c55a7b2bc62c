"""The certificate of all days: the verdict, the figures, and what was not tested."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal
from xml.etree import ElementTree as ET  # written, never read

import attrs

from ._day import FAMILIES, Family, versions
from ._invariants import INVARIANTS
from ._job import Job
from ._outcome import Outcome
from ._shrink import Smallest

LEFT_OUT: Final = (
    "The effects of a kill on the bot's finally blocks and own files: a kill is imitated inside one running process.",
    "Ctrl-C under plain trio.run: a bot that handles signals receives them, and any other bot is cancelled.",
    "datetime.now(), and the bot's own threads and sockets: they do not follow virtual time.",
    "The speed of the bot: its calculations take no virtual time.",
    "Anything that the simulated exchange does not do; see the page on simplifications.",
)  # fmt: skip
"""Matters that no certificate covers."""


@attrs.frozen
class FamilyCount:
    """The results of the days that held trouble of one family."""

    passed: int = 0
    failed: int = 0
    early: int = 0
    """Days without a finding on which the bot ended before it was asked to."""


@attrs.frozen(kw_only=True)
class Certificate:
    """The result of all days that a bot went through."""

    job: Job
    bot: str
    outcomes: tuple[Outcome, ...]
    """The outcome of each day, in the order of their seeds."""
    smallest: Mapping[str, Smallest] = attrs.field(factory=dict[str, Smallest], hash=False)
    """The smallest day that breaks the bot in the same way, for some of the failed days."""
    wanted: int
    """The number of days that were requested."""
    interrupted: bool = False
    seconds: float = 0.0
    workers: int = 1

    @property
    def verdict(self) -> Literal["passed", "failed", "incomplete"]:
        """The verdict; ``incomplete`` means that nothing was found, but days are missing or ended early."""
        if self.failures:
            return "failed"
        whole = len(self.outcomes) == self.wanted and all(each.verdict == "passed" for each in self.outcomes)
        return "passed" if whole else "incomplete"

    @property
    def passed(self) -> bool:
        """True if all days were played to their ends and nothing was found."""
        return self.verdict == "passed"

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The days on which something was found."""
        return tuple(each for each in self.outcomes if each.verdict == "failed")

    @property
    def families(self) -> dict[Family, FamilyCount]:
        """The results of the days of each family; a day may hold trouble of several families."""
        counts: Counter[tuple[str, str]] = Counter()
        for outcome in self.outcomes:
            counts.update((family, outcome.verdict) for family in outcome.families)
        return {
            family: FamilyCount(counts[family, "passed"], counts[family, "failed"], counts[family, "early"])
            for family in FAMILIES
            if family in self.job.families
        }

    @property
    def found(self) -> dict[str, int]:
        """The number of days on which each invariant was broken."""
        return dict(Counter(name for each in self.failures for name in {found.invariant for found in each.findings}))

    @property
    def excluded_rate(self) -> float | None:
        """The rate of bad days that is excluded at 95 %; None if a day failed or no day passed.

        For n days of one kind without a failure it is 1 - 0.05 ** (1 / n): a higher rate would have caused a failure
        in 95 of a hundred certificates.
        """
        good = sum(each.verdict == "passed" for each in self.outcomes)
        return None if self.failures or not good else 1 - 0.05 ** (1 / good)

    @property
    def hours(self) -> float:
        """The virtual hours that were played."""
        return sum(each.virtual_seconds for each in self.outcomes) / 3600

    @property
    def hours_per_cpu_second(self) -> float:
        """Virtual hours played per second of CPU time."""
        return self.hours / (sum(each.cpu_seconds for each in self.outcomes) or 1)

    @property
    def not_tested(self) -> tuple[str, ...]:
        """Matters that this certificate does not cover."""
        said = [f"{name}: switched off. {why}" for name, why in self.job.terms.off.items()]
        said += [f"Trouble of the family {family}: left out." for family in FAMILIES if family not in self.job.families]
        wired = sum("network" in each.families for each in self.outcomes)
        said.append(
            f"The HTTP wire on {len(self.outcomes) - wired} of {len(self.outcomes)} days: only days of the family "
            "network need it. WebSockets are real on all of them."
        )
        if not self.job.terms.positions:
            said.append("The spot coins that the bot holds at the end: it declares no positions.")
        if self.job.local is not None:
            said.append("Reloading the bot's module for each life: the bot is a function that no file defines.")
        if early := sum(each.verdict == "early" for each in self.outcomes):
            said.append(f"The rest of {early} days, on which the bot ended before it was asked to.")
        if len(self.outcomes) < self.wanted:
            said.append(f"{self.wanted - len(self.outcomes)} of the {self.wanted} days that were asked for.")
        return (*said, *LEFT_OUT)

    @property
    def remarks(self) -> dict[str, int]:
        """The observations about the bot besides the findings, with the number of days of each."""
        return dict(Counter(remark for each in self.outcomes for remark in each.remarks))

    def __str__(self) -> str:
        lines = [self.headline]
        for name, count in sorted(self.found.items()):
            first = next(each for each in self.failures if any(found.invariant == name for found in each.findings))
            finding = next(found for found in first.findings if found.invariant == name)
            lines.append(f"  {name} on {count} days, first on day {first.name}: {finding.text}")
        for name, small in self.smallest.items():
            lines.append(
                f"  smallest bad day of {name}: {small.day.name} ({len(small.day.deeds)} deeds, {small.day.end:g} s)"
            )
        return "\n".join(lines)

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        days = f"{len(self.outcomes)} days of {self.job.minutes:g} minutes"
        if self.verdict == "failed":
            return f"{self.bot} FAILED: {len(self.failures)} of {days} broke it"
        rate = self.excluded_rate
        excluded = "" if rate is None else f"; at 95 % fewer than {rate:.2%} of such days break it"
        if self.verdict == "passed":
            return f"{self.bot} PASSED: {days} without a finding{excluded}"
        early = sum(each.verdict == "early" for each in self.outcomes)
        missing = self.wanted - len(self.outcomes)
        why = " and ".join(
            part
            for part in (f"{early} ended early" if early else "", f"{missing} were not played" if missing else "")
            if part
        )
        return f"{self.bot} INCOMPLETE: nothing found in {days}, but {why}{excluded}"

    def raise_if_failed(self) -> None:
        """Raise AssertionError with the text of the certificate unless it passed.

        Raises:
            AssertionError: a day failed, or the certificate is incomplete.
        """
        if not self.passed:
            raise AssertionError(str(self))

    def to_json(self) -> dict[str, object]:
        """Return the certificate as plain data."""
        return {
            "certificate": 1,
            "bot": self.bot,
            "verdict": self.verdict,
            "headline": self.headline,
            "days": {"wanted": self.wanted, "played": len(self.outcomes), "failed": len(self.failures)},
            "excluded_rate_95": self.excluded_rate,
            "minutes": self.job.minutes,
            "families": {name: attrs.asdict(count) for name, count in self.families.items()},
            "invariants": [name for name in INVARIANTS if name not in self.job.terms.off],
            "found": self.found,
            "terms": self.job.terms.to_json(),
            "not_tested": list(self.not_tested),
            "remarks": self.remarks,
            "hours": round(self.hours, 4),
            "hours_per_cpu_second": round(self.hours_per_cpu_second, 5),
            "seconds": round(self.seconds, 1),
            "versions": versions(),
            "failures": [
                {"day": self.job.day(each.name).to_json(), "findings": [attrs.asdict(found) for found in each.findings]}
                for each in self.failures
            ],
            "smallest": {
                name: {
                    "day": small.day.to_json(),
                    "findings": [attrs.asdict(found) for found in small.outcome.findings],
                    "replays": small.replays,
                    "whole_search": small.whole,
                }
                for name, small in self.smallest.items()
            },
        }

    def junit(self) -> bytes:
        """Return the certificate as JUnit XML, with one test per day."""
        suite = ET.Element(
            "testsuite", name=f"certify {self.bot}", tests=str(len(self.outcomes)), failures=str(len(self.failures)),
            skipped=str(sum(each.verdict == "early" for each in self.outcomes)), errors="0", time=f"{self.seconds:.1f}",
        )  # fmt: skip
        for each in self.outcomes:
            case = ET.SubElement(
                suite,
                "testcase",
                classname=f"certify.{self.bot}",
                name=f"day {each.name}",
                time=f"{each.wall_seconds:.3f}",
            )
            if each.verdict == "failed":
                ET.SubElement(case, "failure", message=_clean(each.findings[0].text)).text = _clean(
                    "\n".join(str(found) for found in each.findings)
                )
            elif each.verdict == "early":
                ET.SubElement(case, "skipped", message="the bot ended before it was asked to")
        return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True))

    def write(self, folder: str | os.PathLike[str]) -> None:
        """Write ``report.html``, ``report.json`` and ``junit.xml`` into a folder, created if missing.

        Raises:
            OSError: a file cannot be written.
        """
        from ._report import page  # it imports this module

        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        (target / "report.json").write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")
        (target / "report.html").write_text(page(self), encoding="utf-8")
        (target / "junit.xml").write_bytes(self.junit())


def _clean(text: str) -> str:
    """Replace the characters that XML cannot hold."""
    return "".join(each if each in "\n\t" or each >= " " else "?" for each in text)
