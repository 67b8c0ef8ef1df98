"""What is done of a cross-validation, and how well: counted fold by fold for whoever watches."""

from pathlib import Path

from fercli.core.files import read_json
from fercli.workflows.crossval.plan import Task
from fercli.workflows.crossval.progress import CrossvalListener, FoldDone
from fercli.workflows.run_folder import RunFolder


class Tally:
    """Folds done and failed. `failed` has the reason of each that broke down twice."""

    def __init__(self, folder: Path, todo: list[Task], listener: CrossvalListener) -> None:
        self._folder, self._listener = folder, listener
        self.total, self.done = len(todo), 0
        self.failed: dict[Task, str] = {}
        self._right: dict[tuple[str, str], tuple[int, int]] = {}
        self._shares: dict[int, float] = {}
        self.pending = [task for task in todo if not self._known(task)]
        listener.planned(self.done, self.total, trying=any(task.trying for task in todo))

    def _known(self, task: Task) -> bool:
        if not task.done(self._folder):
            return False
        self._count(task)
        return True

    def _count(self, task: Task) -> tuple[float, float] | None:
        """Take a finished fold in: its accuracy and that of its method so far; None where it tried settings."""
        self.done += 1
        if task.trying:
            return None
        figures = read_json(RunFolder(self._folder / task.place).metrics)["test"]["single"]
        right, faces = self._right.get((task.grouping, task.method), (0, 0))
        right, faces = right + round(figures["accuracy"] * figures["faces"]), faces + figures["faces"]
        self._right[task.grouping, task.method] = right, faces
        return figures["accuracy"], right / faces

    def share(self, worker: int, share: float) -> None:
        """A worker's fold is so far, 0 to 1."""
        self._shares[worker] = share
        self._listener.share(self.done + sum(self._shares.values()))

    def finish(self, worker: int, task: Task) -> None:
        """A worker's fold came to its end."""
        self._shares.pop(worker, None)
        figures = self._count(task)
        if figures is None:
            self._listener.tried(task, self.done, self.total)
        else:
            self._listener.fold(FoldDone(task, *figures, self.done, self.total))

    def fail(self, worker: int, task: Task, reason: str) -> None:
        """A worker's fold broke down for good. The others go on."""
        self._shares.pop(worker, None)
        self.failed[task] = reason
        self._listener.say(f"{task} failed again ({reason}): going on with the others")
