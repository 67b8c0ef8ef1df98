"""Frozen layers: neither their weights nor their norms' statistics move."""

import pytest
import torch
from torch import nn

from fercli.core.errors import UsageError
from fercli.core.progress import SILENT
from fercli.core.recipe import Recipe
from fercli.models.classifier import Classifier
from fercli.training.loop import Faces, fit
from fercli.training.state import TrainingState


def small() -> Classifier:
    torch.manual_seed(0)
    stem = nn.Sequential(nn.Conv2d(1, 4, 5, stride=4), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5))
    head = nn.Sequential(nn.Flatten(), nn.Linear(4 * 11 * 11, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
    return Classifier(nn.Sequential(stem, head), "unit")


def recipe(**changes: object) -> Recipe:
    plain = {"epochs": 2, "batch_size": 8, "optimizer": {"name": "sgd", "lr": 0.1}, "pretrained": "imagenet"}
    return Recipe.model_validate({**plain, **changes})


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_frozen_layers_stay_and_the_others_move(average):
    draws = torch.Generator().manual_seed(1)
    faces = Faces(torch.randint(0, 256, (32, 1, 48, 48), dtype=torch.uint8, generator=draws), torch.arange(32) % 2)
    network = small()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = TrainingState(network, recipe(frozen=["0"], ema_decay=average), 32, 2)
    modes: set[tuple[bool, bool]] = set()
    network.body[0][3].register_forward_hook(lambda layer, *_: modes.add((network.body[1].training, layer.training)))
    for _ in fit(state, faces, faces, seed=0, precision="fp32", compile_network=False, progress=SILENT):
        pass
    assert (True, False) in modes
    assert (True, True) not in modes, "dropout of a frozen layer was on"
    for kept in (network.state_dict(), state.best):
        for name, value in kept.items():
            moved = not torch.equal(value, before[name])
            assert moved == (name.startswith("body.1")), name


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_frozen_norms_keep_their_statistics_and_train_their_scales(average):
    faces = Faces(torch.randint(0, 256, (32, 1, 48, 48), dtype=torch.uint8), torch.arange(32) % 2)
    network = small()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = TrainingState(network, recipe(freeze_batchnorm=True, ema_decay=average), 32, 2)
    for _ in fit(state, faces, faces, seed=0, precision="fp32", compile_network=False, progress=SILENT):
        pass
    for kept in (network.state_dict(), state.best):
        for name, value in kept.items():
            statistic = name.endswith(("running_mean", "running_var", "num_batches_tracked"))
            assert torch.equal(value, before[name]) == statistic, name


def test_a_layer_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(UsageError, match=r"no layer 'layer4'; it begins with 0, 1"):
        TrainingState(small(), recipe(frozen=["layer4"]), 32, 2)


def test_something_is_left_to_train():
    with pytest.raises(UsageError, match=r"no layer is left to train"):
        TrainingState(small(), recipe(frozen=["0", "1"]), 32, 2)


def test_layers_drawn_at_random_are_not_frozen():
    with pytest.raises(ValueError, match="drawn at random must not be frozen"):
        recipe(frozen=["0"], pretrained="none")
    with pytest.raises(ValueError, match="starts at random has no statistics to keep"):
        recipe(freeze_batchnorm=True, pretrained="none")
