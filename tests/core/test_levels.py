"""Levels that are converted when they are looked at are in nothing else different from ones that were made at once."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bitmart_trio._core import codec
from bitmart_trio.models._rows import Level, Levels
from bitmart_trio.models.futures_streams import FuturesDepth
from bitmart_trio.models.spot_streams import SpotDepth

TEXT = b'[["161.96","7.37567"],["161.95","0"],["161","12"]]'
EAGER = (
    Level(Decimal("161.96"), Decimal("7.37567")),
    Level(Decimal("161.95"), Decimal(0)),
    Level(Decimal(161), Decimal(12)),
)


def test_they_are_like_the_tuple_of_their_levels() -> None:
    """Equal both ways, to lists too; hashed, printed, counted, sliced, searched and pickled as such."""
    lazy = Levels.of(TEXT)
    assert len(lazy) == 3
    assert lazy[0] == EAGER[0]
    assert lazy == EAGER
    assert list(EAGER) == lazy
    assert lazy == Levels(EAGER) == Levels.of(TEXT.replace(b",", b", "))
    assert lazy != EAGER[:2]
    assert lazy != "161"
    assert hash(lazy) == hash(Levels(EAGER)) == hash(EAGER)
    assert repr(lazy) == repr(list(EAGER))
    assert (lazy[-1], lazy[1:], lazy[:0]) == (EAGER[-1], EAGER[1:], ())
    assert list(lazy) == list(EAGER)
    assert (EAGER[1] in lazy, lazy.index(EAGER[1]), list(reversed(lazy))) == (True, 1, list(reversed(EAGER)))
    assert pickle.loads(pickle.dumps(lazy)) == lazy
    assert isinstance(lazy, Sequence)
    with pytest.raises(IndexError):
        lazy[3]


def test_no_levels() -> None:
    """An empty side is false, has no first level, and equals an empty list."""
    for empty in (Levels(), Levels.of(b"[]"), Levels.of(b" [ ] ")):
        assert (len(empty), list(empty), bool(empty), empty == [], empty.texts()) == (0, [], False, True, [])
        with pytest.raises(IndexError):
            empty[0]


@pytest.mark.parametrize("model", [SpotDepth, FuturesDepth])
def test_models_that_hold_them_are_values(model: Any) -> None:
    """A depth message can be compared, hashed, printed, changed in a copy and pickled, read before or not."""
    data = b'[{"symbol":"ETH_USDT","asks":%b,"bids":[],"ms_t":5}]' % TEXT
    one, other = codec.decoder(list[model])(data)[0], codec.decoder(list[model])(data)[0]
    eager = model(symbol="ETH_USDT", asks=Levels(EAGER), bids=Levels(), time=5)
    assert other.asks[2].size == 12
    assert one == other == eager
    assert len({one, other, eager}) == 1
    assert repr(one) == repr(eager)
    assert pickle.loads(pickle.dumps(one)) == eager
    assert attrs.evolve(one, time=6) == attrs.evolve(eager, time=6) != eager
    assert type(one) is model


@pytest.mark.parametrize(
    "side",
    [
        b'[["1.5","2"],["1","2.5"]]',
        b'[ ["1.5" , "2"] ,["1","2"] ]',
        b'[["1.5", "2"], ["1.1", "2"]]',
        b'[["1.5","2.0"]]',
        b'[["1.5","0"],["1","2.25"],["0.5","0"]]',
        b'[["0.00000001","100000000000000000000.5"]]',
        json.dumps([[f"{price}.5", "1.0"] for price in range(1000)]).encode(),
    ],
)
def test_plain_sides_are_taken_as_they_are(side: bytes) -> None:
    """Whatever blanks and mixture of whole and broken numbers."""
    told = json.loads(side)
    assert Levels.of(side) == [Level(Decimal(price), Decimal(size)) for price, size in told]
    assert Levels.of(side).texts() == [tuple(each) for each in told]


@pytest.mark.parametrize(
    "side",
    [
        b'[["1.2.3","1"]]', b'[["","1"]]', b'[["1",""]]', b'[["1","2"],]', b'[["1","2"]', b"[]]", b'[["1"]]', b"",
        b'[["1","2","3"]]', b'[["1e5","2"]]', b'[["-1","2"]]', b'[["NaN","2"]]', b"[[1,2]]", b'[["1.5","2"]["1","2"]]',
        b'[[["1","2"]]]', b'["1","2"]', b"null", b"{}", b'[["1.5","2.5"],["1.5"', b'[["1.5","2.5"],["1.5",]]]',
        b'[["1.5","2.5"],["1.5","2.5"]]x', b'[["1 5","2"]]',
        b'[["1.5","0"],["1.2.3","1"]]', b'[["1.5","0"],["","1"]]', b'[["1.5","0"],["1",""]]',
        '[["\uff11","2"]]'.encode(),
    ],
)  # fmt: skip
def test_everything_else_is_left_to_the_decoder(side: bytes) -> None:
    """What is no list of pairs of plain numbers in quotes is refused, so that a malformed message is known as one."""
    with pytest.raises(ValueError, match="not a list of levels"):
        Levels.of(side)


def test_a_lone_dot_is_refused_at_the_latest_when_it_is_read() -> None:
    """The one thing that the quick look does not see."""
    for side in (b'[[".","1.0"]]', b'[["1.0","."]]'):
        lazy = Levels.of(side)
        for read in (lazy.texts, lambda lazy=lazy: list(lazy), lambda lazy=lazy: lazy[0]):
            with pytest.raises(ValueError, match=r"."):
                read()


NUMBERS = st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,8})?", fullmatch=True)
ODD: st.SearchStrategy[Any] = st.sampled_from(
    ["", "-1", "1e3", "NaN", " 5 ", "1.2.3", "+1", "x", 7, 1.5, None, True, []]
)
PAIRS = st.lists(st.lists(NUMBERS | ODD, min_size=1, max_size=3), max_size=5)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=200) | PAIRS, st.sampled_from([(",", ":"), (", ", ": ")]))
@example([("1.5", "2.5")] * 150, (",", ":"))
def test_both_ways_of_reading_agree(side: Any, separators: tuple[str, str]) -> None:
    """A side read as text, and one made level by level, are the same, or both are refused."""
    told = {"symbol": "X", "asks": side, "bids": [], "ms_t": 1}
    data = json.dumps(told, separators=separators).encode()
    results: list[object] = []
    for read in (codec.decoder(SpotDepth), lambda raw: codec.structure(codec.loads(raw), SpotDepth)):
        try:
            depth = read(data)
            results.append((depth, [*depth.asks]))
        except codec.DecodeError:
            results.append("refused")
    assert results[0] == results[1]
