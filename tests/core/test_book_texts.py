"""The order book on the texts of the wire: spellings of prices, many updates, and texts that are no numbers."""

from __future__ import annotations

import json
from decimal import Decimal

import hypothesis.strategies as st
from hypothesis import given

from bitmart_trio._core.book import Change, LocalBook, Step
from bitmart_trio.models._rows import Level, Levels


def side(*pairs: tuple[str, str]) -> Levels:
    return Levels.of(json.dumps(pairs).encode())


def opened(level: int = 100) -> LocalBook:
    """A book at version 1 with bids 99.5, 98 and asks 101, 102.25."""
    book = LocalBook(level)
    whole = Change(1, side(("99.5", "1"), ("98", "2")), side(("101", "1"), ("102.25", "2")))
    assert book.snapshot(whole) is Step.SNAPSHOT
    return book


def test_one_price_in_many_spellings() -> None:
    """With and without trailing zeros, and after prices with more decimal places have come, it is one level."""
    book = opened()
    updates = [
        (side(("98.000", "3")), side(("101.0", "0"))),
        (side(("97.00000001", "1")), side(("101.5", "4"))),
        (side(("98", "5"), ("97.000000010", "0")), side(("101.50000000000", "6"), ("0102.25", "7"))),
    ]
    for version, (bids, asks) in enumerate(updates, start=2):
        assert book.update(Change(version, bids, asks)) is Step.UPDATED
    assert book.bids() == (Level(Decimal("99.5"), Decimal(1)), Level(Decimal(98), Decimal(5)))
    assert book.asks() == (Level(Decimal("101.5"), Decimal(6)), Level(Decimal("102.25"), Decimal(7)))


def test_best_prices_while_levels_come_and_go() -> None:
    """Thousands of levels that were best and are gone leave nothing behind."""
    book = opened()
    version = 1
    for number in range(2000):
        price = f"99.{number % 400 + 550:03}"
        for size in ("1", "0"):
            version += 1
            assert book.update(Change(version, side((price, size)), side())) is Step.UPDATED
            best = book.best_bid()
            assert best is not None
            assert best.price == max(Decimal(price) if size == "1" else Decimal(0), Decimal("99.5"))
    assert len(book.bids()) in (1, 2)


def test_a_text_that_is_no_number_is_as_bad_as_a_missing_version() -> None:
    """The book is out of sync and says so, until the next good snapshot."""
    book = opened()
    assert book.update(Change(2, side((".", "1.5")), side())) is Step.GAP
    assert not book.synced
    assert book.snapshot(Change(3, side(), side(("1.5", ".")))) is Step.GAP
    assert not book.synced
    assert book.snapshot(Change(4, side(("1", "1")), side(("2", "1")))) is Step.SNAPSHOT
    assert book.synced


PRICES = st.integers(1, 40).flatmap(
    lambda ticks: st.sampled_from([f"{ticks / 4}", f"{ticks / 4:.2f}", f"{ticks / 4:.5f}"])
)
SIZES = st.sampled_from(["0", "0.0", "0.000", "1", "0.5", "2.500"])


@given(st.lists(st.lists(st.tuples(PRICES, SIZES), max_size=6), max_size=30), st.booleans())
def test_it_holds_what_a_dictionary_of_decimals_would(updates: list[list[tuple[str, str]]], bids: bool) -> None:
    """Whatever the order of updates and spellings, on either side; and as levels or as text."""
    book, plain = LocalBook(1000), dict[Decimal, Decimal]()
    book.snapshot(Change(0, Levels(), Levels()))
    for version, update in enumerate(updates, start=1):
        lazy = side(*update) if version % 2 else [Level(Decimal(price), Decimal(size)) for price, size in update]
        book.update(Change(version, lazy, ()) if bids else Change(version, (), lazy))
        for price, size in update:
            plain[Decimal(price)] = Decimal(size)
        held = {price: size for price, size in plain.items() if size}
        found = book.bids() if bids else book.asks()
        assert [(level.price, level.size) for level in found] == sorted(held.items(), reverse=bids)
        best = book.best_bid() if bids else book.best_ask()
        assert best == (found[0] if found else None)
