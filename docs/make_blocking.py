"""Writes ``bitmart_trio/blocking/_methods.py``: a plain method beside each asynchronous one, from the sources.

With ``--check`` it says whether the module is current, and changes nothing. Layout is ruff's business, so the two are
compared as Python reads them.
"""

from __future__ import annotations

import ast
import builtins
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = ROOT / "bitmart_trio"
MODULE: Final = PACKAGE / "blocking" / "_methods.py"

Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"

HEAD: Final = '''# ruff: noqa: F401  # the asynchronous classes are named in texts, and imported for type checkers only
"""The classes of `bitmart_trio.blocking`: plain methods beside asynchronous ones of the same names.

Made by ``docs/make_blocking.py``; a test keeps it current. What a method takes, raises and leaves out says the
asynchronous one.
"""

from __future__ import annotations

'''


class Source(NamedTuple):
    """A class to read methods from."""

    file: str
    name: str
    meaning: Mapping[str, str] = {}
    """Of its type variables."""


class Plain(NamedTuple):
    """A class to write."""

    name: str
    sources: Sequence[Source]
    """The class itself, then its bases."""
    about: str
    type_variable: str = ""


def _views(market: str, order: str, change: str) -> Sequence[Source]:
    file = f"streams/_account_{market.lower()}.py"
    return (
        Source(file, f"{market}AccountView"),
        Source("streams/_account.py", "AccountView", {"O": order, "C": change}),
    )


STREAMS: Final = (
    Plain("Subscription", [Source("_io/subscription.py", "Subscription")], "A live stream of typed items", "T_co"),
    Plain("OrderBook", [Source("streams/_book.py", "OrderBook")], "An order book that is right or says that it is not"),
    Plain("SpotAccountView", _views("Spot", "SpotAccountOrder", "SpotAccountChange"), "A view of the spot account"),
    Plain(
        "FuturesAccountView",
        _views("Futures", "FuturesAccountOrder", "FuturesAccountChange"),
        "A view of the futures account",
    ),
    Plain(
        "SpotStreams",
        [Source("streams/spot.py", "SpotStreams")],
        'Openers: ``with client.streams.spot.trade("BTC_USDT") as trades: ...``',
    ),
    Plain(
        "FuturesStreams",
        [
            Source("streams/futures.py", "FuturesStreams"),
            Source("streams/_futures_private.py", "FuturesPrivateStreams"),
        ],
        "Openers, as those of `SpotStreams`",
    ),
    Plain("Streams", [Source("streams/_streams.py", "Streams")], "Everything that BitMart pushes"),
)
OPENED: Final = {
    "OpeningBook": "OrderBook",
    "OpeningSpotAccount": "SpotAccountView",
    "OpeningFuturesAccount": "FuturesAccountView",
    "AbstractAsyncContextManager[Subscription[AnyStreamEvent]]": "Subscription[AnyStreamEvent]",
}
_ROOM: Final = 120 - len('        """')
NOT_HERE: Final = ("aclose", "clone", "close")


def _class(source: Source) -> ast.ClassDef:
    tree = ast.parse((PACKAGE / source.file).read_text(encoding="utf-8"))
    return next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == source.name)


@cache
def _imports(file: str) -> dict[str, str]:
    """Where each name of a file comes from, as a module below the package or outside of it."""
    tree = ast.parse((PACKAGE / file).read_text(encoding="utf-8"))
    here = file.removesuffix(".py").split("/")
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            above = here[: len(here) - node.level] if node.level else []
            home = (".." if node.level else "") + ".".join([*above, *filter(None, (node.module or "").split("."))])
            found.update({alias.name: home for alias in node.names})
    for statement in tree.body:
        names = [statement.name] if isinstance(statement, ast.ClassDef) else []
        if isinstance(statement, ast.Assign):
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names = [statement.target.id]
        found.update(dict.fromkeys(names, ".." + ".".join(here)))
    return found


def _chapters(market: str) -> Iterator[Plain]:
    """The chapters of a market, and the market."""
    source = Source(f"rest/{market.lower()}.py", market)
    imports = _imports(source.file)
    for node in _class(source).body:
        if isinstance(node, ast.FunctionDef) and _is_property(node):
            name = ast.unparse(node.returns) if node.returns else ""
            about = (ast.get_docstring(node) or "").splitlines()[0].rstrip(".")
            yield Plain(name, list(_with_bases(_source(imports, name))), about)
    about = f"The {market.lower()} market: one attribute a chapter of the documentation"
    yield Plain(market, [source, Source("rest/_base.py", "MarketApi")], about)


def _source(imports: Mapping[str, str], name: str) -> Source:
    return Source(f"{imports[name].lstrip('.').replace('.', '/')}.py", name)


