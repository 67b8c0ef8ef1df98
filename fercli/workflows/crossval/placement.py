"""Where the folds of a cross-validation are trained, and which of them."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from fercli.runner.on_ray import RayCluster
from fercli.runner.shards import parse_shard
from fercli.workflows.crossval.options import CrossvalOptions
from fercli.workflows.crossval.plan import Task


@dataclass(frozen=True)
class Placement:
    """Where folds are trained, and which of them. Results do not depend on it.

    `jobs` folds are trained at the same time; None is as many as the processor or the cluster has room for. A `shard`
    (2, 3) is the second third of the folds.
    """

    jobs: int | None = None
    cluster: RayCluster | None = None
    shard: tuple[int, int] = (1, 1)

    @property
    def is_whole(self) -> bool:
        """Whether all folds are trained here, so that they can be pooled."""
        return self.shard == (1, 1)

    def choose(self, tasks: Iterable[Task]) -> list[Task]:
        """The folds of the shard: every N-th, so that all shards get the same mix."""
        number, count = self.shard
        return list(tasks)[number - 1 :: count]

    def count_jobs(self, threads: int, device: str) -> int | None:
        """Folds at the same time, each with so many threads on a device of this type; None leaves it to a cluster."""
        if self.jobs or self.cluster:
            return self.jobs
        return max(1, (os.cpu_count() or 1) // threads) if device == "cpu" else 1


#: Every fold, on this machine.
EVERYTHING_HERE = Placement()


def resolve_placement(options: CrossvalOptions, threads: int) -> Placement:
    """What the options say, for folds with so many threads each."""
    cluster = None
    if options.ray is not None:
        cpus = threads if options.cpus_per_task is None else options.cpus_per_task
        cluster = RayCluster(options.ray, cpus, options.gpus_per_task or 0)
    return Placement(options.jobs, cluster, parse_shard(options.shard) if options.shard else (1, 1))
