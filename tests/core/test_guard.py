"""One guard in front of every number: the same texts are taken and refused wherever a number comes from."""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Callable
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import attrs
import pytest
from every_case import every_case
from hypothesis import example, given
from hypothesis import strategies as st
from number_cases import BAD, GOOD, label

from bitmart_trio._core import codec, guard, tolerant
from bitmart_trio._core.request import decimal
from bitmart_trio.errors import InvalidRequest
from bitmart_trio.models import SpotOrder, SpotTrade, Ticker, _numbers
from bitmart_trio.models._numbers import excerpt
from bitmart_trio.models._rows import Level, Levels, Row


@attrs.frozen(kw_only=True)
class Amount:
    """One number, read straight from bytes."""

    amount: Decimal


@attrs.frozen(kw_only=True)
class Count:
    """One whole number, read straight from bytes."""

    count: int


class Pair(Row, array_like=True, frozen=True):
    """A record that travels as an array."""

    name: str
    amount: Decimal


def _amount(text: str) -> Decimal:
    return codec.decoder(Amount)(json.dumps({"amount": text}).encode()).amount


def _unescaped(text: str) -> Decimal:
    return codec.decoder(Amount)(json.dumps({"amount": text}, ensure_ascii=False).encode()).amount


def _by_hooks(text: str) -> Decimal:
    return codec.structure({"amount": text}, Amount).amount


def _pushed(text: str) -> Decimal:
    read = codec.push_decoder(Amount, "table")
    assert read is not None
    found = read(json.dumps({"data": [{"amount": text}], "table": "spot/ticker:X"}).encode())
    if found is None:
        raise codec.DecodeError("not straight from bytes")
    return found[0].amount


def _in_a_row(text: str) -> Decimal:
    return codec.decoder(list[Pair])(json.dumps([["a", text]]).encode())[0].amount


def _in_a_level(text: str) -> Decimal:
    return codec.decoder(list[Level])(json.dumps([["1", text]]).encode())[0].size


def _argument(text: str) -> Decimal:
    return decimal("size", text)


READERS: list[Callable[[str], Decimal]] = [
    _numbers.exact,
    _amount,
    _unescaped,
    _by_hooks,
    _in_a_row,
    _in_a_level,
    _argument,
]


@every_case("read", READERS)
@every_case("text", GOOD, ids=label)
def test_numbers_that_everything_reads(read: Callable[[str], Decimal], text: str) -> None:
    """Digit for digit, also in a program whose decimal context is small."""
    with localcontext() as context:
        context.prec = 3
        assert str(read(text)) == str(Decimal(text))


@every_case("read", [*READERS, _pushed])
@every_case("text", BAD, ids=label)
def test_numbers_that_nothing_reads(read: Callable[[str], Decimal], text: str) -> None:
    """They are refused at once, whatever they would take to write out."""
    started = time.process_time()
    with pytest.raises((ValueError, codec.DecodeError, InvalidRequest)) as caught:
        read(text)
    assert len(str(caught.value)) < 300
    assert time.process_time() - started < 1


@pytest.mark.parametrize("text", [each for each in BAD if "_" in each or each.strip("0123456789") == ""], ids=label)
def test_whole_numbers_keep_the_same_rule(text: str) -> None:
    """As text and as a JSON number."""
    for data in (json.dumps({"count": text}), f'{{"count": {text}}}'):
        with pytest.raises(codec.DecodeError):
            codec.decoder(Count)(data.encode())
    with pytest.raises(ValueError):
        _numbers.whole(text)


@pytest.mark.parametrize(
    "value", [10**400, -(10**400), 10**5000, Decimal("1e400"), Decimal("NaN"), True, 1.5, None], ids=excerpt
)
def test_values_that_are_no_sane_number(value: object) -> None:
    """Of a caller, before anything is written out or sent."""
    with pytest.raises(ValueError) as caught:
        _numbers.exact(value)
    assert len(str(caught.value)) < 200


def test_a_body_is_never_built_from_a_number_without_bounds() -> None:
    """An argument such as 1e2000000 would make a body of two megabytes."""
    for value in ("1e2000000", Decimal("1e2000000"), 10**500, "1_000", "\u0661"):
        with pytest.raises(InvalidRequest) as caught:
            decimal("size", value)
        assert caught.value.argument == "size"


