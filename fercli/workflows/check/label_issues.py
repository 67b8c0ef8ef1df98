"""Out-of-fold probabilities of a set's faces, for `fer data check --model`: what a network that has not learned from a
face makes of it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.core.config import LoadOptions
from fercli.workflows.crossval.folder import folder_for
from fercli.workflows.crossval.progress import CrossvalListener
from fercli.workflows.crossval.resolve import crossval_settings
from fercli.workflows.crossval.run import crossval

#: Folds: with five, a network learns from four fifths of the faces, at half the cost of ten.
FOLDS = 5


def out_of_fold(
    data: str,
    root: Path | None = None,
    options: LoadOptions | None = None,
    *,
    model: str,
    recipe: str = "quick",
    epochs: int | None = None,
    seed: int = 0,
    out: Path | None = None,
    jobs: int | None = None,
    listener: CrossvalListener | None = None,
) -> NDArray[np.float64]:
    """Cross-validate a network on a set and give each face's probabilities [N, C] by the network that was not trained
    on it, in the set's order.

    `out` is the cross-validation's folder: one that was begun with the same settings is gone on with, a finished one
    read again; `jobs` folds train side by side. Raises what a cross-validation raises.
    """
    config = crossval_settings(
        models=(model,),
        data=data,
        recipe=recipe,
        changes={"root": str(root) if root else None},
        overrides={} if epochs is None else {"epochs": epochs},
        reading=(options or LoadOptions()).model_dump(),
        protocol={"folds": FOLDS, "runs": 1, "seed": seed},
    )
    (series,) = crossval(config, folder_for(config, out, force=False), jobs=jobs, listener=listener).series
    probabilities: NDArray[np.float64] = series.probabilities[0]
    return probabilities
