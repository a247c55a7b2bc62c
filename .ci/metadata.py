"""What the package's metadata says of the place where the project lives: its links, and those of its README.

``home`` under ``[tool.hatch.metadata.hooks.custom]`` in pyproject.toml is that place. While it is empty the metadata
has no links, and the README is shipped as it stands.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(!?)(\[[^\]]*\])\((?!https?:|#)([^)\s]+)\)")


def links(home: str, version: str) -> dict[str, str]:
    """The links of the package's page."""
    return {
        "Source": home,
        "Documentation": f"{home}/blob/v{version}/docs/index.md",
        "Changelog": f"{home}/blob/v{version}/CHANGELOG.md",
        "Issues": f"{home}/issues",
        "Security": f"{home}/security",
    }


def absolute(readme: str, home: str, version: str) -> str:
    """The README with links that work wherever it is shown: pages as they are read, pictures as they are."""
    return LINK.sub(
        lambda link: f"{link[1]}{link[2]}({home}/{'raw' if link[1] else 'blob'}/v{version}/{link[3]})", readme
    )


class Metadata(MetadataHookInterface):
    """Adds ``readme`` and ``urls``."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by the build with what pyproject.toml says."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        home = self.config["home"].rstrip("/")
        if home:
            text = absolute(text, home, metadata["version"])
            metadata["urls"] = links(home, metadata["version"])
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
