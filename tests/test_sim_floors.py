"""The simulated exchange is built in floors: what each may import, types included, and that nothing goes in circles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from every_case import every_case
from test_layers import PACKAGE, ROOT, imports_of

SIM: Final = ROOT / "sim"
FACTS: Final = ("kernel", "models", "spot", "futures")

FLOORS: Final[dict[str, tuple[str, ...]]] = {
    # What every exchange is made of.
    "kernel": (),
    "models": ("kernel",),
    # Two markets that know nothing of each other.
    "spot": ("kernel", "models"),
    "futures": ("kernel", "models"),
    "treasury": FACTS,
    "exchange": (*FACTS, "treasury"),
    # A venue's face: how its clients see an exchange.
    "bitmart": (*FACTS, "treasury", "exchange"),
    "generic": (*FACTS, "exchange"),
    # Known by faces and venues; codes and texts are the venue's.
    "faults": ("kernel",),
    # They carry bytes for any venue.
    "faces": ("kernel", "exchange", "spot", "futures", "faults"),
    "drivers": (*FACTS, "exchange"),
    # Puts everything together.
    "venue": (*FACTS, "treasury", "exchange", "bitmart", "generic", "faults", "faces", "drivers"),
    "": (*FACTS, "treasury", "exchange", "bitmart", "faults", "faces", "drivers", "venue"),
}
"""Which floors a floor may import from, itself apart; "" is the simulator's own front door."""

KNOW_BITMART: Final = ("bitmart", "venue", "")
"""Its own face, and what puts exchanges together; any venue could stand on the other floors, which do not name one."""
NAMED: Final = re.compile(r"bitmart(?![_-]trio)", re.IGNORECASE)

FILES: Final = sorted(path.relative_to(SIM).as_posix() for path in SIM.rglob("*.py"))


def floor_of(file: str) -> str:
    """The floor of a file, by its path below ``sim/``."""
    first = Path(file).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def module_of(file: str) -> str:
    """The dotted name of a file below ``sim/``."""
    dotted = f"sim/{file}".removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return f"{PACKAGE}.{dotted}"


def targets(file: str, source: str) -> list[tuple[str, int]]:
    """The modules of ``sim/`` that a file imports, for types too, each with its line."""
    known = {module_of(each): each for each in FILES}
    found: list[tuple[str, int]] = []
    for each in imports_of(source, f"sim/{file}"):
        # "from . import x": x may be a module of that package, and then it is what is imported.
        modules = [f"{each.module}.{name}" for name in each.names if f"{each.module}.{name}" in known]
        found += [(known[module], each.line) for module in modules]
        if each.module in known and len(modules) < max(1, len(each.names)):
            found.append((known[each.module], each.line))
    return found


def wrong_arrows(file: str, source: str) -> list[str]:
    """The imports of one file that lead up, or to a floor beside its own."""
    floor = floor_of(file)
    return [
        f"sim/{file}:{line}: {floor or 'the front door'} must not import {floor_of(target) or 'the front door'}"
        for target, line in targets(file, source)
        if floor_of(target) != floor and floor_of(target) not in FLOORS[floor]
    ]


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """The groups of files that reach each other, each sorted; none when imports go one way only."""

    def reached(start: str) -> set[str]:
        seen, left = set[str](), [start]
        while left:
            for each in arrows[left.pop()] - seen:
                seen.add(each)
                left.append(each)
        return seen

    far = {file: reached(file) for file in arrows}
    groups = {tuple(sorted(other for other in far[file] if file in far[other])) for file in arrows if file in far[file]}
    return [list(group) for group in sorted(groups)]


@every_case("file", FILES)
def test_imports_lead_down(file: str) -> None:
    """No file imports from a floor above its own, or from one that its floor does not know, types included."""
    assert wrong_arrows(file, (SIM / file).read_text(encoding="utf-8")) == []


def test_every_floor_is_in_the_plan() -> None:
    """A new floor cannot appear without a place."""
    assert {floor_of(file) for file in FILES} == set(FLOORS)


def test_nothing_goes_in_circles() -> None:
    """No file reaches itself through what it imports, however long the way, types included."""
    arrows = {
        file: {target for target, _ in targets(file, (SIM / file).read_text(encoding="utf-8")) if target != file}
        for file in FILES
    }
    assert circles(arrows) == []


@every_case("file", [file for file in FILES if floor_of(file) not in KNOW_BITMART])
def test_the_exchange_names_no_venue(file: str) -> None:
    """Outside its face nothing knows BitMart, not even in a comment."""
    assert NAMED.findall((SIM / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("kernel/book.py", "from ..spot.orders import Engine"),
        ("spot/orders.py", "from ..futures.engine import Engine"),
        ("spot/orders.py", "if TYPE_CHECKING:\n    from ..exchange import Exchange"),
        ("exchange.py", "from .bitmart.face import BitMart"),
        ("bitmart/gate.py", "from ..faults import Fault"),
        ("faces/http.py", "from ..bitmart import wire"),
        ("generic/face.py", "from ..bitmart.wire import json_response"),
        ("faults/edge.py", "from ..bitmart.wire import json_response"),
        ("drivers/tape.py", "from ..faces.http import serve_stream"),
    ],
)
def test_a_wrong_arrow_is_found(file: str, source: str) -> None:
    """The reader above is not blind: each of these is one wrong arrow at least."""
    assert wrong_arrows(file, source)


def test_a_circle_is_found() -> None:
    """One of two, one of three; what merely leads into a circle is not in it."""
    two = {"a": {"b"}, "b": {"a"}, "c": {"a"}}
    three = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set[str]()}
    assert circles(two) == [["a", "b"]]
    assert circles(three) == [["a", "b", "c"]]
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []
