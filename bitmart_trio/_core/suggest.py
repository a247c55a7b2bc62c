"""Suggest the nearest existing names for a name that does not exist.

Names are compared word by word, so that other spellings find ours: ``getMarketKlinesV3`` is near ``market.klines``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, ClassVar, Final, NoReturn

_EMPTY: Final = frozenset({"get", "fetch", "list", "do", "the", "api", "v", "http", "https"})
"""Words that do not help to identify a name."""
_NEAR: Final = 0.55
"""The least likeness of a suggested name. With it, for four in five functions of the npm client, ours is among the
three suggestions (tests/core/test_suggest.py)."""
_SAME_WORD: Final = 0.8
_MOST_CHARACTERS: Final = 200
"""A longer name is not a typing mistake."""


def suggest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names nearest to this one, best first; none when nothing is near.

    A name that differs only in capitals is the only suggestion. Equally near names keep their order.
    """
    return _nearest(name, known, most)[1]


def _nearest(name: str, known: Iterable[str], most: int) -> tuple[float, list[str]]:
    """How near the best one is, from 0 to 1, and what `suggest` gives."""
    if len(name) > _MOST_CHARACTERS:
        return 0.0, []
    names = list(dict.fromkeys(known))
    same = [each for each in names if each.lower() == name.lower()]
    if same:
        return 1.0, same[:most]
    wanted, spelled = _words(name), _words(name, whole=True)
    scored = [(_likeness(wanted, _words(each)), _likeness(spelled, _words(each, whole=True)), each) for each in names]
    best = max((score for score, _, _ in scored), default=0.0)
    near = [each for each in scored if each[0] >= max(_NEAR, best - 0.15)]
    near.sort(key=itemgetter(0, 1), reverse=True)
    return best, [each for _, _, each in near[:most]]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``did you mean A or B?``; blank when nothing is near."""
    return question(suggest(name, known))


def question(near: Sequence[str]) -> str:
    """Return a hint that asks for one of these names; blank if there are none."""
    return f"did you mean {' or '.join(near)}?" if near else ""


def as_sentence(hint: str) -> str:
    """A hint with a capital letter in front; the names in it stay as they are spelled."""
    return hint[:1].upper() + hint[1:]


def public_names(kind: type) -> list[str]:
    """The public attributes of a class, in the order in which they are written, those of its bases behind them."""
    names = dict.fromkeys(name for each in kind.__mro__[:-1] for name in vars(each))
    return [name for name in names if not name.startswith("_")]


class Helpful:
    """The base of objects that name what may have been meant where they have no such attribute.

    The object's own public names come first, then those elsewhere below ``client.``.
    """

    __slots__ = ()

    _elsewhere: ClassVar[tuple[Callable[[], Iterable[str]], ...]]
    """Functions that return names such as ``market.ticker``, called in order until one returns a near name."""

    if not TYPE_CHECKING:  # for type checkers there is no such attribute

        def __getattr__(self, name: str) -> NoReturn:
            """Raise the error that says so."""
            text = f"{type(self).__name__!r} object has no attribute {name!r}"
            if name.startswith("_"):  # programs that look an object over ask for these
                raise AttributeError(text, name=name, obj=self)
            own, near = _nearest(name, public_names(type(self)), 3)
            for names in self._elsewhere:
                score, far = _nearest(name, names(), 3)
                if score > own and far:
                    near = [f"client.{each}" for each in far]
                if near:
                    break
            if not near:
                everywhere = (each for names in self._elsewhere for each in names())
                near = [f"client.{each}" for each in _by_last_word(name, everywhere)]
            hint = question(near)
            # Without the object Python adds no suggestion of its own.
            raise AttributeError(f"{text}; {hint}" if hint else text, name=name, obj=None if hint else self)


def _by_last_word(name: str, names: Iterable[str]) -> list[str]:
    """The names whose last part is near: ``klines`` of another chapter."""
    whole = dict[str, list[str]]()
    for each in names:
        whole.setdefault(each.rpartition(".")[2], []).append(each)
    return [each for last in suggest(name, whole, most=1) for each in whole[last]][:3]


@lru_cache(maxsize=2048)
def _words(name: str, *, whole: bool = False) -> tuple[str, ...]:
    """The words of a name, in the singular unless they are wanted whole."""
    split = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    words = [word.lower() for word in split if not word.isdigit()]
    return tuple(word if whole else word.removesuffix("s") for word in words if word.removesuffix("s") not in _EMPTY)


def _likeness(wanted: tuple[str, ...], known: tuple[str, ...]) -> float:
    """From 0 to 1: the share of words, of both names, that have a counterpart in the other."""
    if not wanted or not known:
        return 0.0
    left = list(known)
    found = 0.0
    for word in wanted:
        scores = [_alike(word, each) for each in left]
        best = max(scores, default=0.0)
        if best >= _SAME_WORD:
            found += best
            del left[scores.index(best)]
    return 2 * found / (len(wanted) + len(known))


@lru_cache(maxsize=8192)
def _alike(word: str, other: str) -> float:
    """From 0 to 1; 0 as soon as it is clear that they are not the same word."""
    matcher = SequenceMatcher(None, word, other)
    if matcher.real_quick_ratio() < _SAME_WORD or matcher.quick_ratio() < _SAME_WORD:
        return 0.0
    return matcher.ratio()
