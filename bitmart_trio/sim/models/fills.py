"""When resting orders of users are filled: how much of what others trade at their price passes them by.

open_exchange(models=Models(fills=QueuePosition()))

This is about trades of the synthetic market, of a tape and of a script; users trade with each other by price and time.
What passes an order by is a trade between strangers at its price.
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
    """Decides what a user's order gets of the trades of others."""

    def ahead(self, there: Decimal) -> Decimal:
        """The size before an order that joins a level where strangers have ``there``.

        It is kept in `Resting.ahead`, and shrinks with what strangers trade at that price.
        """
        ...

    def passing(self, order: Resting, size: Decimal, dice: random.Random) -> Decimal:
        """Return how much of a trade of ``size``, at the order's price, bypasses it before the rest reaches it.

        A trade at a worse price than the order's has gone through it, and fills it without being asked about here.
        """
        ...


def let_past(fills: FillModel, book: Book, order: Resting, size: Decimal, dice: random.Random) -> Decimal:
    """The part of a trade at an order's price that goes to strangers before the rest reaches it; the queue moves up."""
    past = fills.passing(order, size, dice)
    if past:
        book.passed(order.side, order.price, past)
    return past


@attrs.frozen
class First:
    """Every trade reaches the order, as if it stood first at its price.

    In a synthetic book it stands behind the quotes that were there; they change so often that it comes to the same.
    """

    def ahead(self, there: Decimal) -> Decimal:
        """Return 0: nothing is before the order."""
        return ZERO

    def passing(self, order: Resting, size: Decimal, dice: random.Random) -> Decimal:
        """Return 0: the whole trade reaches the order."""
        return ZERO


@attrs.frozen
class QueuePosition:
    """An order waits until all has traded that strangers had at its price when it came.

    What strangers take back is taken to have stood behind it: cautious, and what back-tests call a risk-averse queue.
    """

    def ahead(self, there: Decimal) -> Decimal:
        """Return the whole size of the level."""
        return there

    def passing(self, order: Resting, size: Decimal, dice: random.Random) -> Decimal:
        """The size that is still before it."""
        return min(order.ahead, size)


def _a_probability(model: object, field: object, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"a probability is from 0 to 1: {value}")


@attrs.frozen
class Chance:
    """A trade at the price of an order reaches it with a certain probability, or not at all.

    Raises:
        ValueError: The probability is not from 0 to 1.
    """

    probability: float = attrs.field(default=0.5, validator=_a_probability)
    """1 for `First`, 0 for orders that fill only once the price has gone through them."""

    def ahead(self, there: Decimal) -> Decimal:
        """Return 0: nothing is before the order."""
        return ZERO

    def passing(self, order: Resting, size: Decimal, dice: random.Random) -> Decimal:
        """Return all of the trade or nothing, by chance."""
        return ZERO if dice.random() < self.probability else size


def _chance(text: str) -> FillModel:
    return Chance(float(share(text)))


def parse_fills(text: str) -> FillModel:
    """A fill model by a word of the command line: ``first``, ``queue``, ``chance:0.5``.

    Raises:
        ModelError: It is none of these.
    """
    words: dict[str, FillModel] = {"first": First(), "queue": QueuePosition()}
    return pick("fills", text, words, {"chance:0.5": _chance})
