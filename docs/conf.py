"""How the documentation is built: Markdown through MyST, docstrings through autodoc."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sphinx.ext.napoleon import Config as NapoleonConfig
from sphinx.ext.napoleon import GoogleDocstring

from bitmart_trio._version import __version__

if TYPE_CHECKING:
    from docutils.nodes import Element, TextElement
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

sys.path.insert(0, str(Path(__file__).parent))

project = "bitmart_trio"
author = "bitmart_trio contributors"
copyright = "2026, bitmart_trio contributors"  # noqa: A001 - Sphinx calls it so
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinxcontrib_trio",
    "wire_names",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "newsfragments"]
html_theme = "furo"
html_title = f"bitmart_trio {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_search_scorer = str(Path(__file__).parent / "scorer.js")
html_theme_options = {"announcement": "set for each page by _announce"}
# What is copied is what is typed: no prompts.
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
# Single backticks in our docstrings name things of this library, as in the sources of Trio.
default_role = "py:obj"
python_use_unqualified_type_names = True
# The build must not need a network, so other projects' names stay unlinked; type variables and the parts that only the
# library itself uses have no page.
nitpick_ignore_regex = [
    (
        "py:.*",
        r"(trio|httpx|attrs|collections|contextlib|typing|types|datetime|decimal|enum|msgspec|os|pathlib|random|signal|ssl|json|rich)\..*",
    ),
    ("py:.*", r"(.*\.)?(T|T_co|R|R_co|O|C|OrderT_co|Decimal|FUNDING_CAP|optional|default)"),
    (
        "py:class",
        r"(Path|Decimal|Mapping|Callable|Awaitable|Final|TracerProvider|MeterProvider|pd\.DataFrame|pl\.DataFrame)",
    ),
    (
        "py:class",
        r"(.*\.)?(Connections|Backfiller|LocalBook|Options|Caller|MarketStreams|Chapter|MarketApi|Helpful|Range|AnyRange|Mark|NoMark|Life|Job|Question|What)",
    ),
    (
        "py:class",
        r"(.*\.)?(Symbol|Kind|Plain|Json|Ts|F|P|Clock|HasExchange|Sockets|Schedule|Listed|Engine|Deliver|Frame|Wire|Paths|Past|Between|AnyPath|Format|Unit|Moment|Levels|_[A-Z]\w+)",
    ),
    # Sphinx asks for it by the module that defines it.
    ("py:class", r"concurrent\.futures\._base\.Executor"),
    # Words that are spelt out beside the openers of streams.
    ("py:class", r"(.*\.)?(SpotInterval|FuturesInterval|Speed)"),
    # The floors of the simulated exchange and the bases of faults: what whoever extends them reads in the code.
    (
        "py:class",
        r"bitmart_trio\.sim\.(bitmart|generic|kernel|models|spot|futures|treasury|faces|drivers|faults\.answers)\.[\w.]+",
    ),
    (
        "py:class",
        r"(.*\.)?(Moved|MarketModel|FaceName|Step|Coin|Helpful|SpotFees|FuturesFees|FundingModel|BitMart|Randoms|Ids|Treasury|SpotMarket|FuturesMarket|Driver)",
    ),
    ("py:class", r"bitmart_trio\._core\.endpoint\.(When|Param|Ordered|ExactlyOne|Envelope|AtLeastOne)"),
]
# A name that several classes have: the resolver below takes the nearest.
suppress_warnings = ["ref.python"]
doctest_global_setup = "import bitmart_trio as bm"

_SECTIONS: Final = NapoleonConfig(napoleon_use_ivar=True)


def _google(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Read docstrings as Google style. Those of attributes are left: a colon in them is a colon, not a type."""
    if what not in ("attribute", "property", "data"):
        lines[:] = GoogleDocstring(lines, _SECTIONS, app, what, name, obj, options).lines()


def _resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: TextElement) -> Element | None:
    """Find what a docstring names by its last part, in the nearest place: its own class, module, then anywhere.

    Docstrings say `Config` or `submit_order` as a reader would, whatever file they stand in.
    """
    if node.get("refdomain") != "py":
        return None
    domain: Any = env.get_domain("py")
    target = str(node["reftarget"]).removesuffix("()").rpartition(".")[2]
    found = [name for name in domain.objects if name.rpartition(".")[2] == target]
    if not found:
        return None
    places = [node.get("py:class"), node.get("py:module")]
    nearest = min(
        found,
        key=lambda name: (
            *(not (place and place in name) for place in places),
            domain.objects[name].objtype not in ("class", "exception", "function"),
            name.count("."),
            name,
        ),
    )
    entry = domain.objects[nearest]
    element: Element | None = domain.resolve_xref(
        env, node["refdoc"], app.builder, entry.objtype if entry.objtype != "method" else "obj", nearest, node, contnode
    )
    return element


def _announce(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """The line above each page, with a link that fits the page's own folder."""
    context["theme_announcement"] = (
        "BitMart closes on 2027-01-31 at 15:59 UTC. Do you have an account there? "
        f'<a href="{context["pathto"]("archive")}">Save it first</a>.'
    )


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("html-page-context", _announce)
    app.connect("autodoc-process-docstring", _google)
    app.connect("missing-reference", _resolve)
