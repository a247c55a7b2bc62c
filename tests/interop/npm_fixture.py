"""A pytest plugin with one fixture: Node.js with ``bitmart-api``, which is fetched from npm when it is not there yet.

Test modules name it in ``pytest_plugins``: to type checkers a second ``conftest.py`` would be a module of a taken name.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from foreign import HERE, environment

PACKAGE: Final = HERE / "node_modules" / "bitmart-api" / "package.json"


def _fetch(npm: str) -> None:
    """Fetch it into a folder of our own and move it over in one step: another worker may be at the same."""
    with tempfile.TemporaryDirectory(prefix=".fetched-", dir=HERE) as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        fetched = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
        if fetched.returncode == 0:
            with suppress(OSError):  # the other worker was first
                (Path(folder) / "node_modules").rename(HERE / "node_modules")
        if not PACKAGE.exists():
            pytest.skip(f"npm cannot fetch bitmart-api: {fetched.stderr[-500:]}")


@pytest.fixture(scope="session")
def npm() -> Path:
    """The node program, once ``bitmart-api`` is installed beside the tests."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("needs Node.js with npm")
    if not PACKAGE.exists():
        _fetch(npm)
    return Path(node)
