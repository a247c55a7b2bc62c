"""How the documentation is built: Markdown through MyST, docstrings through autodoc."""

from __future__ import annotations

from bitmart_trio._version import __version__

project = "bitmart_trio"
author = "bitmart_trio contributors"
copyright = "2026, bitmart_trio contributors"  # noqa: A001 - Sphinx calls it so
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.doctest", "sphinx.ext.napoleon", "sphinxcontrib_trio"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "newsfragments"]
html_theme = "furo"
html_title = f"bitmart_trio {release}"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
# Single backticks in our docstrings name things of this library, as in the sources of Trio.
default_role = "py:obj"
python_use_unqualified_type_names = True
# The build must not need a network, so other projects' names stay unlinked.
nitpick_ignore_regex = [
    ("py:.*", r"(trio|httpx|attrs|collections|typing|types|datetime|decimal|enum|ssl)\..*"),
    ("py:class", r"(Decimal|Mapping|Callable|Awaitable|Final|T|optional|default)"),
]
doctest_global_setup = "import bitmart_trio as bm"
