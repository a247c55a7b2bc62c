"""The English of the package and its pages: a few words stay out, and a docstring's first line stands alone."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent

WORDS: Final = re.compile(r"\b(keeper|switchboard|hub|hole|torn|passing|told|let go|minded)\b", re.IGNORECASE)
"""Words that meant several things here. The glossary: connection, router, gap, transient, reported, released."""
ALLOWED: Final = (
    # An archive's table has this column, and so its readers do: another name would be another format.
    ("bitmart_trio/history/archive/_derive.py", "UPDATE records SET told = told + 1"),
    ("bitmart_trio/history/archive/_reader.py", "told: int"),
    ("bitmart_trio/history/archive/_reader.py", "r.told"),
    ("bitmart_trio/history/archive/_schema.py", "told INTEGER"),
    ("bitmart_trio/history/archive/_schema.py", "r.told"),
    ("docs/archive_format.md", "`told`"),
    # Public members of a certified day, which the invariants of users read, and the arguments that fill them.
    ("bitmart_trio/testing/_certify/_witness.py", "told: bool"),
    ("bitmart_trio/testing/_certify/_witness.py", "params, line, told)"),
    ("bitmart_trio/testing/_certify/_life.py", "told: bool"),
    ("bitmart_trio/testing/_certify/_life.py", ".told = True"),
    ("bitmart_trio/testing/_certify/_life.py", "told = life.told"),
    ("bitmart_trio/testing/_certify/_life.py", "line, told)"),
    ("bitmart_trio/testing/_certify/_invariants.py", "call.told"),
    ("bitmart_trio/testing/_certify/_invariants.py", "life.told"),
    ("bitmart_trio/testing/_certify/_invariants.py", "told = day.witness.told_at"),
    ("bitmart_trio/testing/_certify/_invariants.py", "in told)"),
    ("bitmart_trio/testing/_certify/_play.py", "told = where is not None"),
    ("bitmart_trio/testing/_certify/_play.py", "if told else"),
    ("bitmart_trio/testing/_certify/_disk.py", "self.torn"),
    # A public method of `FillModel`: how much of a trade passes an order by.
    ("bitmart_trio/sim/models/fills.py", "passing("),
)
PLACES: Final = ("bitmart_trio", "docs", "examples", "README.md")
KINDS: Final = (".py", ".md", ".js", ".html")

OPENINGS: Final = ("What", "How", "Which", "Whether")
IMPLEMENTS: Final = re.compile(r"See `[\w.]+`\.")
"""An adapter's method says whose it is; the Protocol says the rest."""


def files(*kinds: str) -> Iterator[Path]:
    """What is in the repository, but for news of changes, which keep the words of their day."""
    listed = subprocess.run(["git", "ls-files", *PLACES], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        if name.endswith(kinds) and not name.startswith("docs/newsfragments/") and (ROOT / name).exists():
            yield ROOT / name


def test_words_that_meant_several_things_stay_out() -> None:
    found: list[str] = []
    for path in files(*KINDS):
        name = path.relative_to(ROOT).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if WORDS.search(line) and not any(name == where and text in line for where, text in ALLOWED):
                found.append(f"{name}:{number}: {line.strip()[:100]}")
    assert found == []


def documented(body: list[ast.stmt], name: str) -> Iterator[tuple[str, str, bool]]:
    """The public names of a body, each with its docstring and whether it is a mere attribute."""
    before: ast.stmt | None = None
    for node in body:
        text = node.value.value if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) else None
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if not node.name.startswith("_") and docstring is not None:
                yield f"{name}.{node.name}", docstring, False
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield from documented(node.body, f"{name}.{node.name}")
        elif isinstance(text, str) and isinstance(before, ast.Assign | ast.AnnAssign):
            target = before.target if isinstance(before, ast.AnnAssign) else before.targets[0]
            if isinstance(target, ast.Name) and not target.id.startswith("_"):
                yield f"{name}.{target.id}", text.strip(), True
        before = node


def test_a_first_line_stands_alone_in_an_index() -> None:
    """A sentence: it names its subject or its deed. A mere attribute may be a short phrase ("Quote currency.")."""
    found: list[str] = []
    for path in files(".py"):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith("bitmart_trio/"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        module = ast.get_docstring(tree)
        texts = [] if module is None else [(name, module, False)]
        for where, text, is_attribute in [*texts, *documented(tree.body, name)]:
            first = text.partition("\n\n")[0].replace("\n", " ")
            if IMPLEMENTS.fullmatch(first):
                continue
            words = first.split()
            is_sentence = len(words) > 3 and (first[-1] in ".:" or "::" in first)
            if words[0].rstrip(",") in OPENINGS or not (is_attribute or is_sentence):
                found.append(f"{where}: {first[:100]}")
    assert found == []
