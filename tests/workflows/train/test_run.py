"""`fer train` and `fer eval` as functions: the real network and recipe on the drawn faces, a few epochs."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fercli.core.errors import DataError, RunError, UsageError
from fercli.core.labels import EXPRESSIONS
from fercli.core.lock import hold_lock
from fercli.core.progress import EpochRow, Progress
from fercli.data.cartoon import cartoon
from fercli.data.faceset import FaceSet
from fercli.data.loaders.face_file import write_faces
from fercli.models.weights import read_header
from fercli.workflows.evaluate.options import EvaluateOptions
from fercli.workflows.evaluate.run import evaluate
from fercli.workflows.run_folder import RunFolder, hold_new_run, read_config, unfinished_run
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.run import resume_run, start_run, train
from fercli.workflows.train.settings import resolve_config

RUN_FILES = {
    "config.yaml", "meta.json", "split.csv", "model.safetensors", "last.ckpt", "history.csv", "predictions.csv",
    "metrics.json", "curves.png", "confusion.png",
}  # fmt: skip


def config(**changes: object):
    """Two quick epochs of the default network on the drawn faces."""
    return resolve_config(TrainOptions(**{"recipe": "quick", "device": "cpu", "epochs": 2, **changes}))


def evaluate_run(path: Path, **options: object):
    """What `fer eval` measures of a run."""
    return evaluate(EvaluateOptions(model=str(path), **options))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A finished run."""
    return RunFolder(start_run(config(), tmp_path_factory.mktemp("runs") / "run").folder)


def test_a_run_leaves_exactly_its_files(run):
    assert {file.name for file in run.path.iterdir()} == RUN_FILES
    assert run.complete


def test_the_record_says_where_the_run_comes_from(run):
    meta = json.loads(run.meta.read_text())
    assert meta["data"] == {
        "name": "cartoon", "fingerprint": cartoon().fingerprint, "faces": {"test": 70, "train": 560, "val": 70},
    }  # fmt: skip
    assert {"fercli", "torch", "numpy"} <= meta["versions"].keys()
    assert meta["device"].startswith("cpu")
    assert meta["seconds"] > 0


def test_the_weights_say_what_they_are(run):
    header = read_header(run.weights)
    assert (header.model, header.classes) == ("xu-rescnn", cartoon().classes)
    assert header.training["fingerprint"] == cartoon().fingerprint
    assert header.temperature.keys() == {"single", "mirrored"}
    assert header.metrics["test"]["single"] == json.loads(run.metrics.read_text())["test"]["single"]["accuracy"]


def test_no_person_is_on_two_sides(run):
    rows = [line.split(",") for line in run.split.read_text().splitlines()[1:]]
    sides: dict[str, set[str]] = {}
    for name, _, split in rows:
        sides.setdefault(name.split("_")[0], set()).add(split)
    assert len(sides) == 20
    assert all(len(splits) == 1 for splits in sides.values())


def test_the_config_repeats_the_run(run, tmp_path):
    again = resolve_config(TrainOptions(), base=read_config(run.config))
    assert again == read_config(run.config)
    folder = RunFolder(start_run(again, tmp_path / "again").folder)
    assert folder.history.read_text().split(",")[:-1] != []
    first, second = (json.loads(path.metrics.read_text()) for path in (run, folder))
    assert first["test"] == second["test"]


@pytest.fixture
def small_fer2013(tmp_path: Path) -> Path:
    """A folder with a fer2013.csv of 112 faces in all three usages."""
    draws = np.random.default_rng(0)
    usages = ["Training"] * 84 + ["PublicTest"] * 14 + ["PrivateTest"] * 14
    lines = ["emotion,pixels,Usage"]
    for number, usage in enumerate(usages):
        lines.append(f"{number % 7},{' '.join(map(str, draws.integers(0, 256, 2304)))},{usage}")
    folder = tmp_path / "sets"
    folder.mkdir()
    (folder / "fer2013.csv").write_text("\n".join(lines) + "\n")
    return folder


class _KilledError(Exception):
    """Stands for a kill between two epochs."""


class _KilledAfter(Progress):
    def __init__(self, epoch: int) -> None:
        self.last = epoch

    def step(self, epoch: int, done: int, total: int, loss: float, accuracy: float, rate: float) -> None:
        if epoch > self.last:
            raise _KilledError


