"""The record of trials: draws follow from the seed and the trials before, whatever was interrupted."""

import random
from itertools import islice

import pytest

from fercli.core.errors import RunError, UsageError
from fercli.core.progress import SILENT
from fercli.data.cartoon import cartoon
from fercli.models.catalogue import load_catalogue
from fercli.workflows.search.conduct import Placement
from fercli.workflows.search.confirm import choose_candidates, confirm_best
from fercli.workflows.search.options import SearchOptions
from fercli.workflows.search.settings import resolve_study
from fercli.workflows.search.study import Study, describe_failures
from fercli.workflows.search.trial import Outcome, Work

SPACE = """
optimizer.lr: {low: 1e-3, high: 3e-2, log: true}
schedule.name: [one-cycle, cosine, constant]
schedule.warmup: {low: 0.05, high: 0.4, when: {schedule.name: [one-cycle, cosine]}}
augment.rotate: {low: 0, high: 20}
arguments.width: {low: 0.5, high: 1.5}
"""


@pytest.fixture
def config(tmp_path):
    """Makes the settings of a study."""
    (tmp_path / "space.yaml").write_text(SPACE)

    def make(**options):
        return resolve_study(SearchOptions(**{"space": str(tmp_path / "space.yaml"), **options}))

    return make


def end(study, task, *, several=False):
    """Record a value that follows from the settings alone."""
    value = abs(task.settings["optimizer.lr"] - 0.01) + 0.001 * task.settings["augment.rotate"]
    if task.number % 4 == 3 and not several:
        study.tell(task, Outcome("pruned", (), {1: value}, 1, 1.0, {"completed_rung_0": value}))
    else:
        values = (value, float(task.cost.parameters)) if several else (value,)
        study.tell(task, Outcome("complete", values, {1: value, 2: value}, 2, 2.0, {}))


@pytest.mark.parametrize(
    "options", [{"sampler": "tpe"}, {"sampler": "random"}, {"objectives": ("loss", "parameters"), "sampler": "nsga2"}]
)
def test_an_interrupted_study_draws_what_it_would_have_drawn(config, tmp_path, options):
    settings, several = config(**options), "objectives" in options
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    study = Study(settings, whole)
    for _ in range(12):
        end(study, study.draw(), several=several)
    for number in range(12):
        again = Study(settings, broken)  # another process
        (task,) = again.begun or [again.draw()]
        if number % 5 == 0:  # it ends before the trial does
            (task,) = Study(settings, broken).begun
        end(Study(settings, broken), task, several=several)
    studies = [Study(settings, where) for where in (whole, broken)]
    first, second = ([(trial.params, trial.values) for trial in each.trials] for each in studies)
    assert first == second
    assert len({str(params) for params, _ in first}) == 12


@pytest.mark.parametrize(("sampler", "first"), [("tpe", True), ("random", False)])
def test_the_first_trial_is_the_recipe_as_it_is(config, tmp_path, sampler, first):
    settings = config(sampler=sampler, model="xu-rescnn", data="cartoon", recipe="best")
    task = Study(settings, tmp_path).draw()
    recipe = load_catalogue().recipe("xu-rescnn", "best")
    default = {
        "optimizer.lr": recipe.optimizer.lr, "schedule.name": recipe.schedule.name,
        "schedule.warmup": recipe.schedule.warmup, "augment.rotate": recipe.augment.rotate, "arguments.width": 1.0,
    }  # fmt: skip
    assert (task.settings == default) == first
    assert settings.default_point == default


def test_a_trial_that_is_the_default_is_no_rival_of_it(config, tmp_path):
    settings = config(top=2, model="xu-rescnn", data="cartoon", recipe="best")
    study = Study(settings, tmp_path)
    for loss in (0.1, 0.4, 0.3, 0.2):
        study.tell(study.draw(), Outcome("complete", (loss,), {1: loss}, 1, 1.0, {}))
    assert study.best[0].number == 0
    assert list(choose_candidates(study)) == ["default", "trial-003", "trial-002"]


def test_where_the_default_is_the_only_trial_nothing_is_trained_anew(config, tmp_path):
    study = Study(config(model="xu-rescnn", data="cartoon", recipe="best"), tmp_path)
    study.tell(study.draw(), Outcome("complete", (0.1,), {1: 0.1}, 1, 1.0, {}))
    work = Work(study.config, cartoon(2, 1), (), tmp_path)
    assert confirm_best(study, work, Placement(jobs=1), SILENT) is None
    assert not (tmp_path / "confirm").exists()


def test_what_the_space_does_not_have_of_the_recipe_is_drawn(tmp_path):
    space = tmp_path / "space.yaml"
    space.write_text("optimizer.lr: {low: 0.1, high: 0.2}\naugment.rotate: {low: 0, high: 20}\n")
    settings = resolve_study(SearchOptions(model="xu-rescnn", data="cartoon", recipe="best", space=str(space)))
    assert settings.default_point == {"augment.rotate": 10}
    assert Study(settings, tmp_path).draw().settings["augment.rotate"] == 10


def test_nsga2_draws_by_what_was_found_before_the_usual_trials_are_through(config, tmp_path):
    study = Study(config(objectives=("loss", "parameters"), sampler="nsga2"), tmp_path)
    for _ in range(18):
        end(study, study.draw(), several=True)
    generations = [trial.system_attrs["NSGAIISampler:generation"] for trial in study.trials]
    assert generations == [0] * 16 + [1] * 2


