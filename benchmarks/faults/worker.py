"""A process that reads damaged files for the campaign, watched from outside, and started again when it dies."""

import multiprocessing
import os
import signal
import sys
import time
import traceback
import warnings
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from benchmarks.faults.containers import PAYLOAD_RAN

#: 'result': it was read; 'refused': FerError in one line; everything else is a failure.
Outcome = Literal["result", "refused", "exception", "message", "warning", "ran code", "died", "hung", "memory"]
FINE: tuple[Outcome, ...] = ("result", "refused")
#: Seconds of processor time, and of wall time where it does nothing, after which a case hangs.
MAX_CPU, MAX_WALL = 10.0, 60.0
#: Bytes above its size when idle that a worker may take.
MAX_MEMORY = 1_500_000_000
#: The longest line of a message.
MAX_LINE = 500
_LEAKS = ("Traceback", "weights_only=False", "set_int_max_str_digits", 'File "/', "\x1b")


@dataclass(frozen=True)
class Reply:
    """How a case ended, with the message or what went wrong, the seconds it took, and the bytes of memory that its
    process took above its size, 0 where that is not known."""

    outcome: Outcome
    text: str
    seconds: float
    memory: int = 0


class Worker:
    """The process and the line to it."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._context = multiprocessing.get_context("spawn")
        self._process: Any = None
        self.restarts = -1

    def run(self, call: str, path: Path, lines: int = 1, cpu: float = MAX_CPU) -> Reply:
        """Let a function of `calls` or `disk` work on a file. Messages may have so many lines."""
        self._start()
        _reset_peak(self._process.pid)
        begun, base = time.monotonic(), _memory(self._process.pid)
        processor = _processor_seconds(self._process.pid)
        try:
            self._line.send((call, str(path), lines))
            while not self._line.poll(0.05):
                if not self._process.is_alive():
                    raise EOFError
                took = _processor_seconds(self._process.pid) - processor
                if took > cpu or time.monotonic() - begun > MAX_WALL + 6 * cpu:
                    return self._kill("hung", f"{took:.0f} s of processor time", begun)
                if (memory := _memory(self._process.pid) - base) > MAX_MEMORY:
                    return self._kill("memory", f"{memory / 1e9:.1f} GB", begun, memory)
            outcome, text = self._line.recv()
            memory = max(0, _peak(self._process.pid) - base)
        except (EOFError, ConnectionError):
            self._process.join()
            told = self._errors.read_text(errors="replace")[-1500:]
            return self._kill("died", f"exit code {self._process.exitcode}: {told}", begun)
        if memory > MAX_MEMORY:
            return self._kill("memory", f"{memory / 1e9:.1f} GB", begun, memory)
        return Reply(outcome, text, time.monotonic() - begun, memory)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    @property
    def _errors(self) -> Path:
        return self._scratch / "worker.err"

    def _start(self) -> None:
        if self._process is not None:
            return
        self.restarts += 1
        self._line, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(theirs, str(self._errors)), daemon=False)
        self._process.start()
        theirs.close()
        self._line.recv()  # it is ready

    def _kill(self, outcome: Outcome, text: str, begun: float, memory: int = 0) -> Reply:
        self.close()
        return Reply(outcome, text, time.monotonic() - begun, memory)


def _memory(process: int) -> int:
    """Bytes of a process in memory; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{process}/statm").read_text().split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def _reset_peak(process: int) -> None:
    """Let the system forget how large a process has been, where it can."""
    with suppress(OSError):
        Path(f"/proc/{process}/clear_refs").write_text("5")


def _peak(process: int) -> int:
    """The most bytes that a process has had in memory since `_reset_peak`; 0 where the system does not say."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


def _processor_seconds(process: int) -> float:
    """Seconds of processor time that a process has used; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _serve(line: Connection, errors: str) -> None:
    """The worker's own loop."""
    import faulthandler

    file = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 2)
    sys.stderr = os.fdopen(file, "w", buffering=1, encoding="utf-8", errors="replace")
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the campaign

    from benchmarks.faults.calls import CALLS
    from benchmarks.faults.disk import DISK_CALLS
    from benchmarks.faults.inputs import make_inputs
    from benchmarks.faults.large import LARGE_CALLS
    from benchmarks.faults.odd_files import ODD_CALLS
    from fercli.models import load

    # parsing the catalogue, which no fault is put into here, takes longer than most cases
    load.load_catalogue = cache(load.load_catalogue)  # type: ignore[assignment]
    calls: dict[str, Any] = {
        **CALLS,
        **DISK_CALLS,
        **LARGE_CALLS,
        **ODD_CALLS,
        "make_inputs": lambda path: make_inputs(path) or [],
    }
    line.send("ready")
    while True:
        try:
            name, path, lines = line.recv()
        except EOFError:
            return
        line.send(attempt(calls[name], Path(path), lines))


def attempt(call: Any, path: Path, lines: int = 1) -> tuple[Outcome, str]:
    """What a call does with a file."""
    from fercli.core.errors import FerError

    outcome: Outcome = "result"
    warned: list[str] = []
    # by this hook rather than catch_warnings, which undoes the filters that the program sets itself
    shows, warnings.showwarning = warnings.showwarning, lambda message, *_, **__: warned.append(str(message))
    try:
        messages = call(path)
    except FerError as error:
        outcome, messages = "refused", [str(error)]
    except BaseException:
        return "exception", traceback.format_exc()
    finally:
        warnings.showwarning = shows
    if Path(PAYLOAD_RAN).exists():
        Path(PAYLOAD_RAN).unlink()
        return "ran code", "a payload was run"
    for message in messages:
        if fault := find_fault(message, lines):
            return "message", f"{fault}: {message[:2000]!r}"
    if warned:
        return "warning", warned[0]
    return outcome, messages[0] if messages else ""


def find_fault(message: str, lines: int = 1) -> str | None:
    """What a message to a user must not be."""
    parts = message.split("\n")
    if not message.strip():
        return "it says nothing"
    if len(parts) > lines:
        return "several lines"
    if any(len(part) > MAX_LINE for part in parts):
        return f"a line of {max(map(len, parts))} characters"
    if leak := next((leak for leak in _LEAKS if leak in message), None):
        return f"it holds {leak!r}"
    return None if all(map(str.isprintable, parts)) else "it is not printable"
