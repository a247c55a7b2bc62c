"""The game of ``test_chapters_money``, played by hypothesis: a sequence that loses money comes out shortened."""

from __future__ import annotations

import random

import pytest
from chapters_kit import House
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from proof_sizes import MONEY_MACHINE
from test_chapters_money import Player, check_wallets


class Money(RuleBasedStateMachine):
    """Users, sub-accounts, loans, savings, positions, fees and the world outside: after each deed the sum is the same.

    Balances, holds, fees, profit and loss, funding, interest and liquidations all take part.
    """

    def __init__(self) -> None:
        super().__init__()
        self.house = House(0)
        self.player = Player(self.house, random.Random(0))
        self.before = self.house.money()

    @initialize(seed=st.integers(0, 9))
    def open(self, seed: int) -> None:
        self.house = House(seed)
        self.player = Player(self.house, random.Random(seed))
        self.before = self.house.money()

    @rule(data=st.data(), dice=st.randoms(use_true_random=False))
    def do(self, data: st.DataObject, dice: random.Random) -> None:
        """Press one of all buttons, with chance in hypothesis's hands."""
        self.player.dice = dice
        deed = data.draw(st.sampled_from(self.player.deeds))
        answer = deed()
        assert answer is None or answer.status != 500, answer.body

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        assert self.house.money() == self.before
        check_wallets(self.house)


TestMoney = pytest.mark.proof(Money.TestCase)
TestMoney.settings = settings(
    max_examples=MONEY_MACHINE,
    stateful_step_count=40,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
