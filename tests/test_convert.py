"""Every public object that holds data through every way out: dicts, JSON, rows, frames, encoders, pydantic, rich."""

from __future__ import annotations

import inspect
import io
import json
import types
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from itertools import product
from pathlib import Path
from typing import Any, Final, Literal, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs
import httpx
import msgspec
import pytest
from every_case import every_case
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio._core.endpoint import Endpoint
from bitmart_trio.models._absent import partial
from bitmart_trio.models._fields import WIRE, Millis, Seconds

pyarrow = pytest.importorskip("pyarrow")
pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pydantic = pytest.importorskip("pydantic")
fastapi = pytest.importorskip("fastapi")
rich_console = pytest.importorskip("rich.console")

SETTINGS: Final = {
    "Backoff", "Buffers", "Config", "Endpoint", "Environment", "Hooks", "Quota", "Retry", "Timeouts",  # what users set
    "Place",  # of a sweep's shot: where in the code
    "Read",  # the reply behind a window of a history
    # A certificate and what it is made of: `report.json` is the way out of all of them.
    "Call", "Certificate", "Day", "Deed", "FamilyCount", "Finding", "Happening", "Outcome", "Played", "Smallest",
    "Terms", "Truth",
}  # fmt: skip
"""Public attrs classes that hold no data of an exchange or of a run."""


def public() -> dict[str, type]:
    """Every public class but those of the simulated exchange."""
    found: dict[str, type] = {}
    for room in (bm, bm.models, bm.trading, bm.history, bm.history.archive, bm.testing, bm.telemetry):
        for name in getattr(room, "__all__", dir(room)):
            thing = getattr(room, name)
            if inspect.isclass(thing) and not name.startswith("_"):
                found.setdefault(name, thing)
    return found


CLASSES: Final = {
    name: kind
    for name, kind in public().items()
    if (issubclass(kind, bm.models.Model) and (attrs.has(kind) or hasattr(kind, "__struct_fields__")))
    or hasattr(kind, "_fields")
    if kind is not bm.models.Row
}

REFUSAL: Final = bm.InsufficientBalance("too little", code=50020, trace="t", http_status=200, endpoint="POST /x")
AMOUNT: Final = Decimal("0.000000012345678901234567890123")
MOMENT: Final = 1_767_225_600


def sample(hint: Any) -> Any:
    """Return a value of a type."""
    special = {Millis: MOMENT * 1000 + 7, Seconds: MOMENT, Decimal: AMOUNT, object: [{"a": Decimal("1.50")}]}
    if hint in special:
        return special[hint]
    if isinstance(hint, NewType):
        return sample(hint.__supertype__)
    if isinstance(hint, TypeVar):
        return sample(hint.__bound__) if isinstance(hint.__bound__, type) else sample(bm.models.SpotTrade)
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return sample(next(each for each in inner if each is not type(None)))
    if origin is Literal:
        return inner[0]
    if origin is tuple:
        return tuple(sample(each) for each in inner if each is not Ellipsis)
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return {sample(inner[0]): sample(inner[1])}
    if inspect.isclass(origin) and issubclass(origin, Iterable):
        return [sample(inner[0])]
    kind = hint if origin is None else origin
    if kind in (bm.Endpoint, Endpoint):
        return bm.endpoints.spot.market.ticker
    if kind is bm.models.Levels:
        return bm.models.Levels.of(b'[["1.50","2"],["1.40","3.0"]]')
    if attrs.has(kind) or hasattr(kind, "_fields") or hasattr(kind, "__struct_fields__"):
        return made(kind)
    if issubclass(kind, Enum):
        return next(iter(kind))
    for base, value in (
        (BaseException, REFUSAL),
        (bool, True), (int, 42), (float, 1.5), (str, "wörd"), (bytes, b"\xff{"), (Path, Path("some") / "file"),
        (datetime, datetime(2026, 1, 1, tzinfo=UTC)), (date, date(2026, 1, 1)),
    ):  # fmt: skip
        if issubclass(base if kind is Exception else kind, base):
            return value
    raise AssertionError(f"no sample of {hint!r}")


