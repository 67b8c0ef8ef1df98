"""What a network has to beat: classifiers from a textbook on the pixels of the same folds."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.files import write_json
from fercli.data.faceset import FaceSet
from fercli.data.splits import write_split
from fercli.metrics.predictions import Predictions, write_predictions
from fercli.metrics.scores import score
from fercli.workflows.crossval.settings import Baseline
from fercli.workflows.run_folder import RunFolder

#: Principal components that are kept, where there are faces for as many.
_COMPONENTS = 100


def run_baseline(
    name: Baseline, faces: FaceSet, splits: NDArray[np.str_], path: Path, *, seed: int, threads: int
) -> None:
    """Fit a baseline to the training faces of a fold and measure it on the test faces, into a run folder.

    It holds split.csv, predictions.csv and, last, metrics.json; there are no weights. All settings are fixed here.
    """
    from threadpoolctl import threadpool_limits

    train, test = splits == "train", splits == "test"
    with threadpool_limits(threads):
        probabilities = _probabilities(name, faces, train, test, seed)
    folder, measured = RunFolder(path), faces.select(test)
    write_split(folder.split, faces, splits)
    write_predictions(folder.predictions, Predictions(measured.ids, measured.labels, probabilities, faces.classes))
    scores = score(probabilities, measured.labels, faces.classes)
    write_json(folder.metrics, {"test": {"single": scores.to_dict()}})


def _probabilities(
    name: Baseline, faces: FaceSet, train: NDArray[np.bool_], test: NDArray[np.bool_], seed: int
) -> NDArray[np.float64]:
    """One row a test face: all on the class that is predicted, or for 'majority' the fractions in training."""
    labels = faces.labels[train]
    count, classes = int(test.sum()), len(faces.classes)
    if name == "majority":
        fractions = np.bincount(labels, minlength=classes) / len(labels)
        return np.tile(fractions, (count, 1))
    pixels = faces.images.reshape(len(faces), -1).astype(np.float32) / 255
    predicted = _classifier(name, len(labels), seed).fit(pixels[train], labels).predict(pixels[test])
    certain: NDArray[np.float64] = np.eye(classes)[predicted]
    return certain


def _classifier(name: Baseline, faces: int, seed: int) -> Any:
    """Eigenfaces with a support vector machine, as the papers' PCA + SVM is usually meant, or the nearest face."""
    from sklearn.decomposition import PCA
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC

    if name == "nearest":
        return KNeighborsClassifier(1)
    components = PCA(min(_COMPONENTS, faces - 1), whiten=True, random_state=seed)
    return make_pipeline(components, SVC(C=10.0))
