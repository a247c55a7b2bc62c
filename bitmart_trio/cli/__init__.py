"""The command line ``bitmart-trio``: typer and rich around the client. Only this room needs the extra."""

from __future__ import annotations

import sys
from typing import Final

LONGEST_WORD: Final = 8_000
"""Characters of one argument: more than any list of orders has."""


def main() -> None:
    """Run ``bitmart-trio`` with the arguments of this process; always ends by ``SystemExit``."""
    try:
        # Inside, so that a missing extra gets a sentence instead of a traceback, and a Ctrl-C during the imports, which
        # take most of a command's start, ends it as one later does.
        from .app import app

        if any(len(word) > LONGEST_WORD for word in sys.argv):
            # What is wrong with a word is said with the word, some of it by typer itself.
            sys.exit(f"bitmart-trio: a word of this command line has more than {LONGEST_WORD:,} characters")
        app()
    except ModuleNotFoundError as missing:
        if missing.name not in ("typer", "rich"):
            raise
        sys.exit("bitmart-trio: the command line needs its extra: pip install 'bitmart-trio[cli]'")
    except KeyboardInterrupt:
        sys.exit(130)  # what `_run.INTERRUPTED` is; it may not be imported yet
