"""The figures of what ships are the same wherever they stand, and the ones that the shipped networks reach."""

import json
import os
import re
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from fercli.cli.app import app
from fercli.data.load import SETS, load_faces
from fercli.metrics.scores import wilson
from fercli.models.catalogue import load_catalogue
from fercli.models.load import load_model
from fercli.workflows.evaluate.data import find_splits
from fercli.workflows.evaluate.evaluation import fit_temperatures
from fercli.workflows.evaluate.options import EvaluateOptions
from fercli.workflows.evaluate.run import evaluate
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.settings import parse_settings, resolve_config

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "results.md"
#: The pages with a table of the networks that ship.
PAGES = (ROOT / "README.md", RESULTS)
#: How many faces PublicTest has.
PUBLIC_TEST = 3589
#: Accuracy in percent of each network that ships, by views, as models.yaml has it.
STATED = {
    name: {found.views: found.accuracy for found in entry.results if (found.data, found.split) == ("fer2013", "val")}
    for name, entry in load_catalogue().models.items()
    if entry.weights
}


#: The average in the tables of results, and its rows there.
PAIR = ("vgg14", "vgg14-wide")
AVERAGED = re.compile(
    r"^\| both `vgg14\*`, averaged \| (?P<size>[\d,]+) \| (?P<views>[^|]+) \| (?P<accuracy>[\d.]+) % "
    r"\((?P<low>[\d.]+) to (?P<high>[\d.]+)\)",
    re.MULTILINE,
)


def public_test() -> Path:
    """Where fer2013 lies; a test that needs it is skipped where it is not there."""
    root = os.environ.get("FER_DATA")
    if not root or SETS["fer2013"].find(Path(root)) is None:
        pytest.skip("FER_DATA does not say where fer2013 is")
    return Path(root)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.parametrize("name", STATED)
def test_a_page_states_what_the_catalogue_states(name, page):
    row = re.compile(
        rf"^\| `{name}` \(shipped\) \| (?P<size>[\d,]+) \| (?P<views>[^|]+) \| (?P<accuracy>[\d.]+) % "
        r"\((?P<low>[\d.]+) to (?P<high>[\d.]+)\)",
        re.MULTILINE,
    )
    found = list(row.finditer(page.read_text(encoding="utf-8")))
    stated = {"single + mirrored" if "mirrored" in one["views"] else "single": float(one["accuracy"]) for one in found}
    assert stated == STATED[name]
    for one in found:
        assert int(one["size"].replace(",", "")) == load_catalogue()[name].parameters.total
        right = round(float(one["accuracy"]) / 100 * PUBLIC_TEST)
        low, high = wilson(right, PUBLIC_TEST)
        assert (one["low"], one["high"]) == (f"{100 * low:.2f}", f"{100 * high:.2f}")


def test_the_exported_network_is_the_one_that_ships():
    text = RESULTS.read_text(encoding="utf-8")
    (accuracy,) = re.findall(r"^\| `safetensors` \| [^|]+ \| ([\d.]+) % ", text, re.MULTILINE)
    assert float(accuracy) == STATED["xu-rescnn"]["single"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_an_average_has_both_its_views_on_a_page(page):
    """One row alone would be the better one."""
    found = list(AVERAGED.finditer(page.read_text(encoding="utf-8")))
    assert [row["views"] for row in found] == ["single", "+ mirrored"]
    size = sum(load_catalogue()[name].parameters.total for name in PAIR)
    for row in found:
        right = round(float(row["accuracy"]) / 100 * PUBLIC_TEST)
        low, high = wilson(right, PUBLIC_TEST)
        assert (row["low"], row["high"]) == (f"{100 * low:.2f}", f"{100 * high:.2f}")
        assert int(row["size"].replace(",", "")) == size


@pytest.mark.parametrize("name", STATED)
def test_the_card_states_what_the_catalogue_states(name):
    card = (ROOT / "docs" / "models" / f"{name}.md").read_text(encoding="utf-8")
    rows = re.findall(rf"^\| (single(?: \+ mirrored)?) \| {PUBLIC_TEST:,} \| ([\d.]+) % ", card, re.MULTILINE)
    assert {views: float(accuracy) for views, accuracy in rows} == STATED[name], "python -m benchmarks.model_card"


@pytest.mark.parametrize("name", STATED)
def test_the_network_that_ships_reaches_what_is_stated(name):
    root = public_test()
    for views, accuracy in STATED[name].items():
        result = evaluate(
            EvaluateOptions(model=name, data="fer2013", root=root, split="val", tta=views != "single", device="cpu")
        )
        assert result.scores.faces == PUBLIC_TEST
        # another processor may round one face, which is 0.03 points, to the other side
        assert 100 * result.scores.accuracy == pytest.approx(accuracy, abs=0.035)


def test_averages_reach_what_is_stated():
    root = public_test()
    for row in AVERAGED.finditer(RESULTS.read_text(encoding="utf-8")):
        mirrored = row["views"] != "single"
        result = evaluate(
            EvaluateOptions(model="+".join(PAIR), data="fer2013", root=root, split="val", tta=mirrored, device="cpu")
        )
        assert 100 * result.scores.accuracy == pytest.approx(float(row["accuracy"]), abs=0.035)


@pytest.mark.slow
@pytest.mark.parametrize("entry", load_catalogue().ensembles, ids=lambda entry: "+".join(entry.models))
def test_the_temperatures_of_averages_are_those_that_fit(entry):
    """Fitted, in either views, to the weights that ship: new weights need `python -m benchmarks.averaging`."""
    model = load_model("+".join(entry.models))
    faces = load_faces(entry.data, public_test())
    val = faces.select(find_splits(faces, model) == entry.split)
    fitted = fit_temperatures(model.network, torch.from_numpy(val.images), val.labels)
    assert fitted == pytest.approx(entry.temperature.model_dump(), abs=2e-3)


def test_every_experiment_is_a_command_that_can_be_typed():
    text = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\| \d", line)]
    assert rows
    for row in rows:
        (command,) = re.findall(r"`fer train ([^`]+)` \|$", row)
        named = dict(re.findall(r"--(model|data|recipe|teacher|extra) (\S+)", command))
        settings = parse_settings(re.findall(r"--set (\S+)", command))
        options = TrainOptions(**{**named, "recipe_settings": settings})
        assert resolve_config(options).data == "fer2013"
    assert len({row.split("`")[-2] for row in rows}) == len(rows), "no command stands twice"


@pytest.mark.parametrize("name", ["mini-xception", "simple-cnn", "simpler-cnn", "lenet", "bah-resnet"])
def test_the_catalogue_lists_what_the_paper_s_recipe_gave(name):
    """A page of claims and `fer models` side by side must not contradict each other."""
    record = json.loads((ROOT / "docs" / "papers.json").read_text(encoding="utf-8"))[f"{name}-seed0"]
    first, second = load_catalogue()[name].results[:2]
    assert (first.views, first.accuracy, second.accuracy) == ("single", record["accuracy"], record["mirrored"])
    assert {first.command, second.command} == {record["command"]}
    shown = CliRunner().invoke(app, ["models"], env={"COLUMNS": "140"}).stdout
    (line,) = [line for line in shown.splitlines() if line.startswith(f"{name} ")]
    assert f"{record['accuracy']:g} % {first.data} {first.split}, {record['epochs']} epochs" in line
