"""`fer train` as a function: the real network and recipe on the drawn faces, a few epochs."""

import json
from pathlib import Path

import numpy as np
import pytest

from fercli.core.errors import DataError, RunError, UsageError
from fercli.core.labels import EXPRESSIONS
from fercli.core.lock import hold_lock
from fercli.core.progress import EpochRow
from fercli.data.cartoon import cartoon
from fercli.data.faceset import FaceSet
from fercli.data.loaders.face_file import write_faces
from fercli.models.weights import read_header
from fercli.workflows.run_folder import RunFolder, hold_new_run, read_config
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.run import resume_run, start_run, train
from fercli.workflows.train.settings import resolve_config

RUN_FILES = {
    "config.yaml", "meta.json", "split.csv", "model.safetensors", "last.ckpt", "history.csv", "predictions.csv",
    "metrics.json", "curves.png", "confusion.png",
}  # fmt: skip


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


def test_a_folder_that_holds_something_is_left_alone(config, run):
    before = run.metrics.read_bytes()
    with pytest.raises(RunError, match="--force writes over it"):
        start_run(config(), run.path)
    assert run.metrics.read_bytes() == before


def test_nothing_is_written_when_the_data_is_not_there(config, tmp_path):
    with pytest.raises(DataError):
        start_run(config(data="fer2013", root=tmp_path), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_history_has_a_row_an_epoch(run):
    header, *rows = run.history.read_text().splitlines()
    assert header.split(",") == list(EpochRow.__dataclass_fields__)
    assert [row.split(",")[0] for row in rows] == ["1", "2"]


def test_out_that_is_a_file_is_refused(config, tmp_path):
    Path(tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="is a file: name a folder"):
        start_run(config(), tmp_path / "file")


@pytest.mark.slow
def test_the_paper_recipe_of_bah_resnet_learns_a_small_set(tmp_path):
    """Four steps an epoch: running statistics would lag behind the weights. With those of PyTorch's momentum,
    validation ends at 50 %, half of what it has with statistics that are computed anew."""
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
        model="bah-resnet", data=str(tmp_path / "quarters.safetensors"), recipe="paper", device="cpu", epochs=8, seed=2,
        precision="fp32",  # 'auto' is another arithmetic on processors that multiply faster in bf16
        recipe_settings={"augment.flip": False}, out=tmp_path / "run",
    )  # fmt: skip
    result = train(chosen)
    assert result.evaluations[0].scores.accuracy > 0.9


def test_a_folder_that_another_process_trains_in_is_left_alone(config, run, tmp_path):
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


def test_runs_that_begin_in_the_same_second_have_folders_of_their_own(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with hold_new_run(config(), None, force=False) as first, hold_new_run(config(), None, force=False) as second:
        assert first.path != second.path
