"""What all ``make_*.py`` end with: write the pages, or with ``--check`` say which are not current."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent


def write_or_check(pages: Mapping[Path, str]) -> int:
    """Write each page whose text is another now, or compare; the exit code."""
    stale = [page for page, text in pages.items() if not page.exists() or page.read_text(encoding="utf-8") != text]
    if "--check" not in sys.argv[1:]:
        for page in stale:
            page.write_text(pages[page], encoding="utf-8")
        return 0
    for page in stale:
        sys.stderr.write(f"{page.relative_to(ROOT)} is not current: run python docs/{Path(sys.argv[0]).name}\n")
    return 1 if stale else 0
