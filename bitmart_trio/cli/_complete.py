"""Complete words in the shell: environments, profiles, endpoints and their arguments, topics, symbols.

Symbols are fetched once a day and kept in a file; a Tab never waits longer than `PATIENCE` and never fails. Words from
an exchange, a file or a cache go through `shell_word`, since a shell evaluates parts of what it completes.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import typer

from ..config import Environment
from ..credentials import DEFAULT_CREDENTIALS_FILE
from ..text import shell_word

if TYPE_CHECKING:
    from .._core.endpoint import Param

PATIENCE: Final = 3.0
"""Seconds."""
FRESH: Final = 86_400.0
"""Seconds for which a list of symbols is used."""


def environments(incomplete: str) -> list[str]:
    """Return the completions of ``--env``."""
    return _starting(("live", "demo", "http://127.0.0.1:8765"), incomplete)


def profiles(incomplete: str) -> list[str]:
    """Return the profiles of the credentials file; a keyring cannot list its entries."""
    try:
        document = tomllib.loads(Path(DEFAULT_CREDENTIALS_FILE).expanduser().read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return []
    return _starting(_words([name for name, table in document.items() if isinstance(table, dict)]), incomplete)


def endpoints(incomplete: str) -> list[str]:
    """Return the names of endpoints that complete a word."""
    from .call import all_endpoints

    return _starting(all_endpoints(), incomplete)


def arguments(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return ``key=value`` words for the endpoint on the command line: keys, and values if they are known."""
    from .call import all_endpoints

    endpoint = all_endpoints().get(str(ctx.params.get("name")))
    if endpoint is None:
        return []
    words = cast("Sequence[str]", ctx.params.get("words") or ())
    lead, name, value = _parts(words, incomplete, "=")
    params = {param.name: param for param in endpoint.params}
    if name is None and not incomplete and words and words[-1] in params:
        name = words[-1]  # the library below has dropped bash's lone "="
    if name is None:
        given = {word.partition("=")[0] for word in words}
        return _unfinished(_starting([f"{each}=" for each in params if each not in given], incomplete))
    if name not in params:
        return []
    values = symbols(ctx, value) if name == "symbol" else _starting(choices(params[name]), value)
    return [f"{lead}{each}" for each in values]


def choices(param: Param) -> list[str]:
    """Return the values of a parameter that are plain words."""
    from .._core.endpoint import Kind

    if param.kind is Kind.BOOL:
        return ["true", "false"]
    return [str(member.value) for member in param.choices or ()]


def topics(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return topics: channels up to the colon, then symbols."""
    from .._bitmart.channel import CHANNELS

    import_module("bitmart_trio.streams.spot")  # registers its channels
    import_module("bitmart_trio.streams.futures")
    lead, name, value = _parts(cast("Sequence[str]", ctx.params.get("topics") or ()), incomplete, ":")
    if name is not None:
        fixed = [
            each.filter for each in CHANNELS if each.name == name and each.filter not in ("symbol", "currency", "")
        ]
        return [f"{lead}{each}" for each in (_starting(fixed, value) or _symbols(ctx, value, name.split("/")[0]))]
    found: dict[str, None] = {}
    for channel in CHANNELS:
        if channel.status == "current":
            for spelled in channel.names():
                found[f"{spelled}:" if channel.filter else spelled] = None
    return _unfinished(_starting(found, incomplete))


def symbols(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the symbols of both markets, or of the market of the endpoint on the command line."""
    market = str(ctx.params.get("name") or "").partition(".")[0]
    return _symbols(ctx, incomplete, market)


def _symbols(ctx: typer.Context, incomplete: str, market: str) -> list[str]:
    from ._options import environment

    try:
        where = environment(cast("str | None", ctx.params.get("env")))
    except typer.BadParameter:
        return []
    known = _kept(where)
    if known is None:
        known = _asked(where)
    listed = [each for name, symbols in known.items() if market in ("", name) for each in symbols]
    return _starting(_words(listed), incomplete)


def _file(where: Environment) -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bitmart-trio"
    name = "".join(each if each.isalnum() else "-" for each in where.futures_rest or where.name)
    return folder / f"symbols-{name}.json"


def _kept(where: Environment) -> Mapping[str, Sequence[object]] | None:
    file = _file(where)
    try:
        if time.time() - file.stat().st_mtime > FRESH:
            return None
        kept = cast("object", json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(kept, dict):
        return None
    lists = cast("dict[str, object]", kept)
    return {name: cast("list[object]", listed) for name, listed in lists.items() if isinstance(listed, list)}


def _asked(where: Environment) -> Mapping[str, Sequence[object]]:
    import trio

    from ..client import open_client
    from ..errors import BitMartError

    found: dict[str, list[str]] = {}

    async def ask() -> None:
        with trio.move_on_after(PATIENCE):
            async with open_client(environment=where) as client:
                if where.spot_rest is not None:
                    found["spot"] = await client.spot.market.symbols()
                found["futures"] = [each.symbol for each in await client.futures.market.contracts()]

    try:
        trio.run(ask)
    except (BitMartError, OSError):
        return found
    if "futures" in found:
        file = _file(where)
        try:
            _keep(file, json.dumps(found))
        except OSError:
            return found
    return found


def _keep(file: Path, text: str) -> None:
    """Replace a file by a private one; a link is replaced, not followed."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    written, name = tempfile.mkstemp(dir=file.parent)  # new, and 0600
    try:
        with os.fdopen(written, "w", encoding="utf-8") as opened:
            opened.write(text)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _words(offered: Iterable[object]) -> list[str]:
    """Return the candidates that every shell reads as plain words."""
    return [word for each in offered if isinstance(each, str) and (word := shell_word(each)) is not None]


def _starting(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]


def _unfinished(words: list[str]) -> list[str]:
    """Return the words such that bash adds no blank after a single unfinished one."""
    if len(words) == 1 and words[0][-1] in "=:" and os.environ.get("_BITMART_TRIO_COMPLETE") == "complete_bash":
        return [words[0], f"{words[0]}..."]
    return words


def _parts(words: Sequence[str], incomplete: str, mark: str) -> tuple[str, str | None, str]:
    """Return the text before the mark, the text after it, and the prefix of each answer; no name without a mark.

    bash ends a word at the mark, so there the name is a word of its own.
    """
    if words and words[-1] == mark and len(words) > 1:
        return "", words[-2], incomplete
    if words and incomplete == mark:
        return "", words[-1], ""
    name, found, value = incomplete.partition(mark)
    return (name + mark, name, value) if found else ("", None, "")
