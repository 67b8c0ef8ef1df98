"""The training loop: a whole face set on the device, batches by index, one epoch after the other.

Everything random in epoch e is drawn from (seed, e) alone, so a training that is interrupted and resumed
ends like one that was not.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from fercli.core.errors import RunError
from fercli.core.progress import EpochRow, Progress
from fercli.core.recipe import Recipe
from fercli.models.classifier import logits
from fercli.training.augment import Draws, augment
from fercli.training.device import Precision, autocast, compiled, compiled_teacher, reuse_memory
from fercli.training.distillation import distillation_targets
from fercli.training.distributed import ALONE, Ranks, SynchronisedNorm
from fercli.training.state import TrainingState

#: Batches over which batch norm's statistics are computed before each validation.
_NORM_BATCHES = 16

#: How far apart the seeds of two processes are: further than epochs ever make them.
_RANK_SEEDS = 1_000_000_007

#: Seconds between two looks at the losses, which on a GPU wait for it.
_LOOK = 0.5


@dataclass(frozen=True)
class Faces:
    """Faces of a face set on the device: images [N, 1, 48, 48] uint8, labels [N] int64 and, where training aims at
    more than the label, targets [N, classes] float32."""

    images: Tensor
    labels: Tensor
    targets: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)


def fit(
    state: TrainingState,
    train: Faces,
    val: Faces,
    *,
    seed: int,
    precision: Precision,
    compile_network: bool,
    progress: Progress,
    teacher: nn.Module | None = None,
    ranks: Ranks = ALONE,
) -> Iterator[EpochRow]:
    """Train until the recipe says to stop, yielding after each epoch; `state` then holds all that resuming needs.

    A batch that does not fill is dropped at an epoch's end (another one each epoch), so that every step has one
    shape. A `teacher` (see fercli.training.distillation) on the same device has its say in the targets, as the recipe's
    `distillation_weight` says. Each of the `ranks` trains on its share of every batch; all end with the same weights.

    Raises RunError when the loss stops being a number.
    """
    if train.images.device.type == "cpu":
        reuse_memory()
    step_network: nn.Module = state.network
    if compile_network and not state.finished:
        like = train.images[ranks.own_slice(state.batch_size)]
        state.train_mode(state.network)
        if state.compiled is None:
            state.compiled = compiled(state.network, like, precision, progress)
        step_network = state.compiled
        if teacher is not None:
            teacher = compiled_teacher(teacher, like, progress)
    step_network = ranks.wrap(step_network)
    recipe, generator = state.recipe, Generator(train.images.device)
    criterion = _criterion(recipe, train.labels, state.classes)
    while not state.finished:
        epoch = state.epoch + 1
        torch.manual_seed(_epoch_seed(seed, epoch) + ranks.rank * _RANK_SEEDS)
        generator.manual_seed(_epoch_seed(seed, epoch))
        start = time.perf_counter()
        rate = state.optimizer.param_groups[0]["lr"]
        order = torch.randperm(len(train), generator=generator, device=generator.device)
        loss, accuracy = _epoch(
            state, step_network, train, order, criterion, generator, precision, progress, teacher, ranks
        )
        if not math.isfinite(loss):
            raise RunError(
                f"the loss is no longer a number in epoch {epoch}: try a lower --lr than {recipe.optimizer.lr:g}"
            )
        update_batchnorm(state, train, order, generator, precision, ranks)
        val_loss, val_accuracy = _validate(state.kept_network, val, ranks)
        row = EpochRow(epoch, rate, loss, accuracy, val_loss, val_accuracy, time.perf_counter() - start)
        state.finish_epoch(row)
        progress.epoch(row, best=state.best_epoch == epoch)
        yield row


def _epoch_seed(seed: int, epoch: int) -> int:
    return seed * 1_000_003 + epoch


def _criterion(recipe: Recipe, labels: Tensor, classes: int) -> nn.CrossEntropyLoss:
    """Cross-entropy of each face with the recipe's smoothing and, where asked, weights N / (classes · n_c).

    One figure a face, so that a batch's loss is their plain mean as in Keras; PyTorch's own mean divides by the
    batch's weights instead.
    """
    weight = None
    if recipe.class_weights:
        counts = torch.bincount(labels, minlength=classes)
        # a class that training does not know weighs nothing
        weight = torch.where(counts > 0, len(labels) / (classes * counts.clamp(min=1)), 0.0)
    return nn.CrossEntropyLoss(weight, label_smoothing=recipe.label_smoothing, reduction="none")


def _epoch(
    state: TrainingState,
    network: nn.Module,
    train: Faces,
    order: Tensor,
    criterion: nn.Module,
    generator: Generator,
    precision: Precision,
    progress: Progress,
    teacher: nn.Module | None,
    ranks: Ranks,
) -> tuple[float, float]:
    """One pass over the training faces. Mean loss and accuracy, both on the augmented faces."""
    state.train_mode(state.network)
    recipe, size, steps = state.recipe, state.batch_size, state.steps_per_epoch
    own = ranks.own_slice(size)
    total, right = torch.zeros((), device=order.device), torch.zeros((), device=order.device)
    start = looked = time.perf_counter()
    for step in range(steps):
        if order.is_cuda:
            torch.compiler.cudagraph_mark_step_begin()  # what a graph gave in the step before is needed no more
        batch = order[step * size : (step + 1) * size][own]
        faces, labels = augment(train.images[batch], recipe.augment, Draws(generator, size, own)), train.labels[batch]
        target = labels if train.targets is None else train.targets[batch]
        if teacher is not None:
            target = distillation_targets(target, teacher(faces), recipe.distillation_weight)
        faces, target = _mix(faces, target, state.classes, recipe.mixup)
        with autocast(faces.device, precision):
            out = network(faces).float()
        loss = criterion(out, target).mean()
        state.update(loss)
        total += loss.detach()
        right += (out.detach().argmax(1) == labels).sum()
        now = time.perf_counter()
        if now - looked > _LOOK or step + 1 == steps:
            looked, done = now, step + 1
            progress.step(
                state.epoch + 1, state.epoch * steps + done, recipe.epochs * steps,
                total.item() / done, right.item() / (done * len(batch)), done * size / (now - start),
            )  # fmt: skip
    total, right = ranks.sum(total, right)
    return total.item() / (steps * ranks.size), right.item() / (steps * size)


def _mix(faces: Tensor, target: Tensor, classes: int, alpha: float) -> tuple[Tensor, Tensor]:
    """Blend each face with another of its batch, and the targets likewise: labels [N] become probabilities
    [N, classes], which other targets are already. Unchanged for alpha 0.

    Source: mixup, arXiv 1710.09412.
    """
    if not alpha:
        return faces, target
    weight = torch.distributions.Beta(alpha, alpha).sample((len(faces),)).to(faces.device)
    partner = torch.randperm(len(faces)).to(faces.device)
    probabilities = F.one_hot(target, classes).float() if target.dim() == 1 else target
    of_pixels, of_classes = weight.view(-1, 1, 1, 1), weight[:, None]
    mixed = faces * of_pixels + faces[partner] * (1 - of_pixels)
    return mixed, probabilities * of_classes + probabilities[partner] * (1 - of_classes)


@torch.no_grad()
def update_batchnorm(
    state: TrainingState,
    train: Faces,
    order: Tensor,
    generator: Generator,
    precision: Precision = "fp32",
    ranks: Ranks = ALONE,
) -> None:
    """Compute the batch norm statistics of the network to be validated anew, from augmented training faces, the first
    batches of `order`. Frozen norms keep theirs.

    Running statistics don't fit the weights: those of an average of weights are of no network that was averaged
    (stochastic weight averaging, arXiv 1803.05407), and on a set with few steps an epoch those of the network itself
    lag behind it, so that validation would see a network that was never trained.
    """
    network = state.kept_network
    modes = [(layer, layer.training) for layer in network.modules()]
    state.train_mode(network)
    norms = [
        layer for layer in network.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.training
    ]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches that follow
    size = state.batch_size
    together = any(isinstance(norm, SynchronisedNorm) for norm in norms)
    own = ranks.own_slice(size) if together else slice(None)  # else each process computes the same ones
    batches = order.split(size)[: min(_NORM_BATCHES, len(train) // size)] if norms else ()
    for batch in batches:
        with autocast(order.device, precision):
            network(augment(train.images[batch[own]], state.recipe.augment, Draws(generator, size, own)))
    for layer, mode in modes:
        layer.training = mode
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def _validate(network: nn.Module, val: Faces, ranks: Ranks) -> tuple[float, float]:
    """Mean cross-entropy, without smoothing or weights, and accuracy on a split, single view, in fp32."""
    own = ranks.own_slice(len(val))
    out, labels = logits(network, val.images[own]), val.labels[own]
    loss, right = F.cross_entropy(out, labels, reduction="sum"), (out.argmax(1) == labels).sum()
    loss, right = ranks.sum(loss, right)
    return loss.item() / len(val), right.item() / len(val)