def test_untyped_json_keeps_a_number_beyond_all_bounds_as_text() -> None:
    """What else a raw reply says is readable all the same."""
    nines = "9" * 5000
    data = f'{{"a": 1e999999, "b": {nines}, "c": -{nines}.5, "d": "{nines}", "e": "x \\" {nines}", "f": 1.50}}'
    assert codec.loads(data.encode()) == {
        "a": "1e999999",
        "b": nines,
        "c": f"-{nines}.5",
        "d": nines,
        "e": f'x " {nines}',
        "f": Decimal("1.50"),
    }


@pytest.mark.parametrize("deep", [guard.MOST_NESTED, guard.MOST_NESTED + 1, 5_000, 100_000])
@pytest.mark.parametrize(("begin", "end"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_nesting_has_a_bound_of_its_own(deep: int, begin: bytes, end: bytes) -> None:
    """The same on every interpreter, whatever its recursion limit."""
    times = deep // begin.translate(None, b'"a:').__len__()
    levels = times * len(begin.translate(None, b'"a:'))
    data = begin * times + b"1" + end * times
    assert guard.is_too_deep(data) == (levels > guard.MOST_NESTED)
    if levels > guard.MOST_NESTED:
        with pytest.raises(codec.DecodeError, match="nested"):
            codec.loads(data)
    else:
        codec.loads(data)


def test_brackets_in_texts_are_no_nesting() -> None:
    """However many there are, and whatever stands before them."""
    data = json.dumps({"a": "[" * 1000, 'b"': "{" * 1000, "c\\": ["]"] * 1000}).encode()
    assert not guard.is_too_deep(data)
    assert codec.loads(data)
    assert not guard.is_too_deep(json.dumps([[{}]] * 10_000).encode())


@pytest.mark.parametrize("piece", [b"{},", b"[],", b'{"symbol":"B"},', b"null,", b"1,", b'"x",'])
@pytest.mark.parametrize("type_", [SpotOrder, Ticker, Level, Count, str, object])
def test_a_list_of_far_too_many_values_is_refused_before_it_is_made(type_: Any, piece: bytes) -> None:
    """A megabyte of ``{},`` would take the memory of forty and stop the loop for ten seconds."""
    elements: Any = list[type_]
    text = b"[%b0]" % (piece * 1_100_000)
    began = time.process_time()
    with pytest.raises(codec.DecodeError, match="more than 100,000 arrays and objects, or 1,000,000 values"):
        tolerant.read(elements, text, "GET /x")
    with pytest.raises(codec.DecodeError, match="more than"):
        codec.loads(text)
    with pytest.raises(codec.DecodeError, match="more than"):
        codec.members(b'{"data":%b}' % text)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("piece", [b"{},", b'{"symbol":"B"},', b"5,"])
@pytest.mark.parametrize("type_", [SpotOrder, Ticker, SpotTrade])
def test_a_list_in_which_far_too_much_does_not_fit_is_refused(type_: Any, piece: bytes) -> None:
    """Reading member by member is slow, and nothing else runs meanwhile."""
    elements: Any = list[type_]
    began = time.process_time()
    with pytest.raises(codec.DecodeError, match="more than 10,000 values of it do not fit"):
        tolerant.read(elements, b"[%b5]" % (piece * 99_000), "GET /x")
    assert time.process_time() - began < 5


def test_a_push_of_far_too_many_values_is_not_read_at_once() -> None:
    read = codec.push_decoder(SpotTrade, "table")
    assert read is not None
    trade = b'{"symbol":"BTC_USDT","price":"1","size":"1","side":"buy","s_t":1700000000,"ms_t":1700000000000}'
    frame = b'{"data":[%b],"table":"spot/trade"}'
    few, many = (frame % b",".join([trade] * count) for count in (3000, 100_001))
    assert len(read(few) or []) == 3000
    assert read(many) is None


JSON: Any = st.recursive(
    st.none() | st.integers() | st.text(st.sampled_from('[]{}"\\ax'), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=30,
)


def _levels(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_levels, value.values()), default=0)
    return 1 + max(map(_levels, value), default=0) if isinstance(value, list) else 0


@example(value=[{"": "]", "0": []}, "["], wrapped=62)
@example(value=[['"]', []], "["], wrapped=62)
@given(JSON, st.integers(0, 66))
def test_depth_is_counted_right(value: object, wrapped: int) -> None:
    """In any JSON, with brackets in its texts."""
    for _ in range(wrapped):
        value = [value]
    assert guard.is_too_deep(json.dumps(value).encode()) == (_levels(value) > guard.MOST_NESTED)


@given(st.lists(st.text("0123456789.", max_size=900), max_size=3))
def test_long_runs_are_all_found(texts: list[str]) -> None:
    """Wherever they begin."""
    data = ",".join(texts).encode()
    longest = max(map(len, data.replace(b".", b",").split(b",")))
    assert guard.has_long_run(data) == (longest > _numbers.MOST_DIGITS)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r'"\ud83d\ude00 \\ud800 \ud800"', "\N{GRINNING FACE} \\ud800 \ufffd"),
        (r'"\udc00\ud800\ud800\udc00"', "\ufffd\ufffd\U00010000"),
    ],
)
def test_half_a_character_does_not_cost_the_rest(text: str, read: str) -> None:
    """Python's own JSON writes such escapes."""
    assert codec.loads(bytes(codec.members(f'{{"a": {text}, "b": 1}}'.encode())["a"])) == read


