"""Absent members: what an object that lacks some does, what a reply without them is, and what is refused."""

from __future__ import annotations

import copy
import json
import pickle
from decimal import Decimal
from typing import Any, ClassVar

import attrs
import pytest

import bitmart_trio as bm
from bitmart_trio._bitmart.rest import READER
from bitmart_trio._bitmart.rows import REGISTRY, Endpoint
from bitmart_trio._core import codec, tolerant
from bitmart_trio._core.endpoint import Auth
from bitmart_trio._core.reply import Reply
from bitmart_trio.models import Millis, SpotOrder
from bitmart_trio.models._absent import partial
from bitmart_trio.models._fields import wire
from bitmart_trio.models._rows import Levels, Row


class Bar(Row, array_like=True, frozen=True):
    """A record that travels as an array."""

    time: Millis
    close: Decimal


@attrs.frozen(kw_only=True)
class Inner:
    """An object within one."""

    amount: Decimal
    note: str | None = None


@attrs.frozen(kw_only=True)
class Thing:
    """An object with all kinds of members."""

    name: str
    size: Decimal = wire("sz")
    when: Millis | None = wire("ts", zero_is_none=True, default=None)
    inner: Inner
    inners: list[Inner]
    levels: Levels
    tags: dict[str, Decimal] = attrs.field(factory=dict)

    @property
    def twice(self) -> Decimal:
        """Twice the size."""
        return self.size * 2

    @property
    def shout(self) -> str:
        """The name."""
        return self.name.upper()


@attrs.frozen
class Placed:
    """What must have an id."""

    order_id: str
    price: Decimal

    _identity_: ClassVar[tuple[str, ...]] = ("order_id",)


WHOLE: dict[str, Any] = {
    "name": "a", "sz": "1.50", "ts": 5, "inner": {"amount": "1"}, "inners": [{"amount": "2"}],
    "levels": [["1", "2"]], "tags": {"x": "1"},
}  # fmt: skip


def thing(**changes: Any) -> Thing:
    """One with these members changed; None of Python leaves one out."""
    members = {name: value for name, value in {**WHOLE, **changes}.items() if value is not ...}
    value, _ = tolerant.read(Thing, json.dumps(members).encode(), "GET /thing")
    return value


def test_an_ordinary_object_lacks_nothing() -> None:
    """It is of its own class, which knows nothing of absence."""
    whole = thing()
    assert type(whole) is Thing
    assert bm.absent(whole) == {}
    assert not hasattr(Thing, "__getattr__")
    assert bm.absent(5) == {}


@pytest.mark.parametrize(
    ("changes", "absent"),
    [
        ({"name": ...}, {"name": None}),
        ({"name": None}, {"name": "null"}),
        ({"sz": ...}, {"size": None}),
        ({"sz": None}, {"size": "null"}),
        ({"sz": ""}, {"size": '""'}),
        ({"sz": "1_000"}, {"size": '"1_000"'}),
        ({"sz": "1e2000000"}, {"size": '"1e2000000"'}),
        ({"sz": {"a": 1.50}}, {"size": '{"a":1.5}'}),
        ({"ts": ...}, {}),
        ({"ts": "soon"}, {"when": '"soon"'}),
        ({"inner": ...}, {"inner": None}),
        ({"inner": 5}, {"inner": "5"}),
        ({"inners": ...}, {"inners": None}),
        ({"inners": None}, {}),
        ({"inners": "x"}, {"inners": '"x"'}),
        ({"levels": ...}, {"levels": None}),
        ({"levels": None}, {}),
        ({"name": ..., "sz": True}, {"name": None, "size": "true"}),
    ],
)
def test_what_cannot_be_read_is_absent(changes: dict[str, Any], absent: dict[str, str | None]) -> None:
    """With its JSON; everything else is read."""
    got, whole = thing(**changes), thing()
    assert isinstance(got, Thing)
    assert bm.absent(got) == absent
    for name, raw in absent.items():
        with pytest.raises(bm.AbsentMember) as caught:
            getattr(got, name)
        assert (caught.value.member, caught.value.model, caught.value.source) == (name, "Thing", "GET /thing")
        assert caught.value.raw == raw
        assert f"Thing.{name} is absent" in str(caught.value)
        assert not hasattr(got, name)
    for name in {"name", "size", "inner", "inners", "levels", "tags"} - {*absent} - {"inners", "levels"}:
        assert getattr(got, name) == getattr(whole, name)


