"""Every documented reply and push with one member wrong: all the rest is read, and the member is absent.

The transcripts are the documented replies. Each member of each object in them is left out, made null, blank and of
other types, one at a time, for every model that a reply or push has: with some of the wrong values for each member, all
in turn, and with every one of them in full.
"""

from __future__ import annotations

import copy
import functools
import inspect
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import MemberDescriptorType
from typing import Any, Final

import attrs
import pytest
from every_case import every_case
from proof_sizes import WRONG_VALUES

import bitmart_trio as bm
from bitmart_trio._bitmart.channel import CHANNELS, Channel, find
from bitmart_trio._bitmart.rest import READER
from bitmart_trio._bitmart.rows import REGISTRY, Envelope
from bitmart_trio._core import codec
from bitmart_trio._core.endpoint import Endpoint
from bitmart_trio.models._fields import WIRE
from bitmart_trio.rest._base import load_chapters
from bitmart_trio.streams import _futures_private as _private  # noqa: F401  # registers its channels
from bitmart_trio.streams import futures as _futures  # noqa: F401  # as above
from bitmart_trio.streams import spot as _spot  # noqa: F401  # as above

load_chapters()

_FOLDER: Final = Path(__file__).parent / "transcripts"

Path_ = tuple[str | int, ...]

_GONE: Final = object()
WRONG: Final[list[object]] = [_GONE, None, "", "-", "?", [], {}, True, -1, 0.5, [{}], {"?": []}, "1_0", "NaN"]


@attrs.frozen
class Sample:
    """One documented reply or push."""

    name: str
    reads: Endpoint[Any] | Channel[Any]
    whole: Any
    """Its JSON."""

    def read(self, whole: object) -> tuple[object, dict[str, str | None]]:
        """Return the value and its deviations."""
        body = json.dumps(whole).encode()
        if isinstance(self.reads, Endpoint):
            reply = READER.parse(self.reads, 200, {}, body)
            return reply.data, dict(reply.deviations)
        items, reading = self.reads.read(body)
        return items, {} if reading is None else reading.members


def _rest() -> Iterator[Sample]:
    for path in sorted((_FOLDER / "rest").glob("*.txt")):
        head, _, rest = path.read_text(encoding="utf-8").partition("\nreply: ")
        status, _, body = rest.partition("\n")
        if status != "200" or "\nraises: " in head:
            continue
        (request,) = (line for line in head.splitlines() if line.startswith("request: "))
        method, target = request.removeprefix("request: ").split(" ")
        for row in REGISTRY:
            if (row.method, row.path) == (method, target.partition("?")[0]) and row.returns is not type(None):
                yield Sample(path.stem, row, json.loads(body))
                break


