"""Runs scenarios: everybody in turn, each in a process of its own, again and again; ratios within each round."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import attrs

from . import work
from .scenario import OURS, Scenario

ROOT: Final = Path(__file__).parent.parent.parent
HERE: Final = Path(__file__).parent
INTEROP: Final = ROOT / "tests" / "interop"
_SECONDS: Final = 180.0

Found: TypeAlias = dict[str, Any]


class Absent(Exception):
    """A peer is not installed here."""


@attrs.frozen
class Result:
    """One scenario's outcome."""

    scenario: Scenario
    costs: dict[str, list[float]]
    """By peer, one a round: seconds, calls a second or bytes."""
    notes: dict[str, float] = attrs.field(factory=dict)
    found: dict[str, list[Found]] = attrs.field(factory=dict)
    """What everybody told, by peer, one a round."""

    def by(self, scenario: Scenario) -> Result:
        """What the same runs say of another cost."""
        costs = {peer: [cost(scenario, each) for each in rounds] for peer, rounds in self.found.items()}
        return Result(scenario, costs, self.notes, self.found)

    def ratios(self, peer: str) -> list[float]:
        """Our cost as a part of the peer's, round by round."""
        return [ours / theirs for ours, theirs in zip(self.costs[OURS], self.costs[peer], strict=True)]

    def met(self, peer: str) -> bool | None:
        """Whether the goal against a peer is met; None where there is none."""
        goal = self.scenario.goals.get(peer)
        if goal is None or peer not in self.costs:
            return None
        ratio = statistics.median(self.ratios(peer))
        return ratio >= goal if self.scenario.cost == "rate" else ratio <= goal


def installed(peer: str) -> bool:
    """Whether a peer can be run here."""
    if peer == "npm":
        return shutil.which("node") is not None and (INTEROP / "node_modules" / "bitmart-api").exists()
    modules = {
        "picows": "picows, uvloop", "official": "bitmart", "sorted_dict": "sortedcontainers", "aiohttp": "aiohttp",
        "aiohttp_echo": "aiohttp",
    }.get(peer)  # fmt: skip
    if modules is None:
        return True
    found = subprocess.run([sys.executable, "-c", f"import {modules}"], capture_output=True, check=False, cwd=ROOT)
    return found.returncode == 0


