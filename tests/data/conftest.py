"""Small face sets as files, and a cache of their own for every test."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from matplotlib.cbook import get_sample_data
from PIL import Image

from fercli.data.faceset import FaceSet

Row = tuple[object, object, object]


def pixels(number: int) -> str:
    """A csv row's pixels, different for every number."""
    values = np.random.default_rng(number).integers(0, 256, 48 * 48)
    return " ".join(map(str, values.tolist()))


@pytest.fixture
def rows() -> list[Row]:
    """Twelve rows of emotion, pixels and usage, with all usages."""
    usages = ["Training"] * 8 + ["PublicTest"] * 2 + ["PrivateTest"] * 2
    return [(number % 7, pixels(number), usage) for number, usage in enumerate(usages)]


@pytest.fixture
def write_csv() -> Callable[..., Path]:
    def write(path: Path, rows: Sequence[Row], end: str = "\n") -> Path:
        lines = ["emotion,pixels,Usage", *(",".join(map(str, row)) for row in rows)]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((end.join(lines) + end).encode())
        return path

    return write


@pytest.fixture
def draw() -> Callable[..., Path]:
    """Writes a gray picture of noise, 48×48 unless told otherwise."""

    def write(path: Path, number: int = 0, size: tuple[int, int] = (48, 48)) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 256, (size[1], size[0]), dtype=np.uint8)
        Image.fromarray(noise).save(path)
        return path

    return write


@pytest.fixture
def make_set() -> Callable[..., FaceSet]:
    """A face set of given labels, black, with ids f000, f001, …"""

    def make(
        labels: Sequence[int], subjects: Sequence[str] | None = None, splits: Sequence[str] | None = None
    ) -> FaceSet:
        return FaceSet(
            name="made",
            images=np.zeros((len(labels), 1, 48, 48), np.uint8),
            labels=np.array(labels, np.int64),
            classes=tuple("abcdefg"),
            ids=tuple(f"f{number:03}" for number in range(len(labels))),
            subjects=None if subjects is None else tuple(subjects),
            splits=None if splits is None else np.array(splits),
        )

    return make


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "the cache"
    monkeypatch.setenv("FER_CACHE", str(folder))
    return folder


@pytest.fixture
def photograph() -> Callable[..., Path]:
    """Writes a small photograph of one real person, from matplotlib's sample data; numbers make them differ."""

    def write(path: Path, number: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)) as portrait:
            portrait.resize((128 + number, 152)).save(path)
        return path

    return write


@pytest.fixture(scope="session")
def real() -> Path:
    if not os.environ.get("FER_DATA"):
        pytest.skip("FER_DATA does not say where the real data are")
    return Path(os.environ["FER_DATA"])