# Texts that differ in little from numbers: what a short way must tell apart.
LIKE_NUMBERS: Any = st.one_of(
    st.sampled_from([each for each in (*GOOD, *BAD) if len(each) < 450]),
    st.text("0019.+-eE_ nasif", max_size=8),
    st.text("09.eE_\u0661\u00a0", max_size=5),
    st.text("0123456789.", min_size=1, max_size=420),
)


def _exact_or_none(text: str) -> Decimal | None:
    try:
        return _numbers.exact(text.strip(" \t\r\n"))
    except ValueError:
        return None


@example(texts=["0_E0"], ascii_only=False)
@example(texts=["-0", "0_ ", "\t_0", "0_\n", " _ 0 _e1"], ascii_only=False)
@given(st.lists(LIKE_NUMBERS, min_size=1, max_size=8), st.booleans())
def test_a_guard_that_has_seen_much_takes_no_more(texts: list[str], ascii_only: bool) -> None:
    """Messages whose shape is known are read in a short way: to the same numbers, or not at all."""
    read = codec.push_decoder(Amount, "table")
    assert read is not None
    for text in [*texts, *texts]:
        data = json.dumps({"data": [{"amount": text}], "table": "spot/ticker:E1_X"}, ensure_ascii=ascii_only)
        found = read(data.encode())
        wanted = _exact_or_none(text)
        if found is not None:
            assert wanted is not None, text
            # Equal, with the same decimals; the sign of a zero is no part of a number.
            assert str(abs(found[0].amount)) == str(abs(wanted))
            assert found[0].amount == wanted
        elif wanted is not None:
            assert text.strip("0123456789.") or len(text) > _numbers.MOST_DIGITS, text


@example(texts=["e5", "1e5.0"], form='"{}"')
@example(texts=["1_000", "_1"], form="{}")
@given(
    st.lists(LIKE_NUMBERS, max_size=5), st.sampled_from(['"{}"', "{}", '{{"e_1":"{}"}}', '{{"nan":{}}}', '["{}", 1]'])
)
def test_shapes_are_remembered_of_plain_messages_alone(texts: list[str], form: str) -> None:
    """Whatever the short way takes, the long way takes."""
    shapes = guard.Shapes({}, set())
    is_plain = guard.number_guard((b'"e_1"',), shapes)
    for text in [*texts, *texts]:
        data = form.format(text).encode()
        shape, alone = data.translate(guard.ZEROS), guard.number_guard((b'"e_1"',))
        if shape in (shapes.first.get(len(data)), *shapes.others):
            assert alone(data)
        assert is_plain(data) == alone(data)


def test_a_name_to_look_for_is_found_whatever_digits_were_seen_before_it() -> None:
    """A shape that differs from it in digits only vouches for nothing."""
    shapes = guard.Shapes({}, set())
    is_plain = guard.number_guard((b'"volume_24"',), shapes)
    assert is_plain(b'{"volume_12":1}')
    assert shapes == guard.Shapes({}, set())
    assert not is_plain(b'{"volume_24":1}')
    assert is_plain(b'{"volume":1}')
    assert shapes.first == {12: b'{"volume":0}'}


