"""A process that plays one day for its parent: it reads the work from standard input and writes the result."""

from __future__ import annotations

import os
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from ._job import Job, here


def main() -> None:
    """Do one piece of work, read from standard input."""
    work: Callable[[Job, str], object]
    work, job, name = pickle.load(sys.stdin.buffer)  # noqa: S301  # from our own parent
    # The bot may print, and its output must not get into the result.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    unpacked = here(job)
    try:
        answer: object = work(unpacked, name)
    except Exception as error:  # noqa: BLE001  # the parent raises it again
        answer = error
    finally:
        if job.sources is not None:
            shutil.rmtree(Path(unpacked.bot.rpartition(":")[0]).parent, ignore_errors=True)
    with out:
        pickle.dump(answer, out)


if __name__ == "__main__":
    main()
