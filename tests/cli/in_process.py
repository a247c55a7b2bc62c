"""``bitmart-trio`` inside the test's own process, against an exchange in another: much faster than a process each."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final, cast

import httpx
from cli_process import KEYS, Ended, child_environment
from typer.testing import CliRunner

from bitmart_trio.cli.app import app

_NUMBERS: Final = count(1)


@contextmanager
def exchange(home: Path) -> Iterator[str]:
    """A simulated exchange in a process of its own; gives its URL."""
    command = [sys.executable, "-W", "error", "-m", "bitmart_trio", "sim", "--port", "0", "--seed", "7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=child_environment({}, str(home))) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().decode().split()[-1]
        finally:
            process.terminate()


class Cli:
    """The command line of one person, who has an account of their own.

    Args:
        url: of the exchange.
        home: where no file of somebody else is.
    """

    def __init__(self, url: str, home: Path) -> None:
        self.url = url
        self.home = home
        self.key = f"key{next(_NUMBERS)}"
        self.control("accounts", {
            "account_id": self.key,
            "key": self.key,
            "secret": "sim-secret",
            "memo": "sim-memo",
            "balances": {"USDT": "100000", "BTC": "10"},
            "futures": {"USDT": "100000"},
        })  # fmt: skip

    def control(self, what: str, body: object) -> None:
        """A hand on the exchange: faults, accounts, the clock."""
        content = body if isinstance(body, str) else json.dumps(body)
        httpx.post(f"{self.url}/sim/{what}", content=content, trust_env=False).raise_for_status()

    def __call__(self, *arguments: str, keyed: bool = True, environment: Mapping[str, str] | None = None) -> Ended:
        """Run a command to its end."""
        keys = {**KEYS, "BITMART_API_KEY": self.key} if keyed else {}
        # A name whose value is None is taken out of the environment.
        none: dict[str, str | None] = dict.fromkeys((*KEYS, "BITMART_PROFILE", "BITMART_URL"))
        variables = {
            **none,
            **child_environment({}, str(self.home)),
            "BITMART_URL": self.url,
            **keys,
            **(environment or {}),
        }
        ended = CliRunner().invoke(app, list(arguments), env=variables)
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return Ended(ended.exit_code, ended.stdout, ended.stderr)

    def json(self, *arguments: str) -> object:
        """Run a command that succeeds, and read what it prints."""
        ended = self(*arguments, "--json")
        assert (ended.code, ended.err) == (0, "")
        return cast("object", json.loads(ended.out))

    def rows(self, *arguments: str) -> list[dict[str, object]]:
        """The same for one that prints a list of records."""
        return cast("list[dict[str, object]]", self.json(*arguments))
