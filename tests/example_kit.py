"""How the examples are run, by their test and for the page that shows what they print."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

EXAMPLES: Final = Path(__file__).parent.parent / "examples"
OUTPUTS: Final = EXAMPLES.parent / "docs" / "outputs"
"""What each has printed when the page was made."""

TESTS: Final = ("test_a_bot",)
"""Examples that are tests themselves."""


def settings(url: str, *, seconds: int = 3) -> dict[str, str]:
    """The environment of an example: a simulated exchange's address and key, and how long bots trade."""
    return {
        **os.environ,
        "BITMART_URL": url,
        "BITMART_API_KEY": "sim-key",
        "BITMART_API_SECRET": "sim-secret",
        "BITMART_API_MEMO": "sim-memo",
        "PYTHONWARNINGS": "error",
        "ARCHIVE_SETTLE": "0",
        "GRID_SECONDS": str(seconds),
        "MAKER_SECONDS": str(seconds),
    }


def run_test_example(name: str) -> subprocess.CompletedProcess[str]:
    """An example that is a test, run in a project of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", f"{name}.py"]
    return subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True, check=False)
