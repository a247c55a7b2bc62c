"""Raw deflate with a ceiling: what a compressed socket frame holds, or an error that says what is wrong with it.

Each frame is one raw deflate stream of its own (no zlib or gzip header). Frames are small and must stay in order, so
this is synchronous.
"""

from __future__ import annotations

import zlib
from typing import Final

_RAW: Final = -15
"""zlib's window bits for a stream without header."""


class InflateError(ValueError):
    """The bytes are not exactly one raw deflate stream, or it holds more than the ceiling allows."""


def inflate(data: bytes, ceiling: int) -> bytes:
    """Decompress one whole raw deflate stream.

    Args:
        data: the payload of a binary frame.
        ceiling: the most bytes of output; a small frame could otherwise grow a thousandfold.

    Raises:
        InflateError: garbage, a stream that ends too early or has bytes after its end, or more than ``ceiling`` bytes.
    """
    stream = zlib.decompressobj(_RAW)
    try:
        # One byte more than allowed is enough to know. (A limit of 0 would mean "none" to zlib.)
        text = stream.decompress(data, ceiling + 1)
    except zlib.error as error:
        raise InflateError(f"not raw deflate: {error}") from error
    if len(text) > ceiling:
        raise InflateError(f"inflates to more than {ceiling} bytes")
    if not stream.eof:
        raise InflateError("the deflate stream ends too early")
    if stream.unused_data:
        raise InflateError(f"{len(stream.unused_data)} bytes behind the end of the deflate stream")
    return text
