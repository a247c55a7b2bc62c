"""Arguments to bytes: what is refused before anything is sent, and how each kind of argument is spelled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

import attrs
import pytest
from every_case import every_case
from hypothesis import given
from hypothesis import strategies as st

import bitmart_trio.rest.spot_market  # noqa: F401  # its rows are what names are suggested from
from bitmart_trio._bitmart.rows import REGISTRY, Endpoint
from bitmart_trio._core.endpoint import AtLeastOne, Auth, Entry, ExactlyOne, Kind, Ordered, Param, Rule, When
from bitmart_trio._core.request import RECV_WINDOW, WireRequest, build, build_raw
from bitmart_trio.errors import InvalidRequest
from bitmart_trio.models._enums import OpenInt, OrderSide


class Step(OpenInt):
    """Stands for any enumeration of numbers."""

    MINUTE = 1
    HOUR = 60


def row(*params: Param, rules: tuple[Rule, ...] = (), method: Any = "POST", auth: Auth = Auth.NONE) -> Endpoint[None]:
    """A row of these parameters, which the registry does not keep."""
    endpoint: Endpoint[None] = Endpoint(method, "/x", auth, returns=type(None), params=params, rules=rules)
    REGISTRY.remove(endpoint)
    return endpoint


def sent(endpoint: Endpoint[None], arguments: Mapping[str, object], recv_window: int | None = None) -> WireRequest:
    """What goes out."""
    untyped: Endpoint[Any] = endpoint
    return build(untyped, arguments, recv_window)


def body(param: Param, value: object) -> object:
    """How one argument travels in a body, as JSON text."""
    wire = sent(row(param), {param.name: value}).body.decode()
    prefix = f'{{"{param.wire_name}":'
    assert wire.startswith(prefix)
    return wire.removeprefix(prefix).removesuffix("}")


def query(param: Param, value: object) -> str:
    """How one argument travels in a query."""
    target = sent(row(param, method="GET"), {param.name: value}).target
    return target.removeprefix(f"/x?{param.wire_name}=")


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

SPELLINGS: list[tuple[Param, object, str, str]] = [
    (Param("p"), "a b/c", '"a b/c"', "a%20b%2Fc"),
    (Param("p"), 1223181, '"1223181"', "1223181"),
    (Param("p", number=True), "118100034543076010", "118100034543076010", "118100034543076010"),
    (Param("p", wire="wireName"), "v", '"v"', "v"),
    (Param("p"), "münz", '"münz"', "m%C3%BCnz"),
    (Param("p", Kind.INT), 0, "0", "0"),
    (Param("p", Kind.INT), "7", "7", "7"),
    (Param("p", Kind.INT), Decimal(7), "7", "7"),
    (Param("p", Kind.INT, text=True), 7, '"7"', "7"),
    (Param("p", Kind.DECIMAL), Decimal("0.00000001"), '"0.00000001"', "0.00000001"),
    (Param("p", Kind.DECIMAL), Decimal("1E+3"), '"1000"', "1000"),
    (Param("p", Kind.DECIMAL), "30000.10", '"30000.10"', "30000.10"),
    (Param("p", Kind.DECIMAL), 5, '"5"', "5"),
    (Param("p", Kind.DECIMAL, number=True), Decimal("0.10"), "0.10", "0.10"),
    (Param("p", Kind.DECIMAL, number=True), Decimal("1E-8"), "0.00000001", "0.00000001"),
    (Param("p", Kind.BOOL), True, "true", "true"),
    (Param("p", Kind.BOOL), False, "false", "false"),
    (Param("p", Kind.MILLIS), 1767268800123, "1767268800123", "1767268800123"),
    (Param("p", Kind.MILLIS), 0, "0", "0"),
    (Param("p", Kind.MILLIS), NOON, "1767268800000", "1767268800000"),
    (Param("p", Kind.MILLIS), NOON + timedelta(microseconds=1999), "1767268800001", "1767268800001"),
    (Param("p", Kind.MILLIS, text=True), NOON, '"1767268800000"', "1767268800000"),
    (Param("p", Kind.SECONDS), 1767268800, "1767268800", "1767268800"),
    (Param("p", Kind.SECONDS), NOON, "1767268800", "1767268800"),
    (Param("p", Kind.SECONDS), NOON.astimezone(timezone(timedelta(hours=8))), "1767268800", "1767268800"),
    (Param("p", choices=OrderSide), OrderSide.BUY, '"buy"', "buy"),
    (Param("p", choices=OrderSide), "sell", '"sell"', "sell"),
    (Param("p", Kind.INT, choices=Step), Step.HOUR, "60", "60"),
    (Param("p", Kind.INT, choices=Step), 60, "60", "60"),
    (Param("p", Kind.TEXTS), ["a", "b"], '["a","b"]', "a%2Cb"),
    (Param("p", Kind.TEXTS), (1, 2), '["1","2"]', "1%2C2"),
]


@pytest.mark.parametrize(("param", "value", "in_body", "in_query"), SPELLINGS)
def test_spelling(param: Param, value: object, in_body: str, in_query: str) -> None:
    """Each kind of argument travels in its documented form, amounts in plain notation."""
    assert body(param, value) == in_body
    assert query(param, value) == in_query


REFUSALS: list[tuple[Param, object]] = [
    (Param("p"), ""),
    (Param("p"), True),
    (Param("p"), b"bytes"),
    (Param("p", max_length=3), "four"),
    (Param("p", pattern="[0-9A-Za-z]{1,32}"), "under_score"),
    (Param("p", pattern="[0-9A-Za-z]{1,32}"), "x" * 33),
    (Param("p", number=True), "12a"),
    (Param("p", number=True), "²"),
    (Param("p", Kind.INT), True),
    (Param("p", Kind.INT), "1.0"),
    (Param("p", Kind.INT), "one"),
    (Param("p", Kind.INT), Decimal("1.5")),
    (Param("p", Kind.INT, least=1), 0),
    (Param("p", Kind.INT, most=200), 201),
    (Param("p", Kind.DECIMAL), "12,5"),
    (Param("p", Kind.DECIMAL), "NaN"),
    (Param("p", Kind.DECIMAL), Decimal("Infinity")),
    (Param("p", Kind.DECIMAL), True),
    (Param("p", Kind.DECIMAL), None.__class__),
    (Param("p", Kind.DECIMAL, positive=True), 0),
    (Param("p", Kind.DECIMAL, positive=True), "-1"),
    (Param("p", Kind.BOOL), 1),
    (Param("p", Kind.BOOL), "true"),
    (Param("p", Kind.MILLIS), 1767268800),
    (Param("p", Kind.MILLIS), -1),
    (Param("p", Kind.MILLIS), datetime(2026, 1, 1)),  # noqa: DTZ001
    (Param("p", Kind.SECONDS), 1767268800123),
    (Param("p", choices=OrderSide), "hold"),
    (Param("p", choices=OrderSide), Step.HOUR),
    (Param("p", Kind.INT, choices=Step), 3),
    (Param("p", Kind.INT, choices=Step), True),
    (Param("p", Kind.TEXTS), "ab"),
    (Param("p", Kind.TEXTS), 5),
    (Param("p", Kind.TEXTS, least=1), []),
    (Param("p", Kind.TEXTS, most=2), ["a", "b", "c"]),
    (Param("p"), "BTC\ud800"),
    (Param("p", Kind.TEXTS), ["BTC", "\udfff"]),
    (Param("p", choices=OrderSide), OrderSide("\ud800")),
    (Param("p", Kind.ENTRIES), "x"),
    (Param("p", Kind.ENTRIES), {"side": "buy"}),
    (Param("p", Kind.ENTRIES), [5]),
    (Param("p", Kind.ENTRIES, least=1), []),
]


@every_case("param, value", REFUSALS)
@every_case("method", ["GET", "POST"])
def test_refusals_name_the_argument(param: Param, value: object, method: str) -> None:
    """A wrong value raises before anything is sent, and says which argument it was."""
    with pytest.raises(InvalidRequest) as caught:
        sent(row(param, method=method), {"p": value})
    assert caught.value.argument == "p"
    assert "p" in str(caught.value)


@pytest.mark.parametrize("param", [Param("p", Kind.DECIMAL), Param("p", Kind.INT), Param("p", Kind.MILLIS)])
def test_a_float_is_a_type_error_that_says_why(param: Param) -> None:
    """0.1 is not a tenth: no amount ever comes from a float."""
    with pytest.raises(TypeError, match="float is not exact"):
        sent(row(param), {"p": 0.1})


def test_a_float_in_a_batch_entry_is_refused_too() -> None:
    """Entries are checked like arguments."""
    orders = Param("orders", Kind.ENTRIES, entry=Entry((Param("size", Kind.DECIMAL),)))
    with pytest.raises(TypeError, match="size: a float is not exact"):
        sent(row(orders), {"orders": [{"size": 0.1}]})


def test_missing_and_unknown_arguments() -> None:
    """What is required must be there, and a misspelt keyword is not dropped silently as the exchange would."""
    endpoint = row(Param("symbol", required=True), Param("limit", Kind.INT))
    with pytest.raises(InvalidRequest, match="needs symbol") as caught:
        sent(endpoint, {"symbol": None})
    assert caught.value.argument == "symbol"
    with pytest.raises(InvalidRequest, match="takes no argument stpmode; it takes symbol, limit") as caught:
        sent(endpoint, {"symbol": "BTC_USDT", "stpmode": "none"})
    assert caught.value.argument == "stpmode"


def test_none_is_left_out_and_zero_is_not() -> None:
    """An argument that is None does not travel; 0 and False do."""
    endpoint = row(Param("a", Kind.INT), Param("b", Kind.INT), Param("c", Kind.BOOL))
    assert sent(endpoint, {"a": None, "b": 0, "c": False}).body == b'{"b":0,"c":false}'


def test_no_arguments() -> None:
    """A POST without arguments sends an empty object, a GET neither query nor body."""
    assert sent(row(), {}) == WireRequest("POST", "/x", b"{}")
    assert sent(row(method="GET"), {}) == WireRequest("GET", "/x", b"")


def test_fields_travel_in_the_order_of_the_row() -> None:
    """The order of keywords does not matter."""
    endpoint = row(Param("a"), Param("b"))
    assert sent(endpoint, {"b": "2", "a": "1"}).body == b'{"a":"1","b":"2"}'


RULES: list[tuple[Rule, dict[str, object], str | None]] = [
    (ExactlyOne(("a", "b")), {"a": "1"}, None),
    (ExactlyOne(("a", "b")), {"a": "1", "b": "2"}, "b"),
    (ExactlyOne(("a", "b")), {}, "a"),
    (AtLeastOne(("a", "b")), {"a": "1", "b": "2"}, None),
    (AtLeastOne(("a", "b")), {}, "a"),
    (When((("a", ("x", "y")),), needs=("b",)), {"a": "x", "b": "1"}, None),
    (When((("a", ("x", "y")),), needs=("b",)), {"a": "z"}, None),
    (When((("a", ("x", "y")),), needs=("b",)), {"a": "y"}, "b"),
    (When((("a", ("x",)),), refuses=("b",)), {"a": "x", "b": "1"}, "b"),
    (When((("a", ("x",)),), refuses=("b",)), {"b": "1"}, None),
    (When((("a", (None,)),), refuses=("b",)), {"b": "1"}, "b"),
    (When((("a", ("x",)), ("b", ("y",))), needs=("c",)), {"a": "x", "b": "z"}, None),
    (When((("a", ("x",)), ("b", ("y",))), needs=("c",)), {"a": "x", "b": "y"}, "c"),
    (When((("side", ("buy",)),), needs=("c",)), {"side": OrderSide.BUY}, "c"),
]


@pytest.mark.parametrize(("rule", "arguments", "at_fault"), RULES)
def test_arguments_that_go_together(rule: Rule, arguments: dict[str, object], at_fault: str | None) -> None:
    """Contradictions are found here, members and wire values alike."""
    endpoint = row(Param("a"), Param("b"), Param("c"), Param("side", choices=OrderSide), rules=(rule,))
    if at_fault is None:
        sent(endpoint, arguments)
        return
    with pytest.raises(InvalidRequest) as caught:
        sent(endpoint, arguments)
    assert caught.value.argument == at_fault


@pytest.mark.parametrize("kind", [Kind.MILLIS, Kind.SECONDS])
def test_times_in_order(kind: Kind) -> None:
    """Bounds are compared as instants, whatever form each has; equal ones only where the exchange takes them."""
    unit = 1000 if kind is Kind.MILLIS else 1
    start, end = Param("start", kind), Param("end", kind)
    strict = row(start, end, rules=(Ordered("start", "end"),))
    lenient = row(start, end, rules=(Ordered("start", "end", or_equal=True),))
    early, late = int(NOON.timestamp()) * unit, NOON + timedelta(hours=1)
    for endpoint in (strict, lenient):
        sent(endpoint, {"start": early, "end": late})
        sent(endpoint, {"start": early})
        with pytest.raises(InvalidRequest) as caught:
            sent(endpoint, {"start": late, "end": early})
        assert caught.value.argument == "end"
    sent(lenient, {"start": early, "end": NOON})
    with pytest.raises(InvalidRequest, match="must lie before"):
        sent(strict, {"start": early, "end": NOON})


@attrs.frozen
class _Entry:
    side: OrderSide | str
    size: Decimal | int | str | None = None
    client_order_id: str | None = None


ORDERS = Param(
    "orders",
    Kind.ENTRIES,
    wire="orderParams",
    most=2,
    entry=Entry(
        (
            Param("side", choices=OrderSide, required=True),
            Param("size", Kind.DECIMAL),
            Param("client_order_id", wire="clientOrderId"),
        ),
        (When((("side", ("sell",)),), needs=("size",)),),
    ),
)


def test_batch_entries_may_be_objects_or_mappings() -> None:
    """Both are spelled alike, and the caller's own objects stay as they were."""
    mapping = {"side": "sell", "size": 2, "client_order_id": None}
    request = sent(row(ORDERS), {"orders": [_Entry(OrderSide.BUY, "0.10", "id1"), mapping]})
    assert json.loads(request.body) == {
        "orderParams": [{"side": "buy", "size": "0.10", "clientOrderId": "id1"}, {"side": "sell", "size": "2"}]
    }
    assert mapping == {"side": "sell", "size": 2, "client_order_id": None}


