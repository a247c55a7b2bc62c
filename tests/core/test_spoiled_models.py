"""Every model read from its own transcript with something wrong in it: a value, or an error of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proof_sizes import FUZZ
from spoiling import spoiled

import bitmart_trio as bm
from bitmart_trio._bitmart.channel import Channel, find
from bitmart_trio._bitmart.rest import READER
from bitmart_trio._bitmart.sockets import FuturesDialect, SpotDialect
from bitmart_trio._core import codec
from bitmart_trio._core.dialect import Data
from bitmart_trio.cli._show import as_json
from bitmart_trio.history.archive._kinds import find_endpoint
from bitmart_trio.streams import futures, spot

ROWS: Final = (spot, futures)
"""Where the channels are: they are known once these are loaded."""
TRANSCRIPTS: Final = Path(__file__).parent.parent / "transcripts"


def _replies() -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for file in sorted((TRANSCRIPTS / "rest").glob("*.txt")):
        text = file.read_text(encoding="utf-8").partition("\nreply: ")[2].partition("\n")[2]
        found.append((file.stem.partition("~")[0], json.loads(text)))
    return found


def _pushes() -> list[Any]:
    lines = (
        line[2:]
        for file in sorted((TRANSCRIPTS / "ws").glob("*.txt"))
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("< {") and '"data"' in line
    )
    return [json.loads(line) for line in lines]


REPLIES: Final = _replies()
PUSHES: Final = _pushes()


def _bytes(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode(errors="surrogatepass")


def _channel(key: str) -> Channel[Any] | None:
    """Of a push: spot names the table alone."""
    return find(key) or find(f"{key}:X")


def test_the_pushes_of_the_transcripts_belong_to_channels() -> None:
    """So that the tests below read what they spoil."""
    known = [each for each in PUSHES if _channel(each.get("table") or each.get("group") or "") is not None]
    assert len(known) > 0.9 * len(PUSHES) > 40


@pytest.mark.proof
@settings(max_examples=FUZZ, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(REPLIES).flatmap(lambda each: st.tuples(st.just(each[0]), spoiled(each[1]))))
def test_a_reply_is_a_result_or_an_error_of_ours(drawn: tuple[str, Any]) -> None:
    """And the result can be shown and written down."""
    name, document = drawn
    try:
        data: Any = READER.parse(find_endpoint(name), 200, {}, _bytes(document)).data
    except bm.BitMartError as error:
        repr(error)
        return
    repr(data)
    json.loads(as_json(data))


@pytest.mark.proof
@settings(max_examples=FUZZ, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PUSHES).flatmap(spoiled))
def test_a_push_is_items_or_one_kind_of_error(document: Any) -> None:
    """From the frame to the model, in both markets' spelling."""
    for market in (SpotDialect(), FuturesDialect()):
        try:
            spoken = market.read(_bytes(document))
            if isinstance(spoken, Data) and (channel := _channel(spoken.key)) is not None:
                if (whole := market.push_reader(channel)) is not None:
                    repr(whole(_bytes(document)))
                items, _ = channel.read(spoken.raw)
                repr(items)
        except codec.DecodeError as error:
            repr(error)
