"""`fer WORDS…` in a process that is forked from one that has imported the program."""

import atexit
import os
import sys
from collections.abc import Sequence

from fercli.cli.app import main

#: What the commands import when they run.
PRELOAD = (
    "torch", "matplotlib.figure", "matplotlib.backends.backend_agg", "pillow_heif", "pyarrow.parquet", "scipy.stats",
    "sklearn.decomposition", "sklearn.linear_model", "sklearn.metrics", "sklearn.model_selection", "sklearn.pipeline",
    "sklearn.svm", "fercli.cli.crossval", "fercli.cli.data", "fercli.cli.predict", "fercli.cli.train",
    "fercli.workflows.check.run", "fercli.workflows.crossval.run", "fercli.workflows.predict.run",
    "fercli.workflows.train.run",
)  # fmt: skip


def run_as_process(words: Sequence[str], folder: str, errors: str) -> None:
    """Become that command, with a current folder and a file for standard error."""
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 (as long as the process)
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.argv = ["fer", *words]
    try:
        main()
    finally:
        atexit._run_exitfuncs()  # multiprocessing leaves them out
