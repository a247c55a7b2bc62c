"""How a command's end becomes an exit code."""

from __future__ import annotations

import pytest
import trio

from bitmart_trio.cli._run import Failure, run
from bitmart_trio.errors import ApiError, ConnectionLost, InvalidRequest


def _code_of(error: BaseException | None) -> object:
    async def command() -> None:
        await trio.lowlevel.checkpoint()
        if error is not None:
            raise error

    with pytest.raises(SystemExit) as ended:
        run(command)
    return ended.value.code


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (None, 0, ""),
        (ConnectionLost("nobody\nthere"), 1, "bitmart-trio: ConnectionLost: nobody\\nthere\n"),
        (OSError("nobody\nthere"), 1, "bitmart-trio: OSError: nobody there\n"),
        (ApiError("no", code=1), 1, "bitmart-trio: ApiError: 1 no\n"),
        (ExceptionGroup("", [ConnectionLost("one"), ConnectionLost("two")]), 1, "bitmart-trio: ConnectionLost: one\n"),
        (Failure("it did not work"), 1, "bitmart-trio: it did not work\n"),
        (OSError(98, "taken"), 1, "bitmart-trio: OSError: [Errno 98] taken\n"),
        (InvalidRequest("symbol is missing"), 2, "bitmart-trio: InvalidRequest: symbol is missing\n"),
        (KeyboardInterrupt(), 130, ""),
        (BaseExceptionGroup("", [BaseExceptionGroup("", [KeyboardInterrupt(), ValueError("also")])]), 130, ""),
    ],
)
def test_ends_and_their_codes(
    error: BaseException | None, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Alone or in groups, at any depth; a person reads one line at most."""
    assert _code_of(error) == code
    assert capsys.readouterr().err == said


def test_a_bug_keeps_its_traceback() -> None:
    """What nobody foresaw is not dressed up as a refusal."""

    async def command() -> None:
        await trio.lowlevel.checkpoint()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(command)
