"""The foreign clients themselves: where they are, and fetching the one from npm when it is not there yet."""

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
