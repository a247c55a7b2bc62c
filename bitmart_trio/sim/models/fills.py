"""Decide when resting orders of users are filled: how much of the trades at their price passes them by.

open_exchange(models=Models(fills=QueuePosition()))

These models concern trades of the synthetic market, of a tape and of a script; users trade with each other by price and
time. A trade that passes an order by is one between strangers at its price.
"""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Protocol

import attrs

from ..kernel.accounts import ZERO
from ..kernel.book import Book, Resting
from .words import pick, share


class FillModel(Protocol):
    """Decides how much a user's order gets of the trades of others."""

    def ahead(self, there: Decimal) -> Decimal:
        """Return the size before an order that joins a level where strangers have ``there``.

        The size is kept in `Resting.ahead`, and shrinks with the trades of strangers at that price.
        """
        ...

    def passing(self, order: Resting, size: Decimal, dice: random.Random) -> Decimal:
        """Return how much of a trade of ``size``, at the order's price, bypasses it before the rest reaches it.

        A trade at a worse price than the order's has gone through the order, and fills it without a call of this
        method.
        """
        ...


def let_past(fills: FillModel, book: Book, order: Resting, size: Decimal, dice: random.Random) -> Decimal:
    """Return the part of a trade at an order's price that goes to strangers first; the queue moves up."""
    past = fills.passing(order, size, dice)
    if past:
        book.passed(order.side, order.price, past)
    return past


@attrs.frozen
class First:
    """Every trade reaches the order, as if it were first at its price.

    In a synthetic book the order is behind the quotes that were there, but they change so often that the effect is the
    same.
    """

    def ahead(self, there: Decimal) -> Decimal:
        """Return 0: nothing is before the order."""
        return ZERO

    def passing(self, order: Resting, size: Decimal, dice: random.Random) -> Decimal:
        """Return 0: the whole trade reaches the order."""
        return ZERO


@attrs.frozen
class QueuePosition:
    """An order waits until strangers' whole size at its price, as of its arrival, has traded.

    Size that strangers withdraw is assumed to have stood behind the order: a cautious choice, which back-tests call a
    risk-averse queue.
    """

    def ahead(self, there: Decimal) -> Decimal:
        """Return the whole size of the level."""
        return there

    def passing(self, order: Resting, size: Decimal, dice: random.Random) -> Decimal:
        """Return the size that is still before the order."""
        return min(order.ahead, size)


def _a_probability(model: object, field: object, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"a probability is from 0 to 1: {value}")


@attrs.frozen
class Chance:
    """A trade at the price of an order reaches it with a certain probability, or not at all.

    Raises:
        ValueError: the probability is not from 0 to 1.
    """

    probability: float = attrs.field(default=0.5, validator=_a_probability)
    """The probability: 1 is `First`, 0 is for orders that fill only once the price has gone through them."""

    def ahead(self, there: Decimal) -> Decimal:
        """Return 0: nothing is before the order."""
        return ZERO

    def passing(self, order: Resting, size: Decimal, dice: random.Random) -> Decimal:
        """Return all of the trade or nothing, by chance."""
        return ZERO if dice.random() < self.probability else size


def _chance(text: str) -> FillModel:
    return Chance(float(share(text)))


def parse_fills(text: str) -> FillModel:
    """Return the fill model that a word of the command line names: ``first``, ``queue``, ``chance:0.5``.

    Raises:
        ModelError: the text names none of these.
    """
    words: dict[str, FillModel] = {"first": First(), "queue": QueuePosition()}
    return pick("fills", text, words, {"chance:0.5": _chance})
