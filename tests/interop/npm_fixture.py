"""A pytest plugin with one fixture: Node.js with ``bitmart-api``, which is fetched from npm when it is not there yet.

Test modules name it in ``pytest_plugins``: to type checkers a second ``conftest.py`` would be a module of a taken name.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest
from foreign import HERE, environment

PACKAGE: Final = HERE / "node_modules" / "bitmart-api" / "package.json"


@pytest.fixture(scope="session")
def npm() -> Path:
    """The node program, once ``bitmart-api`` is installed beside the tests."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("needs Node.js with npm")
    if not PACKAGE.exists():
        fetched = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=HERE,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if fetched.returncode != 0 or not PACKAGE.exists():
            pytest.skip(f"npm cannot fetch bitmart-api: {fetched.stderr[-500:]}")
    return Path(node)
