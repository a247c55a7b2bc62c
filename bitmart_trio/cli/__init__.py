"""Provide the command line ``bitmart-trio``: typer and rich around the client. Only this package needs the extra."""

from __future__ import annotations

import sys
from typing import Final

LONGEST_WORD: Final = 8_000
"""Characters allowed in one argument: more than any list of orders has."""


def main() -> None:
    """Run ``bitmart-trio`` with the arguments of this process; always ends by ``SystemExit``."""
    try:
        # Imported here, so that a missing extra gives a sentence instead of a traceback, and a Ctrl-C during the
        # imports, which take most of a command's start, ends it like a later one.
        from .app import app

        if any(len(word) > LONGEST_WORD for word in sys.argv):
            # Messages about a word quote the word, some of them typer's own.
            sys.exit(f"bitmart-trio: a word of this command line has more than {LONGEST_WORD:,} characters")
        app()
    except ModuleNotFoundError as missing:
        if missing.name not in ("typer", "rich"):
            raise
        sys.exit("bitmart-trio: the command line needs its extra: pip install 'bitmart-trio[cli]'")
    except KeyboardInterrupt:
        sys.exit(130)  # the value of `_run.INTERRUPTED`, which may not be imported yet
