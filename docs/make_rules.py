"""Writes ``docs/recorded_rules.md``: for each rule of the simulated exchange whether it is documented, recorded or chosen.

With ``--check`` it says whether the page is current, and changes nothing.
"""
# ruff: noqa: E501  # the page is written in lines of its own length

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from made_pages import write_or_check

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "recorded_rules.md"
sys.path[:0] = [str(ROOT)]

from bitmart_trio.sim.bitmart.models import RULES, Rule  # noqa: E402  # after the path is set

HEAD: Final = """\
# Where the rules come from

The documentation of the exchange says one thing, and replies that people recorded sometimes say another. The simulated exchange goes by what was
recorded, so that a bot is tested against the exchange as it was. This page says of every rule where sources disagree or are silent whether it is

- **documented**: the exchange's own pages say so,
- **recorded**: it was seen in replies of the live exchange, which wins over the documentation,
- **chosen**: no source says, and a simulator has to do something. Do not rely on it.

What is not on this page follows the documentation; [what the simulated exchange simplifies](simplifications.md) lists where it does less.

The page is made from the table that the simulator itself works by, `bitmart_trio/sim/bitmart/models.py`, with `docs/make_rules.py`; a test asks the
exchange about every row.
"""

PARTS: Final = {
    "spot": "Spot",
    "futures": "Futures",
    "candles": "Candles",
    "sockets": "Sockets",
}


def _row(rule: Rule[object]) -> str:
    cells = (f"`{rule.name}`", rule.text, rule.basis, rule.source, rule.unknown)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def page() -> str:
    """The page."""
    lines = [HEAD]
    for part, title in PARTS.items():
        rows = [_row(rule) for rule in RULES.values() if rule.name.partition(".")[0] == part]
        if rows:
            head = ["| rule | what the exchange does | basis | source | not known |", "| --- | --- | --- | --- | --- |"]
            lines += [f"## {title}\n", *head, *rows, ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(write_or_check({PAGE: page()}))
