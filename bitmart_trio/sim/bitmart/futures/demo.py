"""REST chapter: more play money. The real endpoint exists only on the demo host; all money here is play money."""

from __future__ import annotations

from decimal import Decimal

from ...kernel.calls import Call
from ...kernel.contracts import plain
from ...kernel.encoding import Json
from ...treasury import Treasury
from ..wire import Chapter

routes: Chapter[Treasury] = Chapter()

CURRENCY = "USDT"
CLAIM = Decimal(10_000)


@routes.post("/contract/private/claim")
def claim(treasury: Treasury, call: Call) -> Json:
    """Add USDT to the futures wallet, and return its free balance. Parameters have no effect."""
    account = call.owner
    treasury.accounts.outside.debit(CURRENCY, CLAIM)
    account.futures.credit(CURRENCY, CLAIM)
    treasury.futures.balance_moved(account, CURRENCY, CLAIM)
    return {"currency": CURRENCY, "amount": plain(account.futures.available(CURRENCY))}
