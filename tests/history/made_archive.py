"""An archive made of given records, without an exchange: what its reports and exports say can be known exactly."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from bitmart_trio.history._plan import HistoryGap
from bitmart_trio.history.archive._entries import (
    HistoryEnded,
    LookTaken,
    Noted,
    ReplyCame,
    State,
    WindowDecided,
)
from bitmart_trio.history.archive._kinds import find_endpoint, kinds
from bitmart_trio.history.archive._writer import Store

SINCE = 1_704_067_200_000  # 2024-01-01
DAY = 86_400_000
UNTIL = SINCE + 800 * DAY


class MadeArchive:
    """An archive that is being made.

    Args:
        directory: where.
        account: its id.
    """

    def __init__(self, directory: Path, account: str = "7") -> None:
        self.directory = directory
        self.store = Store(directory, resume=False)
        self.store.begin(account, SINCE, UNTIL)
        self.store.run_began(UNTIL)

    def history(
        self,
        endpoint: str,
        records: Sequence[Mapping[str, object]],
        *,
        name: str = "",
        arguments: Mapping[str, str] | None = None,
        state: State = State.ANSWERED,
        reason: str = "",
        code: int = 0,
        gap: HistoryGap | None = None,
    ) -> None:
        """A history with one window and one reply that lists the records, as on the wire."""
        name = name or endpoint
        self.store.plan_history(name, endpoint, arguments or {}, SINCE, UNTIL)
        data: object = list(records)
        for member in reversed((*find_endpoint(endpoint).at, *kinds()[endpoint].under)):
            data = {member: data, "total": len(records)}
        number = self._reply(name, endpoint, data, code)
        self.store.decide(
            WindowDecided(name, SINCE, UNTIL, state, (number,), reason=reason, code=code, gap=gap, cursor={})
        )
        self.store.end_history(HistoryEnded(name, state, reason, code))

    def look(
        self, endpoint: str, data: object, *, state: State = State.ANSWERED, reason: str = "", code: int = 0
    ) -> None:
        """A look at the present with one reply."""
        number = self._reply(endpoint, endpoint, data, code)
        self.store.look(LookTaken(endpoint, endpoint, {}, state, (number,), reason, code))

    def note(self, of: str, what: str, text: str, *, resolved: bool = False) -> None:
        """A doubt."""
        self.store.note(Noted(of, what, text, SINCE, UNTIL, resolved))

    def _reply(self, of: str, endpoint: str, data: object, code: int) -> int:
        row = find_endpoint(endpoint)
        body = json.dumps({"code": code or 1000, "message": "OK", "trace": "t", "data": data}).encode()
        return self.store.reply(
            ReplyCame(of, endpoint, row.method, row.path, None, UNTIL, 200, {"content-type": "application/json"}, body)
        )

    def done(self, *, ended: bool = True) -> Path:
        """Close it."""
        if ended:
            self.store.run_ended(UNTIL)
        self.store.close()
        return self.directory


def spot_fill(time: int = SINCE, **members: object) -> dict[str, object]:
    """A fill of 0.5 BTC for 20,000 USDT."""
    return {
        "tradeId": "125277182593091639", "orderId": "125277182593091638", "clientOrderId": "", "symbol": "BTC_USDT",
        "side": "buy", "orderMode": "spot", "type": "limit", "price": "40000.00", "size": "0.50000000",
        "notional": "20000.00000000", "fee": "20.00000000", "feeCoinName": "USDT", "tradeRole": "taker",
        "createTime": time, "updateTime": time, **members,
    }  # fmt: skip


def ledger(kind: int, words: str, amount: str, time: int = SINCE, **members: object) -> dict[str, object]:
    """An entry of the futures ledger."""
    return {
        "symbol": "BTCUSDT", "type": words, "flow_type": kind, "amount": amount, "asset": "USDT",
        "time": str(time), "tran_id": str(time), **members,
    }  # fmt: skip


def deposit(time: int = SINCE, **members: object) -> dict[str, object]:
    """30,000 USDT that arrived."""
    return {
        "withdraw_id": "", "deposit_id": "1679952", "operation_type": "deposit", "currency": "USDT-TRC20",
        "apply_time": time, "arrival_amount": "30000.5", "fee": "0.0", "status": 3, "address": "TX1",
        "address_memo": "", "tx_id": "0xabc", **members,
    }  # fmt: skip


def withdrawal(time: int = SINCE, **members: object) -> dict[str, object]:
    """0.1 BTC that left, for a fee of 0.0005."""
    return {
        **deposit(time), "withdraw_id": "121212", "deposit_id": "", "operation_type": "withdraw", "currency": "BTC",
        "arrival_amount": "0.1", "fee": "0.0005", "tx_id": "0xdef", **members,
    }  # fmt: skip
