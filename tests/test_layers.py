"""Imports point one way. This reads them all and fails on one that leaves the plan of the rooms."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from every_case import every_case

PACKAGE: Final = "bitmart_trio"
ROOT: Final = Path(__file__).parent.parent / PACKAGE

LOW: Final = ("_version", "_scopes", "text", "errors", "credentials", "config", "models", "_core", "_bitmart", "_io")
CLIENT: Final = (*LOW, "rest", "streams", "endpoints", "client")

ROOMS: Final[dict[str, tuple[str, ...]]] = {
    "_version": (),
    # How a package's names load when they are first asked for.
    "_lazy": (),
    # Knows Trio and nothing else.
    "_scopes": (),
    # Harmless text is for every edge, so it knows none of them.
    "text": (),
    "errors": ("text",),
    "models": ("_lazy", "errors"),
    # Its hooks are told models; named for type checkers only.
    "config": ("_version", "errors", "credentials", "models"),
    "credentials": ("text", "errors"),
    "_core": ("_version", "text", "errors", "config", "models"),
    # The venue: below the rows and the client, beside Trio, which knows nothing of it.
    "_bitmart": ("text", "errors", "config", "models", "_core"),
    "_io": ("_version", "_scopes", "text", "errors", "credentials", "config", "models", "_core"),
    # A chapter runs over anything that can call: it must not know who sends.
    "rest": ("_version", "errors", "config", "models", "_core", "_bitmart"),
    # What fills gaps and keeps views of an account reads over REST.
    "streams": (*LOW, "rest"),
    "endpoints": ("_lazy", "rest"),
    "client": (*LOW, "rest", "streams", "endpoints"),
    "trading": CLIENT,
    "history": CLIENT,
    "convert": ("errors", "models", "_core"),
    "telemetry": CLIENT,
    "blocking": CLIENT,
    # Written by its own code: sharing the client's would hide the client's mistakes.
    "sim": ("_version", "_scopes"),
    "testing": ("_lazy", *CLIENT, "sim", "trading", "history"),
    # Everything public, by the front door.
    "cli": (*CLIENT, "trading", "history", "convert", "sim", "telemetry", "testing", ""),
    "__main__": ("cli",),
}
"""Which rooms a room may import from, itself apart. "" is the front door, ``bitmart_trio/__init__.py``."""

EXTRA: Final[dict[str, tuple[str, ...]]] = {
    # The one place where the simulated exchange and the client meet.
    "sim/venue.py": ("client", "config", "credentials"),
}
"""What single files may import beyond their room."""

LAZY: Final = ("sim", "telemetry", "trading", "history", "testing", "convert", "blocking")
"""What the front door names for type checkers only, and loads on first access."""

SANS_IO: Final = (
    "trio",
    "httpx",
    "httpcore",
    "trio_websocket",
    "socket",
    "ssl",
    "time",
    "random",
    "secrets",
    "asyncio",
)
ENGINES: Final = ("msgspec", "cattrs")
ENGINE_ROOMS: Final = ("_core/codec.py", "models/_rows.py")
TERMINAL: Final = ("typer", "rich", "click")


class Import:
    """One import: the dotted module that it names, and where."""

    def __init__(self, module: str, line: int, for_types_only: bool, names: tuple[str, ...] = ()) -> None:
        self.module = module
        self.line = line
        self.for_types_only = for_types_only
        self.names = names
        """What is taken from it."""

    @property
    def inside(self) -> bool:
        return self.module == PACKAGE or self.module.startswith(f"{PACKAGE}.")

    @property
    def room(self) -> str:
        """The room of an import from inside the package; "" is the front door."""
        return [*self.module.split("."), ""][1]

    @property
    def top(self) -> str:
        return self.module.split(".")[0]


@cache
def imports_of(source: str, file: str) -> list[Import]:
    """All imports of a file (path below the package), at any depth, relative ones resolved."""
    return [*_imports(ast.parse(source), file)]


def _imports(tree: ast.Module, file: str) -> Iterator[Import]:
    package = [PACKAGE, *Path(file).parent.parts]
    guarded = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and any(_name(node) == "TYPE_CHECKING" for node in ast.walk(block.test))
        for child in block.body
        for node in ast.walk(child)
    }
    for node in ast.walk(tree):
        types_only = id(node) in guarded
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, types_only)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            if module == PACKAGE:
                # "from . import x": x is a room, or a name of the front door when no such room exists.
                for alias in node.names:
                    is_room = alias.name in ROOMS
                    yield Import(f"{PACKAGE}.{alias.name}" if is_room else PACKAGE, node.lineno, types_only)
            else:
                yield Import(module, node.lineno, types_only, tuple(alias.name for alias in node.names))


def _name(node: ast.AST) -> str | None:
    """What a bare or dotted name ends in."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None


