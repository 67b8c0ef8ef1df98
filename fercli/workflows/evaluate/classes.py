"""A face set and a network whose classes are not the same, or not in the same order."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fercli.core.errors import DataError
from fercli.data.faceset import FaceSet
from fercli.models.loaded import Model


def logits_among(model: Model, images: NDArray[np.uint8], classes: Sequence[str]) -> NDArray[np.float32]:
    """Logits [N, C] of these classes alone, in this order, for faces [N, 1, 48, 48]."""
    return model.logits(images)[:, [model.classes.index(name) for name in classes]]


def with_classes(faces: FaceSet, model: Model, *, shared: bool = False) -> FaceSet:
    """The faces with labels that index the model's classes, in its order.

    With `shared`, faces of classes that the model does not know are left out, which a note counts, and the classes
    are those that both know. Raises DataError where the classes differ and `shared` is not said, or none is shared.
    """
    both = tuple(name for name in model.classes if name in faces.classes)
    differ = set(faces.classes) != set(model.classes)
    lists = f"{faces.name} has the classes {', '.join(faces.classes)}; {model.name} knows {', '.join(model.classes)}"
    if differ and not shared:
        raise DataError(f"{lists}: --shared-classes measures the {len(both)} that both know")
    if len(both) < 2:
        raise DataError(f"{lists}: {len(both) or 'none'} in common, too few to be measured")
    order = np.array([both.index(name) if name in both else -1 for name in faces.classes], dtype=np.int64)
    labels = order[faces.labels]
    kept = faces.select(labels >= 0).relabel(labels[labels >= 0], both)
    if not differ:
        return kept
    note = (
        f"only the classes that both know, among which alone the network chooses: {', '.join(both)}; "
        f"{len(faces) - len(kept):,} faces of others left out"
    )
    return replace(kept, notes=(*faces.notes, note))
