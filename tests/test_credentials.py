"""Credentials from arguments and files: what is wrong with them is said in words that name the place."""

from __future__ import annotations

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


def test_an_empty_key_in_a_file_is_a_missing_one(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[default]\napi_key = ""\n')
    with pytest.raises(bm.MissingCredentials, match="api_key is empty"):
        bm.Credentials.from_file(file)
