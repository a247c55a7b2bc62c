"""What ``docs/testing.md`` shows runs as it stands, in a project of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_plugin import PLUGIN

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parent.parent.parent / "docs" / "testing.md"


def test_what_is_shown_runs(pytester: pytest.Pytester) -> None:
    """Every block is a file of tests, and each of them passes."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\{code-block\} python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == text.count("```{code-block} python") > 3
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = --strict-markers\n")
    pytester.makepyfile(**{f"test_block_{number}": block for number, block in enumerate(blocks)})
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", *PLUGIN)
    result.assert_outcomes(passed=sum(len(re.findall(r"def test_", block)) for block in blocks))
