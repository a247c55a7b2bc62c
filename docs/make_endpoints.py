"""Writes ``docs/endpoints.md``: every endpoint with the method that calls it, from the rows themselves.

With ``--check`` it says whether the page is current, and changes nothing.
"""

from __future__ import annotations

import inspect
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from made_pages import write_or_check

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "endpoints.md"
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "interop")]

from bitmart_trio import endpoints  # noqa: E402  # after the path is set
from bitmart_trio._core.endpoint import DEFAULT_QUOTA, Endpoint  # noqa: E402
from bitmart_trio.rest.futures import Futures  # noqa: E402
from bitmart_trio.rest.spot import Spot  # noqa: E402

HEAD: Final = """# Endpoints

Every endpoint of BitMart's REST API and the method that calls it. Made from the rows in `bitmart_trio/rest/` by
`docs/make_endpoints.py`; a test keeps it current.

*Auth*: `none`, `keyed` (the key alone is sent) or `signed`. *Quota*: calls in seconds, counted by address, key or
account (uid); an asterisk marks the general rule where none is documented. Below a method stands the function of the
npm package `bitmart-api` 2.5.1 that it replaces.
"""


def _type(returns: Any) -> str:  # noqa: ANN401  # a type of any shape
    if returns is type(None):
        return "None"
    if get_origin(returns) is not None:
        return f"{get_origin(returns).__name__}[{', '.join(_type(each) for each in get_args(returns))}]"
    return str(returns.__name__)


@cache
def npm_functions() -> dict[str, list[str]]:
    """Our methods to the Node functions."""
    from node_functions import FUNCTIONS

    found: dict[str, list[str]] = {}
    for _, function in FUNCTIONS:
        names = found.setdefault(function.method, [])
        if function.name not in names:
            names.append(function.name)
    return found


def chapters() -> list[tuple[str, str, Any, Any]]:
    """(market, chapter, class of the chapter, module with its rows) in the order of the client's attributes."""
    found: list[tuple[str, str, Any, Any]] = []
    for market, api, rows in (("spot", Spot, endpoints.spot), ("futures", Futures, endpoints.futures)):
        instance = api(None)  # type: ignore[arg-type]  # nothing is called
        for name, member in vars(api).items():
            if isinstance(member, property):
                found.append((market, name, type(getattr(instance, name)), getattr(rows, name)))
    return found


def lines() -> list[str]:
    """The table's rows, chapter by chapter."""
    npm = npm_functions()
    page: list[str] = []
    for market, chapter, kind, module in chapters():
        page += [
            f"\n## `client.{market}.{chapter}`\n",
            "| method | verb and path | auth | quota | returns |",
            "| --- | --- | --- | --- | --- |",
        ]
        for name, method in inspect.getmembers(kind, inspect.iscoroutinefunction):
            if name.startswith("_"):
                continue
            row = getattr(module, name, None)
            cell = f"`{name}`"
            if isinstance(row, Endpoint) and row.replaced_by:
                cell += f" (retired: `{row.replaced_by}`)"
            if functions := npm.get(f"{market}.{chapter}.{name}"):
                cell += f"<br>npm: {', '.join(f'`{each}`' for each in functions)}"
            if not isinstance(row, Endpoint):
                page.append(f"| {cell} | {(inspect.getdoc(method) or '').partition(chr(10))[0]} | | | |")
                continue
            quota = row.quota or DEFAULT_QUOTA
            limit = f"{quota.count} in {quota.per:g} s, {quota.by}" + ("" if row.quota else " *")
            page.append(f"| {cell} | `{row}` | {row.auth.value} | {limit} | `{_type(row.returns)}` |")
    return page


def main() -> int:
    """Write the page, or compare."""
    return write_or_check({PAGE: HEAD + "\n".join(lines()) + "\n"})


if __name__ == "__main__":
    sys.exit(main())