def members(kind: type) -> dict[str, Any]:
    """The names of a class's members, as its objects and its constructor have them, and their types."""
    hints = get_type_hints(kind)
    if attrs.has(kind):
        return {field.name: hints[field.name] for field in attrs.fields(kind)}
    names: tuple[str, ...] = getattr(kind, "__struct_fields__", None) or kind._fields  # type: ignore[attr-defined]
    return {name: hints[name] for name in names}


def made(kind: Any) -> Any:
    """An object of a class, each member set; past checks that a user's own values would have to pass."""
    values = {name: sample(hint) for name, hint in members(kind).items()}
    if not attrs.has(kind):
        return kind(**values)
    new = object.__new__(kind)
    for name, value in values.items():
        object.__setattr__(new, name, value)
    return new


def lacking(kind: Any) -> Any:
    """The same with its first member absent."""
    first, *others = members(kind)
    return partial(kind, {name: sample(members(kind)[name]) for name in others}, {first: '"-"'}, "GET /x")


MODELS: Final = [
    name for name, kind in CLASSES.items() if attrs.has(kind) and kind.__module__.startswith("bitmart_trio.models")
]
FORMS: Final = [
    {"names": names, "decimals": decimals, "times": times}
    for names, decimals, times in product(("python", "wire"), ("text", "number", "float"), ("number", "millis", "iso"))
]


def test_every_public_class_is_here_or_no_data() -> None:
    """A new class that holds data is a `Model`, a row or a named tuple."""
    assert len(CLASSES) > 170
    assert {name for name, kind in public().items() if attrs.has(kind)} - set(CLASSES) == SETTINGS
    assert len(MODELS) > 140


def plain_only(value: object, *also: type) -> bool:
    """Whether it is made of JSON's own types alone, exactly."""
    if type(value) is dict:
        return all(type(key) is str and plain_only(each, *also) for key, each in value.items())
    if type(value) is list:
        return all(plain_only(each, *also) for each in value)
    return value is None or type(value) in (str, int, float, bool, *also)


@every_case("name", CLASSES)
def test_to_dict_and_to_json(name: str) -> None:
    """In every form, with every member, and JSON says the same."""
    kind = CLASSES[name]
    thing = made(kind)
    for form in FORMS:
        told = bm.to_dict(thing, **form)  # type: ignore[arg-type]  # a product of what it takes
        assert plain_only(told, *([Decimal] if form["decimals"] == "number" else []))
        if form["decimals"] != "number":
            assert json.loads(bm.to_json(thing, **form)) == told  # type: ignore[arg-type]  # as above
        else:
            assert json.loads(bm.to_json(thing, **form), parse_float=Decimal) == told  # type: ignore[arg-type]  # as above
        assert len(told) == len([each for each in members(kind) if each[0] != "_"])
    told = bm.to_dict(thing)
    for member, hint in members(kind).items():
        value = getattr(thing, member)
        if hint in (Decimal, Decimal | None):
            assert told[member] == "0.000000012345678901234567890123"
        elif type(value) in (str, int, float, bool):
            assert told[member] == value
        elif isinstance(value, Enum):
            assert told[member] == value.value


@every_case("name", CLASSES)
def test_rows_and_frames(name: str) -> None:
    """One row a record with the same columns everywhere, exact or as floats, times as UTC timestamps."""
    things = [made(CLASSES[name])] * 2
    rows = bm.to_rows(things)
    assert len(rows) == 2
    assert all(not isinstance(cell, dict) or not attrs.has(type(cell)) for cell in rows[0].values())
    names = list(rows[0])
    table = bm.to_frame(things, "arrow")
    assert table.column_names == names
    frame = bm.to_frame(things)
    assert list(frame.columns) == names
    assert len(frame) == 2
    assert bm.to_frame(things, "polars").columns == names
    for member, hint in members(CLASSES[name]).items():
        if hint in (Decimal, Decimal | None):
            assert table.column(member).to_pylist() == [AMOUNT, AMOUNT]
            assert frame[member].tolist() == [AMOUNT, AMOUNT]
        elif hint in (Millis, Seconds):
            assert str(frame[member].dtype) == "datetime64[ms, UTC]"
            assert frame[member][0].timestamp() == MOMENT + (0.007 if hint is Millis else 0)
    for engine in ("pandas", "polars"):
        floats = bm.to_frame(things, engine, decimals="float")
        assert list(floats.columns) == names


