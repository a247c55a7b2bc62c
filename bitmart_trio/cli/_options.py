"""Share what commands need: environment, credentials, and the examples at the foot of a help text.

The environment comes from ``--env``; credentials come from variables, a file or the keyring, never from arguments.
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

# Typer does not read the two variables: one of its versions ignores them, and then commands would go to BitMart.
_URL: Final = "BITMART_URL"
_PROFILE: Final = "BITMART_PROFILE"
_VARIABLES: Final = ("BITMART_API_KEY", "BITMART_API_SECRET", "BITMART_API_MEMO")

EnvOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--env",
        metavar="live|demo|URL",
        help=f"BitMart, its futures demo, or a simulated exchange; {_URL} if left out, else live.",
        autocompletion=environments,
    ),
]
ProfileOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"Use the key of this name from the keyring or {DEFAULT_CREDENTIALS_FILE}, "
        f"instead of BITMART_API_KEY, _SECRET and _MEMO; {_PROFILE} if left out.",
        autocompletion=profiles,
    ),
]
JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON instead of tables; nothing is cut off.")
]
YesOption: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Send without asking for confirmation.")]


def environment(name: str | None) -> Environment:
    """Return the environment that ``--env`` or else ``BITMART_URL`` names; live if neither is set."""
    named = os.environ.get(_URL) or "live" if name is None else name
    if named in ("live", "demo"):
        return LIVE if named == "live" else DEMO
    try:
        return Environment.at(named)
    except ConfigurationError as error:
        raise typer.BadParameter(str(error), param_hint=_URL if name is None else "--env") from None


def credentials(profile: str | None, environment: Environment) -> Credentials | None:
    """Return the key of the named profile, else of the variables, else of the default profile.

    ``--profile`` or else the variable ``BITMART_PROFILE`` names a profile. None if there is no key: public calls and
    topics need none. If the key goes anywhere but to BitMart, a line on standard error says which and where; for a host
    on this machine only in a terminal.

    Raises:
        Refusal: the variables name an incomplete key, or two keys.
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
            raise Refusal(f"{_PROFILE} and {set_[0]} both name a key; unset one, or use --profile")
        profile = inherited
    if profile is not None:
        return _keyring.load(profile) or Credentials.from_file(profile=profile)
    # The key alone serves unsigned calls; any other incomplete set is a mistake.
    if set_ and set_ not in ([_VARIABLES[0]], list(_VARIABLES)):
        missing = ", ".join(name for name in _VARIABLES if name not in set_)
        raise Refusal(f"{', '.join(set_)} set without {missing}: set all three")
    if set_:
        return Credentials.from_env()
    if Path(DEFAULT_CREDENTIALS_FILE).expanduser().exists():
        return Credentials.from_file()
    return None


def market_of(symbol: str) -> Market:
    """Return the market of a symbol by its spelling: spot pairs have an underscore, contracts have none."""
    return "spot" if "_" in symbol else "futures"


def is_play(environment: Environment) -> bool:
    """Return True if only play money is at risk: BitMart's demo, or a simulated exchange on this machine."""
    if environment is DEMO:
        return True
    return is_loopback(urlsplit(environment.futures_rest or "").hostname)


def confirm(what: str, environment: Environment, yes: bool) -> None:
    """Ask whether to send something to a host with real money; return if yes.

    Raises:
        Refusal: standard input is not a terminal, so nobody can answer.
        Failure: the user answered no.
    """
    if yes or is_play(environment):
        return
    print(f"{what}\non {environment.name}", file=sys.stderr)
    if not sys.stdin.isatty():
        raise Refusal("this needs confirmation, but there is no terminal; --yes sends without asking")
    print("Send it? [y/N] ", end="", file=sys.stderr, flush=True)
    try:
        answer = input()
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise Failure("not sent")


def examples(*lines: str) -> str:
    """Return the examples at the foot of a command's help; typer wants a blank line between two lines."""
    return "\n\n".join(("[bold]Examples[/]", *(f"[dim]$[/] bitmart-trio {line}" for line in lines)))
