"""REST chapter: debts of cross collateral, their interest and their repayment.

Positions here are backed only by money of their settlement currency, so no account can have such a debt. To make these
lists non-empty, each main account has an invented past: in the week before the exchange opened it owed some USDT for
part of a day, was charged interest every hour, and was then repaid out of its bitcoin. All of this happened before the
opening balances and moves no money.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from ...kernel.accounts import ZERO, Account
from ...kernel.calls import Call
from ...kernel.contracts import plain
from ...kernel.encoding import Json
from ...treasury import Treasury
from ..wire import Chapter
from . import params

routes: Chapter[Treasury] = Chapter()

HOUR_S = 3_600
ROWS_MAX = 20
RATE = Decimal("0.00001")
"""The interest per hour, as a share of the debt."""
_GRAIN = Decimal("1E-8")


def _past(treasury: Treasury, account: Account) -> tuple[list[dict[str, Json]], list[dict[str, Json]]]:
    """Return the hours of interest and the repayments of an account, oldest first."""
    if account.parent is not None:
        return [], []
    stream = treasury.random(f"collateral/{account.account_id}")
    owner = int(account.account_id) if account.account_id.isdecimal() else 0
    opened_s = treasury.clock.start // 1000
    interest: list[dict[str, Json]] = []
    repayments: list[dict[str, Json]] = []
    for days in (5, 2):
        began = (opened_s - days * 24 * HOUR_S) // HOUR_S * HOUR_S
        debt, charged = Decimal(stream.randint(50, 500)), ZERO
        hours = stream.randint(4, 12)
        for hour in range(hours):
            at = began + hour * HOUR_S
            share = (debt * RATE).quantize(_GRAIN, ROUND_DOWN)
            charged += share
            written = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
            interest.append(
                {
                    "id": at // HOUR_S,
                    "account_id": owner,
                    "coin_code": "USDT",
                    "rate": plain(RATE),
                    "interest": plain(share),
                    "liability": plain(debt),
                    "interest_time": at,
                    "created_at": written,
                    "updated_at": written,
                    "interest_free_amount": "0",
                }
            )
        price = Decimal(stream.randint(59_000, 61_000))
        repayments.append(
            {
                "to_coin_code": "USDT",
                "to_amount": plain(debt + charged),
                "from_coin_code": "BTC",
                "from_amount": plain(((debt + charged) / price).quantize(_GRAIN, ROUND_UP)),
                "time": str(began + hours * HOUR_S),
                "type": "AUTO_REPAY",
                "liquidation_fee": "0",
            }
        )
    return interest, repayments


def _page(call: Call, rows: list[dict[str, Json]], time: str, name: str) -> Json:
    """Return the rows of the requested time and page, newest first; at most `ROWS_MAX` even if more are requested."""
    start, end = params.span_s(call, call.now_ms)
    page = params.whole(call, "page", 1, range(1, 10**6))
    size = min(params.whole(call, "size", ROWS_MAX, range(1, 10**6)), ROWS_MAX)
    found: list[Json] = [row for row in reversed(rows) if start <= int(str(row[time])) <= end]
    return {name: found[(page - 1) * size : page * size], "total": len(found)}


@routes.get("/contract/private/auto_repayment", auth="keyed", envelope="errno")
def auto_repayments(treasury: Treasury, call: Call) -> Json:
    """Return repayments of debts out of other coins; times in seconds."""
    coin, kind = call.text("from_coin_code"), call.text("type")
    _, rows = _past(treasury, call.owner)
    wanted = [row for row in rows if coin in (None, row["from_coin_code"]) and kind in (None, row["type"])]
    return _page(call, wanted, "time", "list")


@routes.get("/contract/private/cross_collateral/interest_log", auth="keyed", envelope="errno")
def cross_collateral_interest(treasury: Treasury, call: Call) -> Json:
    """Return interest on debts; times in seconds."""
    coin = call.text("coin_code")
    rows, _ = _past(treasury, call.owner)
    return _page(call, [row for row in rows if coin in (None, row["coin_code"])], "interest_time", "items")
