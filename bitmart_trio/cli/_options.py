"""What commands share: where one goes and who it is, and the examples at the foot of its help.

That is ``--env``, and credentials from the environment, a file or the keyring, never as arguments.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

import typer

from ..config import DEMO, LIVE, Environment, Market, is_loopback
from ..credentials import DEFAULT_CREDENTIALS_FILE, Credentials
from ..errors import ConfigurationError
from . import _keyring
from ._complete import environments, profiles
from ._run import Failure, Refusal

# Typer is not asked to read the two variables: one of its versions ignores them, and then commands would go to BitMart.
_URL: Final = "BITMART_URL"
_PROFILE: Final = "BITMART_PROFILE"
_VARIABLES: Final = ("BITMART_API_KEY", "BITMART_API_SECRET", "BITMART_API_MEMO")

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


def credentials(profile: str | None, environment: Environment) -> Credentials | None:
    """The key of a profile if one is named, else the key of the environment, else that of the default profile.

    ``--profile`` names one, or else the variable ``BITMART_PROFILE``. None when there is no key: public calls and
    topics need none. Where a key goes anywhere but to BitMart itself, a line on standard error says which and where;
    for a host on this machine only in a terminal.

    Raises:
        Refusal: the variables name half a key, or two.
    """
    found = _find(profile)
    elsewhere = environment is not LIVE and (not is_play(environment) or sys.stderr.isatty())
    if found is not None and elsewhere:
        print(f"the key {found.shown} is used at {environment.name}", file=sys.stderr)
    return found


def _find(profile: str | None) -> Credentials | None:
    set_ = [name for name in _VARIABLES if os.environ.get(name)]
    if profile is None and (inherited := os.environ.get(_PROFILE)):
        if set_:
            raise Refusal(f"{_PROFILE} and {set_[0]} both name a key; unset one, or say --profile")
        profile = inherited
    if profile is not None:
        return _keyring.load(profile) or Credentials.from_file(profile=profile)
    # The key alone serves calls that are not signed; any other part of the three is a mistake.
    if set_ and set_ not in ([_VARIABLES[0]], list(_VARIABLES)):
        missing = ", ".join(name for name in _VARIABLES if name not in set_)
        raise Refusal(f"{', '.join(set_)} without {missing}: a key needs all three")
    if set_:
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
    return is_loopback(urlsplit(environment.futures_rest or "").hostname)


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


def examples(*lines: str) -> str:
    """Examples for the foot of a command's help; typer wants a blank line between two lines."""
    return "\n\n".join(("[bold]Examples[/]", *(f"[dim]$[/] bitmart-trio {line}" for line in lines)))
