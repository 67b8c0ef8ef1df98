"""Where the shards of a job are worked on and written, beside the options that any job has."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fercli.core.errors import UsageError
from fercli.faces.io.stores import is_address
from fercli.workflows.predict.options import PredictOptions

if TYPE_CHECKING:
    from fercli.runner.on_ray import RayCluster


@dataclass(frozen=True, kw_only=True)
class FolderOptions:
    """Raises UsageError for values that make no sense. The names are those of the flags."""

    #: how many shards, and files, there are; None: one for each 100 MB of pictures
    shards: int | None = None
    #: shards that are worked on at the same time; None: one here, as many as there is room for on a cluster
    jobs: int | None = None
    #: the address of a Ray cluster, 'auto' for the one that this machine belongs to
    ray: str | None = None
    #: what each shard takes of a node; None: one core
    cpus_per_task: float | None = None
    gpus_per_task: float | None = None
    #: continue the job that is in the folder
    resume: bool = False
    #: replace the job that is in the folder
    force: bool = False

    def __post_init__(self) -> None:
        if self.resume and self.force:
            raise UsageError("--resume continues what --force would start over: leave one out")
        for flag, count in (("--shards", self.shards), ("--jobs", self.jobs)):
            if count is not None and count < 1:
                raise UsageError(f"{flag} {count}: 1 or more")
        for flag, amount in (("--cpus-per-task", self.cpus_per_task), ("--gpus-per-task", self.gpus_per_task)):
            if amount is not None and self.ray is None:
                raise UsageError(f"{flag} {amount:g} is for --ray: leave it out")
            if amount is not None and not 0 <= amount <= 10_000:
                raise UsageError(f"{flag} {amount:g}: 0 or more")

    @property
    def given(self) -> list[str]:
        """The flags that are set and have no meaning where the output is a file."""
        names = ("shards", "jobs", "ray", "cpus_per_task", "gpus_per_task")
        return [f"--{name.replace('_', '-')}" for name in names if getattr(self, name) is not None]

    @property
    def cluster(self) -> "RayCluster | None":
        """The cluster, if one is asked for."""
        if self.ray is None:
            return None
        from fercli.runner.on_ray import RayCluster

        cpus = 1 if self.cpus_per_task is None else self.cpus_per_task
        return RayCluster(self.ray, cpus, self.gpus_per_task or 0)


def is_folder(output: str) -> bool:
    """Whether an output is a folder: it ends in a slash, is one already, or is an address in a store."""
    return output.endswith(("/", os.sep)) or is_address(Path(output)) or os.path.isdir(output)  # noqa: PTH112


def check_folder_job(output: str, options: PredictOptions) -> None:
    """Raises UsageError for options that a job with a folder as its output cannot have."""
    if is_address(Path(output)) and Path(output).suffix.lower() in (".csv", ".jsonl", ".json", ".parquet"):
        raise UsageError(
            f"--output {output}: a store takes a folder of Parquet files, as in --output s3://bucket/faces/"
        )
    if options.besides:
        flags = " and ".join(options.besides)
        raise UsageError(f"{flags} cannot be used with a folder as --output, {output}: leave out one or the other")
