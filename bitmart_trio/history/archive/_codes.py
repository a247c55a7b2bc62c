"""Define the codes of the exchange that end a history, with advice for the account's owner, in one table.

A code that is not in the table never ends a history: the reply counts as failed, is requested again, and leaves the
archive incomplete. The same holds for codes that no source documents.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import attrs


class Refusal(Enum):
    """The meaning of a documented code for a history or look."""

    NOT_OFFERED = "not_offered"
    """There is no such account or product, so there are no records: nothing is missing."""
    NOT_PERMITTED = "not_permitted"
    """There may be records, and this key may not see them."""
    TOO_OLD = "too_old"
    """The window is older than the records that the exchange still lists."""
    NO_DATA = "no_data"
    """There are no records in the window; this counts as an answer."""


@attrs.frozen
class CodeMeaning:
    """One row of the table."""

    code: int
    refusal: Refusal
    advice: str = ""
    """Advice for the account's owner; "" if there is none."""
    of: str = ""
    """The prefix of the endpoint names for which the code is documented; from other endpoints it means nothing."""


_row = CodeMeaning  # a short name keeps the table readable

_ADDRESS: Final = (
    "add the address of this machine to the key's list of addresses on the site, or make a key without one"
)
_SUPPORT: Final = "ask the exchange's support: the account is restricted"
_VERIFY: Final = "verify the account on the site as the exchange asks"
_MAIN: Final = "make the archive with a key of the main account"

_ROWS: Final = (
    # There is no such account or product. This counts as complete, so the code is trusted only from the market whose
    # documentation has it: "no futures account" from the spot market would be an answer of no known kind.
    _row(40001, Refusal.NOT_OFFERED, of="futures."),
    _row(40046, Refusal.NOT_OFFERED, of="futures."),
    _row(40047, Refusal.NOT_OFFERED, of="futures."),
    _row(51001, Refusal.NOT_OFFERED, of="spot.margin."),
    _row(53004, Refusal.NOT_OFFERED, of="spot."),
    _row(53008, Refusal.NOT_OFFERED, of="spot."),
    _row(60027, Refusal.NOT_OFFERED, of="spot.sub_account."),
    # This key, address or account is not permitted.
    _row(30010, Refusal.NOT_PERMITTED, _ADDRESS),
    _row(30012, Refusal.NOT_PERMITTED, "add the permission {permission} to the key on the site, or make a key with it"),
    _row(30019, Refusal.NOT_PERMITTED, _SUPPORT),
    _row(40006, Refusal.NOT_PERMITTED, _ADDRESS),
    _row(51008, Refusal.NOT_PERMITTED, _SUPPORT),
    _row(53000, Refusal.NOT_PERMITTED, _SUPPORT),
    _row(53001, Refusal.NOT_PERMITTED, _VERIFY),
    _row(53002, Refusal.NOT_PERMITTED, _VERIFY),
    _row(53003, Refusal.NOT_PERMITTED, _MAIN),
    _row(53005, Refusal.NOT_PERMITTED, "add the permission {permission} to the key on the site, or make a key with it"),
    _row(53006, Refusal.NOT_PERMITTED, _VERIFY),
    _row(53007, Refusal.NOT_PERMITTED, _VERIFY),
    _row(53009, Refusal.NOT_PERMITTED, _VERIFY),
    _row(53010, Refusal.NOT_PERMITTED, _SUPPORT),
    _row(53011, Refusal.NOT_PERMITTED, _MAIN),
    _row(60026, Refusal.NOT_PERMITTED, _MAIN),
    _row(60028, Refusal.NOT_PERMITTED, _SUPPORT),
    _row(60029, Refusal.NOT_PERMITTED, "ask the main account's owner: the main account has frozen this account"),
    _row(60063, Refusal.NOT_PERMITTED, _SUPPORT),
    _row(61006, Refusal.NOT_PERMITTED, _SUPPORT),
    # The window is the problem.
    _row(50041, Refusal.TOO_OLD),
    # An answer.
    _row(70000, Refusal.NO_DATA),
)

MEANINGS: Final = {row.code: row for row in _ROWS}
"""By code."""

_PERMISSIONS: Final = (
    ("spot.sub_account.", "for sub-accounts (sub_transfer)"),
    ("futures.sub_account.", "for sub-accounts (sub_transfer)"),
    ("spot.broker.", "for brokers (broker)"),
    ("futures.affiliate.", "for affiliates (contract_agent)"),
)


def refusal(code: int, endpoint: str) -> Refusal | None:
    """Return the meaning of a code for an endpoint such as ``spot.sub_account.transfers``; None if it is not final."""
    row = MEANINGS.get(code)
    return row.refusal if row is not None and endpoint.startswith(row.of) else None


def advice(code: int, endpoint: str) -> str:
    """Return advice about a refusal of an endpoint such as ``spot.sub_account.transfers``; "" if there is none."""
    row = MEANINGS.get(code)
    if row is None:
        return ""
    permission = next((what for prefix, what in _PERMISSIONS if endpoint.startswith(prefix)), "to read")
    return row.advice.format(permission=permission)
