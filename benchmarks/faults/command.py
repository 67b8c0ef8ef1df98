"""`fer WORDS…` in a process that is forked from one that has imported this module, and with it the program."""

import atexit
import os
import sys
from collections.abc import Sequence

import torch  # noqa: F401

import fercli.workflows.check.run
import fercli.workflows.crossval.run
import fercli.workflows.predict.run
import fercli.workflows.train.run  # noqa: F401
from fercli.cli.app import main


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
