"""Many cases in one test: each is tried, and each that fails is named."""

from __future__ import annotations

import inspect

import pytest
import trio
from every_case import every_case


def test_each_case_is_tried_and_each_failure_named() -> None:
    """A failure hides no other one."""
    tried: list[tuple[int, str]] = []

    @every_case("number, word", [(1, "one"), (2, "two"), (3, "three"), (4, "four")], ids=str)
    def cases(number: int, word: str, fixture: str) -> None:
        assert fixture == "there"
        tried.append((number, word))
        if number == 2:
            with pytest.raises(KeyError):
                pass
        assert number != 3, f"not {word}"

    with pytest.raises(
        AssertionError, match=r"\A2 of 4 cases failed:\n2-two: Failed: .*\n3-three: AssertionError: .*"
    ) as caught:
        cases(fixture="there")
    assert tried == [(1, "one"), (2, "two"), (3, "three"), (4, "four")]
    assert isinstance(caught.value.__cause__, pytest.fail.Exception)
    assert [*inspect.signature(cases).parameters] == ["fixture"]


async def test_an_async_test_has_its_cases_too() -> None:
    """Awaited one after another."""

    @every_case("number", range(3))
    async def cases(number: int) -> None:
        await trio.lowlevel.checkpoint()
        assert number != 1

    with pytest.raises(AssertionError, match=r"\A1 of 3 cases failed:\n1: "):
        await cases()


def test_no_case_is_a_failure() -> None:
    """A check that nothing goes through would hold for ever."""

    @every_case("number", [])
    def cases(number: int) -> None:
        raise AssertionError

    with pytest.raises(AssertionError, match="there is no case"):
        cases()


@every_case("number", [1, 2])
def test_it_is_a_test_that_takes_fixtures(number: int, request: pytest.FixtureRequest) -> None:
    """Pytest sees the fixtures alone."""
    assert request.function is test_it_is_a_test_that_takes_fixtures
    assert number in (1, 2)
