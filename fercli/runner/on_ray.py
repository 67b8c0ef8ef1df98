"""Tasks on the nodes of a Ray cluster, which need not share a file system with the one that starts the job."""

import logging
import os
import platform
import socket
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from fercli import __version__
from fercli.core.errors import FerError, MachineError, UsageError, reason_of
from fercli.core.files import written_whole
from fercli.core.progress import Progress
from fercli.runner.tasks import Job, Monitor, TaskFailedError, TaskProgress, Worker

T = TypeVar("T")

#: How often Ray runs a task again that was lost with its node or process.
_MOST_RETRIES = 3
_CONNECT_SECONDS = 10.0
#: What makes a job's work in a folder, and says to `Progress` how it goes.
_MakeWorker = Callable[[Path, Progress], Worker[Any]]


@dataclass(frozen=True)
class RayCluster:
    """A cluster by its address, 'auto' for the one that this machine belongs to, and what each task takes of it."""

    address: str
    cpus: float = 1
    gpus: float = 0


@dataclass(frozen=True)
class _Outcome:
    """How a task ended on a node: its files by their paths in the job's folder, what it said, and why it failed, or an
    error for the user, or a traceback."""

    files: Mapping[str, bytes]
    lines: tuple[str, ...]
    failed: str | None = None
    error: FerError | None = None
    bug: str | None = None


def run_on_ray(
    job: Job[T], monitor: Monitor[T], cluster: RayCluster, progress: Progress, at_once: int | None = None
) -> None:
    """All tasks on a cluster, `at_once` at a time or as many as there is room for.

    A task gets the files that it reads, and its files come back and are written here, the result last. What makes a
    worker is sent to each node once; fercli must be installed there, in the same version. A lost node costs the tasks
    that ran on it, which run again.

    Raises FerError for what no task could begin with, MachineError where the cluster is lost.
    """
    with _connected(cluster) as ray:
        function = ray.remote(num_cpus=cluster.cpus, num_gpus=cluster.gpus, max_retries=_MOST_RETRIES)(_work)
        maker = ray.put(job.make_worker)
        waiting = iter(monitor.pending)
        running: dict[Any, T] = {}
        while True:
            while at_once is None or len(running) < at_once:
                task = next(waiting, None)
                if task is None:
                    break
                result = job.result(task)
                sent = _read_files(job.folder, [result.parent, *job.reads(task)])
                running[function.remote(maker, task, str(result.parent), sent, __version__)] = task
            if not running:
                return
            (ready, *_), _ = ray.wait(list(running))
            task = running.pop(ready)
            try:
                outcome = ray.get(ready)
            except (ray.exceptions.LocalRayletDiedError, ray.exceptions.RaySystemError):
                raise  # no task is at fault: `_connected` explains it
            except ray.exceptions.RayError as error:
                monitor.fail(0, task, f"lost on the cluster {_MOST_RETRIES + 1} times ({reason_of(error)})")
                continue
            _take(job, task, outcome, monitor, progress)


def _take(job: Job[T], task: T, outcome: _Outcome, monitor: Monitor[T], progress: Progress) -> None:
    """Write what came back from a task, and say how it ended."""
    for line in outcome.lines:
        progress.say(line)
    if outcome.bug is not None:
        raise RuntimeError(f"{task}: {outcome.bug}")
    if outcome.error is not None:
        raise outcome.error
    _write_files(job, task, outcome.files)
    if outcome.failed is not None:
        monitor.fail(0, task, outcome.failed)
    else:
        monitor.finish(0, task)


@contextmanager
def _connected(cluster: RayCluster) -> Iterator[Any]:
    """Ray, connected to the cluster. Raises UsageError without Ray, MachineError where the cluster cannot be reached
    or is lost."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # read when Ray is imported: nothing leaves the machine
    try:
        import ray
    except ImportError:
        raise UsageError("--ray needs Ray, which is not installed: pip install ray") from None
    address = cluster.address
    try:
        host, _, port = address.rpartition(":")
        if port.isdigit():  # Ray itself tries for minutes
            socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # its errors have no class in common
        raise MachineError(
            f"--ray {address}: no cluster can be reached ({reason_of(error)}); ray start --head starts one"
        ) from error
    try:
        yield ray
    except (ray.exceptions.LocalRayletDiedError, ray.exceptions.RaySystemError) as error:
        raise MachineError(f"the Ray cluster is lost ({reason_of(error)}): what is done stays done") from error
    finally:
        ray.shutdown()


def _work(make_worker: _MakeWorker, task: Any, writes: str, files: Mapping[str, bytes], version: str) -> _Outcome:
    """What runs on a node: a task in a folder of its own, from the files it reads to those it writes."""
    if version != __version__:
        wrong = f"fercli {__version__} is installed on the node {platform.node()}, {version} here: install the same"
        return _Outcome({}, (), error=MachineError(wrong))
    lines: list[str] = []
    failed = error = bug = None
    with TemporaryDirectory(prefix="fer-") as name:
        folder = Path(name)
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        try:
            make_worker(folder, TaskProgress(lines.append, lambda fraction: None)).run(task)
        except TaskFailedError as reason:
            failed = str(reason)
        except FerError as reason:
            error = reason
        except Exception:
            bug = traceback.format_exc()
        return _Outcome(_read_files(folder, [Path(writes)]), tuple(lines), failed, error, bug)


def _list_files(folder: Path, paths: Iterable[Path]) -> list[Path]:
    """The files among these paths of a folder and below them, relative to it."""
    found = [file for path in paths for file in (folder / path, *(folder / path).rglob("*")) if file.is_file()]
    return [file.relative_to(folder) for file in found]


def _read_files(folder: Path, paths: Iterable[Path]) -> dict[str, bytes]:
    """Their content, by their names."""
    return {file.as_posix(): (folder / file).read_bytes() for file in _list_files(folder, paths)}


def _write_files(job: Job[T], task: T, files: Mapping[str, bytes]) -> None:
    """Make the folder of a task's result hold these files and no others; the result comes last."""
    result = job.result(task)
    for known in _list_files(job.folder, [result.parent]):
        if known.as_posix() not in files:
            (job.folder / known).unlink()
    for name in sorted(files, key=lambda name: name == result.as_posix()):
        with written_whole(job.folder / name) as temporary:
            temporary.write_bytes(files[name])
