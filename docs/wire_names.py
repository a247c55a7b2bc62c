"""A Sphinx extension: what BitMart calls things, beside what this library calls them.

The tables of endpoints and channels link to the methods and models, the methods link back to their row, methods and
fields that bear another name on the wire say so, and the search finds all of these names, however they are spelled:
``clientOrderId``, ``client_order_id``, ``/spot/v2/submit_order``, ``spot/kline1m``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.search.en import SearchEnglish

HERE: Final = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

from make_endpoints import chapters, npm_functions  # noqa: E402  # after the path is set
from make_tables import rows as channel_rows  # noqa: E402  # after the path is set

import bitmart_trio as bm  # noqa: E402  # after the path is set
from bitmart_trio._core.endpoint import Endpoint  # noqa: E402
from bitmart_trio.models._fields import ALIASES, WIRE  # noqa: E402
from bitmart_trio.streams.futures import FuturesStreams  # noqa: E402
from bitmart_trio.streams.spot import SpotStreams  # noqa: E402

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ENDPOINTS: Final = "endpoints"
CHANNELS: Final = "reference/channels"
CODES: Final = "reference/codes"

_LINE: Final = re.compile(r"(GET|POST) (/[\w/-]+)(?=[ ,.])")
"""How the docstring of a method names its endpoint."""
_TOPIC: Final = re.compile(r"((?:spot|futures)/[^\s,]+)(?=, (?:public|private))")
"""How the docstring of an opener names its topic."""
_NAME: Final = re.compile(r"(?:await )?((?:client|bm)\.[\w.]+)(?=\(|$)")
"""What of the library a literal on a page names."""


class Row(NamedTuple):
    """A row of the table of endpoints."""

    method: str
    """As a user calls it: ``client.spot.market.ticker``."""
    target: str
    """Its name in the reference."""
    endpoint: Endpoint[Any] | None

    @property
    def anchor(self) -> str:
        """Of the row, in its page."""
        return self.method.removeprefix("client.").replace(".", "-").replace("_", "-")

    @property
    def title(self) -> str:
        """What a search shows of it: every name that it has."""
        ours = self.method.removeprefix("client.")
        return " ".join([self.method, str(self.endpoint or ""), *npm_functions().get(ours, ())]).strip()


def _rows() -> Iterator[Row]:
    for market, chapter, kind, module in chapters():
        for name in dir(kind):
            if not name.startswith("_"):
                row = getattr(module, name, None)
                target = f"{kind.__module__}.{kind.__qualname__}.{name}"
                yield Row(f"client.{market}.{chapter}.{name}", target, row if isinstance(row, Endpoint) else None)


ROWS: Final = {row.method: row for row in _rows()}
OPENERS: Final = {
    f"client.streams.{market}.{name}": f"{kind.__module__}.{kind.__qualname__}.{name}"
    for market, kind in (("spot", SpotStreams), ("futures", FuturesStreams))
    for name in dir(kind)
    if not name.startswith("_")
}
_METHODS: Final = {method: row.target for method, row in ROWS.items()} | OPENERS


def topics() -> list[str]:
    """The last words of all topics, with levels and intervals filled in: ``klineBin1m``."""
    return sorted(
        {
            row.name.rpartition("/")[2].format(level=level, interval=interval)
            for market in ("spot", "futures")
            for row in channel_rows(market).values()
            for level in row.levels or ("",)
            for interval in row.intervals or ("",)
        }
    )


# In docstrings, before napoleon sees them.


def _row_of(verb: str, path: str, name: str) -> Row | None:
    """The row of an endpoint; of several methods that send it, that of the same name, else the first."""
    rows = [row for row in ROWS.values() if str(row.endpoint) == f"{verb} {path}"]
    return next((row for row in rows if row.method.endswith(f".{name}")), next(iter(rows), None))


def _endpoint_line(name: str, match: re.Match[str]) -> str:
    row = _row_of(match[1], match[2], name.rpartition(".")[2])
    return f"``{match[0]}``" if row is None else f":endpoint:`{match[0]} <{row.title}>`"


def _sent_as(row: Row) -> str:
    params = row.endpoint.params if row.endpoint is not None else ()
    pairs = [f"``{param.name}`` as ``{param.wire}``" for param in params if param.wire not in (None, param.name)]
    return f"Sent under other names: {', '.join(pairs)}." if pairs else ""


def _methods(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    if what != "method":
        return
    for number, line in enumerate(lines):
        if found := _LINE.match(line):
            lines[number] = _LINE.sub(lambda match: _endpoint_line(name, match), line, count=1)
            row = _row_of(found[1], found[2], name.rpartition(".")[2])
            if row is not None and (sent := _sent_as(row)):
                end = next((at for at in range(number, len(lines)) if not lines[at].strip()), len(lines))
                lines[end:end] = ["", sent, ""]
            return
        if _TOPIC.match(line):
            lines[number] = _TOPIC.sub(r"``\1``", line, count=1)
            return


def _fields(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Say below a field of a model what it is called on the wire."""
    if what != "attribute" or not name.startswith("bitmart_trio.models."):
        return
    owner, _, field = name.rpartition(".")
    kind = getattr(bm.models, owner.rpartition(".")[2], None)
    attribute = next((each for each in getattr(kind, "__attrs_attrs__", ()) if each.name == field), None)
    if attribute is None:
        return
    spellings = [*filter(None, [attribute.metadata.get(WIRE)]), *attribute.metadata.get(ALIASES, ())]
    if spellings:
        lines += ["", "On the wire: " + ", ".join(f"``{each}``" for each in spellings) + "."]


