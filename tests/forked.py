"""Programs that begin in a copy of a process with the library imported: a start of their own is most of their work.

What they are, do and print is their own: arguments, environment, files, warnings, the way they end. Where processes
cannot be copied (Windows) each has a start of its own.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from select import select
from typing import Final

import attrs

SECONDS: Final = 120.0
"""For whatever a busy machine may take; nothing here waits that long when it works."""


@attrs.frozen
class Ended:
    """A program that has ended."""

    code: int
    out: str
    err: str


class Forked:
    """Runs programs, one at a time.

    Args:
        process: the one that is copied; None starts each program by itself.
        folder: where their output is written.
    """

    def __init__(self, process: subprocess.Popen[str] | None, folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._count = 0

    def run(self, *arguments: str, environment: Mapping[str, str]) -> Ended:
        """Run ``python arguments...``, a file or ``-m`` and a module, to its end. Blocks: for a thread.

        Raises:
            TimeoutError: it has not ended in time. It is killed, and so is what it was copied from.
        """
        self._count += 1
        out, err = (self._folder / f"{self._count}.{name}" for name in ("out", "err"))
        if self._process is None:
            with out.open("wb") as stdout, err.open("wb") as stderr:
                code = subprocess.run(
                    [sys.executable, *arguments],
                    env=dict(environment), stdout=stdout, stderr=stderr, check=False, timeout=SECONDS,
                ).returncode  # fmt: skip
        else:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            job = {"arguments": arguments, "environment": dict(environment), "out": str(out), "err": str(err)}
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
            if not select([self._process.stdout], [], [], SECONDS)[0]:
                os.killpg(self._process.pid, signal.SIGKILL)
                raise TimeoutError(f"{' '.join(arguments)} has not ended after {SECONDS:.0f} s")
            code = int(self._process.stdout.readline())
        return Ended(code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))


@contextmanager
def forked(folder: Path, *modules: str) -> Iterator[Forked]:
    """Start the process that is copied, warnings being errors, with these modules imported."""
    if not hasattr(os, "fork"):
        yield Forked(None, folder)
        return
    with subprocess.Popen(
        [sys.executable, "-W", "error", __file__, *modules],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        yield Forked(process, folder)
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it has been killed
            process.stdin.close()


def _become(arguments: list[str], environment: dict[str, str], out: str, err: str) -> None:
    """Be a program, in the copy."""
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((0, os.devnull), (1, out), (2, err)):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, number)
        os.close(file)
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path[0] = str(Path(arguments[0]).parent)
        runpy.run_path(arguments[0], run_name="__main__")


def _serve() -> None:
    for name in sys.argv[1:]:
        __import__(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(**json.loads(line))
            return
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
