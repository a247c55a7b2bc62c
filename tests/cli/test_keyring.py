"""Keys in the desktop's keyring: typed in unseen, used by ``--profile``, forgotten. The keyring here is a file."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from in_process import Cli
from terminal import needs_tmux, terminal

import bitmart_trio as bm
from bitmart_trio.cli import _keyring
from bitmart_trio.cli._run import Failure
from bitmart_trio.credentials import Secret

FAKE = """
import json, os, pathlib
_file = pathlib.Path(os.environ["HOME"]) / "ring.json"
def _read():
    return json.loads(_file.read_text()) if _file.exists() else {}
def get_password(service, name):
    if name == "locked":
        raise RuntimeError("the secret is hunter2")
    return _read().get(f"{service}/{name}")
def set_password(service, name, text):
    _file.write_text(json.dumps({**_read(), f"{service}/{name}": text}))
def delete_password(service, name):
    ring = _read()
    del ring[f"{service}/{name}"]
    _file.write_text(json.dumps(ring))
"""


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module of that name; gives the folder where it is."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "keyring.py").write_text(FAKE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "keyring", raising=False)  # the real one, if some other test has asked for it
    monkeypatch.setenv("HOME", str(tmp_path))
    yield folder
    sys.modules.pop("keyring", None)


def test_a_stored_key_serves_and_is_forgotten(cli: Cli, ring: Path) -> None:
    """By the name that it was given; afterwards there is none."""
    assert ring.exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(cli.home))
        _keyring.store("mine", *map(Secret, (cli.key, "sim-secret", "sim-memo")))
    words = ("balances", "--market", "spot", "--profile", "mine")
    used = cli(*words, keyed=False)
    assert (used.code, used.err) == (0, "")
    assert "sim-secret" not in used.out
    assert cli("key", "forget", "mine").code == 0
    assert cli("key", "forget", "mine").code == 1
    gone = cli(*words, keyed=False)
    assert gone.code == 1
    assert "MissingCredentials" in gone.err


def test_a_keyring_that_keeps_nothing_is_noticed(ring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some backends take a secret and forget it at once."""
    assert ring.exists()
    monkeypatch.setattr(_keyring.need(), "set_password", lambda *_: None)
    with pytest.raises(Failure, match="did not store 'mine'"):
        _keyring.store("mine", *map(Secret, ("key", "secret", "memo")))


def test_what_the_keyring_says_is_not_repeated(cli: Cli, ring: Path) -> None:
    """Locked, broken or strange: one line, which holds nothing of it."""
    assert ring.exists()
    locked = cli("balances", "--profile", "locked", keyed=False)
    (cli.home / "ring.json").write_text(json.dumps({"bitmart-trio/strange": '{"api_key": hunter2}'}))
    strange = cli("balances", "--profile", "strange", keyed=False)
    (cli.home / "ring.json").write_text(json.dumps({"bitmart-trio/deep": '["hunter2",' + "[" * 100_000}))
    deep = cli("balances", "--profile", "deep", keyed=False)
    for ended in (locked, strange, deep):
        assert ended.code == 1
        assert ended.err.count("\n") == 1
        assert "hunter2" not in ended.err


def test_without_the_extra_it_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a profile of the file serves all the same."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    ended = cli("key", "set", "mine")
    assert ended.code == 1
    assert "bitmart-trio[keyring]" in ended.err


@needs_tmux
async def test_a_key_is_typed_unseen(tmp_path: Path, ring: Path) -> None:
    """Nothing of it is ever on the screen."""
    path = os.pathsep.join([str(ring), *filter(None, [os.environ.get("PYTHONPATH")])])
    async with terminal(tmp_path, "key", "set", "mine", environment={"PYTHONPATH": path}) as term:
        for prompt, typed in (("API key:", "my-key"), ("Secret:", "hunter2"), ("Memo:", "my-memo")):
            await term.until(prompt)
            await term.press(typed, "Enter")
        seen = await term.until("exit code 0")
    assert "--profile mine" in seen
    assert not any(typed in seen for typed in ("my-key", "hunter2", "my-memo"))
    loaded = _keyring.load("mine")
    assert isinstance(loaded, bm.Credentials)
    assert (loaded.api_key, loaded.memo, loaded.can_sign) == ("my-key", "my-memo", True)
