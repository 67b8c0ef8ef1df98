"""Folders for model hubs: what is in them, that they are read as models, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from fercli.core.errors import ModelError, RunError, UsageError
from fercli.core.files import file_digest
from fercli.data.cartoon import cartoon
from fercli.models.catalogue import build_model, load_catalogue
from fercli.models.load import load_model
from fercli.models.locate import weights_path
from fercli.models.weights import Header, save_weights
from fercli.workflows.export import hub
from fercli.workflows.export.hub import export_hub_folder

FACES = cartoon(subjects=2).images[:9]
FILES = {"README.md", "config.json", "model.onnx", "model.safetensors"}


def save_lenet(path: Path, **changes: object) -> str:
    """An untrained network of one's own; its path."""
    torch.manual_seed(1)
    entry = load_catalogue()["lenet"]
    about = {
        "temperature": {"single": 1.7, "mirrored": 1.5},
        "training": {"command": "fer train --data mine", "data": "mine"},
        "metrics": {"val": {"single": 0.5, "mirrored": "none"}},
    }
    header = Header(
        "lenet", entry.architecture, entry.arguments, entry.input.model_dump(), entry.classes, **(about | changes)
    )
    save_weights(path, build_model("lenet").state_dict(), header)
    return str(path)


@pytest.fixture(scope="module")
def lenet(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_lenet(tmp_path_factory.mktemp("weights") / "lenet.safetensors")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest network that ships, as a folder."""
    return export_hub_folder("xu-rescnn", tmp_path_factory.mktemp("hub") / "xu").path


def front_matter(folder: Path) -> dict[str, object]:
    front, _ = (folder / "README.md").read_text(encoding="utf-8").removeprefix("---\n").split("\n---\n", 1)
    return yaml.safe_load(front)


def test_the_folder_gives_the_probabilities_of_what_it_was_made_of(shared):
    wanted = load_model("xu-rescnn").probabilities(FACES)
    np.testing.assert_array_equal(load_model(str(shared)).probabilities(FACES), wanted)
    np.testing.assert_allclose(load_model(str(shared / "model.onnx")).probabilities(FACES), wanted, atol=1e-4)
    assert file_digest(weights_path(str(shared))) == file_digest(weights_path("xu-rescnn"))


def test_a_folder_can_be_made_of_a_folder(shared, tmp_path):
    again = export_hub_folder(str(shared), tmp_path / "again").path
    assert (again / "model.safetensors").read_bytes() == (shared / "model.safetensors").read_bytes()


def test_the_settings_say_what_a_program_needs(shared):
    assert {path.name for path in shared.iterdir()} == {*FILES, "LICENSE"}
    config = json.loads((shared / "config.json").read_text(encoding="utf-8"))
    model = load_model("xu-rescnn")
    assert (config["model"], tuple(config["classes"])) == ("xu-rescnn", model.classes)
    assert config["input"]["size"] == [48, 48]
    assert config["normalisation"] == {"name": "unit", "scale": "1/255"}
    assert config["temperature"] == model.header.temperature
    assert config["parameters"] == load_catalogue()["xu-rescnn"].parameters.total
    assert config["sha256"] == {name: file_digest(shared / name) for name in ("model.safetensors", "model.onnx")}


def test_the_card_has_what_hubs_read(shared):
    front = front_matter(shared)
    assert (front["license"], front["pipeline_tag"], front["metrics"]) == ("mit", "image-classification", ["accuracy"])
    (result, _) = front["model-index"][0]["results"]
    assert result["dataset"] == {"name": "fer2013", "type": "fer2013", "split": "val"}
    assert result["metrics"][0]["value"] == pytest.approx(0.6562, abs=1e-4)
    card = (shared / "README.md").read_text(encoding="utf-8")
    assert load_catalogue()["xu-rescnn"].licence.statement in card
    assert "for research, not to be passed on" in card
    assert "MIT License" in (shared / "LICENSE").read_text(encoding="utf-8")


def test_weights_of_one_s_own_have_no_licence_until_their_owner_states_one(lenet, tmp_path):
    folder = export_hub_folder(lenet, tmp_path / "own")
    assert folder.licence is None
    assert {path.name for path in folder.path.iterdir()} == FILES
    front = front_matter(folder.path)
    assert front["license"] == "unknown"
    (result,) = front["model-index"][0]["results"]  # what is no number is left out
    assert result["metrics"][0]["value"] == 0.5
    assert "Those who trained the network state it here" in (folder.path / "README.md").read_text(encoding="utf-8")


def test_the_card_says_how_many_faces_are_behind_a_figure(tmp_path):
    training = {"faces": {"val": 4, "test": "many"}, "start": {"model": "xu-rescnn"}, "data": "mine"}
    path = save_lenet(tmp_path / "own.safetensors", training=training, metrics={"val": {"single": 0.5}})
    folder = export_hub_folder(path, tmp_path / "own").path
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "| mine | val | 4 | single view | 50.00 % | 15.0 to 85.0 |" in card
    assert "started from the network xu-rescnn" in card


def test_names_from_a_stranger_s_file_stay_in_their_lines(tmp_path):
    training = {"command": "fer train\n```\n# gone", "data": "a|b\n---"}
    path = save_lenet(tmp_path / "odd.safetensors", training=training, metrics={"v\n|": {"single": 0.25}, "x": 3})
    folder = export_hub_folder(path, tmp_path / "odd").path
    assert front_matter(folder)["model-index"][0]["results"][0]["dataset"]["split"] == "v\ufffd/"
    lines = (folder / "README.md").read_text(encoding="utf-8").splitlines()
    assert "# gone" not in lines
    assert lines.count("---") == 2
    assert lines.count("```") == 4 + 1  # one opens the block of Python with its language


def test_what_does_not_go_together_is_refused(lenet, tmp_path):
    folder = tmp_path / "hub"
    for flag, option in (("--format", {"form": "onnx"}), ("--output", {"output": Path("x.onnx")})):
        with pytest.raises(UsageError, match=f"leave {flag} out"):
            export_hub_folder(lenet, folder, **option)
    with pytest.raises(UsageError, match="leave --with-detector out"):
        export_hub_folder(lenet, folder, with_detector=True)
    with pytest.raises(ModelError, match="an ensemble has no weights file of its own"):
        export_hub_folder("vgg14+vgg14-wide", folder)
    with pytest.raises(ModelError, match="fer train --model bah-basic"):
        export_hub_folder("bah-basic", folder)
    assert not list(tmp_path.iterdir())


def test_an_exported_file_is_refused(shared, tmp_path):
    with pytest.raises(ModelError, match="is an exported file"):
        export_hub_folder(str(shared / "model.onnx"), tmp_path / "hub")


def test_a_folder_that_exists_is_replaced_only_when_forced_and_its_other_files_stay(lenet, tmp_path):
    folder = tmp_path / "hub"
    (folder / ".git").mkdir(parents=True)
    (folder / "README.md").write_text("mine")
    with pytest.raises(UsageError, match="exists already: --force replaces it, or choose another folder"):
        export_hub_folder(lenet, folder)
    assert (folder / "README.md").read_text() == "mine"
    export_hub_folder(lenet, folder, force=True)
    assert {path.name for path in folder.iterdir()} == {*FILES, ".git"}
    assert [path.name for path in tmp_path.iterdir()] == ["hub"]
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot write"):
        export_hub_folder(lenet, tmp_path / "file", force=True)


@pytest.mark.parametrize("force", [False, True])
def test_what_fails_leaves_nothing_behind(lenet, tmp_path, monkeypatch, force):
    folder = tmp_path / "hub"
    if force:
        export_hub_folder(lenet, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()} if force else {}
    monkeypatch.setattr(hub, "write_card", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export_hub_folder(lenet, folder, force=force)
    assert [path.name for path in tmp_path.iterdir()] == (["hub"] if force else [])
    assert not force or {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_file_that_differs_from_pytorch_is_not_shared(lenet, tmp_path, monkeypatch):
    runner = hub.file_runner

    def off(path, float_input):
        run = runner(path, float_input)
        return lambda faces: tuple(value + 1e-3 for value in run(faces))

    monkeypatch.setattr(hub, "file_runner", off)
    with pytest.raises(ModelError, match=r"probabilities differ from PyTorch's by up to 0\.001.*was not written"):
        export_hub_folder(lenet, tmp_path / "hub")
    assert not list(tmp_path.iterdir())


def test_a_folder_without_its_weights_is_no_unfinished_run(shared, tmp_path):
    (tmp_path / "config.json").write_bytes((shared / "config.json").read_bytes())
    with pytest.raises(ModelError, match=r"has config\.json and no model\.safetensors: download all files"):
        weights_path(str(tmp_path))
    (tmp_path / "config.json").unlink()
    with pytest.raises(ModelError, match="is a folder, but no run"):
        weights_path(str(tmp_path))
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.example/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(ModelError, match="git lfs pull fetches them"):
        load_model(str(tmp_path))