def test_an_absent_member_is_a_missing_attribute_and_an_error_of_ours() -> None:
    """So both ways to handle it work, and a misspelt name is still another error."""
    got: Any = thing(sz=...)
    assert getattr(got, "size", None) is None
    with pytest.raises(bm.BitMartError):
        _ = got.size
    with pytest.raises(AttributeError) as caught:
        _ = got.sise
    assert not isinstance(caught.value, bm.BitMartError)
    again = pickle.loads(pickle.dumps(bm.AbsentMember(member="size", model="Thing", source="x", raw="1")))
    assert (again.member, again.raw, str(again)) == ("size", "1", "Thing.size is absent: it came as 1 in x")


def test_what_is_derived_names_the_member_that_it_needs() -> None:
    """A property of the model reads other members."""
    got = thing(sz=...)
    assert got.shout == "A"
    with pytest.raises(bm.AbsentMember) as caught:
        _ = got.twice
    assert caught.value.member == "size"


def test_printing_shows_what_is_absent() -> None:
    """And the JSON in its place, cut."""
    text = repr(thing(sz="?" * 500, name=...))
    assert text.startswith('Thing(name=<absent>, size=<absent: "???')
    assert len(text) < 400
    assert "inner=Inner(amount=Decimal('1'), note=None)" in text


def test_comparing_hashing_copying_pickling() -> None:
    """As of any model: by class, values, and what is absent."""
    one, same, other = (partial(Placed, {"order_id": "1"}, {"price": "?"}, "x") for _ in range(3))
    other = partial(Placed, {"order_id": "2"}, {"price": "?"}, "x")
    whole = Placed("1", Decimal(5))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != whole
    assert whole != one
    assert len({one, same, other, whole}) == 3
    for twin in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert twin == one
        assert bm.absent(twin) == {"price": "?"}
        assert isinstance(twin, Placed)


def test_evolving() -> None:
    """What is given is there then, what was absent stays so; a whole object is an ordinary one."""
    got = thing(sz=..., name=...)
    named = attrs.evolve(got, name="b")
    assert (named.name, bm.absent(named)) == ("b", {"size": None})
    assert "size=<absent>" in repr(named)
    whole = attrs.evolve(named, size=Decimal("1.50"))
    assert type(whole) is Thing
    assert whole == attrs.evolve(thing(), name="b")
    assert "size" not in attrs.asdict(named)
    with pytest.raises(TypeError, match="sise"):
        attrs.evolve(got, sise=1)  # type: ignore[call-arg]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        got.name = "c"  # type: ignore[misc]


def test_lists_keep_their_elements() -> None:
    """One with a bad member is as long as ever."""
    got = thing(inners=[{"amount": "1"}, {"amount": "?"}, {"note": "x"}, {"amount": "4", "note": 5}])
    assert [bm.absent(each) for each in got.inners] == [{}, {"amount": '"?"'}, {"amount": None}, {}]
    assert got.inners[2].note == "x"
    assert bm.absent(got) == {}


def row(returns: Any, at: tuple[str, ...] = ()) -> Endpoint[Any]:
    """A row with this payload, which the registry does not keep."""
    endpoint: Endpoint[Any] = Endpoint("GET", "/thing", Auth.NONE, returns=returns, at=at)
    REGISTRY.remove(endpoint)
    return endpoint


def reply(returns: Any, data: object, *, strict: bool = False) -> Reply[Any]:
    """The reply with this payload."""
    return READER.parse(row(returns), 200, {}, json.dumps({"code": 1000, "data": data}).encode(), strict=strict)


