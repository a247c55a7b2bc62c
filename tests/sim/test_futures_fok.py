"""Fill-or-kill on the simulated futures market: all or nothing, whatever stands in the book and whoever owns it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from futures_kit import Venue
from hypothesis import given
from hypothesis import strategies as st

from bitmart_trio.sim.futures.engine import Engine
from bitmart_trio.sim.kernel.book import Resting

BASE = Decimal(60_000)

orders = st.lists(
    st.tuples(
        st.sampled_from(("1", "2", "3", "")),  # the last: nobody's
        st.integers(1, 9),  # ticks from the base
        st.integers(1, 40),  # size
    ),
    min_size=2,
    max_size=8,
)


def _venue(one_way: bool, positions: dict[str, int]) -> Venue:
    """A market without synthetic traders, whose users may hold something."""
    venue = Venue()
    futures = venue.exchange.futures
    listing = futures.listings["BTCUSDT"]
    for side in ("buy", "sell"):
        for order in list(listing.book.candidates("sell" if side == "buy" else "buy", None)):
            listing.book.cancel(order.order_id)
    if one_way:
        for who in ("1", "2", "3"):
            venue.ok(venue.post("set-position-mode", who, position_mode="one_way_mode"))
    for who, size in positions.items():
        if size:
            buys = size > 0
            listing.book.add(Resting("m", "sell" if buys else "buy", BASE, Decimal(abs(size)), None))
            _place(venue, 1 if buys else 4, abs(size), BASE, who)
    return venue


def _place(venue: Venue, side: int, size: int, price: Decimal, who: str, **more: Any) -> Any:
    terms = {"leverage": "50", "open_type": "cross", **more}
    return venue.post("submit-order", who, symbol="BTCUSDT", side=side, size=size, price=str(price), **terms)


@given(
    book=orders,
    size=st.integers(1, 60),
    reach=st.integers(2, 12),
    buys=st.booleans(),
    stp_mode=st.sampled_from((1, 2, 3)),
    one_way=st.booleans(),
    positions=st.fixed_dictionaries({who: st.integers(-40, 40) for who in ("1", "2", "3")}),
    purses=st.fixed_dictionaries({who: st.integers(5, 2000) for who in ("1", "2", "3")}),
)
def test_fill_or_kill_fills_whole_or_not_at_all(
    book: list[tuple[str, int, int]],
    size: int,
    reach: int,
    buys: bool,
    stp_mode: int,
    one_way: bool,
    positions: dict[str, int],
    purses: dict[str, int],
) -> None:
    """Own orders, others' orders, positions that net off, little money: nothing makes it fill in part."""
    venue = _venue(one_way, positions)
    engine: Engine = venue.exchange.futures.engine
    listing = venue.exchange.futures.listings["BTCUSDT"]
    way = 1 if buys else -1
    for number, (who, ticks, much) in enumerate(book):
        price = BASE + way * ticks * Decimal("0.1")
        if who:
            _place(venue, 4 if buys else 1, much, price, who)
        else:
            listing.book.add(Resting(f"s{number}", "sell" if buys else "buy", price, Decimal(much), None))
    for who, money in purses.items():
        account = venue.exchange.accounts.get(who)
        assert account is not None
        surplus = account.futures.available("USDT") - money
        if surplus > 0:
            account.futures.debit("USDT", surplus)
    limit = BASE + way * reach * Decimal("0.1")
    status, code, data = _place(venue, 1 if buys else 4, size, limit, "1", mode=2, stp_mode=stp_mode)
    if code == 1000:
        order = venue.ok(venue.get("order", symbol="BTCUSDT", order_id=data["order_id"]))
        assert order["deal_size"] in ("0", str(size))
        assert order["state"] == 4
    else:
        assert (status, code) in ((400, 40027), (400, 40029))
    assert all(order.mode != 2 for trader in engine.traders.values() for order in trader.orders.values())
