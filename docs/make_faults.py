"""Writes ``docs/faults.md``: every fault of the simulated exchange, what it does, how to ask for it, what clients make of it.

With ``--check`` it says whether the page is current, and changes nothing.
"""
# ruff: noqa: E501  # the page is written in lines of its own length

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final, cast

from made_pages import write_or_check

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "faults.md"
sys.path[:0] = [str(ROOT)]

from bitmart_trio.sim.faults.text import HELP, fault_kinds  # noqa: E402  # after the path is set

HEAD: Final = """\
# Faults on request

The simulated exchange misbehaves on request, in {count} ways. Faults are small objects; any number is active at once,
each counts its own hits and ends by itself when it is used up. They spoil what clients see and when; what the exchange
*did* stays true. Chance is drawn from the exchange's seed, so a run with faults can be repeated.

Four ways to ask for the same one:

```python
import httpx
import trio

import bitmart_trio as bm


async def main() -> None:
    # On the command line: bitmart-trio sim --fault "LoseReply:path=/spot/v2/submit_order,times=2"
    async with bm.sim.open_server(port=0, faults=[bm.sim.LoseReply("/spot/v2/submit_order", 2)]) as server:
        handle = server.faults.add(bm.sim.parse_fault("LatePong:seconds=30"))
        print(handle.hits, handle.active)
        handle.remove()
        async with httpx.AsyncClient(base_url=server.url) as other:  # any program, in any language
            added = await other.post(
                "/sim/faults", json={{"fault": "MuteTopic", "topic": "spot/ticker:*", "lasting": 60}}
            )
            print((await other.get("/sim/faults")).json())
            await other.delete(f"/sim/faults/{{added.json()['added']['id']}}")


trio.run(main)
```

The fourth way is by hand: a server shows a page at `/sim/`, which makes its form from `GET /sim/faults/kinds`.

![The page of the simulated exchange: order book, price, trades, an account, the event log, faults and connections](images/sim_page.png)

As text a fault is `Name`, `Name:pattern`, or `Name:field=value,field=value`; `late-pong` and `LatePong` are the same name, and `none` is a value.
As JSON it is an object with `fault` and its fields.

Where a fault happens is a pattern with `*`: of request paths (`/spot/*`), of topics (`spot/ticker:*`), or of connections, which are named by their
kind (`spot/public`, `spot/private`, `futures/public`, `futures/private`, `http`) and by their number (`ws-3`). Every fault has these three fields:

{common}

Some lose, delay or cut what travels; some answer in the exchange's place, as the network in front of it does; some make the exchange itself answer
oddly; and some make it *eventually consistent*: what it has accepted is not shown yet, or is shown as it was. The last matter most to a bot, because no
exchange promises the opposite: give each list, look-up, position and balance a `Lag` of its own, and see whether the bot still knows what it holds.

*This library* below is what `tests/sim/test_faults_seen.py` shows for each.
"""

