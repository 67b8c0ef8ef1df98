"""Files that are none, and odd values of flags: pipes, devices, folders, addresses, endings, patterns."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import fercli
from benchmarks.faults.calls import load_subjects, read_list, read_rows, resume_job, small_faces, use_state
from benchmarks.faults.lists import READERS
from fercli.core.config import LoadOptions
from fercli.models.catalogue import load_catalogue
from fercli.workflows.crossval.settings import read_crossval
from fercli.workflows.run_folder import read_config

#: What reads a file, by its flag.
_READ: dict[str, Callable[[Path], object]] = {
    "--model x.safetensors": lambda path: fercli.load_model(str(path)),
    "--model x.onnx": lambda path: fercli.load_model(str(path)),
    "--model x.pth": lambda path: fercli.load_model(str(path)),
    "--pretrained-file x.pth": use_state,
    "--pretrained-file x.safetensors": use_state,
    "--catalogue": load_catalogue,
    "--config": read_config,
    "crossval.yaml": read_crossval,
    "--subjects": load_subjects,
    "--from-file": read_list,
    "--resume": resume_job,
}


def open_odd(path: Path) -> list[str]:
    """Let a reader have what `draw_odd` drew."""
    case = json.loads(path.read_bytes())
    if "model" in case:
        fercli.load_model(case["model"])
    elif "pattern" in case:
        fercli.load_faces(small_faces(), options=LoadOptions(subject_pattern=case["pattern"]))
    else:
        ending, read = READERS[case["reader"]], _READ.get(case["reader"], read_rows)
        odd = path.parent / f"odd{ending}"
        if case["reader"] == "--resume":
            (path.parent / "odd.csv").touch()
            (path.parent / "photos").mkdir()
        read(_make(odd, case["what"]))
    return []


def _make(path: Path, what: str) -> Path:
    """Put something there that is no file as it should be."""
    if what == "pipe":
        os.mkfifo(path)
    elif what == "zero":
        path.symlink_to("/dev/zero")
    elif what == "folder":
        path.mkdir()
    elif what == "unreadable name":
        return path.with_name(f"a\udcff{path.name}")
    elif what == "endless link":
        path.symlink_to(path)
    elif what == "empty":
        path.touch()
    elif what == "sparse 9 GB":
        with path.open("wb") as file:
            file.truncate(9 << 30)
    return path


ODD_CALLS = {"open_odd": open_odd}
