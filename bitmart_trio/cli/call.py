"""Implement ``bitmart-trio call``: call any endpoint by its name, with ``key=value`` arguments."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

import typer
from rich.console import Console

import bitmart_trio as bm

from .._core.endpoint import Endpoint, Kind, Param
from .._core.request import RECV_WINDOW, build
from .._core.suggest import did_you_mean
from ..models._numbers import exact, whole
from ._complete import choices
from ._show import as_json, as_table


def all_endpoints() -> dict[str, Endpoint[object]]:
    """Return every endpoint by its name, such as ``spot.market.ticker``."""
    found: dict[str, Endpoint[object]] = {}
    for market in (bm.endpoints.spot, bm.endpoints.futures):
        for chapter in market.__all__:
            for name, row in cast("dict[str, object]", vars(getattr(market, chapter))).items():
                if isinstance(row, Endpoint) and not name.startswith("_"):
                    market_name = market.__name__.rpartition(".")[2]
                    found[f"{market_name}.{chapter}.{name}"] = cast("Endpoint[object]", row)
    return found


def find(name: str) -> Endpoint[object]:
    """Return the endpoint of that name; raise a usage error with a hint if there is none."""
    endpoints = all_endpoints()
    if name not in endpoints:
        hint = did_you_mean(name, endpoints) or "--list shows all"
        raise typer.BadParameter(f"no endpoint {name!r}; {hint}", param_hint="GROUP.METHOD")
    return endpoints[name]


def arguments(endpoint: Endpoint[object], words: Sequence[str]) -> dict[str, object]:
    """Parse ``key=value`` words into keyword arguments of the endpoint."""
    params = {param.name: param for param in (*endpoint.params, RECV_WINDOW)}
    given: dict[str, object] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise typer.BadParameter(f"expected key=value, not {word!r}", param_hint="ARGUMENTS")
        try:
            # The library itself reports a name that the endpoint does not have.
            given[name] = _read(params[name], text) if name in params else text
        except (ValueError, RecursionError):
            raise typer.BadParameter(f"{text[:100]!r} is not {params[name].kind.value}", param_hint=name) from None
    return given


def _read(param: Param, text: str) -> object:
    match param.kind:
        case Kind.INT:
            return whole(text)
        case Kind.BOOL:
            if text not in ("true", "false"):
                raise ValueError(text)
            return text == "true"
        case Kind.MILLIS | Kind.SECONDS:
            return int(text) if text.isascii() and text.isdigit() else datetime.fromisoformat(text)
        case Kind.TEXTS:
            return text.split(",")
        case Kind.ENTRIES:
            return cast("object", json.loads(text, parse_float=exact))
        case Kind.TEXT | Kind.DECIMAL:
            return text


def check(endpoint: Endpoint[object], given: Mapping[str, object]) -> None:
    """Check the arguments as the library will.

    Raises:
        InvalidRequest: the error names the wrong argument.
    """
    build(endpoint, given)


async def call(
    name: str,
    endpoint: Endpoint[object],
    given: Mapping[str, object],
    credentials: bm.Credentials | None,
    environment: bm.Environment,
    json_wanted: bool,
) -> None:
    """Make one REST call and print its payload."""
    async with bm.open_client(credentials, environment=environment) as client:
        market = client.spot if name.startswith("spot.") else client.futures
        if endpoint.replaced_by is not None:
            print(f"bitmart-trio: {endpoint} is retired by the exchange; use {endpoint.replaced_by}", file=sys.stderr)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # said above
            reply = await market.call(endpoint, **given)
    if json_wanted:
        print(as_json(reply.data, indent=2))
    else:
        Console().print(as_table(reply.data))


def print_all(prefix: str) -> None:
    """Print the endpoints whose names begin so, else those with the text in name, path or arguments.

    Each line has name, request, authority and arguments; required ones have a star. For a single endpoint the arguments
    come with their types and bounds.
    """
    endpoints = {name: endpoint for name, endpoint in all_endpoints().items() if name.startswith(prefix)}
    if prefix in endpoints:
        _print_one(prefix, endpoints[prefix])
        return
    if not endpoints:
        sought = prefix.casefold()
        endpoints = {name: each for name, each in all_endpoints().items() if sought in _words(name, each)}
    if not endpoints:
        find(prefix)
    width = max(map(len, endpoints))
    for name, endpoint in endpoints.items():
        params = " ".join(f"{param.name}{'*' if param.required else ''}" for param in endpoint.params)
        print(f"{name:<{width}}  {endpoint!s}  ({endpoint.auth.value})  {params}".rstrip())


def _words(name: str, endpoint: Endpoint[object]) -> str:
    """Return the words by which an endpoint is found."""
    return " ".join((name, str(endpoint), *(param.wire_name for param in endpoint.params))).casefold()


def _print_one(name: str, endpoint: Endpoint[object]) -> None:
    retired = f"\nretired by the exchange; use {endpoint.replaced_by}" if endpoint.replaced_by else ""
    print(f"{name}: {endpoint} ({endpoint.auth.value}){retired}")
    for param in endpoint.params:
        what = " | ".join(choices(param)) or param.kind.value
        bounds = [
            f"from {param.least}" if param.least is not None else "",
            f"to {param.most}" if param.most is not None else "",
        ]
        star = "*" if param.required else " "
        print(f"  {param.name:<24}{star} {' '.join([what, *filter(None, bounds)])}")
