"""The options of `fer eval`: each with its default, once for the command and for Python."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fercli.core.errors import UsageError

if TYPE_CHECKING:
    from fercli.core.config import LoadOptions


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """Everything that `fer eval` can be told. The names are those of the flags."""

    #: as fercli.models.load.load_model takes it
    model: str | None = None
    #: a named set or a path; None is the data of the network's own training
    data: str | None = None
    #: where named sets lie
    root: Path | None = None
    #: how the set is read; None is as for training where the data are the training's own, else plainly
    load_options: "LoadOptions | None" = None
    #: of a set with other classes, measure those that the network knows too
    shared_classes: bool = False
    #: which split; None is test where there is one, else val, and all of a set that has no split of its own and that
    #: the network was not trained on
    split: Literal["test", "val", "train", "spare", "all"] | None = None
    #: average each face with its mirror image
    tta: bool = False
    #: names of fercli.data.quality.corruptions.CORRUPTIONS: ways to corrupt the faces, which are measured so too
    corruptions: tuple[str, ...] = ()
    #: compare with the figures of the network's paper
    paper: bool = False
    #: measure the accuracy on the faces with the highest confidence
    coverage: bool = False
    #: columns of `groups`, or 'subject': figures for each of their values too
    by: tuple[str, ...] = ()
    #: a csv file that says of each face, by its file name, what groups it belongs to
    groups: Path | None = None
    #: the folder for the files of the evaluation
    out: Path | None = None
    device: str = "auto"
    #: replace what exists
    force: bool = False

    def __post_init__(self) -> None:
        if self.groups is not None and not self.by:
            raise UsageError(f"--groups {self.groups}: --by COLUMN says which of its columns has the groups")
