"""Everything in fercli/weights has a licence that is stated, and that says which sets the weights were trained on."""

from pathlib import Path

import pytest

import fercli
from fercli.data.load import SETS
from fercli.models.catalogue import load_catalogue
from fercli.models.weights import read_header

ROOT = Path(__file__).parents[2]
WEIGHTS = Path(fercli.__file__).parent / "weights"
CATALOGUE = load_catalogue()
SHIPPED = [name for name, entry in CATALOGUE.models.items() if entry.weights]


def test_no_file_ships_without_a_licence():
    stated = {CATALOGUE[name].weights: CATALOGUE[name].licence for name in SHIPPED}
    stated |= {CATALOGUE.detector.weights: CATALOGUE.detector.licence}
    # a graph has no weights of its own: it belongs to the file of its name
    files = {path.name for path in WEIGHTS.iterdir() if not path.name.endswith(".graph.onnx")}
    assert files == stated.keys()
    for licence in stated.values():
        assert licence is not None
        assert "MIT License" in (ROOT / licence.file).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_licence_names_the_sets_that_the_file_says_it_was_trained_on(name):
    entry = CATALOGUE[name]
    assert entry.licence.data == read_header(WEIGHTS / entry.weights).data_sets
    assert all("for research" in SETS[data].terms for data in entry.licence.data)


@pytest.mark.parametrize("name", [*SHIPPED, "mtcnn"])
def test_every_card_states_the_licence(name):
    licence = CATALOGUE.detector.licence if name == "mtcnn" else CATALOGUE[name].licence
    card = (ROOT / "docs" / "models" / f"{name}.md").read_text(encoding="utf-8")
    assert f"| licence | {licence.statement} |" in card


def test_the_detector_s_notices_are_those_of_the_package_it_comes_from():
    from importlib.metadata import files

    ours = (ROOT / CATALOGUE.detector.licence.file).read_text(encoding="utf-8")
    (theirs,) = (path for path in files("facenet-pytorch") or () if path.name == "LICENSE.md")
    for line in theirs.read_text(encoding="utf-8").splitlines():
        assert line in ours
