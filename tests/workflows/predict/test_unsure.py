from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fercli.core.errors import UsageError
from fercli.faces.detection import Detection
from fercli.faces.io.sources import find_sources
from fercli.workflows.predict.job import Stages, predict_sources
from fercli.workflows.predict.unsure import check_share


class Model:
    classes = ("angry", "happy")

    def probabilities(self, faces):
        return np.array([[0.4, 0.6], [0.1, 0.9]], np.float32)


class Detector:
    def find_all(self, pictures):
        return [self.find(picture) for picture in pictures]

    def find(self, picture):
        return [Detection((x, 0.0, x + 20, 20.0), ((5.0, 5.0),) * 5, 0.99) for x in (0.0, 20.0)]


@pytest.mark.parametrize("minimum", [0.0, 0.6])
def test_what_is_sure_enough_keeps_its_name(tmp_path, minimum):
    assert [face.label for face in faces(tmp_path, minimum)] == ["happy", "happy"]


def test_below_the_least_confidence_only_the_name_goes(tmp_path):
    sure = faces(tmp_path, 0.0)
    first, second = faces(tmp_path, 0.61)
    assert (first.label, first.caption) == ("unsure", "1 unsure 60 %")
    assert (first.confidence, first.probabilities) == (sure[0].confidence, sure[0].probabilities)
    assert second == sure[1]


def faces(folder: Path, minimum: float):
    Image.new("RGB", (40, 20)).save(folder / "a.png")
    (result,) = predict_sources(find_sources([folder / "a.png"]), Model(), Detector(), Stages(min_confidence=minimum))
    return result.faces


@pytest.mark.parametrize("minimum", [-0.1, 1.01, 60, float("nan"), float("inf")])
def test_a_share_is_of_0_to_1(minimum):
    check_share(0.0)
    check_share(1.0)
    with pytest.raises(UsageError, match="a share from 0 to 1"):
        check_share(minimum)
