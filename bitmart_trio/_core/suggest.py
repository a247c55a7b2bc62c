"""What a person meant by a name that does not exist: the nearest of those that do.

Names are compared word by word, so that other spellings find ours: ``getSpotKlinesV3`` is near ``spot.market.klines``,
``futures/user/order`` near ``futures/order``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Final

_EMPTY: Final = frozenset({"get", "fetch", "list", "do", "the", "api", "v", "http", "https"})
"""Words that say nothing about which one is meant."""
_NEAR: Final = 0.55
"""From here on a name is worth a mention. For four in five functions of the npm client, ours is then among the three
suggestions (tests/core/test_suggest.py)."""
_SAME_WORD: Final = 0.8
_MOST_CHARACTERS: Final = 200
"""A longer name is no slip of a person."""


def suggest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names nearest to this one, best first; none when nothing is near."""
    if len(name) > _MOST_CHARACTERS:
        return []
    wanted = _words(name)
    scored = [(_likeness(wanted, _words(each)), each) for each in known]
    best = max((score for score, _ in scored), default=0.0)
    near = sorted((-score, each) for score, each in scored if score >= max(_NEAR, best - 0.15))
    return [each for _, each in near[:most]]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``did you mean A or B?``; blank when nothing is near."""
    near = suggest(name, known)
    return f"did you mean {' or '.join(near)}?" if near else ""


def _words(name: str) -> list[str]:
    split = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    words = [word.lower().removesuffix("s") for word in split if not word.isdigit()]
    return [word for word in words if word not in _EMPTY]


def _likeness(wanted: list[str], known: list[str]) -> float:
    """From 0 to 1: the share of words, of both names, that have a counterpart in the other."""
    if not wanted or not known:
        return 0.0
    left = list(known)
    found = 0.0
    for word in wanted:
        scores = [SequenceMatcher(None, word, each).ratio() for each in left]
        best = max(scores, default=0.0)
        if best >= _SAME_WORD:
            found += best
            del left[scores.index(best)]
    return 2 * found / (len(wanted) + len(known))
