"""``docs/faults.md`` is complete, current, and what it shows can be typed in."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from every_case import every_case

from bitmart_trio.sim.faults import FAULTS
from bitmart_trio.sim.faults.text import parse_fault

DOCS: Final = Path(__file__).parent.parent.parent / "docs"
ENTRIES: Final = re.split(r"^### ", (DOCS / "faults.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]


def test_the_page_is_what_its_generator_makes() -> None:
    """A new field or another docstring is noticed."""
    checked = subprocess.run(
        [sys.executable, DOCS / "make_faults.py", "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_every_fault_has_its_entry() -> None:
    """Each one once, under its name."""
    assert sorted(entry.split("`")[1] for entry in ENTRIES) == sorted(FAULTS)


@every_case("entry", ENTRIES, ids=lambda entry: str(entry).split("`")[1])
def test_both_spellings_are_the_same_fault(entry: str) -> None:
    """The command line's text and the JSON of the HTTP request."""
    text = re.search(r'^--fault "(.*)"$', entry, flags=re.MULTILINE)
    members = re.search(r"^\{.*\}$", entry, flags=re.MULTILINE)
    assert text is not None
    assert members is not None
    fault = parse_fault(text[1])
    assert type(fault) is FAULTS[entry.split("`")[1]]
    assert parse_fault(members[0]) == fault
    assert json.loads(members[0])["fault"] == type(fault).__name__
