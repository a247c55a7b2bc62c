"""Identify the order of a list's row, an answer or a push, whatever its id says.

No source promises that ids are present, or that two orders never share one. So an id is trusted until something
contradicts it. An id identifies nothing if it is blank, if it occurs twice in one list, or if it belongs to an order of
another symbol, side or client order id, or of both another time and other terms. Then the rest of the row identifies
the order, if it fits exactly one known order; otherwise the row is unidentified.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

import attrs

from ..models.account_views import AccountOrder

O = TypeVar("O", bound=AccountOrder)  # noqa: E741

_SLACK_MS: Final = 1000
"""The most by which times of creation of one order may differ: lists and pushes may round them."""


def same_terms(one: AccountOrder, other: AccountOrder) -> bool:
    """Return whether nothing is ordered differently, as far as both say it."""
    return not any(_differ(one, other, name) for name in ("price", "size"))


def contradict(one: AccountOrder, other: AccountOrder) -> bool:
    """Return whether two records of one id cannot be of one order."""
    if _differ(one, other, "symbol") or _differ(one, other, "side"):
        return True
    mine, theirs = _client_id(one), _client_id(other)
    if None not in (mine, theirs) and mine != theirs and not _echoes(one, other):
        return True
    return not same_terms(one, other) and not _same_time(one, other)


def _differ(one: AccountOrder, other: AccountOrder, name: str) -> bool:
    """Return whether a member differs; one that is absent differs from nothing."""
    mine = getattr(one, name, None)
    return hasattr(one, name) and hasattr(other, name) and mine != getattr(other, name)


def _client_id(order: AccountOrder) -> str | None:
    return getattr(order, "client_order_id", None)


def _echoes(one: AccountOrder, other: AccountOrder) -> bool:
    """Return whether the client order id of one is the order id of the other: the exchange repeats it there."""
    return _client_id(one) == other.order_id or _client_id(other) == one.order_id


def _same_time(one: AccountOrder, other: AccountOrder) -> bool:
    mine: int | None = getattr(one, "create_time", None)
    theirs: int | None = getattr(other, "create_time", None)
    return mine is None or theirs is None or abs(mine - theirs) <= _SLACK_MS


def _fits(row: AccountOrder, known: AccountOrder) -> bool:
    """Return whether a row without an id of its own speaks for a known order by everything else."""
    if contradict(row, known):
        return False
    mine = _client_id(row)
    if mine is not None:
        return mine in (_client_id(known), known.order_id)
    return _client_id(known) is None and _same_time(row, known) and same_terms(row, known)


def identify(row: O, known: Iterable[O]) -> O | None:
    """Return a row under the id of the one known order that it fits; None where it fits none, or several."""
    found = [order for order in known if _fits(row, order)]
    return attrs.evolve(row, order_id=found[0].order_id) if len(found) == 1 else None


def sort_out(
    pages: Sequence[Sequence[O]], open_orders: Mapping[str, O], closed: Mapping[str, O]
) -> tuple[dict[str, O], list[O]]:
    """Return the rows of a list by the id of their order, and those of which nothing says which order they are.

    Args:
        pages: the replies that make up the list. An order can be in several.
        open_orders: the orders known to be open, by id.
        closed: the orders known to be closed, by id.
    """
    rows, unclear = _by_id(pages)
    for order_id, row in list(rows.items()):
        known = open_orders.get(order_id) or closed.get(order_id)
        if known is not None and contradict(row, known):
            unclear.append(rows.pop(order_id))
    if not unclear:
        return rows, []
    left: list[O] = []
    candidates = [order for each in (open_orders, closed) for name, order in each.items() if name not in rows]
    claims = [(row, identify(row, candidates)) for row in unclear]
    claimed = Counter(found.order_id for _, found in claims if found is not None)
    for row, found in claims:
        if found is not None and claimed[found.order_id] == 1:
            rows[found.order_id] = found
        else:
            left.append(row)
    return rows, left


def _by_id(pages: Sequence[Sequence[O]]) -> tuple[dict[str, O], list[O]]:
    """Return the rows that have an id of their own within the list, and all others once each."""
    rows: dict[str, O] = {}
    shared: set[str] = {""}
    for page in pages:
        of_page: dict[str, O] = {}
        for row in page:
            before = of_page.setdefault(row.order_id, row)
            if before != row or (row.order_id in rows and contradict(row, rows[row.order_id])):
                shared.add(row.order_id)
        rows |= of_page
    unclear: dict[tuple[object, ...], list[O]] = {}
    for page in pages:
        here: dict[tuple[object, ...], list[O]] = {}
        for row in page:
            if row.order_id in shared:
                alike = here.setdefault(_traits(row), [])
                if not row.order_id or row not in alike:
                    alike.append(row)
        # A row at the boundary of two pages is in both.
        unclear |= {key: alike for key, alike in here.items() if len(alike) >= len(unclear.get(key, ()))}
    clear = {order_id: row for order_id, row in rows.items() if order_id not in shared}
    return clear, [row for alike in unclear.values() for row in alike]


def _traits(row: AccountOrder) -> tuple[object, ...]:
    """Return what of an order no change of it alters, and its terms."""
    names = ("order_id", "client_order_id", "symbol", "side", "create_time", "price", "size")
    return tuple(getattr(row, name, None) for name in names)
