"""The web page at ``/sim/``: what a simulated exchange is doing, live, and its faults and clock within reach.

Three files as a browser takes them, without a build step and without anything from elsewhere. The page only uses what
``/sim/...`` offers to every program; see ``control.py``.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

PAGES: Final[dict[str, tuple[str, bytes]]] = {
    path: (content_type, files(__name__).joinpath(name).read_bytes())
    for path, content_type, name in (
        ("/sim/", "text/html; charset=utf-8", "index.html"),
        ("/sim/page.css", "text/css; charset=utf-8", "page.css"),
        ("/sim/page.js", "text/javascript; charset=utf-8", "page.js"),
    )
}
"""By path: content type and content."""
