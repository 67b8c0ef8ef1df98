"""All that changes while a network is trained, in one place, so that it can be put away and taken up again."""

import io
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from fercli.core.errors import RunError, UsageError, reason_of
from fercli.core.files import written_whole
from fercli.core.progress import EpochRow
from fercli.core.recipe import Recipe
from fercli.training.ema import make_ema
from fercli.training.optimization import make_optimizer, make_schedule


def _body(network: nn.Module) -> nn.Module:
    """The architecture inside a classifier, whose layers recipes name."""
    body: nn.Module = getattr(network, "body", network)
    return body


class TrainingState:
    """Network, averaged network, optimiser, schedule, history and best weights so far.

    `faces` is the number of training faces: with the recipe's batch size, which `ranks` processes share, it gives the
    steps an epoch.
    """

    def __init__(self, network: nn.Module, recipe: Recipe, faces: int, classes: int, ranks: int = 1) -> None:
        self.network = network.to(memory_format=torch.channels_last)  # in which convolutions are fastest
        network.requires_grad_(True)  # an earlier training may have frozen others
        freeze(_body(network), recipe.frozen)
        self.recipe = recipe
        self.classes = classes
        self.batch_size = min(recipe.batch_size, faces // ranks * ranks)
        self.steps_per_epoch = faces // self.batch_size
        self.optimizer = make_optimizer(network.parameters(), recipe.optimizer)
        self.schedule = make_schedule(self.optimizer, recipe.schedule, recipe.epochs * self.steps_per_epoch)
        self.averaged = make_ema(network, recipe.ema_decay) if recipe.ema_decay else None
        self.history: list[EpochRow] = []
        self.best: dict[str, Tensor] = {}
        #: what the network was compiled to, where it was; a training with the same network may take it over
        self.compiled: nn.Module | None = None

    @property
    def epoch(self) -> int:
        """Epochs finished."""
        return len(self.history)

    @property
    def kept_network(self) -> nn.Module:
        """The network whose weights are validated and kept: the averaged one where there is one."""
        return self.averaged.module if self.averaged is not None else self.network

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or validation has not improved for as long as the recipe allows."""
        patience = self.recipe.early_stopping_patience
        return self.epoch >= self.recipe.epochs or (patience is not None and self.epoch - self._peak >= patience)

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights are kept so far, from 1 on; 0 before the first."""
        return self.epoch if self.recipe.checkpoint_metric == "last" else self._peak

    @property
    def _peak(self) -> int:
        """The first epoch with the best validation, by loss or by accuracy as the recipe keeps weights."""
        if not self.history:
            return 0
        if self.recipe.checkpoint_metric == "loss":
            return min(self.history, key=lambda row: row.val_loss).epoch
        return max(self.history, key=lambda row: row.val_accuracy).epoch

    def train_mode(self, network: nn.Module) -> None:
        """Put the network, or the averaged one, into training mode, its frozen layers and norms left out."""
        network.train()
        train_mode(_body(network), self.recipe.frozen)
        if self.recipe.freeze_batchnorm:
            for layer in network.modules():
                if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                    layer.eval()

    def update(self, loss: Tensor) -> None:
        """One step of the optimiser, the schedule and the average."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        if not isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step()
        if self.averaged is not None:
            self.averaged.update_parameters(self.network)

    def finish_epoch(self, row: EpochRow) -> None:
        """File an epoch's figures; keep its weights if the recipe's rule prefers them."""
        if isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step(row.val_accuracy)
        self.history.append(row)
        if self.best_epoch == row.epoch:
            self.best = {name: value.detach().cpu().clone() for name, value in self.kept_network.state_dict().items()}

    def to_bytes(self) -> bytes:
        """Everything, in a form that loads with weights_only."""
        document: dict[str, Any] = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict() if self.averaged is not None else None,
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "history": [asdict(row) for row in self.history],
            "best": self.best,
        }
        content = io.BytesIO()
        torch.save(document, content)
        return content.getvalue()

    def save(self, path: Path) -> None:
        """Write everything whole."""
        content = self.to_bytes()  # first: torch's own writer ends the process where the disk is full
        with written_whole(path) as temporary:
            temporary.write_bytes(content)

    def load(self, path: Path) -> None:
        """Take up what `save` wrote. Raises RunError where the file is damaged or of another training."""
        try:
            self.from_bytes(path.read_bytes())
        except Exception as error:  # torch.load raises whatever a damaged pickle makes it raise
            raise RunError(f"cannot resume from {path}: {reason_of(error)}") from error

    def from_bytes(self, content: bytes) -> None:
        """Take up what `to_bytes` gave."""
        device = next(self.network.parameters()).device
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what cannot be taken is told by an error
            document = torch.load(io.BytesIO(content), map_location=device, weights_only=True)
        self.network.load_state_dict(document["network"])
        if self.averaged is not None:
            self.averaged.load_state_dict(document["averaged"])
        self.optimizer.load_state_dict(document["optimizer"])
        self.schedule.load_state_dict(document["schedule"])
        self.history = [EpochRow(**row) for row in document["history"]]
        self.best = {name: value.cpu() for name, value in document["best"].items()}


def freeze(body: nn.Module, names: Sequence[str]) -> None:
    """Take the weights of these layers, and of all below them, out of training. Raises UsageError for a name
    that the network does not have, and where nothing is left to train."""
    for name in names:
        _layer(body, name).requires_grad_(False)
    if names and not any(parameter.requires_grad for parameter in body.parameters()):
        raise UsageError("recipe.frozen: no layer is left to train; take the last one out")


def train_mode(body: nn.Module, names: Sequence[str]) -> None:
    """Training mode for all but these layers: their norms keep their statistics, their dropout is off."""
    body.train()
    for name in names:
        _layer(body, name).eval()


def _layer(body: nn.Module, name: str) -> nn.Module:
    try:
        return body.get_submodule(name)
    except AttributeError as error:
        first = ", ".join(child for child, _ in body.named_children())
        raise UsageError(f"recipe.frozen: the network has no layer '{name}'; it begins with {first}") from error
