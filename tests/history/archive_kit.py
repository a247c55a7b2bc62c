"""Archives written by hand: replies as the exchange could send them, straight into a store."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
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
from bitmart_trio.history.archive._reader import HistoryRow, Reader
from bitmart_trio.history.archive._report import write_reports
from bitmart_trio.history.archive._tasks import SPOT_OPEN, History, open_orders, past, present, traced
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


LOOKS: Final[tuple[tuple[str, object], ...]] = (
    ("spot.account.balances", {"wallet": [{"id": "BTC", "available": "1.5", "frozen": "0"}]}),
    ("futures.account.assets", [{"currency": "USDT", "available_balance": "7"}]),
)


def write(directory: Path, *, replies: int = 6, resume: bool = False, step: Callable[[], None] = lambda: None) -> str:
    """A whole small archive: two histories, two looks, one resolved suspicion; its digest.

    Args:
        directory: where it goes.
        replies: of each history.
        resume: go on with what an interrupted one has left.
        step: called after each entry.
    """
    with Store(directory, resume=resume) as store:
        store.begin("42", SINCE, UNTIL)
        store.run_began(UNTIL)
        step()
        deposits, ledger = plan(store, operation_type="deposit"), plan(store, LEDGER, account="futures")
        for row, make in ((deposits, deposit), (ledger, ledger_entry)):
            _write_history(store, row, make, replies, step)
        for text, resolved in (("of 150 records 149 were listed", False), ("all 150 were listed later", True)):
            store.note(Noted(ledger.name, "below_total", text, SINCE, UNTIL, resolved))
            step()
        for name, data in LOOKS:
            if not any(look.name == name for look in store.reader().looks()):
                number = store.reply(
                    ReplyCame(name, name, "GET", "/x", None, UNTIL, 200, {"date": "today"}, good(data))
                )
                step()
                store.look(LookTaken(name, name, {}, State.ANSWERED, (number,)))
                step()
        _write_others(store, step)
        store.run_ended(UNTIL)
        write_reports(store.folder, store.reader())
        return store.digest


def _write_others(store: Store, step: Callable[[], None]) -> None:
    """Everything else that a run asks for: the exchange says that there is no such account."""
    known = {row.name: row for row in store.reader().histories()} | {row.name: row for row in store.reader().looks()}

    def no_account(endpoint: str) -> tuple[int, bytes]:
        code = 40001 if endpoint.startswith("futures.") else 53008
        return code, b'{"code":%d,"message":"no such account","trace":"t"}' % code

    histories, looks = traced(store.reader())
    for history in (*past(), *(History(name) for name in SPOT_OPEN), *histories):
        if history.name not in known or known[history.name].state is State.RUNNING:
            row = store.plan_history(history.name, history.endpoint, history.arguments, SINCE, UNTIL)
            code, refused = no_account(row.endpoint)
            number = store.reply(raw(row, refused, status=400))
            store.decide(WindowDecided(row.name, SINCE, UNTIL, State.NOT_OFFERED, (number,), "no such account", code))
            store.end_history(HistoryEnded(row.name, State.NOT_OFFERED, "no such account", code))
            step()
    for look in (*present(), *open_orders("before"), *open_orders("after"), *looks):
        if look.name not in known:
            name, (code, refused) = look.name, no_account(look.endpoint)
            number = store.reply(ReplyCame(name, look.endpoint, "GET", "/x", None, UNTIL, 400, {}, refused))
            store.look(LookTaken(name, look.endpoint, look.arguments, State.NOT_OFFERED, (number,), "none", code))
            step()


def _write_history(
    store: Store, row: HistoryRow, make: Callable[[int], object], replies: int, step: Callable[[], None]
) -> None:
    decided = {window.since for window in store.reader().windows(row.name)}
    width = (UNTIL - SINCE) // replies
    for number in range(replies):
        since = SINCE + number * width
        until = UNTIL if number == replies - 1 else since + width
        if since in decided:
            continue
        found = [make(each) for each in range(100) if since <= SINCE + each * DAY < until]
        told = store.reply(reply(row, found, since=since, until=until))
        step()
        store.decide(WindowDecided(row.name, since, until, State.ANSWERED, (told,), cursor={"at": until}))
        step()
    store.end_history(HistoryEnded(row.name, State.ANSWERED))
    step()


def contents(directory: Path) -> dict[str, list[str]]:
    """All that an archive holds of the account, whatever became of the runs that made it."""
    with Reader(directory) as reader:
        found = {kind: [each.content for each in reader.records(kind, superseded=True)] for kind in reader.kinds()}
        for row in reader.histories():
            found[row.name] = [f"{each.since} {each.until} {each.state}" for each in reader.windows(row.name)]
        for look in reader.looks():
            found[look.name] = [repr(reader.look(look.name))]
        return found
