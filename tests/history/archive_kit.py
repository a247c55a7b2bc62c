"""Archives written by hand: replies as the exchange could send them, straight into a store."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bitmart_trio.history.archive._entries import (
    Asked,
    HistoryEnded,
    LookTaken,
    Noted,
    ReplyCame,
    State,
    WindowDecided,
)
from bitmart_trio.history.archive._reader import HistoryRow
from bitmart_trio.history.archive._writer import Store

DAY: Final = 86_400_000
SINCE: Final = 1_600_000_000_000
UNTIL: Final = SINCE + 100 * DAY
DEPOSITS: Final = "spot.account.deposit_withdraw_history"
LEDGER: Final = "futures.account.transaction_history"


def deposit(number: int, **members: object) -> dict[str, object]:
    """A deposit on the wire, one a day."""
    return {
        "withdraw_id": "", "deposit_id": str(1000 + number), "operation_type": "deposit", "currency": "USDT",
        "apply_time": SINCE + number * DAY, "arrival_amount": "10.50", "fee": "0", "status": 3, "address": "0x1",
        "address_memo": "", "tx_id": f"0x{number:08x}", **members,
    }  # fmt: skip


def ledger_entry(number: int, **members: object) -> dict[str, object]:
    """A futures ledger entry on the wire."""
    at = SINCE + number * DAY
    return {
        "time": str(at), "type": "Funding Fee", "amount": "-0.41", "asset": "USDT", "symbol": "BTCUSDT",
        "tran_id": str(at), "flow_type": 3, **members,
    }  # fmt: skip


def good(data: object) -> bytes:
    """The body of a good reply."""
    return json.dumps({"code": 1000, "message": "OK", "trace": "t", "data": data}).encode()


def plan(
    store: Store, endpoint: str = DEPOSITS, since: int = SINCE, until: int = UNTIL, **arguments: str
) -> HistoryRow:
    """A history that is begun."""
    name = " ".join((endpoint, *(f"{name}={value}" for name, value in arguments.items())))
    return store.plan_history(name, endpoint, arguments, since, until)


def reply(
    row: HistoryRow, records: Sequence[object], *, since: int = SINCE, until: int = UNTIL, page: int = 1
) -> ReplyCame:
    """A good reply with these records."""
    return raw(
        row, good({"records": records} if row.endpoint == DEPOSITS else records), since=since, until=until, page=page
    )


def raw(
    row: HistoryRow,
    body: bytes,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    since: int = SINCE,
    until: int = UNTIL,
    page: int = 1,
) -> ReplyCame:
    """A reply of any kind."""
    path = (
        "/account/v2/deposit-withdraw/history" if row.endpoint == DEPOSITS else "/contract/private/transaction-history"
    )
    asked = Asked(since, until, page)
    return ReplyCame(row.name, row.endpoint, "GET", f"{path}?n=1", None, until, status, headers or {}, body, asked)


def write(directory: Path, *, replies: int = 6) -> str:
    """A whole small archive: two histories, two looks, one resolved suspicion, one gap; its digest."""
    with Store(directory, resume=False) as store:
        store.begin("42", SINCE, UNTIL)
        store.run_began(UNTIL)
        deposits, ledger = plan(store, operation_type="deposit"), plan(store, LEDGER)
        for row, make in ((deposits, deposit), (ledger, ledger_entry)):
            width = (UNTIL - SINCE) // replies
            for number in range(replies):
                since = SINCE + number * width
                until = UNTIL if number == replies - 1 else since + width
                found = [make(each) for each in range(100) if since <= SINCE + each * DAY < until]
                told = store.reply(reply(row, found, since=since, until=until))
                store.decide(WindowDecided(row.name, since, until, State.ANSWERED, (told,), cursor={"at": until}))
            store.end_history(HistoryEnded(row.name, State.ANSWERED))
        store.note(Noted(ledger.name, "below_total", "of 150 records 149 were listed", SINCE, UNTIL))
        store.note(
            Noted(ledger.name, "below_total", "all 150 were listed when asked again", SINCE, UNTIL, resolved=True)
        )
        for name, data in (
            ("spot.account.balances", {"wallet": [{"id": "BTC", "available": "1.5", "frozen": "0"}]}),
            ("futures.account.assets", [{"currency": "USDT", "available_balance": "7"}]),
        ):
            number = store.reply(ReplyCame(name, name, "GET", "/x", None, UNTIL, 200, {"date": "today"}, good(data)))
            store.look(LookTaken(name, name, {}, State.ANSWERED, (number,)))
        store.run_ended(UNTIL)
        return store.digest