def _with_bases(source: Source) -> Iterator[Source]:
    """A class and those that it is made of, up to the base of all chapters."""
    yield source
    imports = _imports(source.file)
    for base in _class(source).bases:
        if isinstance(base, ast.Name) and base.id != "Chapter":
            yield from _with_bases(_source(imports, base.id))


def _is_property(node: ast.AST) -> bool:
    decorators = getattr(node, "decorator_list", [])
    return any(ast.unparse(each) in ("property", "cached_property") for each in decorators)


def _is_overload(node: Function) -> bool:
    return any(ast.unparse(each) == "overload" for each in node.decorator_list)


def _passed(node: Function) -> str:
    """What a method passes on of its arguments."""
    given = node.args
    parts = [each.arg for each in (*given.posonlyargs, *given.args)][1:]
    parts += [f"*{given.vararg.arg}"] if given.vararg else []
    parts += [f"{each.arg}={each.arg}" for each in given.kwonlyargs]
    parts += [f"**{given.kwarg.arg}"] if given.kwarg else []
    return ", ".join(parts)


def _about(node: Function) -> str:
    """The first sentences of a docstring, and the line that says verb and path or topic."""
    parts = (ast.get_docstring(node) or "").split("\n\n")
    kept = parts[:1]
    if len(parts) > 1 and parts[1].startswith(("GET ", "POST ", "spot/", "futures/")):
        kept.append(parts[1])
    lines = "\n\n".join(kept).splitlines()
    if len(lines[0]) > _ROOM - (3 if len(lines) == 1 else 0):
        first, _, then = lines[0].rpartition("; ")
        lines[:1] = [f"{first}.", "", then.capitalize()]
    if len(lines) == 1:
        return f'        """{lines[0]}"""'
    body = "\n".join(f"        {line}" if line else "" for line in lines[1:])
    return f'        """{lines[0]}\n{body}\n        """'


