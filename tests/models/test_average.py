"""Several networks as one: the mean of their calibrated probabilities."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fercli.core.errors import ModelError
from fercli.models.average import trainings
from fercli.models.catalogue import build_model
from fercli.models.loaded import load_model
from fercli.models.weights import Header, save_weights

FACES = np.random.default_rng(0).integers(0, 256, (5, 1, 48, 48), dtype=np.uint8)
HEADER = Header("lenet", "lenet", {}, {}, ("a", "b", "c"), {"single": 2.0, "mirrored": 1.5}, {"data": "fer2013"})


def saved(path: Path, header: Header = HEADER, spread: float = 1.0) -> str:
    """A weights file of a new network, its output layer `spread` times as sure as it starts; its name."""
    network = build_model(header.architecture, classes=len(header.classes))
    with torch.no_grad():
        network.body[-1].weight.mul_(spread)
    save_weights(path, network.state_dict(), header)
    return str(path)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    other = replace(HEADER, temperature={"single": 0.5, "mirrored": 0.7}, training={"data": "cartoon"})
    return saved(tmp_path / "one.safetensors"), saved(tmp_path / "two.safetensors", other)


def test_an_average_is_the_mean_of_calibrated_probabilities(pair):
    mean = np.mean([load_model(name).probabilities(FACES) for name in pair], axis=0)
    both = load_model("+".join(pair))
    np.testing.assert_allclose(both.probabilities(FACES), mean, atol=1e-6)
    assert (both.name, both.classes) == ("lenet+lenet", ("a", "b", "c"))
    assert [trained["data"] for trained in trainings(both.header)] == ["fer2013", "cartoon"]
    raw = np.mean([load_model(name, raw=True).probabilities(FACES) for name in pair], axis=0)
    np.testing.assert_allclose(load_model("+".join(pair), raw=True).probabilities(FACES), raw, atol=1e-6)


def test_a_network_averaged_with_itself_is_that_network_in_any_views(pair):
    for mirrored in (False, True):
        alone, twice = (load_model(name, mirrored=mirrored) for name in (pair[0], f"{pair[0]}+{pair[0]}"))
        np.testing.assert_allclose(twice.probabilities(FACES), alone.probabilities(FACES), atol=1e-6)


def test_members_too_sure_to_be_told_in_float32_stay_finite(tmp_path):
    name = saved(tmp_path / "sure.safetensors", spread=1e4)
    assert np.isfinite(load_model(f"{name}+{name}").logits(FACES)).all()


def test_classes_must_agree(pair, tmp_path):
    other = saved(tmp_path / "other.safetensors", replace(HEADER, classes=("a", "c", "b")))
    with pytest.raises(ModelError, match="only networks of the same classes"):
        load_model(f"{pair[0]}+{other}")


def test_a_member_that_is_not_there_is_named():
    with pytest.raises(ModelError, match="no model 'lenett': did you mean lenet"):
        load_model("xu-rescnn+lenett")
    with pytest.raises(ModelError, match="lacks a name beside a '\\+'"):
        load_model("xu-rescnn+")


def test_a_file_with_a_plus_in_its_name_is_no_average(tmp_path):
    assert load_model(saved(tmp_path / "one+two.safetensors")).name == "lenet"
