"""Amounts of a session, from a caller or from its journal, keep to the one rule for numbers."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import pytest
from every_case import every_case
from number_cases import BAD, GOOD, label

from bitmart_trio.errors import InvalidRequest
from bitmart_trio.trading._order import Intent, amount

ENTRY: dict[str, object] = {
    "what": "intent", "id": "a1", "market": "spot", "symbol": "BTC_USDT", "kind": "order", "side": "buy",
    "type": "limit", "size": "1", "price": "2.50", "extras": {},
}  # fmt: skip


@pytest.mark.parametrize("text", GOOD, ids=label)
def test_an_amount_is_taken_digit_for_digit(text: str) -> None:
    """Also in a program whose decimal context is small."""
    with localcontext() as context:
        context.prec = 3
        assert str(amount(text, "size")) == str(Decimal(text))


@every_case(
    "value",
    [*BAD, Decimal("NaN"), Decimal("1e30000000"), 10**401],
    ids=lambda x: label(str(x)[:99]) if isinstance(x, str | Decimal) else "int",
)
def test_an_amount_that_no_exchange_writes_is_refused_by_its_name(value: Any) -> None:
    """In one line, whatever it would take to write out."""
    with pytest.raises(InvalidRequest, match="size is ") as caught:
        amount(value, "size")
    assert caught.value.argument == "size"
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("value", [1.5, True, [1], b"1"])
def test_what_is_no_amount_at_all_is_a_mistake_of_the_program(value: Any) -> None:
    with pytest.raises(TypeError, match="price must be a Decimal, an int or a str"):
        amount(value, "price")


@every_case("name", ["size", "price", "notional"])
@every_case("text", BAD, ids=label)
def test_a_journal_entry_with_another_number_is_damaged(text: str, name: str) -> None:
    """Nobody but a forger wrote it."""
    assert Intent.from_entry(ENTRY).price == Decimal("2.50")
    with pytest.raises(ValueError, match=name):
        Intent.from_entry({**ENTRY, name: text})
