"""Where a command goes and who it is: ``--env``; credentials from environment, file or keyring, never as arguments."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

import typer

from ..config import DEFAULT_CREDENTIALS_FILE, DEMO, LIVE, Credentials, Environment, Market
from ..errors import ConfigurationError
from . import _keyring
from ._complete import environments, profiles
from ._run import Failure, Refusal

# Typer is not asked to read the two variables: one of its versions ignores them, and then commands would go to BitMart.
_URL: Final = "BITMART_URL"
_PROFILE: Final = "BITMART_PROFILE"

EnvOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--env",
        metavar="live|demo|URL",
        help=f"BitMart, its futures demo, or a simulated exchange; {_URL} when left out, else live.",
        autocompletion=environments,
    ),
]
ProfileOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"Take the key of this name from the keyring, or from {DEFAULT_CREDENTIALS_FILE}, "
        f"not from BITMART_API_KEY, _SECRET and _MEMO; {_PROFILE} when left out.",
        autocompletion=profiles,
    ),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="JSON instead of tables; nothing is cut off.")]
YesOption: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Send without asking.")]


def environment(name: str | None) -> Environment:
    """The environment that ``--env`` names, or else the variable ``BITMART_URL``; live when neither is there."""
    named = os.environ.get(_URL) or "live" if name is None else name
    if named in ("live", "demo"):
        return LIVE if named == "live" else DEMO
    try:
        return Environment.at(named)
    except ConfigurationError as error:
        raise typer.BadParameter(str(error), param_hint=_URL if name is None else "--env") from None


def credentials(profile: str | None) -> Credentials | None:
    """The key of a profile if one is named, else the key of the environment, else that of the default profile.

    ``--profile`` names one, or else the variable ``BITMART_PROFILE``. None when there is no key: public calls and
    topics need none.
    """
    if profile is None:
        profile = os.environ.get(_PROFILE) or None
    if profile is not None:
        return _keyring.load(profile) or Credentials.from_file(profile=profile)
    if os.environ.get("BITMART_API_KEY"):
        return Credentials.from_env()
    if Path(DEFAULT_CREDENTIALS_FILE).expanduser().exists():
        return Credentials.from_file()
    return None


def market_of(symbol: str) -> Market:
    """The market of a symbol, by its spelling: spot pairs have an underscore, contracts have none."""
    return "spot" if "_" in symbol else "futures"


def is_play(environment: Environment) -> bool:
    """Whether only play money can be moved there: BitMart's demo, or a simulated exchange on this machine."""
    if environment is DEMO:
        return True
    host = urlsplit(environment.futures_rest or "").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def confirm(what: str, environment: Environment, yes: bool) -> None:
    """Ask whether something may be sent to a host where it counts; returns if it may.

    Raises:
        Refusal: there is nobody to ask.
        Failure: the answer is no.
    """
    if yes or is_play(environment):
        return
    print(f"{what}\non {environment.name}", file=sys.stderr)
    if not sys.stdin.isatty():
        raise Refusal("nobody is there to confirm it; --yes sends without asking")
    print("Send it? [y/N] ", end="", file=sys.stderr, flush=True)
    try:
        answer = input()
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise Failure("not sent")
