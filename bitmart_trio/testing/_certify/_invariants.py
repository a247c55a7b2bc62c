"""The questions that are asked after each day. Each is a function here; its docstring is its paragraph on the page.

An invariant gets the day as it was lived through and gives what it found. It knows the exchange's truth, and what the
bot was told of it.
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
"""Seconds after which an equal order is taken for a new intent."""
STALE_MOST: Final = 1.0
"""Seconds that a book may have been stale when an order leaves: it may have been on its way already."""
HASTY: Final = 1.0
"""Seconds after a 429 in which nothing more may go to the same path."""
HASTY_MOST: Final = 5
"""How many calls may do so all the same: those that were on their way."""
BAN: Final = 5.0
"""Seconds after a 418 in which nothing may be sent at all."""
_ENOUGH: Final = 3
"""Findings of one kind a day; more say nothing more."""
_KI: Final = (KeyboardInterrupt, SystemExit, trio.Cancelled)


def one_order_per_intent(day: Played) -> Iterator[Finding]:
    """An order whose answer never came is not placed a second time before somebody has looked.

    When a call is cut off, the exchange may have accepted the order. Found is: an accepted order whose answer the bot
    did not get, and within 30 seconds a second accepted order of the same symbol, side, type, size and price, from this
    life of the bot or the next, without a successful look at orders, trades or positions in between, and without a push
    about the account's orders.
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
                f"{_clock(second.at)}, and nobody had looked in between",
                second.at,
                second.line,
            )


def _intent(call: Call) -> tuple[str, ...]:
    names = ("symbol", "side", "type", "size", "price", "notional", "mode")
    return (call.path, *(str(call.params.get(name, "")) for name in names))


def nothing_open(day: Played) -> Iterator[Finding]:
    """When the bot has ended, none of its orders is open, not even one that it never heard of.

    The exchange is asked itself, 45 seconds after the last life has ended. Conditional orders that wait count too.
    """
    for order in day.witness.orders():
        if order.open:
            what = f"{order.side} {order.size} {order.symbol} at {order.price}"
            yield Finding("nothing_open", f"{what} is open after the bot has ended", day.end)
    if plans := day.witness.plans():
        yield Finding("nothing_open", f"{plans} conditional orders wait after the bot has ended", day.end)


def no_undeclared_position(day: Played) -> Iterator[Finding]:
    """What the bot holds when it has ended is within what it declared.

    Of contracts nothing may be left unless ``positions`` allows it. Of spot pairs the bot's own trades count; a pair
    that is not in ``positions`` is not asked about, for coins that were bought are no open risk by themselves.
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
    """No order is sent on the strength of a book, or of prices, that the bot could know to be old.

    Found is an order sent while every `OrderBook` that the bot has open of that symbol had not been live for more than
    a second; or, of a bot that follows the symbol in another way, after fifteen seconds without one push of it or one
    look at its market, while its price has moved by more than 0.05 %. Orders that were sent once the bot was told to
    end are left out: getting out is right at any price.
    """
    for call in day.witness.calls:
        if not call.submits or call.told or not call.reached:
            continue
        if call.stale_for > STALE_MOST:
            text = f"{call.shown} was sent on a book that had not been live for {call.stale_for:.1f} s"
            yield Finding("live_book_only", text, call.at, call.line)
        elif call.blind_for:
            text = f"{call.shown} was sent after {call.blind_for:.1f} s without any news of a price that had moved"
            yield Finding("live_book_only", text, call.at, call.line)


def within_bounds(day: Played) -> Iterator[Finding]:
    """Sizes and prices are within what the bot declared, and are ones that the exchange can take.

    ``sizes`` bounds a single order, ``price_distance`` how far a limit price may be from the last one. Whether declared
    or not, an order with more digits than the symbol allows is found: amounts that were calculated in floats, or never
    rounded, look like that.
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

    Found is: more than five calls to one path within a second after it answered 429, more than five calls of any kind
    within five seconds after a 418, and a ban that the bot earned by itself.
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
    """Told to end, by a cancellation or a signal, the bot ends within its ``deadline``."""
    for life in day.unended:
        how = "was told to end and did not" if life.told else "did not come to its end"
        text = f"life {life.number} {how} within {day.terms.deadline:g} s"
        yield Finding("ends_in_time", text, day.end + day.terms.deadline, life.line())


def nothing_leaked(day: Played) -> Iterator[Finding]:
    """When the bot has ended there is no more open than before: tasks, sockets, files, channels, locks.

    It is asked on days without a kill: what a killed process leaves is the operating system's matter.
    """
    for line in day.left:
        yield Finding("nothing_leaked", f"left behind: {line}", day.end)


def no_undeclared_exception(day: Played) -> Iterator[Finding]:
    """The bot ends without an exception, unless it declared it in ``raises``.

    A cancellation, and KeyboardInterrupt after a signal, are no exceptions in this sense. What a life raises that was
    killed is not asked about.
    """
    for life in day.lives:
        if life.alive and life.error is not None:
            for error in undeclared(life.error, day.terms.raises):
                name, text = type(error).__name__, " ".join(str(error).split())[:300]
                at = day.end if life.ended is None else life.ended
                yield Finding("no_undeclared_exception", f"{name}: {text}".rstrip(": "), at, _raised(day, error))


def undeclared(error: BaseException, allowed: Sequence[str]) -> list[BaseException]:
    """The exceptions in what a bot ended with that it did not declare."""
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

    Found is a bot that keeps the event loop turning 8,000 times while no time passes, as one that reconnects without a
    pause, or goes on after its cancellation; or that takes 20 seconds of CPU time without a checkpoint. Nothing more of
    that day can be played.
    """
    yield from ()  # `World` notices it at once, and ends the day


def money_conserved(day: Played) -> Iterator[Finding]:
    """What all accounts and the exchange own together is the same as before, to the last digit.

    It is a question to the simulated exchange rather than to the bot: a day on which money appears proves nothing.
    """
    for currency in sorted({*day.money_before, *day.money_after}):
        before, after = day.money_before.get(currency, Decimal(0)), day.money_after.get(currency, Decimal(0))
        if before != after:
            yield Finding("money_conserved", f"there were {before} {currency} and now are {after}", day.end)


def process_survives(day: Played) -> Iterator[Finding]:
    """The process that the bot lives in does not die.

    A day whose process has died, by a fault of memory, ``os._exit`` or the system's own hand, is tried once more by
    itself. Found is one that dies again.
    """
    yield from ()  # whoever runs the processes notices


INVARIANTS: Final[dict[str, Invariant]] = {
    each.__name__: each
    for each in (
        one_order_per_intent, nothing_open, no_undeclared_position, live_book_only, within_bounds, keeps_to_quotas,
        ends_in_time, nothing_leaked, no_undeclared_exception, no_busy_loop, process_survives, money_conserved,
    )
}  # fmt: skip
"""All of them by name, in the order of the page."""


def _clock(at: float) -> str:
    return f"{int(at // 60)}:{at % 60:06.3f}"


def enough(found: Iterable[Finding]) -> list[Finding]:
    """The first few."""
    kept: list[Finding] = []
    for each in found:
        kept.append(each)
        if len(kept) == _ENOUGH:
            break
    return kept
