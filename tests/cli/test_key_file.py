"""Where the guide keeps a key: in the keyring if that keeps it, else in a file that only its owner can read."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from types import ModuleType

import pytest

import bitmart_trio as bm
from bitmart_trio.cli import _keyring, key
from bitmart_trio.cli._run import Failure
from bitmart_trio.credentials import Secret

TEXTS = ("an-access-key", "a-secret", 'a "memo"\\')
THREE = [Secret(text) for text in TEXTS]


class Ring(ModuleType):
    """A keyring in memory; one that is no good keeps nothing, and says nothing."""

    def __init__(self, *, good: bool) -> None:
        super().__init__("keyring")
        self.entries: dict[tuple[str, str], str] = {}
        self.good = good

    def get_password(self, service: str, name: str) -> str | None:
        return self.entries.get((service, name))

    def set_password(self, service: str, name: str, text: str) -> None:
        if self.good:
            self.entries[service, name] = text

    def delete_password(self, service: str, name: str) -> None:
        del self.entries[service, name]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The credentials file, which is not there yet."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path / ".bitmart" / "config.toml"


@pytest.fixture
def no_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)


def _texts(credentials: bm.Credentials | None) -> tuple[str, str | None]:
    assert credentials is not None
    return credentials.api_key, credentials.memo


def test_the_keyring_comes_first(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Ring(good=True)
    monkeypatch.setitem(sys.modules, "keyring", ring)
    assert key.keep("archive", *THREE) == "the keyring of this computer"
    assert ring.entries
    assert not file.exists()
    assert _texts(key.find("archive")) == (TEXTS[0], TEXTS[2])


def test_a_keyring_that_keeps_nothing_is_found_out(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Ring(good=False))
    with pytest.raises(Failure, match="did not store"):
        _keyring.store("archive", *THREE)
    assert key.keep("archive", *THREE) == str(file)
    assert _texts(key.find("archive")) == (TEXTS[0], TEXTS[2])


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes")
@pytest.mark.usefixtures("no_ring")
def test_the_file_is_for_its_owner_alone(file: Path) -> None:
    file.parent.mkdir(mode=0o755)
    key.keep("archive", *THREE)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.usefixtures("no_ring")
def test_other_profiles_stay_as_they_are(file: Path) -> None:
    file.parent.mkdir()
    before = '# mine\n[play]\napi_key = "a"\n'
    file.write_text(before)
    key.keep("archive", *THREE)
    assert _texts(key.find("play")) == ("a", None)
    assert _texts(key.find("archive")) == (TEXTS[0], TEXTS[2])
    with pytest.raises(Failure, match="already has a profile 'archive'"):
        key.keep("archive", *THREE)
    key.forget_key("archive")
    assert file.read_text().rstrip() == before.rstrip()
    assert key.find("archive") is None
    with pytest.raises(Failure):
        key.forget_key("archive")


@pytest.mark.usefixtures("no_ring")
def test_a_byte_order_mark_in_front_of_the_file_is_no_harm(file: Path) -> None:
    """Editors of Windows write one."""
    file.parent.mkdir()
    file.write_bytes(b'\xef\xbb\xbf[play]\napi_key = "a"\n')
    key.keep("archive", *THREE)
    assert _texts(key.find("play")) == ("a", None)
    assert _texts(key.find("archive")) == (TEXTS[0], TEXTS[2])


@pytest.mark.usefixtures("no_ring")
def test_a_file_that_is_no_toml_is_left_alone(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("secret hunter2 without a form")
    with pytest.raises(bm.ConfigurationError) as caught:
        key.keep("archive", *THREE)
    assert "hunter2" not in str(caught.value)
    assert file.read_text() == "secret hunter2 without a form"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.usefixtures("no_ring")
def test_a_link_in_the_place_of_the_file_is_not_followed(file: Path, tmp_path: Path) -> None:
    file.parent.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("")
    file.symlink_to(elsewhere)
    with pytest.raises(bm.BitMartError, match="link"):
        key.keep("archive", *THREE)
    assert elsewhere.read_text() == ""