class Writer:
    """Writes the module."""

    def __init__(self, classes: Sequence[Plain]) -> None:
        self._classes = {each.name: each for each in classes}
        self._homes: dict[str, str] = {}
        self._at_once: set[str] = set()

    def text(self) -> str:
        """The whole module, as long as its lines may be."""
        body = "\n\n".join(self._written(each) for each in self._classes.values())
        outside: dict[str, list[str]] = {"typing": ["TYPE_CHECKING", "Generic", "TypeVar", "overload"]}
        inside: dict[str, list[str]] = {}
        for name, home in sorted(self._homes.items()):
            at_once = name in self._at_once or home == "typing"
            (outside if at_once else inside).setdefault(home, []).append(name)
        lines = [f"from {home} import {', '.join(sorted(set(names)))}" for home, names in sorted(outside.items())]
        lines += ["", "from ._base import Opened, Iterating, Twin, step", "", "if TYPE_CHECKING:"]
        lines += [f"    from {home} import {', '.join(names)}" for home, names in sorted(inside.items())]
        for source in sorted({each.sources[0][:2] for each in self._classes.values()}):
            module = source[0].removesuffix(".py").replace("/", ".")
            lines.append(f"    from ..{module} import {source[1]} as Async{source[1]}")
        lines += ["", 'T = TypeVar("T")', 'T_co = TypeVar("T_co", covariant=True)', "", ""]
        return HEAD + "\n".join(lines) + body

    def _written(self, plain: Plain) -> str:
        first = plain.sources[0]
        variable = f"[{plain.type_variable}]" if plain.type_variable else ""
        generic = f", Generic{variable}" if variable else ""
        head = f'class {plain.name}(Twin["Async{first.name}{variable}"]{generic}):'
        parts = [head, f'    """{plain.about}."""', "", "    __slots__ = ()"]
        seen: set[str] = set()
        for source in plain.sources:
            mine: set[str] = set()
            for node in _class(source).body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name not in seen:
                    written = self._method(node, source)
                    if written:
                        mine.add(node.name)
                        parts += ["", written]
            seen |= mine
        return "\n".join(parts) + "\n"

    def _method(self, node: Function, source: Source) -> str:
        if node.name == "__anext__":
            return self._iteration(self._named(node.returns, source))
        if node.name.startswith("_") or node.name in NOT_HERE:
            return ""
        returns = self._named(node.returns, source)
        arguments = self._arguments(node, source)
        called = f"self._it.{node.name}"
        if _is_property(node):
            if returns in self._classes:  # a chapter: not of Trio's, it only knows the way
                return (
                    f"    @property\n    def {node.name}(self) -> {returns}:\n{_about(node)}\n"
                    f"        return {returns}(self._portal, {called})"
                )
            value = _copy(called, returns)
            return (
                f"    @property\n    def {node.name}(self) -> {returns}:\n{_about(node)}\n"
                f"        return self._now(lambda: {value})"
            )
        if isinstance(node, ast.AsyncFunctionDef):
            passed = ", ".join(filter(None, (called, _passed(node))))
            body = f"return self._call({passed})" if returns != "None" else f"self._call({passed})"
            return f"    def {node.name}({arguments}) -> {returns}:\n{_about(node)}\n        {body}"
        twin = OPENED.get(returns) or (f"Subscription[{returns[8:-1]}]" if returns.startswith("Opening[") else None)
        if twin is not None:
            head = f"    def {node.name}({arguments}) -> Opened[{twin}]:"
            if _is_overload(node):
                return f"    @overload\n{head} ..."
            kind = twin.partition("[")[0]
            return f"{head}\n{_about(node)}\n        return self._open(lambda: {called}({_passed(node)}), {kind})"
        if returns.startswith("AsyncIterator["):
            item = returns[len("AsyncIterator[") : -1]
            return (
                f"    def {node.name}({arguments}) -> Iterating[{item}]:\n{_about(node)}\n"
                f"        return Iterating(self._portal, {called}({_passed(node)}))"
            )
        return (
            f"    def {node.name}({arguments}) -> {returns}:\n{_about(node)}\n"
            f"        return self._now(lambda: {_copy(f'{called}({_passed(node)})', returns)})"
        ).replace(f"lambda: {called}())", f"{called})")

    def _iteration(self, item: str) -> str:
        self._homes["Self"] = "typing"
        return (
            "    def __iter__(self) -> Self:\n        return self\n\n"
            f"    def __next__(self) -> {item}:\n        return step(self._portal, self._it)"
        )

    def _arguments(self, node: Function, source: Source) -> str:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            for each in ast.walk(default) if default else ():
                if isinstance(each, ast.Name):
                    self._find(each.id, source)
                    self._at_once.add(each.id)
        for each in ast.walk(node.args):
            if isinstance(each, ast.arg) and each.annotation is not None:
                self._named(each.annotation, source)
        return ast.unparse(node.args)

    def _named(self, annotation: ast.expr | None, source: Source) -> str:
        """An annotation with the meaning of type variables put in; its names are imported."""
        if annotation is None:
            raise ValueError(f"an annotation is missing in {source}")
        tree = ast.parse(ast.unparse(annotation), mode="eval")
        text = ast.unparse(tree)
        opened = OPENED.get(text)
        for each in ast.walk(ast.parse(opened or text, mode="eval")):
            if isinstance(each, ast.Name) and each.id not in ("Opening", "AsyncIterator"):
                self._find(source.meaning.get(each.id, each.id), source)
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                node.id = source.meaning.get(node.id, node.id)
        return ast.unparse(tree)

    def _find(self, name: str, source: Source) -> None:
        if name in self._classes or name in ("T", "T_co") or hasattr(builtins, name):
            return
        files = [source.file, *(each.file for other in self._classes.values() for each in other.sources)]
        home = next((_imports(file)[name] for file in files if name in _imports(file)), None)
        if home is None or self._homes.setdefault(name, home) != home:
            raise ValueError(f"{name} of {source.file} is not found, or means two things")


def _copy(value: str, returns: str) -> str:
    """A value that is live, copied: another thread may look at it only then."""
    copier = {"Mapping": "dict", "Sequence": "list"}.get(returns.partition("[")[0])
    return f"{copier}({value})" if copier else value


def _meaning(text: str) -> tuple[set[tuple[str, str]], str]:
    """What a module imports, and all else of it: neither the order of imports nor any layout."""
    tree = ast.parse(text)
    imports: set[tuple[str, str]] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            found = [each for each in body if isinstance(each, ast.ImportFrom)]
            imports |= {(f"{each.level} {each.module}", ast.unparse(alias)) for each in found for alias in each.names}
            node.body = [each for each in body if each not in found]  # type: ignore[attr-defined]  # it has one
    return imports, ast.unparse(tree)


def main() -> int:
    """Write the module, or compare it; the exit code."""
    chapters = {each.name: each for market in ("Spot", "Futures") for each in _chapters(market)}
    text = Writer((*STREAMS, *chapters.values())).text()
    if "--check" in sys.argv[1:]:
        if not MODULE.exists() or _meaning(MODULE.read_text(encoding="utf-8")) != _meaning(text):
            sys.stderr.write("bitmart_trio/blocking/_methods.py is not current: run python docs/make_blocking.py\n")
            return 1
        return 0
    MODULE.write_text(text, encoding="utf-8")
    for command in (["check", "--select", "I", "--fix", "-q"], ["format", "-q"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, str(MODULE)], check=True)  # noqa: S603
    return 0


if __name__ == "__main__":
    sys.exit(main())
