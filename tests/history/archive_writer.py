"""A process that writes an archive: ``archive_writer.py DIRECTORY [BYTES]``, files of at most so many bytes.

It prints a line after each entry. Where the disk does not take more it prints why, and ends with code 3.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import archive_kit as kit

from bitmart_trio.history.archive import ArchiveError


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main(directory: Path, limit: int | None) -> int:
    if limit is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        kit.write(directory, replies=20, resume=True, step=partial(say, "entry"))
    except ArchiveError as error:
        say(error)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None))
