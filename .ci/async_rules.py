"""Run flake8-async over the folders that are named: what ``make lint`` does for the Trio rules that ruff lacks.

The rules need minutes for everything, so two kinds of file are left out: one without an async function, where there is
nothing that they could be about and ruff has the rest, and one that was found clean before, as it stands and by the
same rules. What is clean is remembered in build/async_rules, one empty file for each, named by a digest.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

CLEAN = Path("build/async_rules")
OUT = {"node_modules", "build", ".venv"}


def digest(source: bytes, path: Path) -> str:
    """Of a file and of all that decides what is found in it; its path does, by ``per-file-ignores``."""
    rules = "".join(version(each) for each in ("flake8", "flake8-async", "libcst")) + sys.version
    parts = (rules.encode(), Path(".flake8").read_bytes(), str(path).encode(), source)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def main(folders: list[str]) -> int:
    """Look at what has to be looked at, print what is found, and remember the rest as clean."""
    wanted: dict[Path, Path] = {}
    for folder in map(Path, folders):
        for path in [folder] if folder.is_file() else sorted(folder.rglob("*.py")):
            source = path.read_bytes()
            if OUT.isdisjoint(path.parts) and re.search(rb"\basync\b", source):
                mark = CLEAN / digest(source, path)
                if not mark.exists():
                    wanted[path] = mark
    if not wanted:
        return 0
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "flake8", *map(str, wanted)], stdout=subprocess.PIPE, text=True, check=False
    )
    print(done.stdout, end="")
    found = {line.split(":", 1)[0] for line in done.stdout.splitlines()}
    if done.returncode not in (0, 1) or bool(done.returncode) != bool(found & set(map(str, wanted))):
        return done.returncode or 1  # flake8 itself failed: nothing is known of any file
    CLEAN.mkdir(parents=True, exist_ok=True)
    for path, mark in wanted.items():
        if str(path) not in found:
            mark.touch()
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
