"""The margin that positions in contracts need: greatest leverage and maintenance margin.

open_exchange(models=Models(margin=Flat(Decimal("0.02"), leverage=20)))
"""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

import attrs

from ..kernel.contracts import ZERO, Terms, cut
from .words import pick, share


class MarginModel(Protocol):
    """Decides the greatest leverage of a position, and when it is liquidated."""

    def leverage(self, terms: Terms, value: Decimal) -> Decimal:
        """Return the greatest leverage at which a position of this value may be opened; 0 if it may not be opened."""
        ...

    def maintenance(self, terms: Terms, value: Decimal) -> Decimal:
        """Return the margin at which a position entered at this value is liquidated, in the settlement currency."""
        ...


@attrs.frozen
class Tiers:
    """Margins by the risk tiers of the contract, as recorded: the greater a position, the lower its leverage."""

    def leverage(self, terms: Terms, value: Decimal) -> Decimal:
        """Return the tier's leverage; 0 beyond the last tier."""
        return ZERO if value > terms.brackets[-1].cap else Decimal(terms.bracket(value).leverage)

    def maintenance(self, terms: Terms, value: Decimal) -> Decimal:
        """Return the tier's share, less the deduction that makes it grow without steps."""
        return terms.maintenance(value)


@attrs.frozen
class Flat:
    """The same margin for every contract and value. The tiers that the exchange lists for its contracts stay unchanged.

    Raises:
        ValueError: the share is not from 0 to 1, or the leverage is below 1.
    """

    ratio: Decimal = Decimal("0.005")
    """The maintenance margin as a share of the value at entry; 0 liquidates when everything is lost."""
    greatest: int = attrs.field(default=100, kw_only=True, alias="leverage")
    """The greatest leverage."""

    def __attrs_post_init__(self) -> None:
        """Refuse invalid values."""
        if not 0 <= self.ratio <= 1:
            raise ValueError(f"a maintenance margin is a share from 0 to 1: {self.ratio}")
        if self.greatest < 1:
            raise ValueError(f"a leverage is 1 or more: {self.greatest}")

    def leverage(self, terms: Terms, value: Decimal) -> Decimal:
        """Return the same leverage for all."""
        return Decimal(self.greatest)

    def maintenance(self, terms: Terms, value: Decimal) -> Decimal:
        """Return a share of the value."""
        return cut(value * self.ratio)


def _flat(text: str) -> MarginModel:
    return Flat(share(text))


def parse_margin(text: str) -> MarginModel:
    """Return the margin model that a word of the command line names: ``tiers``, ``flat:0.005``.

    Raises:
        ModelError: the text names none of these.
    """
    words: dict[str, MarginModel] = {"tiers": Tiers()}
    return pick("margins", text, words, {"flat:0.005": _flat})
