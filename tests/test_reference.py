"""The reference is made from the code: the tables are current, and no public name is missing or undocumented."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import bitmart_trio as bm
from bitmart_trio._bitmart.rows import REGISTRY
from bitmart_trio.rest._base import load_chapters

ROOT: Final = Path(__file__).parent.parent
PAGES: Final = ROOT / "docs" / "reference"
TEXT: Final = "\n".join(page.read_text(encoding="utf-8") for page in sorted(PAGES.glob("*.md")))
MODULES: Final = {match[1] for match in re.finditer(r"automodule:: (\S+)", TEXT)}
NAMES: Final = {match[1] for match in re.finditer(r"auto(?:class|function|data|exception):: (\S+)", TEXT)}
LATER: Final = (
    "blocking",
    "convert",
    "endpoints",
    "errors",
    "history",
    "models",
    "sim",
    "telemetry",
    "testing",
    "trading",
    "__version__",
)
"""Modules at the front door, which have pages of their own."""


@pytest.mark.parametrize("maker", ["blocking", "endpoints", "examples", "llms", "tables"])
def test_a_made_page_is_current(maker: str) -> None:
    """Making it again would change nothing."""
    check = subprocess.run(
        [sys.executable, f"docs/make_{maker}.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stderr


def test_every_row_is_on_the_page_of_endpoints() -> None:
    load_chapters()
    page = (ROOT / "docs" / "endpoints.md").read_text(encoding="utf-8")
    assert [str(row) for row in REGISTRY if f"`{row}`" not in page] == []
    assert "| `_" not in page, "a helper of the chapters is no endpoint"


def test_the_front_door_is_in_the_reference() -> None:
    """Every name of ``bm.__all__`` has its entry, by name or with its whole module."""
    names: list[str] = vars(bm)["__all__"]
    errors = {name for name in vars(bm.errors) if isinstance(getattr(bm.errors, name), type)}
    elsewhere = {name for name in names if getattr(getattr(bm, name), "__module__", "") in MODULES}
    missing = set(names) - errors - elsewhere - set(LATER) - {name.rpartition(".")[2] for name in NAMES}
    assert missing == set()


def test_every_model_is_in_the_reference() -> None:
    names = [name for name in dir(bm.models) if not name.startswith("_")]
    assert len(names) > 200
    homes = {getattr(getattr(bm.models, name), "__module__", "bitmart_trio.models._fields") for name in names}
    assert {home for home in homes if home.startswith("bitmart_trio")} <= MODULES


def test_what_a_language_model_is_shown_runs() -> None:
    """Every example in ``llms-full.txt`` compiles, and is a file of ``examples/``, all of which are run by tests."""
    text = (ROOT / "llms-full.txt").read_text(encoding="utf-8")
    shown = re.findall(r"^## examples/(\w+\.py)\n\n```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    assert {name for name, _ in shown} == {path.name for path in (ROOT / "examples").glob("*.py")}
    for name, source in shown:
        compile(source, name, "exec")
        assert source.rstrip() == (ROOT / "examples" / name).read_text(encoding="utf-8").rstrip()


def undocumented(source: str) -> list[str]:
    """The public fields of public classes that neither a text below them nor the docstring of their class explains."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
            continue
        about = ast.get_docstring(node) or ""
        for field, below in zip(node.body, [*node.body[1:], ast.Pass()], strict=True):
            if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
                continue
            name = field.target.id
            told = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            if not (name.startswith("_") or told or re.search(rf"\b{name}\b", about)):
                found.append(f"{node.name}.{name}")
    return found


@pytest.mark.parametrize(
    "file",
    [
        *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "bitmart_trio" / "models").glob("*.py")),
        "bitmart_trio/config.py",
        "bitmart_trio/_io/subscription.py",
        "bitmart_trio/streams/_book.py",
    ],
)
def test_every_field_says_what_it_is(file: str) -> None:
    assert undocumented((ROOT / file).read_text(encoding="utf-8")) == []


def test_a_field_without_a_text_is_found() -> None:
    """The check above is not blind."""
    assert undocumented("class A:\n    '''Has b.'''\n    b: int\n    c: int\n    d: int\n    '''This one.'''") == [
        "A.c"
    ]
