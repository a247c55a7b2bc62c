"""The archive of an account: all that the exchange lists of it, in SQLite, with the exact replies beside it.

In use::

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
from ._movements import LeftOut
from ._reader import HistoryRow, LookRow, Meta, NoteRow, Reader, Record, WindowRow
from ._report import ArchiveReport, HistoryReport, LookReport, Missing, read_report
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
    "HistoryRow",
    "KeyLook",
    "LeftOut",
    "LookReport",
    "LookRow",
    "Meta",
    "Missing",
    "NoteRow",
    "Progress",
    "Reader",
    "Record",
    "Runner",
    "UnsafeKey",
    "Verification",
    "WindowRow",
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
