"""How values are shown: exactly, within the terminal, and without obeying what the exchange sends."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal

from rich.console import Console

import bitmart_trio as bm
from bitmart_trio.cli._show import age, as_json, as_table, cell, fitting
from bitmart_trio.cli.watch import _shares  # pyright: ignore[reportPrivateUsage]


def _shown(value: object) -> str:
    console = Console(file=io.StringIO(), width=200, force_terminal=True, color_system=None)
    console.print(as_table(value))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_amounts_keep_every_digit() -> None:
    """Small ones have no exponent, large ones are not rounded."""
    assert as_json([Decimal("0.00000001"), Decimal("12345678901234567890.10")]) == (
        '["0.00000001", "12345678901234567890.10"]'
    )


def test_times_are_told_in_tables_only() -> None:
    """Both units by their size; a number that is no time stays one."""
    moment = datetime(2026, 11, 22, 18, 30, 1, 250_000, UTC)
    millis = int(moment.timestamp() * 1000)
    assert cell("create_time", millis) == "2026-11-22 18:30:01.250"
    assert cell("timestamp", millis // 1000) == "2026-11-22 18:30:01"
    assert cell("order_id", millis) == str(millis)
    assert cell("end_time", 0) == "0"
    assert cell("anything", None) == ""
    assert as_json({"time": millis}) == f'{{"time": {millis}}}'


def test_text_of_the_exchange_is_only_text() -> None:
    """Neither the terminal's escape sequences nor rich's own marks in it do anything."""
    shown = _shown([{"note": "\x1b]0;title\x07 [red]x[/red]\r\n"}])
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "[red]x[/red]" in shown


def test_columns_that_fit() -> None:
    """From the left, empty ones left out, and never none."""
    rows = [{"a": "1", "b": "", "c": "x" * 10, "d": "2"}]
    assert fitting(["a", "b", "c", "d"], rows, 100) == ["a", "c", "d"]
    assert fitting(["a", "b", "c", "d"], rows, 15) == ["a", "c"]
    assert fitting(["c"], rows, 3) == ["c"]


def test_lines_are_shared() -> None:
    """A small table gets what it needs, large ones the rest in equal parts; none gets a negative number of lines."""
    assert _shares([100, 1, 3], 20) == [16, 1, 3]
    assert _shares([100, 50], 20) == [10, 10]
    assert _shares([1, 2], 20) == [1, 2]
    assert all(share >= 0 for share in _shares([5, 5, 5], 1))


def test_spans() -> None:
    """Short ones to a tenth, long ones in a larger unit."""
    assert [age(seconds) for seconds in (0.25, 42, 600, 36_000)] == ["0.2 s", "42 s", "10 min", "10 h"]


def test_models_are_shown_whole() -> None:
    """Every field of a model has a line."""
    balance = bm.models.Balance(available=Decimal(1), frozen=Decimal(2))
    assert all(name in _shown(balance) for name in ("available", "frozen", "position_margin"))


def test_tables_say_the_zone_of_their_times() -> None:
    """In the head of the column, or behind the name of the field."""
    assert "create_time (UTC)" in _shown([{"create_time": 1_767_225_600_000, "price": "1"}])
    assert "create_time (UTC)" in _shown({"create_time": 1_767_225_600})
    assert "UTC" not in _shown([{"end_time": 0, "price": "1"}])
