"""A record of what the program does, and a later version held against it: for changes that should change nothing.

usage: python -m benchmarks.behaviour record FOLDER [--photos DIR] [--only PATTERN …]
       python -m benchmarks.behaviour compare FOLDER [--only PATTERN …]

`record` makes the inputs, runs the commands of `cases` on them one after the other and keeps what each says and
writes, as text, below FOLDER/cases, with digests in FOLDER/digests.json. Where FOLDER holds a record already, its
inputs stay and the cases are recorded anew, for changes that are meant. `compare` runs the same commands on the same
inputs, says what differs, and ends with 1 if anything does. Times, versions and the like are taken out first (see
`views`). What a record holds depends on the machine and the libraries: compare where it was made. Five to six minutes
of processor time.
"""

import argparse
import difflib
import fnmatch
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.behaviour.cases import CASES, OLD, Case
from benchmarks.behaviour.inputs import interrupt, make_inputs
from benchmarks.behaviour.views import normalise, view

ROOT = Path(__file__).resolve().parents[2]
#: What a case gave: texts by the names of files.
Outcome = Mapping[str, str]


def environment(scratch: Path) -> dict[str, str]:
    """One thread, no GPU, a cache of its own, and none of the settings of whoever runs it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FER_", "FORCE_COLOR"))}
    paths = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH")]))
    ours = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "COLUMNS": "100", "TZ": "UTC", "PYTHONUTF8": "1"}
    return {**kept, **ours, "FER_CACHE": str(scratch / "cache"), "PYTHONPATH": paths}


def run(case: Case, work: Path) -> Outcome:
    """Run a case in a folder: its exit code, what it said, and each file that it wrote, changed or removed."""
    command = [sys.executable, "-m", case.module, *shlex.split(case.words)]
    standing = states(work)
    stdin = (work / case.stdin).read_bytes() if case.stdin else b""
    try:
        done = subprocess.run(
            command, cwd=work, env=environment(work.parent), input=stdin, capture_output=True, timeout=900
        )
        code, out, err = str(done.returncode), done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        code, out, err = "killed after 900 s", late.stdout or b"", late.stderr or b""
    texts = {"exit.txt": f"{code}\n", "stdout.txt": _lines(out), "stderr.txt": _lines(err)}
    after = states(work)
    for path in sorted({*standing, *after}):
        if standing.get(path) != after.get(path):
            texts[f"files/{path}"] = view(work / path) if path in after else "removed\n"
    folders = {str(work): "<work>", str(work.resolve()): "<work>", str(ROOT): "<package>", sys.prefix: "<python>"}
    return {normalise(name, folders): normalise(text, folders) for name, text in texts.items()}


def _lines(data: bytes) -> str:
    """What was said, without the blanks that fill lines up to a table's width."""
    return "\n".join(line.rstrip(" ") for line in data.decode("utf-8", "backslashreplace").split("\n"))