# In tables and texts.


def _cells(row: nodes.Element) -> list[nodes.Element]:
    return [each for each in row.children if isinstance(each, nodes.entry)]


def _link(literal: nodes.literal, target: str, docname: str, kind: str = "obj") -> None:
    xref = addnodes.pending_xref(
        "", refdomain="py", reftype=kind, reftarget=target, refdoc=docname, refexplicit=True, refwarn=True
    )
    literal.replace_self(xref)
    xref += literal


def _table_rows(doctree: nodes.document) -> Iterator[tuple[str, nodes.Element]]:
    """The rows of all tables, each with the heading that it stands below."""
    for body in doctree.findall(nodes.tbody):
        section: Any = body
        while not isinstance(section, nodes.section):
            section = section.parent
        for row in body.findall(nodes.row):
            yield section[0].astext(), row


def _tables(app: Sphinx, doctree: nodes.document) -> None:
    docname = app.env.docname
    if docname not in (ENDPOINTS, CHANNELS, CODES):
        return
    if docname == CHANNELS:
        # Words of a page that are for the search alone.
        doctree.insert(0, nodes.meta("", name="keywords", content=", ".join(topics())))
    domain: Any = app.env.get_domain("std")
    for heading, row in _table_rows(doctree):
        literals = [next(iter(cell.findall(nodes.literal)), None) for cell in _cells(row)]
        if docname == CODES:
            code, error, meaning = (cell.astext() for cell in _cells(row))
            anchor = f"{'socket' if 'socket' in heading else 'code'}-{code}"
            row["ids"].append(anchor)
            # A search drops words that are numbers, but not of the names of objects.
            domain.note_object("code", f"{code} {error} ({heading}): {meaning}", anchor, location=row)
            assert literals[1] is not None
            _link(literals[1], f"bitmart_trio.errors.{error}", docname)
            continue
        first, returns = literals[0], literals[4 if docname == ENDPOINTS else 3]
        assert first is not None
        method = f"{heading.partition(',')[0]}.{first.astext()}"
        if docname == ENDPOINTS:
            known = ROWS[method]
            anchor, title, target = known.anchor, known.title, known.target
        else:
            topic = literals[1]
            assert topic is not None
            anchor, title, target = method.replace(".", "-"), f"{method} {topic.astext()}", OPENERS[method]
        row["ids"].append(anchor)
        domain.note_object("endpoint" if docname == ENDPOINTS else "channel", title, anchor, location=row)
        _link(first, target, docname)
        if returns is not None and (kind := _model(returns.astext())) is not None:
            _link(returns, kind, docname)


def _model(text: str) -> str | None:
    """The name in the reference of the class within ``list[Ticker]``."""
    found = re.search(r"(\w+)\]*$", text)
    kind = None if found is None else getattr(bm.models, found[1], None)
    return f"{kind.__module__}.{kind.__qualname__}" if isinstance(kind, type) else None


def _texts(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Link the names that a page mentions: ``client.spot.market.ticker(...)``, ``bm.to_frame``."""
    domain: Any = app.env.get_domain("py")
    for literal in list(doctree.findall(nodes.literal)):
        found = _NAME.match(literal.astext())
        parents = literal.parent, literal.parent and literal.parent.parent
        if found is None or any(isinstance(each, nodes.title | nodes.reference) for each in parents):
            continue
        name = found[1]
        target = _METHODS.get(name, "bitmart_trio." + name.removeprefix("bm.") if name.startswith("bm.") else "")
        entry = domain.objects.get(target) or domain.objects.get(target.replace(".models.", ".models._rows."))
        if entry is None or entry.docname == docname:
            continue
        uri = app.builder.get_relative_uri(docname, entry.docname) + "#" + entry.node_id
        reference = nodes.reference("", "", internal=True, refuri=uri)
        literal.replace_self(reference)
        reference += literal


# In the search.


class NamesInText(SearchEnglish):
    """English, and names in one piece: ``client_order_id`` is found as ``clientOrderId``, too."""

    def split(self, input: str) -> list[str]:
        """The words, and names without their underscores beside them."""
        words = super().split(input)
        return words + [word.replace("_", "") for word in words if "_" in word.strip("_")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_object_type("endpoint", "endpoint", objname="endpoint")
    app.add_object_type("channel", "channel", objname="channel")
    app.add_object_type("code", "code", objname="error code")
    app.add_search_language(NamesInText)
    app.connect("autodoc-process-docstring", _methods, priority=400)
    app.connect("autodoc-process-docstring", _fields, priority=600)
    app.connect("doctree-read", _tables)
    app.connect("doctree-resolved", _texts)
    return {"parallel_read_safe": True}
