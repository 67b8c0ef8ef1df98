"""Every benchmark in turn; what they find as JSON and as the tables of docs/performance.md.

usage: python -m benchmarks [--only NAME …] [--json FILE] [--page docs/performance.md]

Each runs in a process of its own: startup, prediction, latency, training, ablation,
time_to_accuracy. FER_DATA says where FER2013 lies; without it the drawn faces are trained on and the time to
an accuracy is left out.
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

PARTS = ("startup", "prediction", "latency", "training", "ablation", "time_to_accuracy")
#: What the tables stand between on the page.
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def run(part: str) -> dict[str, Any]:
    """One part's document, with the seconds that it took. Raises CalledProcessError where it fails."""
    start = time.perf_counter()
    told = subprocess.run([sys.executable, "-m", f"benchmarks.{part}", "--json"], check=True, stdout=subprocess.PIPE)
    return {"part": part, "seconds": round(time.perf_counter() - start), **json.loads(told.stdout)}


def section(document: dict[str, Any]) -> str:
    """A part as Markdown."""
    name, seconds = document["part"], document["seconds"]
    heading = f"### {name.replace('_', ' ').capitalize()}\n\n`python -m benchmarks.{name}`, {seconds} s"
    return f"{heading}\n\n{table(document['rows'])}"


def put(page: Path, text: str) -> None:
    """Replace what stands between the marks of a page. Raises ValueError where they are missing."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{page} lacks the lines {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8", newline="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    parts = [part for part in options.only if part != "time_to_accuracy" or "FER_DATA" in os.environ]
    documents = []
    for part in parts:
        print(f"{part} …", file=sys.stderr, flush=True)
        documents.append(run(part))
        if options.json:  # as it grows: a later part that fails costs none of these
            options.json.write_text(json.dumps(documents, indent=2) + "\n", encoding="utf-8")
    took = sum(document["seconds"] for document in documents)
    text = "\n\n".join([f"{documents[0]['machine']}; {took / 60:.0f} minutes in all.", *map(section, documents)])
    if options.page:
        put(options.page, text)
    print(text)


if __name__ == "__main__":
    main()