@contextmanager
def _server(kind: str, plan: dict[str, Any]) -> Iterator[list[int]]:
    command = [sys.executable, "-m", "tests.bench.servers", kind, json.dumps(plan)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.kill()


@cache
def _bytecode() -> str:
    """Where compiled modules are kept, ours and all others: what is imported was compiled before, for everybody."""
    folder = tempfile.TemporaryDirectory(prefix="bench-bytecode-")
    atexit.register(folder.cleanup)
    return folder.name


def _certificate(folder: Path) -> str:
    """A certificate for ``localhost``, key included, that trusts itself."""
    made = folder / "localhost.pem"
    if not made.exists():
        key = folder / "key.pem"
        subprocess.run(
            [
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", made,
            ],
            check=True,
            capture_output=True,
        )  # fmt: skip
        made.write_text(made.read_text() + key.read_text())
    return str(made)


def _command(scenario: Scenario, peer: str, plan: Found) -> list[str]:
    if peer == "npm":
        return ["node", "--expose-gc", str(HERE / "peer_npm.js"), str(INTEROP), json.dumps(plan)]
    module = scenario.module or (f"peer_{peer.partition(':')[0]}" if scenario.server else "local")
    return [sys.executable, "-m", f"tests.bench.{module}", json.dumps(plan)]


def run_once(scenario: Scenario, peer: str, *, shrink: int = 1) -> Found:
    """One peer does the work once.

    Args:
        scenario: the work.
        peer: who.
        shrink: do only so small a part of it.
    """
    plan = {**scenario.plan, **scenario.variants.get(peer, {}), "who": peer}
    plan["count"] = max(plan.get("at_once", 1), scenario.counts.get(peer, plan["count"]) // shrink)
    if "warm" in plan:
        plan["warm"] = -(-plan["warm"] // shrink)
    if shrink > 1:
        plan["pause"] = 0.25
        if "connections" in plan:
            plan["connections"] = 3
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPYCACHEPREFIX": _bytecode()}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        scheme = "http"
        if plan.get("tls"):
            scheme = "https"
            plan["certificate"] = _certificate(Path(folder))
            environment["NODE_EXTRA_CA_CERTS"] = plan["certificate"]
        if not scenario.server:
            return _finish(_command(scenario, peer, plan), environment)
        with _server(scenario.server, {**plan, **scenario.server_plan}) as ports:
            host = "localhost" if plan.get("tls") else "127.0.0.1"
            plan |= {"ports": ports, "url": f"{scheme}://{host}:{ports[0]}"}
            if scenario.server == "sockets":
                plan["args"] = work.topics(plan["market"], plan["kind"], plan["topics"])
            found = _finish(_command(scenario, peer, plan), environment)
            if scenario.server == "rest":
                found["opened"] = _opened(ports[0])
            return found


def prove(scenario: Scenario, peer: str) -> None:
    """Let a peer do a tiny part of the work, and look at what it has read."""
    found = run_once(scenario, peer, shrink=200)
    plan, read = scenario.plan, str(found["read"])
    count = plan["count"] if peer == OURS else scenario.counts.get(peer, plan["count"])
    expected: object = None
    if plan["do"] == "stream":
        expected = work.price(max(1, count // 200) - 1)
    elif plan["do"] == "rest":
        expected = "30000.00" if plan["verb"] == "GET" else "42"
    elif plan["do"].startswith("decode"):
        expected = work.price(1499 if plan["do"] == "decode_tickers" else 499)
    if peer == "npm" and plan.get("encoding") == "deflate":
        expected = None  # it delivers bursts of those out of order
    if found["count"] < 1 or (expected is not None and read != expected):
        raise AssertionError(f"{scenario.name}: {peer} read {read}, not {expected}, after {found['count']}")


def _opened(port: int) -> int:
    from urllib.request import urlopen

    with urlopen(f"http://127.0.0.1:{port}/opened", timeout=10) as reply:
        return int(reply.read()) - 1


def _finish(command: list[str], environment: dict[str, str]) -> Found:
    begun = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    try:
        found: Found = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        raise RuntimeError(f"{' '.join(command[:3])} failed: {done.stderr[-2000:]}") from None
    found["all"] = time.perf_counter() - begun
    return found


def cost(scenario: Scenario, found: Found) -> float:
    """What one unit of the work has cost."""
    match scenario.cost:
        case "cpu":
            return float(found["cpu"]) / int(found["count"])
        case "rate":
            return int(found["count"]) / float(found["wall"])
        case "memory":
            each = int(found["count"]) if "connections" in scenario.plan else 1
            return max(float(found["memory"]), 1.0) / each
        case "wall":
            return float(found["all"])
        case "elapsed" | "p50" | "p99" | "requests":
            return float(found[scenario.cost])


def run(scenario: Scenario, rounds: int, *, shrink: int = 1) -> Result:
    """Everybody in turn, in another order each round."""
    peers = [OURS, *(peer for peer in scenario.peers if installed(peer))]
    told: dict[str, list[Found]] = {peer: [] for peer in peers}
    notes: dict[str, float] = {}
    for peer in peers if scenario.plan["do"].startswith("import") else ():
        run_once(scenario, peer, shrink=shrink)  # compiles what is to be imported
    for number in range(rounds):
        turn = number % len(peers)
        for peer in [*peers[turn:], *peers[:turn]]:
            found = run_once(scenario, peer, shrink=shrink)
            told[peer].append(found)
            if "opened" in found:
                notes[f"connections opened by {peer}"] = found["opened"]
    return Result(scenario, {}, notes, told).by(scenario)
