"""Every REST endpoint against its transcript: the exact bytes that we send, and what becomes of the documented reply.

A transcript is one file: a line on its source, the call's keyword arguments, the request, its authority, for a POST its
body, and the reply. ``raises:`` names the exception and code of a refusal. ``spot.market.ticker~2`` is a second case.
What was recorded of the live exchange, and is not as documented, stands in files ``~recorded``, beside the documented
ones.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import pkgutil
from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from enum import Enum
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
import trio
from every_case import every_case
from rest_recorder import Recorder

import bitmart_trio.rest
from bitmart_trio import errors
from bitmart_trio._bitmart.rest import REST, extras
from bitmart_trio._bitmart.rows import REGISTRY
from bitmart_trio._core import codec
from bitmart_trio._core.endpoint import Endpoint
from bitmart_trio._core.reply import Reply
from bitmart_trio.models._rows import Row
from bitmart_trio.rest.futures import Futures
from bitmart_trio.rest.spot import Spot

_FOLDER: Final = Path(__file__).parent / "transcripts" / "rest"

# Values of a sample that a model deliberately shows in another form.
_SHOWN_OTHERWISE: Final = {
    "spot.margin.borrow_records~2": {"1767225600000"},  # recorded in milliseconds, shown in seconds like all the others
}


@attrs.frozen
class Transcript:
    """One file, read."""

    name: str
    source: str
    call: dict[str, Any]
    method: str
    target: str
    auth: str
    body: bytes
    raises: str
    status: int
    reply: bytes


def _read(path: Path) -> Transcript:
    head, _, rest = path.read_text(encoding="utf-8").partition("\nreply: ")
    status, _, reply = rest.partition("\n")
    source, *lines = head.splitlines()
    fields = dict(line.split(": ", 1) for line in lines)
    method, target = fields["request"].split(" ")
    return Transcript(
        name=path.stem,
        source=source,
        call=json.loads(fields["call"]),
        method=method,
        target=target,
        auth=fields["auth"],
        body=fields.get("body", "").encode(),
        raises=fields.get("raises", ""),
        status=int(status),
        reply=reply.encode(),
    )


TRANSCRIPTS: Final = [_read(path) for path in sorted(_FOLDER.glob("*.txt"))]
GOOD: Final = [transcript for transcript in TRANSCRIPTS if not transcript.raises]

_each = functools.partial(every_case, "transcript", ids=lambda transcript: transcript.name)


def _method(transcript: Transcript, recorder: Recorder) -> Any:
    market, chapter, name = transcript.name.partition("~")[0].split(".")
    api = {"spot": Spot, "futures": Futures}[market](recorder)
    return getattr(getattr(api, chapter), name)


async def _play(transcript: Transcript) -> Recorder:
    """Call the method that the file is named after, and answer as the file says."""
    recorder = Recorder(transcript.reply, transcript.status)
    await _method(transcript, recorder)(**transcript.call)
    return recorder


def _rows() -> dict[int, str]:
    """Every row of the chapters, by identity."""
    found: dict[int, str] = {}
    for info in pkgutil.iter_modules(bitmart_trio.rest.__path__):
        module = importlib.import_module(f"bitmart_trio.rest.{info.name}")
        for name, value in vars(module).items():
            if isinstance(value, Endpoint):
                found[id(value)] = f"{info.name}.{name}"
    return found


@_each(cases=TRANSCRIPTS)
async def test_what_is_sent(transcript: Transcript) -> None:
    """Verb, target, authority and body are exactly the documented ones."""
    assert transcript.source.startswith("# ")
    recorder = Recorder(transcript.reply, transcript.status)
    if transcript.raises:
        name, code = transcript.raises.split(" ")
        with pytest.raises(errors.ApiError) as caught:
            await _method(transcript, recorder)(**transcript.call)
        assert (type(caught.value).__name__, caught.value.code) == (name, int(code))
        assert caught.value.trace == "886fb6ae-456b-4654-b4e0-d681ac05cea1"
    else:
        await _method(transcript, recorder)(**transcript.call)
    ((endpoint, request),) = recorder.sent
    assert request.method == transcript.method
    assert request.target == transcript.target
    assert request.body == transcript.body
    assert endpoint.auth.value == transcript.auth


@_each(cases=GOOD)
async def test_what_comes_back(transcript: Transcript) -> None:
    """Nothing of the documented reply is lost: each value is somewhere in the model, and no field is unknown."""
    reply = (await _play(transcript)).replies[0]
    payload = _payload(reply)
    have = {_canonical(value) for value in _leaves_of_model(reply.data)}
    wanted = {_canonical(value) for value in _leaves_of_json(payload)}
    if reply.endpoint.returns is not type(None):
        assert wanted - have - {_canonical(value) for value in _SHOWN_OTHERWISE.get(transcript.name, ())} == set()
    assert reply.endpoint.returns is type(None) or extras(reply) == {}


@_each(cases=GOOD)
async def test_the_method_hands_out_the_payload(transcript: Transcript) -> None:
    """A method returns exactly the reply's data, None for endpoints without any."""
    recorder = Recorder(transcript.reply, transcript.status)
    result = await _method(transcript, recorder)(**transcript.call)
    assert result == recorder.replies[0].data
    if recorder.replies[0].endpoint.returns is type(None):
        assert result is None


