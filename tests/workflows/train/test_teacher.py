"""`fer train --teacher`: who may teach, what is recorded, and what is said where figures may be too high."""

import json
import shutil
from dataclasses import replace

import pytest
import torch

from fercli.core.errors import ModelError, RunError, UsageError
from fercli.core.progress import SILENT, Progress
from fercli.data.cartoon import cartoon
from fercli.data.loaders.face_file import write_faces
from fercli.models.load import load_model
from fercli.models.weights import read_header, save_weights
from fercli.workflows.run_folder import RunFolder
from fercli.workflows.train.data import draw_split, load_training_faces, prepare_data
from fercli.workflows.train.job import set_up_job
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.run import resume_run, start_run
from fercli.workflows.train.settings import resolve_config
from fercli.workflows.train.teacher import load_teacher


class Ears(Progress):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def say(self, text: str) -> None:
        self.heard.append(text)


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """A set of a few faces."""
    path = tmp_path_factory.mktemp("data") / "few.safetensors"
    write_faces(path, cartoon(5, 1))
    return path


@pytest.fixture
def config(faces):
    def made(teacher):
        return resolve_config(
            TrainOptions(
                recipe="quick", data=str(faces), device="cpu", group="image", teacher=str(teacher), epochs=1,
                recipe_settings={"distillation_weight": 0.8},
            )
        )  # fmt: skip

    return made


def set_up(config, progress=SILENT):
    faces, _ = load_training_faces(config, progress)
    data = prepare_data(config, faces, draw_split(config, faces), torch.device("cpu"), progress)
    return set_up_job(config, data, progress)


@pytest.fixture
def shared(tmp_path):
    """Weights away from the package."""
    path = tmp_path / "shared.safetensors"
    shutil.copyfile(load_model().path, path)
    return path


def test_what_a_teacher_is_stands_in_the_records(tmp_path, config, shared, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ears = Ears()
    chosen = config("shared.safetensors+xu-rescnn")
    assert chosen.teacher == f"{shared}+xu-rescnn"
    run = RunFolder(start_run(chosen, tmp_path / "run", progress=ears).folder)
    assert any("shared.safetensors+xu-rescnn too, with a weight of 0.8" in text for text in ears.heard)
    assert any("it may know the val and test faces" in text for text in ears.heard)
    recorded = json.loads(run.meta.read_text())["teacher"]
    assert recorded.startswith(f"{shared}+xu-rescnn, sha256 ")
    assert read_header(run.weights).training["teacher"] == recorded
    # what was trained on this very split may teach it without a word
    ears = Ears()
    set_up(config(run.path), ears)
    assert any("learning from" in text for text in ears.heard)
    assert not any("may know" in text for text in ears.heard)


def test_another_teacher_ends_no_run(tmp_path, config, shared):
    run = RunFolder(start_run(config(shared), tmp_path / "run").folder)
    run.metrics.unlink()
    with pytest.raises(RunError, match=r"other settings.*teacher"):
        resume_run(run, config("xu-rescnn"))
    model = load_model()
    save_weights(shared, {name: value * 1.01 for name, value in model.network.state_dict().items()}, model.header)
    with pytest.raises(RunError, match="begun with another teacher"):
        resume_run(run, config(shared))


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("nobody", ModelError, "no model 'nobody'"),
        ("xu-rescnn+", ModelError, r"beside a '\+'"),
        ("bah-resnet", ModelError, "no weights ship for bah-resnet"),
    ],
)
def test_no_such_teacher(config, name, error, message):
    with pytest.raises(error, match=message):
        config(name)


def test_who_cannot_teach(tmp_path, config, shared):
    exported = tmp_path / "network.onnx"
    exported.write_bytes(b"")
    with pytest.raises(UsageError, match="name the weights it was exported from"):
        set_up(config(exported))
    model = load_model()
    header = model.header.__class__(**{**model.header.__dict__, "classes": tuple(reversed(model.classes))})
    save_weights(shared, model.network.state_dict(), header)
    with pytest.raises(ModelError, match="the same classes in the same order"):
        set_up(config(shared))


def test_a_weight_without_a_teacher_is_refused():
    with pytest.raises(UsageError, match="name one with --teacher MODEL"):
        resolve_config(TrainOptions(recipe="quick", recipe_settings={"distillation_weight": 0.3}))


def test_bf16_is_for_teachers_that_all_gain_by_it(tmp_path, monkeypatch):
    monkeypatch.setattr("fercli.training.device.bf16_is_faster", lambda: True)
    small = load_model("xu-rescnn")
    large = tmp_path / "large.safetensors"
    save_weights(large, small.network.state_dict(), replace(small.header, model="bah-basic"))

    def precision(name, asked="auto"):
        return load_teacher(name, small.classes, torch.device("cpu"), asked)[0].precision

    assert precision("xu-rescnn") == "fp32"
    assert precision(str(large)) == "bf16"
    assert precision(str(large), "fp32") == "fp32"
    assert precision(f"{large}+{large}") == "bf16"
    assert precision(f"{large}+xu-rescnn") == "fp32"
