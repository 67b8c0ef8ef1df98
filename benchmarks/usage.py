"""What a Python command costs: seconds, CPU time and memory."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

#: A process inherits the peak memory of the one that starts it, so a small one stands between.
_WATCH = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
print(json.dumps([code, time.perf_counter() - start, used.ru_utime + used.ru_stime, peak]))
"""


@dataclass(frozen=True)
class Usage:
    """The exit code of a command, its seconds, those of CPU time in all threads, and its peak memory in MB."""

    code: int
    seconds: float
    cpu_seconds: float
    megabytes: float


def run_measured(*words: str, folder: Path | None = None) -> Usage:
    """Run Python with these arguments, in `folder`; what it prints is dropped."""
    told = subprocess.run([sys.executable, "-c", _WATCH, *words], cwd=folder, check=True, capture_output=True)
    return Usage(*json.loads(told.stdout))
