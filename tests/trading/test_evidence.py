"""What is known of an order, whatever evidence comes, in whatever order: the rules of `_evidence`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

import attrs
import pytest
from every_case import every_case
from hypothesis import given
from hypothesis import strategies as st

from bitmart_trio.errors import OrderNotPlaced
from bitmart_trio.trading import Accepted, OrderFill, OrderState, Rejected, Unknown
from bitmart_trio.trading._evidence import (
    TRANSITIONS,
    CancelReply,
    ExchangeClock,
    Fact,
    Known,
    OrderRecord,
    OrderReport,
    Sent,
    Source,
)
from bitmart_trio.trading._order import Intent

INTENT = Intent(
    client_order_id="bt1", market="spot", symbol="BTC_USDT", side="buy", type="limit", price=Decimal(5), size=Decimal(3)
)
MARKET_BUY = attrs.evolve(INTENT, type="market", price=None, size=None, notional=Decimal(15))
SHOWS = 30.0


def fill(number: int) -> OrderFill:
    """The n-th fill, of one unit."""
    return OrderFill(f"t{number}", Decimal(5), Decimal(1), None, None, number)


def seen(
    state: OrderState, filled: int, last: int | None = None, *, source: Source = Source.PUSH, fits: bool = True
) -> OrderReport:
    """What a push or a look-up says."""
    return OrderReport(
        client_order_id="bt1",
        order_id="77",
        state=state,
        source=source,
        filled_size=Decimal(filled),
        average_price=Decimal(5) if filled else None,
        fill=None if last is None else fill(last),
        fits=fits,
    )


LIFE = [
    seen(OrderState.OPEN, 0),
    seen(OrderState.OPEN, 1, 1),
    seen(OrderState.OPEN, 2, 2),
    seen(OrderState.CANCELLED, 2, 2),
]
Change: TypeAlias = Callable[[OrderRecord, float], object]


def _see(report: OrderReport) -> Change:
    return lambda record, now: record.see(report, now)


def _read(fills: list[OrderFill]) -> Change:
    return lambda record, now: record.read(fills, now)


_OTHERS: list[Change] = [
    lambda record, now: record.accept("77", now),
    lambda record, now: record.lose(Sent(0, now), OSError()),
    lambda record, _: record.reject(OSError()),
    lambda record, _: record.cancelled(CancelReply.TAKEN),
    lambda record, _: record.cancelled(CancelReply.MISSED),
    lambda record, _: record.existed(),
    lambda record, _: record.forget(),
]
ANYTHING: st.SearchStrategy[Change] = st.one_of(
    st.builds(
        seen,
        st.sampled_from([OrderState.OPEN, OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED]),
        st.integers(0, 3),
        st.none() | st.integers(1, 3),
        source=st.sampled_from([Source.PUSH, Source.LOOK_UP]),
        fits=st.booleans(),
    ).map(_see),
    st.lists(st.integers(1, 3).map(fill), max_size=3, unique_by=lambda each: each.trade_id).map(_read),
    st.sampled_from(_OTHERS),
)


@given(st.permutations(LIFE), st.lists(st.sampled_from(LIFE)))
def test_any_order_and_any_repeats_give_the_same(shuffled: list[OrderReport], repeats: list[OrderReport]) -> None:
    """Late, doubled and swapped messages of one life change nothing about how it ended."""
    record = OrderRecord(INTENT)
    for each in [*shuffled, *repeats]:
        record.see(each, 0)
    assert (record.state, record.filled_size, record.order_id) == (OrderState.CANCELLED, Decimal(2), "77")
    assert set(record.executed.fills) == {"t1", "t2"}
    assert record.executed.average_price == 5


@given(st.lists(st.tuples(ANYTHING, st.floats(0, 50)), max_size=12))
def test_no_evidence_undoes_what_is_proven(stream: list[tuple[Change, float]]) -> None:
    """Executed size only grows, an acceptance stays, an end stays, and "filled" is said of the whole alone."""
    record = OrderRecord(INTENT, SHOWS)
    filled, existed, ended, now = Decimal(0), False, False, 0.0
    for change, later in stream:
        now += later
        before = record.known
        change(record, now)
        assert record.filled_size >= filled
        filled = record.filled_size
        exists = record.known in (Known.LIVE, Known.ENDED, Known.SETTLED)
        if existed and not exists:
            assert record.outcome() == Rejected(record.error)  # type: ignore[arg-type]
            assert not filled  # the exchange itself says that it failed, and nothing of it was filled
        assert not (ended and record.known is Known.LIVE)
        existed, ended = exists, record.known in (Known.ENDED, Known.SETTLED)
        if record.state is OrderState.FILLED:
            assert filled >= 3
        settled = record.known is Known.SETTLED and before is not Known.SETTLED
        if settled and record.word is OrderState.CANCELLED and filled:
            assert record.executed.ends[Source.TRADES][0] == record.executed.ends[Source.LOOK_UP][0] == filled


@every_case("known", Known)
@every_case("fact", Fact)
def test_the_table_never_leads_back(known: Known, fact: Fact) -> None:
    """From what is known to exist there is no way to unknown, and to absent only by the exchange's own word."""
    after = TRANSITIONS.get((known, fact), known)
    had = (Known.LIVE, Known.ENDED, Known.SETTLED)
    if known in had:
        assert after in had or fact is Fact.FAILED
    if known in (Known.ENDED, Known.SETTLED):
        assert after in (Known.ENDED, Known.SETTLED)
    if known is Known.LOST:
        assert after is not Known.WRITTEN


