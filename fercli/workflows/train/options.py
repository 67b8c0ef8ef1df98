"""The options of `fer train`, and those that it shares with `fer crossval`: each with its default and its check, once
for the command and for Python."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fercli.core.errors import UsageError

if TYPE_CHECKING:
    from fercli.core.config import LoadOptions


@dataclass(frozen=True, kw_only=True)
class CommonOptions:
    """What `fer train` and `fer crossval` can both be told.

    The names are those of the flags. An option that is None, or False, leaves its setting as the recipe has it, or the
    run that is resumed or repeated. The mark `run` or `recipe` names the setting of config.yaml that an option changes.
    Raises UsageError for options that do not go together; the settings are checked when they are resolved.
    """

    #: a named set or a path
    data: str | None = field(default=None, metadata={"run": "data"})
    #: where named sets lie
    root: Path | None = field(default=None, metadata={"run": "root"})
    #: how the set is read; what is not set in it stays as it is in the run that is resumed or repeated
    load_options: "LoadOptions | None" = None
    #: the recipe's name in the catalogue
    recipe: str | None = None
    epochs: int | None = field(default=None, metadata={"recipe": "epochs"})
    batch_size: int | None = field(default=None, metadata={"recipe": "batch_size"})
    lr: float | None = field(default=None, metadata={"recipe": "optimizer.lr"})
    #: other settings of the recipe by dotted name, as {"augment.rotate": 15}; these win over the three above
    recipe_settings: Mapping[str, Any] = field(default_factory=dict)
    #: False starts from scratch, whatever the recipe says, and freezes nothing
    pretrained: bool = True
    #: a file of weights to start from, instead of torchvision's
    pretrained_file: Path | None = None
    device: str | None = field(default=None, metadata={"run": "device"})
    precision: Literal["auto", "fp32", "bf16"] | None = field(default=None, metadata={"run": "precision"})
    compile: Literal["auto", "on", "off"] | None = field(default=None, metadata={"run": "compile"})
    #: the folder to write into; None is a new one in runs/
    out: Path | None = None
    #: continue what is in `out`, else the newest that is unfinished
    resume: bool = False
    #: replace what exists
    force: bool = False

    def __post_init__(self) -> None:
        if self.pretrained_file and not self.pretrained:
            raise UsageError("--no-pretrained starts from scratch: leave out either it or --pretrained-file")

    def run_changes(self) -> dict[str, Any]:
        """The settings of the run that are asked for, by their names in config.yaml, the recipe's aside."""
        return self.changes("run")

    def recipe_changes(self) -> dict[str, Any]:
        """The settings of the recipe that are asked for, by dotted name."""
        return {**self.changes("recipe"), **self.recipe_settings}

    def changes(self, mark: str) -> dict[str, Any]:
        """The values of the options with this mark, by the names of the settings that they change."""
        values = {each.metadata[mark]: getattr(self, each.name) for each in fields(self) if mark in each.metadata}
        return {name: value for name, value in values.items() if value is not None and value is not False}


@dataclass(frozen=True, kw_only=True)
class TrainOptions(CommonOptions):
    """Everything that `fer train` can be told."""

    #: the network's name in the catalogue
    model: str | None = field(default=None, metadata={"run": "model"})
    #: fraction of the training split that validates, instead of the set's own validation split
    val_fraction: float | None = field(default=None, metadata={"recipe": "val_fraction"})
    #: everything random follows from it
    seed: int | None = field(default=None, metadata={"run": "seed"})
    #: what stays on one side of a split that is drawn
    group: Literal["auto", "subject", "image"] | None = field(default=None, metadata={"run": "group"})
    #: leave out training faces whose picture stands in val or test too
    drop_leaks: bool = field(default=False, metadata={"run": "drop_leaks"})
    #: another set, whose training split is trained on too
    extra: str | None = field(default=None, metadata={"run": "extra"})
    #: a trained model whose weights training starts from: a catalogue name, a run folder or a weights file
    start_from: str | None = field(default=None, metadata={"run": "start_from"})
    #: a trained model, or several joined by '+', whose probabilities are learned beside the labels
    teacher: str | None = field(default=None, metadata={"run": "teacher"})
    #: write each epoch's figures for TensorBoard too, into the run folder
    tensorboard: bool = False
    #: the config.yaml of a run to repeat
    config: Path | None = None

    def __post_init__(self) -> None:
        if self.resume and (self.config or self.force):
            raise UsageError("--resume goes with neither --config nor --force: the run has its own settings")
        if self.start_from and (self.pretrained_file or not self.pretrained):
            flag = "--pretrained-file" if self.pretrained_file else "--no-pretrained"
            raise UsageError(f"--start-from {self.start_from} has all weights: leave {flag} out")
        super().__post_init__()
