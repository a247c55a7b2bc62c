"""Raw deflate with a ceiling: exactly one stream comes out as it went in; everything else is a typed error."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bitmart_trio._core.inflate import InflateError, inflate


def deflate(text: bytes, level: int = 6) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return packer.compress(text) + packer.flush()


@given(text=st.binary(max_size=5000), level=st.integers(0, 9))
@example(text=b"", level=6)
def test_what_was_deflated_comes_back(text: bytes, level: int) -> None:
    """Any payload, any level, with a ceiling that just suffices."""
    assert inflate(deflate(text, level), len(text)) == text


@given(text=st.binary(min_size=1, max_size=5000))
def test_one_byte_above_the_ceiling_is_refused(text: bytes) -> None:
    """The ceiling counts what comes out, to the byte; a ceiling of 0 is one, too."""
    with pytest.raises(InflateError, match="more than"):
        inflate(deflate(text), len(text) - 1)


def test_a_bomb_is_stopped_at_the_ceiling() -> None:
    """A few kilobytes that would become 50 MB are refused."""
    bomb = deflate(bytes(50_000_000))
    assert len(bomb) < 60_000
    with pytest.raises(InflateError, match="more than 1000 bytes"):
        inflate(bomb, 1000)


@given(text=st.binary(max_size=2000), data=st.data())
def test_a_stream_that_ends_too_early_is_refused(text: bytes, data: st.DataObject) -> None:
    """Cut anywhere, also when every byte of the text is already out."""
    whole = deflate(text)
    part = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(InflateError, match="too early"):
        inflate(part, 10_000)


def test_a_stream_that_was_only_flushed_is_refused() -> None:
    """A sync flush gives the whole text but no end: something may be missing."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    flushed = packer.compress(b'{"a":1}') + packer.flush(zlib.Z_SYNC_FLUSH)
    with pytest.raises(InflateError, match="too early"):
        inflate(flushed, 100)


@given(text=st.binary(max_size=500), tail=st.binary(min_size=1, max_size=50))
def test_bytes_behind_the_end_are_refused(text: bytes, tail: bytes) -> None:
    """Two streams in a frame, or a stream and garbage, are not one message."""
    with pytest.raises(InflateError, match="behind the end"):
        inflate(deflate(text) + tail, 10_000)


@pytest.mark.parametrize(
    "garbage",
    [zlib.compress(b"hello"), b"\x1f\x8b\x08\x00\x00\x00\x00\x00", b"\xff\xff\xff\xff", b'{"plain":"json"}'],
    ids=["zlib header", "gzip header", "ones", "text"],
)
def test_other_formats_are_refused(garbage: bytes) -> None:
    """Headers of zlib and gzip, plain text and noise are no raw deflate."""
    with pytest.raises(InflateError):
        inflate(garbage, 10_000)


@given(noise=st.binary(max_size=300))
def test_noise_never_raises_anything_else(noise: bytes) -> None:
    """Whatever comes in: bytes within the ceiling, or the one error, which is a ValueError."""
    assert issubclass(InflateError, ValueError)
    try:
        text = inflate(noise, 1000)
    except InflateError:
        return
    assert len(text) <= 1000