# Sizes


def test_filled_with_an_old_size_is_not_over() -> None:
    """The word says all, the size says nothing: open, until the trades or a look-up show the whole."""
    record = OrderRecord(INTENT)
    record.see(seen(OrderState.FILLED, 0), 0)
    assert (record.state, record.closed) == (OrderState.OPEN, False)
    record.read([fill(1), fill(2)], 1)
    assert not record.closed
    record.read([fill(1), fill(2), fill(3)], 2)
    assert (record.state, record.filled_size, record.settled) == (OrderState.FILLED, Decimal(3), True)
    assert record.whole


def test_a_word_that_does_not_fit_its_size_is_not_over() -> None:
    """Such as "finished" on contracts with less than the whole, which is a cancel or an old size."""
    record = OrderRecord(INTENT)
    record.see(seen(OrderState.CANCELLED, 1, source=Source.LOOK_UP, fits=False), 0)
    assert not record.closed
    record.cancelled(CancelReply.TAKEN)
    assert record.state is OrderState.CANCELLED, "a cancel of ours found it open, so it was not filled whole"


def test_a_late_fill_counts_after_the_end() -> None:
    """Also after the size was confirmed: it is confirmed no more then, and the whole size makes it filled."""
    record = OrderRecord(INTENT)
    record.see(seen(OrderState.CANCELLED, 0), 0)
    record.see(seen(OrderState.CANCELLED, 0, source=Source.LOOK_UP), 1)
    record.read([], 1)
    assert record.settled
    record.see(seen(OrderState.OPEN, 1, 1), 2)
    assert (record.state, record.filled_size, record.settled) == (OrderState.CANCELLED, Decimal(1), False)
    record.see(seen(OrderState.OPEN, 3), 3)
    assert (record.state, record.settled) == (OrderState.FILLED, True)


def test_three_sides_confirm_a_size_at_once() -> None:
    """The push of the end, a look-up and the trades; none of them alone, and no two of them."""
    record = OrderRecord(INTENT, SHOWS)
    record.see(seen(OrderState.CANCELLED, 1, 1), 0)
    record.read([fill(1)], 0)
    assert not record.settled
    record.see(seen(OrderState.CANCELLED, 1, source=Source.LOOK_UP), 0)
    assert record.settled


def test_filled_with_an_old_size_on_all_three_sides_is_not_over() -> None:
    """Push, look-up and trades lag together: nobody says the whole, so nothing is confirmed before all must show."""
    record = OrderRecord(INTENT, SHOWS)
    for filled in (0, 2):
        for _ in range(3):
            record.see(seen(OrderState.FILLED, filled), 0)
            record.see(seen(OrderState.FILLED, filled, source=Source.LOOK_UP), 0)
            record.read([fill(number) for number in range(1, filled + 1)], 0)
            assert (record.state, record.settled) == (OrderState.OPEN, False)
    record.read([fill(1), fill(2), fill(3)], 20)
    assert (record.state, record.settled, record.filled_size) == (OrderState.FILLED, True, Decimal(3))


