import importlib.util
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from fercli.core.errors import MachineError, ModelError
from fercli.models.catalogue import build_model, load_catalogue
from fercli.models.classifier import Classifier
from fercli.models.ensemble import Ensemble
from fercli.models.explain import Explainer
from fercli.models.load import Model
from fercli.models.onnx_file import OnnxNetwork
from fercli.models.weights import Header, ensemble_header

#: Places a side of the maps that each network is explained by.
MAP_SIDES = {
    "xu-rescnn": 6,
    "xu-rescnn-54895": 6,
    "bah-resnet": 3,
    "bah-basic": 3,
    "simple-cnn": 3,
    "simpler-cnn": 3,
    "mini-xception": 3,
    "lenet": 9,
    "li-resnet50": 3,
    "li-resnet101": 3,
    "chen-resnet-mlp": 3,
    "preact-resnet10": 3,
    "preact-resnet18": 3,
    "vgg14": 3,
    "vgg14-wide": 3,
}


def model(network, classes=7, **options):
    names = tuple(map(str, range(classes)))
    header = Header("a", "a", {}, {}, names, {"single": 1.0, "mirrored": 1.0}, {})
    return Model(network.eval(), header, torch.device("cpu"), Path("a"), **options)


def bright_places(sign=1.0):
    """Class 1 is the brightness of all 6 × 6 cells together, or its opposite; class 0 is never chosen."""
    linear = nn.Linear(36, 2)
    nn.init.zeros_(linear.weight)
    nn.init.constant_(linear.weight[1], sign)
    return Classifier(nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), linear), "unit")


def corner():
    """A face that is bright in its upper right corner and black elsewhere."""
    face = np.zeros((1, 1, 48, 48), np.uint8)
    face[:, :, :8, 40:] = 200
    return face


def test_every_network_of_the_catalogue_is_in_the_table():
    assert set(MAP_SIDES) == set(load_catalogue().models)


@pytest.mark.parametrize("name", MAP_SIDES)
def test_every_network_can_be_explained(name):
    torch.manual_seed(0)
    network = build_model(name)
    explainer = Explainer(model(network, mirrored=True))
    assert explainer.map_sides == (MAP_SIDES[name],)
    faces = np.random.default_rng(0).integers(0, 256, (2, 1, 48, 48), dtype=np.uint8)
    heat = explainer.heat(faces, np.array([3, 5]))
    assert heat.shape == (2, 48, 48)
    assert heat.dtype == np.float32
    assert heat.min() >= 0
    assert set(heat.max(axis=(1, 2)).round(5)) <= {0.0, 1.0}
    # the network itself is as it was: another thread may be using it
    assert all(value.requires_grad for value in network.parameters())
    assert not any(part._forward_hooks for part in network.modules())


def test_heat_is_where_what_counts_is():
    (heat,) = Explainer(model(bright_places(), 2)).heat(corner(), np.array([1]))
    assert heat[:8, 40:].mean() > 0.5
    assert heat[24:].max() < 0.01
    assert heat[:, :24].max() < 0.01


def test_what_speaks_against_is_not_shown():
    assert not Explainer(model(bright_places(-1.0), 2)).heat(corner(), np.array([1])).any()


def test_each_face_is_explained_for_its_own_class_however_many_there_are():
    faces = np.concatenate([corner(), corner()[..., ::-1]] * 40)
    classes = np.arange(80) % 3 % 2
    torch.manual_seed(1)
    explainer = Explainer(model(build_model("mini-xception")))
    whole = explainer.heat(faces, classes)
    for face in (0, 1, 2, 79):
        alone = explainer.heat(faces[face : face + 1], classes[face : face + 1])
        assert np.allclose(whole[face], alone[0], atol=1e-4)


def test_a_mirrored_model_looks_at_both_views():
    torch.manual_seed(2)
    network = build_model("xu-rescnn")
    face = np.random.default_rng(1).integers(0, 256, (1, 1, 48, 48), dtype=np.uint8)
    explainer, target = Explainer(model(network, mirrored=True)), np.array([3])
    there, back = explainer.heat(face, target), explainer.heat(face[..., ::-1], target)[..., ::-1]
    assert np.allclose(there, back, atol=1e-4)
    assert not np.allclose(there, Explainer(model(network)).heat(face, target), atol=0.05)


def test_an_average_is_the_mean_of_its_members_maps():
    left, right = bright_places(), bright_places()
    right.body[0] = nn.Sequential(nn.AvgPool2d(8), Mirror())
    single = model(left, 2)
    both = model(Ensemble([left, right], [1.0, 1.0]), 2)
    assert ensemble_header([single.header, single.header]).classes == both.header.classes
    explainer = Explainer(both)
    assert explainer.map_sides == (6,)
    (heat,) = explainer.heat(corner(), np.array([1]))
    assert heat[:8, 40:].mean() > 0.5
    assert heat[:8, :8].mean() > 0.5
    assert heat[24:].max() < 0.01


class Mirror(nn.Module):
    def forward(self, maps):
        return maps.flip(3)


class Session:
    """Like one of ONNX Runtime it cannot be copied."""

    get_inputs = staticmethod(lambda: [SimpleNamespace(type="tensor(uint8)")])

    def __init__(self):
        self.lock = threading.Lock()


def test_what_cannot_be_explained_says_why(monkeypatch):
    exported = OnnxNetwork(Session(), Path("net.onnx"), 2)
    for network in (exported, Ensemble([bright_places(), exported], [1.0, 1.0])):
        with pytest.raises(ModelError, match=r"cannot be explained.* ONNX .*name the run folder"):
            Explainer(model(network, 2))
    flat = Classifier(nn.Sequential(nn.Flatten(), nn.Linear(48 * 48, 2)), "unit")
    with pytest.raises(ModelError, match="no map of 3 × 3 cells"):
        Explainer(model(flat, 2))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MachineError, match="pip install captum"):
        Explainer(model(bright_places(), 2))
