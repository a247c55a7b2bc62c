"""REST chapter: more play money. The real endpoint exists on the demo host only; all the money here is play money."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ...treasury import plain
from ..wire import Call, Json, Routes

if TYPE_CHECKING:
    from ...exchange import Exchange

routes: Routes = Routes()

CURRENCY = "USDT"
CLAIM = Decimal(10_000)


@routes.post("/contract/private/claim")
def claim(exchange: Exchange, call: Call) -> Json:
    """Hand out USDT into the futures wallet; the answer is the free balance afterwards. Parameters change nothing."""
    account = call.owner
    exchange.accounts.outside.debit(CURRENCY, CLAIM)
    account.futures.credit(CURRENCY, CLAIM)
    exchange.futures.balance_moved(account, CURRENCY, CLAIM)
    return {"currency": CURRENCY, "amount": plain(account.futures.available(CURRENCY))}
