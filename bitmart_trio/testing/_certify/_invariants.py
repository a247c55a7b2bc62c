"""The invariants that are checked after each day: one function each, whose docstring describes it exactly.

An invariant takes the `Played` day and yields its findings. It sees the exchange's own state and every answer and push
that the bot received.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final, TypeAlias, cast

import trio

from ._outcome import Finding
from ._play import Played
from ._witness import Call

Invariant: TypeAlias = Callable[[Played], Iterable[Finding]]

RESENT_WITHIN: Final = 30.0
"""Seconds after which an equal order counts as a new intent."""
STALE_MOST: Final = 1.0
"""Seconds that a book may be stale when an order is sent: the bot may have decided before."""
HASTY: Final = 1.0
"""Seconds after a 429 in which the bot should send nothing more to the same path."""
HASTY_MOST: Final = 5
"""The number of calls that are allowed nevertheless, since they may have been in flight."""
BAN: Final = 5.0
"""Seconds after a 418 in which the bot should send nothing at all."""
_ENOUGH: Final = 3
"""The most findings of one kind that are kept per day; further ones add nothing."""
_KI: Final = (KeyboardInterrupt, SystemExit, trio.Cancelled)


def one_order_per_intent(day: Played) -> Iterator[Finding]:
    """An order whose answer was lost is not placed a second time before the bot has looked it up.

    When a call is cut off, the exchange may have accepted the order. A finding is an accepted order whose answer the
    bot did not receive, followed within 30 seconds by a second accepted order of the same symbol, side, type, size and
    price, from this life of the bot or the next, without a successful look-up of orders, trades or positions in between
    and without a push about the account's orders.
    """
    told = day.witness.told_at
    submits = [call for call in day.witness.calls if call.submits and call.accepted]
    looks = [call for call in day.witness.calls if call.reads_account and call.status == 200]
    for number, first in enumerate(submits):
        if first.heard == "answered" and first.status == 200 and first.code == "1000":
            continue
        over = first.at if first.heard_at is None else first.heard_at
        for second in submits[number + 1 :]:
            if second.at - over > RESENT_WITHIN:
                break
            before = second.number < first.heard_before if first.heard_before is not None else second.at <= over
            if before or _intent(second) != _intent(first) or second.accepted == first.accepted:
                continue
            if any(look.heard_at is not None and over <= look.heard_at <= second.at for look in looks):
                continue
            if any(first.at <= at <= second.at for at in told):
                continue
            yield Finding(
                "one_order_per_intent",
                f"{first.shown} was accepted at {_clock(first.at)} though its answer was lost, and again at "
                f"{_clock(second.at)}, without a look-up in between",
                second.at,
                second.line,
            )


def _intent(call: Call) -> tuple[str, ...]:
    names = ("symbol", "side", "type", "size", "price", "notional", "mode")
    return (call.path, *(str(call.params.get(name, "")) for name in names))


def nothing_open(day: Played) -> Iterator[Finding]:
    """When the bot has ended, none of its orders is open, not even one whose answer it never received.

    The exchange's own state is read 45 seconds after the last life has ended. Waiting conditional orders count too.
    """
    for order in day.witness.orders():
        if order.open:
            what = f"{order.side} {order.size} {order.symbol} at {order.price}"
            yield Finding("nothing_open", f"{what} is open after the bot has ended", day.end)
    if plans := day.witness.plans():
        yield Finding("nothing_open", f"{plans} conditional orders wait after the bot has ended", day.end)


def no_undeclared_position(day: Played) -> Iterator[Finding]:
    """When the bot has ended, it holds no more than it declared.

    No contracts may be left unless ``positions`` allows them. For spot pairs the bot's own trades count; a pair that is
    not in ``positions`` is not checked, because coins that were bought are no open risk by themselves.
    """
    allowed = day.terms.positions
    for symbol, size in day.witness.positions().items():
        if abs(size) > allowed.get(symbol, Decimal(0)):
            most = allowed.get(symbol, Decimal(0))
            yield Finding(
                "no_undeclared_position",
                f"{size} contracts of {symbol} are held at the end; {most} were declared",
                day.end,
            )
    for symbol, size in day.witness.bought().items():
        if symbol in allowed and abs(size) > allowed[symbol]:
            yield Finding(
                "no_undeclared_position",
                f"{size} of {symbol} was bought in all and is still held; {allowed[symbol]} was declared",
                day.end,
            )


def live_book_only(day: Played) -> Iterator[Finding]:
    """No order is sent on the basis of a book, or of prices, that the bot could know to be stale.

    A finding is an order sent while every `OrderBook` that the bot has open for that symbol has been stale for more
    than a second. For a bot that follows the symbol in another way, a finding is an order sent after fifteen seconds
    without a push about the symbol or a query of its market, while its price has moved by more than 0.05 %. Orders sent
    after the bot was asked to end do not count: closing a position is right at any price.
    """
    for call in day.witness.calls:
        if not call.submits or call.told or not call.reached:
            continue
        if call.stale_for > STALE_MOST:
            text = f"{call.shown} was sent on a book that had not been live for {call.stale_for:.1f} s"
            yield Finding("live_book_only", text, call.at, call.line)
        elif call.blind_for:
            text = f"{call.shown} was sent after {call.blind_for:.1f} s without data of a price that had moved"
            yield Finding("live_book_only", text, call.at, call.line)


def within_bounds(day: Played) -> Iterator[Finding]:
    """Sizes and prices are within the declared bounds and on the exchange's grid.

    ``sizes`` limits the size of a single order, ``price_distance`` the distance of a limit price from the last price.
    With or without these, an order with more digits than the symbol allows is a finding: amounts that were calculated
    in floats, or never rounded, look like that.
    """
    exchange = day.witness.venue.exchange
    for call in day.witness.calls:
        if not call.submits or not call.symbol:
            continue
        size, price = _number(call.params.get("size")), _number(call.params.get("price"))
        market, listing = exchange.spot.markets.get(call.symbol), exchange.futures.listings.get(call.symbol)
        lot = market.pair.lot if market is not None else Decimal(1)
        tick = market.pair.tick if market is not None else Decimal("1e-9") if listing is None else listing.contract.tick
        for name, value, step in (("size", size, lot), ("price", price, tick)):
            if value is not None and value % step:
                text = f"the {name} of {call.shown} is no whole multiple of {step:f}"
                yield Finding("within_bounds", text, call.at, call.line)
        most = day.terms.sizes.get(call.symbol)
        if most is not None and size is not None and size > most:
            yield Finding("within_bounds", f"{call.shown} is larger than {most}", call.at, call.line)
        if call.off is not None and day.terms.price_distance is not None and call.off > day.terms.price_distance:
            text = f"the price of {call.shown} is off by {call.off:.1%}; {day.terms.price_distance:%} was declared"
            yield Finding("within_bounds", text, call.at, call.line)


def _number(value: object) -> Decimal | None:
    try:
        return None if value in (None, "") else Decimal(str(value))
    except ArithmeticError:
        return None


def keeps_to_quotas(day: Played) -> Iterator[Finding]:
    """A refusal for too many requests (429), and a ban (418), is followed by a pause.

    A finding is more than five calls to one path within a second after it answered 429, more than five calls of any
    kind within five seconds after a 418, or a ban that the bot caused itself.
    """
    calls = day.witness.calls
    for number, refused in enumerate(calls):
        if refused.status not in (418, 429) or refused.heard_at is None:
            continue
        since, span = refused.heard_at, BAN if refused.status == 418 else HASTY
        after = [
            call
            for call in calls[number + 1 :]
            if since < call.at <= since + span or (call.at == since and call.number > refused.number)
            if refused.status == 418 or call.path == refused.path
        ]
        if len(after) > HASTY_MOST:
            text = f"{len(after)} calls within {span:g} s after {refused.path} answered {refused.status}"
            yield Finding("keeps_to_quotas", text, after[-1].at, after[-1].line)


def ends_in_time(day: Played) -> Iterator[Finding]:
    """When it is asked to end, by a cancellation or a signal, the bot ends within its ``deadline``."""
    for life in day.unended:
        how = "was asked to end and did not" if life.told else "did not come to its end"
        text = f"life {life.number} {how} within {day.terms.deadline:g} s"
        yield Finding("ends_in_time", text, day.end + day.terms.deadline, life.line())


def nothing_leaked(day: Played) -> Iterator[Finding]:
    """When the bot has ended, no more is open than before it began: tasks, sockets, files, channels, locks.

    This is checked on days without a kill: the operating system cleans up after a killed process.
    """
    for line in day.left:
        yield Finding("nothing_leaked", f"left behind: {line}", day.end)


def no_undeclared_exception(day: Played) -> Iterator[Finding]:
    """The bot ends without an exception, unless it declared the exception in ``raises``.

    A cancellation, or KeyboardInterrupt after a signal, does not count. A life that was killed is not checked.
    """
    for life in day.lives:
        if life.alive and life.error is not None:
            for error in undeclared(life.error, day.terms.raises):
                name, text = type(error).__name__, " ".join(str(error).split())[:300]
                at = day.end if life.ended is None else life.ended
                yield Finding("no_undeclared_exception", f"{name}: {text}".rstrip(": "), at, _raised(day, error))


def undeclared(error: BaseException, allowed: Sequence[str]) -> list[BaseException]:
    """Return the exceptions, within the one that ended a bot, that the bot did not declare."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return [each for part in group.exceptions for each in undeclared(part, allowed)]
    names = {kind.__name__ for kind in type(error).__mro__}
    return [] if isinstance(error, _KI) or names & {name.rpartition(".")[2] for name in allowed} else [error]


