"""The table of numbers that guards must take or refuse, as data: ``number_cases.json`` beside this file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final, cast

_REPEATED: Final = re.compile(r"\{(.)\*([0-9]+)\}")


def _read() -> tuple[list[str], list[str]]:
    table = cast("dict[str, list[str]]", json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8")))

    def whole(text: str) -> str:
        return _REPEATED.sub(lambda found: found[1] * int(found[2]), text)

    return [whole(text) for text in table["good"]], [whole(text) for text in table["bad"]]


GOOD, BAD = _read()


def label(text: str) -> str:
    """Return a test id for one case."""
    return ascii(text) if len(text) < 30 else f"{text[:12]!a} and {len(text)} characters"
