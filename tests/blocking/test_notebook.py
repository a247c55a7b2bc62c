"""The cells of the guide, run by a real kernel: a client stays open from one to the next."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

PAGE = Path(__file__).parent.parent.parent / "docs" / "guides" / "outside_trio.md"


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
