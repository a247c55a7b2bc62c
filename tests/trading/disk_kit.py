"""A disk without room, for the tests of the journal."""

from __future__ import annotations

import errno
import os

import pytest


class FullDisk:
    """A disk on which only the room that a reserve gives up is left."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = 0
        self._write, self._truncate = os.write, os.ftruncate
        monkeypatch.setattr(os, "write", self.write)
        monkeypatch.setattr(os, "ftruncate", self.truncate)

    def write(self, file: int, data: bytes) -> int:
        """As far as there is room."""
        if len(data) > self.room:
            raise OSError(errno.ENOSPC, "no space left on device")
        self.room -= len(data)
        return self._write(file, data)

    def truncate(self, file: int, length: int) -> None:
        """Gives room back."""
        self.room += os.fstat(file).st_size - length
        self._truncate(file, length)
