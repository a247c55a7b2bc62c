"""Text of a peer cannot act on what shows it: terminal, shell, Markdown, HTML, CSV, JSON."""

from __future__ import annotations

import csv
import html as stdlib_html
import io
import json
import re
import shlex
import shutil
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bitmart_trio import text as peer

HOSTILE = (
    "\x1b[2J\x1b[1;1Hall is well",  # clears the screen
    "\x1b]0;title\x07",
    "\x9b31mred",  # a C1 control sequence
    "line\r\x1b[Kother",
    "a\nb\tc\rd",
    "\u202egnp.exe",
    "\u2066isolated\u2069",
    "zero\u200bwidth\ufeff\u2060",
    "\u3164",
    "\ud800",
    "[/x] [bold red]loud[/] [link=http://evil.test]here[/link]",
    "trailing\\",
    "\\[bold]",
    "| a | b |",
    "<script>alert(1)</script>",
    "![x](http://evil.test/x.png) [y](javascript:alert(1))",
    "http://evil.test www.evil.test a@evil.test",
    "`code` *star* _under_ ~~gone~~ # head\n---\n",
    "1. one", "- entry", "+ entry", "=== heading", "&amp; &#x1b;",
    "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", " =1", "\uff1d1+1", "\t=1", "\r=1",
    '","=1', "a\rb", "$(touch /tmp/x)", "`id`", "a;b", "~root", "=ls", "*", "{a,b}",
)  # fmt: skip

anything = st.text(st.characters() | st.sampled_from("\x1b\x9b\u202e|`*_[]()<>#\\\"'=+-@\r\n\t ")) | st.sampled_from(
    HOSTILE
)


# A terminal, a log.


@given(anything)
def test_printable_text_is_one_line_without_control(text: str) -> None:
    shown = peer.printable(text)
    assert shown.isprintable()
    assert peer.printable(shown) == shown


@pytest.mark.parametrize("text", ["BTC_USDT", "Grüße, 你好", "a [b] c\\d", "", "price: 1.5 €"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert peer.printable(text) == text


def test_what_is_hidden_becomes_visible() -> None:
    assert peer.printable("a\x1b[31m\x9bb\u202ec\n\u3164\U000e0001\ud800") == (
        "a\\x1b[31m\\x9bb\\u202ec\\n\\u3164\\U000e0001\\ud800"
    )


def test_long_text_is_cut_and_its_length_named() -> None:
    shown = peer.printable("x" * 5_000_000)
    assert len(shown) == peer.LONGEST
    assert shown.endswith("x... (5000000 characters)")
    assert len(peer.printable("\x1b" * 3000)) == peer.LONGEST
    assert peer.printable("x" * 3000, longest=None) == "x" * 3000


# A shell.


@pytest.mark.parametrize("word", ["BTC_USDT", "BTCUSDT", "1INCH_USDT", "read-only", "_x", "A" * 64])
def test_a_plain_word_is_offered(word: str) -> None:
    assert peer.shell_word(word) == word


@pytest.mark.parametrize(
    "text", ["", "-rf", "A" * 65, "BTC_USDT\n", "\uff22\uff34\uff23", "٣", "a b", "a/b", "a=b", *HOSTILE]
)
def test_what_is_no_plain_word_is_not_offered(text: str) -> None:
    assert peer.shell_word(text) is None


@given(anything)
def test_an_offered_word_is_one_word_to_a_shell(text: str) -> None:
    word = peer.shell_word(text)
    assert word is None or shlex.split(word) == [word] == [text]


def test_a_real_shell_evaluates_nothing_of_an_offered_word() -> None:
    shell = shutil.which("sh")
    assert shell is not None
    for text in (*HOSTILE, "BTC_USDT"):
        word = peer.shell_word(text)
        if word is not None:
            found = subprocess.run([shell, "-c", f"echo {word}"], capture_output=True, text=True, check=True)
            assert found.stdout == f"{word}\n"


# Markdown and HTML.


@given(anything)
@example("http://evil.test")
def test_a_markdown_cell_shows_the_text_and_nothing_else(text: str) -> None:
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens = reader.parse(f"| a | b |\n| --- | --- |\n| {peer.markdown(text)} | second |\n")
    cells = [tokens[at + 1] for at, each in enumerate(tokens) if each.type == "td_open"]
    assert len(cells) == 2
    first = cells[0].children or []
    assert {child.type for child in first} <= {"text", "text_special"}
    assert "".join(child.content for child in first) == peer.printable(text).strip()
    assert cells[1].content == "second"


@given(anything)
def test_a_markdown_list_entry_is_one_paragraph_of_text(text: str) -> None:
    shown = peer.markdown(text)
    tokens = MarkdownIt("commonmark", {"html": True}).parse(f"- {shown}\n\nend\n")
    kinds = [each.type for each in tokens]
    if shown:
        assert kinds[:5] == ["bullet_list_open", "list_item_open", "paragraph_open", "inline", "paragraph_close"]
        assert "".join(child.content for child in tokens[3].children or []) == peer.printable(text).strip()
    assert kinds[-3:] == ["paragraph_open", "inline", "paragraph_close"]


def test_names_of_ours_stay_readable_in_markdown() -> None:
    for text in ("futures.account.transaction_history account=copy_trading", "0.1", "-0.5", "2026-01-02 03:04 UTC"):
        assert peer.markdown(text) == text


@given(anything)
def test_html_has_no_element_of_the_text(text: str) -> None:
    shown = peer.html(text)
    assert not re.search(r"[<>\"']", shown)
    assert stdlib_html.unescape(shown) == peer.printable(text)


# CSV and JSON.


@given(st.lists(anything, min_size=1), st.booleans())
@example(["a\rb", ""], False)
def test_a_csv_line_is_one_row_and_no_cell_a_formula(cells: list[str], quoted: bool) -> None:
    line = peer.csv_line(cells, quoted=quoted)
    assert line.endswith("\r\n")
    assert "\r" not in line[:-2]
    assert "\n" not in line[:-2]
    rows = list(csv.reader(io.StringIO(line, newline="")))
    assert rows == [[peer.csv_cell(cell) for cell in cells]] or (rows == [[]] and cells == [""])
    for cell in rows[0]:
        assert cell.isprintable()
        begins_a_formula = cell.strip()[:1] in {*"=+-@", *"\uff1d\uff0b\uff0d\uff20"} and cell.strip() != ""
        assert not begins_a_formula or re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", cell)


@pytest.mark.parametrize("number", ["-12.50", "+1", "0.00000001", "-0", "123456789012345678901234567890"])
def test_numbers_stay_numbers_in_csv(number: str) -> None:
    assert peer.csv_cell(number) == number


@pytest.mark.parametrize("text", ["=1+1", "-1-1", "+x", "@SUM(A1)", " =1", "-", "\uff0d1", "-٣"])
def test_a_formula_gets_an_apostrophe_unless_it_is_wanted(text: str) -> None:
    assert peer.csv_cell(text) == f"'{text}"
    assert peer.csv_cell(text, formulas=True) == text


def test_text_can_be_told_from_numbers_in_a_quoted_line() -> None:
    assert peer.csv_line(["12", 12, None, 'say "a"'], quoted=True) == '"12",12,,"say ""a"""\r\n'


@given(st.recursive(anything | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(anything, inner)))
def test_json_text_means_the_same_and_is_printable(value: object) -> None:
    for indent in (None, 2):
        shown = peer.json_text(json.dumps(value, ensure_ascii=False, indent=indent))
        assert json.loads(shown) == value
        assert shown.replace("\n", "").isprintable()