def test_batch_entries_are_checked_one_by_one() -> None:
    """The message says which entry is at fault."""
    with pytest.raises(InvalidRequest, match=r"orders\[1\] needs size when side is sell"):
        sent(row(ORDERS), {"orders": [{"side": "buy"}, {"side": "sell"}]})
    with pytest.raises(InvalidRequest, match=r"orders\[0\] takes no argument clientOrderId"):
        sent(row(ORDERS), {"orders": [{"side": "buy", "clientOrderId": "x"}]})
    with pytest.raises(InvalidRequest, match="at most 2 entries"):
        sent(row(ORDERS), {"orders": [{"side": "buy"}] * 3})


def test_batches_may_come_from_an_iterator() -> None:
    """A generator is read once."""
    request = sent(row(ORDERS), {"orders": ({"side": side} for side in ("buy", "buy"))})
    assert json.loads(request.body) == {"orderParams": [{"side": "buy"}, {"side": "buy"}]}


class TestRecvWindow:
    """Every signed call takes it; it travels only where the exchange reads it."""

    listed = row(RECV_WINDOW, auth=Auth.SIGNED)
    unlisted = row(auth=Auth.SIGNED)

    def test_listed(self) -> None:
        """The call's own value wins over the configured one; without both the exchange's default holds."""
        assert sent(self.listed, {"recv_window": 100}, 5000).body == b'{"recvWindow":100}'
        assert sent(self.listed, {"recv_window": None}, 5000).body == b'{"recvWindow":5000}'
        assert sent(self.listed, {}).body == b"{}"

    def test_unlisted(self) -> None:
        """Older endpoints ignore it, so it is checked and left out."""
        assert sent(self.unlisted, {"recv_window": 100}, 5000).body == b"{}"

    @pytest.mark.parametrize("endpoint", [listed, unlisted])
    @pytest.mark.parametrize("value", [0, 60_001, "soon"])
    def test_bounds(self, endpoint: Endpoint[None], value: object) -> None:
        """Out of range, the exchange would refuse it as a bad timestamp."""
        with pytest.raises(InvalidRequest) as caught:
            sent(endpoint, {"recv_window": value})
        assert caught.value.argument == "recv_window"


