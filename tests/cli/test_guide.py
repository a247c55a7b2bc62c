"""The guide of ``archive``, as a person walks through it in a terminal, against a simulated exchange."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cli_process import KEYS, child_environment
from terminal import Terminal, needs_tmux, terminal
from typer.testing import CliRunner

import bitmart_trio as bm
from bitmart_trio.cli.app import app
from bitmart_trio.history import archive
from bitmart_trio.sim.exchange import START_MS

READ, FULL = ("read-key", "read-secret", "read-memo"), ("sim-key", "sim-secret", "sim-memo")


@asynccontextmanager
async def exchange() -> AsyncIterator[bm.sim.Server]:
    """One that stands still, with a key that can only read."""
    async with bm.sim.open_server(port=0, seed=7, start=START_MS, live=False) as server:
        account = server.exchange.accounts.get("1")
        assert account is not None
        server.exchange.accounts.add_key(
            account, key=READ[0], secret=READ[1], memo=READ[2], permissions=("read", "sub_transfer")
        )
        server.exchange.clock.release()
        yield server


@asynccontextmanager
async def guide(folder: Path, url: str) -> AsyncIterator[Terminal]:
    (folder / "modules").mkdir()
    # No desktop is asked: the key goes into the file.
    (folder / "modules" / "keyring.py").write_text("raise ModuleNotFoundError(name='keyring')\n")
    variables = {"PYTHONPATH": os.pathsep.join(filter(None, (str(folder / "modules"), os.environ.get("PYTHONPATH"))))}
    arguments = ("archive", "--env", url, "--settle", "0")
    async with terminal(folder, *arguments, width=220, height=60, environment=variables) as term:
        yield term


async def answer(term: Terminal, question: str, text: str = "") -> None:
    """Type an answer when it is asked for."""
    await term.until(lambda screen: question in screen.rstrip().splitlines()[-1] if screen.strip() else False)
    if text:
        await term.press("-l", text)
    await term.press("Enter")


@needs_tmux
async def test_a_person_ends_with_an_archive_and_a_spreadsheet(tmp_path: Path) -> None:
    async with exchange() as server, guide(tmp_path, server.url) as term:
        seen = await term.until("Access Key:")
        assert "cannot trade or withdraw" in seen
        assert "API Management" in seen
        for name, text in zip(("Access Key:", "Secret Key:", "Memo:"), READ, strict=True):
            await answer(term, name, text)
        seen = await term.until("Store the key")
        assert "It can only read. Good." in seen
        assert "read-secret" not in seen
        await answer(term, "Store the key")
        await answer(term, "Folder for the archive")
        await answer(term, "pay you rebates")
        seen = await term.until("Start?")
        assert "requests" in seen
        await answer(term, "Start?")
        await answer(term, "Make a spreadsheet")
        seen = await term.until("exit code 0")
        assert "complete: yes" in seen
        assert "Traceback" not in seen
    out = tmp_path / "bitmart-archive"
    assert archive.verify(out).proven
    assert (tmp_path / "bitmart-archive-export" / "bitmart-account.xlsx").exists()
    assert "read-key" in (tmp_path / ".bitmart" / "config.toml").read_text()


@needs_tmux
async def test_a_key_that_can_trade_is_taken_only_when_the_person_says_so(tmp_path: Path) -> None:
    async with exchange() as server, guide(tmp_path, server.url) as term:
        for name, text in zip(("Access Key:", "Secret Key:", "Memo:"), FULL, strict=True):
            await answer(term, name, text)
        seen = await term.until("Use this key anyway?")
        assert "more than read" in seen
        await answer(term, "Use this key anyway?")
        seen = await term.until("exit code 1")
        assert "make a key that can only read" in seen
    assert not (tmp_path / "bitmart-archive").exists()
    assert not (tmp_path / ".bitmart").exists()


@needs_tmux
async def test_a_wrong_key_is_not_kept(tmp_path: Path) -> None:
    async with exchange() as server, guide(tmp_path, server.url) as term:
        for name in ("Access Key:", "Secret Key:", "Memo:"):
            await answer(term, name, "wrong")
        seen = await term.until("exit code 1")
        assert "does not accept this key" in seen
        assert "Traceback" not in seen
    assert not (tmp_path / ".bitmart").exists()


@needs_tmux
async def test_ctrl_c_ends_a_question_at_once(tmp_path: Path) -> None:
    async with exchange() as server, guide(tmp_path, server.url) as term:
        for name, text in zip(("Access Key:", "Secret Key:", "Memo:"), READ, strict=True):
            await answer(term, name, text)
        await term.until("Store the key")
        seen = await term.interrupt()
        assert "Traceback" not in seen


@needs_tmux
async def test_a_kept_key_that_no_longer_works_can_be_replaced(tmp_path: Path) -> None:
    (tmp_path / ".bitmart").mkdir(mode=0o700)
    file = tmp_path / ".bitmart" / "config.toml"
    file.write_text('["archive"]\napi_key = "old"\napi_secret = "old"\nmemo = "old"\n')
    file.chmod(0o600)
    async with exchange() as server, guide(tmp_path, server.url) as term:
        seen = await term.until("exit code 1")
        assert "stored under the name 'archive'" in seen
        assert "bitmart-trio key forget archive" in seen


def test_an_exchange_that_is_not_there_is_said_in_plain_words(tmp_path: Path) -> None:
    variables = {**child_environment({}, str(tmp_path)), **KEYS}
    arguments = ["archive", "--out", str(tmp_path / "a"), "--env", "http://127.0.0.1:9"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bitmart_trio.history.archive._run.PATIENCE", 1)
        ended = CliRunner().invoke(app, arguments, env=variables)
    assert ended.exit_code == 1
    assert "the exchange cannot be reached" in ended.stderr
    assert "ConnectionLost" not in ended.stderr


def test_without_a_terminal_it_says_what_to_give(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["archive"], env=child_environment({}, str(tmp_path)))
    assert ended.exit_code == 2
    assert "--out my-account --profile NAME" in ended.stderr


@pytest.mark.parametrize("profile", [(), ("--profile", "nowhere")])
def test_without_a_key_the_next_step_is_said(tmp_path: Path, profile: tuple[str, ...]) -> None:
    variables = {**child_environment({}, str(tmp_path)), "BITMART_API_KEY": None, "BITMART_PROFILE": None}
    arguments = ["archive", "--out", str(tmp_path / "a"), "--env", "http://127.0.0.1:9", *profile]
    ended = CliRunner().invoke(app, arguments, env=variables)
    assert ended.exit_code == 2
    assert "bitmart-trio key set NAME" in ended.stderr
    assert "MissingCredentials" not in ended.stderr
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "nothing"),
        ("rebuild", "nothing"),
        ("export", "nothing", "--to", "out"),
        ("export", "nothing", "--to", "out", "--format", "xlsx"),
    ],
)
def test_where_there_is_no_archive_one_line_says_so(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(app, ["archive", *arguments], env=child_environment({}, str(tmp_path)))
    assert ended.exit_code == 1
    assert ended.stderr.startswith("bitmart-trio: there is no archive in")
    assert ended.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