def _pushes() -> Iterator[Sample]:
    for path in sorted((_FOLDER / "ws").glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            frame = json.loads(line[2:]) if line.startswith('< {"') else {}
            name = frame.get("table") or frame.get("group") if isinstance(frame, dict) else None
            channel = find(name if name and name.startswith("futures") else f"{name}:X") if name else None
            if channel is None and name:
                channel = next((each for each in CHANNELS if each.name == name), None)
            if channel is not None and "data" in frame and channel.payload is not bm.models.RawPush:
                yield Sample(f"{path.stem}~{number}", channel, frame["data"])


SAMPLES: Final = [*_rest(), *_pushes()]


def _places(value: object, path: Path_ = ()) -> Iterator[Path_]:
    """Every member of an object in JSON, the first element of a list standing for the others."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield (*path, name)
            yield from _places(each, (*path, name))
    elif isinstance(value, list) and value:
        yield from _places(value[0], (*path, 0))


def _with(whole: object, path: Path_, value: object) -> object:
    """Copy what lies on the way to the member; all the rest is shared."""
    changed = copy.copy(whole)
    inside: Any = changed
    for step in path[:-1]:
        inside[step] = copy.copy(inside[step])
        inside = inside[step]
    if value is _GONE:
        del inside[path[-1]]
    else:
        inside[path[-1]] = value
    return changed


def _differences(before: object, after: object) -> int:
    """How many members of two values differ, an absent one among them."""
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        return sum(map(_differences, before, after)) + abs(len(before) - len(after))
    model = type(before)
    if attrs.has(model) and isinstance(after, model):
        return sum(
            1
            if field.name in bm.absent(after)
            else _differences(getattr(before, field.name), getattr(after, field.name))
            for field in attrs.fields(model)
        )
    return int(before != after)


def test_the_samples_cover_the_models() -> None:
    """Replies of nearly all endpoints, pushes of nearly all channels."""
    rows = [sample for sample in SAMPLES if isinstance(sample.reads, Endpoint)]
    assert len(rows) > 120
    assert len({sample.reads.name for sample in SAMPLES if isinstance(sample.reads, Channel)}) >= 18


@pytest.mark.proof
@every_case("sample", SAMPLES, ids=lambda sample: sample.name)
def test_one_wrong_member_takes_nothing_else_with_it(sample: Sample) -> None:
    """It is absent, or reads as what blank and null stand for; the reply is refused only without its identity."""
    whole, deviations = sample.read(sample.whole)
    assert deviations == {}
    envelope = ("code", "message", "msg", "trace", "errno", "success", "data", "requestId", "errorData")
    for place, path in enumerate(_places(sample.whole)):
        if isinstance(sample.reads, Endpoint) and (len(path) == 1 and path[0] in envelope):
            continue
        if isinstance(sample.reads, Endpoint) and sample.reads.envelope is Envelope.NESTED and len(path) == 2:
            continue
        for number in range(WRONG_VALUES):
            wrong = WRONG[(place * WRONG_VALUES + number) % len(WRONG)]
            changed = _with(sample.whole, path, wrong)
            try:
                got, deviations = sample.read(changed)
            except (bm.MalformedReply, codec.DecodeError) as error:
                _is_rightly_refused(sample, path, str(error))
                continue
            except bm.ApiError:
                assert "code" in path  # it says that something was refused
                continue
            repr(got)
            _read_all(got)
            assert _differences(whole, got) <= _allowed(sample.whole, path), (path, wrong, got)


@functools.cache
def _members(model: type) -> list[str]:
    found = inspect.getmembers_static(model, lambda each: isinstance(each, property | MemberDescriptorType))
    return [name for name, _ in found]


def _read_all(value: object) -> None:
    """Read each member and each property: it is there, or absent."""
    if isinstance(value, list | tuple):
        for each in value:
            _read_all(each)
    elif attrs.has(type(value)):
        for name in _members(type(value)):  # type: ignore[arg-type]  # every class has a hash
            with suppress(bm.AbsentMember):
                _read_all(getattr(value, name))


def _allowed(whole: object, path: Path_) -> int:
    """How many members of the model come from one of the reply: two models know a value in several forms."""
    inside: Any = whole
    for step in path:
        inside = inside[step]
    return 2 + _leaves(inside)


def _leaves(value: object) -> int:
    if isinstance(value, dict | list):
        return sum(map(_leaves, value.values() if isinstance(value, dict) else value))
    return 1


def _is_rightly_refused(sample: Sample, path: Path_, error: str) -> None:
    """Refusals name what identifies a reply, or the list that is missing."""
    words = ("no readable ", "no list at ", "is not a list", "is not an object", "unreadable: ", "the payload")
    assert any(word in error for word in words), (sample.name, path, error)
    found = re.search(r"no readable (\w+) in (\w+)", error)
    if found is not None:
        model = getattr(bm.models, found[2])
        assert found[1] in model._identity_
        named = getattr(attrs.fields(model), found[1]).metadata.get(WIRE) or found[1]
        assert named in path or path[-1] == "order", (path, error)  # an order push without its order
