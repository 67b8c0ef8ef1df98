"""What the runner is given: tasks, what works on them, and who watches.

A task's result is a file written whole. A task is done when that file is there, never because it was tried, so a job
that was interrupted continues from its folder, whatever ran it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from fercli.core.progress import Progress

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class TaskFailedError(Exception):
    """A task failed for good; the message is the reason. The others go on."""


class Worker(Protocol[T_contra]):
    """Works on one task after the other, in the process that made it."""

    def run(self, task: T_contra) -> None:
        """Do a task and write its result. Raises TaskFailedError, or FerError where no task could succeed."""
        ...


class Monitor(Protocol[T]):
    """Knows which tasks are pending, and hears how they end. `slot` is the number of the worker."""

    @property
    def pending(self) -> Iterable[T]:
        """The tasks that are to be done, in their order. They may be made one by one, as workers get free."""
        ...

    def advance(self, slot: int, fraction: float) -> None:
        """A worker has done this fraction of its task."""
        ...

    def finish(self, slot: int, task: T) -> None:
        """A task's result is there."""
        ...

    def fail(self, slot: int, task: T, reason: str) -> None:
        """A task failed for good."""
        ...

    def lose(self, slot: int, task: T, reason: str) -> bool:
        """The process of a task died. Whether it should be tried again; if not, it has failed."""
        ...


@dataclass(frozen=True)
class Job(Generic[T]):
    """Tasks of one kind, whose files are in `folder`. The functions and tasks must be picklable.

    `result` is the file, relative to the folder, that says that a task is done. A task writes only beside this file,
    and it may read what is there and the files `reads`.
    """

    folder: Path
    make_worker: Callable[[Path, Progress], Worker[T]]
    result: Callable[[T], Path]
    reads: Callable[[T], Iterable[Path]] = lambda task: ()


class TaskProgress(Progress):
    """Passes on what a worker's tasks say, each line once, and what fraction of its task is done."""

    def __init__(self, say: Callable[[str], None], advance: Callable[[float], None]) -> None:
        self._say, self._advance = say, advance
        self._lines: set[str] = set()

    def say(self, text: str) -> None:
        if text not in self._lines:
            self._lines.add(text)
            self._say(text)

    def step(self, epoch: int, done: int, total: int, loss: float, accuracy: float, rate: float) -> None:
        self._advance(done / total)
