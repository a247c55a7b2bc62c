"""Bytes to models: what the decoder accepts, what it refuses, and that both engines say the same."""

from __future__ import annotations

import inspect
import json
from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitmart_trio._core import codec
from bitmart_trio.models._enums import OpenInt, OpenStr
from bitmart_trio.models._fields import Millis, Seconds, from_millis, from_seconds, wire
from bitmart_trio.models._rows import Level, Row


class Colour(OpenStr):
    """An enumeration of words."""

    RED = "red"
    BLUE = "blue"


class Phase(OpenInt):
    """An enumeration of numbers."""

    WAITING = 0
    DONE = 1


class Trade(Row, array_like=True, frozen=True):
    """A record that travels as an array."""

    name: str
    time: Millis
    price: Decimal
    side: Colour


@attrs.frozen(kw_only=True)
class Plain:
    """Wire names only: read straight from bytes."""

    id: str
    count: int
    price: Decimal
    colour: Colour
    phase: Phase
    levels: list[Level]
    average: Decimal | None = None


@attrs.frozen(kw_only=True)
class Renamed:
    """Renamed and blank fields: read by the hooks."""

    order_id: str = wire("orderId")
    note: str | None = None
    colour: Colour | None = None
    done_time: Millis | None = wire("doneTime", zero_is_none=True, default=None)
    held: Decimal | None = wire("frozen", aliases=("froze", "frz"), default=None)
    is_open: bool = wire("isOpen", default=False)
    items: list[str] = wire("list", default=attrs.Factory(list))


PLAIN: dict[str, Any] = {
    "id": "118100034543076010",
    "count": 3,
    "price": "0.10",
    "colour": "red",
    "phase": 1,
    "levels": [["1.5", "2"]],
}


def plain(**changes: Any) -> Plain:
    return codec.decoder(Plain)(json.dumps({**PLAIN, **changes}).encode())


def renamed(**members: Any) -> Renamed:
    return codec.decoder(Renamed)(json.dumps({"orderId": "1", **members}).encode())


def test_engines() -> None:
    """The fast engine serves models as they are on the wire; anything odd goes through the hooks."""
    assert codec.is_native(Plain)
    assert codec.is_native(list[Trade])
    assert not codec.is_native(Renamed)


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"id": 118100034543076010}, "id", "118100034543076010"),
        ({"id": 2**70}, "id", str(2**70)),
        ({"count": "3"}, "count", 3),
        ({"count": "3.0"}, "count", 3),
        ({"count": 3.0}, "count", 3),
        ({"price": 0.1}, "price", Decimal("0.1")),
        ({"price": 5}, "price", Decimal(5)),
        ({"price": "+0.0491"}, "price", Decimal("0.0491")),
        ({"price": "1e-8"}, "price", Decimal("1E-8")),
        ({"average": ""}, "average", None),
        ({"average": "-"}, "average", None),
        ({"average": None}, "average", None),
        ({"average": "7"}, "average", Decimal(7)),
        ({"levels": None}, "levels", []),
        ({"levels": [[1.5, 2]]}, "levels", [Level(Decimal("1.5"), Decimal(2))]),
        ({"levels": [["1.5", "2", "3", "grown"]]}, "levels", [Level(Decimal("1.5"), Decimal(2))]),
        ({"colour": "RED"}, "colour", Colour.RED),
        ({"colour": " red "}, "colour", Colour.RED),
        ({"phase": "1"}, "phase", Phase.DONE),
        ({"brandNew": {"a": 1}}, "count", 3),
    ],
)
def test_tolerance(changes: dict[str, Any], field: str, expected: object) -> None:
    """What the exchange has been seen to vary reads the same."""
    assert getattr(plain(**changes), field) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"price": "NaN"},
        {"price": "sNaN123"},
        {"price": " -Infinity "},
        {"price": True},
        {"price": ""},
        {"price": None},
        {"price": "twelve"},
        {"price": []},
        {"average": "inf"},
        {"count": "3.5"},
        {"count": 3.5},
        {"count": True},
        {"count": None},
        {"count": "1e999999999"},
        {"id": None},
        {"id": []},
        {"levels": {}},
        {"levels": [["NaN", "1"]]},
        {"levels": [["1"]]},
        {"levels": [5]},
        {"phase": "soon"},
    ],
)
def test_what_is_never_accepted(changes: dict[str, Any]) -> None:
    """No NaN, no boolean for a number, no gap where a value must be: an error that names the field."""
    with pytest.raises(codec.DecodeError) as caught:
        plain(**changes)
    assert next(iter(changes)) in str(caught.value)