def wrong_arrows(source: str, file: str) -> list[str]:
    """What is wrong with the imports of one file, as lines for a person."""
    room = Path(file).parts[0].removesuffix(".py")
    front_door = room == "__init__"
    found: list[str] = []
    for each in imports_of(source, file):
        where = f"{PACKAGE}/{file}:{each.line}: "
        if each.inside:
            if front_door:
                if each.room in LAZY and not each.for_types_only:
                    found.append(f"{where}the front door loads {each.room} at once; it must load on first access")
            elif each.room != room and each.room not in (*ROOMS.get(room, ()), *EXTRA.get(file, ())):
                found.append(f"{where}{room} must not import {each.room or 'the front door'}")
        elif room in ("_core", "_bitmart") and each.top in SANS_IO:
            found.append(f"{where}{room} does no IO and knows no clock or chance: {each.top}")
        elif room == "models" and each.top in ("trio", "httpx"):
            found.append(f"{where}models do no IO: {each.top}")
        elif each.top in ENGINES and file not in ENGINE_ROOMS:
            found.append(f"{where}only {' and '.join(ENGINE_ROOMS)} name {each.top}")
        elif each.top in TERMINAL and room != "cli":
            found.append(f"{where}only the command line has {each.top}")
    return found


FILES: Final = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))


@every_case("file", FILES)
def test_imports_point_one_way(file: str) -> None:
    """No file imports what its room may not."""
    assert wrong_arrows((ROOT / file).read_text(encoding="utf-8"), file) == []


_VENUE_WORDS: Final = re.compile(r"bitmart|spot|futures", re.IGNORECASE)
_ALLOWED: Final = re.compile(rf"\bBitMartError\b|\b(?:from|import) {PACKAGE}\b")


def venue_words(source: str) -> list[str]:
    """The lines that name the venue, one of its markets or, with that, any of its topics."""
    return [line.strip() for line in source.splitlines() if _VENUE_WORDS.search(_ALLOWED.sub("", line))]


@every_case("file", [file for file in FILES if file.startswith(("_core/", "_io/"))])
def test_the_core_does_not_name_its_venue(file: str) -> None:
    """Another exchange is another adapter: what knows BitMart is in ``_bitmart`` and above."""
    assert venue_words((ROOT / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        'Market: TypeAlias = Literal["spot", "futures"]',
        'if key.startswith("spot/"):',
        "# BitMart sends integers as strings.",
        "class FuturesDialect:",
        "except BitMartError as error:  # BitMart's own",
    ],
)
def test_a_word_of_the_venue_is_found(line: str) -> None:
    """In code, text and comments alike."""
    assert venue_words(line) == [line]


def test_the_root_of_all_errors_may_be_named() -> None:
    """And the package itself, where it is imported from."""
    assert venue_words("from bitmart_trio import errors\nexcept BitMartError:") == []


