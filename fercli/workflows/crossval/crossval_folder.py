"""A cross-validation's folder: which files it holds, and when it may be resumed."""

import shutil
from pathlib import Path

from fercli.core.errors import RunError
from fercli.core.lock import hold_lock
from fercli.workflows.crossval.settings import CrossvalConfig, read_crossval
from fercli.workflows.run_folder import RUNS, name_new_folder

#: The tables beside the folds, each as csv, Markdown and LaTeX; which are there depends on the settings.
TABLES = ("accuracy", "differences", "gap", "papers")
ENDINGS = (".csv", ".md", ".tex")


class CrossvalFolder:
    """The paths of one cross-validation. It is complete when crossval.json exists, which is written last.

    Folds are run folders at <grouping>/<method>/run-01/fold-01.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "crossval.yaml"
        self.meta = path / "meta.json"
        self.folds = path / "folds.json"
        self.report = path / "results.md"
        self.results = path / "crossval.json"

    @property
    def started(self) -> bool:
        """Whether there are settings to continue with."""
        return self.config.is_file()

    @property
    def complete(self) -> bool:
        """Whether all folds are pooled."""
        return self.results.is_file()


def choose_folder(config: CrossvalConfig, out: Path | None, force: bool) -> CrossvalFolder:
    """The folder to work in: `out`, begun with the same settings or new, else a new one in runs/.

    Raises RunError where `out` was begun with other settings, naming them, and `force` does not start it over, or
    where it holds something else.
    """
    if out is None:
        names = "+".join(model.model for model in config.models)
        return CrossvalFolder(name_new_folder(f"crossval_{names}", config.models[0].data))
    folder = CrossvalFolder(out)
    if out.is_file():
        raise RunError(f"--out {out} is a file: name a folder")
    if force and folder.started:
        with hold_lock(out):
            clear(folder)
    elif folder.started:
        if differences := read_crossval(folder.config).differences(config):
            raise RunError(
                f"{out} was begun with other settings ({'; '.join(differences)}): leave them out to continue it, "
                "--force starts it over, another --out leaves it alone"
            )
    elif out.is_dir() and any(out.iterdir()):
        raise RunError(f"{out} is not empty and no cross-validation: name another --out")
    return folder


def clear(folder: CrossvalFolder) -> None:
    """Remove what a cross-validation wrote, folds and tables included; other files stay."""
    folder.results.unlink(missing_ok=True)
    for grouping in ("image", "subject"):
        if (folder.path / grouping).is_dir():
            shutil.rmtree(folder.path / grouping)
    for table in TABLES:
        for ending in ENDINGS:
            (folder.path / table).with_suffix(ending).unlink(missing_ok=True)
    # the settings last: until they are gone, this is a cross-validation that can be started over
    for file in (folder.report, folder.meta, folder.folds, folder.config):
        file.unlink(missing_ok=True)


def unfinished_crossval(out: Path | None) -> CrossvalFolder:
    """The cross-validation to resume: `out`, else the newest unfinished one in runs/. Raises RunError for none."""
    if out is not None:
        if not CrossvalFolder(out).started:
            raise RunError(f"nothing to resume in {out}: it has no crossval.yaml (leave --resume out to begin there)")
        return CrossvalFolder(out)
    configs = sorted(RUNS.glob("*/crossval.yaml"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in configs:
        if not CrossvalFolder(file.parent).complete:
            return CrossvalFolder(file.parent)
    raise RunError(
        f"no unfinished cross-validation in {RUNS.resolve()}: --resume --out FOLDER names one, or leave --resume out"
    )
