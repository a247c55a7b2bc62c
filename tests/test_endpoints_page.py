"""The page of endpoints is made from the rows, and current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bitmart_trio._core.endpoint import REGISTRY
from bitmart_trio.rest._base import load_chapters

ROOT = Path(__file__).parent.parent


def test_the_page_is_current_and_lists_every_row() -> None:
    """`python docs/make_endpoints.py` would change nothing, and no row is missing."""
    command = [sys.executable, "docs/make_endpoints.py", "--check"]
    check = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr
    load_chapters()
    page = (ROOT / "docs" / "endpoints.md").read_text(encoding="utf-8")
    assert [str(row) for row in REGISTRY if f"`{row}`" not in page] == []
