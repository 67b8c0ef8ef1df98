"""Several networks as one: the mean of their calibrated logits."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

from fercli.core.errors import ModelError
from fercli.models.catalogue import build_model, load_catalogue
from fercli.models.load import load_model
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


def test_an_average_is_the_mean_of_calibrated_logits(pair):
    one, two = (load_model(name).logits(FACES) for name in pair)
    both = load_model("+".join(pair))
    np.testing.assert_allclose(both.logits(FACES), (one / 2.0 + two / 0.5) / 2, atol=1e-6)
    assert (both.name, both.classes) == ("lenet+lenet", ("a", "b", "c"))
    assert [trained["data"] for trained in both.header.trainings] == ["fer2013", "cartoon"]
    np.testing.assert_allclose(load_model("+".join(pair), raw=True).logits(FACES), (one + two) / 2, atol=1e-6)


def test_views_and_networks_are_averaged_in_any_order(pair):
    one, two = (load_model(name, mirrored=True).logits(FACES) for name in pair)
    both = load_model("+".join(pair), mirrored=True)
    np.testing.assert_allclose(both.logits(FACES), (one / 2.0 + two / 0.5) / 2, atol=1e-6)


def test_a_network_averaged_with_itself_is_that_network(pair):
    alone, twice = (load_model(name) for name in (pair[0], f"{pair[0]}+{pair[0]}"))
    np.testing.assert_allclose(twice.probabilities(FACES), alone.probabilities(FACES), atol=1e-6)


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_temperature_of_an_average_is_never_made_up_from_its_members(pair, mirrored):
    both = load_model("+".join(pair), mirrored=mirrored)
    assert both.temperature == 1.0
    assert "no temperature was fitted to this ensemble" in both.remark
    assert (load_model("+".join(pair), raw=True).remark, load_model(pair[0]).remark) == ("", "")


@pytest.mark.parametrize("entry", load_catalogue().ensembles, ids=lambda entry: "+".join(entry.models))
def test_an_average_of_what_ships_has_the_temperature_in_the_catalogue(entry):
    for names in (entry.models, entry.models[::-1]):
        for mirrored, temperature in ((False, entry.temperature.single), (True, entry.temperature.mirrored)):
            model = load_model("+".join(names), mirrored=mirrored)
            assert (model.temperature, model.remark) == (temperature, "")
    assert load_model("+".join(entry.models), raw=True).temperature == 1.0


def test_every_average_of_what_ships_is_in_the_catalogue():
    ships = [name for name, entry in load_catalogue().models.items() if entry.weights]
    groups = [set(names) for count in range(2, len(ships) + 1) for names in combinations(ships, count)]
    assert sorted(map(sorted, groups)) == sorted(sorted(entry.models) for entry in load_catalogue().ensembles)


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