def test_tpe_finds_more_than_chance(config, tmp_path):
    best = []
    for sampler in ("tpe", "random"):
        (tmp_path / sampler).mkdir()
        study = Study(config(sampler=sampler), tmp_path / sampler)
        for _ in range(24):
            end(study, study.draw())
        best.append(sorted(trial.values[0] for trial in study.best)[4])
    assert best[0] < best[1]


def test_a_grid_has_every_combination_once(config, tmp_path):
    grid = "batch_size: [8, 16]\nschedule.name: [constant, cosine]\naugment.rotate: {low: 0, high: 2}"
    (tmp_path / "space.yaml").write_text(grid)
    study = Study(config(sampler="grid"), tmp_path)
    drawn = []
    for _ in range(12):
        task = study.draw()
        study.tell(task, Outcome("complete", (random.Random(task.number).random(),), {}, 1, 1.0, {}))
        drawn.append(tuple(task.settings.values()))
    assert len(set(drawn)) == 12


def test_what_is_over_a_limit_is_no_trial(config, tmp_path):
    study = Study(config(limits={"parameters": 50_000}), tmp_path)
    for _ in range(8):
        task = study.draw()
        assert task.cost.parameters <= 50_000
        end(study, task)
        assert len(task.earlier) == task.number
    assert len(study.counted) == 8 < len(study.trials)


def test_a_trial_that_was_begun_is_not_measured_again(config, tmp_path, monkeypatch):
    settings = config(limits={"ms": 10})
    monkeypatch.setattr("fercli.workflows.search.study.measure_milliseconds", lambda entry: 5.0)
    task = Study(settings, tmp_path).draw()
    monkeypatch.setattr("fercli.workflows.search.study.measure_milliseconds", lambda entry: 50.0)  # a busy moment
    study = Study(settings, tmp_path)
    assert [begun.number for begun in study.begun] == [task.number]
    assert len(study.counted) == 1


def test_a_limit_that_nothing_keeps_is_told(config, tmp_path, monkeypatch):
    monkeypatch.setattr("fercli.workflows.search.study._MOST_OVER", 4)
    with pytest.raises(UsageError, match="4 draws in a row were over 10 parameters: raise it, or narrow the space"):
        Study(config(limits={"parameters": 10}), tmp_path).draw()


def test_settings_that_do_not_go_together_are_a_failed_trial(config, tmp_path):
    (tmp_path / "space.yaml").write_text("optimizer.nesterov: [true, false]\noptimizer.momentum: [0, 0.9]")
    sgd = {"optimizer.name": "sgd", "optimizer.momentum": 0.9}
    study = Study(config(sampler="grid", recipe_settings=sgd), tmp_path)
    for task in islice(iter(study.draw, None), 9):
        study.tell(task, Outcome("complete", (1.0,), {}, 1, 1.0, {}))
    assert len(study.counted) == 4
    (failure,) = describe_failures(study.trials).values()  # one of the four combinations is none
    assert "nesterov needs a momentum" in failure


def test_a_grid_under_a_limit_ends_with_the_combinations_that_keep_it(config, tmp_path):
    (tmp_path / "space.yaml").write_text("arguments.width: [0.25, 0.5, 1.0, 1.5]")
    study = Study(config(sampler="grid", limits={"parameters": 50_000}), tmp_path)
    drawn = []
    for task in islice(iter(study.draw, None), 9):
        drawn.append(task.settings["arguments.width"])
        study.tell(task, Outcome("complete", (1.0,), {}, 1, 1.0, {}))
    assert sorted(drawn) == [0.25, 0.5]


def test_no_trial_is_drawn_beyond_those_asked_for(config, tmp_path):
    one, other = (Study(config(trials=2), tmp_path) for _ in range(2))
    assert one.draw() is not None
    assert other.draw() is not None
    assert one.draw() is None


def test_a_database_by_its_url_serves_two_folders(config, tmp_path):
    settings = config(storage=f"sqlite:///{tmp_path / 'trials.db'}")
    first, second = tmp_path / "a" / "study", tmp_path / "b" / "study"
    one, other = Study(settings, first), Study(settings, second)
    mine, theirs = one.draw(), other.draw()
    assert [mine.number, theirs.number] == [0, 1]
    assert [task.number for task in one.begun] == [0]  # what another folder trains is left to it


def test_a_database_refuses_another_space(config, tmp_path):
    storage = f"sqlite:///{tmp_path / 'trials.db'}"
    Study(config(storage=storage), tmp_path / "a" / "study")
    (tmp_path / "space.yaml").write_text("optimizer.lr: [1e-3, 1e-2]")
    with pytest.raises(RunError, match=r"'fer study' was begun with other settings \(space: it differs in .*--out"):
        Study(config(storage=storage), tmp_path / "b" / "study")


def test_a_folder_knows_its_trials_wherever_it_is_mounted(config, tmp_path):
    settings = config(storage=f"sqlite:///{tmp_path / 'trials.db'}")
    begun = Study(settings, tmp_path / "here" / "study").draw()
    (tmp_path / "here").rename(tmp_path / "there")
    assert [task.number for task in Study(settings, tmp_path / "there" / "study").begun] == [begun.number]


def test_a_database_that_cannot_be_opened_is_told(config, tmp_path):
    with pytest.raises(RunError, match=r"--storage sqlite:.*the study cannot be opened"):
        Study(config(storage=f"sqlite:///{tmp_path / 'missing' / 'trials.db'}"), tmp_path)


def test_a_damaged_record_is_told(config, tmp_path):
    (tmp_path / "study.log").write_text("no json\nat all\n")
    with pytest.raises(RunError, match=r"study\.log: the study cannot be opened"):
        Study(config(), tmp_path)
