"""The cells of the guide and the example notebook, run by a real kernel: a client stays open from one to the next."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "guides" / "outside_trio.md"
EXAMPLE = ROOT / "examples" / "notebook.ipynb"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::RuntimeWarning")
def test_the_cells_of_the_guide(tmp_path: Path) -> None:
    cells = re.findall(r"^```ipython\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [[each["data"]["text/plain"] for each in cell.outputs if "data" in each] for cell in notebook.cells]
    assert float(re.sub(r"np\.float64\((.*)\)", r"\1", shown[1][0])) > 0
    assert shown[2][0].count("Decimal(") == 3
    assert shown[4] == ["('ETH_USDT', 'BTC_USDT')"]
    assert len(cells) == 6


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::RuntimeWarning")
def test_the_example_notebook_gives_what_it_shows(tmp_path: Path) -> None:
    """Run by a real kernel, each output is the one that is stored: a year of candles, three plots, what was traded."""
    pytest.importorskip("matplotlib")
    pytest.importorskip("pandas")
    stored, run = (nbformat.read(EXAMPLE, as_version=4) for _ in range(2))
    nbclient.NotebookClient(run, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert texts(run) == texts(stored)
    assert len(texts(run)) == 2
    assert pictures(run) == pictures(stored) == 3
    assert EXAMPLE.stat().st_size < 100_000
    candles = next(cell.source for cell in stored.cells if "history.spot_klines" in cell.source)
    assert len(candles.splitlines()) == 3


def texts(notebook: Any) -> list[str]:
    """What the cells print and what they are, pictures apart."""
    return [
        output["data"]["text/plain"] if "data" in output else output["text"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "image/png" not in output.get("data", {})
    ]


def pictures(notebook: Any) -> int:
    return sum("image/png" in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", ()))


def test_the_page_shows_the_notebook() -> None:
    """`python docs/make_notebook.py` has been run since the notebook was changed."""
    check = subprocess.run(
        [sys.executable, "docs/make_notebook.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stderr
