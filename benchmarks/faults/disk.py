"""Commands whose disk is full: a small file system in memory, or a limit on the size of files, in a worker process.

What is there afterwards must be whole: no temporary file, no lock, nothing that cannot be read back.
"""

import io
import json
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from benchmarks.faults.calls import inputs
from fercli.core.errors import FerError


def fill_disk(path: Path) -> list[str]:
    """Run what `draw_disk` drew. Raises FerError with the command's line where it failed as it should."""
    case = json.loads(path.read_bytes())
    out = path.parent / "out"
    out.mkdir()
    words = case["words"].replace("{in}", str(inputs())).replace("{out}", str(out)).split()
    with _room(out, case["room"], case["way"]):
        code, told = run_command([*words, "--device", "cpu"] if words[0] in ("predict", "train", "eval") else words)
        _check_whole(out)
    if code == 0 or (code == 1 and "error:" not in told):
        return []
    errors = [line for line in told.splitlines() if line.startswith("error: ")]
    if code != 2 or len(errors) != 1 or told.splitlines()[-1] != errors[0]:
        raise AssertionError(f"exit code {code}, and it said:\n{told}")
    raise FerError(errors[0])


@contextmanager
def _room(folder: Path, room: int, way: str) -> Iterator[None]:
    """A folder in which only so many bytes find place."""
    if way == "full disk":
        size = max(4096, room // 4096 * 4096)  # tmpfs counts pages; 0 would be no limit
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", "-l", folder], check=True)
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def run_command(words: list[str]) -> tuple[int, str]:
    """`fer WORDS…` in this process: its exit code and what it wrote to standard error."""
    from fercli.cli import console
    from fercli.cli.app import main

    argv, told = sys.argv, io.StringIO()
    sys.argv = ["fer", *words]
    console.set_quiet(False)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(told):
            main()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv = argv
    return code, told.getvalue()


def _check_whole(folder: Path) -> None:
    """Raise AssertionError where something is left that is hidden or not whole."""
    from safetensors import safe_open

    for path in folder.rglob("*"):
        assert not path.name.startswith("."), f"{path.name} is left"
        if path.suffix == ".json" or path.name.endswith(".job"):
            json.loads(path.read_bytes())
        elif path.suffix == ".safetensors":
            with safe_open(path, framework="numpy") as file:
                file.keys()
        elif path.suffix in (".onnx", ".pt2", ".html", ".parquet", ".yaml"):
            assert path.stat().st_size, f"{path.name} is empty"
        elif path.suffix == ".png":
            from PIL import Image

            with Image.open(path) as image:
                image.load()


DISK_CALLS = {"fill_disk": fill_disk}
