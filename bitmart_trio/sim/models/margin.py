"""The backing that positions in contracts need: leverage and maintenance margin.

open_exchange(models=Models(margin=Flat(Decimal("0.02"), leverage=20)))
"""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

import attrs

from ..kernel.contracts import ZERO, Terms, cut
from .words import pick, share


class MarginModel(Protocol):
    """Says how far a position may be leveraged, and when it is liquidated."""

    def leverage(self, terms: Terms, value: Decimal) -> Decimal:
        """The greatest leverage with which a position of this value may be opened; 0 when it may not be at all."""
        ...

    def maintenance(self, terms: Terms, value: Decimal) -> Decimal:
        """The margin at which a position is liquidated that was entered at this value, in the settlement currency."""
        ...


@attrs.frozen
class Tiers:
    """By the risk tiers of the contract, as recorded: the greater a position, the less leverage."""

    def leverage(self, terms: Terms, value: Decimal) -> Decimal:
        """That of the tier; nothing beyond the last one."""
        return ZERO if value > terms.brackets[-1].cap else Decimal(terms.bracket(value).leverage)

    def maintenance(self, terms: Terms, value: Decimal) -> Decimal:
        """The share of the tier, less what makes it grow without steps."""
        return terms.maintenance(value)


@attrs.frozen
class Flat:
    """The same for every contract and value. The tiers that the exchange lists for its contracts stay what they are.

    Raises:
        ValueError: The share is not from 0 to 1, or the leverage is below 1.
    """

    ratio: Decimal = Decimal("0.005")
    """Maintenance margin as a share of the value at entry; 0 liquidates when everything is lost."""
    greatest: int = attrs.field(default=100, kw_only=True, alias="leverage")
    """Leverage."""

    def __attrs_post_init__(self) -> None:
        """Refuse what makes no sense."""
        if not 0 <= self.ratio <= 1:
            raise ValueError(f"a maintenance margin is a share from 0 to 1: {self.ratio}")
        if self.greatest < 1:
            raise ValueError(f"a leverage is 1 or more: {self.greatest}")

    def leverage(self, terms: Terms, value: Decimal) -> Decimal:
        """The same for all."""
        return Decimal(self.greatest)

    def maintenance(self, terms: Terms, value: Decimal) -> Decimal:
        """A share of the value."""
        return cut(value * self.ratio)


def _flat(text: str) -> MarginModel:
    return Flat(share(text))


def parse_margin(text: str) -> MarginModel:
    """A margin model by a word of the command line: ``tiers``, ``flat:0.005``.

    Raises:
        ModelError: It is none of these.
    """
    words: dict[str, MarginModel] = {"tiers": Tiers()}
    return pick("margins", text, words, {"flat:0.005": _flat})
