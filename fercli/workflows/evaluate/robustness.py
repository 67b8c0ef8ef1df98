"""What `fer eval --corrupt` adds: the same faces corrupted in named ways, and how well a network does on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.core.progress import ProgressCallback, no_progress
from fercli.data.faceset import FaceSet
from fercli.data.quality.contact_sheet import Section, Tile, write_contact_sheet
from fercli.data.quality.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from fercli.metrics.calibration import softmax
from fercli.metrics.predictions import Predictions
from fercli.metrics.robustness import CorruptedScores, plot_corrupted, score_corrupted, write_corrupted
from fercli.metrics.scores import Scores, score
from fercli.models.load import Model
from fercli.workflows.evaluate.data import select_logits

#: What a measurement leaves in a folder.
ROBUSTNESS_FILES = ("corruptions.csv", "corruptions.png", "corruptions-faces.png")
#: Faces that the sheet shows, each as it is and at three strengths, so three rows of four stand beside each other.
_SHOWN = 3


@dataclass(frozen=True)
class Robustness:
    """The figures on the clean faces and on those of every corruption and strength, and a few faces of each as the
    network saw them."""

    clean: Scores
    rows: tuple[CorruptedScores, ...]
    sheet: tuple[Section, ...]

    def to_list(self) -> list[dict[str, Any]]:
        """The figures, as JSON takes them."""
        return [row.to_dict() for row in self.rows]

    def save(self, folder: Path, title: str) -> None:
        """Write the table, the plot and a sheet of faces into a folder."""
        table, plot, sheet = (folder / name for name in ROBUSTNESS_FILES)
        write_corrupted(table, self.rows)
        plot_corrupted(self.clean, self.rows, plot, title)
        write_contact_sheet(sheet, self.sheet)


def measure_robustness(
    model: Model, faces: FaceSet, clean: Predictions, names: Sequence[str], progress: ProgressCallback = no_progress
) -> Robustness:
    """Measure a network on faces with each of these CORRUPTIONS.

    `clean` are its predictions on the faces as they are. Chance is drawn from one seed: figures repeat.
    """
    shown = _shown(faces.labels)
    rows, sheet = [], []
    for number, name in enumerate(names):
        tiles = [[Tile(face[0], ("as it is",))] for face in faces.images[shown]]
        for index, strength in enumerate(STRENGTHS):
            progress(number * len(STRENGTHS) + index, len(names) * len(STRENGTHS), "measuring corruptions")
            amount = CORRUPTIONS[name].amount(strength)
            images = corrupt(faces.images, name, strength)
            probabilities = softmax(select_logits(model, images, faces.classes), model.temperature)
            rows.append(score_corrupted((name, strength, amount), clean, probabilities))
            for row, face in zip(tiles, images[shown], strict=True):
                row.append(Tile(face[0], (strength, amount)))
        sheet.append(Section(f"{name}: {CORRUPTIONS[name].about}", tuple(map(tuple, tiles))))
    progress(len(rows), len(rows), "measuring corruptions")
    return Robustness(score(clean.probabilities, clean.labels, clean.classes), tuple(rows), tuple(sheet))


def _shown(labels: NDArray[np.int64]) -> list[int]:
    """The first face of a few classes, spread over those that there are."""
    firsts = np.unique(labels, return_index=True)[1]
    return [int(firsts[index]) for index in np.unique(np.linspace(0, len(firsts) - 1, _SHOWN).round().astype(int))]
