"""The fees of fills: on spot in either coin of the pair, on futures in the settlement currency.

open_exchange(models=Models(fees=Fees(spot=InBought(), futures=OfValue(taker=Decimal(0), maker=Decimal(0)))))
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Final, Generic, Protocol, TypeVar

import attrs

from ..kernel.accounts import ZERO
from ..kernel.book import Side
from .words import ModelError, pick, share

RATE: Final = Decimal("0.001")
"""The default rate of maker and taker on spot."""
TAKER: Final = Decimal("0.0006")
MAKER: Final = Decimal("0.0002")
"""The default rates on futures."""
GRAIN: Final = Decimal("1E-8")

R_co = TypeVar("R_co", covariant=True)


class SpotRates(Protocol):
    """The fee rates of one order on a pair: each fill pays a fee in the quote coin or in the base coin."""

    @property
    def maker(self) -> Decimal:
        """Return the share that a resting order pays; at most the taker's, which a buy holds."""
        ...

    @property
    def taker(self) -> Decimal:
        """Return the share that a taker pays."""
        ...

    def in_quote(self, side: Side, value: Decimal, *, maker: bool) -> Decimal:
        """Return the fee in the quote coin of a fill, or of an order to hold; ``value`` is in that coin, too."""
        ...

    def in_base(self, side: Side, size: Decimal, *, maker: bool) -> Decimal:
        """Return the fee in the base coin."""
        ...


class FuturesRates(Protocol):
    """The fee rates of one order on a contract: each fill pays a share of its value."""

    @property
    def maker(self) -> Decimal:
        """Return the share that a maker pays; at most the taker's."""
        ...

    @property
    def taker(self) -> Decimal:
        """Return the share that a taker pays; opening orders hold it."""
        ...


class SpotFees(Protocol):
    """A fee model of the spot market."""

    def rates(self, volume: Decimal) -> SpotRates:
        """Return the rates, kept by the order, of an account that traded ``volume`` US dollars in 30 days."""
        ...


class FuturesFees(Protocol):
    """A fee model of the futures market."""

    def rates(self, volume: Decimal) -> FuturesRates:
        """Return the rates, kept by the order, of an account that traded ``volume`` US dollars in 30 days."""
        ...


def _share(amount: Decimal, rate: Decimal) -> Decimal:
    return (amount * rate).quantize(GRAIN, ROUND_DOWN)


def _check(rates: FuturesRates) -> None:
    if not 0 <= rates.maker <= rates.taker < 1:
        raise ValueError(f"fees must be 0 <= maker <= taker < 1: maker {rates.maker}, taker {rates.taker}")


@attrs.frozen
class InQuote:
    """Both sides pay in the quote coin, as recorded; a buyer pays in addition to the value.

    Raises:
        ValueError: a rate is below 0, or the maker's is above the taker's.
    """

    taker: Decimal = RATE
    """The taker's share of the value; 0.001 is a tenth of a percent."""
    maker: Decimal = attrs.Factory(lambda self: self.taker, takes_self=True)
    """The share for orders that rested; the taker's if left out."""

    def __attrs_post_init__(self) -> None:
        """Refuse rates that a buy could not hold money for."""
        _check(self)

    def rates(self, volume: Decimal) -> InQuote:
        """Return the rates, which are the same for everybody."""
        return self

    def in_quote(self, side: Side, value: Decimal, *, maker: bool) -> Decimal:
        """Return a share of the value."""
        return _share(value, self.maker if maker else self.taker)

    def in_base(self, side: Side, size: Decimal, *, maker: bool) -> Decimal:
        """Return 0: no fee is taken in the base coin."""
        return ZERO


@attrs.frozen
class InBought(InQuote):
    """Each side pays from the coin that it receives, as the exchange did in 2019."""

    def in_quote(self, side: Side, value: Decimal, *, maker: bool) -> Decimal:
        """Return a share of the value, from sellers."""
        return super().in_quote(side, value, maker=maker) if side == "sell" else ZERO

    def in_base(self, side: Side, size: Decimal, *, maker: bool) -> Decimal:
        """Return a share of the size, from buyers."""
        return super().in_quote(side, size, maker=maker) if side == "buy" else ZERO


