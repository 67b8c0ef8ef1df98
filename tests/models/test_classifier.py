"""The network behind its scaling: label smoothing is undone in what it says, and not while it learns."""

import json

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fercli.core.errors import ModelError
from fercli.models.classifier import Classifier, undo_smoothing
from fercli.models.load import load_model
from fercli.models.weights import Header, dump_header, parse_header, read_header, read_weights, save_weights


class Constant(nn.Module):
    """Logits that do not depend on the face."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(logits)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(len(pixels), -1)


def test_what_smoothed_labels_teach_is_the_labels_own_probabilities_again():
    labels = torch.tensor([0] * 70 + [1] * 20 + [2] * 10)
    network = Classifier(Constant(torch.zeros(3)), "unit", label_smoothing=0.2)
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    faces = torch.zeros(len(labels), 1, 48, 48)
    for _ in range(500):
        optimizer.zero_grad()
        F.cross_entropy(network.train()(faces), labels, label_smoothing=0.2).backward()
        optimizer.step()
    smoothed = network.train()(faces)[0].softmax(0)
    assert smoothed.tolist() == pytest.approx([0.8 * p + 0.2 / 3 for p in (0.7, 0.2, 0.1)], abs=1e-3)
    assert network.eval()(faces)[0].softmax(0).tolist() == pytest.approx([0.7, 0.2, 0.1], abs=1e-3)


def test_the_order_of_classes_stays_and_every_logit_is_finite():
    logits = 8 * torch.randn(200, 7, generator=torch.Generator().manual_seed(0))
    undone = undo_smoothing(logits, 0.1)
    assert torch.isfinite(undone).all()
    assert torch.equal(undone.argmax(1), logits.argmax(1))
    assert bool((undone.max(1).values.exp() >= logits.softmax(1).max(1).values).all()), "never less sure"


def test_a_weights_file_says_what_is_undone_and_older_ones_say_nothing(tmp_path):
    shipped = load_model("xu-rescnn")
    assert "label_smoothing" not in dump_header(shipped.header)
    header = Header(**{**shipped.header.__dict__, "label_smoothing": 0.1})
    path = tmp_path / "smoothed.safetensors"
    save_weights(path, read_weights(shipped.path), header)
    assert read_header(path).label_smoothing == 0.1
    faces = np.random.default_rng(0).integers(0, 256, (8, 1, 48, 48), dtype=np.uint8)
    expected = undo_smoothing(torch.from_numpy(shipped.logits(faces)), 0.1)
    assert np.allclose(load_model(str(path)).logits(faces), expected, atol=1e-5)


@pytest.mark.parametrize("value", [-0.1, 1.0, "much"])
def test_a_smoothing_that_cannot_be_is_refused(value, tmp_path):
    text = dump_header(load_model("xu-rescnn").header)
    text = json.dumps({**json.loads(text), "label_smoothing": value})
    with pytest.raises(ModelError, match="label_smoothing"):
        parse_header({"fercli": text}, tmp_path / "x.safetensors")