OURS: Final[dict[str, str]] = {
    "LoseRequest": "repeats a read; a write raises `OutcomeUnknown` with its client order id.",
    "LoseReply": "repeats a read; a write raises `OutcomeUnknown`, and the look-up by client order id finds it. It is sent once.",
    "HalfReply": "as for `LoseReply`.",
    "Delay": "gives up after `Timeouts.read`: repeats a read, raises `OutcomeUnknown` for a write.",
    "Refuse429": "waits one window of that quota, then sends again, a write too: nothing had been done.",
    "Refuse418": "raises `AddressBanned`, and sends nothing for `Config.ban_pause`, doubling.",
    "Fail5xx": "repeats a read with growing pauses; a write raises `OutcomeUnknown`.",
    "Maintenance": "raises `Maintenance`.",
    "GarbageReply": "repeats a read; a write raises `OutcomeUnknown`.",
    "EdgePage": "repeats a read, after `Retry-After` where that is given; a write raises `OutcomeUnknown`.",
    "GatewayJson": "repeats a read whose status is 5xx; a write raises `OutcomeUnknown`, and the look-up finds it or not.",
    "EmptyData": "repeats a read; a write raises `OutcomeUnknown`.",
    "SharedIds": "decodes as ever; the archive keeps every record by its content.",
    "BlankIds": "decodes as ever; the archive keeps every record by its content.",
    "RoundedBounds": "walks windows that overlap, and the archive keeps and names what lies elsewhere.",
    "ShiftingPages": "reads the pages again when they do not add up to the total; else the stretch is a named gap.",
    "SmallerCap": "halves a window whose reply may have been cut.",
    "OddRecord": "a missing or unreadable member is absent (`bm.absent`); the archive keeps the reply and names what it cannot read.",
    "WrongUnit": "decodes as ever; the archive keeps records that lie outside their window, and names them.",
    "Retention": "ends a history with what is shown; the archive's report says from when on that is.",
    "LateRecord": "the archive reads the newest hour again at its end.",
    "Lag": "a session counts a miss only after `visible_after`, and at its end asks until lists and fills agree or its `deadline` passes.",
    "StaleFields": "a session takes the executed size from the order's trades.",
    "Cap": "a session takes no absence from a list of a round length.",
    "BlankClientIds": "a session checks at its first order that its id comes back as sent, says so if not, and relies on the exchange's ids.",
    "ClockGlitch": "a session takes absence for proven only when the exchange's clock and its own agree that the minute has passed.",
    "BurntIds": "`submit` raises `OrderNotPlaced`; it never sends the order again by itself, and the next one has a fresh id.",
    "LatePush": "a session resolves by look-ups what no push tells, and takes late news of closed orders.",
    "OldPush": "what is executed does not become less: an older push changes nothing.",
    "UnknownField": "decodes as ever; `bm.extras(reply)` shows the field.",
    "LongerRow": "decodes as ever.",
    "RefuseConnect": "tries again with growing, jittered pauses, within thirty connections a minute; the messages missed are a `Gap`.",
    "RefuseUpgrade": "the same; the event `Lost` or `Refused` has the status.",
    "HangHandshake": "gives up after `Timeouts.connect`: `ConnectionLost` where the stream was opened, a new try where it was open.",
    "Drop": "reconnects, logs in, subscribes to what is wanted now, and puts a `Gap` where messages are missing (or fills it, with `backfill=True`).",
    "Stall": "replaces the connection when `Config.pong_timeout` has passed after a ping; the messages missed are a `Gap`.",
    "SlowLink": "lives on: what comes counts as life.",
    "LatePong": "lives on as long as anything comes.",
    "RefuseLogin": "raises `AuthenticationError` where the stream was opened, with the exchange's code, and does not try again.",
    "DropDuringLogin": "logs in again on the next connection.",
    "RefuseTopic": "raises `SubscriptionRefused` with topic and code where it was asked for. Code 95000, a fault inside the exchange, is asked again.",
    "LoseAck": "replaces the connection after `Timeouts.acknowledge` and asks there.",
    "MuteTopic": "probes a topic that has been silent for longer than its cadence allows, then replaces the connection; the messages missed are a `Gap`.",
    "Gap": "an order book is not live until it has mended itself; where nothing numbers the pushes, nobody can tell.",
    "Duplicate": "an order book takes it once.",
    "Reorder": "an order book sees that one is missing, is not live until it has mended itself, and never shows what is wrong.",
    "Garbage": "counts it, tells it as an event, and goes on.",
    "ClockSkew": "measures the exchange's clock, signs with it, and repeats the one call that was refused for its time.",
}
"""What this library does, by fault."""

