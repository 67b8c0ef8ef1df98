"""The notebook: its cells run, one after the other, and it is kept without their output."""

import json
from pathlib import Path

import matplotlib
import pytest

NOTEBOOK = Path(__file__).parents[2] / "examples" / "tour.ipynb"


@pytest.fixture(scope="module")
def cells() -> list[dict[str, object]]:
    document = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert document["nbformat"] == 4
    return [cell for cell in document["cells"] if cell["cell_type"] == "code"]


def test_it_is_kept_without_output(cells):
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)


def test_its_cells_run_in_their_order(cells, capsys, tmp_path, monkeypatch):
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for number, cell in enumerate(cells, start=1):
        exec(compile("".join(cell["source"]), f"cell {number}", "exec"), namespace)
    printed = capsys.readouterr().out
    assert printed.startswith("neutral ")
    assert "700 ('angry'," in printed
    assert "test " in printed