def test_the_client_order_id_is_kept_for_the_error_message() -> None:
    """A write whose outcome stays unknown can say what to look up; a read has nothing to say."""
    param = Param("client_order_id", wire="clientOrderId")
    assert sent(row(param), {"client_order_id": "bot1"}).client_order_id == "bot1"
    assert sent(row(param, method="GET"), {"client_order_id": "bot1"}).client_order_id is None


class TestRaw:
    """Requests to any path."""

    def test_get(self) -> None:
        """Parameters become the query, None is dropped."""
        request = build_raw("GET", "/spot/x", {"symbol": "BTC_USDT", "n": 0, "side": OrderSide.BUY, "none": None})
        assert request == WireRequest("GET", "/spot/x?symbol=BTC_USDT&n=0&side=buy", b"")

    def test_post(self) -> None:
        """Parameters become the body, nested ones too, amounts as plain text."""
        request = build_raw("POST", "/x", {"orders": [{"size": Decimal("1E-8"), "on": True}], "n": 1})
        assert request.body == b'{"orders":[{"size":"0.00000001","on":true}],"n":1}'

    def test_without_parameters(self) -> None:
        """As for rows: an empty object, or nothing."""
        assert build_raw("POST", "/x", None).body == b"{}"
        assert build_raw("GET", "/x", None).target == "/x"

    @pytest.mark.parametrize("path", ["spot", "https://example.com/x", "/x?a=1", "/x#a", "/x y", "/x\r\nHost: evil"])
    def test_paths(self, path: str) -> None:
        """Only a path of this host, without a query."""
        with pytest.raises(InvalidRequest) as caught:
            build_raw("GET", path, None)
        assert caught.value.argument == "path"

    def test_a_name_instead_of_a_path_suggests_one(self) -> None:
        """Also the name of another client's function."""
        with pytest.raises(InvalidRequest, match=r"did you mean .*/spot/quotation/v3/klines"):
            build_raw("GET", "getSpotKlinesV3", None, known=[row.path for row in REGISTRY])

    def test_methods(self) -> None:
        """The exchange knows no others."""
        with pytest.raises(InvalidRequest) as caught:
            build_raw("DELETE", "/x", None)
        assert caught.value.argument == "method"

    def test_values(self) -> None:
        """Floats are never exact, and other objects have no spelling."""
        with pytest.raises(TypeError, match=r"orders\[0\]\.size"):
            build_raw("POST", "/x", {"orders": [{"size": 0.5}]})
        with pytest.raises(InvalidRequest):
            build_raw("POST", "/x", {"when": datetime(2026, 1, 1, tzinfo=UTC)})


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1E30"), max_value=Decimal("1E30")))
def test_amounts_travel_exactly(amount: Decimal) -> None:
    """Whatever the Decimal, the text has no exponent and reads back as the same number."""
    text = json.loads(sent(row(Param("p", Kind.DECIMAL)), {"p": amount}).body)["p"]
    assert "E" not in text.upper()
    assert Decimal(text) == amount


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1975, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_datetimes_travel_exactly(moment: datetime) -> None:
    """Milliseconds are cut, never rounded through a float."""
    millis = int(query(Param("p", Kind.MILLIS), moment))
    assert timedelta(0) <= moment - (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis))
    assert moment - (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)) < timedelta(milliseconds=1)


@given(st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_text_survives_the_query(text: str) -> None:
    """Percent-encoding keeps every character, and nothing breaks out of its parameter."""
    from urllib.parse import parse_qsl

    encoded = query(Param("p"), text)
    assert parse_qsl(f"p={encoded}", keep_blank_values=True) == [("p", text)]


def test_no_enumeration_is_sent_by_its_name() -> None:
    """Members travel by their wire value also inside raw parameters."""

    class Colour(Enum):
        RED = "r"

    assert build_raw("POST", "/x", {"c": Colour.RED}).body == b'{"c":"r"}'


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/x\ud800", {}),
        ("/x", {"a": "\ud800"}),
        ("/x", {"\ud800": "a"}),
        ("/x", {"a": [{"b": "\ud800"}]}),
        ("/x", {"a": {"\ud800": 1}}),
        ("/x", {"a": OrderSide("\ud800")}),
    ],
)
def test_a_raw_request_of_text_that_cannot_be_sent_is_refused(method: str, path: str, params: dict[str, Any]) -> None:
    """A lone surrogate, which no UTF-8 spells, anywhere in it."""
    with pytest.raises(InvalidRequest, match="cannot be sent"):
        build_raw(method, path, params)
