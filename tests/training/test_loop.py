"""The loop: that it learns, keeps what its rule says, and resumes where it was interrupted."""

import sys

import pytest
import torch
from torch import nn

from fercli.core.errors import RunError
from fercli.core.progress import SILENT
from fercli.core.recipe import Recipe
from fercli.models.classifier import Classifier
from fercli.training import loop
from fercli.training.loop import Faces, fit
from fercli.training.state import TrainingState

RECIPE = Recipe.model_validate(
    {
        "epochs": 4,
        "batch_size": 16,
        "optimizer": {"name": "adamw", "lr": 0.01},
        "schedule": {"name": "one-cycle", "warmup": 0.2},
        "augment": {"flip": True, "shift": 0.1},
        "ema_decay": 0.9,
        "mixup": 0.2,
    }
)


def stripes(count: int, seed: int) -> Faces:
    """Faces of two kinds that a line of code tells apart: stripes lying or standing, in noise."""
    draws = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 2, (count,), generator=draws)
    wave = (torch.arange(48) // 4 % 2 * 100).float()
    images = torch.where(labels.view(-1, 1, 1, 1) == 0, wave.view(1, 1, 1, 48), wave.view(1, 1, 48, 1))
    images = images.expand(count, 1, 48, 48) + torch.randint(0, 100, (count, 1, 48, 48), generator=draws)
    return Faces(images.to(torch.uint8), labels)


def network() -> Classifier:
    """A small network with norm and dropout, the two layers that carry state and chance."""
    torch.manual_seed(5)
    body = nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.2), nn.AdaptiveAvgPool2d(4),
        nn.Flatten(), nn.Linear(128, 2),
    )  # fmt: skip
    return Classifier(body, "unit")


TRAIN, VAL = stripes(70, 0), stripes(40, 1)


def run(state: TrainingState, epochs: int | None = None, seed: int = 0) -> TrainingState:
    """Train to the end, or break off after some epochs."""
    settings = {"seed": seed, "precision": "fp32", "compile_network": False, "progress": SILENT}
    for row in fit(state, TRAIN, VAL, **settings):
        if row.epoch == epochs:
            break
    return state


def fresh(recipe: Recipe = RECIPE) -> TrainingState:
    return TrainingState(network(), recipe, len(TRAIN), 2)


def test_it_learns():
    state = run(fresh(RECIPE.model_copy(update={"epochs": 12})))
    assert max(row.val_accuracy for row in state.history) == 1.0
    assert state.history[-1].train_loss < state.history[0].train_loss


def test_broken_off_and_continued_ends_as_if_it_had_not_been(tmp_path):
    whole = run(fresh())
    run(fresh(), epochs=2).save(tmp_path / "last.ckpt")
    resumed = fresh()
    resumed.load(tmp_path / "last.ckpt")
    assert resumed.epoch == 2
    run(resumed)
    assert [row.train_loss for row in resumed.history] == [row.train_loss for row in whole.history]
    assert [row.val_loss for row in resumed.history] == [row.val_loss for row in whole.history]
    assert resumed.best_epoch == whole.best_epoch
    assert all(torch.equal(resumed.best[name], value) for name, value in whole.best.items())


def test_the_same_seed_repeats_and_another_does_not():
    first, again, other = run(fresh()), run(fresh()), run(fresh(), seed=1)
    assert [row.train_loss for row in first.history] == [row.train_loss for row in again.history]
    assert first.history[0].train_loss != other.history[0].train_loss


def test_a_damaged_checkpoint_is_one_error(tmp_path):
    path = tmp_path / "last.ckpt"
    run(fresh(), epochs=1).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(RunError, match="cannot resume from"):
        fresh().load(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file")
def test_a_full_disk_leaves_the_checkpoint_of_before(tmp_path):
    import resource

    path = tmp_path / "last.ckpt"
    run(fresh(), epochs=1).save(path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(RunError, match="cannot write"):
            run(fresh(), epochs=2).save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]
    assert path.read_bytes() == before


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("ran",))

    torch.save({"network": Evil()}, tmp_path / "last.ckpt")
    with pytest.raises(RunError, match="cannot resume from"):
        fresh().load(tmp_path / "last.ckpt")


@pytest.mark.parametrize(
    ("metric", "column", "pick"),
    [("accuracy", "val_accuracy", max), ("loss", "val_loss", min), ("last", "epoch", max)],
)
def test_the_kept_epoch_follows_the_rule(metric, column, pick):
    state = run(fresh(RECIPE.model_copy(update={"checkpoint_metric": metric})))
    values = [getattr(row, column) for row in state.history]
    assert state.best_epoch == values.index(pick(values)) + 1


def test_stopping_early_looks_at_validation_even_where_the_last_weights_are_kept():
    state = run(
        fresh(RECIPE.model_copy(update={"epochs": 30, "early_stopping_patience": 2, "checkpoint_metric": "last"}))
    )
    assert state.epoch < 30
    assert state.best_epoch == state.epoch


def test_it_stops_when_validation_no_longer_improves():
    recipe = RECIPE.model_copy(update={"epochs": 30, "early_stopping_patience": 2})
    state = run(fresh(recipe))
    assert state.epoch == state.best_epoch + 2
    assert state.epoch < 30


def test_a_loss_that_is_no_number_ends_training_with_advice():
    state = fresh()
    nn.init.constant_(state.network.body[-1].weight, torch.inf)
    with pytest.raises(RunError, match=r"in epoch 1: try a lower --lr than 0\.01"):
        run(state)
    assert state.history == []


def test_class_weights_are_n_over_classes_times_count():
    labels = torch.tensor([0] * 8 + [1] * 2)
    criterion = loop._criterion(RECIPE.model_copy(update={"class_weights": True}), labels, 3)
    assert criterion.weight.tolist() == pytest.approx([10 / 24, 10 / 6, 0])


def test_mixup_blends_faces_and_labels_alike():
    torch.manual_seed(0)
    faces = torch.stack([torch.full((1, 48, 48), 100.0 * label) for label in (0, 1, 0, 1)])
    mixed, targets = loop._mix(faces, torch.tensor([0, 1, 0, 1]), 2, 0.5)
    assert torch.allclose(mixed.mean(dim=(1, 2, 3)) / 100, targets[:, 1], atol=1e-5)
    assert torch.allclose(targets.sum(1), torch.ones(4))
    assert ((targets > 0.01) & (targets < 0.99)).any()


def test_validation_leaves_the_network_training():
    state = run(fresh(), epochs=1)
    assert state.network.training
    assert not any(
        module.momentum is None for module in state.kept_network.modules() if isinstance(module, nn.BatchNorm2d)
    )