EXAMPLES: Final[dict[str, dict[str, object]]] = {
    "LoseRequest": {"path": "/spot/v2/submit_order"},
    "LoseReply": {"path": "/spot/v2/submit_order", "times": 2},
    "HalfReply": {"path": "/contract/private/submit-order"},
    "Delay": {"path": "/spot/v2/submit_order", "seconds": 30, "before": False},
    "Refuse429": {"path": "/spot/*", "times": 3},
    "Refuse418": {"path": "*"},
    "Fail5xx": {"path": "/spot/*", "status": 502, "html": True},
    "Maintenance": {"path": "/contract/*", "lasting": 60},
    "GarbageReply": {"path": "/spot/v2/submit_order"},
    "EdgePage": {"path": "/account/*", "status": 403, "retry_after": 30},
    "GatewayJson": {"path": "/spot/v2/submit_order", "status": 504, "handled": False},
    "EmptyData": {"path": "/spot/v4/query/*", "times": 3},
    "SharedIds": {"path": "/contract/private/transaction-history"},
    "BlankIds": {"path": "/account/v2/deposit-withdraw/history"},
    "RoundedBounds": {"path": "/spot/v4/query/*", "unit_ms": 60000, "inwards": True},
    "ShiftingPages": {"path": "/newearn/*", "how": "twice", "chance": 0.5},
    "SmallerCap": {"path": "/spot/v4/query/*", "n": 100},
    "OddRecord": {"path": "/contract/private/order-history", "how": "blank", "every": 3},
    "WrongUnit": {"path": "/contract/private/trades"},
    "Retention": {"path": "/spot/*", "days": 30, "how": "refused"},
    "LateRecord": {"path": "/spot/v4/query/trades", "seconds": 30},
    "Lag": {"path": "/contract/private/position*", "seconds": 90, "how": "missing"},
    "StaleFields": {"path": "/spot/v4/query/order", "seconds": 10},
    "Cap": {"path": "/contract/private/get-open-orders", "n": 50},
    "BlankClientIds": {"path": "/spot/v4/query/*", "how": "altered"},
    "ClockGlitch": {"path": "/system/time", "ms": 120000},
    "BurntIds": {"path": "/spot/v2/submit_order"},
    "LatePush": {"topic": "spot/user/*", "seconds": 20, "chance": 0.3},
    "OldPush": {"topic": "futures/order"},
    "UnknownField": {"path": "*", "name": "surprise"},
    "LongerRow": {"path": "/spot/quotation/*"},
    "RefuseConnect": {"connection": "spot/*", "times": 3},
    "RefuseUpgrade": {"connection": "spot/private", "status": 403},
    "HangHandshake": {"connection": "futures/*"},
    "Drop": {"connection": "spot/public", "after": 100},
    "Stall": {"connection": "spot/public", "lasting": 30},
    "SlowLink": {"connection": "spot/*", "bytes_per_second": 500},
    "LatePong": {"connection": "*/*", "seconds": 30},
    "RefuseLogin": {"connection": "spot/private", "code": "91002"},
    "DropDuringLogin": {"connection": "*/private"},
    "RefuseTopic": {"topic": "spot/ticker:*", "code": "90004"},
    "LoseAck": {"topic": "spot/trade:BTC_USDT"},
    "MuteTopic": {"topic": "futures/depth20:*", "lasting": 120},
    "Gap": {"topic": "spot/depth/increase100:*", "chance": 0.01, "times": None},
    "Duplicate": {"topic": "spot/trade:*", "times": 5},
    "Reorder": {"topic": "spot/depth/increase100:*", "after": 50},
    "Garbage": {"topic": "spot/*", "times": 3},
    "ClockSkew": {"ms": -5000},
}
"""One that makes sense, by fault."""


def page() -> str:
    """The whole page."""
    kinds = cast("list[dict[str, Any]]", fault_kinds())
    common = "\n".join(f"- `{name}`: {HELP[name]}" for name in ("after", "chance", "lasting"))
    parts = [HEAD.format(count=len(kinds), common=common)]
    for concern in dict.fromkeys(kind["concerns"] for kind in kinds):
        parts.append(f"\n## {concern.capitalize()}\n")
        parts += [_entry(kind) for kind in kinds if kind["concerns"] == concern]
    return "".join(parts)


def _entry(kind: dict[str, Any]) -> str:
    name = kind["fault"]
    fields = "\n".join(
        f"- `{field['name']}` ({_type(field)}): {field['help'].replace('*', chr(92) + '*')}{_words(field)}"
        for field in kind["fields"]
        if field["name"] not in ("after", "chance", "lasting")
    )
    example = EXAMPLES[name]
    text = ",".join(f"{field}={_word(value)}" for field, value in example.items())
    return (
        f"\n### `{name}`\n\n{kind['does']} {kind['client']}\n\n**This library:** {OURS[name]}\n\n"
        + (f"{fields}\n\n" if fields else "")
        + f'```text\n--fault "{name}:{text}"\n{json.dumps({"fault": name, **example})}\n```\n'
    )


def _type(field: dict[str, Any]) -> str:
    default = "none" if field["default"] is None else f"`{json.dumps(field['default'])}`"
    return f"{field['type']}{' or none' if field['optional'] else ''}, {default} by default"


def _words(field: dict[str, Any]) -> str:
    return f": {' or '.join(f'`{word}`' for word in field['words'])}" if field["words"] else ""


def _word(value: object) -> str:
    return {None: "none", True: "true", False: "false"}.get(value) or str(value)  # type: ignore[call-overload]


def main() -> int:
    """Write the page, or compare."""
    return write_or_check({PAGE: page()})


if __name__ == "__main__":
    sys.exit(main())
