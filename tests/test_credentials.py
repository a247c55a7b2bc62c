"""Credentials from arguments and files: what is wrong with them is said in words that name the place."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest

import bitmart_trio as bm


@pytest.mark.parametrize("memo", [12345, 1.5, True, b"memo"])
def test_a_memo_that_is_no_text_is_refused_by_name(memo: Any) -> None:
    with pytest.raises(bm.ConfigurationError, match="memo must be text"):
        bm.Credentials("key", "secret", memo)


def test_an_unquoted_memo_in_a_file_says_what_to_do(tmp_path: Path) -> None:
    """TOML reads it as a number, and digits such as leading zeros would be lost."""
    file = tmp_path / "config.toml"
    file.write_text('[default]\napi_key = "key"\napi_secret = "hush"\nmemo = 12345\n')
    with pytest.raises(bm.ConfigurationError, match=r"\[default\]: memo must be text, .*in quotes") as caught:
        bm.Credentials.from_file(file)
    assert str(file) in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("text", ["[default", "x = " + "[" * 100_000, "\xff"])
def test_a_file_that_is_no_toml_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    """Also one that nests deeper than Python reads."""
    file = tmp_path / "config.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(bm.ConfigurationError, match="is not a TOML file"):
        bm.Credentials.from_file(file)


def test_an_empty_key_in_a_file_is_a_missing_one(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[default]\napi_key = ""\n')
    with pytest.raises(bm.MissingCredentials, match="api_key is empty"):
        bm.Credentials.from_file(file)


def test_a_byte_order_mark_in_front_of_a_file_is_no_harm(tmp_path: Path) -> None:
    """Editors of Windows write one."""
    file = tmp_path / "config.toml"
    file.write_bytes(b'\xef\xbb\xbf[default]\r\napi_key = "key"\r\napi_secret = "hush"\r\nmemo = "m"\r\n')
    file.chmod(0o600)
    read = bm.Credentials.from_file(file)
    assert (read.api_key, read.memo) == ("key", "m")


needs_modes = pytest.mark.skipif(os.name != "posix", reason="a mode says nothing here")


@needs_modes
@pytest.mark.parametrize("mode", [0o622, 0o602, 0o620, 0o666])
def test_a_file_that_others_may_write_to_is_refused(mode: int, tmp_path: Path) -> None:
    """Whoever put another key there would see what this account does, or have it do things."""
    file = tmp_path / "config.toml"
    file.write_text('[default]\napi_key = "key"\n')
    file.chmod(mode)
    with pytest.raises(bm.ConfigurationError, match=r"other users may write .* chmod 600"):
        bm.Credentials.from_file(file)


@needs_modes
def test_a_file_that_others_may_read_is_used_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[default]\napi_key = "key"\n')
    file.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert bm.Credentials.from_file(file).api_key == "key"
    assert f"chmod 600 {file}" in caplog.text
    file.chmod(0o600)
    caplog.clear()
    bm.Credentials.from_file(file)
    assert not caplog.records
