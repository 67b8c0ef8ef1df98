"""What every network of the catalogue must pass: one function a promise, each for every entry."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from fercli.core.progress import SILENT
from fercli.core.recipe import Recipe
from fercli.data.cartoon import cartoon
from fercli.models.catalogue import build_model, load_catalogue
from fercli.models.classifier import logits
from fercli.models.load import load_model
from fercli.models.weights import Header, save_weights
from fercli.training.device import seed_everything
from fercli.training.loop import Faces, fit
from fercli.training.state import TrainingState
from fercli.workflows.export.run import export

#: Networks whose files and gradients alone take many seconds; li-resnet50 is of the kind of the other two.
LARGE = ("li-resnet50", "li-resnet101", "chen-resnet-mlp")
CATALOGUE = load_catalogue()
#: Seven faces: one of each expression, of one person.
FEW = cartoon(subjects=1, each=1)
RECIPE = Recipe.model_validate(
    {"epochs": 2, "batch_size": 4, "optimizer": {"name": "adamw", "lr": 1e-3}, "augment": {"flip": True, "shift": 0.1}}
)

every_network = pytest.mark.parametrize("name", CATALOGUE.models)
every_network_large_ones_apart = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in CATALOGUE.models]
)


@every_network
def test_it_has_the_parameters_and_costs_that_its_entry_states(name):
    entry, network = CATALOGUE[name], build_model(name)
    trainable = sum(value.numel() for value in network.parameters())
    statistics = sum(value.numel() for key, value in network.named_buffers() if "running" in key)
    assert (trainable, trainable + statistics) == (entry.parameters.trainable, entry.parameters.total)
    with FlopCounterMode(display=False) as counter:
        out = logits(network, torch.zeros(1, 1, 48, 48, dtype=torch.uint8))
    assert out.shape == (1, len(entry.classes))
    assert entry.multiply_adds == counter.get_total_flops() // 2


@every_network
def test_uint8_and_float_faces_of_the_same_values_give_the_same(name):
    network = build_model(name).eval()
    faces = torch.randint(0, 256, (2, 1, 48, 48), dtype=torch.uint8)
    with torch.inference_mode():
        assert torch.equal(network(faces), network(faces.float()))


@every_network
def test_its_output_has_as_many_classes_as_the_data(name):
    assert logits(build_model(name, classes=3), torch.zeros(2, 1, 48, 48)).shape == (2, 3)


def train_from_seed(name: str, checkpoint: Path | None = None) -> Iterator[TrainingState]:
    """A training from a seed, given out before the first epoch and after each; from a checkpoint where one is named."""
    seed_everything(5)
    network = build_model(name)
    state = TrainingState(network, RECIPE, len(FEW), len(FEW.classes))
    if checkpoint:
        state.load(checkpoint)
    yield state
    faces = Faces(torch.from_numpy(FEW.images), torch.from_numpy(FEW.labels))
    for _ in fit(state, faces, faces, seed=5, precision="fp32", compile_network=False, progress=SILENT):
        yield state


@every_network_large_ones_apart
def test_it_learns_repeats_and_resumes_to_the_same_weights(name, tmp_path):
    trained = train_from_seed(name)
    state = next(trained)
    before = {key: value.clone() for key, value in state.network.named_parameters()}
    next(trained).save(tmp_path / "last.ckpt")
    *_, state = trained
    unmoved = [key for key, value in state.network.named_parameters() if torch.equal(value, before[key])]
    assert not unmoved, "these layers get no gradient"
    assert all(np.isfinite(row.train_loss) for row in state.history)
    *_, resumed = train_from_seed(name, tmp_path / "last.ckpt")
    assert len(resumed.history) == 2
    weights = resumed.network.state_dict()
    assert all(torch.equal(weights[key], value) for key, value in state.network.state_dict().items())


@every_network_large_ones_apart
def test_saved_loaded_and_exported_it_says_the_same(name, tmp_path):
    torch.manual_seed(1)
    entry, network = CATALOGUE[name], build_model(name)
    header = Header(
        name, entry.architecture, entry.arguments, entry.input.model_dump(), entry.classes,
        {"single": 1.25, "mirrored": 1.5}, {"data": "fer2013"},
    )  # fmt: skip
    weights = tmp_path / "net.safetensors"
    save_weights(weights, network.state_dict(), header)
    model = load_model(str(weights))
    assert not model.network.training
    with torch.inference_mode():
        assert torch.equal(torch.from_numpy(model.logits(FEW.images)), logits(network, torch.from_numpy(FEW.images)))
    together = model.probabilities(FEW.images)
    alone = np.concatenate([model.probabilities(FEW.images[index : index + 1]) for index in range(len(FEW))])
    np.testing.assert_allclose(together, alone, atol=1e-4)

    done = export(str(weights), "onnx", tmp_path / "net.onnx", seconds=0)
    assert done.check.largest_difference <= 1e-4
    for sizes in done.check.differences.values():
        assert list(sizes) == [1, 2, 7, 64]
    exported = load_model(str(done.path), mirrored=True)
    expected = replace(model, mirrored=True).probabilities(FEW.images)
    np.testing.assert_allclose(exported.probabilities(FEW.images), expected, atol=1e-4)
    assert exported.header == model.header
