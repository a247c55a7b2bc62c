"""Numbers of records, on their way into an archive and out of it, keep to the one rule."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from every_case import every_case
from number_cases import BAD, GOOD, label

from bitmart_trio.history import ExportError, _parquet
from bitmart_trio.history.archive import _kinds, _wire
from bitmart_trio.history.archive._movements import Unplaced, amount
from bitmart_trio.models import FuturesTransfer


@pytest.mark.parametrize("text", GOOD, ids=label)
def test_good_numbers_count(text: str) -> None:
    assert amount({"size": text}, "size") == Decimal(text)
    assert _kinds._amount(text) == Decimal(text)  # pyright: ignore[reportPrivateUsage]


@every_case("text", BAD, ids=label)
def test_other_numbers_move_nothing(text: str) -> None:
    """The record is set aside with the reason; two of them are the same if their texts are."""
    with pytest.raises(Unplaced, match="size") as caught:
        amount({"size": text}, "size")
    assert len(str(caught.value)) < 200
    assert _kinds._amount(text) == text.strip()  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("digits", ["1e999999999", "-1e-99999999999999999999", "0e400", "9" * 401, "-" + "9" * 5000])
def test_a_number_beyond_all_bounds_is_kept_as_the_text_of_its_digits(digits: str) -> None:
    """What else the record says is kept, and writing it out takes no more than it took to send."""
    value = _wire.loads(f'{{"a":{digits},"b":1.50,"c":-{"9" * 400}}}'.encode())
    assert value == {"a": digits, "b": Decimal("1.50"), "c": -int("9" * 400)}
    assert _wire.loads(_wire.canonical(value).encode()) == value


@every_case("text", [*(each for each in BAD if each), "9" * 77], ids=label)
def test_rows_with_other_numbers_make_no_parquet(text: str, tmp_path: Path) -> None:
    """They are named, and no file is left under the name that was asked for."""
    row: dict[str, object] = dict.fromkeys((field.name for field in attrs.fields(FuturesTransfer)), "1")
    (tmp_path / "rows").write_text(json.dumps(row | {"amount": text, "timestamp": 5}) + "\n", encoding="utf-8")
    with pytest.raises(ExportError, match="amount") as caught:
        _parquet.write_lines(tmp_path / "rows", tmp_path / "a.parquet", FuturesTransfer)
    assert len(str(caught.value)) < 200
    assert not (tmp_path / "a.parquet").exists()
