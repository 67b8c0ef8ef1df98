"""A study from its options to its report: trials that are runs, resumed wherever they stopped."""

import csv
import json
from pathlib import Path

import pytest
import yaml

from fercli.core.errors import RunError, UsageError
from fercli.core.files import read_json
from fercli.core.lock import hold_lock
from fercli.models.catalogue import load_catalogue, measure_cost
from fercli.runner.tasks import TaskFailedError
from fercli.workflows.run_folder import read_config
from fercli.workflows.search.confirm import _Confirmer
from fercli.workflows.search.options import SearchOptions
from fercli.workflows.search.run import search
from fercli.workflows.search.settings import read_study
from fercli.workflows.search.study import Study
from fercli.workflows.search.tables import describe_verdict
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.run import train

from .conftest import SMALL, Heard


def read_trials(folder: Path) -> list[dict[str, str]]:
    """The table of trials, without what depends on the machine."""
    with (folder / "trials.csv").open(newline="") as file:
        return [{name: cell for name, cell in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def test_a_study_leaves_its_report_and_never_sees_the_test_split(study, tmp_path):
    result = study()
    files = {path.name for path in (tmp_path / "study").iterdir() if not path.name.startswith(".")}
    pictures = {"history.png", "parallel.png"}
    files -= {"importance.png", "study.log.lock"}  # there where enough trials came to their end
    texts = {"study.yaml", "study.log", "meta.json", "trials.csv", "best.yaml", "entry.yaml", "search.json"}
    assert files == {*pictures, *texts, "report.html", "trials", "confirm"}
    assert len(read_trials(result.folder)) == 4 == result.counts["tried"]
    for split in result.folder.rglob("split.csv"):
        assert "test" not in {row.rpartition(",")[2] for row in split.read_text().splitlines()}
    for metrics in result.folder.rglob("metrics.json"):
        assert "test" not in read_json(metrics)
    page = (result.folder / "report.html").read_text()
    assert describe_verdict(result) in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("data:image/png;base64,") >= 2
    assert any(row["state"] == "given up" for row in read_trials(result.folder))
    assert not list(result.folder.rglob("last.ckpt"))  # nothing goes on from what has ended
    confirmed = json.loads((result.folder / "search.json").read_text())["confirmed"]
    assert {row["name"] for row in confirmed["rows"]} == {"default", f"trial-{result.rows[0].number:03d}"}
    assert all(len(row["values"]) == 2 for row in confirmed["rows"])


def test_what_was_found_is_trained_and_stands_in_a_catalogue(study, tmp_path, monkeypatch):
    folder = study(trials=2, top=0).folder
    trained = train(TrainOptions(config=folder / "best.yaml", out=tmp_path / "run"))
    assert read_config(trained.folder / "config.yaml").recipe_name == "found"
    assert {evaluation.split for evaluation in trained.evaluations} == {"val", "test"}
    entry = yaml.safe_load((folder / "entry.yaml").read_text())
    catalogue = {"version": 1, "default": "xu-rescnn-found", "models": entry}
    (tmp_path / "models.yaml").write_text(yaml.safe_dump(catalogue))
    monkeypatch.setenv("FER_CATALOGUE", str(tmp_path / "models.yaml"))
    found = load_catalogue()["xu-rescnn-found"]
    assert found.arguments == {name.removeprefix("arguments."): value for name, value in SMALL.items()}
    assert measure_cost(found).parameters == found.parameters.trainable
    assert found.recipes["best"].epochs == 2


def test_a_study_that_is_stopped_ends_as_one_that_is_not(study, tmp_path):
    whole = study("whole", trials=5)
    stops = 0
    for epochs in (3, 5, 4, 8, 10**6):
        try:
            result = study("broken", trials=5, progress=Heard(epochs))
        except KeyboardInterrupt:
            stops += 1
    assert stops >= 3
    assert read_trials(result.folder) == read_trials(whole.folder)
    assert result.ranking.to_dict() == whole.ranking.to_dict()
    assert (result.folder / "best.yaml").read_text() == (whole.folder / "best.yaml").read_text()


def test_a_study_is_continued_with_more_trials_and_refused_with_other_settings(study, tmp_path):
    study(trials=2, top=0)
    result = study(trials=3, top=0)
    assert [row["trial"] for row in read_trials(result.folder)] == ["0", "1", "2"]
    with pytest.raises(RunError, match=r"was begun with other settings \(sampler: tpe, random\)"):
        study(sampler="random")
    (tmp_path / "space.yaml").write_text("optimizer.lr: [1e-3, 1e-2]")
    with pytest.raises(RunError, match=r"space: it differs in augment.rotate, optimizer.lr, schedule.name and more"):
        study()
    again = study(trials=1, top=0, force=True)
    assert len(read_trials(again.folder)) == 1


def test_a_trial_that_diverges_is_recorded_and_the_others_go_on(study, tmp_path):
    (tmp_path / "space.yaml").write_text("optimizer.lr: [1e30, 1e-2]")
    heard = Heard()
    result = study(progress=heard, sampler="grid", trials=2, top=0)
    assert sorted(row["state"] for row in read_trials(result.folder)) == ["complete", "failed"]
    assert any("no longer a number" in text and "going on with the others" in text for text in heard.said)
    assert "no longer a number" in (result.folder / "report.html").read_text()


def test_a_trial_that_fails_on_another_seed_is_left_out(study, monkeypatch):
    whole = _Confirmer.run

    def run(self, task):
        if "trial" in task.name and task.config.seed == 1 and not failed:
            failed.append(task.name)
            raise TaskFailedError("the loss is no longer a number")
        whole(self, task)

    failed = []
    monkeypatch.setattr(_Confirmer, "run", run)
    result = study(trials=3, top=2, pruner="none")
    assert list(result.ranking.failed) == failed
    assert {row.name for row in result.ranking.rows} == {"default", f"trial-{result.rows[1].number:03d}"}
    assert f"{failed[0]} with seed 1 failed (the loss is no longer" in (result.folder / "report.html").read_text()


def test_a_grid_ends_with_its_combinations(study, tmp_path):
    (tmp_path / "space.yaml").write_text("optimizer.lr: [1e-3, 1e-2]")
    assert study(sampler="grid", trials=9, top=0).counts["tried"] == 2


def test_folds_are_of_the_training_split(study):
    result = study(folds=3, trials=2, top=0, recipe_settings={"epochs": 1, **SMALL})
    runs = sorted(path.name for path in (result.folder / "trials" / "000").iterdir() if path.is_dir())
    assert runs == ["fold-01", "fold-02", "fold-03"]
    split = (result.folder / "trials" / "000" / "fold-01" / "split.csv").read_text()
    assert {row.rpartition(",")[2] for row in split.splitlines()[1:]} == {"train", "val", "spare"}


def test_two_objectives_are_traded_off(study, tmp_path):
    (tmp_path / "space.yaml").write_text("arguments.width: [0.25, 0.5, 1.0]")
    result = study(objectives=("accuracy", "parameters"), trials=4, top=0)
    assert (result.folder / "pareto.png").is_file()
    for row in result.rows:
        others = [other for other in result.rows if other is not row]
        assert not any(other.values[0] >= row.values[0] and other.values[1] < row.values[1] for other in others)


def test_a_trial_whose_process_was_killed_meanwhile_is_trained_too(study, tmp_path):
    class Another(Heard):
        """Takes part in the study as another process, which draws a trial and dies."""

        def say(self, text: str) -> None:
            if text.startswith("trial   0"):
                Study(read_study(tmp_path / "study" / "study.yaml"), tmp_path / "study").draw()

    result = study(trials=3, top=0, pruner="none", progress=Another())
    assert [row["state"] for row in read_trials(result.folder)] == ["complete"] * 3


def test_no_trial_begins_after_the_budget(study):
    with pytest.raises(RunError, match="no trial came to its end"):
        study(budget=1e-9)


def test_what_another_process_trains_is_not_started_over(study, tmp_path):
    study(trials=1, top=0)
    with (
        hold_lock(tmp_path / "study" / "trials" / "000"),
        pytest.raises(UsageError, match="is being written by process"),
    ):
        study(trials=1, top=0, force=True)
    assert (tmp_path / "study" / "trials.csv").is_file()


def test_a_database_that_cannot_be_opened_leaves_no_folder(study, tmp_path):
    with pytest.raises(RunError, match="the study cannot be opened"):
        study(storage="nowhere")
    assert not (tmp_path / "study").exists()


def test_a_database_is_not_started_over(study, tmp_path):
    storage = f"sqlite:///{tmp_path / 'trials.db'}"
    study(trials=1, top=0, storage=storage)
    with pytest.raises(UsageError, match="--force empties a folder, not the database of --storage: name another --out"):
        study(trials=1, top=0, storage=storage, force=True)
    assert (tmp_path / "study" / "trials.csv").is_file()


def test_nothing_to_resume_is_told(tmp_path):
    with pytest.raises(RunError, match=r"nothing to resume in .*: it has no study.yaml"):
        search(SearchOptions(resume=True, out=tmp_path))


def test_another_folder_is_left_alone(study, tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="is not empty and no study: name another --out"):
        study()
    with pytest.raises(UsageError, match="--resume continues what --force would start over"):
        study(resume=True, force=True)