def test_a_missing_field_is_named() -> None:
    """The path to what does not fit is in the message."""
    with pytest.raises(codec.DecodeError, match=r"orderId|order_id"):
        codec.decoder(list[Renamed])(b'[{"orderId": "1"}, {"note": "x"}]')


def test_unknown_words_become_members() -> None:
    """A word that the exchange adds is kept, equals itself, and says that it is unknown."""
    colour = plain(colour="green").colour
    assert colour.value == "green"
    assert colour == "green"
    assert not colour.is_known
    assert colour is plain(colour="green").colour
    assert Colour.RED.is_known
    phase = plain(phase=9).phase
    assert (phase.value, phase.is_known, str(phase)) == (9, False, "9")
    assert codec.structure("9", Phase) == 9


def test_unknown_words_do_not_pile_up() -> None:
    """A peer that sends ever new words costs no memory for ever."""
    for number in range(1000):
        assert Colour(f"shade {number}").value == f"shade {number}"
    assert len(Colour.__dict__["_unknown_members"]) <= 256


def test_what_the_twin_needs_of_msgspec_and_attrs() -> None:
    """Should one of these fail with a new version of either, `_twin` must go or be mended."""
    order: list[str] = []

    @attrs.frozen(kw_only=True)
    class Sold:
        time: int = wire("ms_t")
        size: Decimal
        note: str = "none"

        def __attrs_post_init__(self) -> None:
            order.append("init")

    # attrs keeps the fields of a slotted class in descriptors, and lists them in ``__attrs_attrs__``.
    assert inspect.ismemberdescriptor(inspect.getattr_static(Sold, "time"))
    assert [field.name for field in vars(Sold)["__attrs_attrs__"]] == ["time", "size", "note"]
    # msgspec goes by the list and the annotations of the class it is given, sets by name, and never calls __init__ ...
    unfinished: Any = codec._twin(Sold, finished=False)
    order.clear()
    filled = msgspec.json.decode(b'{"size":"1.50","ms_t":7}', type=unfinished)
    assert type(filled) is unfinished
    assert (filled.time, filled.size, filled.note) == (7, Decimal("1.50"), "none")
    # ... but does call the post-init, for which a finished twin has its own.
    assert order == ["init"]
    made = msgspec.json.decode(b'{"size":"1.50","ms_t":7}', type=codec._twin(Sold))
    assert order == ["init"]
    # Python lets a twin become the model, since it adds no slot; then it is what attrs would have made.
    filled.__class__ = Sold
    for trade in (filled, made):
        assert type(trade) is Sold
        assert trade == Sold(time=7, size=Decimal("1.50"))
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            trade.time = 8  # type: ignore[misc]
    # A missing field is named as on the wire; a ValueError of the post-init is a refusal, with its path.
    with pytest.raises(msgspec.ValidationError, match="`ms_t`"):
        msgspec.json.decode(b'{"size":"1"}', type=codec._twin(Sold))
    refusing = type("Refusing", (codec._twin(Sold),), {"__slots__": (), "__attrs_post_init__": _refuse})
    with pytest.raises(msgspec.ValidationError, match=r"no such trade.*\$\[0\]"):
        msgspec.json.decode(b'[{"size":"1","ms_t":7}]', type=list[refusing])  # type: ignore[valid-type]


def _refuse(_: object) -> None:
    raise ValueError("no such trade")


def test_renames_and_blanks() -> None:
    """Ciphers get names, blanks become None, a 0 that stands for no time too."""
    model = renamed(note="", colour="", doneTime=0, frozen="-", isOpen="true", list=None)
    assert model == Renamed(order_id="1", is_open=True)
    model = renamed(note="n", colour="blue", doneTime="1767225600000", frozen="0.5", isOpen=1, list=["a"])
    assert model == Renamed(
        order_id="1",
        note="n",
        colour=Colour.BLUE,
        done_time=Millis(1767225600000),
        held=Decimal("0.5"),
        is_open=True,
        items=["a"],
    )
    assert renamed(doneTime="0").done_time is None