def states(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below a folder with what changes when it is written."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.stat().st_size) for path in files}


def chosen(patterns: Sequence[str]) -> list[Case]:
    """The cases whose names match one of the patterns, with those whose files they take, in order."""
    names = {case.name for case in CASES if any(fnmatch.fnmatch(case.name, pattern) for pattern in patterns)}
    for case in reversed(CASES):
        if case.name in names and case.after:
            names.add(case.after)
    return [case for case in CASES if case.name in names]


def outcomes(inputs: Path, cases: Sequence[Case]) -> Iterator[tuple[Case, Outcome]]:
    """Run the cases in a copy of the inputs."""
    with TemporaryDirectory() as scratch:
        work = Path(scratch) / "work"
        shutil.copytree(inputs, work)
        for number, case in enumerate(cases, 1):
            before = _processor_seconds()
            yield case, run(case, work)
            spent = _processor_seconds() - before
            print(f"{number}/{len(cases)} {case.name}, {spent:.1f} s of CPU time", file=sys.stderr, flush=True)


def _processor_seconds() -> float:
    """What the processes that have ended took."""
    times = os.times()
    return times.children_user + times.children_system


def prepare(folder: Path, photos: Path | None) -> None:
    """Make the inputs of a record, some of them by the program itself. Ends where it fails to."""
    with TemporaryDirectory() as scratch:
        work = Path(scratch) / "work"
        work.mkdir()
        make_inputs(work, photos)
        for words in OLD:
            print(f"input: fer {words}", file=sys.stderr, flush=True)
            outcome = run(Case("", words), work)
            if outcome["exit.txt"] not in ("0\n", "1\n"):  # 1: some inputs are damaged, as they are meant to be
                sys.exit(outcome["stderr.txt"])
        interrupt(work / "old")
        shutil.copytree(work, folder)


def write(folder: Path, outcome: Outcome) -> None:
    """Keep what a case gave in a folder of its own, in place of what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in outcome.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def read(folder: Path) -> Outcome:
    """What `write` kept."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes().decode("utf-8") for path in files}


def differences(recorded: Outcome, now: Outcome) -> Iterator[str]:
    """A paragraph for each file that differs."""
    for name in sorted({*recorded, *now}):
        if name not in now:
            yield f"{name}: recorded, not there now"
        elif name not in recorded:
            yield f"{name}: there now, not recorded"
        elif recorded[name] != now[name]:
            yield "\n".join([f"{name}:", *short_diff(recorded[name], now[name])])


def short_diff(recorded: str, now: str, most: int = 6, width: int = 110) -> list[str]:
    """The first lines that differ, with their numbers, long ones cut to where they do."""
    lines = []
    before, after = recorded.split("\n"), now.split("\n")
    for tag, first, last, start, end in difflib.SequenceMatcher(None, before, after).get_opcodes():
        if tag == "equal":
            continue
        old, new = before[first:last], after[start:end]
        pairs = zip(old[0], new[0], strict=False) if old and new else ()
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        skip = max(0, same - width // 2)
        for mark, number, block in (("-", first + 1, old), ("+", start + 1, new)):
            lines += [f"  {number + index} {mark} {_cut(line, skip, width)}" for index, line in enumerate(block)]
    return lines if len(lines) <= most else [*lines[:most], f"  … {len(lines) - most} more lines"]


def _cut(line: str, skip: int, width: int) -> str:
    return f"{'…' if skip else ''}{line[skip : skip + width]}{'…' if skip + width < len(line) else ''}"


def record(folder: Path, photos: Path | None, patterns: Sequence[str]) -> None:
    """Run the cases and keep what they give. Ends where photographs come too late."""
    inputs = folder / "inputs"
    if not inputs.is_dir():
        prepare(inputs, photos)
    elif photos is not None:
        sys.exit(f"{inputs} has photographs already: leave --photos out, or name a new folder")
    for case, outcome in outcomes(inputs, chosen(patterns)):
        write(folder / "cases" / case.name, outcome)
    digests = {
        case.name: {name: hashlib.sha256(text.encode()).hexdigest() for name, text in read(path).items()}
        for case in CASES
        if (path := folder / "cases" / case.name).is_dir()
    }
    (folder / "digests.json").write_text(json.dumps(digests, indent=1) + "\n", encoding="utf-8")


def compare(folder: Path, patterns: Sequence[str]) -> int:
    """Run the cases, print what differs, and give the number of cases that do."""
    cases, differing = chosen(patterns), 0
    for case, outcome in outcomes(folder / "inputs", cases):
        found = list(differences(read(folder / "cases" / case.name), outcome))
        if found:
            differing += 1
            print("\n".join([f"{case.name}: {case.command}", *found, ""]), flush=True)
    recorded = json.loads((folder / "digests.json").read_text(encoding="utf-8"))
    gone = [name for name in recorded if name not in {case.name for case in CASES}]
    for name in gone:
        print(f"{name}: recorded, but no case now\n")
    differing += len(gone)
    print(f"{differing} of {len(cases)} cases differ" if differing else f"{len(cases)} cases as recorded")
    return differing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("record", "compare"):
        command = commands.add_parser(name)
        command.add_argument("folder", type=Path)
        command.add_argument("--only", nargs="+", default=["*"], metavar="PATTERN", help="names of cases, as predict-*")
    commands.choices["record"].add_argument("--photos", type=Path, help="a folder of photographs to work on too")
    options = parser.parse_args()
    if not chosen(options.only):
        parser.error(f"no case is named like {' '.join(options.only)}")
    if options.command == "record":
        record(options.folder, options.photos, options.only)
    elif not (options.folder / "digests.json").is_file():
        parser.error(f"{options.folder} holds no record")
    else:
        sys.exit(1 if compare(options.folder, options.only) else 0)


if __name__ == "__main__":
    main()
