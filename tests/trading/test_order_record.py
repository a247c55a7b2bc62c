"""One order's record takes any news in any order, and ends up with the same truth."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitmart_trio.errors import OrderNotPlaced
from bitmart_trio.trading import Accepted, OrderFill, OrderState, Rejected, Unknown
from bitmart_trio.trading._order import Intent, OrderRecord, Sighting

INTENT = Intent(
    client_order_id="bt1", market="spot", symbol="BTC_USDT", side="buy", type="limit", price=Decimal(5), size=Decimal(3)
)


def fill(number: int) -> OrderFill:
    """The n-th fill, of one unit."""
    return OrderFill(f"t{number}", Decimal(5), Decimal(1), None, None, number)


def news(state: OrderState, filled: int, last: int | None = None) -> Sighting:
    """What a push or a look-up would say."""
    return Sighting(
        client_order_id="bt1",
        order_id="77",
        state=state,
        filled_size=Decimal(filled),
        average_price=Decimal(5) if filled else None,
        fill=None if last is None else fill(last),
    )


LIFE = [
    news(OrderState.OPEN, 0),
    news(OrderState.OPEN, 1, 1),
    news(OrderState.OPEN, 2, 2),
    news(OrderState.CANCELLED, 2, 2),
]


@given(st.permutations(LIFE), st.lists(st.sampled_from(LIFE)))
def test_any_order_and_any_repeats_give_the_same(shuffled: list[Sighting], repeats: list[Sighting]) -> None:
    """Late, doubled and swapped news of one life change nothing about how it ended."""
    record = OrderRecord(INTENT)
    for each in [*shuffled, *repeats]:
        record.see(each)
    assert (record.state, record.filled_size, record.order_id) == (OrderState.CANCELLED, Decimal(2), "77")
    assert set(record.fills) == {"t1", "t2"}
    assert record.average_price == 5


@given(st.lists(st.sampled_from([*LIFE, news(OrderState.FILLED, 3, 3)])))
def test_executed_only_grows_and_the_end_is_final(stream: list[Sighting]) -> None:
    """After every piece of news, whatever it was."""
    record = OrderRecord(INTENT)
    filled, ended = Decimal(0), None
    for each in stream:
        record.see(each)
        assert record.filled_size >= filled
        assert ended in (None, record.state)
        filled = record.filled_size
        ended = record.state if record.closed else None


def test_the_reply_may_come_after_the_push() -> None:
    """An acceptance that was overtaken by the news of the order's end reopens nothing."""
    record = OrderRecord(INTENT)
    record.see(news(OrderState.FILLED, 3))
    record.accept("77")
    record.lose(1, None)
    record.reject(OSError())
    assert record.state is OrderState.FILLED
    assert record.outcome() == Accepted("77")


def test_outcomes() -> None:
    """Unknown until known; rejected says why."""
    record = OrderRecord(INTENT)
    assert record.outcome() == Unknown(None)
    cut = OSError("cut off")
    record.lose(5, cut)
    assert record.outcome() == Unknown(cut)
    why = OrderNotPlaced("no", client_order_id="bt1")
    record.reject(why)
    assert record.outcome() == Rejected(why)
    assert record.status().is_closed


def test_an_order_that_the_exchange_takes_in_and_fails_is_rejected() -> None:
    """Spot knows a state for it; there is no refusal to show."""
    record = OrderRecord(INTENT)
    record.see(news(OrderState.REJECTED, 0))
    outcome = record.outcome()
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.error, OrderNotPlaced)


@pytest.mark.parametrize("known", [(), (1,), (2,), (1, 2)])
def test_fills_read_later_complete_those_that_were_pushed(known: tuple[int, ...]) -> None:
    """Each counts once, whichever way it was told."""
    record = OrderRecord(INTENT)
    record.see(news(OrderState.CANCELLED, 2))
    record.add_fills([fill(number) for number in known])
    record.add_fills([fill(1), fill(2)])
    assert record.filled_known == record.filled_size == 2
    assert set(record.fills) == {"t1", "t2"}


def test_fills_that_are_named_differently_are_not_counted_twice() -> None:
    """What pushes told keeps its id, and a list that has them all tells the rest; one that has not tells nothing."""
    record = OrderRecord(INTENT)
    record.see(news(OrderState.CANCELLED, 2, 2))
    record.add_fills([OrderFill(f"other{n}", Decimal(5), Decimal(1), None, None, n) for n in (1, 2)])
    assert record.filled_known == 2
    assert set(record.fills) == {"t2", "other2"}
    lagging = OrderRecord(INTENT)
    lagging.see(news(OrderState.CANCELLED, 2, 2))
    lagging.add_fills([OrderFill("other2", Decimal(5), Decimal(1), None, None, 2)])
    assert set(lagging.fills) == {"t2"}
    unlike = OrderRecord(INTENT)
    unlike.see(news(OrderState.CANCELLED, 2, 2))
    unlike.add_fills([OrderFill(f"other{n}", Decimal(7), Decimal(1), None, None, n) for n in (1, 2)])
    assert set(unlike.fills) == {"other1", "other2"}


def test_an_intent_survives_the_journal() -> None:
    """What is written down is what is read back, exactly."""
    market_buy = Intent(
        client_order_id="bt2",
        market="spot",
        symbol="BTC_USDT",
        side="buy",
        type="market",
        notional=Decimal("0.00000001"),
    )
    for intent in (INTENT, market_buy):
        assert Intent.from_entry(intent.entry()) == intent
    assert market_buy.entry()["notional"] == "0.00000001"
