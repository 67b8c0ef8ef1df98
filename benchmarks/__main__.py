"""Every benchmark in turn; what they find as JSON and as the tables of docs/performance.md.

usage: python -m benchmarks [--only NAME …] [--json FILE] [--page docs/performance.md]

Each runs in a process of its own: startup, prediction, latency, training, time_to_accuracy; and, where --only asks for
it, ablation, which is a question for those who change the code and takes long. FER_DATA says where
FER2013 lies; without it the drawn faces are trained on and the time to an accuracy is left out.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.rows import table

PARTS = ("startup", "prediction", "latency", "training", "time_to_accuracy")
#: Run by themselves, with more turns than the others need: the differences are small.
APART = {"ablation": ("--turns", "6", "--seconds", "4")}


def run(part: str) -> dict[str, Any]:
    """One part's document, with the seconds that it took. Raises CalledProcessError where it fails."""
    start = time.perf_counter()
    command = [sys.executable, "-m", f"benchmarks.{part}", *APART.get(part, ()), "--json"]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return {"part": part, "seconds": round(time.perf_counter() - start), **json.loads(told.stdout)}


def section(document: dict[str, Any]) -> str:
    """A part as Markdown, its heading apart."""
    name, seconds = document["part"], document["seconds"]
    command = " ".join([f"python -m benchmarks.{name}", *APART.get(name, ())])
    return f"`{command}`, {seconds} s on {document['machine']}:\n\n{table(document['rows'])}"


def marks(part: str) -> tuple[str, str]:
    """What a part's table stands between on the page."""
    return f"<!-- begin {part} -->", f"<!-- end {part} -->"


def around(page: Path, part: str) -> tuple[str, str]:
    """What a page has before a part's table and behind it, the marks included. Raises ValueError without them."""
    begin, end = marks(part)
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, mark, after = rest.partition(end)
    if not mark:
        raise ValueError(f"{page} lacks the lines {begin} and {end}")
    return before + begin, end + after


def put(page: Path, part: str, text: str) -> None:
    """Replace what stands between a part's marks on a page. Raises ValueError where they are missing."""
    before, after = around(page, part)
    page.write_text(f"{before}\n{text}\n{after}", encoding="utf-8", newline="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=(*PARTS, *APART), default=PARTS)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    parts = [part for part in options.only if part != "time_to_accuracy" or "FER_DATA" in os.environ]
    try:  # before minutes are spent on what could not be written
        for part in parts if options.page else ():
            around(options.page, part)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    documents = []
    for part in parts:
        print(f"{part} …", file=sys.stderr, flush=True)
        documents.append(run(part))
        if options.json:  # as it grows: a later part that fails costs none of these
            options.json.write_text(json.dumps(documents, indent=2) + "\n", encoding="utf-8")
        if options.page:
            put(options.page, part, section(documents[-1]))
        print(f"### {part}\n\n{section(documents[-1])}\n", flush=True)
    print(f"{sum(document['seconds'] for document in documents) / 60:.0f} minutes in all")


if __name__ == "__main__":
    main()
