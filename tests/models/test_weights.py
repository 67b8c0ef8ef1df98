"""Weights files and the names that lead to them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from fercli.core.errors import ModelError
from fercli.models.catalogue import build_model, load_catalogue
from fercli.models.load import load_model
from fercli.models.weights import Header, read_header, save_weights

HEADER = Header("xu-rescnn", "xu-rescnn", {}, {"scaling": "unit"}, ("a", "b", "c"), {"single": 2.0, "mirrored": 4.0})
FACES = np.random.default_rng(0).integers(0, 256, (5, 1, 48, 48), dtype=np.uint8)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A weights file of an untrained network with three classes."""
    path = tmp_path / "net.safetensors"
    save_weights(path, build_model("xu-rescnn", classes=3).state_dict(), HEADER)
    return path


def test_a_network_comes_back_as_it_was_saved(saved):
    network = build_model("xu-rescnn", classes=3).eval()
    save_weights(saved, network.state_dict(), HEADER)
    loaded = load_model(str(saved))
    assert loaded.header == HEADER
    with torch.inference_mode():
        assert np.array_equal(loaded.logits(FACES), network(torch.from_numpy(FACES)).numpy())


def test_probabilities_use_the_temperature_of_the_views_in_use(saved):
    single, mirrored, raw = (
        load_model(str(saved), **views) for views in ({}, {"mirrored": True}, {"raw": True, "mirrored": True})
    )
    assert (single.temperature, mirrored.temperature, raw.temperature) == (2.0, 4.0, 1.0)
    expected = torch.softmax(torch.from_numpy(mirrored.logits(FACES)) / 4, 1).numpy()
    assert np.allclose(mirrored.probabilities(FACES), expected, atol=1e-6)
    assert np.allclose(raw.probabilities(FACES).sum(1), 1)


def test_no_faces_give_no_rows(saved):
    assert load_model(str(saved)).probabilities(FACES[:0]).shape == (0, 3)


def test_tensors_give_what_arrays_give(saved):
    model = load_model(str(saved), mirrored=True)
    tensor = torch.from_numpy(FACES)
    assert np.array_equal(model.probabilities(tensor), model.probabilities(FACES))
    assert np.array_equal(model.logits(tensor[::2]), model.logits(FACES[::2]))
    assert model.probabilities(tensor[:0]).shape == (0, 3)


@pytest.mark.parametrize("as_given", [np.asarray, torch.from_numpy])
@pytest.mark.parametrize(
    ("faces", "told"),
    [
        (FACES.astype(np.float32), r"float32 \(5, 1, 48, 48\), not uint8 \(N, 1, 48, 48\)$"),
        (FACES[:, 0], r"uint8 \(5, 48, 48\), not uint8"),
    ],
)
def test_faces_of_another_kind_are_refused(saved, faces, told, as_given):
    with pytest.raises(ValueError, match=told):
        load_model(str(saved)).logits(as_given(faces))


def test_a_name_without_weights_says_how_to_make_some():
    with pytest.raises(ModelError, match="fer train --model bah-basic"):
        load_model("bah-basic")


def test_a_wrong_name_suggests_the_nearest():
    with pytest.raises(ModelError, match=r"no model 'xu-resnet': did you mean .*xu-rescnn"):
        load_model("xu-resnet")


def test_a_run_without_weights_says_how_to_finish_it(tmp_path):
    with pytest.raises(ModelError, match=r"no run: it has neither model\.safetensors nor config\.yaml"):
        load_model(str(tmp_path))
    (tmp_path / "config.yaml").touch()
    with pytest.raises(ModelError, match="fer train --resume --out"):
        load_model(str(tmp_path))


def test_last_is_the_newest_run(tmp_path, saved):
    with pytest.raises(ModelError, match="no finished run"):
        load_model("last", runs=tmp_path / "runs")
    folder = tmp_path / "runs" / "one"
    folder.mkdir(parents=True)
    saved.rename(folder / "model.safetensors")
    with pytest.raises(ModelError, match="no finished run"):
        load_model("last", runs=tmp_path / "runs")
    (folder / "metrics.json").write_text("{}")
    assert load_model("last", runs=tmp_path / "runs").path == folder / "model.safetensors"


def test_a_file_that_is_none_is_one_error(tmp_path):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(b"not a weights file")
    with pytest.raises(ModelError, match=r"cannot read .* as a weights file"):
        load_model(str(path))


def test_another_program_s_file_is_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(ModelError, match="holds no fercli header"):
        read_header(path)


def test_a_newer_format_asks_for_an_update(tmp_path):
    path = tmp_path / "newer.safetensors"
    safetensors.torch.save_file({"x": torch.zeros(1)}, path, metadata={"fercli": json.dumps({"format": 99})})
    with pytest.raises(ModelError, match="newer fercli"):
        read_header(path)


@pytest.mark.parametrize("classes", [("a", "b", "a"), ("a", 3)])
def test_class_names_that_stand_twice_or_are_no_text_are_refused(saved, classes):
    save_weights(saved, build_model("xu-rescnn", classes=len(classes)).state_dict(), replace(HEADER, classes=classes))
    with pytest.raises(ModelError, match=r"the header of .* is damaged: its class names are"):
        load_model(str(saved))


def test_weights_of_another_shape_do_not_fit(saved):
    save_weights(saved, build_model("xu-rescnn", classes=3).state_dict(), replace(HEADER, classes=("a", "b")))
    with pytest.raises(ModelError, match="do not fit xu-rescnn"):
        load_model(str(saved))


def test_a_catalogue_can_be_named(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_CATALOGUE", str(tmp_path / "none.yaml"))
    with pytest.raises(ModelError, match="cannot read the catalogue"):
        load_catalogue()
    (tmp_path / "none.yaml").write_text("version: [1")
    with pytest.raises(ModelError, match="is not valid YAML"):
        load_catalogue()


def test_an_unknown_architecture_is_named_with_those_there_are(tmp_path):
    text = Path(__file__).parents[2].joinpath("models.yaml").read_text(encoding="utf-8")
    path = tmp_path / "models.yaml"
    path.write_text(text.replace("architecture: bah", "architecture: bahh"), encoding="utf-8")
    with pytest.raises(ModelError, match=r"models.bah-resnet.architecture: no 'bahh', there is .*bah, .*xu-rescnn"):
        load_catalogue(path)
    path.write_text(text.replace("{residual: true}", "{residul: true}"), encoding="utf-8")
    with pytest.raises(ModelError, match=r"models.bah-resnet.arguments: .*residual"):
        load_catalogue(path)


def test_the_catalogue_states_what_the_shipped_weights_measured():
    for name, entry in load_catalogue().models.items():
        if entry.weights:
            header = load_model(name).header
            assert (header.model, header.classes) == (name, entry.classes)
            for result in entry.results:
                views = "single" if result.views == "single" else "mirrored"
                assert result.accuracy == round(100 * header.metrics[result.split][views], 2)
                assert result.epochs == header.training["epochs"]
