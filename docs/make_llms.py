"""Writes ``llms.txt`` and ``llms-full.txt``: what a language model needs to use this library, from the package itself.

``llms.txt`` is short: how to begin, and where the pages are. ``llms-full.txt`` has every public name with its signature
and docstring, and every example. With ``--check`` it says whether both are current, and changes nothing.
"""

from __future__ import annotations

import enum
import inspect
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from made_pages import write_or_check

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from make_endpoints import chapters  # noqa: E402  # after the path is set

import bitmart_trio as bm  # noqa: E402  # after the path is set
from bitmart_trio.streams.futures import FuturesStreams  # noqa: E402
from bitmart_trio.streams.spot import SpotStreams  # noqa: E402

SHORT: Final = """# bitmart_trio

> A Trio (not asyncio) client library for the BitMart exchange: typed REST, streams as async iterators, order sessions
> that survive cancellation, and a simulated exchange that runs in process or on loopback. Python 3.11+. The exchange
> announced its wind-down on 2026-07-26 (see README), so use the simulated exchange.

- Open a client: `async with bm.sim.open_exchange(seed=7) as exchange, exchange.open_client() as client:` (simulated),
  or `async with bm.open_client(bm.Credentials.from_env()) as client:` (the exchange itself), where `import
  bitmart_trio as bm`.
- REST: `await client.spot.market.ticker("BTC_USDT")`. Chapters are `client.spot.<chapter>.<method>` and
  `client.futures.<chapter>.<method>`.
- Symbols: spot `BTC_USDT`, futures `BTCUSDT`. Amounts are `Decimal | int | str`, never `float`. Futures sizes count
  contracts.
- Streams: `async with client.streams.spot.trade("BTC_USDT") as trades: async for trade in trades: ...`; any topic by
  name with `client.streams.subscribe("spot/trade:BTC_USDT")`. Holes: `gaps="skip" | "mark" | "raise"`, filled with
  `backfill=True`.
- Order books: `async with client.streams.spot.order_book("BTC_USDT") as book: await book.wait_live()`, then
  `book.best_bid`, `book.bids`.
- Orders that survive cancellation: `async with bm.trading.open_spot_session(client, "BTC_USDT",
  journal="bot.journal") as session:`, then `order = await session.submit(side="buy", type="limit", size="0.001",
  price="30000")` and `await order.wait_filled()`.
- Whole histories: `bm.history`. Metrics and traces: `bm.telemetry`.
- Errors: everything is a `bm.BitMartError`; refusals of the exchange are `bm.ApiError` with `code` and `message`.
  `bm.OutcomeUnknown` means that a write may have happened: look it up before repeating it.
- Deadlines: no `timeout=` arguments; use `with trio.fail_after(seconds):`.
- Tests: pytest-trio with `autojump_clock` and `bm.sim.open_exchange`, or the fixtures of `bm.testing`.

## Docs

- [README](README.md): status of the venue, quick start, examples
- [Everything in one file](llms-full.txt): every public name with its signature and docstring, every example
"""


