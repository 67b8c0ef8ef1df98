"""The RUN steps of the Dockerfile's build stage, done in a folder instead of a container, and the size of the result.

For machines without Docker. The base image and its size are not part of it. The last step predicts a
portrait, so an install that does not work ends in an error.

usage: python -m benchmarks.container [--folder DIR]
"""

import argparse
import os
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
ENVIRONMENT = "/opt/fer"


def build_steps(text: str) -> tuple[list[str], list[str]]:
    """What the first stage of a Dockerfile copies into its working directory, and the commands that it runs."""
    stage = re.split(r"^FROM ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE)[1]
    lines = re.sub(r"\\\n\s*", "", stage).splitlines()
    copied = [name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]]
    return copied, [line.removeprefix("RUN ") for line in lines if line.startswith("RUN ")]


def folder_megabytes(folder: Path) -> float:
    """The size of all files in a folder, links not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where to build, kept; default: a temporary folder")
    options = parser.parse_args()
    copied, commands = build_steps((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    with TemporaryDirectory() as temporary:
        work = options.folder or Path(temporary)
        source, target = work / "src", work / "fer"
        source.mkdir(parents=True)
        for name in copied:
            whole = (ROOT / name).is_dir()
            (shutil.copytree if whole else shutil.copy)(ROOT / name, source / name)
        surroundings = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "FER_"))}
        for command in commands:
            print("+", command, flush=True)
            subprocess.run(
                command.replace(ENVIRONMENT, str(target)), shell=True, cwd=source, env=surroundings, check=True
            )
        print(f"{folder_megabytes(target):.0f} MB in {ENVIRONMENT}; of these, in MB:")
        (packages,) = target.glob("lib/python*/site-packages")
        sizes = {path.name: folder_megabytes(path) for path in packages.iterdir() if path.is_dir()}
        print({name: round(size) for name, size in sorted(sizes.items(), key=lambda item: -item[1]) if size > 20})


if __name__ == "__main__":
    main()
