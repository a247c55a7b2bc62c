"""Many small cases in one test: what a test costs by itself, in each worker, is more than most of them take."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest


@attrs.define
class _Cases:
    """The cases of one test as they are tried."""

    tried: int = 0
    failed: list[tuple[str, BaseException]] = attrs.field(factory=list)

    @contextmanager
    def trying(self, label: str) -> Iterator[None]:
        """Go on behind a case that fails."""
        self.tried += 1
        try:
            yield
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001  # the second is what pytest.raises raises
            self.failed.append((label, error))

    def judge(self) -> None:
        """Fail, naming each case that has failed; the first of them is shown in full."""
        assert self.tried, "there is no case"
        if self.failed:
            lines = [f"{label}: {type(error).__name__}: {error}" for label, error in self.failed]
            raise AssertionError("\n".join((f"{len(lines)} of {self.tried} cases failed:", *lines))) from self.failed[
                0
            ][1]


def every_case(
    names: str, cases: Iterable[Any], ids: Callable[[Any], object] | Iterable[str] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run a test with all cases, and fail once for all that fail; for cases of which there are dozens, of milliseconds.

    Args:
        names: of the arguments that take a case, comma-separated, as ``pytest.mark.parametrize`` takes them.
        cases: a value each, or with several names a tuple each. Fixtures are the same for all.
        ids: what each case is called in a failure, or makes that of a value of the case. None: the value itself.
    """
    arguments = [name.strip() for name in names.split(",")]
    spell = ids if callable(ids) else lambda value: repr(value)[:200]
    tuples = [tuple(case) if len(arguments) > 1 else (case,) for case in cases]
    labels = (
        ["-".join(str(spell(value)) for value in values) for values in tuples] if ids is None or callable(ids) else ids
    )
    found = [(label, dict(zip(arguments, values, strict=True))) for label, values in zip(labels, tuples, strict=True)]

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(test):

            @functools.wraps(test)
            async def run_async(*own: Any, **fixtures: Any) -> None:
                done = _Cases()
                for label, case in found:
                    with done.trying(label):
                        await test(*own, **case, **fixtures)
                done.judge()

            run: Callable[..., Any] = run_async
        else:

            @functools.wraps(test)
            def run_sync(*own: Any, **fixtures: Any) -> None:
                done = _Cases()
                for label, case in found:
                    with done.trying(label):
                        test(*own, **case, **fixtures)
                done.judge()

            run = run_sync
        signature = inspect.signature(test)
        others = [each for each in signature.parameters.values() if each.name not in arguments]
        run.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]  # what pytest reads
        return run

    return decorate
