"""The referee checks the invariants after a day: the built-in ones, and the user's own."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import cast

from ...errors import ConfigurationError
from ._invariants import INVARIANTS, Invariant, enough
from ._outcome import Finding
from ._play import Played
from ._terms import Terms

Question = Callable[[Played], object]
"""An invariant of the user: if it is broken, it raises AssertionError or returns a text, a list of texts, or False."""


def referee(terms: Terms, own: Sequence[Question] = ()) -> Callable[[Played], list[Finding]]:
    """Return a function that checks all invariants that are not switched off.

    Raises:
        ConfigurationError: an unknown invariant is switched off, or two invariants have the same name.
    """
    asked: dict[str, Invariant] = dict(INVARIANTS)
    for question in own:
        if question.__name__ in asked:
            raise ConfigurationError(f"there are two invariants named {question.__name__}")
        asked[question.__name__] = _asking(question)
    for name in terms.off:
        if name not in asked:
            raise ConfigurationError(f"no invariant named {name!r} to switch off; there are {', '.join(asked)}")
    wanted = [asked[name] for name in asked if name not in terms.off]

    def judge(day: Played) -> list[Finding]:
        found = [each for invariant in wanted for each in enough(invariant(day))]
        # Findings made while the day was played may be switched off too.
        day.findings[:] = [each for each in day.findings if each.invariant not in terms.off]
        return found

    return judge


def _asking(question: Question) -> Invariant:
    def ask(day: Played) -> Iterable[Finding]:
        try:
            said = question(day)
        except AssertionError as error:
            said = str(error) or "it does not hold"
        if said is None or said is True:
            return []
        several = isinstance(said, list | tuple)
        texts = cast("Sequence[object]", said) if several else ["it does not hold" if said is False else said]
        return [each if isinstance(each, Finding) else Finding(question.__name__, str(each), day.end) for each in texts]

    return ask


def questions_in(path: Path) -> list[Question]:
    """Load the invariants in a Python file: its public functions of one argument.

    Raises:
        ConfigurationError: the file cannot be loaded, or has no such function.
    """
    spec = importlib.util.spec_from_file_location("certify_invariants", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigurationError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = [
        cast("Question", each)
        for name, each in vars(module).items()
        if inspect.isfunction(each) and not name.startswith("_") and each.__module__ == module.__name__
        if len(inspect.signature(each).parameters) == 1
    ]
    if not found:
        raise ConfigurationError(f"{path} has no function of one argument: def my_invariant(day): ...")
    return found
