"""Ids that are blank, shared or another order's: the rest of a record says which order it is, or nothing does."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from bitmart_trio import models
from bitmart_trio._bitmart.account import AccountLedger
from bitmart_trio._bitmart.identity import contradict, identify, same_terms, sort_out
from bitmart_trio.errors import MalformedReply
from bitmart_trio.models import OrderChanged, OrderSide, SpotAccountOrder, SpotOrderState, SpotOrderType
from bitmart_trio.models._absent import partial
from bitmart_trio.models._fields import Millis


def order(order_id: str, *, price: int = 60000, made: int = 1000, **changes: Any) -> SpotAccountOrder:
    """An open limit order."""
    made_so = SpotAccountOrder(
        order_id=order_id,
        client_order_id=None,
        symbol="BTC_USDT",
        side=OrderSide.BUY,
        type=SpotOrderType.LIMIT,
        mode=models.SpotOrderMode.SPOT,
        price=Decimal(price),
        size=Decimal(1),
        notional=None,
        filled_size=Decimal(0),
        filled_notional=Decimal(0),
        state=SpotOrderState.NEW,
        create_time=Millis(made),
        update_time=Millis(made),
    )
    return attrs.evolve(made_so, **changes)


ONE, TWO = order("1"), order("2", price=61000, made=9000)
ENDED = attrs.evolve(ONE, state=SpotOrderState.CANCELED)


def lacking(whole: SpotAccountOrder, *names: str) -> SpotAccountOrder:
    """The same order, of which members are absent."""
    values = {field.name: getattr(whole, field.name) for field in attrs.fields(SpotAccountOrder)}
    return partial(
        SpotAccountOrder, {n: v for n, v in values.items() if n not in names}, dict.fromkeys(names), "a list"
    )


def ledger(*orders: SpotAccountOrder) -> AccountLedger[SpotAccountOrder]:
    """One in sync that holds these orders."""
    made: AccountLedger[SpotAccountOrder] = AccountLedger(("orders",))
    begun = made.begin()
    made.read_orders(begun, [orders])
    made.done("orders", begun)
    assert made.in_sync
    return made


def synced(held: AccountLedger[SpotAccountOrder]) -> bool:
    """Whether a ledger can be relied on."""
    return held.in_sync


def read(held: AccountLedger[SpotAccountOrder], *pages: list[SpotAccountOrder]) -> list[SpotAccountOrder]:
    """Give a ledger a list, and return the orders that it then wants to look up."""
    begun = held.begin()
    missing = held.read_orders(begun, pages).missing
    held.done("orders", begun)
    return missing


@pytest.mark.parametrize(
    ("other", "contradicts"),
    [
        pytest.param(attrs.evolve(ONE, symbol="ETH_USDT"), True, id="symbol"),
        pytest.param(attrs.evolve(ONE, side=OrderSide.SELL), True, id="side"),
        pytest.param(attrs.evolve(ONE, price=Decimal(1), create_time=Millis(3000)), True, id="terms and time"),
        pytest.param(attrs.evolve(ONE, price=Decimal(1)), False, id="altered terms"),
        pytest.param(attrs.evolve(ONE, create_time=Millis(3000)), False, id="another time"),
        pytest.param(attrs.evolve(ONE, filled_size=Decimal(1)), False, id="filled"),
        pytest.param(lacking(TWO, "price", "size"), False, id="absent terms"),
        pytest.param(lacking(TWO, "create_time"), False, id="absent time"),
        pytest.param(lacking(ONE, "symbol", "side"), False, id="absent symbol"),
    ],
)
def test_what_two_records_of_one_order_cannot_differ_in(other: SpotAccountOrder, contradicts: bool) -> None:
    """Either of time and terms may differ, not both; what is absent contradicts nothing."""
    assert contradict(ONE, attrs.evolve(other, order_id="1")) is contradict(other, ONE) is contradicts


@pytest.mark.parametrize(
    ("mine", "theirs", "contradicts"),
    [("a", "b", True), ("a", "a", False), ("a", None, False), ("1", "b", False), (None, None, False)],
)
def test_client_order_ids_of_one_order_are_equal(mine: str | None, theirs: str | None, contradicts: bool) -> None:
    """One that is missing, or repeats the order id, says nothing."""
    one, other = (attrs.evolve(ONE, client_order_id=client_id) for client_id in (mine, theirs))
    assert contradict(one, other) is contradicts
    assert same_terms(one, other)


def test_a_row_without_an_id_is_the_one_order_that_it_fits() -> None:
    """By the client order id, even if the terms were altered, or else by time and terms."""
    named = attrs.evolve(TWO, client_order_id="mine")
    assert identify(attrs.evolve(ONE, order_id=""), [ONE, named]) == ONE
    altered = attrs.evolve(named, order_id="", price=Decimal(5))
    assert identify(altered, [ONE, named]) == attrs.evolve(altered, order_id="2")
    # The exchange repeats the order id where there is no client order id.
    assert identify(attrs.evolve(TWO, order_id="1", client_order_id="2"), [ONE, TWO]) == attrs.evolve(
        TWO, client_order_id="2"
    )
    assert identify(attrs.evolve(ONE, order_id="", price=Decimal(5)), [ONE, TWO]) is None
    assert identify(attrs.evolve(ONE, order_id="", client_order_id="who"), [ONE, TWO]) is None
    assert identify(attrs.evolve(ONE, order_id=""), [ONE, attrs.evolve(ONE, order_id="3")]) is None


def test_two_rows_that_fit_one_order_identify_nothing() -> None:
    """Either may be the order that is known; the other is new."""
    blank = attrs.evolve(ONE, order_id="")
    rows, left = sort_out([[blank, blank, TWO]], {"1": ONE}, {})
    assert (rows, left) == ({"2": TWO}, [blank, blank])


def test_a_row_on_the_bound_of_two_pages_is_one_order() -> None:
    """With an id and without, and if it was filled between the two replies."""
    filled = attrs.evolve(ONE, filled_size=Decimal(1))
    assert sort_out([[TWO, ONE], [filled]], {}, {}) == ({"1": filled, "2": TWO}, [])
    blank = attrs.evolve(filled, order_id="")
    assert sort_out([[TWO, attrs.evolve(ONE, order_id="")], [blank]], {}, {}) == ({"2": TWO}, [blank])
    shared = attrs.evolve(TWO, order_id="1")
    assert sort_out([[ONE], [shared]], {}, {}) == ({}, [ONE, shared])


def test_orders_known_before_are_told_apart_by_all_but_their_ids() -> None:
    """Blank ids and shared ids change nothing, and the view stays in sync."""
    held = ledger(ONE, TWO)
    for rows in ([[ONE, attrs.evolve(TWO, order_id="1")]], [[attrs.evolve(each, order_id="") for each in (ONE, TWO)]]):
        assert read(held, *rows) == []
        assert held.orders == {"1": ONE, "2": TWO}
        assert synced(held)


@pytest.mark.parametrize("shown_as", ["", "1"])
def test_an_order_that_is_new_and_has_no_id_of_its_own_is_neither_lost_nor_taken_for_another(shown_as: str) -> None:
    """The ledger is not in sync, closes nothing, and shows it; a clear list settles it."""
    held = ledger(ONE)
    three = order("3", price=62000, made=20000)
    assert read(held, [attrs.evolve(three, order_id=shown_as)] + ([ONE] if shown_as else [])) == []
    assert not synced(held)
    assert "orders" in held.due()
    assert attrs.evolve(three, order_id=shown_as) in held.unidentified
    assert "BTC_USDT" in str(held.unclear)
    assert held.orders == {"1": ONE}
    assert read(held, [ONE, three]) == []
    assert synced(held)
    assert held.unclear is None
    assert held.orders == {"1": ONE, "3": three}


def test_a_row_under_the_id_of_a_closed_order_is_another_order() -> None:
    """It was discarded as a late record of the closed one: an open order was missing in silence."""
    held = ledger(ONE)
    held.push_order(ENDED)
    assert read(held, [ONE]) == []  # late indeed
    assert synced(held)
    assert read(held, [attrs.evolve(TWO, order_id="1")]) == []
    assert not synced(held)
    assert [each.price for each in held.unidentified] == [TWO.price]


def test_a_look_up_that_answers_with_another_order_decides_nothing() -> None:
    """Neither that the order is open nor that it is closed, until a list or a look-up says so."""
    held = ledger(ONE, TWO)
    assert read(held, [TWO]) == [ONE]
    for answer in (attrs.evolve(TWO, state=SpotOrderState.FILLED), attrs.evolve(TWO, order_id="1")):
        begun = held.begin()
        assert held.found(begun, "1", answer) == []
        assert held.orders == {"1": ONE, "2": TWO}
        assert not synced(held)
        assert "order 1" in str(held.unclear)
    blank = attrs.evolve(ENDED, order_id="")
    assert held.found(held.begin(), "1", blank) == [OrderChanged(order=ENDED, previous=ONE, closed=True)]
    assert synced(held)


def test_a_list_that_lacks_what_its_look_up_says_is_open_is_read_again() -> None:
    """Unless it was cut off: then it says nothing about what it lacks."""
    held = ledger(ONE)
    assert read(held, []) == [ONE]
    begun = held.begin()
    assert held.found(begun, "1", ONE, cut_off=True) == []
    assert held.due() == []
    assert held.found(begun, "1", ONE) == []
    assert held.due() == ["orders"]
    assert held.orders == {"1": ONE}


@pytest.mark.parametrize("shown_as", ["", "2", "closed"])
def test_a_push_without_an_id_of_its_own_is_told_by_the_rest(shown_as: str) -> None:
    """Or not believed: all is read then."""
    done = order("closed", price=59000, made=70000)
    held = ledger(ONE, TWO, done)
    held.push_order(attrs.evolve(done, state=SpotOrderState.FILLED))
    filled = attrs.evolve(ONE, filled_size=Decimal("0.5"), order_id=shown_as, create_time=Millis(1600))
    assert [change.order.order_id for change in held.push_order(filled) if isinstance(change, OrderChanged)] == ["1"]
    assert held.orders["1"].filled_size == Decimal("0.5")
    with pytest.raises(MalformedReply, match="BTC_USDT"):
        held.push_order(order(shown_as, price=1, made=90000, side=OrderSide.SELL))
    assert set(held.orders) == {"1", "2"}


def test_a_push_of_an_order_that_a_list_has_shown_under_another_id_has_the_list_read_again() -> None:
    """The one that the list has shown leaves the ledger with the next list."""
    held = ledger(attrs.evolve(ONE, order_id="9"))
    held.push_order(ONE)
    assert held.due() == ["orders"]
    held.push_order(order("4", price=7, made=1000))
    assert read(held, [ONE, order("4", price=7, made=1000)]) == [attrs.evolve(ONE, order_id="9")]


def test_what_a_list_lacks_of_an_order_is_taken_from_what_is_known() -> None:
    """A row without terms or sizes leaves them as they were, and what comes later completes an order."""
    held = ledger(ONE)
    newer = lacking(attrs.evolve(ONE, update_time=Millis(5000)), "price", "filled_size")
    assert read(held, [newer]) == []
    assert held.orders == {"1": attrs.evolve(ONE, update_time=Millis(5000))}
    bare = ledger(lacking(ONE, "side", "client_order_id", "create_time"))
    assert not hasattr(bare.orders["1"], "side")
    assert read(bare, [ONE]) == []
    assert bare.orders == {"1": ONE}


@pytest.mark.parametrize("state", [SpotOrderState.NEW, SpotOrderState.PARTIALLY_FILLED, SpotOrderState("reviewing")])
def test_a_state_that_nobody_knows_ends_no_order(state: SpotOrderState) -> None:
    """In a push and in a look-up."""
    held = ledger(ONE)
    held.push_order(attrs.evolve(ONE, state=state, update_time=Millis(7000)))
    assert held.orders["1"].state == state
    assert held.orders["1"].is_open
    assert not state.is_final
    assert read(held, []) == [held.orders["1"]]
    held.found(held.begin(), "1", attrs.evolve(ONE, state=state, update_time=Millis(8000)))
    assert "1" in held.orders