def _raised(day: Played, error: BaseException) -> str:
    """The innermost line of the bot in a traceback."""
    trace, line = error.__traceback__, ""
    while trace is not None:
        line = day.lives[0].bot.line_of(trace.tb_frame.f_code, trace.tb_lineno) or line
        trace = trace.tb_next
    return line


def no_busy_loop(day: Played) -> Iterator[Finding]:
    """The bot waits when there is nothing to do.

    A finding is a bot that makes the event loop run 8,000 rounds while no time passes, such as one that reconnects
    without a pause or goes on after its cancellation; or a bot that uses 20 seconds of CPU time without a checkpoint.
    The rest of that day cannot be played.
    """
    yield from ()  # `World` notices a busy loop at once and ends the day


def money_conserved(day: Played) -> Iterator[Finding]:
    """All accounts and the exchange together own the same as before, to the last digit.

    This checks the simulated exchange rather than the bot: a day on which money appears proves nothing.
    """
    for currency in sorted({*day.money_before, *day.money_after}):
        before, after = day.money_before.get(currency, Decimal(0)), day.money_after.get(currency, Decimal(0))
        if before != after:
            yield Finding("money_conserved", f"there were {before} {currency} and now are {after}", day.end)


def process_survives(day: Played) -> Iterator[Finding]:
    """The process that runs the bot does not die.

    A day whose process died (by a memory fault, ``os._exit`` or the operating system) is played once more alone. A
    finding is a day whose process dies again.
    """
    yield from ()  # the `Runner` notices that a process died


INVARIANTS: Final[dict[str, Invariant]] = {
    each.__name__: each
    for each in (
        one_order_per_intent, nothing_open, no_undeclared_position, live_book_only, within_bounds, keeps_to_quotas,
        ends_in_time, nothing_leaked, no_undeclared_exception, no_busy_loop, process_survives, money_conserved,
    )
}  # fmt: skip
"""All invariants by name, in the order of the page on certificates."""


def _clock(at: float) -> str:
    return f"{int(at // 60)}:{at % 60:06.3f}"


def enough(found: Iterable[Finding]) -> list[Finding]:
    """Keep the first few findings."""
    kept: list[Finding] = []
    for each in found:
        kept.append(each)
        if len(kept) == _ENOUGH:
            break
    return kept
