"""The commands and their options, as typer sees them. Each works in a module of its own, loaded when it is called."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from .._version import __version__
from . import _options
from ._options import EnvOption, ProfileOption
from ._run import run

app: typer.Typer = typer.Typer(
    name="bitmart-trio",
    help="A Trio client for BitMart, and a simulated exchange.",
    epilog="Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback is for a bug report, and its frames may hold a key
)

SeedOption = Annotated[int, typer.Option(help="Of the synthetic market: the same seed gives the same market.")]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"bitmart-trio {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """Options of all commands."""


@app.command()
def demo(
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="How long it lasts.")] = 15,
    seed: SeedOption = 7,
) -> None:
    """A tour: streams from a simulated exchange, an order placed and cancelled, another filled. No key, no network."""
    from rich.console import Console

    from .demo import Demo

    run(Demo(seconds, seed, Console()).run)


@app.command()
def watch(
    topics: Annotated[
        list[str], typer.Argument(metavar="TOPIC...", help="Such as spot/trade:BTC_USDT or futures/ticker.")
    ],
    env: EnvOption = "live",
    profile: ProfileOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many messages.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Print what topics deliver, until interrupted."""
    from .watch import Watch

    environment = _options.environment(env)
    run(lambda: Watch(topics, limit, json).run(_options.credentials(profile), environment))


@app.command()
def call(
    name: Annotated[str | None, typer.Argument(metavar="GROUP.METHOD", help="Such as spot.market.ticker.")] = None,
    words: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="The method's arguments.")] = None,
    env: EnvOption = "live",
    profile: ProfileOption = None,
    json: Annotated[bool, typer.Option("--json", help="The whole payload as JSON.")] = False,
    list_all: Annotated[bool, typer.Option("--list", help="Show all endpoints and their arguments.")] = False,
) -> None:
    """Make one REST call and print what comes back."""
    from . import call as calls

    if list_all:
        calls.print_all()
        return
    if name is None:
        raise typer.BadParameter("missing; --list shows all", param_hint="GROUP.METHOD")
    endpoint = calls.find(name)
    given = calls.arguments(endpoint, words or [])
    environment = _options.environment(env)
    run(lambda: calls.call(name, endpoint, given, _options.credentials(profile), environment, json))


@app.command()
def sim(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8765,
    host: Annotated[str, typer.Option(help="Whoever reaches it may trade there, with play money.")] = "127.0.0.1",
    seed: SeedOption = 0,
    fault: Annotated[
        list[str] | None, typer.Option(help="Misbehave: LoseReply:/spot/v2/submit_order, LatePong:seconds=30, ...")
    ] = None,
) -> None:
    """Run the simulated exchange as a server. Key sim-key, secret sim-secret, memo sim-memo."""
    from ..sim import FaultError, parse_fault
    from .sim import serve

    try:
        faults = [parse_fault(text) for text in fault or []]
    except FaultError as error:
        raise typer.BadParameter(str(error), param_hint="--fault") from None
    run(partial(serve, host, port, seed, faults))
