"""The kinds of cases whose faults lie in a file: which files, how they are mutated, and what reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.faults.containers import (
    add_payload,
    inside_gzip,
    mutate_faces,
    mutate_onnx,
    mutate_safetensors,
    mutate_zip,
)
from benchmarks.faults.mutate import (
    Mutator,
    mutate_bytes,
    mutate_csv,
    mutate_json,
    mutate_json_lines,
    mutate_text,
    mutate_yaml,
)

_JSON: tuple[Mutator, ...] = (mutate_json, mutate_json, mutate_text, mutate_bytes)
_YAML: tuple[Mutator, ...] = (mutate_yaml, mutate_yaml, mutate_text, mutate_bytes)
_CSV: tuple[Mutator, ...] = (mutate_csv, mutate_csv, mutate_text, mutate_bytes)
#: The mutators of a file by how its name ends; the first that fits.
MUTATORS: tuple[tuple[str, tuple[Mutator, ...]], ...] = (
    (".tar.gz", (mutate_bytes, inside_gzip(mutate_bytes))),
    (".csv.gz", (mutate_bytes, inside_gzip(mutate_csv), inside_gzip(mutate_text))),
    (".zip", (mutate_bytes, mutate_zip, mutate_zip)),
    (".safetensors", (mutate_safetensors, mutate_safetensors, mutate_bytes)),
    (".onnx", (mutate_onnx, mutate_onnx, mutate_bytes)),
    (".pth", (add_payload, mutate_bytes)),
    (".pt", (add_payload, mutate_bytes)),
    (".ckpt", (add_payload, mutate_bytes)),
    (".jsonl", (mutate_json_lines, mutate_text, mutate_bytes)),
    (".json", _JSON),
    (".job", _JSON),
    (".yaml", _YAML),
    (".csv", _CSV),
    (".txt", (mutate_text, mutate_bytes)),
)


@dataclass(frozen=True)
class Kind:
    """Cases of one kind: a file of the folder `inputs` is mutated, and a function of `calls` reads it.

    A whole campaign has so many `cases` of it. `patterns` say which files; `whole` whether the function needs the
    folder's other files too. Messages may have so many `lines`, and the processor so many seconds.
    """

    name: str
    cases: int
    inputs: str
    call: str
    patterns: tuple[str, ...] = ("*",)
    whole: bool = False
    lines: int = 1
    seconds: float = 10.0
    mutators: tuple[Mutator, ...] = ()

    def files(self, folder: Path) -> list[Path]:
        """Its good files below the folder of all inputs."""
        found = (path for pattern in self.patterns for path in (folder / self.inputs).rglob(pattern))
        return sorted({path for path in found if path.is_file()})

    def mutate(self, path: Path, content: bytes, draw: Random) -> bytes:
        """The content with faults; a mutator that cannot read it leaves it to the one of bytes."""
        try:
            return draw.choice(self.mutators or _mutators_of(path.name))(content, draw)
        except Exception:  # libraries cannot write every odd value either
            return mutate_bytes(content, draw)


def _mutators_of(name: str) -> Sequence[Mutator]:
    return next((mutators for ending, mutators in MUTATORS if name.endswith(ending)), (mutate_bytes,))


def _kinds() -> tuple[Kind, ...]:
    from benchmarks.faults.lists import draw_disk, draw_large, draw_odd

    return (
        Kind("pictures", 10_000, "pictures", "predict_file"),
        # four pictures of 100 million pixels take some seconds each
        Kind("large pictures", 12, "lists", "read_large", mutators=(draw_large,), seconds=120.0),
        Kind("archives", 700, "archives", "predict_file"),
        Kind("archives as sets", 700, "archives", "load_set"),
        Kind("tables", 700, "tables", "load_set", ("fer2013*",)),
        Kind("votes", 500, "votes", "load_votes", whole=True),
        Kind("subjects", 500, "tables", "load_subjects", ("subjects.csv",)),
        Kind("face sets", 1000, "faces", "load_set", mutators=(mutate_faces, mutate_safetensors, mutate_bytes)),
        Kind("weights", 700, "weights", "use_model"),
        Kind("ONNX files", 700, "onnx", "use_model"),
        Kind("state dicts", 700, "states", "use_state"),
        # every fault of a catalogue is told, one a line
        Kind("catalogue", 200, "settings", "read_settings", ("models.yaml",), lines=10_000),
        Kind("settings", 500, "settings", "read_settings", ("config.yaml", "crossval.yaml")),
        Kind(
            "interrupted runs",
            60,
            "unfinished",
            "resume_run",
            ("*.json", "split.csv", "config.yaml", "last.ckpt"),
            True,
        ),
        Kind("finished runs", 200, "run", "evaluate_run", ("split.csv", "config.yaml", "*.safetensors"), True),
        Kind("cross-validations", 60, "crossval", "resume_crossval", ("*.json", "*.yaml", "predictions.csv"), True),
        Kind("predictions", 1000, "jobs", "read_rows", ("rows.csv", "rows.jsonl", "rows.json", "rows.parquet")),
        Kind("resumed jobs", 150, "jobs", "resume_job", ("rows.csv", "rows.jsonl", "rows.parquet", "*.job"), True),
        Kind("lists", 60, "lists", "read_list"),
        Kind("films", 300, "films", "predict_file"),
        Kind("odd files", 500, "lists", "open_odd", mutators=(draw_odd,)),
        Kind("full disk", 100, "lists", "fill_disk", mutators=(draw_disk,), seconds=90.0),
    )


KINDS = _kinds()
