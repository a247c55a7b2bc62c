r"""Make text from a peer harmless where it is shown: in a terminal, a shell, Markdown, HTML, CSV, JSON.

Text from an exchange is data, never a command. All code that shows such text passes it through a function of this
module::

    print(printable(error.message))                 # a terminal or a log: one line, nothing that the terminal obeys
    word = shell_word(symbol)                       # shell completion: None unless it is a plain word
    row = f"| {markdown(name)} | {markdown(note)} |"
    page = f"<td>{html(note)}</td>"
    file.write(csv_line([order_id, note]))          # no cell that a spreadsheet takes for a formula
    print(json_text(json.dumps(reply)))             # the same JSON, without characters that a terminal obeys

This module knows nothing of terminals, the exchange or files; it needs only the standard library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Final

LONGEST: Final = 2_000
"""The default limit of `printable`, in characters."""

# Letters that have a width but no ink: text made of them is invisible.
_INVISIBLE: Final = frozenset(
    "\N{HANGUL CHOSEONG FILLER}\N{HANGUL JUNGSEONG FILLER}\N{HANGUL FILLER}\N{HALFWIDTH HANGUL FILLER}"
    "\N{COMBINING GRAPHEME JOINER}\N{BRAILLE PATTERN BLANK}"
)
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_WORD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}", re.ASCII)
_MARKDOWN: Final = re.compile(r"[\\`*\[\]<>|~&!#$^{}]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_MARKDOWN_LINK: Final = re.compile(r":(?=//)|(?<=www)\.|@", re.IGNORECASE)
_MARKDOWN_START: Final = re.compile(r"[-+](?=\s|$)|[-=](?=[-=\s]*$)|[0-9]+(?=[.)](\s|$))")
_FORMULA: Final = frozenset("=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}"
                            "\N{FULLWIDTH COMMERCIAL AT}\N{MINUS SIGN}")  # fmt: skip
_NO_ASCII_TEXT: Final = re.compile(r"[^\n\t\r -~]")
"""A character that must be checked before it is printed; a document has few."""
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_CSV_SPECIAL: Final = frozenset(',;"\r\n\t')


def printable(text: str, *, longest: int | None = LONGEST) -> str:
    r"""Return text as one line that cannot mislead a terminal, a log file or a reader.

    Invisible characters become visible escapes: control characters of both sets (``\x1b``, ``\x9b``), line ends
    (``\n``), characters that turn the direction of writing (``\u202e``), zero-width and unassigned ones, surrogates.
    Text of letters, digits, marks, symbols and plain spaces stays as it is. Applying it twice changes nothing.
    The library rich reads ``[tags]`` in plain strings: hand it a `rich.text.Text`, or print with ``markup=False``.

    Args:
        text: the peer's text.
        longest: the number of characters after which the text is cut and its full length appended; None for no limit.
    """
    shown = text if longest is None else text[: longest + 1]  # first, since the work grows with the text
    if not shown.isprintable() or not _INVISIBLE.isdisjoint(shown):
        shown = "".join(each if each.isprintable() and each not in _INVISIBLE else _visible(each) for each in shown)
    if longest is None or len(shown) <= longest:
        return shown
    rest = f"... ({len(text)} characters)"
    return shown[: max(longest - len(rest), 0)] + rest


def encodable(text: str) -> bool:
    """Return True if text can be sent and stored: it has no lone surrogates, which UTF-8 cannot encode."""
    return text.isascii() or _SURROGATE.search(text) is None


def _visible(character: str) -> str:
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shell_word(text: str) -> str | None:
    """Return text if it is a plain word that shell completion may offer, else None.

    Symbols, currencies and profile names are ASCII letters, digits, ``_`` and, not in front, ``-``: at most 64. Nothing
    is repaired: ``$(reboot)_USDT`` is not a symbol, so it is not offered.
    """
    return text if _WORD.fullmatch(text) else None


def markdown(text: str) -> str:
    r"""Return text as one cell or list entry of Markdown that shows it literally.

    Printable, and without effect as markup, HTML, a table's column, a link or an image.
    """
    shown = printable(text).strip()
    shown = _MARKDOWN.sub(lambda found: f"\\{found[0]}", shown)
    shown = _MARKDOWN_LINK.sub(lambda found: f"\\{found[0]}", shown)
    start = _MARKDOWN_START.match(shown)
    if start is None:
        return shown
    if start[0].isdigit():
        return f"{start[0]}\\{shown[start.end() :]}"
    return f"\\{shown}"


def html(text: str) -> str:
    """Return text for an element's content or a quoted attribute of HTML: printable, and without tags or entities."""
    return escape(printable(text), quote=True)


def json_text(document: str) -> str:
    r"""Return an equivalent JSON document with only printable characters; others become ``\uXXXX`` escapes.

    `json.dumps` with ``ensure_ascii=False`` lets DEL, the C1 control characters and those that turn the direction of
    writing through to the terminal. Line ends and tabs between the values of an indented document stay.
    """
    if document.isprintable():
        return document
    return _NO_ASCII_TEXT.sub(_json_escape, document)


def _json_escape(found: re.Match[str]) -> str:
    character = found[0]
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def csv_cell(text: str, *, formulas: bool = False) -> str:
    """Return text as the content of one spreadsheet cell: printable, and not a formula.

    A cell that a spreadsheet would compute (it begins with ``=``, ``+``, ``-``, ``@`` or a wide form of one, perhaps
    behind blanks) gets an apostrophe in front. Plain numbers, also negative ones, stay as they are.

    Args:
        text: the content of the cell.
        formulas: keep cells that look like formulas, for a program that reads the file.
    """
    shown = printable(text, longest=None)
    if not formulas and shown.lstrip()[:1] in _FORMULA and shown.strip() and not _NUMBER.fullmatch(shown):
        return f"'{shown}"
    return shown


def csv_line(cells: Iterable[str | int | None], *, formulas: bool = False, quoted: bool = False) -> str:
    """Return one line of CSV (RFC 4180, with its end), every cell through `csv_cell`.

    Args:
        cells: the values; None is an empty cell. Numbers that must keep their digits come as text.
        formulas: see `csv_cell`.
        quoted: quote every text, but not empty cells and integers, so that a reader can distinguish text from numbers.
    """
    return ",".join(_csv_field(cell, formulas, quoted) for cell in cells) + "\r\n"


def _csv_field(cell: str | int | None, formulas: bool, quoted: bool) -> str:
    if cell is None:
        return ""
    if isinstance(cell, int):
        return str(cell)
    text = csv_cell(cell, formulas=formulas)
    if quoted or text != text.strip() or not _CSV_SPECIAL.isdisjoint(text):
        return '"' + text.replace('"', '""') + '"'
    return text