def test_array_rows_that_cannot_be_read_are_left_out_and_listed() -> None:
    """Their columns have no names to be absent by."""
    got = reply(list[Bar], [[1, "1.5"], [2, "?"], [3], [4, "2.5", "new"], "x"])
    assert [bar.time for bar in got.data] == [1, 4]
    assert [(each.path, each.raw) for each in got.unreadable] == [("[1]", '[2,"?"]'), ("[2]", "[3]"), ("[4]", '"x"')]
    assert got.deviations == {"[]": '[2,"?"]'}
    book = reply(Thing, {**WHOLE, "levels": [["1", "2"], ["?", "2"]], "tags": {"x": "1", "y": "?"}})
    assert list(book.data.levels) == [(Decimal(1), Decimal(2))] or len(book.data.levels) == 1
    assert [each.path for each in book.unreadable] == ["levels[1]", "tags.y"]
    assert book.data.tags == {"x": Decimal(1)}


def test_a_reply_says_what_it_deviates_in() -> None:
    """By path, once for all elements of a list; nothing for nearly every reply."""
    assert reply(Thing, WHOLE).deviations == {}
    got = reply(list[Thing], [{**WHOLE, "sz": "?"}, {**WHOLE, "sz": None}, {**WHOLE, "inners": [{}, {}]}])
    assert got.deviations == {"[].size": '"?"', "[].inners[].amount": None}
    assert got.unreadable == ()


@pytest.mark.parametrize("data", [{}, {"price": "1"}, {"order_id": None}, {"order_id": []}, [], "x", 5, None])
def test_what_lacks_its_identity_is_refused(data: object) -> None:
    """A placed order needs its id: without one it may be anything."""
    with pytest.raises(bm.MalformedReply):
        reply(Placed, data)


def test_what_has_its_identity_is_taken_whatever_else_is_odd() -> None:
    """The order exists."""
    assert reply(Placed, {"order_id": 7, "price": {"a": []}}).data.order_id == "7"


@pytest.mark.parametrize("data", [{}, {"others": 1}, [], "x", None, {"name": None, "sz": "?"}])
def test_without_any_member_it_is_another_reply(data: object) -> None:
    """Where a model names nothing that identifies it."""
    with pytest.raises(bm.MalformedReply):
        reply(Thing, data)


def test_records_in_a_list_need_no_identity() -> None:
    """A page of a history is not lost for one of them."""
    got = reply(list[Placed], [{}, {"order_id": "1", "price": "2"}])
    assert [bm.absent(each) for each in got.data] == [{"order_id": None, "price": None}, {}]


def test_strict_reading_refuses() -> None:
    """For those who would rather not go on."""
    with pytest.raises(bm.MalformedReply, match="size"):
        reply(Thing, {**WHOLE, "sz": "?"}, strict=True)
    assert reply(Thing, WHOLE, strict=True).data == thing()


def test_a_page_of_odd_records_is_read_in_a_moment() -> None:
    """Nothing is tried once for every member of every record."""
    import time

    odd = [{**WHOLE, "sz": "?"} for _ in range(2_000)]
    started = time.process_time()
    assert len(reply(list[Thing], odd).data) == 2_000
    assert time.process_time() - started < 3


def test_objects_of_one_shape_share_their_class() -> None:
    """A million odd records make one class."""
    one, other = thing(sz=...), thing(sz="?")
    assert type(one) is type(other)
    assert type(one).__name__ == "Thing"
    assert isinstance(one, Thing)
    assert attrs.has(type(one))


def test_a_model_of_the_library_reads_the_same() -> None:
    """With renames, blanks and enumerations."""
    data = {"orderId": "5", "symbol": "BTC_USDT", "side": "buy", "state": None, "price": "", "filledSize": ""}
    order, reading = tolerant.read(SpotOrder, json.dumps(data).encode(), "POST /spot/v4/query/order")
    assert reading is not None
    assert (order.order_id, order.side.value, order.price, order.filled_size) == ("5", "buy", None, Decimal(0))
    assert {"state", "type", "create_time"} <= bm.absent(order).keys()
    assert codec.loads(b"1") == 1