@every_case("name", CLASSES)
def test_other_peoples_encoders(name: str) -> None:
    """json, msgspec and pydantic write it, and rich prints it."""
    thing = made(CLASSES[name])
    told = bm.to_dict(thing)
    if not isinstance(thing, tuple):  # named tuples are arrays to them
        assert json.loads(json.dumps(thing, default=bm.to_builtins)) == told
        assert json.loads(pydantic.TypeAdapter(CLASSES[name]).dump_json(thing)) == told
        schema = pydantic.TypeAdapter(CLASSES[name]).json_schema(mode="serialization")
        assert set(schema["properties"]) == set(told)
    assert json.loads(msgspec.json.encode(thing, enc_hook=bm.to_builtins))
    console = rich_console.Console(file=io.StringIO(), width=200)
    console.print(thing)
    assert CLASSES[name].__name__ in console.file.getvalue() or isinstance(thing, bm.Reply | bm.trading.ExitReport)


@every_case("name", MODELS)
def test_absent_members_are_never_null(name: str) -> None:
    """They are named apart, on every way out that shows all there is."""
    kind = CLASSES[name]
    first = next(iter(members(kind)))
    thing = lacking(kind)
    told = bm.to_dict(thing)
    assert first not in told
    assert told["_absent"] == {first: '"-"'}
    assert json.loads(bm.to_json([thing])) == [told]
    assert json.loads(json.dumps(thing, default=bm.to_builtins)) == told
    assert json.loads(pydantic.TypeAdapter(kind).dump_json(thing)) == told
    (row,) = bm.to_rows([thing])
    assert first in str(row["_absent"])
    assert bm.to_frame([thing], "polars")["_absent"][0] == row["_absent"]
    (wire,) = (bm.to_dict(thing, names="wire")["_absent"],)
    assert wire == {attrs.fields_dict(kind)[first].metadata.get(WIRE) or first: '"-"'}
    console = rich_console.Console(file=io.StringIO(), width=200)
    console.print(thing)
    assert f'{first}=<absent: "-">' in console.file.getvalue()


def test_the_choices() -> None:
    """What each of them does to one object."""
    detail = bm.models.SpotTrade(symbol="BTC_USDT", price=Decimal("1.50"), size=Decimal("1E-8"), side=bm.models.OrderSide.BUY, time=Millis(1_767_225_600_007))  # noqa: E501  # fmt: skip
    assert bm.to_dict(detail)["size"] == "0.00000001"
    assert bm.to_dict(detail, decimals="number")["price"] == Decimal("1.50")
    assert bm.to_dict(detail, decimals="float")["price"] == 1.5
    assert '"price":1.50' in bm.to_json(detail, decimals="number")
    kline = made(bm.models.SpotKline)
    assert bm.to_dict(kline)["open_time"] == MOMENT
    assert bm.to_dict(kline, times="millis")["open_time"] == MOMENT * 1000
    assert bm.to_dict(kline, times="iso")["open_time"] == "2026-01-01T00:00:00Z"


def test_rows_of_what_is_nested_and_mixed() -> None:
    """Members within members get dots; several classes get a column that says which."""
    push = made(bm.models.FuturesOrderUpdate)
    (row,) = bm.to_rows([push])
    assert row["order.price"] == "0.000000012345678901234567890123"
    assert "order.last_trade.fee" in row
    without = attrs.evolve(push, order=attrs.evolve(push.order, last_trade=None))
    bare, _ = bm.to_rows([without, push])
    assert list(bare) == list(row)
    assert bare["order.last_trade.fee"] is None
    mixed = bm.to_rows([made(bm.models.SpotTrade), bm.Gap(1.0, 2.0, "broken", 2, "spot/trade:X")])
    assert [each["class"] for each in mixed] == ["SpotTrade", "Gap"]
    assert mixed[0]["reason"] is None
    assert mixed[1]["price"] is None


