"""The archive as a process that is killed: nothing lost, nothing twice, every gap named.

As it stands it is quick; ``proof_sizes.py`` says how it becomes the whole proof, with ten kills.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
import trio
from history_kit import Past, write_past
from proof_sizes import ARCHIVE_KILLS, ARCHIVE_RECORDS, FULL
from test_archive import add_reader, archived

import bitmart_trio as bm
from bitmart_trio.history.archive import verify
from bitmart_trio.sim.exchange import START_MS
from bitmart_trio.sim.faults import Fail5xx, Refuse429

KEYS = {"BITMART_API_KEY": "read-key", "BITMART_API_SECRET": "read-secret", "BITMART_API_MEMO": "read-memo"}


def past_of(records: int) -> Past:
    """About so many records, mostly orders and fills; fewer days when there are few."""
    return Past(
        spot_orders=records * 22 // 100, algo_orders=records * 3 // 100, deposits=records * 3 // 100,
        withdrawals=records * 2 // 100, loans=records * 2 // 100, repayments=records * 2 // 100,
        savings=records * 6 // 100, family=20, futures_orders=min(records * 18 // 100, 9_000),
        transactions=min(records * 16 // 100, 9_000), transfers=min(records // 100, 300),
        days=300 if records > 10_000 else 20,
    )  # fmt: skip


@attrs.frozen
class Run:
    """One process of the archive."""

    code: int
    err: str


async def run_archive(url: str, out: Path, home: Path, *arguments: str, kill_after: float | None = None) -> Run:
    command = [sys.executable, "-W", "error", "-m", "bitmart_trio", "archive", "--out", str(out), "--env", url]
    process = await trio.lowlevel.open_process(
        [*command, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **KEYS, "HOME": str(home)},
    )
    err = bytearray()
    assert process.stderr is not None
    begun = trio.Event()
    async with trio.open_nursery() as nursery:

        async def read() -> None:
            assert process.stderr is not None
            async for data in process.stderr:
                err.extend(data)
                begun.set()  # the first history is done, so the archive is under way
            begun.set()

        nursery.start_soon(read)
        with trio.fail_after(1800 if FULL else 60):
            if kill_after is not None:
                await begun.wait()
                await trio.sleep(kill_after)
                process.kill()
            await process.wait()
    await process.stderr.aclose()
    return Run(process.returncode or 0, err.decode())


@pytest.mark.proof
async def test_killed_processes_leave_a_whole_archive(tmp_path: Path) -> None:
    """Killed with -9 at random moments amid page limits, 429s and failures, it ends equal to the exchange's ledger."""
    dice, out = random.Random(ARCHIVE_RECORDS), tmp_path / "account"
    past = past_of(ARCHIVE_RECORDS)
    async with bm.sim.open_server(port=0, seed=7, start=START_MS, live=False) as server:
        server.exchange.clock.release()  # without a market of its own time would stand still
        ledger = write_past(server.exchange, past)
        account = server.exchange.accounts.get("1")
        assert account is not None
        add_reader(server)
        # A process that begins anew knows nothing of the quotas its killed predecessor has used up.
        server.simulation.bitmart.gate.quotas.ban_seconds = 1
        server.faults.add(Refuse429(chance=0.02, times=None))
        server.faults.add(Fail5xx(chance=0.01, times=None))
        since = str(bm.from_millis(bm.Millis(past.since)).date())
        killed = 0
        for _ in range(ARCHIVE_KILLS):
            wait = dice.uniform(0, 4 if FULL else 0.05)
            ended = await run_archive(
                server.url, out, tmp_path, "--since", since, "--settle", "0", "--resume", kill_after=wait
            )
            killed += ended.code == -9
        ended = await run_archive(server.url, out, tmp_path, "--since", since, "--settle", "0", "--resume")
    assert killed >= (ARCHIVE_KILLS if FULL else 1)
    assert (ended.code, ended.err.count("Traceback")) == (0, 0), ended.err
    found = archived(out)
    assert {name: found.get(name) for name in ledger} == ledger
    assert verify(out).problems == ()
    assert json.loads((out / "report.json").read_text())["complete"]
    if FULL:
        assert sum(map(len, ledger.values())) > 45_000
