"""Learning from a teacher: its weight in the targets, and what comes of it."""

import pytest
import torch
from torch import nn

from fercli.core.progress import SILENT
from fercli.core.recipe import Recipe
from fercli.models.classifier import Classifier
from fercli.training.distillation import Teacher, distillation_targets
from fercli.training.loop import Faces, fit
from fercli.training.state import TrainingState

RECIPE = Recipe.model_validate(
    {"epochs": 4, "batch_size": 16, "optimizer": {"name": "adamw", "lr": 0.01}, "augment": {"shift": 0.1}}
)


def test_the_teacher_has_its_weight_beside_a_label_and_beside_targets():
    opinion = torch.tensor([[0.2, 0.8], [0.5, 0.5]])
    labels = torch.tensor([0, 1])
    assert distillation_targets(labels, opinion, 0.25).tolist() == [
        pytest.approx([0.8, 0.2]),
        pytest.approx([0.125, 0.875]),
    ]
    assert distillation_targets(labels, opinion, 1.0).tolist() == [pytest.approx(row) for row in opinion.tolist()]
    targets = torch.tensor([[0.5, 0.5], [0.0, 1.0]])
    assert distillation_targets(targets, opinion, 0.5).tolist() == [
        pytest.approx([0.35, 0.65]),
        pytest.approx([0.25, 0.75]),
    ]


class Contrary(nn.Module):
    """Says of a face darker above than below what others say of one that is lighter there."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        pixels = self.norm(faces.float() / 255)
        lighter = pixels[:, :, :24].mean(dim=(1, 2, 3)) - pixels[:, :, 24:].mean(dim=(1, 2, 3))
        return torch.stack([lighter, -lighter], dim=1) * 20


def halves(count: int, seed: int) -> Faces:
    """Faces lighter above (label 1) or below (label 0)."""
    draws = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 2, (count,), generator=draws)
    images = torch.randint(0, 100, (count, 1, 48, 48), generator=draws)
    images[:, :, :24] += 100 * labels.view(-1, 1, 1, 1)
    images[:, :, 24:] += 100 * (1 - labels.view(-1, 1, 1, 1))
    return Faces(images.to(torch.uint8), labels)


def accuracy(weight: float | None) -> float:
    """After training beside the contrary teacher with that weight, or alone."""
    torch.manual_seed(3)
    body = nn.Sequential(
        nn.Conv2d(1, 4, 5, stride=3), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(64, 2)
    )
    recipe = RECIPE if weight is None else RECIPE.model_copy(update={"distillation_weight": weight})
    state = TrainingState(Classifier(body, "unit"), recipe, 80, 2)
    teacher = None if weight is None else Teacher(Contrary(), 1.0)
    before = teacher and {name: value.clone() for name, value in teacher.state_dict().items()}
    rows = fit(
        state, halves(80, 0), halves(40, 1),
        seed=0, precision="fp32", compile_network=False, progress=SILENT, teacher=teacher,
    )  # fmt: skip
    last = [row.val_accuracy for row in rows][-1]
    if teacher and before:  # asked, never trained
        assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())
        assert not any(parameter.requires_grad or parameter.grad is not None for parameter in teacher.parameters())
    return last


def test_a_pupil_says_what_its_teacher_says():
    assert accuracy(None) > 0.95
    assert accuracy(0.2) > 0.95
    assert accuracy(1.0) < 0.05


def test_a_teacher_answers_in_a_precision_of_its_own():
    network = nn.Sequential(nn.Flatten(), nn.Linear(48 * 48, 3))
    faces = halves(20, 2).images
    exact, rounded = (Teacher(network, 1.0, precision)(faces.float()) for precision in ("fp32", "bf16"))
    assert torch.equal(exact, torch.softmax(network(faces.float()), dim=1))
    assert rounded.dtype == torch.float32
    assert not torch.equal(exact, rounded)
