"""Writes the tables of functions in ``docs/migration``, between the marks that the pages carry.

Those of npm ``bitmart-api`` come from the table that the differential tests run, with the same sample arguments. Those
of PyPI's ``bitmart-python-sdk-api`` come from the package itself: each function is called with placeholders, and what
it would have sent names our method. With ``--check`` it says whether the pages are current, and changes nothing.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from made_pages import write_or_check

ROOT: Final = Path(__file__).resolve().parent.parent
PAGES: Final = ROOT / "docs" / "migration"
sys.path[:0] = [str(ROOT), str(ROOT / "docs"), str(ROOT / "tests" / "interop")]

from make_endpoints import chapters  # noqa: E402  # after the path is set

from bitmart_trio._core.endpoint import Endpoint  # noqa: E402

SDK_CLASSES: Final = {
    "api_system": "APISystem",
    "api_account": "APIAccount",
    "api_spot": "APISpot",
    "api_margin_loan": "APIMarginLoan",
    "api_spot_sub_account": "APISpotSubAccount",
    "api_broker": "APIBroker",
    "api_finance": "APIFinance",
    "api_contract": "APIContract",
    "api_contract_sub_account": "APIContractSubAccount",
}

BROKEN: Final = {"post_modify_plan_order": ("POST", "/contract/private/modify-plan-order")}
"""Functions that fail before they send (this one names a variable that does not exist), and what they mean to send."""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _argument(value: Any) -> str:  # noqa: ANN401  # whatever a sample holds
    return json.dumps(value) if isinstance(value, str) else repr(value)


def npm() -> Iterator[str]:
    """Every function of the npm package that calls the exchange."""
    from node_functions import FUNCTIONS

    yield "| class | function | here, with sample arguments |"
    yield "| --- | --- | --- |"
    for client, function in FUNCTIONS:
        given = ", ".join(f"{name}={_argument(value)}" for name, value in function.ours(function.samples[0]).items())
        yield f"| `{client}` | `{function.name}` | `await client.{function.method}({_cell(given)})` |"


class _Recorder:
    """Stands in for the package's sending half."""

    def __init__(self) -> None:
        self.seen: tuple[str, str] | None = None

    def __call__(self, method: str, path: str, *rest: object) -> tuple[dict[str, object], dict[str, object]]:
        self.seen = (method, path.partition("?")[0])
        return {}, {}


def _placeholder(parameter: inspect.Parameter) -> Any:  # noqa: ANN401  # whatever the parameter takes
    kinds: Mapping[object, object] = {int: 1, str: "x", dict: {}, list: [], bool: True}
    return kinds.get(parameter.annotation, "x")


def sdk_functions() -> Iterator[tuple[str, str, str, str]]:
    """(class, function, verb, path) of every function of the official SDK that calls the exchange."""
    for module, name in SDK_CLASSES.items():
        kind = getattr(importlib.import_module(f"bitmart.{module}"), name)
        for function, method in inspect.getmembers(kind, inspect.isfunction):
            if function.startswith("_"):
                continue
            client, recorder = kind("k", "s", "m"), _Recorder()
            client._request = recorder
            required = [
                _placeholder(parameter)
                for parameter in list(inspect.signature(method).parameters.values())[1:]
                if parameter.default is inspect.Parameter.empty
            ]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    method(client, *required)
                except NameError:
                    recorder.seen = BROKEN[function]
            if recorder.seen is None:
                raise SystemExit(f"{name}.{function} sends nothing")
            yield name, function, *recorder.seen


def sdk() -> Iterator[str]:
    """Every function of the official SDK."""
    ours = {
        str(row): f"{market}.{chapter}.{method}"
        for market, chapter, kind, module in reversed(chapters())
        for method, row in vars(module).items()
        if isinstance(row, Endpoint) and hasattr(kind, method)
    }
    yield "| class | function | verb and path | here |"
    yield "| --- | --- | --- | --- |"
    for name, function, verb, path in sdk_functions():
        method = ours.get(f"{verb} {path}")
        here = f"`client.{method}`" if method else "`client.spot.request(...)`: not documented by the exchange"
        yield f"| `{name}` | `{function}` | `{verb} {path}` | {here} |"


def made(page: str, text: str) -> str:
    """A page with its table made anew."""
    table = "\n".join(npm() if page == "npm" else sdk())
    return re.sub(
        r"(<!-- made by docs/make_migration.py -->\n).*?(<!-- end -->)",
        lambda match: f"{match[1]}\n{table}\n\n{match[2]}",
        text,
        flags=re.DOTALL,
    )


def main() -> int:
    """Write the tables, or compare."""
    files = {page: PAGES / f"{page}.md" for page in ("npm", "python_sdk")}
    return write_or_check({file: made(page, file.read_text(encoding="utf-8")) for page, file in files.items()})


if __name__ == "__main__":
    sys.exit(main())
