"""The matching book: whom a taker meets, and that a long book costs no more than a short one."""

from __future__ import annotations

import sys
from decimal import Decimal
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitmart_trio.sim.kernel import book as book_module
from bitmart_trio.sim.kernel.book import Book, Resting, Side


def filled(prices: list[int], side: Side = "sell") -> Book:
    """A book with one order of size 1 a price, called by their place in the list."""
    book = Book()
    for number, price in enumerate(prices):
        book.add(Resting(str(number), side, Decimal(price), Decimal(1), None))
    return book


@given(
    st.lists(st.integers(1, 4), max_size=80),
    st.sampled_from(["buy", "sell"]),
    st.none() | st.integers(1, 4),
    st.lists(st.none() | st.integers(0, 80), max_size=80),
)
def test_a_taker_meets_what_is_still_there(
    prices: list[int], taker: Side, limit: int | None, acts: list[int | None]
) -> None:
    """Best price first, then oldest, up to the limit, whatever was taken, passed by or cancelled on the way."""
    book = filled(prices, "sell" if taker == "buy" else "buy")
    sign = 1 if taker == "buy" else -1
    expected = sorted(range(len(prices)), key=lambda number: (sign * prices[number], number))
    expected = [number for number in expected if limit is None or sign * prices[number] <= sign * limit]
    met: list[int] = []
    for order, act in zip(book.candidates(taker, None if limit is None else Decimal(limit)), acts, strict=False):
        met.append(int(order.order_id))
        victim = int(order.order_id) if act is None else act
        if book.cancel(str(victim)) is not None and victim not in met and victim in expected:
            expected.remove(victim)
    assert met == expected[: len(met)]
    if len(met) < len(acts):
        assert len(met) == len(expected)


def lines_run(book: Book, size: int) -> int:
    """How many lines of the book's code one match runs."""
    count = 0

    def watch(frame: FrameType, event: str, detail: Any) -> Any:
        nonlocal count
        count += event == "line"
        return watch if frame.f_code.co_filename == book_module.__file__ else None

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        book.match("buy", None, Decimal(size))
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("levels", [1, 2_000])
def test_a_match_reads_no_more_of_the_book_than_it_trades_with(levels: int) -> None:
    """The same work with 40 resting orders and with 2,000, at one price or at as many prices."""
    small, large = (filled([number % levels for number in range(1, orders + 1)]) for orders in (40, 2_000))
    assert lines_run(small, 3) == lines_run(large, 3)
