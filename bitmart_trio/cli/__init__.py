"""The command line ``bitmart-trio``: typer and rich around the client. Only this room needs the extra."""

from __future__ import annotations

import sys


def main() -> None:
    """Run ``bitmart-trio`` with the arguments of this process; always ends by ``SystemExit``."""
    try:
        # Inside, so that a missing extra gets a sentence instead of a traceback, and a Ctrl-C during the imports, which
        # take most of a command's start, ends it as one later does.
        from .app import app

        app()
    except ModuleNotFoundError as missing:
        if missing.name not in ("typer", "rich"):
            raise
        sys.exit("bitmart-trio: the command line needs its extra: pip install 'bitmart-trio[cli]'")
    except KeyboardInterrupt:
        sys.exit(130)  # what `_run.INTERRUPTED` is; it may not be imported yet
