"""Runs ``examples/notebook.ipynb`` and writes its outputs into it, then the page of the guide that shows both.

With ``--check`` it says whether the page and its pictures are those of the notebook, and runs and changes nothing; that
the outputs are what the cells give is for the tests.
"""

from __future__ import annotations

import sys
from base64 import b64decode
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from made_pages import write_or_check

ROOT: Final = Path(__file__).resolve().parent.parent
NOTEBOOK: Final = ROOT / "examples" / "notebook.ipynb"
PAGE: Final = ROOT / "docs" / "guides" / "notebook.md"
PICTURES: Final = ROOT / "docs" / "images"

HEAD: Final = """<!-- made by docs/make_notebook.py -->

{download}`Download this page as a notebook <../../examples/notebook.ipynb>`, or find it in the folder `examples`.
"""


def run(notebook: Any) -> None:  # noqa: ANN401  # nbformat has no types
    """Run all cells; what they give is in the notebook then."""
    client = import_module("nbclient").NotebookClient(
        notebook, timeout=300, record_timing=False, resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    )
    client.execute()
    notebook.metadata.language_info = {"name": "python"}  # the kernel writes its versions there


def pictures(notebook: Any) -> dict[Path, bytes]:  # noqa: ANN401  # as above
    """The pictures of the outputs, by the files that the page shows."""
    found = [
        b64decode(output["data"]["image/png"])
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    return {PICTURES / f"notebook_{number}.png": picture for number, picture in enumerate(found, 1)}


def page(notebook: Any) -> str:  # noqa: ANN401  # as above
    """The notebook as Markdown."""
    names = iter(pictures(notebook))
    first, *others = notebook.cells
    title, _, text = first.source.partition("\n")
    parts = [title, HEAD, text.strip()]
    heading = title
    for cell in others:
        if cell.cell_type == "markdown":
            heading = cell.source.partition("\n")[0]
            parts.append(cell.source)
        else:
            parts += [f"```ipython\n{cell.source}\n```", *_outputs(cell, heading.lstrip("# "), names)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _outputs(cell: Any, heading: str, names: Iterator[Path]) -> Iterator[str]:  # noqa: ANN401  # as above
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            yield f"![{heading}](../images/{next(names).name})"
        else:
            text: str = data.get("text/plain") or output.get("text") or ""
            yield "\n".join(("```text", *(line.rstrip() for line in text.rstrip().split("\n")), "```"))


def main() -> int:
    """Run the notebook and write all, or compare."""
    nbformat = import_module("nbformat")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    if "--check" in sys.argv[1:]:
        stale = [file for file, picture in pictures(notebook).items() if not _has(file, picture)]
        for file in stale:
            sys.stderr.write(f"{file.relative_to(ROOT)} is not the notebook's: run python docs/make_notebook.py\n")
        return write_or_check({PAGE: page(notebook)}) or int(bool(stale))
    run(notebook)
    nbformat.write(notebook, NOTEBOOK)
    for file, picture in pictures(notebook).items():
        file.write_bytes(picture)
    return write_or_check({PAGE: page(notebook)})


def _has(file: Path, content: bytes) -> bool:
    return file.exists() and file.read_bytes() == content


if __name__ == "__main__":
    sys.exit(main())
