"""An account's ledger: what was read and what was pushed, in every order in which the two can arrive."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from bitmart_trio._bitmart.account import CLOSED_KEPT, PATIENCE, SLACK_MS, AccountLedger
from bitmart_trio.errors import MalformedReply
from bitmart_trio.models import (
    AccountOrderKind,
    AccountPosition,
    Balance,
    BalanceChanged,
    FuturesAccountOrder,
    FuturesOrderSide,
    FuturesOrderState,
    OpenType,
    OrderChanged,
    PositionChanged,
    PositionSide,
)
from bitmart_trio.models._fields import Millis

Ledger = AccountLedger[FuturesAccountOrder]

ORDER = FuturesAccountOrder(
    order_id="1",
    client_order_id="mine",
    symbol="BTCUSDT",
    price=Decimal(60000),
    size=Decimal(10),
    filled_size=Decimal(0),
    create_time=Millis(1000),
    update_time=Millis(1000),
    side=FuturesOrderSide.BUY_OPEN_LONG,
    kind=AccountOrderKind.LIMIT,
    state=FuturesOrderState.CHECK,
    leverage=Decimal(10),
    margin_mode=OpenType.CROSS,
    average_price=None,
    trigger_price=None,
)
FILLED_3 = attrs.evolve(ORDER, filled_size=Decimal(3), update_time=Millis(2000))
DONE = attrs.evolve(ORDER, filled_size=Decimal(10), update_time=Millis(3000), state=FuturesOrderState.FINISH)
POSITION = AccountPosition(
    symbol="BTCUSDT",
    side=PositionSide.LONG,
    size=Decimal(3),
    entry_price=Decimal(60000),
    margin_mode=OpenType.CROSS,
    liquidation_price=None,
    create_time=Millis(2000),
    update_time=Millis(2000),
)
RICH, POOR = Balance(Decimal(100), Decimal(0)), Balance(Decimal(40), Decimal(60))


def read(ledger: Ledger) -> Ledger:
    """A ledger of which every list was read, and found empty."""
    begun = ledger.begin()
    ledger.read_orders(begun, [[]])
    ledger.read_balances(begun, [], None)
    ledger.read_positions(begun, [])
    for kind in ledger.due():
        ledger.done(kind, begun)
    assert not ledger.due()
    assert ledger.in_sync
    return ledger


@pytest.fixture
def ledger() -> Ledger:
    """One of a futures account."""
    return read(AccountLedger(("orders", "positions", "balances")))


def test_a_new_ledger_must_read_everything() -> None:
    """It is not in sync before, and an account without positions is never asked for them."""
    fresh: Ledger = AccountLedger(("orders", "balances"))
    assert fresh.due() == ["orders", "balances"]
    assert not fresh.in_sync
    fresh.invalidate()
    assert fresh.due() == ["orders", "balances"]


def test_an_order_lives_and_leaves(ledger: Ledger) -> None:
    """It is there by both ids while it is open, and its end is told with the state before it."""
    assert ledger.push_order(ORDER) == [OrderChanged(order=ORDER, previous=None, closed=False)]
    assert ledger.client_ids == {"mine": "1"}
    assert ledger.push_order(FILLED_3) == [OrderChanged(order=FILLED_3, previous=ORDER, closed=False)]
    assert ledger.orders == {"1": FILLED_3}
    assert ledger.push_order(DONE) == [OrderChanged(order=DONE, previous=FILLED_3, closed=True)]
    assert (ledger.orders, ledger.client_ids) == ({}, {})


@pytest.mark.parametrize(
    ("known", "late"),
    [
        pytest.param(FILLED_3, ORDER, id="less filled"),
        pytest.param(attrs.evolve(ORDER, update_time=Millis(5000)), ORDER, id="older"),
        pytest.param(DONE, FILLED_3, id="closed before"),
        pytest.param(DONE, DONE, id="closed twice"),
        pytest.param(ORDER, ORDER, id="twice"),
    ],
)
def test_a_late_order_push_changes_nothing(
    ledger: Ledger, known: FuturesAccountOrder, late: FuturesAccountOrder
) -> None:
    """Closed is final, fills only grow, then the time of the update decides; the same holds for late lists."""
    ledger.push_order(known)
    before = dict(ledger.orders)
    assert ledger.push_order(late) == []
    assert ledger.orders == before
    if late.is_open:
        assert ledger.read_orders(ledger.begin(), [[late]]).changes == []
        assert ledger.orders == before


def test_an_order_change_puts_the_balances_in_doubt(ledger: Ledger) -> None:
    """What it holds may never be pushed. The list of orders itself needs no look."""
    ledger.push_order(ORDER)
    assert ledger.due() == ["positions", "balances"]


def test_two_states_that_cannot_be_told_apart_are_looked_up(ledger: Ledger) -> None:
    """Altered twice within a millisecond: the later arrival is taken, and a read has the last word."""
    ledger.push_order(ORDER)
    dearer = attrs.evolve(ORDER, price=Decimal(61000))
    assert ledger.push_order(dearer) == [OrderChanged(order=dearer, previous=ORDER, closed=False)]
    assert "orders" in ledger.due()
    begun = ledger.begin()
    assert ledger.read_orders(begun, [[ORDER]]).changes == [OrderChanged(order=ORDER, previous=dearer, closed=False)]
    ledger.done("orders", begun)
    assert "orders" not in ledger.due()


def test_an_order_that_only_words_differ_in_is_the_same(ledger: Ledger) -> None:
    """Lists and pushes do not spell everything alike."""
    ledger.push_order(ORDER)
    assert ledger.read_orders(ledger.begin(), [[attrs.evolve(ORDER, leverage=Decimal(0))]]).changes == []


def test_a_list_that_crosses_a_push_does_not_undo_it(ledger: Ledger) -> None:
    """What was pushed after the list was asked for stays, and the list is asked for again."""
    begun = ledger.begin()
    ledger.push_order(ORDER)
    ledger.push_balance("USDT", POOR, None)
    ledger.push_position(POSITION)
    listed = ledger.read_orders(begun, [[]])
    assert (listed.changes, listed.missing) == ([], [])
    assert ledger.read_balances(begun, [("USDT", RICH)], None) == []
    assert ledger.read_positions(begun, []) == []
    for kind in ("orders", "balances", "positions"):
        ledger.done(kind, begun)
    assert ledger.due() == ["orders", "positions", "balances"]
    assert (ledger.orders, ledger.balances["USDT"]) == ({"1": ORDER}, POOR)
    assert list(ledger.positions.values()) == [POSITION]


def test_a_list_does_not_bring_back_what_was_closed_meanwhile(ledger: Ledger) -> None:
    """It was drawn up before the end was pushed."""
    ledger.push_order(ORDER)
    begun = ledger.begin()
    ledger.push_order(DONE)
    assert ledger.read_orders(begun, [[ORDER]]).changes == []
    assert ledger.orders == {}


def test_an_order_that_a_list_lacks_is_looked_up(ledger: Ledger) -> None:
    """Its end is told as it was; if it is open after all, it stays."""
    ledger.push_order(ORDER)
    begun = ledger.begin()
    assert ledger.read_orders(begun, [[]]).missing == [ORDER]
    assert ledger.found(begun, "1", FILLED_3) == [OrderChanged(order=FILLED_3, previous=ORDER, closed=False)]
    assert ledger.found(begun, "1", DONE) == [OrderChanged(order=DONE, previous=FILLED_3, closed=True)]
    assert ledger.found(begun, "1", DONE) == []


def test_an_order_that_nobody_knows_is_given_up_the_second_time(ledger: Ledger) -> None:
    """Once may be a replica that is behind. It is told as closed, with its last known state."""
    ledger.push_order(ORDER)
    for attempt in range(2):
        begun = ledger.begin()
        assert ledger.read_orders(begun, [[]]).missing == [ORDER]
        changes = ledger.found(begun, "1", None, PATIENCE)
        ledger.done("orders", begun)
        assert changes == ([OrderChanged(order=ORDER, previous=ORDER, closed=True)] if attempt else [])
        assert ("orders" in ledger.due()) is not bool(attempt)
    assert ledger.orders == {}


def test_an_order_that_was_open_a_moment_ago_is_not_given_up(ledger: Ledger) -> None:
    """However often it is missed: lists and look-ups may be behind by seconds. A list that shows it is as good."""
    ledger.push_order(ORDER, 100.0)
    for now in (101.0, 110.0, 129.9):
        begun = ledger.begin()
        assert ledger.read_orders(begun, [[]], now).missing == [ORDER]
        assert ledger.found(begun, "1", None, now) == []
        ledger.done("orders", begun)
        assert "orders" in ledger.due()
    assert ledger.read_orders(ledger.begin(), [[ORDER]], 130.0) == ([], [])
    for now in (131.0, 159.0):
        assert ledger.found(ledger.begin(), "1", None, now) == []
    assert ledger.found(ledger.begin(), "1", None, 160.0) == [OrderChanged(order=ORDER, previous=ORDER, closed=True)]


def test_an_order_that_was_given_up_comes_back_if_it_is_open(ledger: Ledger) -> None:
    """Nobody has said that it was closed."""
    ledger.push_order(ORDER, 100.0)
    for _ in range(2):
        ledger.found(ledger.begin(), "1", None, 200.0)
    assert ledger.orders == {}
    back = [OrderChanged(order=ORDER, previous=None, closed=False)]
    assert ledger.read_orders(ledger.begin(), [[ORDER]], 201.0).changes == back
    assert ledger.orders == {"1": ORDER}


def test_an_order_that_was_pushed_during_its_look_up_stays(ledger: Ledger) -> None:
    """The push is the younger one, or as good."""
    ledger.push_order(ORDER)
    begun = ledger.begin()
    ledger.read_orders(begun, [[]])
    ledger.push_order(FILLED_3)
    assert ledger.found(begun, "1", None) == []
    assert ledger.orders == {"1": FILLED_3}


def test_a_balance_that_was_sent_before_another_does_not_undo_it(ledger: Ledger) -> None:
    """By the time of the event, currency by currency; as clocks may be wrong, a read is due all the same."""
    ledger.push_balance("USDT", POOR, 2000)
    read(ledger)
    ledger.read_balances(ledger.begin(), [("USDT", POOR)], None)
    assert ledger.push_balance("USDT", RICH, 1999) == []
    assert ledger.balances["USDT"] == POOR
    assert ledger.due() == ["balances"]
    assert ledger.push_balance("BTC", RICH, 1999) == [BalanceChanged(currency="BTC", balance=RICH, previous=None)]


@pytest.mark.parametrize(("age", "taken"), [(SLACK_MS + 1, False), (SLACK_MS, True), (-5, True)])
def test_a_balance_that_was_sent_before_the_read_does_not_undo_it(ledger: Ledger, age: int, taken: bool) -> None:
    """Beyond what clocks may be apart; within that it is taken, and a read is due in either case."""
    asked = 1_000_000
    ledger.read_balances(ledger.begin(), [("USDT", POOR)], asked)
    assert bool(ledger.push_balance("USDT", RICH, asked - age)) is taken
    assert ledger.balances["USDT"] == (RICH if taken else POOR)
    assert ledger.due() == ["balances"]


def test_a_balance_without_a_time_is_taken_and_looked_at(ledger: Ledger) -> None:
    """Futures balances have none: whatever comes last counts until the read. What says nothing new needs none."""
    ledger.push_balance("USDT", RICH, None)
    assert ledger.due() == ["balances"]
    begun = ledger.begin()
    assert ledger.read_balances(begun, [("USDT", POOR)], None) == [
        BalanceChanged(currency="USDT", balance=POOR, previous=RICH)
    ]
    ledger.done("balances", begun)
    assert ledger.push_balance("USDT", POOR, None) == []
    assert ledger.due() == []
    assert ledger.corrections == 1


def test_a_currency_that_is_no_longer_listed_is_zero(ledger: Ledger) -> None:
    """It stays in the ledger, empty."""
    ledger.push_balance("USDT", RICH, None)
    zero = Balance(Decimal(0), Decimal(0))
    assert ledger.read_balances(ledger.begin(), [], None) == [
        BalanceChanged(currency="USDT", balance=zero, previous=RICH)
    ]


def test_a_repeated_position_needs_no_read(ledger: Ledger) -> None:
    """The exchange repeats them every ten seconds, with another liquidation price each time."""
    ledger.push_position(POSITION)
    begun = ledger.begin()
    ledger.read_positions(begun, [attrs.evolve(POSITION, update_time=None)])
    ledger.done("positions", begun)
    moved = attrs.evolve(POSITION, liquidation_price=Decimal(50000))
    assert ledger.push_position(moved) == [PositionChanged(position=moved, previous=POSITION)]
    assert ledger.push_position(moved) == []
    assert ledger.due() == []
    assert ledger.corrections == 0


def test_an_older_position_does_not_undo_a_newer_one(ledger: Ledger) -> None:
    """By its time of update; a closed one does not come back."""
    closed = attrs.evolve(POSITION, size=Decimal(0), update_time=Millis(3000))
    ledger.push_position(POSITION)
    assert ledger.push_position(closed) == [PositionChanged(position=closed, previous=POSITION)]
    assert ledger.push_position(POSITION) == []
    assert ledger.positions == {}
    assert ledger.due() == ["positions"]
    assert ledger.push_position(closed) == []


def test_a_position_that_a_list_lacks_is_closed(ledger: Ledger) -> None:
    """And one that it has is opened, or corrected."""
    ledger.push_position(POSITION)
    bigger = attrs.evolve(POSITION, size=Decimal(5))
    begun = ledger.begin()
    assert ledger.read_positions(begun, [bigger]) == [PositionChanged(position=bigger, previous=POSITION)]
    closed = attrs.evolve(bigger, size=Decimal(0))
    assert ledger.read_positions(begun, []) == [PositionChanged(position=closed, previous=bigger)]
    assert ledger.read_positions(begun, [bigger]) == [PositionChanged(position=bigger, previous=None)]


def test_after_a_gap_nothing_counts_as_read(ledger: Ledger) -> None:
    """Neither does a list that was asked for before it."""
    begun = ledger.begin()
    ledger.invalidate()
    for kind in ledger.due():
        ledger.done(kind, begun)
    assert not ledger.in_sync
    assert ledger.due() == ["orders", "positions", "balances"]
    read(ledger)


def test_closed_orders_are_remembered_within_bounds(ledger: Ledger) -> None:
    """Memory does not grow with every order ever closed."""
    for number in range(CLOSED_KEPT + 10):
        ledger.push_order(attrs.evolve(DONE, order_id=str(number), client_order_id=None))
    assert len(ledger._closed) == CLOSED_KEPT
    assert len(ledger._touched) == 0


def test_rows_that_do_not_say_what_they_are_of_are_not_believed(ledger: Ledger) -> None:
    """A blank symbol or currency, or one in two different rows; nothing that is held changes."""
    ledger.push_position(POSITION)
    ledger.push_balance("USDT", RICH, None)
    begun = ledger.begin()
    for positions in ([attrs.evolve(POSITION, symbol="")], [POSITION, attrs.evolve(POSITION, size=Decimal(9))]):
        with pytest.raises(MalformedReply, match="positions"):
            ledger.read_positions(begun, positions)
    for balances in ([("", POOR)], [("USDT", RICH), ("USDT", POOR)]):
        with pytest.raises(MalformedReply, match="balances"):
            ledger.read_balances(begun, balances, None)
    with pytest.raises(MalformedReply, match="contract"):
        ledger.push_position(attrs.evolve(POSITION, symbol=""))
    with pytest.raises(MalformedReply, match="currency"):
        ledger.push_balance("", POOR, None)
    assert (ledger.positions, ledger.balances) == ({("BTCUSDT", PositionSide.LONG): POSITION}, {"USDT": RICH})