@attrs.frozen
class OfValue:
    """Takers and makers of contracts each pay a share of the value, the same for every account and contract.

    Raises:
        ValueError: a rate is below 0, or the maker's is above the taker's.
    """

    taker: Decimal = TAKER
    """The share of the value that a taker pays."""
    maker: Decimal = MAKER
    """The share of the value that a resting order pays."""

    def __attrs_post_init__(self) -> None:
        """Refuse rates that an order could not hold money for."""
        _check(self)

    def rates(self, volume: Decimal) -> OfValue:
        """Return the rates, which are the same for everybody."""
        return self


@attrs.frozen
class Tiered(Generic[R_co]):
    """Fees that fall with the volume that an account traded in 30 days, for either market.

    Tiered(((Decimal(0), InQuote()), (Decimal(1_000_000), InQuote(Decimal("0.0008")))))

    Raises:
        ValueError: there is no tier from 0, or the volumes do not ascend.
    """

    tiers: tuple[tuple[Decimal, R_co], ...]
    """The rates by the volume in US dollars from which they apply, counted per market; ascending, the first from 0."""

    def __attrs_post_init__(self) -> None:
        """Refuse a table that leaves a volume without rates."""
        volumes = [volume for volume, _ in self.tiers]
        if not volumes or volumes[0] != 0 or volumes != sorted(set(volumes)):
            raise ValueError("tiers ascend by volume, and the first is from 0")

    def rates(self, volume: Decimal) -> R_co:
        """Return the rates of the highest tier that is reached."""
        return next(rates for least, rates in reversed(self.tiers) if volume >= least)


@attrs.frozen(kw_only=True)
class Fees:
    """The fee models of both markets."""

    spot: SpotFees = attrs.Factory(InQuote)
    """The fee model of pairs."""
    futures: FuturesFees = attrs.Factory(OfValue)
    """The fee model of contracts."""


def _tiers(maker: Decimal, taker: Decimal) -> list[tuple[Decimal, Decimal, Decimal]]:
    """Return four invented steps, each cheaper by a tenth (for makers a fifth) of the first rates."""
    return [
        (Decimal(least), taker * (10 - step) / 10, maker * (5 - step) / 5)
        for step, least in enumerate((0, 100_000, 1_000_000, 10_000_000))
    ]


FREE: Final = Fees(spot=InQuote(ZERO), futures=OfValue(ZERO, ZERO))
"""Fees of zero for everyone."""
TIERED: Final = Fees(
    spot=Tiered(tuple((least, InQuote(taker, maker)) for least, taker, maker in _tiers(RATE, RATE))),
    futures=Tiered(tuple((least, OfValue(taker, maker)) for least, taker, maker in _tiers(MAKER, TAKER))),
)
"""The recorded rates, cheaper from 100,000, 1,000,000 and 10,000,000 US dollars on; the steps are invented."""


def _flat(text: str) -> Fees:
    """Return the fees of ``MAKER:TAKER`` for both markets."""
    maker, colon, taker = text.partition(":")
    if not colon:
        raise ModelError("rates are written MAKER:TAKER")
    try:
        return Fees(spot=InQuote(share(taker), share(maker)), futures=OfValue(share(taker), share(maker)))
    except ValueError as error:
        raise ModelError(str(error)) from None


def parse_fees(text: str) -> Fees:
    """Return fee models by name (``recorded``, ``zero``, ``tiered``, ``bought``) or rates (``0.0010:0.0025``).

    Raises:
        ModelError: the text names none of these.
    """
    words = {"recorded": Fees(), "zero": FREE, "tiered": TIERED, "bought": Fees(spot=InBought())}
    return pick("fees", text, words, {"MAKER:TAKER, such as 0.0010:0.0025": _flat})