def test_a_killed_run_continues_to_the_same_end(run, tmp_path):
    with pytest.raises(_KilledError):
        start_run(config(), tmp_path / "broken", progress=_KilledAfter(1))
    broken = RunFolder(tmp_path / "broken")
    assert not broken.complete
    assert len(broken.history.read_text().splitlines()) == 2
    resume_run(broken, read_config(broken.config))
    assert broken.complete
    assert json.loads(broken.metrics.read_text())["test"] == json.loads(run.metrics.read_text())["test"]


def test_a_run_killed_in_its_first_epoch_continues_too(tmp_path):
    with pytest.raises(_KilledError):
        start_run(config(epochs=1), tmp_path / "broken", progress=_KilledAfter(0))
    broken = unfinished_run(tmp_path / "broken")
    resume_run(broken, read_config(broken.config))
    assert broken.complete


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half"])
def test_a_run_whose_checkpoint_is_damaged_is_trained_anew_to_the_same_end(run, tmp_path, content):
    with pytest.raises(_KilledError):
        start_run(config(), tmp_path / "broken", progress=_KilledAfter(1))
    broken = RunFolder(tmp_path / "broken")
    broken.checkpoint.write_bytes(content)
    said: list[str] = []
    progress = Progress()
    progress.say = said.append
    resume_run(broken, read_config(broken.config), progress)
    (line,) = [text for text in said if "begins again" in text]
    assert line.startswith(f"cannot resume from {broken.checkpoint}: ")
    assert json.loads(broken.metrics.read_text())["test"] == json.loads(run.metrics.read_text())["test"]


def test_a_run_killed_before_its_last_history_was_written_has_it_in_the_end(tmp_path):
    folder = RunFolder(start_run(config(), tmp_path / "run").folder)
    whole = folder.history.read_text()
    folder.metrics.unlink()
    folder.history.write_text("".join(whole.splitlines(keepends=True)[:-1]))
    resume_run(folder, read_config(folder.config))
    assert folder.history.read_text() == whole
    assert len(json.loads(folder.meta.read_text())["resumed"]) == 1


def test_resuming_on_other_data_is_refused(tmp_path):
    with pytest.raises(_KilledError):
        start_run(config(), tmp_path / "broken", progress=_KilledAfter(0))
    broken = RunFolder(tmp_path / "broken")
    meta = json.loads(broken.meta.read_text())
    meta["data"]["fingerprint"] = "0" * 64
    broken.meta.write_text(json.dumps(meta))
    with pytest.raises(RunError, match="was begun with another data"):
        resume_run(broken, read_config(broken.config))


def test_a_run_goes_on_in_the_precision_that_is_faster_on_this_machine(tmp_path):
    with pytest.raises(_KilledError):
        start_run(config(), tmp_path / "broken", progress=_KilledAfter(0))
    broken = RunFolder(tmp_path / "broken")
    meta = json.loads(broken.meta.read_text())
    broken.meta.write_text(json.dumps({**meta, "precision": "bf16"}))
    said: list[str] = []
    progress = Progress()
    progress.say = said.append
    resume_run(broken, read_config(broken.config), progress)
    assert "note: from here in fp32, which is faster on this machine; it was bf16 until now" in said
    after = json.loads(broken.meta.read_text())
    assert (after["precision"], after["resumed"][0]["precision"]) == ("bf16", "fp32")


