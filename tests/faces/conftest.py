"""A portrait from matplotlib's sample data, and a detector shared by all tests."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.cbook import get_sample_data
from numpy.typing import NDArray

from fercli.faces.io.decode import read_picture
from fercli.faces.mtcnn.detector import Detector


@pytest.fixture(scope="session")
def portrait() -> NDArray[np.uint8]:
    return read_picture(Path(get_sample_data("grace_hopper.jpg", asfileobj=False)))


@pytest.fixture(scope="session")
def detector() -> Detector:
    return Detector()
