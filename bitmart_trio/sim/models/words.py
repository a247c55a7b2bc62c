"""Read models from words of the command line, such as ``zero`` or ``fixed:50ms``; an error lists the valid words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, TypeVar

from ..kernel.numbers import NumberError, read_decimal

M = TypeVar("M")

MOST: Final = 60_000
"""The maximum number of milliseconds on the command line."""


class ModelError(ValueError):
    """No model has that name."""


def pick(what: str, text: str, words: Mapping[str, M], shapes: Mapping[str, Callable[[str], M]]) -> M:
    """Return the model that a text names.

    Args:
        what: the kind of model, for the message.
        text: the text that the user wrote.
        words: models by name.
        shapes: functions that make a model of a text with numbers in it, by the form of the text. The first form has no
            name; the others begin with a name and a colon.

    Raises:
        ModelError: the text names no model; the message lists the valid ones.
    """
    if text in words:
        return words[text]
    name, colon, _ = text.partition(":")
    for shape, read in shapes.items():
        named = shape.partition(":")[0]
        if (colon and named == name) or (named.isupper() and name[:1].isdigit()):
            try:
                return read(text if named.isupper() else text.partition(":")[2])
            except ModelError as error:
                raise ModelError(f"{what} {text!r}: {error}; write {shape}") from None
    raise ModelError(f"no {what} are called {text!r}; there are {', '.join([*words, *shapes])}")


def number(text: str) -> Decimal:
    """Return a number such as -0.001.

    Raises:
        ModelError: the text is not a number.
    """
    try:
        return read_decimal(text)
    except NumberError:
        raise ModelError(f"{text!r} is no number") from None


def share(text: str) -> Decimal:
    """Return a share such as 0.001.

    Raises:
        ModelError: the text is not a number from 0 to 1.
    """
    found = number(text)
    if not 0 <= found <= 1:
        raise ModelError(f"{text} is no share from 0 to 1")
    return found


def milliseconds(text: str) -> int:
    """Return a time such as ``50ms``; whole milliseconds, a minute at most.

    Raises:
        ModelError: the text is not such a time.
    """
    digits = text.removesuffix("ms")
    if not (text.endswith("ms") and digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= MOST):
        raise ModelError(f"{text!r} is no time such as 50ms, up to {MOST}ms")
    return int(digits)
