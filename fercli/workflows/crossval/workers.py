"""Folds side by side: processes that train one fold after the other, each on its part of the processor."""

import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait

import torch

from fercli.core.errors import FerError
from fercli.core.progress import Progress, explain_interrupt
from fercli.workflows.crossval.fold import FoldTrainer, Work
from fercli.workflows.crossval.plan import Task
from fercli.workflows.crossval.status import Failure, FoldFailedError, Tally, read_failures, record_failure

#: Spawned on every system: a forked process inherits threads' locks and cannot use CUDA.
_SPAWN = multiprocessing.get_context("spawn")


def train_folds(work: Work, todo: list[Task], jobs: int, progress: Progress) -> dict[Task, str]:
    """Train every fold that is not complete, `jobs` at a time; the reason of each that failed twice.

    Raises FerError for what no fold could begin with. Results do not depend on `jobs`.
    """
    tally = Tally(work.folder, todo, progress)
    jobs = min(jobs, len(tally.pending))
    command = f"fer crossval --resume --out {work.folder}"
    with explain_interrupt(
        progress, lambda: f"stopped after {tally.done} of {tally.total} {tally.what}; {command} continues"
    ):
        if jobs == 1:
            _train_here(work, tally, progress)
        elif jobs > 1:
            _Pool(work, tally, jobs, progress).train()
    return tally.failed


class _FoldProgress(Progress):
    """Passes on what a process' trainings say, each line once, and what fraction of its fold it has trained."""

    def __init__(self, say: Callable[[str], None], advance: Callable[[float], None]) -> None:
        self._say, self._advance = say, advance
        self._lines: set[str] = set()

    def say(self, text: str) -> None:
        if text not in self._lines:
            self._lines.add(text)
            self._say(text)

    def step(self, epoch: int, done: int, total: int, loss: float, accuracy: float, rate: float) -> None:
        self._advance(done / total)


def _train_here(work: Work, tally: Tally, progress: Progress) -> None:
    """All in this process."""
    before = torch.get_num_threads()
    torch.set_num_threads(work.config.threads)
    try:
        trainer = FoldTrainer(work, _FoldProgress(progress.say, lambda fraction: tally.advance(0, fraction)))
        for task in tally.pending:
            try:
                trainer.run(task)
            except FoldFailedError as error:
                tally.fail(0, task, str(error))
            else:
                tally.finish(0, task)
    finally:
        torch.set_num_threads(before)


class _Worker:
    """A process and the fold that it has."""

    def __init__(self, work: Work) -> None:
        self.pipe, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=_serve, args=(theirs, work), daemon=True)
        self.process.start()
        theirs.close()
        self.task: Task | None = None

    def give(self, task: Task) -> None:
        self.task = task
        # one that has died already says so when it is listened to
        with suppress(BrokenPipeError):
            self.pipe.send(task)


class _Pool:
    """Deals folds out to processes as they get free."""

    def __init__(self, work: Work, tally: Tally, jobs: int, progress: Progress) -> None:
        self._work, self._tally, self._progress = work, tally, progress
        self._waiting = deque(tally.pending)
        self._workers = [_Worker(work) for _ in range(jobs)]
        self._lines: set[str] = set()

    def train(self) -> None:
        """Train all folds that are pending."""
        try:
            self._give_out()
            while busy := [worker for worker in self._workers if worker.task]:
                ready = wait([worker.pipe for worker in busy])
                for number, worker in enumerate(self._workers):
                    if worker.task is not None and worker.pipe in ready:
                        self._receive(number, worker, worker.task)
                self._give_out()
        finally:
            for worker in self._workers:
                worker.process.terminate()
            for worker in self._workers:
                worker.process.join()
                worker.pipe.close()

    def _give_out(self) -> None:
        for worker in self._workers:
            if worker.task is None and self._waiting:
                worker.give(self._waiting.popleft())

    def _receive(self, number: int, worker: _Worker, task: Task) -> None:
        """Take in what a process says of its fold."""
        try:
            kind, value = worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            self._replace(number, worker, task)
            return
        if kind == "say" and value not in self._lines:
            self._lines.add(value)  # every process says it once
            self._progress.say(value)
        elif kind == "advance":
            self._tally.advance(number, value)
        elif kind == "done":
            worker.task = None
            self._tally.finish(number, task)
        elif kind == "failed":
            worker.task = None
            self._tally.fail(number, task, value)
        elif kind == "error":
            raise value if isinstance(value, FerError) else RuntimeError(f"{task}: {value}")

    def _replace(self, number: int, worker: _Worker, task: Task) -> None:
        """Start another process for one that died, most likely killed for want of memory; its fold is tried once
        more."""
        worker.process.join()
        worker.pipe.close()
        reason = f"its process ended with {worker.process.exitcode}, as it does where memory runs out"
        path = self._work.folder / task.fold_folder
        last = bool(read_failures(path))
        record_failure(path, Failure(reason, diverged=False))
        if last:
            self._tally.fail(number, task, reason)
        else:
            self._progress.say(f"{task} failed ({reason}): trying once more")
            self._waiting.append(task)
        self._workers[number] = _Worker(self._work)


def _end_with_parent() -> None:
    """End at once when the parent is gone, however it went: whoever resumes must not meet an orphan that writes."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _serve(pipe: "Connection[object, object]", work: Work) -> None:
    """What a process does: train the folds that come through the pipe until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(work.config.threads)
    progress = _FoldProgress(lambda text: pipe.send(("say", text)), lambda fraction: pipe.send(("advance", fraction)))
    trainer = FoldTrainer(work, progress)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            task = pipe.recv()
            assert isinstance(task, Task)
            try:
                trainer.run(task)
            except FoldFailedError as error:
                pipe.send(("failed", str(error)))
            except FerError as error:
                pipe.send(("error", error))
            except (BrokenPipeError, ConnectionResetError):
                return
            except Exception:
                pipe.send(("error", traceback.format_exc()))
            else:
                pipe.send(("done", None))
