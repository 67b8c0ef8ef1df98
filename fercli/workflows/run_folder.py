"""A run folder: which files it holds, where the next one goes, which one to resume. And what a run records of where it
was made: versions, commit, command line."""

import csv
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml

import fercli
from fercli.core.config import RunConfig, parse_config
from fercli.core.errors import RunError
from fercli.core.files import read_yaml, write_text, written_whole
from fercli.core.lock import hold_lock, lock_path
from fercli.core.progress import EpochRow
from fercli.models.locate import RUN_METRICS, RUN_WEIGHTS

RUNS = Path("runs")

_LIBRARIES = (
    "torch",
    "torchvision",
    "numpy",
    "scikit-learn",
    "facenet-pytorch",
    "opencv-python",
    "pillow",
    "onnx",
    "onnxscript",
    "onnxruntime",
)


class RunFolder:
    """The paths of one run. It is complete when metrics.json exists, which is written last."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.meta = path / "meta.json"
        self.split = path / "split.csv"
        self.weights = path / RUN_WEIGHTS
        self.checkpoint = path / "last.ckpt"
        self.history = path / "history.csv"
        self.predictions = path / "predictions.csv"
        self.metrics = path / RUN_METRICS
        self.curves = path / "curves.png"
        self.confusion = path / "confusion.png"

    @property
    def complete(self) -> bool:
        """Whether the run came to its end."""
        return self.metrics.is_file()

    def clear(self) -> None:
        """Remove what an earlier run left: it would be taken for this one's, by --resume above all."""
        for file in vars(self).values():
            if file != self.path:
                file.unlink(missing_ok=True)

    def read_config(self) -> RunConfig:
        """The run's settings. Raises RunError where the folder is no run, UsageError where they are damaged."""
        return read_config(self.config)

    def write_config(self, config: RunConfig) -> None:
        """Write every setting, in the order of the schema."""
        write_text(self.config, yaml.safe_dump(config.to_document(), sort_keys=False, allow_unicode=True))

    def write_history(self, rows: Iterable[EpochRow]) -> None:
        """Write history.csv anew, a row an epoch."""
        with (
            written_whole(self.history) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            table = csv.DictWriter(file, [field.name for field in fields(EpochRow)], lineterminator="\n")
            table.writeheader()
            table.writerows(asdict(row) for row in rows)


def read_config(path: Path) -> RunConfig:
    """Settings from a config.yaml. Raises RunError where there is none, UsageError where it is damaged."""
    return parse_config(read_yaml(path, "the settings"), str(path))


@contextmanager
def hold_new_run(config: RunConfig, out: Path | None, force: bool) -> Iterator[RunFolder]:
    """Be the only process that writes a folder for a new run: `out`, else runs/<time>_<model>_<data>.

    Raises RunError where `out` holds something already and `force` is not set, UsageError where another process writes
    it.
    """
    path = out or name_new_folder(config.model, config.data)
    with hold_lock(path):
        if out is not None:
            _check_free(out, force)
        yield RunFolder(path)


def name_new_folder(what: str, data: str) -> Path:
    """A path in runs/ for something that is begun now on this set, a name or a path. No one uses it yet."""
    name = re.sub(r"[^\w.-]+", "-", Path(data).name or data)
    stem = RUNS / f"{datetime.now():%Y%m%d-%H%M%S}_{what}_{name}"
    return next(path for path in _numbered(stem) if not path.exists() and not lock_path(path).exists())


def _check_free(out: Path, force: bool) -> None:
    if out.is_file():
        raise RunError(f"--out {out} is a file: name a folder")
    if out.is_dir() and any(out.iterdir()) and not force:
        hint = f"fer train --resume --out {out} continues it, " if (out / "config.yaml").is_file() else ""
        raise RunError(f"{out} is not empty: {hint}--force writes over it, another --out leaves it alone")


def _numbered(path: Path) -> Iterable[Path]:
    yield path
    number = 2
    while True:
        yield path.with_name(f"{path.name}-{number}")
        number += 1


def unfinished_run(out: Path | None) -> RunFolder:
    """The run to resume: `out`, else the newest unfinished one in runs/. Raises RunError where there is none."""
    if out is not None:
        if not (out / "config.yaml").is_file():
            raise RunError(f"nothing to resume in {out}: it has no config.yaml (leave --resume out to begin there)")
        return RunFolder(out)
    configs = sorted(RUNS.glob("*/config.yaml"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in configs:
        if not RunFolder(file.parent).complete:
            return RunFolder(file.parent)
    raise RunError(f"no unfinished run in {RUNS.resolve()}: --resume --out FOLDER names one, or leave --resume out")


def versions() -> dict[str, str]:
    """Versions of this project, Python and the libraries that shape a result."""
    installed = {"fercli": fercli.__version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            installed[library] = version(library)
        except PackageNotFoundError:
            continue
    return installed


def git_commit() -> str | None:
    """The commit of the checkout this code runs from, with '+changes' where it is not clean; None elsewhere."""
    here = Path(fercli.__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(here), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        # a package installed into some other project's checkout is not that project
        if not git("ls-files", "--", "__init__.py"):
            return None
        return git("rev-parse", "HEAD") + (
            "+changes" if git("status", "--porcelain", "--", ".", "../models.yaml") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return None


def command_line() -> str:
    """What was typed after `fer`."""
    return shlex.join(["fer", *sys.argv[1:]])
