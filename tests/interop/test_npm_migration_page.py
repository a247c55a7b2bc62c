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
