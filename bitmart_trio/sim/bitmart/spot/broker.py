"""The rebates of an API broker, a share of its customers' fees: invented data, the same for one seed.

A broker is an account opened with the permission ``broker``. There are a few amounts for most days, which are paid to
nobody.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from ...kernel.calls import Call, Refusal
from ...kernel.clock import DAY_MS
from ...kernel.contracts import plain
from ...kernel.encoding import Json
from ...treasury import Treasury
from ..wire import Chapter

routes: Chapter[Treasury] = Chapter()

DAYS = 180
DAY_S = DAY_MS // 1000


@routes.get("/spot/v1/broker/rebate", auth="keyed")
def rebates(treasury: Treasury, call: Call) -> Json:
    """Return the rebates of finished days, by day and currency; times in seconds."""
    if call.key is None or "broker" not in call.key.permissions:
        raise Refusal(53005, "No permission for this interface", http=403)
    now = call.now_ms // 1000
    end = call.integer("end_time", now)
    start = call.integer("start_time", end - DAYS * DAY_S)
    if end < start:
        raise Refusal(52004, "The end time lies before the start time")
    if end - start > DAYS * DAY_S:
        raise Refusal(50041, "Outside the range of time that can be queried")
    # Only as far back as there is data, so that an absurd range costs nothing.
    first = max(-(-start // DAY_S), now // DAY_S - 2 * DAYS)
    found: dict[str, Json] = {}
    for day in range(first, min(end // DAY_S, now // DAY_S - 1) + 1):
        rows = _of_day(treasury, call.owner.account_id, day)
        if rows:
            found[datetime.fromtimestamp(day * DAY_S, UTC).strftime("%Y-%m-%d")] = rows
    return {"rebates": found}


def _of_day(treasury: Treasury, account_id: str, day: int) -> list[Json]:
    stream = treasury.random(f"broker/{account_id}/{day}")
    return [
        {"currency": currency, "rebate_amount": plain(Decimal(stream.randint(1, most)).scaleb(-3))}
        for currency, most, chance in (("USDT", 20_000, 80), ("BMX", 8_000, 40))
        if stream.randrange(100) < chance
    ]
