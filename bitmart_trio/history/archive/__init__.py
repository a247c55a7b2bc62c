"""The archive of an account: all that the exchange tells of it, in SQLite, with the exact replies beside it.

report = await archive(client, "my-account")
assert verify("my-account").proven
"""

from __future__ import annotations

from .._threads import Runner
from ._asking import Progress
from ._check import Verification, verify
from ._export import Exports, Format, can_export, export
from ._folder import ArchiveError, Folder
from ._key import Estimate, KeyLook, UnsafeKey, estimate, look_at_key
from ._reader import Reader
from ._report import ArchiveReport, HistoryReport, LookReport, read_report
from ._run import archive
from ._writer import is_archive, rebuild

__all__ = [
    "ArchiveError",
    "ArchiveReport",
    "Estimate",
    "Exports",
    "Folder",
    "Format",
    "HistoryReport",
    "KeyLook",
    "LookReport",
    "Progress",
    "Reader",
    "Runner",
    "UnsafeKey",
    "Verification",
    "archive",
    "can_export",
    "estimate",
    "export",
    "is_archive",
    "look_at_key",
    "read_report",
    "rebuild",
    "verify",
]
