"""Probabilities for every face of a set by a network that was not trained on it, to find suspicious labels with."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.core.config import LoadOptions
from fercli.core.progress import SILENT, Progress
from fercli.workflows.crossval.crossval_folder import choose_folder
from fercli.workflows.crossval.options import CrossvalOptions
from fercli.workflows.crossval.placement import Placement
from fercli.workflows.crossval.run import run_crossval
from fercli.workflows.crossval.settings import resolve_crossval

#: Folds: with five, a network learns from four fifths of the faces, at half the cost of ten.
FOLDS = 5


def predict_out_of_fold(
    data: str,
    root: Path | None = None,
    load_options: LoadOptions | None = None,
    *,
    model: str,
    recipe: str = "quick",
    epochs: int | None = None,
    seed: int = 0,
    out: Path | None = None,
    jobs: int | None = None,
    progress: Progress = SILENT,
) -> NDArray[np.float64]:
    """Cross-validate a network on a set and give each face's probabilities [N, C] by the network that was not trained
    on it, in the set's order.

    `out` is the cross-validation's folder: one that was begun with the same settings is resumed, a finished one
    read again; `jobs` folds train side by side. Raises what a cross-validation raises.
    """
    config = resolve_crossval(
        CrossvalOptions(
            models=(model,), data=data, root=root, load_options=load_options, recipe=recipe, epochs=epochs,
            folds=FOLDS, runs=1, seed=seed,
        )
    )  # fmt: skip
    folder = choose_folder(config, out, force=False)
    (series,) = run_crossval(config, folder, Placement(jobs), progress).series
    probabilities: NDArray[np.float64] = series.probabilities[0]
    return probabilities
