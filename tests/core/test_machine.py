"""Machines of explicit states: what their tables say, and that nothing else can happen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

import pytest

from bitmart_trio._core import connection_protocol
from bitmart_trio._core.machine import IllegalStep, Machine
from bitmart_trio._io import connection, pending_gap
from bitmart_trio.streams import _book_sync

TABLES: Final[list[tuple[str, Mapping[tuple[Any, Any], Any], Enum, set[Any]]]] = [
    (
        "gap",
        pending_gap.TRANSITIONS,
        pending_gap.GapState.OPEN,
        {pending_gap.GapState.FILLED, pending_gap.GapState.STAYED, pending_gap.GapState.DISCARDED},
    ),
    (
        "connection",
        connection.TRANSITIONS,
        connection.ConnectionState.OPENING,
        {connection.ConnectionState.GIVEN_UP},
    ),
    (
        "connection protocol",
        connection_protocol.TRANSITIONS,
        connection_protocol.ProtocolState.OPENING,
        {connection_protocol.ProtocolState.DEAD},
    ),
    ("order book", _book_sync.TRANSITIONS, _book_sync.SyncState.OPENING, {_book_sync.SyncState.CLOSED}),
]
each_table = pytest.mark.parametrize(
    ("table", "start", "final"), [case[1:] for case in TABLES], ids=[case[0] for case in TABLES]
)


@each_table
def test_a_step_of_the_table_leads_where_it_says(
    table: Mapping[tuple[Any, Any], Any], start: Enum, final: set[Any]
) -> None:
    for (state, event), following in table.items():
        machine: Machine[Any, Any] = Machine(table, state)
        assert machine.step(event) is machine.state is following


@each_table
def test_any_other_step_raises_and_changes_nothing(
    table: Mapping[tuple[Any, Any], Any], start: Enum, final: set[Any]
) -> None:
    events = {event for _, event in table}
    illegal = [(state, event) for state in type(start) for event in events if (state, event) not in table]
    assert illegal
    for state, event in illegal:
        machine: Machine[Any, Any] = Machine(table, state)
        with pytest.raises(IllegalStep, match=f"{event}.*{state}"):
            machine.step(event)
        assert machine.state is state


@each_table
def test_every_state_is_reached_and_only_final_ones_are_left_by_nothing(
    table: Mapping[tuple[Any, Any], Any], start: Enum, final: set[Any]
) -> None:
    reached = {start}
    while more := {following for (state, _), following in table.items() if state in reached} - reached:
        reached |= more
    assert reached == set(type(start))
    assert {state for state in reached if not any(state is left for left, _ in table)} == final