def test_aliases() -> None:
    """Another spelling is read, the documented one wins."""
    assert renamed(frz="1").held == 1
    assert renamed(froze="2", frz="1").held == 2
    assert renamed(frozen="3", froze="2").held == 3


@pytest.mark.parametrize("value", [2, "yes", None, []])
def test_what_is_no_boolean(value: object) -> None:
    """Only true, false, 1 and 0, as words or numbers."""
    with pytest.raises(codec.DecodeError):
        renamed(isOpen=value)


def test_rows() -> None:
    """Array records read by name, iterate as they came, and may have grown."""
    (trade,) = codec.decoder(list[Trade])(b'[["BTC_USDT", "1767225600123", "67000.00", "Red", "new", 1]]')
    assert trade == Trade("BTC_USDT", Millis(1767225600123), Decimal("67000.00"), Colour.RED)
    assert list(trade) == ["BTC_USDT", 1767225600123, Decimal("67000.00"), Colour.RED]
    assert trade == codec.structure(["BTC_USDT", "1767225600123", Decimal("67000.00"), "red"], Trade)


def test_unknown_fields() -> None:
    """Everything that the models have no field for, with the path to it."""
    value = {
        **PLAIN,
        "new": 1,
        "levels": [["1", "2"], ["1", "2", "3"]],
    }
    assert codec.unknown_fields(value, Plain) == {"new": 1, "levels[1][2]": "3"}
    assert codec.unknown_fields([{"orderId": "1", "frz": "1", "x": {"y": 2}}], list[Renamed]) == {"[0].x": {"y": 2}}
    assert codec.unknown_fields({"a": [{"orderId": "1", "x": 2}]}, dict[str, list[Renamed]]) == {"a[0].x": 2}
    assert codec.unknown_fields(None, Plain | None) == {}


def test_untyped_numbers_are_exact() -> None:
    """Fractions are decimals, integers have no limit that ids could reach."""
    assert codec.loads(b"[0.1, 118100034543076010123, 1]") == [Decimal("0.1"), 118100034543076010123, 1]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        b'{"a": ',
        b"[" * 100_000,
        b'"\xff"',
        b"NaN",
        b"{} trailing",
    ],
)
def test_what_is_not_json(data: bytes) -> None:
    """One exception, whatever is wrong with the bytes."""
    with pytest.raises(codec.DecodeError):
        codec.loads(data)
    with pytest.raises(codec.DecodeError):
        codec.decoder(Plain)(data)
    with pytest.raises(codec.DecodeError):
        codec.decoder(Renamed)(data)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Nothing but a model or a DecodeError comes out of any bytes."""
    for read in (codec.loads, codec.members, codec.decoder(Plain), codec.decoder(Renamed), codec.decoder(list[Trade])):
        try:
            read(data)
        except codec.DecodeError:
            continue


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@given(JSON, st.sampled_from(sorted(PLAIN)))
def test_both_engines_agree_on_any_value(value: object, field: str) -> None:
    """Reading from bytes and reading untyped give the same model, or both refuse."""
    data = json.dumps({**PLAIN, field: value}).encode()
    results: list[object] = []
    for read in (codec.decoder(Plain), lambda raw: codec.structure(codec.loads(raw), Plain)):
        try:
            results.append(read(data))
        except codec.DecodeError:
            results.append("refused")
    assert results[0] == results[1]


def test_writing() -> None:
    """Compact, and decimals digit for digit where a number is wanted."""
    assert codec.dumps({"a": 1, "b": codec.number(Decimal("1E-8"))}) == b'{"a":1,"b":0.00000001}'


def test_times_become_aware_datetimes() -> None:
    """Exact, in UTC."""
    assert from_millis(Millis(1767225600123)).isoformat() == "2026-01-01T00:00:00.123000+00:00"
    assert from_seconds(Seconds(1767225600)).isoformat() == "2026-01-01T00:00:00+00:00"
