"""The command line ``bitmart-trio``: typer and rich around the client. Only this room needs the extra."""

from __future__ import annotations

import sys

from ._run import INTERRUPTED


def main() -> None:
    """Run ``bitmart-trio`` with the arguments of this process; always ends by ``SystemExit``."""
    try:
        # Inside, so that a missing extra gets a sentence instead of a traceback.
        from .app import app

        app()
    except ModuleNotFoundError as missing:
        if missing.name not in ("typer", "rich"):
            raise
        sys.exit("bitmart-trio: the command line needs its extra: pip install 'bitmart-trio[cli]'")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