def test_a_confirmed_size_is_called_filled_only_when_it_grows_to_the_whole() -> None:
    """A later "filled" beside the size that was confirmed changes nothing; one beside the whole does."""
    record = OrderRecord(INTENT, SHOWS)
    for filled in (1, 1, 3):
        record.see(seen(OrderState.FILLED, filled, source=Source.LOOK_UP), 31)
        record.read([fill(number) for number in range(1, filled + 1)], 80)
        record.see(seen(OrderState.FILLED, filled, source=Source.LOOK_UP), 80)
        state = OrderState.FILLED if filled == 3 else OrderState.CANCELLED
        assert (record.state, record.settled, record.filled_size) == (state, True, Decimal(filled))


def test_two_sides_confirm_a_size_after_a_while() -> None:
    """Asked for when what the exchange did must show; what was read before that may be old on both."""
    record = OrderRecord(INTENT, SHOWS)
    for at in (0, 10, 29):
        record.see(seen(OrderState.CANCELLED, 0, source=Source.LOOK_UP), at)
        record.read([], at)
        assert not record.settled
    record.see(seen(OrderState.CANCELLED, 0, source=Source.LOOK_UP), 30)
    assert not record.settled
    record.read([], 31)
    assert record.settled


def test_sides_that_disagree_confirm_nothing() -> None:
    """However long it lasts."""
    record = OrderRecord(INTENT, SHOWS)
    for at in range(0, 1000, 10):
        record.see(seen(OrderState.CANCELLED, 2, source=Source.LOOK_UP), at)
        record.read([fill(1)], at)
    assert not record.settled
    assert record.filled_size == 2


def test_trades_read_before_the_end_confirm_nothing() -> None:
    """A fill may have come between."""
    record = OrderRecord(INTENT, SHOWS)
    record.see(seen(OrderState.CANCELLED, 0), 10)
    record.see(seen(OrderState.CANCELLED, 0, source=Source.LOOK_UP), 10)
    record.read([], 9)
    assert not record.settled


def test_a_market_buy_is_over_by_what_it_bought() -> None:
    """It has no size to reach: the sides must agree, or the look-up's word must fit."""
    record = OrderRecord(MARKET_BUY, SHOWS)
    record.see(seen(OrderState.CANCELLED, 2, fits=False), 0)
    assert not record.closed
    record.see(seen(OrderState.FILLED, 3, source=Source.LOOK_UP), 0)
    assert (record.state, record.filled_size) == (OrderState.FILLED, Decimal(3))


def test_a_take_profit_executes_nothing_itself() -> None:
    """It is over by the word alone."""
    record = OrderRecord(attrs.evolve(INTENT, kind="tp_sl"))
    record.see(seen(OrderState.TRIGGERED, 0), 0)
    assert (record.state, record.settled) == (OrderState.TRIGGERED, True)


# Existence


def test_the_reply_may_come_after_the_push() -> None:
    """An acceptance that was overtaken by the order's end reopens nothing."""
    record = OrderRecord(INTENT)
    record.see(seen(OrderState.FILLED, 3), 0)
    record.accept("77", 1)
    record.lose(Sent(1, 1), None)
    record.reject(OSError())
    assert record.state is OrderState.FILLED
    assert record.outcome() == Accepted("77")
    assert record.contradiction is None


def test_outcomes() -> None:
    """Unknown until known; rejected says why."""
    record = OrderRecord(INTENT)
    assert record.outcome() == Unknown(None)
    cut = OSError("cut off")
    record.lose(Sent(5, 0), cut)
    assert record.outcome() == Unknown(cut)
    why = OrderNotPlaced("no", client_order_id="bt1")
    record.reject(why)
    assert record.outcome() == Rejected(why)
    assert record.status().is_closed


def test_what_was_said_not_to_exist_and_turns_up_is_open_again() -> None:
    """A contradiction, and said to be one."""
    record = OrderRecord(INTENT)
    record.reject(OrderNotPlaced("absent", client_order_id="bt1"))
    record.see(seen(OrderState.OPEN, 0), 0)
    assert record.state is OrderState.OPEN
    assert record.outcome() == Accepted("77")
    assert "absent" in str(record.contradiction)


def test_an_order_that_the_exchange_takes_in_and_fails_is_rejected() -> None:
    """Spot knows a state for it; there is no refusal to show. One that was filled in part did not fail."""
    record = OrderRecord(INTENT)
    record.see(seen(OrderState.REJECTED, 0), 0)
    outcome = record.outcome()
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.error, OrderNotPlaced)
    filled = OrderRecord(INTENT)
    filled.see(seen(OrderState.OPEN, 1), 0)
    filled.see(seen(OrderState.REJECTED, 0), 0)
    assert filled.state is OrderState.OPEN


