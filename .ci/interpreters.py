"""Print the path of each other interpreter on this machine that the tests may pass on, one a line.

An interpreter is found on the PATH or among the versions of pyenv, whose shims fail for a version that is not switched
on. What is not found is named on standard error. pyproject.toml has a classifier only for a version that was run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13", "3.14")


def candidates(version: str) -> Iterator[str]:
    """Where an interpreter of this version may be."""
    if found := shutil.which(f"python{version}"):
        yield found
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from map(str, sorted(versions.glob(f"{version}.*/bin/python{version}"), reverse=True))


def runs(program: str) -> bool:
    """Whether it is an interpreter that can make a virtual environment."""
    return subprocess.run([program, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode == 0  # noqa: S603


if __name__ == "__main__":
    for version in VERSIONS:
        if version == f"{sys.version_info.major}.{sys.version_info.minor}":
            continue
        program = next(filter(runs, candidates(version)), None)
        print(program) if program else print(f"Python {version} is not on this machine", file=sys.stderr)