def _title(page: Path) -> str:
    match = re.search(r"^# (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return match[1] if match else page.stem


def short() -> str:
    """The short file."""
    pages = [page for page in sorted((ROOT / "docs").rglob("*.md")) if not {"_build", "newsfragments"} & {*page.parts}]
    lines = [f"- [{_title(page)}]({page.relative_to(ROOT).as_posix()})" for page in pages if page.name != "index.md"]
    lines += ["- [Examples](examples/README.md)"]
    return SHORT + "\n".join(lines) + "\n"


def _signature(name: str, thing: Any) -> str:  # noqa: ANN401  # anything callable
    try:
        signature = str(inspect.signature(thing))
    except (TypeError, ValueError):
        return name
    # Where a class lives inside the package is nobody's business.
    signature = re.sub(r"\b(?:bitmart_trio|collections\.abc|decimal|typing|trio)(?:\.\w+)*\.(?=\w)", "", signature)
    signature = re.sub(r"<bound method ([\w.]+) of [^>]*>+", r"\1", signature)
    signature = re.sub(
        r"<function [\w.]+(?:<lambda>)? at 0x[0-9a-f]+>|<object object at 0x[0-9a-f]+>", "...", signature
    )
    # Sets come in another order in each run.
    signature = re.sub(r"frozenset\(\{[^}]*\}\)", "...", signature)
    verb = "async " if inspect.iscoroutinefunction(thing) else ""
    # Annotations are kept as text, paths are of the machine's own kind.
    signature = re.sub(r"(: |-> )('[^']*'|\"[^\"]*\")", lambda match: match[1] + match[2][1:-1], signature)
    signature = re.sub(r"ForwardRef\('([^']*)'\)", r"\1", signature)
    signature = re.sub(r"\b\w*Path\('([^']*)'\)", r"Path('\1')", signature)
    return f"{verb}{name}{signature}"


def _doc(thing: Any) -> str:  # noqa: ANN401  # anything with a docstring
    return inspect.getdoc(thing) or ""


def _entry(name: str, thing: Any, level: str) -> Iterator[str]:  # noqa: ANN401  # any public name
    plain = not callable(thing) or (inspect.isclass(thing) and issubclass(thing, enum.Enum))
    yield f"\n{level} `{name if plain else _signature(name, thing)}`\n"
    text = _doc(thing) if callable(thing) or inspect.ismodule(thing) else ""
    if text:
        yield text
    if inspect.isclass(thing):
        fields = [field for field in getattr(thing, "__attrs_attrs__", ()) if not field.name.startswith("_")]
        if fields and not issubclass(thing, BaseException):
            kinds = inspect.get_annotations(thing)
            yield "\nFields: " + ", ".join(
                f"`{field.name}: {kinds[field.name]}`" if isinstance(kinds.get(field.name), str) else f"`{field.name}`"
                for field in fields
            )
        yield from _members(thing)


def _members(kind: type[Any]) -> Iterator[str]:
    fields = {field.name for field in getattr(kind, "__attrs_attrs__", ())}
    for name, member in vars(kind).items():
        if name.startswith("_") or name in fields:
            continue
        function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if isinstance(member, property):
            yield f"\n- `{name}`: {_doc(member)}"
        elif inspect.isfunction(function):
            yield f"\n- `{_signature(name, function)}`\n"
            yield "\n".join(f"  {line}".rstrip() for line in _doc(function).splitlines())


def _public(module: types.ModuleType) -> Iterator[str]:
    for name in module.__all__:
        thing = getattr(module, name)
        if not inspect.ismodule(thing) and not name.startswith("__"):
            yield from _entry(name, thing, "###")


def full() -> str:
    """The long file."""
    page = [short(), "\n# Reference\n\n## bitmart_trio as bm"]
    page += _public(bm)
    for market, chapter, kind, _ in chapters():
        page += [f"\n## client.{market}.{chapter}\n", _doc(kind), *_members(kind)]
    for market, openers in (("spot", SpotStreams), ("futures", FuturesStreams)):
        page += [f"\n## client.streams.{market}\n", _doc(openers), *_members(openers)]
    page.append("\n## bm.models")
    for name in dir(bm.models):
        thing = getattr(bm.models, name)
        if inspect.isclass(thing) and thing.__module__.startswith("bitmart_trio.models"):
            page += _entry(name, thing, "###")
    for module in (bm.trading, bm.history, bm.testing, bm.sim):
        page += [f"\n## bm.{module.__name__.rpartition('.')[2]}\n", _doc(module), *_public(module)]
    page += ["\n## bm.telemetry\n", _doc(bm.telemetry), *_entry("Telemetry", bm.telemetry.Telemetry, "###")]
    page.append("\n# Examples")
    for file in sorted((ROOT / "examples").glob("*.py")):
        page.append(f"\n## examples/{file.name}\n\n```python\n{file.read_text(encoding='utf-8').rstrip()}\n```")
    return "\n".join(page) + "\n"


def main() -> int:
    """Write the files, or compare."""
    return write_or_check({ROOT / "llms.txt": short(), ROOT / "llms-full.txt": full()})


if __name__ == "__main__":
    sys.exit(main())
