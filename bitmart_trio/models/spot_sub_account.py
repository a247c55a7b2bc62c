"""Define sub-accounts on the spot host."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import attrs

from ._enums import OpenInt, OpenStr
from ._fields import Seconds, wire
from ._model import Model


class MoveType(OpenStr):
    """The wallets of a sub-account transfer."""

    SPOT_TO_SPOT = "spot to spot"


class SubAccountStatus(OpenInt):
    """The state of a sub-account."""

    DISABLED = 0
    NORMAL = 1
    FROZEN = 2
    """Frozen by the main account."""


@attrs.frozen(kw_only=True)
class SubTransfer(Model):
    """A transfer between main and sub-accounts."""

    from_account: str = wire("fromAccount")
    """Name of the giving account."""
    from_wallet_type: str = wire("fromWalletType")
    """Its wallet; spot."""
    to_account: str = wire("toAccount")
    """Name of the receiving account."""
    to_wallet_type: str = wire("toWalletType")
    """Its wallet; spot."""
    currency: str
    """Short code."""
    amount: Decimal
    """In that currency."""
    submission_time: Seconds = wire("submissionTime")
    """The time of the request, in seconds."""


@attrs.frozen(kw_only=True)
class SubTransferPage(Model):
    """A page of transfers with their total number."""

    total: int
    """The number of all transfers that fit the query."""
    transfers: list[SubTransfer] = wire("historyList")
    """The newest of them, up to the limit of the query."""

    _identity_: ClassVar[tuple[str, ...]] = ("transfers",)


@attrs.frozen
class SpotSubAccountBalance(Model):
    """A sub-account's spot balance of one currency."""

    currency: str
    """Short code."""
    name: str
    """Full name."""
    available: Decimal
    """Free."""
    frozen: Decimal
    """Held by open orders."""


@attrs.frozen(kw_only=True)
class SubAccount(Model):
    """A sub-account of the main account."""

    account_name: str = wire("accountName")
    """Its user name, which transfers and balances take."""
    status: SubAccountStatus
    """The state of the sub-account."""
