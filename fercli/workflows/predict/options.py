"""The options of `fer predict`: each with its default and its check, once for the command and for Python."""

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TypedDict, get_args

from fercli.core.engine import Engine
from fercli.core.errors import UsageError
from fercli.faces.io.stores import is_address, restore_address
from fercli.workflows.predict.output import Form, form_of

#: The longest time to smooth over, in seconds: frames wait in memory for half of it.
MAX_SMOOTH = 5.0

Setting = str | int | float | bool | None

#: Marks an option that the rows of a picture do not depend on: `--resume` continues with another value of it.
SAME_ROWS = {"changes_rows": False}


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """Everything that a job of `fer predict` can be told, beside its inputs.

    Raises UsageError for values that make no sense, alone or together. The names are those of the flags.
    """

    #: average each face with its mirror image
    tta: bool = True
    #: leave out the calibration of the confidence
    raw: bool = False
    #: take each picture for one face and search for none
    faces_are_cropped: bool = False
    #: the smallest face that is searched for, in pixels
    min_face: float = 20
    #: search larger pictures as if their longer side were scaled down to this, in pixels; 0: never
    max_side: int = 1920
    #: how sure the detector must be that something is a face, 0 to 1
    threshold: float = 0.7
    #: classify the largest faces of each picture or frame only, so many; 0: all
    max_faces: int = 0
    #: sample frames of videos that are at least so many seconds apart; 0: all frames
    every: float = 0.2
    #: average the expressions of a person in a video over so many seconds; 0: not at all
    smooth: float = 0.0
    #: label faces 'unsure' whose confidence is below this, 0 to 1
    min_confidence: float = 0.0
    #: as fercli.models.load.load_model takes it; a resumed job compares its weights, not its name
    model: str | None = field(default=None, metadata=SAME_ROWS)
    device: str = field(default="auto", metadata=SAME_ROWS)
    #: what runs the networks: ONNX Runtime (onnx, on the CPU), PyTorch (torch), or auto
    engine: Engine = field(default="auto", metadata=SAME_ROWS)
    #: look into the folders within folders too
    recursive: bool = field(default=False, metadata=SAME_ROWS)
    #: a text file with a path on each line, '-' for standard input
    from_file: Path | None = field(default=None, metadata=SAME_ROWS)
    #: the file for the rows; its ending says in which form
    output: Path | None = field(default=None, metadata=SAME_ROWS)
    #: work on one shard of the pictures, 'I/N', into a file of its own beside `output`
    shard: str | None = field(default=None, metadata=SAME_ROWS)
    #: the folder for annotated pictures and videos
    annotate: Path | None = field(default=None, metadata=SAME_ROWS)
    #: the folder for Grad-CAM pictures
    explain: Path | None = field(default=None, metadata=SAME_ROWS)
    #: the HTML file for a report
    report: Path | None = field(default=None, metadata=SAME_ROWS)
    #: the folder for the faces as pictures of 48×48 pixels
    save_crops: Path | None = field(default=None, metadata=SAME_ROWS)
    #: the .parquet or .npz file for what the network knows of each face
    embeddings: Path | None = field(default=None, metadata=SAME_ROWS)
    #: the .csv file for a row a person of a video
    by_person: Path | None = field(default=None, metadata=SAME_ROWS)
    #: continue the job that began `output`
    resume: bool = field(default=False, metadata=SAME_ROWS)
    #: replace what exists
    force: bool = field(default=False, metadata=SAME_ROWS)

    def __post_init__(self) -> None:
        self._check_ranges()
        self._check_combinations()

    def _check_ranges(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            hint = f" ({self.min_confidence / 100:g} for {self.min_confidence:g} %)"
            raise UsageError(
                f"--min-confidence {self.min_confidence:g}: it must be from 0 to 1"
                f"{hint if 1 < self.min_confidence <= 100 else ''}"
            )
        if self.engine not in get_args(Engine):
            raise UsageError(f"no engine '{self.engine}': it is {', '.join(get_args(Engine))}")
        if self.max_faces < 0:
            raise UsageError(f"--max-faces {self.max_faces}: 1 or more, or 0 for all faces")
        if not 0 <= self.every < math.inf:
            raise UsageError(f"--every {self.every:g}: seconds, 0 or more")
        if not 0 <= self.smooth <= MAX_SMOOTH:
            raise UsageError(f"--smooth {self.smooth:g}: 0 to {MAX_SMOOTH:g} seconds")

    def _check_combinations(self) -> None:
        usual = (PredictOptions.min_face, PredictOptions.max_side, PredictOptions.threshold)
        if self.faces_are_cropped and (self.min_face, self.max_side, self.threshold) != usual:
            raise UsageError("--faces-are-cropped searches nothing: leave --min-face, --max-side and --threshold out")
        if self.explain and self.engine == "onnx":
            raise UsageError("--explain computes gradients, which --engine onnx has not: leave one out")
        if self.embeddings and self.engine == "onnx":
            raise UsageError("--embeddings looks into the network, which --engine onnx cannot: leave one out")
        if self.embeddings and self.resume:
            raise UsageError(
                "--embeddings is written whole, at the end, and cannot be resumed: leave it out, or start over with "
                "--force in place of --resume"
            )
        if self.output and is_address(self.output):
            raise UsageError(f"--output {restore_address(str(self.output))}: write to a file on this machine")
        form = self.form
        if self.resume and self.force:
            raise UsageError("--resume continues what --force would start over: leave one out")
        if self.resume and not self.can_resume:
            why = ": a JSON document is written whole, at its end" if form == "json" else ""
            raise UsageError(f"--resume needs an --output FILE.csv, .jsonl or .parquet{why}")
        if self.shard and not self.can_resume:
            raise UsageError(f"--shard {self.shard} needs an --output FILE.csv, .jsonl or .parquet")
        if self.shard and self.besides:
            raise UsageError(f"--shard writes rows alone: leave {' and '.join(self.besides)} out")
        if self.annotate and self.explain and self.annotate.resolve() == self.explain.resolve():
            raise UsageError(f"--annotate and --explain name the same folder, {self.annotate}: use two")

    @property
    def form(self) -> Form | None:
        """What `output` is written as; None without an output. Raises UsageError for an unknown ending."""
        return form_of(self.output) if self.output else None

    @property
    def can_resume(self) -> bool:
        """Whether the output grows while the job runs, so that an interrupted job can be resumed."""
        return self.form not in (None, "json")

    @property
    def draws(self) -> bool:
        """Whether pictures, a report or embeddings are wanted besides the rows."""
        return bool(self.annotate or self.explain or self.report or self.save_crops or self.embeddings)

    @property
    def besides(self) -> list[str]:
        """The flags of what is drawn or saved besides the rows."""
        names = ("annotate", "explain", "report", "save_crops", "embeddings", "by_person")
        return [f"--{name.replace('_', '-')}" for name in names if getattr(self, name)]

    @property
    def writes(self) -> bool:
        """Whether any file is wanted."""
        return bool(self.output or self.besides)

    @property
    def needs_pytorch(self) -> bool:
        """Whether something is wanted that only PyTorch can tell of a network."""
        return bool(self.explain or self.embeddings)

    def resume_key(self) -> dict[str, Setting]:
        """The options that change rows, by the names of their flags: a job is resumed with the same ones only."""
        return {
            each.name.replace("_", "-"): getattr(self, each.name)
            for each in fields(self)
            if each.metadata.get("changes_rows", True)
        }


class PredictKeywords(TypedDict, total=False):
    """The fields of `PredictOptions` that `fercli.predict` and `fercli.predict_files` take by keyword."""

    tta: bool
    raw: bool
    faces_are_cropped: bool
    min_face: float
    max_side: int
    threshold: float
    max_faces: int
    every: float
    smooth: float
    min_confidence: float
    model: str | None
    device: str
    engine: Engine
    recursive: bool
