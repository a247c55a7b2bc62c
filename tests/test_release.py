"""What a release ships: links that work from the package's page, and one place that names the project's home."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

ROOT: Final = Path(__file__).parent.parent
HOME: Final = "https://forge.example/owner/bitmart_trio"


def metadata(home: str) -> Any:
    """The metadata of a package that is built with this home."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    settings["tool"]["hatch"]["metadata"]["hooks"]["custom"]["home"] = home
    return ProjectMetadata(str(ROOT), PluginManager(), settings).core


def targets(text: str) -> list[str]:
    """Where the Markdown links and pictures of a text lead."""
    return re.findall(r"\]\(([^)\s]+)\)", text)


@pytest.mark.parametrize("home", [HOME, f"{HOME}/"])
def test_a_release_has_links_that_work_from_anywhere(home: str) -> None:
    made = metadata(home)
    assert made.urls["Source"] == HOME
    assert made.urls.keys() == {"Source", "Documentation", "Changelog", "Issues", "Security"}
    ours = [target for target in targets(made.readme) if target.startswith(HOME)]
    shown = targets((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(ours) == len([target for target in shown if not target.startswith(("http", "#"))]) > 10
    assert all(target.startswith(("https://", "#")) for target in targets(made.readme))
    for target in [*ours, *(url for url in made.urls.values() if "/blob/" in url)]:
        kind, _, path = re.sub(r"^.*?/(blob|raw)/v[^/]+/", r"\1 ", target).partition(" ")
        assert (ROOT / path.partition("#")[0]).is_file(), target
        assert (kind == "raw") == path.endswith(".png"), target


def test_no_home_is_invented() -> None:
    made = metadata("")
    assert made.urls == {}
    assert made.readme == (ROOT / "README.md").read_text(encoding="utf-8")
