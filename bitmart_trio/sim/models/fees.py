"""The fees of fills: on spot each in one of two coins, on futures in the settlement currency.

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
    """The fee rates of one order on a pair: a fee in the quote coin or one in the base coin of each fill."""

    @property
    def maker(self) -> Decimal:
        """The share that a resting order pays; not above the taker's, which a buy sets aside."""
        ...

    @property
    def taker(self) -> Decimal:
        """The share that whoever meets a resting order pays."""
        ...

    def in_quote(self, side: Side, value: Decimal, *, maker: bool) -> Decimal:
        """The fee in the quote coin of a fill, or of an order that is to be set aside for; ``value`` is in it, too."""
        ...

    def in_base(self, side: Side, size: Decimal, *, maker: bool) -> Decimal:
        """The fee in the base coin."""
        ...


class FuturesRates(Protocol):
    """The fee rates of one order on a contract: a share of the value of each fill."""

    @property
    def maker(self) -> Decimal:
        """The share that a maker pays; not above the taker's."""
        ...

    @property
    def taker(self) -> Decimal:
        """The share that a taker pays; opening orders set it aside."""
        ...


class SpotFees(Protocol):
    """A fee model of the spot market."""

    def rates(self, volume: Decimal) -> SpotRates:
        """The rates of an order whose account has traded ``volume`` US dollars in 30 days; it keeps them."""
        ...


class FuturesFees(Protocol):
    """A fee model of the futures market."""

    def rates(self, volume: Decimal) -> FuturesRates:
        """The rates of an order whose account has traded ``volume`` US dollars in 30 days; it keeps them."""
        ...


def _share(amount: Decimal, rate: Decimal) -> Decimal:
    return (amount * rate).quantize(GRAIN, ROUND_DOWN)


def _check(rates: FuturesRates) -> None:
    if not 0 <= rates.maker <= rates.taker < 1:
        raise ValueError(f"fees must be 0 <= maker <= taker < 1: maker {rates.maker}, taker {rates.taker}")


@attrs.frozen
class InQuote:
    """Both sides pay in the quote coin, as recorded; a buyer on top of the value.

    Raises:
        ValueError: A rate is below 0, or the maker's is above the taker's.
    """

    taker: Decimal = RATE
    """Share of the value; 0.001 is a tenth of a percent."""
    maker: Decimal = attrs.Factory(lambda self: self.taker, takes_self=True)
    """The same for orders that rested; without a word the taker's."""

    def __attrs_post_init__(self) -> None:
        """Refuse what a buy could not set aside."""
        _check(self)

    def rates(self, volume: Decimal) -> InQuote:
        """Return the rates, which are the same for everybody."""
        return self

    def in_quote(self, side: Side, value: Decimal, *, maker: bool) -> Decimal:
        """A share of the value."""
        return _share(value, self.maker if maker else self.taker)

    def in_base(self, side: Side, size: Decimal, *, maker: bool) -> Decimal:
        """Return 0: no fee is taken in the base coin."""
        return ZERO


@attrs.frozen
class InBought(InQuote):
    """Each side pays out of what it receives, as the exchange did in 2019."""

    def in_quote(self, side: Side, value: Decimal, *, maker: bool) -> Decimal:
        """A share of the value, from sellers."""
        return super().in_quote(side, value, maker=maker) if side == "sell" else ZERO

    def in_base(self, side: Side, size: Decimal, *, maker: bool) -> Decimal:
        """A share of the size, from buyers."""
        return super().in_quote(side, size, maker=maker) if side == "buy" else ZERO


@attrs.frozen
class OfValue:
    """Takers and makers of contracts each pay a share of the value, the same for every account and contract.

    Raises:
        ValueError: A rate is below 0, or the maker's is above the taker's.
    """

    taker: Decimal = TAKER
    """Share of the value that whoever meets a resting order pays."""
    maker: Decimal = MAKER
    """Share of the value that whoever rested in the book pays."""

    def __attrs_post_init__(self) -> None:
        """Refuse what an order could not set aside."""
        _check(self)

    def rates(self, volume: Decimal) -> OfValue:
        """Return the rates, which are the same for everybody."""
        return self


@attrs.frozen
class Tiered(Generic[R_co]):
    """The more an account has traded in 30 days, the less it pays; for either market.

    Tiered(((Decimal(0), InQuote()), (Decimal(1_000_000), InQuote(Decimal("0.0008")))))

    Raises:
        ValueError: There is no tier from 0, or the volumes do not ascend.
    """

    tiers: tuple[tuple[Decimal, R_co], ...]
    """From which volume in US dollars, counted for each market by itself, which rates; ascending, the first from 0."""

    def __attrs_post_init__(self) -> None:
        """Refuse a table that leaves a volume without rates."""
        volumes = [volume for volume, _ in self.tiers]
        if not volumes or volumes[0] != 0 or volumes != sorted(set(volumes)):
            raise ValueError("tiers ascend by volume, and the first is from 0")

    def rates(self, volume: Decimal) -> R_co:
        """Those of the highest tier that is reached."""
        return next(rates for least, rates in reversed(self.tiers) if volume >= least)


@attrs.frozen(kw_only=True)
class Fees:
    """The fee models of both markets."""

    spot: SpotFees = attrs.Factory(InQuote)
    """Of pairs."""
    futures: FuturesFees = attrs.Factory(OfValue)
    """Of contracts."""


def _tiers(maker: Decimal, taker: Decimal) -> list[tuple[Decimal, Decimal, Decimal]]:
    """Four made-up steps, each a tenth (for makers a fifth) of the first rates cheaper than the one before."""
    return [
        (Decimal(least), taker * (10 - step) / 10, maker * (5 - step) / 5)
        for step, least in enumerate((0, 100_000, 1_000_000, 10_000_000))
    ]


FREE: Final = Fees(spot=InQuote(ZERO), futures=OfValue(ZERO, ZERO))
"""Nobody pays anything."""
TIERED: Final = Fees(
    spot=Tiered(tuple((least, InQuote(taker, maker)) for least, taker, maker in _tiers(RATE, RATE))),
    futures=Tiered(tuple((least, OfValue(taker, maker)) for least, taker, maker in _tiers(MAKER, TAKER))),
)
"""The recorded rates, cheaper from 100,000, 1,000,000 and 10,000,000 US dollars on; the steps are made up."""


def _flat(text: str) -> Fees:
    """``MAKER:TAKER`` for both markets."""
    maker, colon, taker = text.partition(":")
    if not colon:
        raise ModelError("rates are written MAKER:TAKER")
    try:
        return Fees(spot=InQuote(share(taker), share(maker)), futures=OfValue(share(taker), share(maker)))
    except ValueError as error:
        raise ModelError(str(error)) from None


def parse_fees(text: str) -> Fees:
    """Fee models by a word of the command line: ``recorded``, ``zero``, ``tiered``, ``bought``, ``0.0010:0.0025``.

    Raises:
        ModelError: It is none of these.
    """
    words = {"recorded": Fees(), "zero": FREE, "tiered": TIERED, "bought": Fees(spot=InBought())}
    return pick("fees", text, words, {"MAKER:TAKER, such as 0.0010:0.0025": _flat})
