"""Which parameters the npm package's functions take, read from its TypeScript declarations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from foreign import HERE

DECLARATIONS: Final = HERE / "node_modules" / "bitmart-api" / "dist" / "mjs"

_COMMENT: Final = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_TYPE: Final = re.compile(r"export (?:interface|type) (\w+)(.*?)(?=export |\Z)", re.DOTALL)
_FUNCTION: Final = re.compile(r"^\s*(\w+)\((?:params\??: (.*?))?\): Promise", re.DOTALL | re.MULTILINE)
_MEMBER: Final = re.compile(r"(\w+)\??:")


def declared_parameters(client: str) -> dict[str, set[str]]:
    """The names of each function's parameters, those inside list entries among them."""
    types = {
        name: body
        for file in sorted((DECLARATIONS / "types" / "request").glob("*.d.ts"))
        for name, body in _TYPE.findall(_text(file))
    }
    _, _, own = _text(DECLARATIONS / f"{client}.d.ts").partition("export declare class")
    return {name: _members(params, types) for name, params in _FUNCTION.findall(own)}


def _text(file: Path) -> str:
    return _COMMENT.sub("", file.read_text(encoding="utf-8"))


def _members(type_: str, types: Mapping[str, str]) -> set[str]:
    named = (types[word] for word in re.findall(r"\w+", type_) if word in types)
    return set(_MEMBER.findall(type_)).union(*(_members(each, types) for each in named))