@_each(cases=GOOD)
async def test_both_engines_agree(transcript: Transcript) -> None:
    """Where a reply can be read straight from bytes, reading it untyped first gives the same."""
    reply = (await _play(transcript)).replies[0]
    returns: Any = reply.endpoint.returns
    if codec.is_native(returns):
        assert codec.structure(_payload(reply), returns) == reply.data


@_each(cases=GOOD)
async def test_every_field_may_come_as_text_or_number(transcript: Transcript) -> None:
    """The exchange has switched between 1 and "1" before: numbers as text and text as numbers read the same."""
    reply = (await _play(transcript)).replies[0]
    returns: Any = reply.endpoint.returns
    if returns in (type(None), object):
        return
    payload = _payload(reply)
    assert codec.decoder(returns)(codec.dumps(_as_text(payload))) == reply.data
    assert codec.decoder(returns)(codec.dumps(_as_numbers(payload))) == reply.data


@_each(cases=GOOD)
async def test_unknown_fields_are_kept(transcript: Transcript) -> None:
    """A field that the exchange adds, at any depth, breaks nothing and is shown by extras()."""
    known = (await _play(transcript)).replies[0]
    returns: Any = known.endpoint.returns
    payload = _payload(known)
    if returns in (type(None), object) or not isinstance(payload, dict | list):
        return
    grown = _grown(payload)
    assert codec.decoder(returns)(codec.dumps(_as_json(grown))) == known.data
    if grown != payload:
        assert set(codec.unknown_fields(grown, returns).values()) == {"new"}


@_each(cases=[transcript for transcript in TRANSCRIPTS if "~recorded" in transcript.name])
def test_recorded_replies_say_where_they_were_recorded(transcript: Transcript) -> None:
    """And each stands beside the documented one."""
    assert transcript.source.startswith("# recorded: ")
    assert transcript.name.partition("~")[0] in {other.name for other in TRANSCRIPTS}


def test_what_recordings_change() -> None:
    """The figures of recorded replies, as a program sees them."""
    read = {each.name: _payload_model(each) for each in TRANSCRIPTS if "~recorded" in each.name}
    order = read["spot.trading.order~recorded"]
    assert (order.client_order_id, order.state, order.price, order.size) == (None, "partially_canceled", 0, 0)
    assert order.notional - order.filled_notional == Decimal("0.00131692")
    [fill] = read["spot.trading.order_trades~recorded"]
    assert fill.fee == (fill.notional / 1000).quantize(Decimal("1E-8"), ROUND_DOWN)
    [first] = read["futures.position.positions~recorded"]
    assert first.realized_value == -first.position_value * Decimal("0.0006")
    assert first.mark_price == first.current_value  # the value, not the price
    later = read["futures.position.positions_v2~recorded"][0]
    assert later.maintenance_margin == first.maintenance_margin
    assert later.current_fee == later.current_value * Decimal("0.000057")
    assert read["futures.trading.order~recorded2"].price > read["futures.trading.order~recorded2"].deal_avg_price
    one, two = read["futures.account.transaction_history~recorded"]
    assert one.tran_id == two.tran_id == str(one.time)


