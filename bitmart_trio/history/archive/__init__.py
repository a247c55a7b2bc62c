"""The archive of an account: all that the exchange tells of it, in SQLite, with the exact replies beside it.

report = await archive(client, "my-account")
assert verify("my-account").proven
"""

from __future__ import annotations

from .._threads import Runner
from ._folder import ArchiveError
from ._report import ArchiveReport, SnapshotReport, WalkReport, read_report
from ._run import Progress, UnsafeKey, archive
from ._store import Reader
from ._verify import Verification, verify

__all__ = [
    "ArchiveError",
    "ArchiveReport",
    "Progress",
    "Reader",
    "Runner",
    "SnapshotReport",
    "UnsafeKey",
    "Verification",
    "WalkReport",
    "archive",
    "read_report",
    "verify",
]
