"""Where a command goes and who it is: ``--env``, and credentials from environment or file, never from the arguments."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from ..config import DEFAULT_CREDENTIALS_FILE, DEMO, LIVE, Credentials, Environment
from ..errors import ConfigurationError

EnvOption: TypeAlias = Annotated[
    str, typer.Option("--env", metavar="live|demo|URL", help="BitMart, its futures demo, or a simulated exchange.")
]
ProfileOption: TypeAlias = Annotated[
    str | None,
    typer.Option(help=f"Read the key from this profile of {DEFAULT_CREDENTIALS_FILE}, not from the environment."),
]


def environment(name: str) -> Environment:
    """The environment that ``--env`` names."""
    if name in ("live", "demo"):
        return LIVE if name == "live" else DEMO
    try:
        return Environment.at(name)
    except ConfigurationError as error:
        raise typer.BadParameter(str(error), param_hint="--env") from None


def credentials(profile: str | None) -> Credentials | None:
    """The profile if one is named, else the environment's key, else the file's default profile.

    None when there is none of these: public calls and topics need no key.
    """
    if profile is not None:
        return Credentials.from_file(profile=profile)
    if os.environ.get("BITMART_API_KEY"):
        return Credentials.from_env()
    if Path(DEFAULT_CREDENTIALS_FILE).expanduser().exists():
        return Credentials.from_file()
    return None
