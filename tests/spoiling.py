"""JSON that is nearly right: a document of which one value, drawn at random, is something else, gone or new."""

from __future__ import annotations

from typing import Any, Final, cast

from hypothesis import strategies as st

VALUES: Final[list[Any]] = [
    None, "", "-", "?", True, False, 0, -1, 1.5, 10**30, 10**390, "1_000", "\u0661", "NaN", "1e999999999", "9" * 500,
    [], {}, [[]], [{}], [None], {"": {}}, "\ud800", "\x00\x1b[2J", "x" * 3000, -(10**18), "2026-01-01", 1e308, "=1+1",
]  # fmt: skip
"""What stands where something else is expected."""

ANYTHING: Final[st.SearchStrategy[Any]] = st.one_of(
    st.sampled_from(VALUES), st.integers(), st.text(max_size=12), st.floats(allow_nan=False, allow_infinity=False)
)


@st.composite
def spoiled(draw: st.DrawFn, document: Any) -> Any:
    """The document with one change, somewhere."""
    if not isinstance(document, dict | list) or not document or draw(st.integers(0, 9)) == 0:
        return draw(ANYTHING)
    if isinstance(document, list):
        rows = cast("list[object]", document)
        at = draw(st.integers(0, len(rows) - 1))
        return [*rows[:at], draw(spoiled(rows[at])), *rows[at + 1 :]]
    members = cast("dict[str, object]", document)
    name = draw(st.sampled_from(sorted(members)))
    change = draw(st.sampled_from(("changed", "changed", "left out", "renamed")))
    if change == "changed":
        return {**members, name: draw(spoiled(members[name]))}
    rest = {key: each for key, each in members.items() if key != name}
    return rest if change == "left out" else {**rest, f"{name}_": members[name]}
