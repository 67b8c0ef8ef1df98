"""The drawn faces of `fercli.data.cartoon` as a data set that needs no files."""

from pathlib import Path

from fercli.core.config import LoadOptions
from fercli.core.progress import ProgressCallback
from fercli.data.cartoon import cartoon
from fercli.data.faceset import FaceSet
from fercli.data.loaders import SETS, DataSet, refuse_detection
from fercli.data.subjects import add_subjects


def load_cartoon(_: Path, options: LoadOptions, __: ProgressCallback) -> FaceSet:
    """The set as every command uses it."""
    refuse_detection(options, "cartoon")
    return add_subjects(cartoon(), options)


SETS.register("cartoon")(
    DataSet(
        summary="700 drawn faces: 20 subjects × 7 expressions × 5, made from a seed; no real people",
        source="built in",
        layout="nothing: no files are needed",
        terms="those of this program",
        load=load_cartoon,
    )
)