def test_what_is_remembered_of_shapes_is_bounded() -> None:
    """A peer that never sends a shape twice fills no memory."""
    shapes = guard.Shapes({}, set())
    is_plain = guard.number_guard((), shapes)
    for number in range(5000):
        assert is_plain(b'{"x%c%c%c":1}' % (97 + number % 26, 97 + number // 26 % 26, 97 + number // 676))
    assert len(shapes.others) <= 1024
    assert len(shapes.first) <= 1024


@given(st.text('"nNaAfFiIsSeE_0.,+- ', max_size=30))
def test_odd_numbers_are_found_in_any_letters_around_them(text: str) -> None:
    """Looking at the letters alone first leaves none out."""
    low = text.lower().encode()
    odd = guard._NOT_FINITE.search(low) is not None or guard._EXPONENT.search(low) is not None  # pyright: ignore[reportPrivateUsage]
    assert guard.has_odd_numbers(text.encode()) == odd


@given(st.lists(st.lists(st.text("0123456789.", max_size=4), min_size=2, max_size=2), max_size=4), st.booleans())
def test_a_side_is_judged_by_itself_whatever_came_before_it(levels: list[list[str]], spaced: bool) -> None:
    """Sides are compared with one that passed; this lets none pass that would not have passed alone."""
    for count in range(5):
        Levels.of(json.dumps([["1.5", "0.25"]] * count).encode())
    side = json.dumps(levels, separators=(", ", ": ") if spaced else (",", ":")).encode()
    if all(text.strip(".") and text.count(".") <= 1 for pair in levels for text in pair):
        assert [[level.price, level.size] for level in Levels.of(side)] == [[*map(Decimal, pair)] for pair in levels]
    else:
        with pytest.raises(ValueError):
            Levels.of(side).texts()


def test_a_side_of_unequal_levels_does_not_vouch_for_others() -> None:
    """A price of nothing is refused beside a size with a point, in a book whose last side fitted."""
    Levels.of(b'[["1.5","2.5"],["1.4","3.5"]]')
    for side in (b'[["1.5","2.5"],["","3..5"]]', b'[["1.5","2.5"],["1.4","3.5"],]', b'[["15","2.5"],["1..4","3.5"]]'):
        with pytest.raises(ValueError):
            Levels.of(side)


@pytest.mark.parametrize("length", [guard.MOST_NESTED, guard.MOST_NESTED + 1])
def test_short_json_is_read_without_a_look_at_its_depth(length: int) -> None:
    """It cannot nest deeper than it is long; what is no JSON is refused all the same."""
    with pytest.raises(codec.DecodeError):
        codec.loads(b"[" * length)
    assert codec.loads(b"1" * length) == int("1" * length)


# Where a Decimal is made of something else than a constant, and why no guard stands there.
_MADE_ELSEWHERE = {
    "models/_numbers.py": "the guard itself",
    "_core/book.py": "texts of levels that the guard of sides has passed",
    "cli/watch.py": "texts that the screen itself has written",
    "convert.py": "numbers of objects that were read already",
}


def _unguarded(source: str) -> list[int]:
    """Return the lines in which Decimal is made of a variable, or handed to a JSON reader."""
    lines: list[int] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Decimal":
            lines += [node.lineno for each in node.args if not isinstance(each, ast.Constant)]
        elif isinstance(node, ast.keyword) and isinstance(node.value, ast.Name) and node.value.id == "Decimal":
            lines.append(node.value.lineno)
    return lines


def test_every_number_of_the_client_comes_through_the_guard() -> None:
    """No door beside it: of sessions, archives, files or the command line; the simulated exchange has its own."""
    root = Path(_numbers.__file__).parents[1]
    files = {path.relative_to(root).as_posix(): path for path in root.rglob("*.py")}
    client = {name: path for name, path in files.items() if not name.startswith(("sim/", "testing/"))}
    found = {name: _unguarded(path.read_text(encoding="utf-8")) for name, path in client.items()}
    assert {name for name, lines in found.items() if lines} == set(_MADE_ELSEWHERE)
    assert _unguarded("x = Decimal(text)\ny = Decimal('1')\nz = loads(t, parse_float=Decimal)") == [1, 3]
