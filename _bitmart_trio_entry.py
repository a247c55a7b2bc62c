"""The entry point of the script ``bitmart-trio``, beside the package and not inside it.

Importing the package takes a third of a second. A Ctrl-C in that time must end the command as quietly as a later one,
so it has to be caught before the import begins.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Import the command line and run it."""
    try:
        from bitmart_trio.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
