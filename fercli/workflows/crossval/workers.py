"""Folds side by side: processes that train one fold after the other, each with its share of the processor."""

import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from contextlib import suppress
from multiprocessing.connection import Connection, wait

import torch

from fercli.core.errors import FerError
from fercli.workflows.crossval.failures import Failure, FoldFailedError, read_failures, record_failure
from fercli.workflows.crossval.fold import FoldTrainer, Work
from fercli.workflows.crossval.plan import Task
from fercli.workflows.crossval.progress import CrossvalListener, FoldListener
from fercli.workflows.crossval.tally import Tally

#: Spawned on every system: a forked process inherits threads' locks and cannot use CUDA.
_SPAWN = multiprocessing.get_context("spawn")


def train_folds(work: Work, todo: list[Task], jobs: int, listener: CrossvalListener) -> dict[Task, str]:
    """Train every fold that is not complete, `jobs` at a time; the reason of each that broke down twice.

    Raises FerError for what no fold could begin with. Results do not depend on `jobs`.
    """
    tally = Tally(work.folder, todo, listener)
    jobs = min(jobs, len(tally.pending))
    if jobs == 1:
        _here(work, tally, listener)
    elif jobs > 1:
        _side_by_side(work, tally, jobs, listener)
    return tally.failed


def _here(work: Work, tally: Tally, listener: CrossvalListener) -> None:
    """All in this process."""

    class Told(FoldListener):
        def tell(self, kind: str, value: object) -> None:
            listener.say(str(value)) if kind == "say" else tally.share(0, float(str(value)))

    before = torch.get_num_threads()
    torch.set_num_threads(work.config.threads)
    try:
        trainer = FoldTrainer(work, Told())
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


def _side_by_side(work: Work, tally: Tally, jobs: int, listener: CrossvalListener) -> None:
    """Deal the folds out to processes as they get free."""
    waiting = deque(tally.pending)
    workers = [_Worker(work) for _ in range(jobs)]
    said: set[str] = set()
    try:
        for worker in workers:
            worker.give(waiting.popleft())
        while busy := [worker for worker in workers if worker.task]:
            ready = wait([worker.pipe for worker in busy])
            for place, worker in enumerate(workers):
                if worker.task is None or worker.pipe not in ready:
                    continue
                try:
                    kind, value = worker.pipe.recv()
                except (EOFError, ConnectionResetError):
                    workers[place] = _replaced(worker, worker.task, work, waiting, tally, place, listener)
                    continue
                _heard(kind, value, place, worker, tally, listener, said)
            for worker in workers:
                if worker.task is None and waiting:
                    worker.give(waiting.popleft())
    finally:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.process.join()
            worker.pipe.close()


def _heard(
    kind: str,
    value: object,
    place: int,
    worker: _Worker,
    tally: Tally,
    listener: CrossvalListener,
    said: set[str],
) -> None:
    """Take in what a process says of its fold."""
    task = worker.task
    assert task is not None
    if kind == "say" and value not in said:
        said.add(str(value))  # every process says it once
        listener.say(str(value))
    elif kind == "share":
        tally.share(place, float(str(value)))
    elif kind == "done":
        worker.task = None
        tally.finish(place, task)
    elif kind == "failed":
        worker.task = None
        tally.fail(place, task, str(value))
    elif kind == "error":
        raise value if isinstance(value, FerError) else RuntimeError(f"{task}: {value}")


def _replaced(
    worker: _Worker, task: Task, work: Work, waiting: deque[Task], tally: Tally, place: int, listener: CrossvalListener
) -> _Worker:
    """Another process for one that died, most likely killed for want of memory; its fold is tried once more."""
    worker.process.join()
    worker.pipe.close()
    reason = f"its process ended with {worker.process.exitcode}, as it does where memory runs out"
    where = work.folder / task.place
    last = bool(read_failures(where))
    record_failure(where, Failure(reason, diverged=False))
    if last:
        tally.fail(place, task, reason)
    else:
        listener.say(f"{task} failed ({reason}): trying once more")
        waiting.append(task)
    return _Worker(work)


class _Sender(FoldListener):
    """Speaks into a pipe."""

    def __init__(self, pipe: "Connection[object, object]") -> None:
        super().__init__()
        self._pipe = pipe

    def tell(self, kind: str, value: object) -> None:
        self._pipe.send((kind, value))


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
    trainer = FoldTrainer(work, _Sender(pipe))
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
