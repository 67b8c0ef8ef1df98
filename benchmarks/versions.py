"""Tries the versions that pyproject.toml promises: the lowest and the newest of each library, on each Python.

    python -m benchmarks.versions [--python 3.11 3.12 3.13] [--resolution lowest-direct highest] [--tests FOLDER …]

Needs uv (pip install uv), and about 6 GB of space for each pair while its turn lasts. For each pair it makes an empty
environment, installs the libraries that this project names, the extras of the tests included, then runs tests and
`fer predict --demo` in it. A row of a Markdown table says what came of it, and the output of what failed follows it.
"""

import argparse
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
#: The tests that are run where none are named: what each library is used for, in some minutes.
CORE = ("tests/core", "tests/models", "tests/metrics", "tests/cli/test_console.py", "tests/cli/test_predict_output.py")
#: The libraries whose versions are in the table.
SHOWN = ("torch", "numpy", "onnxruntime", "typer")
#: Old versions use what newer ones of the libraries below them are about to remove. That is not ours to mend.
_OLD = ("-W", "ignore::DeprecationWarning", "-W", "ignore::PendingDeprecationWarning")


@dataclass(frozen=True)
class Trial:
    """What came of one pair. `said` is the output of the step that failed, '' where all went well."""

    python: str
    resolution: str
    versions: str
    tests: str
    seconds: float
    said: str = ""

    def row(self) -> str:
        """A row of the table."""
        return f"| {self.python} | {self.resolution} | {self.versions} | {self.tests} | {self.seconds / 60:.0f} min |"


def run_step(command: Sequence[object], **options: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the repository, its output and errors in one text."""
    return subprocess.run(
        [str(word) for word in command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False, **options,
    )  # fmt: skip


def try_versions(python: str, resolution: str, tests: Sequence[str], folder: Path) -> Trial:
    """Install and test one pair in an empty environment below `folder`."""
    begin = time.perf_counter()
    inside = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    with_python = ("--python", inside / "python")
    uv = shutil.which("uv") or sys.exit("uv is not there: pip install uv")
    # a version without a wheel for this Python would be built from source, which is no one's choice
    named = ("--resolution", resolution, "--only-binary", ":all:", "-r", "pyproject.toml", "--extra", "test")
    old = _OLD if resolution.startswith("lowest") else ()
    steps: tuple[tuple[str, tuple[object, ...]], ...] = (
        ("no such Python here", (uv, "venv", "--quiet", "--python", python, folder / "env")),
        ("not installed", (uv, "pip", "install", "--quiet", *with_python, *named)),
        ("not installed", (uv, "pip", "install", "--quiet", *with_python, "--no-deps", ".")),
        ("tests failed", (inside / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *old, *tests)),
        ("fer predict --demo failed", (inside / "fer", "predict", "--demo")),
    )
    passed, versions = "", "–"
    for fault, command in steps:
        done = run_step(command)
        if "pytest" in command:
            python = run_step((inside / "python", "-V")).stdout.split()[-1]
            versions = ", ".join(_list_versions(inside / "python"))
            passed = _last_line(done.stdout)
        if done.returncode:
            what = f"{fault}: {passed}" if "tests" in fault else fault
            return Trial(python, resolution, versions, what, time.perf_counter() - begin, done.stdout)
    return Trial(python, resolution, versions, passed, time.perf_counter() - begin)


def _list_versions(python: Path) -> Iterator[str]:
    """'numpy 1.26.0' of each library that is shown."""
    code = "import sys, importlib.metadata as m; print(*(m.version(name) for name in sys.argv[1:]))"
    found = run_step((python, "-c", code, *SHOWN)).stdout.split()
    yield from (f"{name} {version.partition('+')[0]}" for name, version in zip(SHOWN, found, strict=False))


def _last_line(text: str) -> str:
    """pytest's closing line without its time: '12 passed, 1 skipped'."""
    counts = re.findall(r"\d+ (?:passed|failed|errors?|skipped)", (text.strip().splitlines() or [""])[-1])
    return ", ".join(counts) or "no test was run"


def main() -> None:
    """Try each pair in turn. The exit code is 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", nargs="+", default=["3.11", "3.12", "3.13"], help="versions, or paths of programs")
    parser.add_argument("--resolution", nargs="+", default=["lowest-direct", "highest"], help="as uv calls them")
    parser.add_argument("--tests", nargs="+", default=list(CORE), help="what pytest is given")
    options = parser.parse_args()
    print("| Python | versions | among them | tests | time |\n|---|---|---|---|---|", flush=True)
    failed = []
    for python in options.python:
        for resolution in options.resolution:
            with TemporaryDirectory(prefix="versions-") as folder:
                trial = try_versions(python, resolution, options.tests, Path(folder))
            print(trial.row(), flush=True)
            if trial.said:
                failed.append(trial)
    for trial in failed:
        print(f"\nPython {trial.python}, {trial.resolution}:\n{trial.said}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
