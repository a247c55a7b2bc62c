"""The marker that makes a test of a bot."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

BOTS = """
import pytest
import trio

@pytest.mark.bitmart_certify(seeds=1, minutes=0.2, workers=0)
async def test_sound(client):
    await trio.sleep_forever()

@pytest.mark.bitmart_certify(seeds=1, minutes=0.2, workers=0, shrink=False)
async def test_broken(client):
    raise ZeroDivisionError
"""


def test_a_marked_bot_is_certified(pytester: pytest.Pytester) -> None:
    """Its arguments are no fixtures, and a failure is the certificate."""
    pytester.makepyfile(BOTS)
    done = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*test_broken FAILED: 1 of 1 days of 0.2 minutes broke it", "*ZeroDivisionError*"])
