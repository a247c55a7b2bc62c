"""A local order book against a model of plain dicts that knows no shortcut."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import attrs
import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from proof_sizes import EXAMPLES

from bitmart_trio._core.book import HELD_BACK, Change, LocalBook, Step
from bitmart_trio.models import Level, Millis

Sizes = dict[Decimal, Decimal]


def levels(*pairs: tuple[str, str]) -> list[Level]:
    return [Level(Decimal(price), Decimal(size)) for price, size in pairs]


def change(version: int, bids: Iterable[Level] = (), asks: Iterable[Level] = (), time: int | None = None) -> Change:
    return Change(version, list(bids), list(asks), None if time is None else Millis(time))


def opened(level: int = 100) -> LocalBook:
    """A book at version 10 with bids 99, 98 and asks 101, 102."""
    book = LocalBook(level)
    assert (
        book.snapshot(change(10, levels(("99", "1"), ("98", "2")), levels(("101", "1"), ("102", "2")))) is Step.SNAPSHOT
    )
    return book


def pairs(side: Iterable[Level]) -> list[tuple[str, str]]:
    return [(str(level.price), str(level.size)) for level in side]


def test_a_new_book_is_not_in_sync_and_empty() -> None:
    """It knows nothing and says so."""
    book = LocalBook(5)
    assert not book.synced
    assert (book.best_bid(), book.best_ask(), book.bids(), book.asks()) == (None, None, (), ())


def test_a_snapshot_is_sorted_by_the_book_itself() -> None:
    """Nothing guarantees that the exchange sorts."""
    book = LocalBook(5)
    book.snapshot(
        change(1, levels(("1", "1"), ("3", "1"), ("2", "1")), levels(("9", "1"), ("7", "1"), ("8", "0")), time=17)
    )
    assert pairs(book.bids()) == [("3", "1"), ("2", "1"), ("1", "1")]
    assert pairs(book.asks()) == [("7", "1"), ("9", "1")]
    assert pairs(book.bids(2)) == [("3", "1"), ("2", "1")]
    assert book.bids(0) == book.asks(0) == ()
    assert book.time == 17


def test_sizes_are_totals_and_zero_removes() -> None:
    """Removing what is not held is nothing; a level may come back."""
    book = opened()
    assert book.update(change(11, levels(("99", "5"), ("97", "0"), ("98", "0.000")), levels(("100.5", "3")))) is (
        Step.UPDATED
    )
    assert pairs(book.bids()) == [("99", "5")]
    assert pairs(book.asks()) == [("100.5", "3"), ("101", "1"), ("102", "2")]
    book.update(change(12, levels(("98", "7"))))
    assert pairs(book.bids()) == [("99", "5"), ("98", "7")]


def test_prices_are_compared_as_numbers() -> None:
    """One price with and without trailing zeros is one level."""
    book = opened()
    book.update(change(11, levels(("99.00", "4"), ("9.8E+1", "0")), levels(("101.0", "0"))))
    assert [(level.price, level.size) for level in book.bids()] == [(Decimal(99), Decimal(4))]
    assert pairs(book.asks()) == [("102", "2")]


def test_old_versions_are_dropped() -> None:
    """A repeat, an older one and the sign of life of a quiet spot book change nothing and are no gap."""
    book = opened()
    for version in (10, 9, 1):
        assert book.update(change(version, levels(("99", "7")))) is Step.DROPPED
    for _ in range(100):
        assert book.update(change(10)) is Step.DROPPED
    assert (book.synced, book.stale, book.gaps, book.version) == (True, 103, 0, 10)
    assert pairs(book.bids(1)) == [("99", "1")]


def test_an_empty_update_of_the_next_version_counts() -> None:
    """A quiet futures book raises its version."""
    book = opened()
    assert book.update(change(11, time=5)) is Step.UPDATED
    assert book.update(change(12, levels(("99", "2")))) is Step.UPDATED
    assert (book.version, book.updates) == (12, 2)


def test_a_version_ahead_is_a_gap_and_is_kept_for_the_replay() -> None:
    """The snapshot that was asked for may be older or newer than what came meanwhile."""
    for version in (11, 12, 13):
        book = opened()
        assert book.update(change(12, levels(("99", "12")))) is Step.GAP
        assert not book.synced
        assert book.update(change(13, levels(("99", "13")))) is Step.HELD
        assert book.snapshot(change(version, levels(("99", str(version))))) is Step.SNAPSHOT
        assert (book.synced, book.version, pairs(book.bids()), book.gaps) == (True, 13, [("99", "13")], 1)
        assert book.update(change(14)) is Step.UPDATED


def test_a_gap_in_what_was_held_back_calls_for_another_snapshot() -> None:
    """What lies behind that gap is kept."""
    book = LocalBook(5)
    for version in (5, 7, 8):
        assert book.update(change(version, levels(("1", str(version))))) is Step.HELD
    assert book.snapshot(change(4)) is Step.GAP
    assert not book.synced
    assert book.snapshot(change(6)) is Step.SNAPSHOT
    assert (book.version, pairs(book.bids())) == (8, [("1", "8")])


def test_held_back_updates_are_bounded() -> None:
    """The oldest go, and the replay knows that they are missing."""
    book = LocalBook(5)
    for version in range(HELD_BACK + 10):
        book.update(change(version, levels(("1", "1"))))
    assert book.snapshot(change(3)) is Step.GAP
    assert book.snapshot(change(HELD_BACK)) is Step.SNAPSHOT
    assert book.version == HELD_BACK + 9


@pytest.mark.parametrize("bid", ["101", "101.5"])
def test_crossed_sides_are_out_of_sync(bid: str) -> None:
    """Best bid at or above best ask, by an update, a snapshot or a replay."""
    book = opened()
    assert book.update(change(11, levels((bid, "1")))) is Step.CROSSED
    assert not book.synced
    assert book.snapshot(change(12, levels((bid, "1")), levels(("101", "1")))) is Step.CROSSED
    assert not book.synced
    book.update(change(13, levels((bid, "1"))))
    assert book.snapshot(change(12, (), levels(("101", "1")))) is Step.CROSSED
    assert not book.synced
    assert book.snapshot(change(14, (), levels(("101", "1")))) is Step.SNAPSHOT
    assert (book.crossed, book.synced) == (3, True)


def test_a_touching_book_is_right_when_one_side_is_empty() -> None:
    """Empty sides are legal anywhere."""
    book = opened()
    assert book.update(change(11, levels(("500", "1")), levels(("101", "0"), ("102", "0")))) is Step.UPDATED
    assert (book.best_ask(), pairs(book.bids(1))) == (None, [("500", "1")])
    assert book.snapshot(change(12)) is Step.SNAPSHOT
    assert (book.best_bid(), book.best_ask()) == (None, None)


def test_a_snapshot_counts_whatever_its_version() -> None:
    """The exchange may begin to count anew."""
    book = opened()
    assert book.snapshot(change(2, levels(("50", "1")))) is Step.SNAPSHOT
    assert book.update(change(3)) is Step.UPDATED


def test_counting_anew_without_a_snapshot_is_noticed() -> None:
    """Updates with levels that are all old, one after the other, are no repeats."""
    book = opened()
    steps = [book.update(change(version % 10, levels(("99", "1")))) for version in range(30)]
    assert Step.GAP in steps
    assert not book.synced
    book = opened()
    for version in range(200):
        assert book.update(change(11 + version // 2, levels(("99", str(version // 2 + 1))))) is (
            Step.DROPPED if version % 2 else Step.UPDATED
        )


def test_reset_throws_all_away() -> None:
    """Nothing of an old connection is replayed on a new one."""
    book = opened()
    book.update(change(12, levels(("99", "3"))))
    book.reset()
    assert not book.synced
    assert book.snapshot(change(11, levels(("99", "1")))) is Step.SNAPSHOT
    assert (book.version, pairs(book.bids())) == (11, [("99", "1")])


def test_no_more_than_the_asked_levels_are_published_and_what_lies_below_is_bounded() -> None:
    """A level that comes back into view is there, and forgotten ones do not pile up for ever."""
    book = LocalBook(2)
    book.snapshot(change(0, levels(*((str(price), "1") for price in range(1, 5))), levels(("90", "1"))))
    assert pairs(book.bids()) == [("4", "1"), ("3", "1")]
    book.update(change(1, levels(("4", "0"))))
    assert pairs(book.bids(5)) == [("3", "1"), ("2", "1")]
    for version in range(2, 60):
        book.update(change(version, levels((str(version + 10), "1")), levels((str(200 - version), "1"))))
    assert pairs(book.bids()) == [("69", "1"), ("68", "1")]
    assert pairs(book.asks()) == [("90", "1"), ("141", "1")]
    book.update(change(60, levels(*((str(price), "0") for price in range(62, 70)))))
    assert book.bids() == ()


# ---- against a model -----------------------------------------------------------------------------------------------


@attrs.define
class Naive:
    """The rules, word for word, without any index."""

    level: int
    bids: Sizes = attrs.field(factory=dict)
    asks: Sizes = attrs.field(factory=dict)
    version: int = 0
    synced: bool = False
    repeats: int = 0
    held: list[Change] = attrs.field(factory=list)

    def message(self, kind: str, item: Change) -> None:
        if kind == "snapshot":
            self.bids = {level.price: level.size for level in item.bids if level.size}
            self.asks = {level.price: level.size for level in item.asks if level.size}
            self.version = item.version
            self.synced = not self.crossed()
            self.repeats = 0
            waiting, self.held = self.held, []
            for index, each in enumerate(waiting):
                if each.version > self.version + 1:
                    self.synced = False
                if not self.synced:
                    self.held = waiting[index:]
                    return
                self.update(each)
        elif not self.synced:
            self.held.append(item)
        elif item.version > self.version + 1:
            self.synced = False
            self.held.append(item)
        elif item.version == self.version + 1:
            self.update(item)
        elif item.bids or item.asks:
            self.repeats += 1
            self.synced = self.repeats < 20

    def update(self, item: Change) -> None:
        if item.version != self.version + 1:
            return
        for side, listed in ((self.bids, item.bids), (self.asks, item.asks)):
            for level in listed:
                side.pop(level.price, None)
                if level.size:
                    side[level.price] = level.size
        self.version = item.version
        self.synced = not self.crossed()
        self.repeats = 0

    def crossed(self) -> bool:
        return bool(self.bids and self.asks) and max(self.bids) >= min(self.asks)

    def best(self) -> tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]:
        return sorted(self.bids.items(), reverse=True)[: self.level], sorted(self.asks.items())[: self.level]


def _level(low: int, high: int) -> st.SearchStrategy[Level]:
    """Prices on a narrow grid, some written with trailing zeros, so that levels meet."""
    texts = st.builds(lambda units, zeros: f"{units}.5{'0' * zeros}", st.integers(low, high), st.integers(0, 2))
    return st.builds(Level, texts.map(Decimal), st.integers(0, 3).map(Decimal))


def _levels(low: int, high: int) -> st.SearchStrategy[list[Level]]:
    # One message never names a price twice.
    return st.lists(_level(low, high), max_size=5, unique_by=lambda level: level.price)


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["update"] * 8 + ["snapshot"]),
        st.sampled_from([1] * 12 + [0, 0, -1, 2, 3]),
        _levels(0, 12),
        _levels(11, 24),
    ),
    max_size=60,
)


@pytest.mark.proof
@settings(max_examples=EXAMPLES)
@given(messages=MESSAGES, level=st.sampled_from([3, 100]))
def test_any_messages_give_the_same_book_as_the_rules_word_for_word(
    messages: list[tuple[str, int, list[Level], list[Level]]], level: int
) -> None:
    """Gaps, repeats, disorder, crossed sides, snapshots at any moment: in sync at the same times, and equal then."""
    book, naive = LocalBook(level), Naive(level)
    newest = 0
    for kind, step, bids, asks in messages:
        newest = max(newest + step, 0)
        item = change(newest, bids, asks)
        if kind == "snapshot":
            book.snapshot(item)
        else:
            book.update(item)
        naive.message(kind, item)
        assert book.synced == naive.synced
        if book.synced:
            assert book.version == naive.version
            seen = (
                [(each.price, each.size) for each in book.bids()],
                [(each.price, each.size) for each in book.asks()],
            )
            assert seen == naive.best()
            best_bid, best_ask = book.best_bid(), book.best_ask()
            assert best_bid == (book.bids()[0] if book.bids() else None)
            assert best_ask == (book.asks()[0] if book.asks() else None)
            assert best_bid is None or best_ask is None or best_bid.price < best_ask.price
