"""What is drawn from lists instead of a file's content: odd files and values for flags, and commands on a full disk."""

import json
import os
import subprocess
import sys
from functools import cache
from random import Random
from tempfile import TemporaryDirectory

#: What takes a path of the user's, by its flag, and the ending that it expects.
READERS = {
    "--model x.safetensors": ".safetensors",
    "--model x.onnx": ".onnx",
    "--model x.pth": ".pth",
    "--pretrained-file x.pth": ".pth",
    "--pretrained-file x.safetensors": ".safetensors",
    "--catalogue": ".yaml",
    "--config": ".yaml",
    "crossval.yaml": ".yaml",
    "--subjects": ".csv",
    "--from-file": ".txt",
    "--resume": ".csv.job",
    **{f"read_predictions x{ending}": ending for ending in (".csv", ".jsonl", ".json", ".parquet")},
}
KINDS = ("pipe", "zero", "folder", "missing", "unreadable name", "endless link", "empty", "sparse 9 GB")
#: Values of --model and --subject-pattern that are no file and no pattern.
MODELS = (
    "https://example.org/net.safetensors", "s3://bucket/net.onnx", "xu", "net.pth", "a\nb", "\x1b[31m", "x" * 5000, "+",
    "~", "net.safetensors", "a/b/c",
)  # fmt: skip
PATTERNS = (
    "(",
    "[a",
    "(?P<subject",
    "*",
    "(?P<subject>x)(?P<subject>y)",
    "\\",
    "(" * 500,
    "a{99999999999}",
    "\x1b(",
    "zzz",
)
#: What is typed, {in} being the good files and {out} the full disk, and the bytes that it writes at most.
COMMANDS = (
    ("predict {in}/pictures --faces-are-cropped -o {out}/rows.csv", 6_000),
    ("predict {in}/pictures --faces-are-cropped -o {out}/rows.jsonl", 10_000),
    ("predict {in}/pictures --faces-are-cropped -o {out}/rows.json", 10_000),
    ("predict {in}/pictures --faces-are-cropped -o {out}/rows.parquet", 20_000),
    ("predict {in}/pictures --faces-are-cropped --annotate {out}/marked", 60_000),
    ("predict {in}/pictures --faces-are-cropped --report {out}/page.html", 60_000),
    ("train --data {in}/faces/faces.safetensors --model lenet --recipe quick --epochs 1 --out {out}/run", 900_000),
    ("eval --model {in}/run --out {out}/figures", 90_000),
    ("export --model {in}/run -o {out}/net.onnx", 400_000),
    ("export --model {in}/run -o {out}/net.pt2", 400_000),
    ("export --model {in}/run -o {out}/net.safetensors", 300_000),
    ("data check {in}/faces/faces.safetensors --group image --csv {out}/rows.csv --sheet {out}/sheet.png", 90_000),
    ("data check {in}/faces/faces.safetensors --group image --fix {out}/fixed.safetensors", 200_000),
)
#: The large pictures, and what reads them.
LARGE = ("a.jpg", "progressive.jpg", "alpha.png", "gray16.png", "a.tif", "palette.png")
WAYS = ("predict", "predict crops", "set", "set with --detect")


def draw_odd(_: bytes, draw: Random) -> bytes:
    """Which reader is given what."""
    kind = draw.randrange(10)
    if kind == 0:
        return json.dumps({"model": draw.choice(MODELS)}).encode()
    if kind == 1:
        return json.dumps({"pattern": draw.choice(PATTERNS)}).encode()
    reader, what = draw.choice(sorted(READERS)), draw.choice(KINDS)
    if reader == "--resume" and what == "unreadable name":
        what = "missing"  # the name of an output is said as it was typed
    return json.dumps({"reader": reader, "what": what}).encode()


def draw_disk(_: bytes, draw: Random) -> bytes:
    """Which command meets which limit."""
    words, most = draw.choice(COMMANDS)
    way = draw.choice(("full disk", "size limit")) if can_mount() else "size limit"
    return json.dumps({"words": words, "room": draw.choice((0, 1, 4096, draw.randint(0, most))), "way": way}).encode()


def draw_large(_: bytes, draw: Random) -> bytes:
    """What reads which large pictures, in a folder or a zip archive."""
    pictures = draw.choices(LARGE, k=draw.randint(3, 6))
    return json.dumps({"way": draw.choice(WAYS), "archive": draw.random() < 0.5, "pictures": pictures}).encode()


@cache
def can_mount() -> bool:
    """Whether a file system in memory can be mounted here, which takes root's rights."""
    return sys.platform == "linux" and os.geteuid() == 0 and _mount_works()


def _mount_works() -> bool:
    with TemporaryDirectory() as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, check=False)
        if done.returncode == 0:
            subprocess.run(["umount", folder], check=True)
    return done.returncode == 0