def test_decimals_of_every_size() -> None:
    """Narrow columns share a type, wide ones are exact as long as the engine has room, then it says so."""

    def levels(*prices: str) -> list[bm.models.Level]:
        return [bm.models.Level(Decimal(price), Decimal(1)) for price in prices]

    usual = bm.to_frame(levels("1.5", "1E+3"), "arrow").schema.field("price").type
    assert (usual.precision, usual.scale) == (18, 1)
    padded = "5." + "0" * 40
    assert bm.to_frame(levels(padded), "polars")["price"].to_list() == [5]
    wide = "1" * 30 + "." + "1" * 30
    assert bm.to_frame(levels(wide))["price"].tolist() == [Decimal(wide)]
    with pytest.raises(bm.InvalidRequest, match="price takes 60 digits, more than 38"):
        bm.to_frame(levels(wide), "polars")
    assert bm.to_frame(levels(wide), "polars", decimals="float")["price"].to_list() == [float(wide)]
    huge = attrs.evolve(made(bm.models.FuturesDepthIncrease), version=2**70)
    assert bm.to_frame([huge], "arrow").column("version").to_pylist() == [Decimal(2**70)]


def test_what_is_no_data_is_refused() -> None:
    """Keys above all; and lists where one object is wanted, and the other way round."""
    with pytest.raises(TypeError, match="Credentials"):
        bm.to_json(bm.Credentials("key", "secret", "memo"))
    with pytest.raises(TypeError, match="Credentials"):
        json.dumps({"keys": bm.Credentials("key", "secret", "memo")}, default=bm.to_builtins)
    with pytest.raises(TypeError, match="has no members"):
        bm.to_dict([made(bm.models.Ticker)])
    for wrong in (made(bm.models.SpotKline), made(bm.models.Ticker), "text", {"a": 1}):
        with pytest.raises(TypeError, match="must be a list of records"):
            bm.to_rows(wrong)
    with pytest.raises(TypeError, match="not of str"):
        bm.to_frame(["text"])


def test_without_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra."""
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(bm.ConfigurationError, match=r"bitmart-trio\[polars\]"):
        bm.to_frame([], "polars")


def test_nothing_at_all() -> None:
    assert bm.to_rows([]) == []
    assert bm.to_frame([]).empty
    assert bm.to_frame([], "polars").is_empty()
    assert bm.to_frame([], "arrow").num_rows == 0


async def test_fastapi_answers_with_results(autojump_clock: MockClock) -> None:
    """As the annotated type of an endpoint, in lists and within models; with a schema for its documentation."""

    class Quote(pydantic.BaseModel):  # type: ignore[misc,name-defined]
        ticker: bm.models.Ticker
        note: str

    async with bm.sim.open_exchange(seed=7) as exchange, exchange.open_client() as client:
        app = fastapi.FastAPI()

        @app.get("/ticker")  # type: ignore[untyped-decorator]
        async def ticker(symbol: str) -> bm.models.Ticker:
            return await client.spot.market.ticker(symbol)

        @app.get("/klines")  # type: ignore[untyped-decorator]
        async def klines(symbol: str) -> list[bm.models.SpotKline]:
            return await client.spot.market.klines(symbol, step=60, limit=3)

        async def quote(symbol: str) -> Any:
            return Quote(ticker=await client.spot.market.ticker(symbol), note="now")

        app.get("/quote", response_model=Quote)(quote)
        server = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=server, base_url="http://service") as http:
            price = (await http.get("/ticker", params={"symbol": "BTC_USDT"})).json()
            assert Decimal(price["last_price"]) > 0
            assert isinstance(price["last_price"], str)
            rows: Sequence[Any] = (await http.get("/klines", params={"symbol": "BTC_USDT"})).json()
            assert [set(row) for row in rows] == [set(members(bm.models.SpotKline))] * 3
            assert (await http.get("/quote", params={"symbol": "BTC_USDT"})).json()["ticker"]["symbol"] == "BTC_USDT"
            schema = (await http.get("/openapi.json")).json()
        answer = schema["paths"]["/ticker"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert "last_price" in json.dumps(answer) or "Ticker" in schema["components"]["schemas"]
