"""A machine of explicit states: one table says what may follow what, and nothing else may."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Generic, TypeVar

State = TypeVar("State", bound=Enum)
Event = TypeVar("Event", bound=Enum)


class IllegalStep(RuntimeError):
    """An event that cannot happen in this state: a bug of ours. The state is what it was."""


class Machine(Generic[State, Event]):
    """A state, and the only way to change it.

    Args:
        table: the next state for each legal pair of state and event. Any other pair is illegal.
        state: the initial state.
    """

    __slots__ = ("_table", "state")

    def __init__(self, table: Mapping[tuple[State, Event], State], state: State) -> None:
        self._table: Mapping[tuple[State, Event], State] = table
        self.state: State = state

    def step(self, event: Event) -> State:
        """Take an event, and return the state that follows.

        Raises:
            IllegalStep: the table has no such pair; the state is unchanged.
        """
        try:
            self.state = self._table[self.state, event]
        except KeyError:
            raise IllegalStep(f"{event} cannot happen while {self.state}") from None
        return self.state
