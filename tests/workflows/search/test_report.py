"""The report of a study whose trials follow a known rule."""

import random

import pytest
import yaml

from fercli.core.catalogue import ModelEntry
from fercli.models.catalogue import load_catalogue
from fercli.workflows.search.options import SearchOptions
from fercli.workflows.search.report import write_artefacts
from fercli.workflows.search.settings import resolve_study
from fercli.workflows.search.study import Study, StudyFolder
from fercli.workflows.search.trial import Outcome


@pytest.fixture
def report(tmp_path):
    """Writes the report of some trials, each with the value that a function of its settings gives."""

    def write(space, count, measure, **options):
        (tmp_path / "space.yaml").write_text(space)
        study = Study(resolve_study(SearchOptions(space=str(tmp_path / "space.yaml"), **options)), tmp_path)
        for _ in range(count):
            task = study.draw()
            study.tell(task, Outcome("complete", (measure(task.settings),), {}, 1, 1.0, {}))
        return write_artefacts(StudyFolder(tmp_path), study, None)

    return write


def test_the_spread_that_is_chance_goes_with_no_setting(report):
    chance = random.Random(0)
    space = "optimizer.lr: {low: 1e-3, high: 1e-2}\naugment.rotate: {low: 0, high: 20}"
    found = report(space, 30, lambda settings: settings["optimizer.lr"] + chance.gauss(0, 1), sampler="random")
    assert 0 < sum(found.importance.values()) < 0.9


def test_the_entry_of_a_network_that_starts_from_imagenet_stands_in_a_catalogue(report, tmp_path):
    report("optimizer.lr: [1e-4, 1e-3]", 1, lambda settings: 1.0, model="li-resnet50")
    (entry,) = yaml.safe_load((tmp_path / "entry.yaml").read_text()).values()
    before, found = load_catalogue()["li-resnet50"], ModelEntry.model_validate(entry)
    assert found.recipes["best"].pretrained == "imagenet"
    assert (found.imagenet, found.bf16_on_cpu) == (before.imagenet, before.bf16_on_cpu)
