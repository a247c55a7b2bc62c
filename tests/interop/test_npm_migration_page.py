"""The migration guide names everything that the npm package declares."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from foreign import HERE
from type_declarations import DECLARATIONS

pytest_plugins = ["npm_fixture"]
pytestmark = pytest.mark.interop

PAGE: Final = HERE.parent.parent / "docs" / "migration" / "npm.md"


def _declared(file: str, interface: str) -> set[str]:
    source = re.sub(r"/\*.*?\*/", "", (DECLARATIONS / file).read_text(encoding="utf-8"), flags=re.DOTALL)
    _, _, body = source.partition(interface)
    depth, taken = 0, ""
    for letter in body[body.index("{") :]:
        depth += (letter == "{") - (letter == "}")
        if depth == 1:
            taken += letter
        if depth == 0:
            break
    return set(re.findall(r"^    (\w+)\??[:(<]", taken, flags=re.MULTILINE)) - {"constructor", "request"}


@pytest.mark.parametrize(
    ("file", "interface"),
    [
        ("lib/requestUtils.d.ts", "export interface RestClientOptions"),
        ("types/websockets/client.d.ts", "export interface WSClientConfigurableOptions"),
        ("lib/BaseWSClient.d.ts", "interface WSClientEventMap"),
        ("lib/BaseWSClient.d.ts", "export declare abstract class BaseWebsocketClient"),
        ("WebsocketClient.d.ts", "export declare class WebsocketClient"),
        ("lib/BaseRestClient.d.ts", "export declare abstract class BaseRestClient"),
    ],
)
def test_every_option_member_and_event_of_the_npm_client_is_on_the_page(npm: Path, file: str, interface: str) -> None:
    """Read from the package's own declarations."""
    page, names = PAGE.read_text(encoding="utf-8"), _declared(file, interface)
    assert len(names) >= 4
    assert {name for name in names if f"`{name}`" not in page} == set()


def _readme(npm: Path) -> str:
    return (DECLARATIONS.parents[1] / "README.md").read_text(encoding="utf-8")


def _snippets(readme: str) -> str:
    return "\n".join(re.findall(r"^```typescript\n(.*?)^```$", readme, flags=re.MULTILINE | re.DOTALL))


def test_every_section_of_the_readme_is_on_the_page(npm: Path) -> None:
    page, readme = PAGE.read_text(encoding="utf-8"), _readme(npm)
    table = page.partition("## The package's README")[2].partition("###")[0]
    named = {
        name.strip() for row in re.findall(r"^\| ([^|]+) \|", table, flags=re.MULTILINE) for name in row.split(",")
    }
    prose = re.sub(r"^```.*?^```$", "", readme, flags=re.MULTILINE | re.DOTALL)
    sections = set(re.findall(r"^##+ (.+)$", prose, flags=re.MULTILINE)) - {"Table of Contents"}
    assert len(sections) > 15
    assert sections - named == set()


@pytest.mark.parametrize(
    ("what", "pattern", "least"),
    [
        ("a call", r"\.\s*(?!then|catch|on|log|error|stringify|floor|now\b)([a-zA-Z]\w+)\(", 5),
        ("a class", r"new (\w+)\(", 3),
        ("an event", r"\.on\(\s*'(\w+)'", 6),
        ("a topic", r"'((?:spot|futures)/[^']+)'", 13),
        ("an option", r"^\s*(apiKey|apiSecret|apiMemo|demoTrading|recvWindow):", 5),
        ("a host", r"(?:https|wss)://([\w.-]+)", 2),
        ("an argument", r"^\s*(side|step|from|to|size|leverage):", 6),
    ],
)
def test_each_thing_in_the_snippets_of_the_readme_has_an_answer(npm: Path, what: str, pattern: str, least: int) -> None:
    """Read from the README that the package brings; a call, event or option stands on the page in its own spelling."""
    page = PAGE.read_text(encoding="utf-8")
    found = set(re.findall(pattern, _snippets(_readme(npm)), flags=re.MULTILINE))
    assert len(found) >= least, what
    assert {each for each in found if not re.search(rf"`[^`]*\b{re.escape(each)}\b[^`]*`", page)} == set()
