"""Tasks in this process, or side by side in several of this machine."""

import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Generic, TypeVar

from fercli.core.errors import FerError
from fercli.core.progress import Progress
from fercli.runner.tasks import Job, Monitor, TaskFailedError, TaskProgress, Worker

T = TypeVar("T")

#: Spawned on every system: a forked process inherits threads' locks and cannot use CUDA.
_SPAWN = multiprocessing.get_context("spawn")


def run_here(job: Job[T], monitor: Monitor[T], progress: Progress) -> None:
    """All tasks, one after the other, in this process. Raises FerError for what no task could begin with."""
    worker = job.make_worker(job.folder, TaskProgress(progress.say, lambda fraction: monitor.advance(0, fraction)))
    for task in monitor.pending:
        try:
            worker.run(task)
        except TaskFailedError as error:
            monitor.fail(0, task, str(error))
        else:
            monitor.finish(0, task)


def run_in_processes(job: Job[T], monitor: Monitor[T], count: int, progress: Progress) -> None:
    """All tasks, `count` at a time, each process taking one after the other. Raises FerError as `run_here` does."""
    _Pool(job, monitor, count, progress).run()


class _Process(Generic[T]):
    """A process and the task that it has."""

    def __init__(self, job: Job[T]) -> None:
        self.pipe, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=_serve, args=(theirs, job.make_worker, job.folder), daemon=True)
        self.process.start()
        theirs.close()
        self.task: T | None = None

    def give(self, task: T) -> None:
        self.task = task
        # one that has died already says so when it is listened to
        with suppress(BrokenPipeError):
            self.pipe.send(task)


class _Pool(Generic[T]):
    """Deals tasks out to processes as they get free."""

    def __init__(self, job: Job[T], monitor: Monitor[T], count: int, progress: Progress) -> None:
        self._job, self._monitor, self._progress = job, monitor, progress
        self._waiting, self._lost = iter(monitor.pending), deque[T]()
        self._processes = [_Process(job) for _ in range(count)]
        self._lines: set[str] = set()

    def run(self) -> None:
        """Do all tasks that are pending."""
        try:
            self._give_out()
            while busy := [process for process in self._processes if process.task is not None]:
                ready = wait([process.pipe for process in busy])
                for slot, process in enumerate(self._processes):
                    if process.task is not None and process.pipe in ready:
                        self._receive(slot, process, process.task)
                self._give_out()
        finally:
            for process in self._processes:
                process.process.terminate()
            for process in self._processes:
                process.process.join()
                process.pipe.close()

    def _give_out(self) -> None:
        for process in self._processes:
            task = (self._lost.popleft() if self._lost else next(self._waiting, None)) if process.task is None else None
            if task is not None:
                process.give(task)

    def _receive(self, slot: int, process: _Process[T], task: T) -> None:
        """Take in what a process says of its task."""
        try:
            kind, value = process.pipe.recv()
        except (EOFError, ConnectionResetError):
            self._replace(slot, process, task)
            return
        if kind == "say" and value not in self._lines:
            self._lines.add(value)  # every process says it once
            self._progress.say(value)
        elif kind == "advance":
            self._monitor.advance(slot, value)
        elif kind == "done":
            process.task = None
            self._monitor.finish(slot, task)
        elif kind == "failed":
            process.task = None
            self._monitor.fail(slot, task, value)
        elif kind == "error":
            raise value if isinstance(value, FerError) else RuntimeError(f"{task}: {value}")

    def _replace(self, slot: int, process: _Process[T], task: T) -> None:
        """Start another process for one that died, most likely killed for want of memory."""
        process.process.join()
        process.pipe.close()
        reason = f"its process ended with {process.process.exitcode}, as it does where memory runs out"
        if self._monitor.lose(slot, task, reason):
            self._lost.append(task)
        self._processes[slot] = _Process(self._job)


def _end_with_parent() -> None:
    """End at once when the parent is gone, however it went: whoever resumes must not meet an orphan that writes."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _serve(pipe: "Connection[Any, Any]", make_worker: Callable[[Path, Progress], Worker[Any]], folder: Path) -> None:
    """What a process does: the tasks that come through the pipe until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    progress = TaskProgress(lambda text: pipe.send(("say", text)), lambda fraction: pipe.send(("advance", fraction)))
    worker = make_worker(folder, progress)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            task = pipe.recv()
            try:
                worker.run(task)
            except TaskFailedError as error:
                pipe.send(("failed", str(error)))
            except FerError as error:
                pipe.send(("error", error))
            except (BrokenPipeError, ConnectionResetError):
                return
            except Exception:
                pipe.send(("error", traceback.format_exc()))
            else:
                pipe.send(("done", None))