def test_force_leaves_nothing_of_the_run_before(run, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(run.path, out)
    with pytest.raises(_KilledError):
        start_run(config(seed=1), out, force=True, progress=_KilledAfter(0))
    assert {file.name for file in out.iterdir()} == {"config.yaml", "meta.json", "split.csv"}
    assert read_config(out / "config.yaml").seed == 1


def test_resuming_with_other_settings_names_the_difference(tmp_path):
    with pytest.raises(_KilledError):
        start_run(config(), tmp_path / "broken", progress=_KilledAfter(0))
    broken = RunFolder(tmp_path / "broken")
    other = resolve_config(TrainOptions(seed=3, lr=0.5), base=read_config(broken.config))
    with pytest.raises(RunError, match=r"seed: 0, 3; recipe.optimizer.lr: 0.008, 0.5"):
        resume_run(broken, other)


def test_a_complete_run_is_not_resumed(run):
    with pytest.raises(RunError, match="is complete: fer eval"):
        resume_run(run, read_config(run.config))


def test_a_folder_that_holds_something_is_left_alone(run):
    before = run.metrics.read_bytes()
    with pytest.raises(RunError, match="--force writes over it"):
        start_run(config(), run.path)
    assert run.metrics.read_bytes() == before


def test_nothing_is_written_when_the_data_is_not_there(tmp_path):
    with pytest.raises(DataError):
        start_run(config(data="fer2013", root=tmp_path), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_to_resume_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="no unfinished run"):
        unfinished_run(None)
    with pytest.raises(RunError, match="nothing to resume in"):
        unfinished_run(tmp_path)


def test_evaluating_a_run_uses_its_data_and_its_split(run):
    result = evaluate_run(run.path, device="cpu")
    assert (result.split, result.data, result.scores.faces) == ("test", "cartoon", 70)
    test_ids = {line.split(",")[0] for line in run.split.read_text().splitlines() if line.endswith(",test")}
    assert set(result.predictions.ids) == test_ids
    assert result.scores.accuracy == json.loads(run.metrics.read_text())["test"]["single"]["accuracy"]


def test_weights_away_from_their_run_still_know_their_test_split(run, tmp_path):
    copy = tmp_path / "shared.safetensors"
    copy.write_bytes(run.weights.read_bytes())
    assert evaluate_run(copy, device="cpu").predictions.ids == evaluate_run(run.path, device="cpu").predictions.ids


def test_a_run_finds_its_data_from_anywhere(tmp_path, monkeypatch, small_fer2013):
    monkeypatch.chdir(small_fer2013.parent)
    run = start_run(config(data="fer2013", root=Path(small_fer2013.name), epochs=1), tmp_path / "run").folder
    monkeypatch.chdir(tmp_path)
    assert evaluate(EvaluateOptions(model="run")).data == "fer2013"
    by_path = str(small_fer2013.relative_to(small_fer2013.parent) / "fer2013.csv")
    monkeypatch.chdir(small_fer2013.parent)
    run = start_run(config(data=by_path, epochs=1), tmp_path / "other").folder
    monkeypatch.chdir(tmp_path)
    assert evaluate_run(run).split == "test"


def test_weights_alone_refuse_a_split_that_is_not_theirs(run, tmp_path, monkeypatch):
    """The same faces under other names would be split otherwise: test faces could be training faces."""
    copy = tmp_path / "shared.safetensors"
    copy.write_bytes(run.weights.read_bytes())
    renamed = replace(cartoon(), ids=tuple(f"outer/{name}" for name in cartoon().ids), subjects=None)
    monkeypatch.setattr("fercli.workflows.evaluate.data.load_faces", lambda *_: renamed)
    with pytest.raises(RunError, match="its test split is not known: --split all"):
        evaluate_run(copy)
    assert evaluate_run(copy, split="all").scores.faces == 700


def test_a_set_that_changed_since_is_refused(run, monkeypatch):
    grown = cartoon(subjects=21)
    monkeypatch.setattr("fercli.workflows.evaluate.data.load_faces", lambda *_: grown)
    with pytest.raises(RunError, match="not quite what"):
        evaluate_run(run.path)


def test_the_set_s_own_validation_split_is_spare_when_val_is_drawn(tmp_path, small_fer2013):
    chosen = config(data="fer2013", root=small_fer2013, epochs=1, val_fraction=0.25)
    run = start_run(chosen, tmp_path / "run").folder
    counts = json.loads((run / "meta.json").read_text())["data"]["faces"]
    assert counts == {"train": 63, "val": 21, "spare": 14, "test": 14}
    spare = evaluate_run(run, split="spare").predictions.ids
    assert all(name.startswith("PublicTest") for name in spare)


def test_what_was_trained_on_is_called_that(run):
    assert any("was trained on these faces" in note for note in evaluate_run(run.path, split="train").notes)
    assert any("slightly too high" in note for note in evaluate_run(run.path, split="val").notes)


def test_a_split_that_is_not_there_lists_those_that_are(run):
    with pytest.raises(DataError, match="has no spare split here: it has test, val, train"):
        evaluate_run(run.path, split="spare")


def test_other_classes_are_refused_with_both_lists(run, tmp_path):
    from PIL import Image

    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(4):
            Image.fromarray(np.full((48, 48), 40 * number, np.uint8)).save(tmp_path / "pets" / name / f"{number}.png")
    with pytest.raises(DataError, match="has the classes cat, dog; xu-rescnn knows angry"):
        evaluate_run(run.path, data=str(tmp_path / "pets"))


def test_a_foreign_set_without_a_split_is_measured_whole(run, tmp_path):
    from PIL import Image

    faces = cartoon()
    for image, label, name in list(zip(faces.images, faces.labels, faces.ids, strict=True))[::10]:
        folder = tmp_path / "drawn" / faces.classes[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(folder / f"{name}.png")
    result = evaluate_run(run.path, data=str(tmp_path / "drawn"))
    assert (result.split, result.scores.faces) == ("all", 70)
    assert any("no split of its own" in note for note in result.notes)


def test_a_saved_evaluation_has_the_files_that_it_names(run, tmp_path):
    result = evaluate_run(run.path)
    named = result.save(tmp_path / "eval")
    assert sorted(named) == sorted(file.name for file in (tmp_path / "eval").iterdir())
    assert named == ["predictions.csv", "confusion.png", "reliability.png", "metrics.json"]
    result = evaluate_run(run.path, coverage=True)
    named = result.save(tmp_path / "curve")
    assert sorted(named) == sorted(file.name for file in (tmp_path / "curve").iterdir())
    assert set(named) == {"predictions.csv", "confusion.png", "reliability.png", "coverage.png", "metrics.json"}
    levels = json.loads((tmp_path / "curve" / "metrics.json").read_text())["coverage"]["levels"]
    assert levels[0]["accuracy"] == result.scores.accuracy


def test_history_has_a_row_an_epoch(run):
    header, *rows = run.history.read_text().splitlines()
    assert header.split(",") == list(EpochRow.__dataclass_fields__)
    assert [row.split(",")[0] for row in rows] == ["1", "2"]


def test_out_that_is_a_file_is_refused(tmp_path):
    Path(tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="is a file: name a folder"):
        start_run(config(), tmp_path / "file")


@pytest.mark.slow
def test_the_paper_recipe_of_bah_resnet_learns_a_small_set(tmp_path):
    """Four steps an epoch: running statistics would lag behind the weights, and validation stay at chance."""
    draws = np.random.default_rng(0)
    labels = np.arange(320) % 4
    images = draws.integers(0, 120, (320, 1, 48, 48))
    for number, label in enumerate(labels):  # a bright quarter says the class
        down, across = 24 * (label // 2), 24 * (label % 2)
        images[number, 0, down : down + 24, across : across + 24] += 100
    faces = FaceSet(
        "quarters", images.astype(np.uint8), labels.astype(np.int64), EXPRESSIONS[:4], tuple(map(str, range(320)))
    )
    write_faces(tmp_path / "quarters.safetensors", faces)
    chosen = TrainOptions(
        model="bah-resnet", data=str(tmp_path / "quarters.safetensors"), recipe="paper", device="cpu", epochs=4,
        recipe_settings={"augment.flip": False}, out=tmp_path / "run",
    )  # fmt: skip
    result = train(chosen)
    assert result.evaluations[0].scores.accuracy > 0.9


def test_a_folder_that_another_process_trains_in_is_left_alone(run, tmp_path):
    with hold_lock(tmp_path / "out"), pytest.raises(UsageError, match="out is being written by process"):
        start_run(config(), tmp_path / "out")
    before = {file.name: file.read_bytes() for file in run.path.iterdir()}
    with hold_lock(run.path):
        with pytest.raises(UsageError, match="is being written by process"):
            start_run(config(), run.path, force=True)
        with pytest.raises(UsageError, match="is being written by process"):
            resume_run(run, read_config(run.config))
    assert {file.name: file.read_bytes() for file in run.path.iterdir()} == before
    assert not list(tmp_path.iterdir())


def test_runs_that_begin_in_the_same_second_have_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with hold_new_run(config(), None, force=False) as first, hold_new_run(config(), None, force=False) as second:
        assert first.path != second.path
