"""The web page at ``/sim/``, which shows a simulated exchange live and controls its faults and its clock.

The files are served to browsers as they are, without a build step. ``uplot.js`` and ``uplot.css`` are those of uPlot
1.6.32 from its npm package (MIT, ``uplot.LICENSE``); nothing is fetched from elsewhere. The page only uses what
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
        ("/sim/charts.js", "text/javascript; charset=utf-8", "charts.js"),
        ("/sim/uplot.js", "text/javascript; charset=utf-8", "uplot.js"),
        ("/sim/uplot.css", "text/css; charset=utf-8", "uplot.css"),
    )
}
"""Content type and content, by path."""
