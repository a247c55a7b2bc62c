"""What each function of the foreign clients gets from the simulated exchange: material of ``docs/foreign_clients.md``.

Each call runs on cleared ground with arguments that it can do, so it should succeed. What does not is in `REFUSED`,
with the reason for which the real exchange would refuse it too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeAlias

from foreign import ACCOUNT, HERE, Command, Foreign, ForeignError, started
from node_functions import FUNCTIONS
from npm_arguments import NPM_ARGUMENTS, NPM_AS_SUB
from sdk_functions import SDK_AS_SUB, SDK_FUNCTIONS
from stage import Stage

import bitmart_trio as bm

Row: TypeAlias = "dict[str, Any]"
"""``client`` and ``function``; ``answers``: verb and path, status, code of each request; ``raised``: what it threw."""
Trial: TypeAlias = "tuple[str, str, Mapping[str, Any], bool]"
"""Class, function, arguments, whether as a sub-account."""

RESULT: Final = HERE.parent.parent / "docs" / "foreign_clients.json"
SUB_ACCOUNT: Final = ("sim-sub-key", "sim-sub-secret", "sim-sub-memo")
OFFICIAL: Final[Command] = [sys.executable, HERE / "official_rest.py"]

_RETIRED: Final = "the exchange has shut this endpoint off; it answers so too"
REFUSED: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            "getSpotTickersV2", "getSpotTickerV1", "getSpotKLineStepsV1", "getSpotKlinesV1", "getSpotOrderBookDepthV1",
            "submitSpotBatchOrdersV2", "cancelSpotOrdersV1", "submitSubTransferSubToSubV1",
        ),
        _RETIRED,
    ),
    "getFuturesTransfers": "the package reads with GET what is documented as a signed POST",
    "post_modify_plan_order": "the package fails before it sends anything: it uses a name that it has not defined",
}  # fmt: skip
"""Functions that do not succeed, and why that is right."""


def npm_command(node: Path) -> Command:
    """The program that calls the npm package's functions."""
    return [node, HERE / "rest.js"]


def npm_trials() -> Iterator[Trial]:
    """Each function of each class of the npm package, once."""
    seen: set[tuple[str, str]] = set()
    for client, row in FUNCTIONS:
        if (client, row.name) not in seen:
            seen.add((client, row.name))
            yield client, row.name, NPM_ARGUMENTS.get(row.name, row.samples[0]), row.name in NPM_AS_SUB


def sdk_trials() -> Iterator[Trial]:
    """Each function of each class of the exchange's own client, once."""
    for client, functions in SDK_FUNCTIONS.items():
        for name, arguments in functions.items():
            yield client, name, arguments, name in SDK_AS_SUB


async def judge(command: Command, trials: Iterator[Trial]) -> list[Row]:
    """Call the functions one by one on an exchange of their own, and write down what they were answered."""
    rows: list[Row] = []
    async with _opened(command) as (stage, server, main, sub):
        for client, function, arguments, as_sub in trials:
            stage.clear()
            wanted = await stage.resolve(arguments)
            first = server.exchange.log.written
            raised = ""
            try:
                await (sub if as_sub else main).call(client, function, wanted or None)
            except ForeignError as error:
                # A refusal of the exchange is in its log; anything else is trouble of the client's own.
                if "body" not in error.error:
                    raised = str(error.error.get("raised") or error.error["message"])
            log = server.exchange.log
            lines = islice(log.lines, len(log.lines) - (log.written - first), None)
            answers = [
                [f"{line['method']} {line['path']}", line["status"], line["code"]]
                for line in lines
                if line["kind"] == "request"
            ]
            rows.append({"client": client, "function": function, "answers": answers, "raised": raised})
    return rows


@asynccontextmanager
async def _opened(command: Command) -> AsyncIterator[tuple[Stage, bm.sim.Server, Foreign, Foreign]]:
    async with (
        bm.sim.open_server(port=0, seed=7) as server,
        server.open_client() as client,
        started(command, server.url, ACCOUNT) as main,
        started(command, server.url, SUB_ACCOUNT) as sub,
    ):
        yield Stage(server, client), server, main, sub


def good(row: Row) -> bool:
    """Whether the function got what it asked for."""
    answers = row["answers"]
    return bool(answers) and not row["raised"] and all(int(code) == 1000 for _, _, code in answers)


def stored() -> dict[str, Any]:
    """What the documentation is made from."""
    found: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8"))
    return found
