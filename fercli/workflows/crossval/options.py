"""The options of `fer crossval`: each with its default and its check, once for the command and for Python."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fercli.core.errors import UsageError
from fercli.runner.shards import parse_shard
from fercli.workflows.train.options import CommonOptions


@dataclass(frozen=True, kw_only=True)
class CrossvalOptions(CommonOptions):
    """Everything that `fer crossval` can be told. The mark `crossval` names the setting of crossval.yaml that an
    option changes."""

    #: networks by their names in the catalogue; empty is the catalogue's default
    models: tuple[str, ...] = ()
    folds: int | None = field(default=None, metadata={"crossval": "folds"})
    #: how often the whole cross-validation is repeated, with new folds
    runs: int | None = field(default=None, metadata={"crossval": "runs"})
    #: what stays in one fold; 'both' draws the folds by image, then by subject
    group: Literal["auto", "image", "subject", "both"] | None = field(default=None, metadata={"crossval": "group"})
    #: what the networks are compared with on the same folds: pca-svm, nearest, majority
    baselines: Sequence[str] | None = field(default=None, metadata={"crossval": "baselines"})
    #: choose settings on validation faces, then retrain on train + validation; `select_by` and `grid` imply it
    select: bool = field(default=False, metadata={"crossval": "select"})
    select_by: Literal["fold", "mean"] | None = field(default=None, metadata={"crossval": "select_by"})
    #: what to choose from: settings of the recipe by dotted name, with their values
    grid: Mapping[str, Sequence[Any]] | None = field(default=None, metadata={"crossval": "grid"})
    #: the seeds of all runs and folds follow from it
    seed: int | None = field(default=None, metadata={"crossval": "seed"})
    #: folds trained at the same time; None is as many as the processor has room for
    jobs: int | None = None
    #: the address of a Ray cluster that trains the folds, 'auto' for the one that this machine belongs to
    ray: str | None = None
    #: what each fold takes of the cluster; None is its threads, and no GPU
    cpus_per_task: float | None = None
    gpus_per_task: float | None = None
    #: 'I/N' trains only the I-th of N shards of the folds, into `out`
    shard: str | None = None
    #: the folder whose folds are pooled, without training any
    collect: Path | None = None
    #: processor threads of each fold
    threads: int | None = field(default=None, metadata={"crossval": "threads"})

    def __post_init__(self) -> None:
        if self.resume and self.force:
            raise UsageError("--resume continues what --force would start over: leave one out")
        super().__post_init__()
        if self.jobs is not None and self.jobs < 1:
            raise UsageError(f"--jobs: must be 1 or more, not {self.jobs}")
        if self.pretrained_file and len(self.models) > 1:
            raise UsageError("--pretrained-file holds the weights of one network: name one --model with it")
        self._check_placement()

    def _check_placement(self) -> None:
        if self.ray is None and (self.cpus_per_task is not None or self.gpus_per_task is not None):
            raise UsageError("--cpus-per-task and --gpus-per-task are for --ray ADDRESS: name the cluster")
        for name, value in (("cpus", self.cpus_per_task), ("gpus", self.gpus_per_task)):
            if value is not None and not 0 <= value < math.inf:
                raise UsageError(f"--{name}-per-task: must be 0 or more, not {value:g}")
        if self.shard is not None:
            parse_shard(self.shard)
            if self.out is None:
                raise UsageError("--shard needs --out FOLDER: all shards write into one folder")
            if self.force:
                raise UsageError("--force would remove what other shards wrote: leave it or --shard out")
        if self.collect is not None and (self.out or self.resume or self.force or self.ray or self.shard or self.jobs):
            raise UsageError("--collect trains nothing: leave --out, --resume, --force, --ray, --shard and --jobs out")

    def crossval_changes(self) -> dict[str, Any]:
        """The settings of the cross-validation that are asked for, by their names in crossval.yaml."""
        selects = {"select": True} if self.select_by or self.grid else {}
        return {**self.changes("crossval"), **selects}