def _payload_model(transcript: Transcript) -> Any:
    recorder = Recorder(transcript.reply, transcript.status)
    trio.run(functools.partial(_method(transcript, recorder), **transcript.call))
    return recorder.replies[0].data


def test_every_row_has_a_transcript_and_a_method() -> None:
    """No endpoint can be added without a documented exchange, and each row is reached by a method of its own."""
    by_row: dict[str, list[str]] = {}
    for transcript in TRANSCRIPTS:
        row = _row_of(transcript)
        by_row.setdefault(_rows()[id(row)], []).append(transcript.name)
    named = {name for name in _rows().values() if not name.rpartition(".")[2].startswith("_")}
    assert named - set(by_row) == set()
    assert {id(row) for row in REGISTRY} >= set(_rows())


def _row_of(transcript: Transcript) -> Endpoint[Any]:
    method = _method(transcript, Recorder())
    name = transcript.name.partition("~")[0].rpartition(".")[2]
    row = vars(inspect.getmodule(method))[name]
    assert isinstance(row, Endpoint)
    return row


@_each(cases=TRANSCRIPTS)
def test_the_docstring_names_verb_path_and_authority(transcript: Transcript) -> None:
    """Who knows the path finds the method by one search."""
    row = _row_of(transcript)
    text = " ".join((inspect.getdoc(_method(transcript, Recorder())) or "").split())
    assert str(row) in text


def _payload(reply: Reply[Any]) -> Any:
    """The payload as plain JSON values."""
    data: bytes = REST.unwrap(reply.endpoint.envelope, reply.raw).data
    for name in reply.endpoint.at:
        data = bytes(codec.members(data)[name])
    return codec.loads(data) if not codec.is_null(data) else None


def _leaves_of_json(value: Any) -> Iterator[object]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves_of_json(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves_of_json(each)
    elif value not in (None, "", 0, "0"):  # None in the model, too, is how a time that has not come is shown
        yield value


def _leaves_of_model(value: Any) -> Iterator[object]:
    if attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from _leaves_of_model(getattr(value, field.name))
    elif isinstance(value, Row | list | tuple):
        for each in value:
            yield from _leaves_of_model(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _leaves_of_model(each)
    else:
        yield value


def _canonical(value: object) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return str(value)
    try:
        return str(Decimal(str(value)).normalize())
    except InvalidOperation:
        return str(value).casefold()  # enumerations are read in any letter case


def _is_number(text: str) -> bool:
    # Digits with a sign or a leading zero, and numbers too long to be exact elsewhere, keep their text in any spelling.
    try:
        return json.dumps(json.loads(text)) == text and not isinstance(json.loads(text), bool)
    except ValueError:
        return False


def _as_text(value: Any) -> Any:
    """The same with every number written as text."""
    if isinstance(value, dict):
        return {name: _as_text(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def _as_numbers(value: Any) -> Any:
    """The same with every text that looks like a number written as one."""
    if isinstance(value, dict):
        return {name: _as_numbers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_numbers(each) for each in value]
    if isinstance(value, Decimal):
        return codec.number(value)
    if isinstance(value, str) and _is_number(value):
        return codec.number(Decimal(value)) if len(value) < 19 else value
    return value


def _as_json(value: Any) -> Any:
    """Decimals as JSON numbers, the rest as it is."""
    if isinstance(value, dict):
        return {name: _as_json(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    return codec.number(value) if isinstance(value, Decimal) else value


def _grown(value: Any) -> Any:
    """The same with one more member in every object, and one more column in every array, that is a record."""
    if isinstance(value, dict):
        grown = {name: _grown(each) for name, each in value.items()}
        # An object whose names are data (days, ids) is no record: a further name would be a further entry.
        return grown if all(name[:1].isdigit() for name in value) else {**grown, "brandNew": "new"}
    if isinstance(value, list):
        columns = [_grown(each) for each in value]
        is_record = len(value) > 1 and not any(isinstance(each, dict | list) for each in value)
        return [*columns, "new"] if is_record and _looks_like_a_row(value) else columns
    return value


def _looks_like_a_row(value: list[Any]) -> bool:
    """Whether a flat array is a record (a kline, a level) rather than a list of words or ids."""
    return any(isinstance(each, str) and "." in each and each.replace(".", "").isdigit() for each in value)