def test_every_room_is_in_the_plan() -> None:
    """A new room cannot appear without a place in the plan."""
    assert {Path(file).parts[0].removesuffix(".py") for file in FILES} - {"__init__"} <= set(ROOMS)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("errors.py", "from . import config"),
        ("models/spot.py", "from ..config import Config"),
        ("config.py", "from ._core.reply import Reply"),
        ("_core/codec.py", "from .._io.http import Transport"),
        ("_core/quota.py", "import time"),
        ("_bitmart/account.py", "import time"),
        ("_core/connection_protocol.py", "from trio.abc import Stream"),
        ("_core/reply.py", "import msgspec.json"),
        ("rest/spot_market.py", "from .._io.pipeline import Pipeline"),
        ("rest/spot_market.py", "def late():\n    import bitmart_trio._io.http"),
        ("rest/spot.py", "from ..streams.spot import SpotStreams"),
        ("_io/http.py", "from bitmart_trio import open_client"),
        ("_io/http.py", "from .._bitmart import sockets"),
        ("_core/reply.py", "from .._bitmart.codes import CODES"),
        ("_bitmart/sockets.py", "from .._io.connection import Connection"),
        ("client.py", "from . import sim"),
        ("client.py", "if TYPE_CHECKING:\n    from .cli.app import app"),
        ("sim/exchange.py", "from .._core.codec import dumps"),
        ("sim/spot/orders.py", "from ...errors import ApiError"),
        ("sim/faces/http.py", "from ...client import open_client"),
        ("__init__.py", "from . import sim"),
        ("__init__.py", "from .testing import harness"),
        ("trading/session.py", "import rich"),
    ],
)
def test_a_wrong_arrow_is_found(file: str, source: str) -> None:
    """The reader above is not blind: each of these is one wrong arrow."""
    assert len(wrong_arrows(source, file)) == 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("config.py", "from .errors import ConfigurationError"),
        ("_core/codec.py", "import msgspec\nfrom ..models._rows import Row"),
        ("_io/http.py", "import httpx, trio\nfrom .._core import quota\nfrom . import scopes"),
        ("rest/spot_market.py", "from ._base import Chapter\nfrom .._core.endpoint import Endpoint"),
        ("sim/venue.py", "from ..client import open_client\nfrom ..config import Environment"),
        ("sim/spot/orders.py", "from ..wire import Json\nfrom . import pairs"),
        ("__init__.py", "from .client import open_client\nif TYPE_CHECKING:\n    from . import sim"),
        ("cli/demo.py", "import typer\nimport bitmart_trio as bm\nfrom .. import open_client"),
    ],
)
def test_a_right_arrow_is_let_through(file: str, source: str) -> None:
    """And it does not cry wolf."""
    assert wrong_arrows(source, file) == []


def _drawn() -> dict[str, set[str]]:
    """The picture in the documentation: room to what it imports."""
    page = (ROOT.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = page.partition("<!-- rooms: checked by tests/test_layers.py -->")[2].partition("```text\n")[2]
    arrows: dict[str, set[str]] = {}
    for line in picture.partition("```")[0].splitlines():
        rooms, _, others = line.partition("->")
        for room in rooms.split():
            arrows[room] = set() if others.strip().startswith("(") else set(others.split())
    return arrows


def test_the_picture_in_the_documentation_is_true() -> None:
    """It has every room, and an arrow exactly where a file of one imports from another."""
    real: dict[str, set[str]] = {}
    for file in FILES:
        room = Path(file).parts[0].removesuffix(".py")
        if room not in ("__init__", "__main__", "_version"):
            arrows = real.setdefault(room, set())
            for each in imports_of((ROOT / file).read_text(encoding="utf-8"), file):
                if each.inside and each.room not in (room, "_version", "") and file not in EXTRA:
                    arrows.add(each.room)
    # The command line is users' code: what it takes from the front door is as good as an arrow.
    real["cli"] |= _drawn()["cli"]
    assert _drawn() == real