def test_only_an_order_that_filled_nothing_is_forgotten() -> None:
    """Spot forgets those alone."""
    record = OrderRecord(INTENT)
    record.accept("77", 0)
    record.forget()
    assert (record.state, record.settled) == (OrderState.CANCELLED, True)
    filled = OrderRecord(INTENT)
    filled.see(seen(OrderState.OPEN, 1), 0)
    filled.forget()
    assert filled.state is OrderState.OPEN


# Absence


def test_both_clocks_must_be_past_the_time() -> None:
    """The exchange's by its own readings, ours since the signing."""
    clock, sent = ExchangeClock(), Sent(stamp=1_000_000, at=0)
    for now in (0, 50, 95):
        clock.take(1_000_000 + now * 1000, now)
    assert sent.absent_from(clock, 90, 50) == pytest.approx(40)
    assert sent.absent_from(clock, 90, 95) == pytest.approx(-5)
    ahead = ExchangeClock()
    for now in (0, 1, 2):
        ahead.take(1_200_000 + now * 1000, now)
    assert sent.absent_from(ahead, 90, 2) == pytest.approx(88), "our own clock says that a minute has not passed"
    behind = ExchangeClock()
    behind.take(1_000_000, 200)
    assert sent.absent_from(behind, 90, 200) == pytest.approx(90), "the exchange's clock says so"


def test_one_reading_that_is_ahead_moves_nothing() -> None:
    """Of the last three the earliest counts."""
    clock, sent = ExchangeClock(), Sent(stamp=1_120_000, at=0)
    clock.take(1_000_000, 0)
    clock.take(1_120_000 + 95_000, 95)
    assert sent.absent_from(clock, 90, 95) == pytest.approx(115)


@given(st.floats(0, 300), st.floats(0, 300), st.floats(0, 200))
def test_absence_never_counts_within_the_minute(stamp: float, read_at: float, visible_after: float) -> None:
    """Whatever is asked for."""
    clock = ExchangeClock()
    clock.take(int(read_at * 1000), read_at)
    sent = Sent(int(stamp * 1000), stamp)
    assert sent.absent_from(clock, visible_after, stamp + 59) > 0


# Fills


@pytest.mark.parametrize("known", [(), (1,), (2,), (1, 2)])
def test_fills_read_later_complete_those_that_were_pushed(known: tuple[int, ...]) -> None:
    """Each counts once, whichever way it came."""
    record = OrderRecord(INTENT)
    record.see(seen(OrderState.CANCELLED, 2), 0)
    record.read([fill(number) for number in known], 1)
    record.read([fill(1), fill(2)], 2)
    assert record.executed.known == record.filled_size == 2
    assert set(record.executed.fills) == {"t1", "t2"}


def test_fills_that_are_named_differently_are_not_counted_twice() -> None:
    """What pushes named keeps its id, and a list that has them all gives the rest; one that has not gives nothing."""
    record = OrderRecord(INTENT)
    record.see(seen(OrderState.CANCELLED, 2, 2), 0)
    record.read([OrderFill(f"other{n}", Decimal(5), Decimal(1), None, None, n) for n in (1, 2)], 0)
    assert record.executed.known == 2
    assert set(record.executed.fills) == {"t2", "other2"}
    lagging = OrderRecord(INTENT)
    lagging.see(seen(OrderState.CANCELLED, 2, 2), 0)
    lagging.read([OrderFill("other2", Decimal(5), Decimal(1), None, None, 2)], 0)
    assert set(lagging.executed.fills) == {"t2"}
    unlike = OrderRecord(INTENT)
    unlike.see(seen(OrderState.CANCELLED, 2, 2), 0)
    unlike.read([OrderFill(f"other{n}", Decimal(7), Decimal(1), None, None, n) for n in (1, 2)], 0)
    assert set(unlike.executed.fills) == {"other1", "other2"}


def test_an_intent_survives_the_journal() -> None:
    """What is written down is what is read back, exactly."""
    market_buy = attrs.evolve(MARKET_BUY, client_order_id="bt2", notional=Decimal("0.00000001"))
    for intent in (INTENT, market_buy):
        assert Intent.from_entry(intent.entry()) == intent
    assert market_buy.entry()["notional"] == "0.00000001"
