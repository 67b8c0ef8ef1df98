"""The options of `fer search`: each with its default and its check, once for the command and for Python."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from fercli.core.errors import UsageError
from fercli.workflows.train.options import CommonOptions

#: What trials are ranked by, on validation faces: the log loss is calibrated; the last two are the network's cost.
Objective = Literal["loss", "accuracy", "macro-recall", "multiply-adds", "parameters"]
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)
#: What a network may cost: the last is milliseconds for one face, on one thread of this machine.
Limit = Literal["multiply-adds", "parameters", "ms"]
LIMITS: tuple[Limit, ...] = get_args(Limit)
Sampler = Literal["tpe", "random", "grid", "nsga2"]
Pruner = Literal["hyperband", "wilcoxon", "none"]


@dataclass(frozen=True, kw_only=True)
class SearchOptions(CommonOptions):
    """Everything that `fer search` can be told. The mark `search` names the setting of study.yaml that an option
    changes."""

    #: the network's name in the catalogue
    model: str | None = field(default=None, metadata={"run": "model"})
    #: what to choose from: a file, or the name of one of the model's spaces in the catalogue
    space: str | None = None
    #: how many trials the study has in all, however often it is resumed
    trials: int | None = field(default=None, metadata={"search": "trials"})
    #: seconds after which no further trial is begun
    budget: float | None = None
    #: what trials are ranked by; several are traded off against each other
    objectives: tuple[Objective, ...] = field(default=(), metadata={"search": "objectives"})
    sampler: Sampler | None = field(default=None, metadata={"search": "sampler"})
    pruner: Pruner | None = field(default=None, metadata={"search": "pruner"})
    #: validate each trial on so many folds of the training split, instead of the validation split
    folds: int | None = field(default=None, metadata={"search": "folds"})
    #: the most that a network may cost
    limits: Mapping[Limit, float] = field(default_factory=dict, metadata={"search": "limits"})
    #: how many of the best are trained anew
    top: int | None = field(default=None, metadata={"search": "top"})
    #: on how many seeds each
    seeds: int | None = field(default=None, metadata={"search": "seeds"})
    #: for how many epochs; None is as many as a trial
    confirm_epochs: int | None = field(default=None, metadata={"search": "confirm_epochs"})
    #: all draws follow from it
    seed: int | None = field(default=None, metadata={"run": "seed"})
    #: what stays on one side of a split that is drawn
    group: Literal["auto", "subject", "image"] | None = field(default=None, metadata={"run": "group"})
    #: another set, whose training split is trained on too
    extra: str | None = field(default=None, metadata={"run": "extra"})
    #: a trained model, or several joined by '+', whose probabilities are learned beside the labels
    teacher: str | None = field(default=None, metadata={"run": "teacher"})
    #: Optuna's database by its URL; None is a file in the study's folder
    storage: str | None = field(default=None, metadata={"search": "storage"})
    #: trials trained at the same time
    jobs: int = 1
    #: the address of a Ray cluster that trains the trials, 'auto' for the one that this machine belongs to
    ray: str | None = None
    cpus_per_task: float | None = None
    gpus_per_task: float | None = None

    def __post_init__(self) -> None:
        if self.resume and self.force:
            raise UsageError("--resume continues what --force would start over: leave one out")
        super().__post_init__()
        for name, value in (("trials", self.trials), ("jobs", self.jobs), ("seeds", self.seeds)):
            if value is not None and value < 1:
                raise UsageError(f"--{name}: must be 1 or more, not {value}")
        if self.budget is not None and not 0 < self.budget < math.inf:
            raise UsageError("--budget: must be more than no time, e.g. --budget 2h")
        _, _, address = (self.storage or "").partition("://")
        user, at, _ = address.partition("@")
        if at and ":" in user:  # study.yaml and meta.json would hold it
            raise UsageError(
                "--storage: leave the password out of the URL; let the database's own file or variable say it"
            )
        if self.ray is None and (self.cpus_per_task is not None or self.gpus_per_task is not None):
            raise UsageError("--cpus-per-task and --gpus-per-task are for --ray ADDRESS: name the cluster")

    def search_changes(self) -> dict[str, Any]:
        """The settings of the study that are asked for, by their names in study.yaml."""
        return {name: value for name, value in self.changes("search").items() if value not in ((), {})}
